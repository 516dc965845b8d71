/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/bundle_id.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"

#define ID_TIME_LENGTH 16 /* "20260131T123456Z" */
#define ID_HASH_LENGTH 16

bool bundle_is_id(const char *name)
{
    return strlen(name) == ID_TIME_LENGTH + 1 + ID_HASH_LENGTH && name[8] == 'T' &&
           name[ID_TIME_LENGTH - 1] == 'Z' && name[ID_TIME_LENGTH] == '-' &&
           strspn(name, "0123456789") == 8 && strspn(name + 9, "0123456789") == 6 &&
           strspn(name + ID_TIME_LENGTH + 1, "0123456789abcdef") == ID_HASH_LENGTH;
}

enum status bundle_path(char ret_path[static PATH_MAX], const char *dir, const char *name,
                        struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "%s: path is too long", dir);
    return STATUS_OK;
}

static bool is_blob(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".blob") == 0;
}

/* The hash in an id, over the names and digests of the blobs: add each, then finish. */
static void id_hash_add(struct buffer *lines, const char *name, const char *sha256)
{
    if (is_blob(name))
        buffer_printf(lines, "%s  %s\n", sha256, name);
}

static void id_hash_finish(const struct buffer *lines, char ret_hash[static ID_HASH_LENGTH + 1])
{
    char hex[SHA256_HEX_LENGTH + 1];
    hash_sha256_hex(lines->at ? lines->at : "", lines->length, hex);
    memcpy(ret_hash, hex, ID_HASH_LENGTH);
    ret_hash[ID_HASH_LENGTH] = '\0';
}

/* ---- writing ---- */

struct new_bundle {
    const struct bundle_file *files;
    size_t n_files;
    const char *manifest_members;
    int64_t created_utc_us;
};

static enum status make_id(const char *models_dir, const struct new_bundle *new,
                           char ret_id[static BUNDLE_ID_BYTES], struct error *err)
{
    AUTO(buffer_deinit) struct buffer lines = {0};
    for (size_t i = 0; i < new->n_files; i++) {
        char hex[SHA256_HEX_LENGTH + 1];
        hash_sha256_hex(new->files[i].bytes, new->files[i].n_bytes, hex);
        id_hash_add(&lines, new->files[i].name, hex);
    }
    if (lines.failed)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", models_dir);
    char hash[ID_HASH_LENGTH + 1];
    id_hash_finish(&lines, hash);
    /* The same model trained twice within a second: the later one takes the next second. */
    char path[PATH_MAX];
    int64_t at = new->created_utc_us;
    do {
        char time[17];
        clock_format_compact(at, time);
        snprintf(ret_id, BUNDLE_ID_BYTES, "%s-%s", time, hash);
        TRY(bundle_path(path, models_dir, ret_id, err));
        at += 1000000;
    } while (file_exists(path));
    return STATUS_OK;
}

static void put_manifest(struct json_writer *w, const struct new_bundle *new, const char *id)
{
    char created[28];
    clock_format_utc(new->created_utc_us, created);
    json_begin_object(w);
    json_member_string(w, "id", id);
    json_member_string(w, "created", created);
    json_member_string(w, "influence", INFLUENCE_VERSION);
    json_put_key(w, "files");
    json_begin_array(w);
    for (size_t i = 0; i < new->n_files; i++) {
        char hex[SHA256_HEX_LENGTH + 1];
        hash_sha256_hex(new->files[i].bytes, new->files[i].n_bytes, hex);
        json_begin_object(w);
        json_member_string(w, "name", new->files[i].name);
        json_member_integer(w, "bytes", (int64_t) new->files[i].n_bytes);
        json_member_string(w, "sha256", hex);
        json_end_object(w);
    }
    json_end_array(w);
}

/* The trainer's members are parsed and printed again: what is no JSON is found here, not by the
 * first reader. */
static enum status put_members(struct json_writer *w, const char *members, struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    buffer_printf(&text, "{%s}", members);
    if (text.failed)
        return fail(err, STATUS_NO_MEMORY, "manifest: out of memory");
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    const struct json *object = NULL;
    enum status status = json_parse(text.at, text.length, &arena, &object, err);
    if (status != STATUS_OK)
        return fail_prefix(err, status, "manifest");
    for (const struct json *m = json_first(object); m; m = json_next(m)) {
        json_put_key(w, json_key(m));
        json_put_value(w, m);
    }
    return STATUS_OK;
}

static enum status write_files(const char *dir, const struct new_bundle *new, const char *id,
                               struct error *err)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < new->n_files; i++) {
        const struct bundle_file *file = &new->files[i];
        TRY(bundle_path(path, dir, file->name, err));
        TRY(file_write_atomic(path, file->bytes, file->n_bytes, err));
    }
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    w.pretty = true;
    put_manifest(&w, new, id);
    TRY(put_members(&w, new->manifest_members, err));
    json_end_object(&w);
    buffer_put_char(&text, '\n');
    if (text.failed)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", dir);
    TRY(bundle_path(path, dir, BUNDLE_MANIFEST, err));
    TRY(file_write_atomic(path, text.at, text.length, err));
    return file_sync_directory(dir, err);
}

static enum status check_file_names(const struct bundle_file *files, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (files[i].name[0] == '\0' || files[i].name[0] == '.' || strchr(files[i].name, '/') ||
            strcmp(files[i].name, BUNDLE_MANIFEST) == 0)
            return fail(err, STATUS_INVALID, "bundle: '%s' is no name for a file of one",
                        files[i].name);
    return STATUS_OK;
}

static enum status write_and_rename(const char *models_dir, const char *beside, const char *id,
                                    const struct new_bundle *new, struct error *err)
{
    char path[PATH_MAX];
    if (chmod(beside, 0755) != 0)
        return fail_errno(err, "%s: cannot set mode", beside);
    TRY(write_files(beside, new, id, err));
    TRY(bundle_path(path, models_dir, id, err));
    if (rename(beside, path) != 0)
        return fail_errno(err, "%s: cannot rename into place", path);
    return file_sync_directory(models_dir, err);
}

enum status bundle_check_place(const char *models_dir, struct error *err)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s", models_dir);
    if (length <= 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "'%s' is no directory for models", models_dir);
    /* The nearest directory that is there already. */
    struct stat info;
    while (stat(path, &info) != 0) {
        if (errno != ENOENT)
            return fail_errno(err, "%s: cannot be used", path);
        char *slash = strrchr(path, '/');
        if (slash && slash > path)
            *slash = '\0';
        else
            memcpy(path, slash ? "/" : ".", 2);
    }
    if (!S_ISDIR(info.st_mode))
        return fail(err, STATUS_INVALID, "%s: is no directory", path);
    /* What may be said of rights is not all there is: it is tried. */
    char attempt[PATH_MAX];
    TRY(bundle_path(attempt, path, ".new-XXXXXX", err));
    if (!mkdtemp(attempt))
        return fail_errno(err, "%s: cannot make directory", path);
    return rmdir(attempt) == 0 ? STATUS_OK : fail_errno(err, "%s: cannot remove", attempt);
}

enum status bundle_write(const char *models_dir, const struct bundle_file *files, size_t n_files,
                         const char *manifest_members, int64_t created_utc_us,
                         char ret_id[static BUNDLE_ID_BYTES], struct error *err)
{
    const struct new_bundle new = {files, n_files, manifest_members, created_utc_us};
    TRY(check_file_names(files, n_files, err));
    TRY(file_make_directories(models_dir, err));
    AUTO(close_slot) int lock = -1;
    TRY(bundle_lock(models_dir, &lock, err));
    char id[BUNDLE_ID_BYTES];
    TRY(make_id(models_dir, &new, id, err));
    char beside[PATH_MAX];
    TRY(bundle_path(beside, models_dir, ".new-XXXXXX", err));
    if (!mkdtemp(beside))
        return fail_errno(err, "%s: cannot make directory", beside);
    enum status status = write_and_rename(models_dir, beside, id, &new, err);
    if (status != STATUS_OK) {
        file_remove_tree(beside, NULL); /* what is left, `influence models prune` sweeps */
        return status;
    }
    TRY(bundle_make_current(models_dir, id, err));
    memcpy(ret_id, id, sizeof id);
    return STATUS_OK;
}

/* ---- verifying ---- */

/* A file that the manifest lists, by its name and size. */
static enum status find_file(const char *dir, const struct json *file, const char **ret_name,
                             char ret_path[static PATH_MAX], struct error *err)
{
    const char *name = NULL;
    double bytes = 0;
    TRY(json_need_string(file, "name", &name, err));
    TRY(json_need_number(file, "bytes", &bytes, err));
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
        return fail(err, STATUS_CORRUPT, "it lists '%s', which is no file of a bundle", name);
    TRY(bundle_path(ret_path, dir, name, err));
    struct stat info;
    if (stat(ret_path, &info) != 0)
        return fail(err, STATUS_CORRUPT, "%s is missing", name);
    if ((double)info.st_size != bytes)
        return fail(err, STATUS_CORRUPT, "%s has %lld bytes, should have %.0f", name,
                    (long long)info.st_size, bytes);
    *ret_name = name;
    return STATUS_OK;
}

static enum status verify_file(const char *dir, const struct json *file, struct buffer *id_lines,
                               struct error *err)
{
    const char *name = NULL;
    const char *sha256 = NULL;
    char path[PATH_MAX];
    TRY(json_need_string(file, "sha256", &sha256, err));
    TRY(find_file(dir, file, &name, path, err));
    char hex[SHA256_HEX_LENGTH + 1];
    TRY(hash_sha256_file(path, hex, err));
    if (strcmp(hex, sha256) != 0)
        return fail(err, STATUS_CORRUPT, "%s: its SHA-256 is %.12s..., should be %.12s...", name,
                    hex, sha256);
    id_hash_add(id_lines, name, hex);
    return STATUS_OK;
}

static enum status verify_manifest(const char *dir, const struct json *manifest, struct error *err)
{
    const char *id = NULL;
    TRY(json_need_string(manifest, "id", &id, err));
    if (!bundle_is_id(id))
        return fail(err, STATUS_CORRUPT, "'%s' is no bundle id", id);
    AUTO(buffer_deinit) struct buffer lines = {0};
    const struct json *files = json_get(manifest, "files");
    if (json_type(files) != JSON_ARRAY || json_count(files) == 0)
        return fail(err, STATUS_CORRUPT, "it lists no files");
    for (const struct json *file = json_first(files); file; file = json_next(file))
        TRY(verify_file(dir, file, &lines, err));
    if (lines.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    char hash[ID_HASH_LENGTH + 1];
    id_hash_finish(&lines, hash);
    if (strcmp(hash, id + ID_TIME_LENGTH + 1) != 0)
        return fail(err, STATUS_CORRUPT, "its blobs hash to %s, its id says %s", hash,
                    id + ID_TIME_LENGTH + 1);
    return STATUS_OK;
}

static enum status find_files(const char *dir, const struct json *manifest, struct error *err)
{
    const char *name = NULL;
    char path[PATH_MAX];
    for (const struct json *f = json_first(json_get(manifest, "files")); f; f = json_next(f))
        TRY(find_file(dir, f, &name, path, err));
    return STATUS_OK;
}

static enum status read_manifest(const char *dir,
                                 enum status (*check)(const char *, const struct json *,
                                                      struct error *),
                                 struct error *err)
{
    char path[PATH_MAX];
    TRY(bundle_path(path, dir, BUNDLE_MANIFEST, err));
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    const struct json *manifest = NULL;
    struct error inner = {0};
    enum status status = json_parse_file(path, &arena, &manifest, &inner);
    if (status == STATUS_OK)
        status = check(dir, manifest, &inner);
    if (status == STATUS_OK)
        return STATUS_OK;
    /* A manifest of ours that does not parse is damage, not somebody's wrong input. */
    if (status == STATUS_INVALID)
        status = STATUS_CORRUPT;
    return fail(err, status, "%s: %s", dir, inner.message);
}

enum status bundle_verify(const char *dir, struct error *err)
{
    return read_manifest(dir, verify_manifest, err);
}

enum status bundle_check_whole(const char *dir, struct error *err)
{
    return read_manifest(dir, find_files, err);
}
