/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a family of models offers to predictor.c. A new family is a file with one of these and a row
 * in predictor.c's table.
 *
 * open() reads the sections under the prefix and checks all that run() and explain() rely on; the
 * model borrows the artifact and the spec until close(). run() and explain() allocate nothing and
 * take scratch_bytes() of 64-byte aligned memory. */
#include <stddef.h>

#include "artifact/artifact.h"
#include "features/spec.h"
#include "runtime/predictor.h"

struct family {
    const char *name;
    enum status (*open)(const struct artifact *artifact, const char *prefix,
                        const struct feature_spec *spec, void **ret_model, struct error *err);
    void (*close)(void *model);
    size_t (*n_outputs)(const void *model);
    size_t (*scratch_bytes)(const void *model);
    void (*run)(const void *model, const float *raw, void *scratch, double *ret_output);
    double (*explain)(const void *model, const float *raw, size_t output, void *scratch,
                      double *ret_contribution);
    /* Many rows at once; NULL: one after the other is as good. The same scratch. */
    void (*run_rows)(const void *model, const float *raw, size_t n, void *scratch,
                     double *ret_output);
    /* With what else is known of the profile; NULL: the family looks at nothing but features. */
    void (*run_with)(const void *model, const float *raw, const struct predictor_context *context,
                     void *scratch, double *ret_output);
    bool (*reads_context)(const void *model); /* NULL: all models that have run_with do */
};

extern const struct family linear_family;
extern const struct family trees_family;
extern const struct family kernel_family;
extern const struct family nearest_family;
extern const struct family blend_family;
extern const struct family text_family;
extern const struct family composite_family;

/* Whether what else is known can change the model's answer. */
bool family_reads_context(const struct family *family, const void *model);

/* run_with() of any family. */
void family_run_with(const struct family *family, const void *model, const float *raw,
                     const struct predictor_context *context, void *scratch, double *ret_output);

/* NULL when there is none of that name. */
const struct family *family_find(const char *name);
