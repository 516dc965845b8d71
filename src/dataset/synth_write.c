/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/synth.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "dataset/synth_rows.h"

#define FLUSH_BYTES (256 * 1024)
#define ROWS_A_STEP 8192

enum output_file {
    FILE_PROFILES,
    FILE_SNAPSHOTS,
    FILE_POSTS = FILE_SNAPSHOTS + SYNTH_MONTHS,
    FILE_EDGES,
    N_FILES
};

/* A file in the making: text gathers in the buffer and leaves it in large writes. */
struct output {
    char name[32];
    struct buffer text; /* owns */
    int fd;             /* owns; -1: not open */
    size_t n_rows, n_bytes;
};

struct writer {
    const struct synth_options *options;
    char beside[PATH_MAX]; /* the directory the files grow in; "" when there is none */
    struct output files[N_FILES];
};

static void writer_deinit(struct writer *w)
{
    for (size_t i = 0; i < N_FILES; i++) {
        buffer_deinit(&w->files[i].text);
        close_slot(&w->files[i].fd);
    }
    if (w->beside[0])
        file_remove_tree(w->beside, NULL);
}

static enum status join(const char *dir, const char *name, char ret_path[static PATH_MAX],
                        struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "%s: path is too long", dir);
    return STATUS_OK;
}

static enum status output_flush(struct output *out, struct error *err)
{
    if (out->text.failed)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", out->name);
    const char *at = out->text.at;
    size_t left = out->text.length;
    while (left > 0) {
        ssize_t n = write(out->fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "%s: cannot write", out->name);
        at += n;
        left -= (size_t)n;
    }
    out->n_bytes += out->text.length;
    buffer_clear(&out->text);
    return STATUS_OK;
}

static enum status output_open(struct writer *w, enum output_file which, const char *name,
                               const char *header, struct error *err)
{
    struct output *out = &w->files[which];
    snprintf(out->name, sizeof out->name, "%s", name);
    char path[PATH_MAX];
    TRY(join(w->beside, name, path, err));
    out->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out->fd < 0)
        return fail_errno(err, "%s: cannot create", path);
    buffer_put_text(&out->text, header);
    return STATUS_OK;
}

static enum status open_all(struct writer *w, struct error *err)
{
    TRY(output_open(w, FILE_PROFILES, "profiles.csv", synth_profiles_header, err));
    for (size_t m = 0; m < SYNTH_MONTHS; m++) {
        char name[32];
        snprintf(name, sizeof name, "snapshot-%s.csv", synth_months[m]);
        TRY(output_open(w, (enum output_file)(FILE_SNAPSHOTS + m), name, synth_snapshot_header,
                        err));
    }
    TRY(output_open(w, FILE_POSTS, "posts.csv", synth_posts_header, err));
    return output_open(w, FILE_EDGES, "edges.csv", synth_edges_header, err);
}

static enum status flush_all(struct writer *w, size_t threshold, struct error *err)
{
    for (size_t i = 0; i < N_FILES; i++)
        if (w->files[i].text.length >= threshold || w->files[i].text.failed)
            TRY(output_flush(&w->files[i], err));
    return STATUS_OK;
}

static void put_account(struct writer *w, const struct synth_rows *rows, size_t row)
{
    struct synth_account account;
    synth_account(rows->seed, row, &account);
    struct output *out = &w->files[FILE_PROFILES];
    out->n_rows += synth_put_profile(rows, row, &account, &out->text);
    for (size_t m = 0; m < SYNTH_MONTHS; m++) {
        out = &w->files[FILE_SNAPSHOTS + m];
        out->n_rows += synth_put_snapshot(rows, row, m, &account, &out->text);
    }
    out = &w->files[FILE_POSTS];
    out->n_rows += synth_put_posts(rows, row, &account, &out->text);
    out = &w->files[FILE_EDGES];
    out->n_rows += synth_put_edges(rows, row, &account, &out->text);
}

static enum status write_rows(struct writer *w, struct error *err)
{
    const volatile sig_atomic_t *cancel = w->options->cancel;
    size_t n_rows = w->options->n_rows;
    struct synth_rows rows = {.seed = w->options->seed, .n_rows = n_rows, .handle_digits = 6};
    for (size_t limit = 1000000; limit <= n_rows; limit *= 10)
        rows.handle_digits++;
    for (size_t row = 0; row < n_rows; row++) {
        put_account(w, &rows, row);
        TRY(flush_all(w, FLUSH_BYTES, err));
        if (cancel && *cancel)
            return fail(err, STATUS_CANCELLED, "%s: stopped", w->options->dir);
        if (row % ROWS_A_STEP == 0)
            progress_show(w->options->progress, "making demo data", (double)row / (double)n_rows);
    }
    return flush_all(w, 1, err);
}

static enum status write_record(struct writer *w, struct error *err)
{
    struct buffer text = {0};
    struct json_writer json = json_writer(&text);
    json.pretty = true;
    json_begin_object(&json);
    json_member_bool(&json, "synthetic", true);
    json_member_string(&json, "made_by", "influence synth " INFLUENCE_VERSION);
    json_member_integer(&json, "rows", (int64_t)w->options->n_rows);
    /* As text: a seed of 64 bits does not fit a JSON number. */
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)w->options->seed);
    json_member_string(&json, "seed", seed);
    json_put_key(&json, "files");
    json_begin_array(&json);
    for (size_t i = 0; i < N_FILES; i++) {
        json_begin_object(&json);
        json_member_string(&json, "name", w->files[i].name);
        json_member_integer(&json, "rows", (int64_t)w->files[i].n_rows);
        json_member_integer(&json, "bytes", (int64_t)w->files[i].n_bytes);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_put_char(&text, '\n');
    char path[PATH_MAX];
    enum status status = join(w->options->dir, "synthetic.json", path, err);
    if (status == STATUS_OK && text.failed)
        status = fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    if (status == STATUS_OK)
        status = file_write_atomic(path, text.at, text.length, err);
    buffer_deinit(&text);
    return status;
}

/* A folder that we made may be made again; anybody else's files are not ours to replace. */
static enum status check_folder(struct writer *w, struct error *err)
{
    char path[PATH_MAX];
    TRY(join(w->options->dir, "synthetic.json", path, err));
    if (file_exists(path))
        return STATUS_OK;
    for (size_t i = 0; i < N_FILES; i++) {
        TRY(join(w->options->dir, w->files[i].name, path, err));
        if (file_exists(path))
            return fail(err, STATUS_EXISTS,
                        "%s: is there already, and not from here (no synthetic.json beside it)",
                        path);
    }
    return STATUS_OK;
}

static enum status move_into_place(struct writer *w, struct error *err)
{
    for (size_t i = 0; i < N_FILES; i++) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        TRY(join(w->beside, w->files[i].name, from, err));
        TRY(join(w->options->dir, w->files[i].name, to, err));
        if (fsync(w->files[i].fd) != 0 || rename(from, to) != 0)
            return fail_errno(err, "%s: cannot move into place", to);
    }
    return write_record(w, err);
}

static enum status write_all(struct writer *w, struct error *err)
{
    TRY(file_make_directories(w->options->dir, err));
    char beside[PATH_MAX];
    TRY(join(w->options->dir, ".synth-XXXXXX", beside, err));
    if (!mkdtemp(beside))
        return fail_errno(err, "%s: cannot create", beside);
    memcpy(w->beside, beside, sizeof beside);
    TRY(open_all(w, err));
    TRY(check_folder(w, err));
    TRY(write_rows(w, err));
    return move_into_place(w, err);
}

enum status synth_write(const struct synth_options *options, struct synth_counts *ret_counts,
                        struct error *err)
{
    if (options->n_rows < 1 || options->n_rows > SYNTH_MAX_ROWS)
        return fail_field(err, STATUS_INVALID, "rows", "must be between 1 and %d, got %zu",
                          SYNTH_MAX_ROWS, options->n_rows);
    struct writer w = {.options = options};
    for (size_t i = 0; i < N_FILES; i++)
        w.files[i].fd = -1;
    enum status status = write_all(&w, err);
    progress_show(options->progress, "making demo data", 1.0);
    if (status == STATUS_OK)
        *ret_counts = (struct synth_counts){
            .n_profiles = w.files[FILE_PROFILES].n_rows,
            .n_posts = w.files[FILE_POSTS].n_rows,
            .n_edges = w.files[FILE_EDGES].n_rows,
        };
    writer_deinit(&w);
    return status;
}
