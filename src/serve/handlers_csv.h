/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* POST of text/csv: a header of field names and a row a profile; the reply has a row for each, in
 * order, named as `influence predict` names them. /similar answers a row for each neighbour. */
#include "serve/answers.h"
#include "serve/request.h"

/* STATUS_INVALID names the line or the column. */
enum status handlers_predict_csv(struct request *request, const struct asker *asker,
                                 const struct answer_kind *kind, struct error *err);
