/* SPDX-License-Identifier: Apache-2.0 */

/* The models directory: what is in it, and which one is current. */
#include "artifact/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/bundle_id.h"
#include "base/cleanup.h"
#include "base/file.h"

#define CURRENT "current"
#define PREVIOUS "previous"

enum status bundle_lock(const char *models_dir, int *ret_fd, struct error *err)
{
    AUTO(close_slot) int fd = open(models_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "%s", models_dir);
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return fail_errno(err, "%s: cannot lock", models_dir);
    *ret_fd = fd;
    fd = -1;
    return STATUS_OK;
}

/* The id that a link of the models directory names; false when there is none. */
static bool read_link(const char *models_dir, const char *link, char ret_id[static BUNDLE_ID_BYTES])
{
    char path[PATH_MAX];
    if (bundle_path(path, models_dir, link, NULL) != STATUS_OK)
        return false;
    ssize_t length = readlink(path, ret_id, BUNDLE_ID_BYTES);
    if (length <= 0 || length >= BUNDLE_ID_BYTES)
        return false;
    ret_id[length] = '\0';
    return !strchr(ret_id, '/');
}

/* Point a link at `id`, by rename: there is no moment without one. */
static enum status set_link(const char *models_dir, const char *link, const char *id,
                            struct error *err)
{
    char path[PATH_MAX];
    char beside[PATH_MAX];
    char name[32];
    snprintf(name, sizeof name, ".%s.new", link);
    TRY(bundle_path(path, models_dir, link, err));
    TRY(bundle_path(beside, models_dir, name, err));
    if (unlink(beside) != 0 && errno != ENOENT)
        return fail_errno(err, "%s: cannot remove", beside);
    if (symlink(id, beside) != 0)
        return fail_errno(err, "%s: cannot link", beside);
    if (rename(beside, path) != 0) {
        enum status status = fail_errno(err, "%s: cannot rename into place", path);
        unlink(beside);
        return status;
    }
    return STATUS_OK;
}

enum status bundle_make_current(const char *models_dir, const char *id, struct error *err)
{
    char current[BUNDLE_ID_BYTES];
    if (read_link(models_dir, CURRENT, current)) {
        if (strcmp(current, id) == 0)
            return STATUS_OK;
        /* A crash between the two leaves both links at the same bundle: "no previous one". */
        TRY(set_link(models_dir, PREVIOUS, current, err));
    }
    TRY(set_link(models_dir, CURRENT, id, err));
    return file_sync_directory(models_dir, err);
}

enum status bundle_resolve(const char *path, char ret_dir[static PATH_MAX],
                           char ret_id[static BUNDLE_ID_BYTES], struct error *err)
{
    char inside[PATH_MAX];
    TRY(bundle_path(inside, path, BUNDLE_MANIFEST, err));
    const char *bundle = path;
    if (!file_exists(inside)) {
        TRY(bundle_path(inside, path, CURRENT, err));
        bundle = inside;
    }
    char real[PATH_MAX];
    if (!realpath(bundle, real) && errno != ENOENT && errno != ENOTDIR)
        return fail_errno(err, "%s", bundle);
    if (!file_exists(bundle))
        return fail(err, STATUS_NOT_FOUND,
                    "%s: no bundle here: make one with 'influence train FILE --out %s'", path,
                    path);
    TRY(bundle_path(inside, real, BUNDLE_MANIFEST, err));
    if (!file_exists(inside))
        return fail(err, STATUS_NOT_FOUND, "%s: has no " BUNDLE_MANIFEST, real);
    const char *slash = strrchr(real, '/');
    snprintf(ret_id, BUNDLE_ID_BYTES, "%.*s", BUNDLE_ID_BYTES - 1, slash ? slash + 1 : real);
    memcpy(ret_dir, real, strlen(real) + 1);
    return STATUS_OK;
}

/* ---- listing ---- */

static int compare_infos(const void *a, const void *b)
{
    return strcmp(((const struct bundle_info *)a)->id, ((const struct bundle_info *)b)->id);
}

static void closedir_slot(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* The ids in the directory, oldest first: an array in the arena with the rest of each info empty.
 */
static enum status scan(const char *models_dir, struct arena *arena, struct bundle_info **ret_list,
                        size_t *ret_n, struct error *err)
{
    AUTO(closedir_slot) DIR *dir = opendir(models_dir);
    if (!dir)
        return fail_errno(err, "%s", models_dir);
    struct bundle_info *list = NULL;
    size_t n = 0;
    size_t capacity = 0;
    struct dirent *entry;
    while (errno = 0, (entry = readdir(dir))) {
        if (!bundle_is_id(entry->d_name))
            continue;
        if (n == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            struct bundle_info *more = ARENA_ARRAY(arena, struct bundle_info, capacity);
            if (!more)
                return fail(err, STATUS_NO_MEMORY, "%s: out of memory", models_dir);
            if (n > 0)
                memcpy(more, list, n * sizeof list[0]);
            list = more;
        }
        snprintf(list[n++].id, BUNDLE_ID_BYTES, "%.*s", BUNDLE_ID_BYTES - 1, entry->d_name);
    }
    if (errno != 0)
        return fail_errno(err, "%s: cannot read", models_dir);
    if (n > 0)
        qsort(list, n, sizeof list[0], compare_infos);
    *ret_list = list;
    *ret_n = n;
    return STATUS_OK;
}

enum status bundle_list(const char *models_dir, struct arena *arena, struct bundle_info **ret_list,
                        size_t *ret_n, struct error *err)
{
    struct bundle_info *list = NULL;
    size_t n = 0;
    TRY(scan(models_dir, arena, &list, &n, err));
    char current[BUNDLE_ID_BYTES] = "";
    char previous[BUNDLE_ID_BYTES] = "";
    if (!read_link(models_dir, CURRENT, current))
        current[0] = '\0';
    if (!read_link(models_dir, PREVIOUS, previous))
        previous[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        list[i].is_current = strcmp(list[i].id, current) == 0;
        list[i].is_previous = !list[i].is_current && strcmp(list[i].id, previous) == 0;
        char dir[PATH_MAX];
        char path[PATH_MAX];
        TRY(bundle_path(dir, models_dir, list[i].id, err));
        TRY(bundle_path(path, dir, BUNDLE_MANIFEST, err));
        struct error problem = {0};
        if (json_parse_file(path, arena, &list[i].manifest, &problem) != STATUS_OK) {
            list[i].manifest = NULL;
            snprintf(list[i].problem, sizeof list[i].problem, "%.*s",
                     (int)sizeof list[i].problem - 1, problem.message);
        }
    }
    *ret_list = list;
    *ret_n = n;
    return STATUS_OK;
}

/* ---- changing ---- */

/* The one bundle whose id begins with `prefix`, or that the link of this name names. */
static enum status find_id(const char *models_dir, const char *prefix,
                           char ret_id[static BUNDLE_ID_BYTES], struct error *err)
{
    if (strcmp(prefix, CURRENT) == 0 || strcmp(prefix, PREVIOUS) == 0)
        return read_link(models_dir, prefix, ret_id)
                   ? STATUS_OK
                   : fail(err, STATUS_NOT_FOUND, "%s: there is no %s bundle", models_dir, prefix);
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 4096);
    struct bundle_info *list = NULL;
    size_t n = 0;
    TRY(scan(models_dir, &arena, &list, &n, err));
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!text_starts_with(list[i].id, prefix))
            continue;
        if (found)
            return fail(err, STATUS_INVALID, "%s: '%s' begins both %s and %s", models_dir, prefix,
                        found, list[i].id);
        found = list[i].id;
    }
    if (!found || prefix[0] == '\0')
        return fail(err, STATUS_NOT_FOUND, "%s: no bundle '%s'", models_dir, prefix);
    memcpy(ret_id, found, BUNDLE_ID_BYTES);
    return STATUS_OK;
}

enum status bundle_find(const char *models_dir, const char *id, char ret_dir[static PATH_MAX],
                        char ret_id[static BUNDLE_ID_BYTES], struct error *err)
{
    char found[BUNDLE_ID_BYTES];
    TRY(find_id(models_dir, id, found, err));
    TRY(bundle_path(ret_dir, models_dir, found, err));
    memcpy(ret_id, found, sizeof found);
    return STATUS_OK;
}

enum status bundle_promote(const char *models_dir, const char *id, struct error *err)
{
    AUTO(close_slot) int lock = -1;
    TRY(bundle_lock(models_dir, &lock, err));
    char found[BUNDLE_ID_BYTES];
    TRY(find_id(models_dir, id, found, err));
    return bundle_make_current(models_dir, found, err);
}

enum status bundle_rollback(const char *models_dir, char ret_id[static BUNDLE_ID_BYTES],
                            struct error *err)
{
    AUTO(close_slot) int lock = -1;
    TRY(bundle_lock(models_dir, &lock, err));
    char current[BUNDLE_ID_BYTES];
    char previous[BUNDLE_ID_BYTES];
    char path[PATH_MAX];
    if (!read_link(models_dir, PREVIOUS, previous) ||
        (read_link(models_dir, CURRENT, current) && strcmp(current, previous) == 0))
        return fail(err, STATUS_NOT_FOUND, "%s: there is no previous bundle", models_dir);
    TRY(bundle_path(path, models_dir, previous, err));
    if (!file_exists(path))
        return fail(err, STATUS_NOT_FOUND, "%s: the previous bundle, %s, is gone", models_dir,
                    previous);
    TRY(bundle_make_current(models_dir, previous, err));
    memcpy(ret_id, previous, sizeof previous);
    return STATUS_OK;
}

/* What crashed writers and removers left. */
static enum status sweep(const char *models_dir, struct error *err)
{
    AUTO(closedir_slot) DIR *dir = opendir(models_dir);
    if (!dir)
        return fail_errno(err, "%s", models_dir);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (!text_starts_with(entry->d_name, ".new-") && !text_starts_with(entry->d_name, ".old-"))
            continue;
        char path[PATH_MAX];
        TRY(bundle_path(path, models_dir, entry->d_name, err));
        TRY(file_remove_tree(path, err));
    }
    return STATUS_OK;
}

static enum status remove_bundle(const char *models_dir, const char *id, struct error *err)
{
    char path[PATH_MAX];
    char aside[PATH_MAX];
    char name[BUNDLE_ID_BYTES + 8];
    snprintf(name, sizeof name, ".old-%s", id);
    TRY(bundle_path(path, models_dir, id, err));
    TRY(bundle_path(aside, models_dir, name, err));
    if (rename(path, aside) != 0)
        return fail_errno(err, "%s: cannot rename", path);
    return file_remove_tree(aside, err);
}

static enum status remove_previous_link(const char *models_dir, const char *id, struct error *err)
{
    char path[PATH_MAX];
    char previous[BUNDLE_ID_BYTES];
    if (!read_link(models_dir, PREVIOUS, previous) || strcmp(id, previous) != 0)
        return STATUS_OK;
    TRY(bundle_path(path, models_dir, PREVIOUS, err));
    return unlink(path) == 0 ? STATUS_OK : fail_errno(err, "%s: cannot remove", path);
}

enum status bundle_remove(const char *models_dir, const char *id, struct error *err)
{
    AUTO(close_slot) int lock = -1;
    TRY(bundle_lock(models_dir, &lock, err));
    TRY(sweep(models_dir, err));
    char current[BUNDLE_ID_BYTES];
    if (read_link(models_dir, CURRENT, current) && strcmp(id, current) == 0)
        return fail(err, STATUS_INVALID,
                    "%s/%s is the current bundle: make another current, or train one without the "
                    "account, and erase again",
                    models_dir, id);
    TRY(remove_previous_link(models_dir, id, err));
    TRY(remove_bundle(models_dir, id, err));
    return file_sync_directory(models_dir, err);
}

enum status bundle_prune(const char *models_dir, size_t keep, size_t *ret_removed,
                         struct error *err)
{
    AUTO(close_slot) int lock = -1;
    TRY(bundle_lock(models_dir, &lock, err));
    TRY(sweep(models_dir, err));
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 4096);
    struct bundle_info *list = NULL;
    size_t n = 0;
    TRY(scan(models_dir, &arena, &list, &n, err));
    char current[BUNDLE_ID_BYTES] = "";
    char previous[BUNDLE_ID_BYTES] = "";
    if (!read_link(models_dir, CURRENT, current))
        current[0] = '\0';
    if (!read_link(models_dir, PREVIOUS, previous))
        previous[0] = '\0';
    size_t removed = 0;
    for (size_t i = 0; i + keep < n; i++) {
        if (strcmp(list[i].id, current) == 0 || strcmp(list[i].id, previous) == 0)
            continue;
        TRY(remove_bundle(models_dir, list[i].id, err));
        removed++;
    }
    *ret_removed = removed;
    return STATUS_OK;
}
