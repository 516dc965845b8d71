/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A body of the Open Inference Protocol as the log has it: JSON, with the tensors of the binary
 * extension behind it, whose sizes tell where the JSON ends. */
#include "base/arena.h"
#include "base/json.h"

struct log_tensors {
    const struct json *json;
    size_t n;
    const struct json **tensors; /* [n] */
    const struct json **data; /* [n] arrays, whichever form they came in; NULL: more than [n, 1] */
};

/* list: "inputs" or "outputs". False: it is cut, or no such body. Everything lives in the arena. */
bool log_tensors_read(const char *text, size_t bytes, const char *list, struct arena *arena,
                      struct log_tensors *ret_tensors);

/* The data of the tensor of that name, or NULL. */
const struct json *log_tensors_find(const struct log_tensors *tensors, const char *name);
