/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_erase.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/command.h"
#include "reqlog/mention.h"
#include "reqlog/reader.h"

static const char name[] = "log";

struct tally {
    const struct log_erase *erase;
    int64_t rows;
    int logs, failures;
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Files that SQLite keeps beside a database go with theirs. */
static bool is_beside(const char *path)
{
    static const char *const tails[] = {"-wal", "-shm", "-journal"};
    char database[PATH_MAX];
    for (size_t i = 0; i < ARRAY_LENGTH(tails); i++)
        if (ends_with(path, tails[i])) {
            snprintf(database, sizeof database, "%.*s", (int)(strlen(path) - strlen(tails[i])),
                     path);
            return file_exists(database) || strcmp(tails[i], "-shm") == 0; /* no rows in it */
        }
    return false;
}

static bool is_database(const char *path)
{
    char magic[16];
    FILE *file = fopen(path, "rbe");
    size_t n = file ? fread(magic, 1, sizeof magic, file) : 0;
    if (file)
        fclose(file);
    return n == sizeof magic && memcmp(magic, "SQLite format 3", sizeof magic) == 0;
}

/* A log whose beginning is damaged is no database any more. */
static bool was_log(const char *path)
{
    char key[PATH_MAX];
    struct stat info;
    snprintf(key, sizeof key, "%.*s.key", (int)sizeof key - 5, path);
    return (ends_with(path, ".db") || file_exists(key)) && stat(path, &info) == 0 &&
           info.st_size > 0;
}

/* What is neither: such as a write-ahead log without its database, or somebody's export. */
static bool mentions(const char *path, const char *handle, struct error *err)
{
    AUTO(file_unmap) struct file_map map = {0};
    if (file_map(path, &map, err) != STATUS_OK)
        return true;
    fail(err, STATUS_INVALID, "%s: is no request log, and mentions the handle: look at it", path);
    return mention_find((const char *)map.bytes, map.size, handle);
}

static void count_failure(struct tally *tally, const struct error *err)
{
    tally->failures++;
    command_failed(name, err);
}

static void erase_one(struct tally *tally, const char *path)
{
    struct error err = {0};
    int64_t rows = 0;
    if (reqlog_erase(path, tally->erase->handle, &rows, &err) == STATUS_OK)
        tally->logs++;
    else
        count_failure(tally, &err);
    tally->rows += rows;
}

static void name_damaged(struct tally *tally, const char *path)
{
    struct error err = {0};
    fail(&err, STATUS_CORRUPT,
         "%s was set aside as damaged, and may hold the handle still: print what can be read "
         "of it (`influence log export --db FILE`), and delete it",
         path);
    count_failure(tally, &err);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void erase_any(struct tally *tally, const char *path)
{
    struct error err = {0};
    if (is_database(path) || was_log(path))
        erase_one(tally, path);
    else if (mentions(path, tally->erase->handle, &err))
        count_failure(tally, &err);
}

/* file: NULL for all logs of the folder, else the one whose damaged predecessors are meant. */
static enum status erase_folder(struct tally *tally, const char *folder, const char *file,
                                struct error *err)
{
    struct dirent **entries = NULL;
    size_t length = file ? strlen(file) : 0;
    int n = scandir(folder, &entries, NULL, alphasort);
    if (n < 0)
        return fail_errno(err, "%s", folder);
    for (int i = 0; i < n; i++) {
        AUTO(free_slot) struct dirent *entry = entries[i];
        const char *its = entry->d_name;
        const char *damaged = strstr(its, ".damaged-");
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, its);
        if (is_beside(path) || is_folder(path))
            continue;
        if (damaged && (!file || (strncmp(its, file, length) == 0 && damaged == its + length)))
            name_damaged(tally, path);
        else if (!damaged && !file)
            erase_any(tally, path);
    }
    free(entries);
    return STATUS_OK;
}

static enum status erase_file(struct tally *tally, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO(free_slot) char *folder = strndup(path, slash ? (size_t)(slash - path) : 0);
    if (!folder)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    erase_one(tally, path);
    if (tally->failures > 0)
        return STATUS_OK;
    return erase_folder(tally,
                        folder[0] ? folder
                        : slash   ? "/"
                                  : ".",
                        slash ? slash + 1 : path, err);
}

static void print_tally(const struct tally *tally)
{
    long long rows = (long long)tally->rows;
    if (tally->erase->as_json)
        printf("{\"erased\":%lld,\"logs\":%d}\n", rows, tally->logs);
    else if (is_folder(tally->erase->path))
        printf("%lld rows erased, from %d log%s\n", rows, tally->logs, tally->logs == 1 ? "" : "s");
    else if (tally->logs > 0)
        printf("%lld rows erased\n", rows);
}

int log_erase_run(const struct log_erase *erase)
{
    struct tally tally = {.erase = erase};
    struct error err = {0};
    enum status status = is_folder(erase->path) ? erase_folder(&tally, erase->path, NULL, &err)
                                                : erase_file(&tally, erase->path, &err);
    if (status == STATUS_OK && tally.logs + tally.failures == 0)
        status = fail(&err, STATUS_NOT_FOUND, "%s: there is no request log in it", erase->path);
    if (status != STATUS_OK)
        count_failure(&tally, &err);
    if (tally.logs > 0)
        print_tally(&tally);
    int code = command_finish(name);
    return tally.failures > 0 ? EXIT_FAILED : code;
}
