/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/shard.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/rng.h"
#include "dataset/snapshots.h"
#include "dataset/table_pack.h"

/* Rows of one process stand in order behind those of the one before. */
#define RANK_BITS 40
#define VERSION_BYTES 32

void shard_deinit(struct shard *shard)
{
    table_free(shard->own);
    table_free(shard->deciding);
}

static enum status out_of_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* Of what a row says, whatever its place: a query may give its rows in any order.
 * values: scratch. */
static uint64_t values_hash(const struct table *table, size_t row, struct buffer *values)
{
    buffer_clear(values);
    table_pack_values(table, row, values);
    return hash_xxh3(values->at, values->length);
}

/* Whose an account is. The same on every machine: hash_xxh3() is defined on bytes. Rows without a
 * handle go by what they say. */
static uint64_t row_hash(const struct table *table, size_t row, struct buffer *values)
{
    const char *const *handle = (const char *const *)table->text[PROFILE_handle];
    return handle && handle[row] ? hash_xxh3(handle[row], strlen(handle[row]))
                                 : values_hash(table, row, values);
}

/* What must be the same in all processes. */
struct agreement {
    char version[VERSION_BYTES];
    uint64_t rule, max_rows;
};

/* What rank 0 may hold goes for all. */
static enum status agree(const struct shard_input *input, size_t *ret_max_rows, struct error *err)
{
    const struct agreement own = {INFLUENCE_VERSION, input->rule, input->max_rows};
    struct agreement all = own;
    TRY(collective_broadcast(input->group, &all, sizeof all, 0, err));
    double differs = memcmp(all.version, own.version, sizeof own.version) != 0 ? 2
                     : all.rule != own.rule                                    ? 1
                                                                               : 0;
    TRY(collective_max(input->group, &differs, 1, err));
    if (differs > 1)
        return fail(err, STATUS_UNSUPPORTED,
                    "the workers are of different versions: rank 0 is %.30s, this one is %s",
                    all.version, own.version);
    if (differs > 0)
        return fail(err, STATUS_INVALID, "some workers have files of their own, and some have not");
    *ret_max_rows = all.max_rows;
    return STATUS_OK;
}

/* Each process has read the rows for itself. Where they are not the same (a query that draws, or a
 * table that is written to meanwhile), some would be in no part, and some in several. */
static enum status check_same(const struct shard_input *input, const struct table *table,
                              struct error *err)
{
    AUTO(buffer_deinit) struct buffer values = {0};
    struct {
        uint64_t n_rows, sum; /* in any order */
    } own = {.n_rows = table->n_rows}, first;
    for (size_t row = 0; row < table->n_rows; row++)
        own.sum += values_hash(table, row, &values);
    if (values.failed)
        return out_of_memory(err);
    first = own;
    TRY(collective_broadcast(input->group, &first, sizeof first, 0, err));
    bool is_same = first.n_rows == own.n_rows && first.sum == own.sum;
    double other = is_same ? 0 : (double)collective_rank(input->group);
    TRY(collective_max(input->group, &other, 1, err));
    if (other > 0)
        return fail(err, STATUS_INVALID,
                    "worker %.0f has read other rows than worker 0, so that they cannot be shared "
                    "out: each asks for itself, and must get the same; or give each its part by "
                    "{worker}",
                    other);
    return STATUS_OK;
}

/* ---- one's own ---- */

/* The rows kept, with the place of each among the rows of all. */
struct own_rows {
    size_t *rows;
    uint64_t *place;
    size_t n;
};

static void own_rows_deinit(struct own_rows *own)
{
    free(own->rows);
    free(own->place);
}

static enum status choose_own(const struct shard_input *input, const struct table *table,
                              struct own_rows *own, struct error *err)
{
    uint64_t rank = collective_rank(input->group);
    uint64_t size = collective_size(input->group);
    AUTO(buffer_deinit) struct buffer values = {0};
    own->rows = calloc(table->n_rows + 1, sizeof *own->rows);
    own->place = calloc(table->n_rows + 1, sizeof *own->place);
    if (!own->rows || !own->place)
        return out_of_memory(err);
    for (size_t row = 0; row < table->n_rows; row++) {
        uint64_t place = input->rule == SHARD_FILES ? rank << RANK_BITS | row : row;
        if (input->rule == SHARD_ROWS && row_hash(table, row, &values) % size != rank)
            continue;
        own->rows[own->n] = row;
        own->place[own->n++] = place;
    }
    return values.failed ? out_of_memory(err) : STATUS_OK;
}

static enum status count_all(const struct shard_input *input, size_t n_own, struct shard *shard,
                             struct error *err)
{
    shard->n_workers = collective_size(input->group);
    if (shard->n_workers > SHARD_MAX_WORKERS)
        return fail(err, STATUS_LIMIT, "at most %d workers", SHARD_MAX_WORKERS);
    shard->n_rows[collective_rank(input->group)] = (double)n_own;
    TRY(collective_sum(input->group, shard->n_rows, shard->n_workers, err));
    for (size_t rank = 0; rank < shard->n_workers; rank++) {
        if (!(shard->n_rows[rank] > 0))
            return fail(err, STATUS_INVALID, "worker %zu has no rows", rank);
        shard->n_all += shard->n_rows[rank];
    }
    return STATUS_OK;
}

/* ---- what rank 0 decides by ---- */

/* Uniform in [0, 1), by the handle, and not the share that it is in. */
static double draw(uint64_t hash)
{
    struct rng rng = rng_seed(hash);
    return rng_uniform(&rng);
}

/* Of this process: how many rows, their places, and they themselves. */
static enum status pack_sample(const struct shard_input *input, const struct shard *shard,
                               const struct own_rows *own, struct buffer *out, struct error *err)
{
    double share = (double)input->max_rows / shard->n_all;
    AUTO(free_slot) size_t *rows = calloc(own->n + 1, sizeof *rows);
    AUTO(free_slot) uint64_t *place = calloc(own->n + 1, sizeof *place);
    AUTO(buffer_deinit) struct buffer values = {0};
    if (!rows || !place)
        return out_of_memory(err);
    uint64_t n = 0;
    for (size_t i = 0; i < own->n; i++) {
        if (share < 1 && draw(row_hash(shard->own, i, &values)) >= share)
            continue;
        rows[n] = i;
        place[n++] = own->place[i];
    }
    buffer_put(out, &n, sizeof n);
    buffer_put(out, place, n * sizeof place[0]);
    table_pack(shard->own, rows, n, out);
    return out->failed || values.failed ? out_of_memory(err) : STATUS_OK;
}

struct gathered {
    struct table *parts[SHARD_MAX_WORKERS];
    size_t n_parts;
    struct buffer places;
};

static void gathered_free(struct gathered *gathered)
{
    for (size_t i = 0; gathered && i < gathered->n_parts; i++)
        table_free(gathered->parts[i]);
    if (gathered)
        buffer_deinit(&gathered->places);
    free(gathered);
}
DEFINE_SLOT(gathered_free, struct gathered)

static enum status take_part(void *user, size_t rank, const void *bytes, size_t n_bytes,
                             struct error *err)
{
    struct gathered *gathered = user;
    uint64_t n = 0;
    if (n_bytes >= sizeof n)
        memcpy(&n, bytes, sizeof n);
    if (n_bytes < sizeof n || n > (n_bytes - sizeof n) / sizeof n)
        return fail(err, STATUS_CORRUPT, "the rows of worker %zu are cut short", rank);
    const char *at = (const char *)bytes + sizeof n;
    buffer_put(&gathered->places, at, n * sizeof n);
    at += n * sizeof n;
    TRY(table_unpack(at, n_bytes - (1 + n) * sizeof n, &gathered->parts[gathered->n_parts], err));
    if (gathered->parts[gathered->n_parts++]->n_rows != n || gathered->places.failed)
        return fail(err, STATUS_CORRUPT, "the rows of worker %zu are cut short", rank);
    return STATUS_OK;
}

struct placed {
    uint64_t place;
    size_t row;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a;
    const struct placed *y = b;
    int by_place = (x->place > y->place) - (x->place < y->place);
    return by_place ? by_place : (x->row > y->row) - (x->row < y->row);
}

/* One table, in the order in which one process would have read the rows. */
static enum status put_together(const struct gathered *gathered, struct table **ret_table,
                                struct error *err)
{
    AUTO(table_free_slot) struct table *table = NULL;
    TRY(snapshots_append(gathered->parts, gathered->n_parts, &table, err));
    AUTO(free_slot) struct placed *placed = calloc(table->n_rows + 1, sizeof *placed);
    AUTO(free_slot) size_t *rows = calloc(table->n_rows + 1, sizeof *rows);
    if (!placed || !rows)
        return out_of_memory(err);
    for (size_t i = 0; i < table->n_rows; i++) {
        memcpy(&placed[i].place, gathered->places.at + i * sizeof placed[i].place,
               sizeof placed[i].place);
        placed[i].row = i;
    }
    qsort(placed, table->n_rows, sizeof placed[0], compare_placed);
    for (size_t i = 0; i < table->n_rows; i++)
        rows[i] = placed[i].row;
    return table_take(table, rows, table->n_rows, ret_table, err);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An account that two processes have would count twice. */
static enum status check_handles(const struct table *table, struct error *err)
{
    const char **column = table->text[PROFILE_handle];
    AUTO(free_slot) const char **sorted = calloc(table->n_rows + 1, sizeof *sorted);
    if (!sorted)
        return out_of_memory(err);
    size_t n = 0;
    for (size_t i = 0; column && i < table->n_rows; i++)
        if (column[i])
            sorted[n++] = column[i];
    qsort(sorted, n, sizeof sorted[0], compare_texts);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            return fail(err, STATUS_INVALID,
                        "two workers have the account '%.100s': the parts must not overlap",
                        sorted[i]);
    return STATUS_OK;
}

static enum status gather(const struct shard_input *input, const struct own_rows *own,
                          struct shard *shard, struct error *err)
{
    AUTO(buffer_deinit) struct buffer bytes = {0};
    AUTO(gathered_free_slot) struct gathered *gathered = calloc(1, sizeof *gathered);
    if (!gathered)
        return out_of_memory(err);
    TRY(pack_sample(input, shard, own, &bytes, err));
    TRY(collective_gather(input->group, bytes.at, bytes.length, take_part, gathered, err));
    if (collective_rank(input->group) > 0)
        return STATUS_OK;
    TRY(put_together(gathered, &shard->deciding, err));
    if (input->reads_extras)
        TRY(table_read_extras(shard->deciding, err));
    return input->rule == SHARD_FILES ? check_handles(shard->deciding, err) : STATUS_OK;
}

enum status shard_make(const struct shard_input *input, struct table *table,
                       struct shard *ret_shard, struct error *err)
{
    AUTO(table_free_slot) struct table *taken = table;
    AUTO(own_rows_deinit) struct own_rows own = {0};
    struct shard_input agreed = *input;
    TRY(agree(input, &agreed.max_rows, err));
    if (input->rule == SHARD_ROWS)
        TRY(check_same(&agreed, taken, err));
    TRY(choose_own(&agreed, taken, &own, err));
    TRY(count_all(&agreed, own.n, ret_shard, err));
    TRY(table_take(taken, own.rows, own.n, &ret_shard->own, err));
    TRY(gather(&agreed, &own, ret_shard, err));
    return input->reads_extras ? table_read_all_extras(ret_shard->own, err) : STATUS_OK;
}
