/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* POST of text/csv: a header of field names and a row a profile; the reply has a row for each, in
 * order, named as `influence predict` names them. /similar answers a row for each neighbour.
 *
 * The body comes in pieces of any size, or whole; its rows are answered as they come, so that
 * memory is bounded: the text of some hundred rows, and the beginning of the reply, which goes on
 * in the request's spool. */
#include "serve/answers.h"
#include "serve/request.h"

/* Of a row in CSV. */
#define CSV_MAX_RECORD_BYTES (1u << 20)

/* Begin. The request holds its model; its buffer `packed` is the body's from here to the end. Sets
 * request->sheet. */
enum status handlers_csv_open(struct request *request, const struct asker *asker,
                              const struct codec_options *options, const struct answer_kind *kind,
                              struct error *err);

/* STATUS_INVALID names the line or the column. STATUS_LIMIT: the reply is too long. May leave a
 * reply that refuses the body instead, or the request unfinished (turn.h): then with no data. */
enum status handlers_csv_feed(struct request *request, const char *data, size_t bytes,
                              struct error *err);

/* The body has ended: the reply is complete, unless the request is unfinished: then once more. */
enum status handlers_csv_close(struct request *request, struct error *err);
