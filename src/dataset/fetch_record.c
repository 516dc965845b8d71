/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_record.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "dataset/fetch_unpack.h"

struct listing {
    struct arena *arena;
    struct record_file *files; /* owns */
    size_t n, capacity;
};

static void listing_deinit(struct listing *listing)
{
    free(listing->files);
}

static enum status join(const char *dir, const char *name, char ret_path[static PATH_MAX],
                        struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "%s: path is too long", dir);
    return STATUS_OK;
}

static enum status listing_add(struct listing *listing, const char *path, const char *name,
                               const struct stat *info, struct error *err)
{
    if (listing->n == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 16;
        struct record_file *files = reallocarray(listing->files, capacity, sizeof *files);
        if (!files)
            return fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
        listing->files = files;
        listing->capacity = capacity;
    }
    struct record_file *file = &listing->files[listing->n];
    *file = (struct record_file){.name = arena_strdup(listing->arena, name),
                                 .n_bytes = (uint64_t)info->st_size};
    if (!file->name)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    TRY(hash_sha256_file(path, file->sha256, err));
    listing->n++;
    return STATUS_OK;
}

static void closedir_slot(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* Everything below dir/prefix; `prefix` is "" or ends with a slash. */
static enum status list(const char *dir, const char *prefix, struct listing *listing,
                        struct error *err)
{
    char here[PATH_MAX];
    TRY(join(dir, prefix, here, err));
    AUTO(closedir_slot) DIR *open_dir = opendir(here);
    if (!open_dir)
        return fail_errno(err, "%s", here);
    struct dirent *entry;
    while ((errno = 0, entry = readdir(open_dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        const char *name = arena_printf(listing->arena, "%s%s", prefix, entry->d_name);
        if (!name)
            return fail(err, STATUS_NO_MEMORY, "%s: out of memory", here);
        char path[PATH_MAX];
        TRY(join(dir, name, path, err));
        struct stat info;
        if (lstat(path, &info) != 0)
            return fail_errno(err, "%s", path);
        if (S_ISDIR(info.st_mode)) {
            const char *deeper = arena_printf(listing->arena, "%s/", name);
            if (!deeper)
                return fail(err, STATUS_NO_MEMORY, "%s: out of memory", here);
            TRY(list(dir, deeper, listing, err));
        } else {
            TRY(listing_add(listing, path, name, &info, err));
        }
    }
    if (errno != 0)
        return fail_errno(err, "%s: cannot list", here);
    return file_sync_directory(here, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct record_file *)a)->name, ((const struct record_file *)b)->name);
}

static enum status write_buffer(const char *dir, const char *name, struct buffer *text,
                                struct error *err)
{
    char path[PATH_MAX];
    TRY(join(dir, name, path, err));
    if (text->failed)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    return file_write_atomic(path, text->at, text->length, err);
}

static void put_sums(const struct listing *listing, struct buffer *out)
{
    for (size_t i = 0; i < listing->n; i++)
        buffer_printf(out, "%s  %s\n", listing->files[i].sha256, listing->files[i].name);
}

static void put_json(const struct listing *listing, const struct record_origin *origin,
                     const char *sha256, struct buffer *out)
{
    char now[28];
    clock_format_utc(clock_utc_us(), now);
    struct json_writer json = json_writer(out);
    json.pretty = true;
    json_begin_object(&json);
    json_member_string(&json, "name", origin->name);
    json_member_string(&json, "url", origin->url);
    json_member_string(&json, "fetched", now);
    json_member_string(&json, "etag", origin->etag[0] ? origin->etag : NULL);
    json_member_string(&json, "last_modified",
                       origin->last_modified[0] ? origin->last_modified : NULL);
    json_member_integer(&json, "bytes", (int64_t)origin->n_bytes);
    json_member_string(&json, "sha256", sha256);
    json_put_key(&json, "files");
    json_begin_array(&json);
    for (size_t i = 0; i < listing->n; i++) {
        json_begin_object(&json);
        json_member_string(&json, "name", listing->files[i].name);
        json_member_integer(&json, "bytes", (int64_t)listing->files[i].n_bytes);
        json_member_string(&json, "sha256", listing->files[i].sha256);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_put_char(out, '\n');
}

/* A single table was given its second name in `dir`, or moved there: then it is the only file. */
static enum status hash_download(const struct listing *listing, const struct record_origin *origin,
                                 char ret_hex[static SHA256_HEX_LENGTH + 1], struct error *err)
{
    if (file_exists(origin->part_path) || listing->n != 1)
        return hash_sha256_file(origin->part_path, ret_hex, err);
    memcpy(ret_hex, listing->files[0].sha256, SHA256_HEX_LENGTH + 1);
    return STATUS_OK;
}

static enum status write_both(const char *dir, struct listing *listing,
                              const struct record_origin *origin, struct error *err)
{
    TRY(list(dir, "", listing, err));
    if (listing->n > 0)
        qsort(listing->files, listing->n, sizeof *listing->files, by_name);
    char sha256[SHA256_HEX_LENGTH + 1];
    TRY(hash_download(listing, origin, sha256, err));
    struct buffer text = {0};
    put_sums(listing, &text);
    enum status status = write_buffer(dir, "SHA256SUMS", &text, err);
    buffer_clear(&text);
    put_json(listing, origin, sha256, &text);
    if (status == STATUS_OK)
        status = write_buffer(dir, "source.json", &text, err);
    buffer_deinit(&text);
    TRY(status);
    return file_sync_directory(dir, err);
}

enum status record_write(const char *dir, const struct record_origin *origin, struct error *err)
{
    struct arena arena;
    arena_init(&arena, 4096);
    struct listing listing = {.arena = &arena};
    enum status status = write_both(dir, &listing, origin, err);
    listing_deinit(&listing);
    arena_deinit(&arena);
    return status;
}

bool record_exists(const char *dir)
{
    char path[PATH_MAX];
    return join(dir, "source.json", path, NULL) == STATUS_OK && file_exists(path);
}

static enum status read_file(const char *dir, const struct json *entry, struct record_file *file,
                             struct error *err)
{
    double bytes;
    TRY(json_need_string(entry, "name", &file->name, err));
    TRY(json_need_number(entry, "bytes", &bytes, err));
    TRY(unpack_check_name(file->name, err));
    char path[PATH_MAX];
    TRY(join(dir, file->name, path, err));
    struct stat info;
    if (stat(path, &info) != 0 || (double)info.st_size != bytes)
        return fail(
            err, STATUS_EXISTS,
            "%s: is gone or was changed after the download; move it away, or fetch it again "
            "with --refresh",
            path);
    file->n_bytes = (uint64_t)info.st_size;
    return STATUS_OK;
}

enum status record_read(const char *dir, struct arena *arena, struct record *ret_record,
                        struct error *err)
{
    char path[PATH_MAX];
    TRY(join(dir, "source.json", path, err));
    const struct json *json;
    if (json_parse_file(path, arena, &json, err) != STATUS_OK)
        return fail(err, STATUS_CORRUPT, "%s: cannot be read; fetch again with --refresh", path);
    const struct json *list_of = json_get(json, "files");
    size_t n = json_count(list_of);
    struct record_file *files = ARENA_ARRAY(arena, struct record_file, n + 1);
    if (!files)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    size_t i = 0;
    for (const struct json *entry = json_first(list_of); entry; entry = json_next(entry))
        TRY(read_file(dir, entry, &files[i++], err));
    *ret_record = (struct record){.files = files, .n_files = n};
    return STATUS_OK;
}
