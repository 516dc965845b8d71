/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "serve/memory.h"
#include "serve/server_loop.h"

#define KEEP_REQUESTS 256 /* warm requests that a loop keeps */

struct request *server_take_request(struct loop *loop)
{
    struct request *request = loop->free_requests;
    if (request) {
        loop->free_requests = request->next_free;
        loop->n_free--;
        return request;
    }
    request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->service = loop->service;
    request->lane = loop->lane;
    request->turn = &loop->turn;
    arena_init(&request->arena, 16u << 10);
    return request;
}

static void free_request(struct request *request)
{
    memory_forget(request);
    arena_deinit(&request->arena);
    buffer_deinit(&request->body);
    buffer_deinit(&request->reply);
    buffer_deinit(&request->packed);
    free(request);
}

void server_give_request(struct loop *loop, struct request *request)
{
    if (loop->n_free >= KEEP_REQUESTS) {
        free_request(request);
        return;
    }
    request->next_free = loop->free_requests;
    loop->free_requests = request;
    loop->n_free++;
}

void server_free_requests(struct loop *loop)
{
    for (struct request *r = loop->free_requests, *next; r; r = next) {
        next = r->next_free;
        free_request(r);
    }
    loop->free_requests = NULL;
}
