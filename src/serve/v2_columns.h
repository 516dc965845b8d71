/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Output tensors of the Open Inference Protocol: which a model has, filled row by row from the
 * engine's answers, and written as JSON or in the binary extension. */
#include "base/arena.h"
#include "base/json.h"
#include "base/tensor.h"
#include "serve/answers.h"
#include "serve/v2.h"

#define V2_MAX_COLUMNS 12

struct v2_column {
    const char *name;
    enum tensor_type type;     /* FP64, INT64 or BYTES */
    size_t width;              /* values a row */
    bool is_matrix;            /* shape [n, width], also where width is 1 */
    const char *const *labels; /* [width] of the values' classes; NULL: no classes */
    size_t top;                /* classification: so many classes a row; 0: the values */
    bool wanted, is_binary;
    double *numbers;    /* [n * width], NULL for BYTES */
    const char **texts; /* [n * width], NULL but for BYTES */
};

/* The model's output tensors: ret_columns: [V2_MAX_COLUMNS]. k: neighbours of similar. Returns how
 * many. */
size_t v2_columns(const struct engine *engine, const struct v2_model *model, size_t k,
                  struct v2_column *ret_columns);

/* Room for n rows. */
enum status v2_columns_allocate(struct v2_column *columns, size_t n_columns, size_t n,
                                struct arena *arena, struct error *err);

/* Row `row` of all columns. */
void v2_columns_fill(struct v2_column *columns, const struct engine *engine,
                     const struct v2_model *model, const union answer *answer, size_t row);

/* The column of n rows as one object of "outputs"; what is binary goes to `binary`. */
void v2_column_write(const struct v2_column *column, size_t n, struct arena *arena,
                     struct json_writer *w, struct buffer *binary);

/* As metadata: name, datatype, shape. */
void v2_column_describe(const struct v2_column *column, struct json_writer *w);
