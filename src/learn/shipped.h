/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A fitted model as it will be shipped: written into a blob in memory, which the runtime opens and
 * runs. Everything that is measured is measured through this. */
#include <stddef.h>

#include "learn/trainer.h"

/* Spec and model under `prefix`. */
enum status fitted_write(const struct fitted *fitted, const struct feature_spec *spec,
                         const char *prefix, struct artifact_writer *writer, struct error *err);

struct shipped;

enum status shipped_open(const struct fitted *fitted, const struct feature_spec *spec,
                         struct shipped **ret_shipped, struct error *err);
void shipped_close(struct shipped *shipped);
DEFINE_SLOT(shipped_close, struct shipped)

size_t shipped_bytes(const struct shipped *shipped); /* of the blob */

/* raw: [n][n_columns of the spec]; ret_output: [n][n_outputs]. */
void shipped_run(const struct shipped *shipped, const float *raw, size_t n, double *ret_output);

/* Rows with what the engine knows of profiles besides features. */
struct shipped_rows {
    size_t n;
    const float *raw;               /* [n][n_columns] */
    const struct text_words *words; /* [n]; NULL: no row has any */
    const struct links *links;      /* NULL: none */
    const uint32_t *nodes;          /* [n] of the links; NULL: no row has links */
};
void shipped_run_rows(const struct shipped *shipped, const struct shipped_rows *rows,
                      double *ret_output);

size_t shipped_n_outputs(const struct shipped *shipped);

/* Contributions of each column to one output of one row, as predictor_explain(). */
double shipped_explain(const struct shipped *shipped, const float *raw, size_t output,
                       double *ret_contribution);
