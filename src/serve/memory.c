/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/memory.h"

#include "serve/problem.h"
#include "serve/router.h"
#include "serve/service.h"

/* A body of this size may always come. */
#define SMALL_BODY_BYTES (32u << 10)

/* Nor is a request refused that takes no more than this, beyond what one before has left it, which
 * is counted already: one profile, or a question without a body, of which the arena alone has some
 * 50 KiB. */
#define SMALL_BYTES (128u << 10)

/* What one large request has grown is given back; of little, only when much is held. */
#define KEEP_BYTES (256u << 10)
#define KEEP_ARENA_BYTES (1u << 20)
#define KEEP_CROWDED_BYTES (32u << 10)
#define CROWDED_PART 8 /* of the bound */

static uint64_t sum_of(const struct request *request)
{
    return request->body.capacity + request->reply.capacity + request->packed.capacity +
           arena_bytes(&request->arena);
}

/* Returns what is held by all. */
static uint64_t count(struct request *request, uint64_t sum)
{
    uint64_t change = sum - request->held_bytes; /* wraps when it gives back, as does the sum */
    request->held_bytes = sum;
    _Atomic uint64_t *held = &request->service->memory.held;
    return atomic_fetch_add_explicit(held, change, memory_order_relaxed) + change;
}

bool memory_take(struct request *request)
{
    uint64_t sum = sum_of(request);
    if (sum == request->held_bytes)
        return true;
    bool grows = sum > request->held_bytes;
    uint64_t most = request->service->memory.most;
    return count(request, sum) <= most || most == 0 || !grows ||
           sum <= request->kept_bytes + SMALL_BYTES || request->route->is_operators;
}

bool memory_has_room(const struct request *request, uint64_t body_bytes)
{
    const struct memory *memory = &request->service->memory;
    return body_bytes <= SMALL_BODY_BYTES || memory->most == 0 ||
           memory_held(memory) + body_bytes <= memory->most;
}

void memory_refuse(struct request *request)
{
    buffer_deinit(&request->body);
    buffer_deinit(&request->reply);
    buffer_deinit(&request->packed);
    request->unfinished = false;
    count(request, sum_of(request));
    counter_add(&request->service->metrics.lanes[request->lane].memory_refused, 1);
    problem_reply_http(request, 503, "memory",
                       "the bodies and replies of other requests fill server.max_body_memory");
    request->must_close = request->has_no_room = true;
}

static void settle_buffer(struct buffer *buffer, size_t keep)
{
    if (buffer->capacity > keep)
        buffer_deinit(buffer);
    else
        buffer_clear(buffer);
}

void memory_settle(struct request *request)
{
    const struct memory *memory = &request->service->memory;
    bool is_crowded = memory->most > 0 && memory_held(memory) > memory->most / CROWDED_PART;
    size_t keep = is_crowded ? KEEP_CROWDED_BYTES / 2 : KEEP_BYTES;
    settle_buffer(&request->body, keep);
    settle_buffer(&request->reply, keep);
    settle_buffer(&request->packed, keep);
    arena_reset(&request->arena);
    if (arena_bytes(&request->arena) > (is_crowded ? KEEP_CROWDED_BYTES : KEEP_ARENA_BYTES))
        arena_deinit(&request->arena);
    uint64_t sum = sum_of(request);
    if (sum != request->held_bytes)
        count(request, sum);
    request->kept_bytes = sum;
}

void memory_forget(struct request *request)
{
    count(request, 0);
}
