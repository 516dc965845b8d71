/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A request's way, between the server below and the handlers above:
 *
 *   request_begin    the request line was read
 *   dispatch_head    the head is complete: guard, route, method, types, length
 *   dispatch_piece   a piece of the body came
 *   dispatch_body    the body is complete: the handler writes the reply
 *   dispatch_turn    an unfinished request goes on
 *   dispatch_resumed a pending request came back
 *   dispatch_pack    the reply is compressed, in turns
 *   dispatch_done    the completion callback, always and once: figures, request log, release
 */
#include "serve/request.h"

/* Start the clock and clear what the request before left. id: a random number. */
void request_begin(struct request *request, uint64_t id);

/* True: read the body, if any, and call dispatch_body(). False: the reply is ready, and the
 * connection must be closed behind it, because the body is not read. */
bool dispatch_head(struct request *request);

/* After this the reply is ready, or the request is pending or unfinished. */
void dispatch_body(struct request *request);
void dispatch_resumed(struct request *request);
void dispatch_turn(struct request *request);

/* A piece of the body: kept, or answered at once when it is one of many rows of CSV; then the
 * request may be unfinished, and wants dispatch_turn() before the next piece. */
void dispatch_piece(struct request *request, const char *data, size_t bytes);

/* Compress the reply where client and configuration want that. False: the turn is over; call again.
 * Once a request. */
bool dispatch_pack(struct request *request);

/* The reply as it goes out, but for what is in its spool. */
const struct buffer *dispatch_reply(const struct request *request);

/* acknowledged durability: put the row now. True: the reply must wait until the lane is committed
 * up to request->log_position. */
bool dispatch_must_wait(struct request *request);

/* `sent`: the client has its reply. */
void dispatch_done(struct request *request, bool sent);
