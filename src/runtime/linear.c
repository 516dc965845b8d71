/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/predictor.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "runtime/family.h"

/* Section: "<prefix>.linear" f64 [n_outputs][n_inputs + 1], the intercept last. */

struct linear {
    struct linear_model model; /* weights borrow the artifact */
    const struct feature_spec *spec;
};

enum status linear_write(struct artifact_writer *writer, const char *prefix,
                         const struct linear_model *model, struct error *err)
{
    if (model->n_outputs == 0)
        return fail(err, STATUS_INVALID, "linear model '%s': it has no outputs", prefix);
    return artifact_add(writer, artifact_join(prefix, "linear").text, ARTIFACT_F64,
                        model->n_outputs, model->n_inputs + 1, model->weights, err);
}

static enum status linear_open(const struct artifact *artifact, const char *prefix,
                               const struct feature_spec *spec, void **ret_model, struct error *err)
{
    const struct artifact_tag tag = artifact_join(prefix, "linear");
    struct artifact_section section;
    TRY(artifact_need(artifact, tag.text, ARTIFACT_F64, ARTIFACT_ANY, spec->n_columns + 1, &section,
                      err));
    if (section.rows == 0)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': has no rows", artifact_name(artifact),
                    tag.text);
    struct linear *linear = calloc(1, sizeof *linear);
    if (!linear)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    linear->model = (struct linear_model){spec->n_columns, section.rows, section.data};
    linear->spec = spec;
    *ret_model = linear;
    return STATUS_OK;
}

static size_t linear_n_outputs(const void *model)
{
    return ((const struct linear *)model)->model.n_outputs;
}

static size_t linear_scratch_bytes(const void *model)
{
    return ((const struct linear *)model)->model.n_inputs * sizeof(float);
}

static void linear_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    const struct linear *linear = model;
    size_t n = linear->model.n_inputs;
    float *x = scratch;
    feature_scale(linear->spec, raw, x);
    for (size_t o = 0; o < linear->model.n_outputs; o++) {
        const double *weight = linear->model.weights + o * (n + 1);
        double sum = weight[n];
        for (size_t i = 0; i < n; i++)
            sum += weight[i] * (double)x[i];
        ret_output[o] = sum;
    }
}

/* Scaled features have mean 0: the intercept is the answer for the mean profile. */
static double linear_explain(const void *model, const float *raw, size_t output, void *scratch,
                             double *ret_contribution)
{
    const struct linear *linear = model;
    size_t n = linear->model.n_inputs;
    const double *weight = linear->model.weights + output * (n + 1);
    float *x = scratch;
    feature_scale(linear->spec, raw, x);
    for (size_t i = 0; i < n; i++)
        ret_contribution[i] = weight[i] * (double)x[i];
    return weight[n];
}

const struct family linear_family = {
    .name = "linear",
    .open = linear_open,
    .close = free,
    .n_outputs = linear_n_outputs,
    .scratch_bytes = linear_scratch_bytes,
    .run = linear_run,
    .explain = linear_explain,
};
