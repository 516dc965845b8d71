/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dataset/fetch_credentials.h"
#include "dataset/fetch_http.h"
#include "dataset/fetch_part.h"
#include "dataset/fetch_record.h"
#include "dataset/fetch_source.h"
#include "dataset/fetch_unpack.h"

#define MAX_RATIO 200

struct job {
    struct fetch_options options; /* with the defaults filled in */
    struct fetch_source source;
    struct arena *arena;
    const char *dir;  /* where the data set lives */
    const char *work; /* DATA/.fetch/HASH: ".part", ".lock" and ".new" are put behind it */
    const char *part, *beside;
    int lock; /* owns; the file stays, or two processes could hold it at once */
};

void fetched_free(struct fetched *fetched)
{
    if (!fetched)
        return;
    arena_deinit(&fetched->memory);
    free(fetched);
}

bool fetch_is_remote(const char *name)
{
    return text_starts_with(name, "kaggle:") || text_starts_with(name, "https://") ||
           text_starts_with(name, "http://");
}

static struct fetch_options with_defaults(const struct fetch_options *given)
{
    struct fetch_options options = *given;
    if (!options.data_dir)
        options.data_dir = "data";
    if (!options.base_url)
        options.base_url = getenv("KAGGLE_API_ENDPOINT");
    if (!options.base_url || !*options.base_url)
        options.base_url = "https://www.kaggle.com";
    if (!options.max_download_bytes)
        options.max_download_bytes = (uint64_t)2 << 30;
    if (!options.max_unpacked_bytes)
        options.max_unpacked_bytes = (uint64_t)8 << 30;
    if (!options.max_entries)
        options.max_entries = 10000;
    if (!options.max_attempts)
        options.max_attempts = 6;
    if (!options.retry_delay_ms)
        options.retry_delay_ms = 1000;
    if (!options.connect_timeout_s)
        options.connect_timeout_s = 20;
    if (!options.stall_timeout_s)
        options.stall_timeout_s = 30;
    return options;
}

/* ---- the folder of unfinished things ---- */

static enum status prepare(struct job *job, struct error *err)
{
    const char *data_dir = job->options.data_dir;
    char hash[SHA256_HEX_LENGTH + 1];
    hash_sha256_hex(job->source.url, strlen(job->source.url), hash);
    const char *unfinished = arena_printf(job->arena, "%s/.fetch", data_dir);
    job->dir = arena_printf(job->arena, "%s/%s", data_dir, job->source.folder);
    job->part = arena_printf(job->arena, "%s/.fetch/%.16s.part", data_dir, hash);
    job->beside = arena_printf(job->arena, "%s/.fetch/%.16s.new", data_dir, hash);
    job->work = arena_printf(job->arena, "%s/.fetch/%.16s", data_dir, hash);
    if (!unfinished || !job->dir || !job->part || !job->beside || !job->work)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", job->source.name);
    return file_make_directories(unfinished, err);
}

static enum status lock(struct job *job, struct error *err)
{
    const char *path = arena_printf(job->arena, "%s.lock", job->work);
    if (!path)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", job->source.name);
    job->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (job->lock < 0)
        return fail_errno(err, "%s: cannot create", path);
    if (flock(job->lock, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno == EWOULDBLOCK)
        return fail(err, STATUS_UNAVAILABLE, "%s: another process is downloading it",
                    job->source.name);
    return fail_errno(err, "%s: cannot lock", path);
}

/* ---- download, unpack, put in place ---- */

static enum status unpack_part(struct job *job, struct error *err)
{
    TRY(file_remove_tree(job->beside, err));
    TRY(file_make_directories(job->beside, err));
    struct unpack_request request = {
        .path = job->part,
        .dir = job->beside,
        .plain_name = job->source.plain_name,
        .shown = job->source.name,
        .max_bytes = job->options.max_unpacked_bytes,
        .max_ratio = MAX_RATIO,
        .max_entries = job->options.max_entries,
        .cancel = job->options.cancel,
    };
    progress_show(job->options.progress, "unpacking", -1);
    enum status status = unpack(&request, err);
    progress_show(job->options.progress, "unpacking", 1.0);
    return status;
}

/* Put the new folder where the old one was, in one step where there was one. */
static enum status move_into_place(struct job *job, struct error *err)
{
    char parent[PATH_MAX];
    int length = snprintf(parent, sizeof parent, "%s", job->dir);
    if (length < 0 || (size_t)length >= sizeof parent)
        return fail(err, STATUS_INVALID, "%s: path is too long", job->dir);
    *strrchr(parent, '/') = '\0';
    TRY(file_make_directories(parent, err));
    bool replaces = file_exists(job->dir);
    if (replaces && !record_exists(job->dir))
        return fail(err, STATUS_EXISTS, "%s: is there already, and was not downloaded", job->dir);
    unsigned flags = replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, job->beside, AT_FDCWD, job->dir, flags) != 0)
        return fail_errno(err, "%s: cannot move into place", job->dir);
    TRY(file_sync_directory(parent, err));
    /* After an exchange the old one is here. */
    return file_remove_tree(job->beside, err);
}

static enum status download(struct job *job, struct http_result *ret_http, struct error *err)
{
    struct http_request request = {
        .url = job->source.url,
        .shown = job->source.name,
        .part_path = job->part,
        .options = &job->options,
    };
    if (job->source.is_kaggle)
        TRY(credentials_find(job->arena, &request.credentials, err));
    enum status status = http_download(&request, ret_http, err);
    /* What was cut is taken up again; everything else must not be. */
    if (status != STATUS_OK && status != STATUS_UNAVAILABLE && status != STATUS_CANCELLED)
        part_remove(job->part);
    return status;
}

static enum status store(struct job *job, const struct http_result *http, struct error *err)
{
    TRY(unpack_part(job, err));
    struct record_origin origin = {
        .name = job->source.name,
        .url = job->source.shown,
        .etag = http->etag,
        .last_modified = http->last_modified,
        .part_path = job->part,
        .n_bytes = http->n_bytes,
    };
    TRY(record_write(job->beside, &origin, err));
    return move_into_place(job, err);
}

static enum status fetch(struct job *job, struct error *err)
{
    struct http_result http;
    TRY(download(job, &http, err));
    enum status status = store(job, &http, err);
    if (status != STATUS_OK)
        file_remove_tree(job->beside, NULL);
    /* Complete, but not to be used: it would be refused again. */
    if (status != STATUS_CANCELLED)
        part_remove(job->part);
    return status;
}

/* ---- the answer ---- */

/* Text that comes with tables and is none. */
static bool is_about_tables(const char *name)
{
    static const char *const prefixes[] = {"readme", "licen", "copying", "citation", "changelog"};
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++)
        if (strncasecmp(base, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static bool is_table(const char *name)
{
    static const char *const suffixes[] = {".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"};
    size_t length = strlen(name);
    if (is_about_tables(name))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length > suffix && text_equal_fold(name + length - suffix, suffixes[i]))
            return true;
    }
    return false;
}

static enum status list_tables(struct job *job, struct fetched *fetched, struct error *err)
{
    struct record record;
    TRY(record_read(job->dir, job->arena, &record, err));
    const char **tables = ARENA_ARRAY(job->arena, const char *, record.n_files + 1);
    if (!tables)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", job->source.name);
    size_t n = 0;
    for (size_t i = 0; i < record.n_files; i++) {
        const char *name = record.files[i].name;
        if (job->source.file ? strcmp(name, job->source.file) != 0 : !is_table(name))
            continue;
        tables[n] = arena_printf(job->arena, "%s/%s", job->dir, name);
        if (!tables[n++])
            return fail(err, STATUS_NO_MEMORY, "%s: out of memory", job->source.name);
    }
    if (n == 0 && job->source.file)
        return fail(err, STATUS_NOT_FOUND, "%s: has no file '%s' (see %s/SHA256SUMS)",
                    job->source.name, job->source.file, job->dir);
    if (n == 0)
        return fail(err, STATUS_NOT_FOUND, "%s: has no table in it (see %s/SHA256SUMS)",
                    job->source.name, job->dir);
    fetched->dir = job->dir;
    fetched->tables = tables;
    fetched->n_tables = n;
    return STATUS_OK;
}

static enum status resolve(const char *name, struct job *job, struct fetched *fetched,
                           struct error *err)
{
    job->arena = &fetched->memory;
    TRY(fetch_source_parse(name, job->options.base_url, job->arena, &job->source, err));
    TRY(prepare(job, err));
    fetched->was_present = !job->options.refresh && record_exists(job->dir);
    if (!fetched->was_present) {
        TRY(lock(job, err));
        TRY(fetch(job, err));
    }
    return list_tables(job, fetched, err);
}

enum status fetch_resolve(const char *name, const struct fetch_options *options,
                          struct fetched **ret_fetched, struct error *err)
{
    AUTO(fetched_free_slot) struct fetched *fetched = calloc(1, sizeof *fetched);
    if (!fetched)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    arena_init(&fetched->memory, 4096);
    struct job job = {.options = with_defaults(options), .lock = -1};
    enum status status = resolve(name, &job, fetched, err);
    close_slot(&job.lock);
    if (status == STATUS_OK)
        *ret_fetched = STEAL(fetched);
    return status;
}
