/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/queue.h"

#include <stdlib.h>
#include <string.h>

#define NO_TEXT UINT32_MAX

enum {
    REQUEST_ID,
    TRACE_ID,
    MODEL,
    CALLER,
    INPUT,
    OUTPUT,
    N_TEXTS
};

/* bytes: of the whole record, a multiple of 8; route NULL: only fills the ring's end. */
struct record {
    uint64_t bytes;
    int64_t time_us;
    uint64_t latency_us;
    const char *route; /* lives as long as the process */
    uint32_t status;
    uint32_t length[N_TEXTS];
};

enum status queue_init(struct queue *queue, size_t bytes, struct error *err)
{
    *queue = (struct queue){.size = (bytes + 63) & ~(uint64_t)63};
    queue->memory = malloc(queue->size);
    return queue->memory ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "request log: out of memory");
}

void queue_deinit(struct queue *queue)
{
    free(queue->memory);
    queue->memory = NULL;
}

static uint32_t length_of(const char *text, size_t bytes)
{
    return text ? (uint32_t)bytes : NO_TEXT;
}

static uint64_t record_bytes(const struct record *record)
{
    uint64_t bytes = sizeof *record;
    for (size_t i = 0; i < N_TEXTS; i++)
        bytes += record->length[i] == NO_TEXT ? 0 : record->length[i];
    return (bytes + 7) & ~(uint64_t)7;
}

/* Where a record of `bytes` may be written, with the ring's end skipped if need be; NULL: no room.
 */
static unsigned char *find_room(struct queue *queue, uint64_t bytes, uint64_t *ret_head)
{
    uint64_t head = queue->end;
    uint64_t to_end = queue->size - head % queue->size;
    uint64_t skip = to_end < bytes ? to_end : 0;
    if (head + skip + bytes - queue->known_tail > queue->size) {
        /* Acquire: the reader is done with the bytes that it gave up. */
        queue->known_tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
        if (head + skip + bytes - queue->known_tail > queue->size)
            return NULL;
    }
    if (skip >= sizeof(struct record)) {
        struct record filler = {.bytes = skip};
        memcpy(queue->memory + head % queue->size, &filler, sizeof filler);
    }
    *ret_head = head + skip;
    return queue->memory + *ret_head % queue->size;
}

bool queue_put(struct queue *queue, const struct reqlog_row *row, uint64_t *ret_position)
{
    const char *const texts[N_TEXTS] = {row->request_id, row->trace_id, row->model,
                                        row->caller,     row->input,    row->output};
    struct record record = {
        .time_us = row->time_us,
        .latency_us = row->latency_us,
        .route = row->route,
        .status = row->status,
        .length = {length_of(row->request_id, strlen(row->request_id)),
                   length_of(row->trace_id, row->trace_id ? strlen(row->trace_id) : 0),
                   length_of(row->model, row->model ? strlen(row->model) : 0),
                   length_of(row->caller, strlen(row->caller)),
                   length_of(row->input, row->input_bytes),
                   length_of(row->output, row->output_bytes)},
    };
    record.bytes = record_bytes(&record);
    uint64_t head = 0;
    unsigned char *at = record.bytes <= queue->size ? find_room(queue, record.bytes, &head) : NULL;
    if (!at) {
        atomic_store_explicit(&queue->n_dropped,
                              atomic_load_explicit(&queue->n_dropped, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        return false;
    }
    memcpy(at, &record, sizeof record);
    at += sizeof record;
    for (size_t i = 0; i < N_TEXTS; i++) {
        if (record.length[i] == NO_TEXT)
            continue;
        memcpy(at, texts[i], record.length[i]);
        at += record.length[i];
    }
    atomic_store_explicit(&queue->n_put,
                          atomic_load_explicit(&queue->n_put, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    *ret_position = queue->end = head + record.bytes;
    return true;
}

bool queue_publish(struct queue *queue)
{
    if (atomic_load_explicit(&queue->head, memory_order_relaxed) == queue->end)
        return false;
    /* Release: records are whole when their end is seen. */
    atomic_store_explicit(&queue->head, queue->end, memory_order_release);
    return true;
}

static const char *next_text(const unsigned char **at, uint32_t length, uint32_t *ret_bytes)
{
    *ret_bytes = length == NO_TEXT ? 0 : length;
    const char *text = length == NO_TEXT ? NULL : (const char *)*at;
    *at += *ret_bytes;
    return text;
}

bool queue_next(const struct queue *queue, uint64_t *position, struct queue_row *ret_row)
{
    uint64_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    struct record record = {0};
    const unsigned char *at = NULL;
    while (*position < head && !record.route) {
        uint64_t to_end = queue->size - *position % queue->size;
        at = queue->memory + *position % queue->size;
        if (to_end < sizeof record) {
            *position += to_end;
            continue;
        }
        memcpy(&record, at, sizeof record);
        *position += record.bytes;
    }
    if (!record.route)
        return false;
    at += sizeof record;
    *ret_row = (struct queue_row){.time_us = record.time_us,
                                  .latency_us = record.latency_us,
                                  .status = record.status,
                                  .route = record.route};
    const uint32_t *length = record.length;
    ret_row->request_id = next_text(&at, length[REQUEST_ID], &ret_row->request_id_bytes);
    ret_row->trace_id = next_text(&at, length[TRACE_ID], &ret_row->trace_id_bytes);
    ret_row->model = next_text(&at, length[MODEL], &ret_row->model_bytes);
    ret_row->caller = next_text(&at, length[CALLER], &ret_row->caller_bytes);
    ret_row->input = next_text(&at, length[INPUT], &ret_row->input_bytes);
    ret_row->output = next_text(&at, length[OUTPUT], &ret_row->output_bytes);
    return true;
}

void queue_give_up(struct queue *queue, uint64_t position, uint64_t n_rows)
{
    atomic_store_explicit(&queue->n_taken,
                          atomic_load_explicit(&queue->n_taken, memory_order_relaxed) + n_rows,
                          memory_order_relaxed);
    atomic_store_explicit(&queue->tail, position, memory_order_release);
}
