/* SPDX-License-Identifier: Apache-2.0 */

/* Retention: which rows go, by age, by size, and when they wait for their delivery. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "reqlog/store.h"
#include "reqlog/store_inner.h"

#define RETAIN_ROWS 5000             /* of a transaction */
#define RETAIN_NS UINT64_C(25000000) /* of a call: commits wait meanwhile */

static enum status delete_range(struct store *store, int64_t from, int64_t to, int64_t before_us,
                                int64_t *ret_n, struct error *err)
{
    char sql[160];
    snprintf(sql, sizeof sql,
             "DELETE FROM request WHERE id >= %lld AND id < %lld AND time_us < %lld",
             (long long)from, (long long)to, (long long)before_us);
    TRY(store_execute(store->db, sql, err));
    *ret_n = sqlite3_changes64(store->db);
    return STATUS_OK;
}

static enum status used_bytes(const struct store *store, int64_t *ret_bytes, struct error *err)
{
    int64_t pages = 0;
    int64_t free_pages = 0;
    int64_t page_bytes = 0;
    TRY(store_read_integer(store->db, "PRAGMA page_count", &pages, err));
    TRY(store_read_integer(store->db, "PRAGMA freelist_count", &free_pages, err));
    TRY(store_read_integer(store->db, "PRAGMA page_size", &page_bytes, err));
    *ret_bytes = (pages - free_pages) * page_bytes;
    return STATUS_OK;
}

uint64_t store_bytes(const struct store *store)
{
    int64_t bytes = 0;
    return store->db && used_bytes(store, &bytes, NULL) == STATUS_OK ? (uint64_t)bytes : 0;
}

enum status store_undelivered(const struct store *store, struct store_undelivered *ret_waiting,
                              struct error *err)
{
    /* Of ids alone: to count the rows would be to read them. */
    static const char count[] =
        "SELECT coalesce((SELECT max(0, (SELECT max(id) FROM request)"
        " - max(last_id, (SELECT min(id) FROM request) - 1)) FROM delivery WHERE last_id >= 0), 0)";
    static const char oldest[] =
        "SELECT coalesce((SELECT time_us FROM request WHERE id > (SELECT last_id FROM delivery"
        " WHERE last_id >= 0) ORDER BY id LIMIT 1), 0)";
    int64_t n_rows = 0;
    TRY(store_read_integer(store->db, count, &n_rows, err));
    TRY(store_read_integer(store->db, oldest, &ret_waiting->oldest_us, err));
    ret_waiting->n_rows = (uint64_t)n_rows;
    return STATUS_OK;
}

struct id_range {
    int64_t first, last, delivered; /* delivered: up to which; very large when none waits */
};

/* How many of n rows hold what is beyond the bound, and a little more: pages are freed whole. */
static int64_t rows_beyond(int64_t n, int64_t bytes, int64_t max_bytes)
{
    int64_t wanted = max_bytes - max_bytes / 64;
    return bytes > max_bytes ? (int64_t)ceil((double)n * (double)(bytes - wanted) / (double)bytes)
                             : 0;
}

/* Rows that wait for their delivery have a bound of their own: what they take is told by their
 * share of all. Beyond it the oldest of them go, with all before them, as ids are counted from the
 * first.
 */
static enum status retain_undelivered(struct store *store, const struct store_bounds *bounds,
                                      const struct id_range *ids, struct store_retained *retained,
                                      int64_t *ret_n, struct error *err)
{
    char count[128];
    int64_t bytes = 0;
    int64_t lost = 0;
    int64_t from = ids->delivered < ids->first ? ids->first : ids->delivered + 1;
    int64_t n_waiting = ids->last - from + 1;
    TRY(used_bytes(store, &bytes, err));
    bytes = (int64_t)((double)bytes * (double)n_waiting / (double)(ids->last - ids->first + 1));
    int64_t n = rows_beyond(n_waiting, bytes, bounds->max_undelivered_bytes);
    if (n == 0)
        return STATUS_OK;
    int64_t end = from + n < ids->first + RETAIN_ROWS ? from + n : ids->first + RETAIN_ROWS;
    snprintf(count, sizeof count, "SELECT count(*) FROM request WHERE id >= %lld AND id < %lld",
             (long long)from, (long long)end);
    TRY(store_read_integer(store->db, count, &lost, err));
    TRY(delete_range(store, ids->first, end, INT64_MAX, ret_n, err));
    retained->n_undelivered += (uint64_t)lost;
    return STATUS_OK;
}

static enum status read_ids(struct store *store, struct id_range *ret_ids, struct error *err)
{
    TRY(store_read_integer(store->db, "SELECT min(id) FROM request", &ret_ids->first, err));
    TRY(store_read_integer(store->db, "SELECT max(id) FROM request", &ret_ids->last, err));
    return store_read_integer(
        store->db, "SELECT coalesce(min(last_id), 1 << 62) FROM delivery WHERE last_id >= 0",
        &ret_ids->delivered, err);
}

/* One slice; *ret_n: rows that were deleted, 0 when there is nothing to do. */
static enum status retain_some(struct store *store, const struct store_bounds *bounds,
                               struct store_retained *retained, int64_t *ret_n, struct error *err)
{
    struct id_range ids = {0};
    int64_t bytes = 0;
    *ret_n = 0;
    TRY(read_ids(store, &ids, err));
    if (ids.first == 0)
        return STATUS_OK;
    if (bounds->max_undelivered_bytes > 0 && ids.delivered < ids.last)
        TRY(retain_undelivered(store, bounds, &ids, retained, ret_n, err));
    int64_t end =
        ids.first + RETAIN_ROWS < ids.delivered + 1 ? ids.first + RETAIN_ROWS : ids.delivered + 1;
    if (*ret_n > 0 || end <= ids.first)
        return STATUS_OK;
    if (bounds->before_us > 0)
        TRY(delete_range(store, ids.first, end, bounds->before_us, ret_n, err));
    if (*ret_n > 0 || bounds->max_bytes == 0)
        return STATUS_OK;
    TRY(used_bytes(store, &bytes, err));
    int64_t n = rows_beyond(ids.last - ids.first + 1, bytes, bounds->max_bytes);
    if (n == 0)
        return STATUS_OK;
    return delete_range(store, ids.first, ids.first + n < end ? ids.first + n : end, INT64_MAX,
                        ret_n, err);
}

enum status store_retain(struct store *store, const struct store_bounds *bounds,
                         struct store_retained *ret_retained, struct error *err)
{
    uint64_t end_ns = clock_monotonic_ns() + RETAIN_NS;
    struct store_retained retained = {0};
    int64_t n = 0;
    do
        TRY(retain_some(store, bounds, &retained, &n, err));
    while (n > 0 && clock_monotonic_ns() < end_ns);
    retained.is_behind = n > 0;
    *ret_retained = retained;
    return STATUS_OK;
}
