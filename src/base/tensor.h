/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tensors of the Open Inference Protocol as requests carry them: JSON, flat or nested, or the
 * binary extension (little-endian, BYTES as 4 bytes of length and the bytes). One value a row: the
 * shape is [n] or [n, 1]. Values live in the arena. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

enum tensor_type {
    TENSOR_BOOL,
    TENSOR_UINT8,
    TENSOR_UINT16,
    TENSOR_UINT32,
    TENSOR_UINT64,
    TENSOR_INT8,
    TENSOR_INT16,
    TENSOR_INT32,
    TENSOR_INT64,
    TENSOR_FP32,
    TENSOR_FP64,
    TENSOR_BYTES,
    TENSOR_N_TYPES
};

const char *tensor_type_name(enum tensor_type type);

/* What follows the JSON of a request. */
struct tensor_stream {
    const unsigned char *at, *end;
};

struct tensor {
    const char *name;
    enum tensor_type type;
    size_t n;
    const double *numbers;    /* [n], NaN: missing (null, or a NaN); NULL for BYTES */
    const char *const *texts; /* [n] NUL-terminated, NULL: missing; NULL but for BYTES */
};

/* One member of "inputs", of at most max_rows rows. STATUS_INVALID: malformed; the message names
 * the input. STATUS_UNSUPPORTED: a datatype that is not read. STATUS_LIMIT: more rows. */
enum status tensor_read(const struct json *input, size_t max_rows, struct tensor_stream *stream,
                        struct arena *arena, struct tensor *ret_tensor, struct error *err);
