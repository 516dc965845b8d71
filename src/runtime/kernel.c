/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/predictor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/family.h"
#include "runtime/scratch.h"
#include "runtime/trees.h"

/* Sections: "<prefix>.kernel" f64 [n_outputs][n_rows + 1], the intercept last;
 * "<prefix>.kernel.rows" f32 [n_rows][n_columns]; "<prefix>.kernel.shape" f64 [2]: shape, gamma.
 *
 * Both kernels are products over the columns, and so is the value of a row of which only some
 * columns are known, the others standing at the mean: Shapley values are the integrals that shap.c
 * takes for a tree's leaf, each stored row being one. */

/* A column's part of the exponent is kept below this: its factor stays a usable number. */
#define MAX_EXPONENT 60.0

struct kernel {
    struct kernel_model model; /* borrows the artifact */
    const struct feature_spec *spec;
    struct shap_rule rule;
};

enum status kernel_write(struct artifact_writer *writer, const char *prefix,
                         const struct kernel_model *model, struct error *err)
{
    if (model->n_outputs == 0 || model->n_rows == 0 || model->shape >= N_KERNELS ||
        !(model->gamma > 0))
        return fail(err, STATUS_INVALID, "kernel model '%s': no outputs, no rows or no width",
                    prefix);
    const double shape[] = {(double)model->shape, model->gamma};
    TRY(artifact_add(writer, artifact_join(prefix, "kernel").text, ARTIFACT_F64, model->n_outputs,
                     model->n_rows + 1, model->weights, err));
    TRY(artifact_add(writer, artifact_join(prefix, "kernel.rows").text, ARTIFACT_F32, model->n_rows,
                     model->n_inputs, model->rows, err));
    return artifact_add(writer, artifact_join(prefix, "kernel.shape").text, ARTIFACT_F64, 2, 1,
                        shape, err);
}

static enum status read_shape(const struct artifact *artifact, const char *prefix,
                              struct kernel_model *model, struct error *err)
{
    const struct artifact_tag tag = artifact_join(prefix, "kernel.shape");
    struct artifact_section section;
    TRY(artifact_need(artifact, tag.text, ARTIFACT_F64, 2, 1, &section, err));
    const double *shape = section.data;
    for (size_t i = 0; i < N_KERNELS; i++)
        if (shape[0] == (double)i && shape[1] > 0) {
            model->shape = (enum kernel_shape)i;
            model->gamma = shape[1];
            return STATUS_OK;
        }
    return fail(err, STATUS_CORRUPT, "%s: section '%s': shape %g, gamma %g",
                artifact_name(artifact), tag.text, shape[0], shape[1]);
}

static enum status kernel_open(const struct artifact *artifact, const char *prefix,
                               const struct feature_spec *spec, void **ret_model, struct error *err)
{
    AUTO(free_slot) struct kernel *kernel = calloc(1, sizeof *kernel);
    if (!kernel)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    struct kernel_model *model = &kernel->model;
    struct artifact_section section;
    TRY(read_shape(artifact, prefix, model, err));
    TRY(artifact_need(artifact, artifact_join(prefix, "kernel.rows").text, ARTIFACT_F32,
                      ARTIFACT_ANY, spec->n_columns, &section, err));
    model->rows = section.data;
    model->n_rows = section.rows;
    model->n_inputs = spec->n_columns;
    const struct artifact_tag tag = artifact_join(prefix, "kernel");
    TRY(artifact_need(artifact, tag.text, ARTIFACT_F64, ARTIFACT_ANY, model->n_rows + 1, &section,
                      err));
    if (section.rows == 0)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': has no rows", artifact_name(artifact),
                    tag.text);
    model->weights = section.data;
    model->n_outputs = section.rows;
    kernel->spec = spec;
    size_t degree = spec->n_columns < TREES_MAX_DEPTH ? spec->n_columns : TREES_MAX_DEPTH;
    shap_rule_init(&kernel->rule, (uint32_t)degree);
    *ret_model = STEAL(kernel);
    return STATUS_OK;
}

static size_t kernel_n_outputs(const void *model)
{
    return ((const struct kernel *)model)->model.n_outputs;
}

static size_t kernel_scratch_bytes(const void *model)
{
    const struct kernel *kernel = model;
    return scratch_align(kernel->model.n_inputs * sizeof(float)) +
           scratch_align(kernel->model.n_outputs * sizeof(double)) +
           scratch_align(2 * kernel->model.n_inputs * sizeof(double));
}

/* What a column adds to the negative exponent. */
static inline double part(const struct kernel_model *model, double a, double b)
{
    double difference = a - b;
    return model->gamma *
           (model->shape == KERNEL_GAUSS ? difference * difference : fabs(difference));
}

static void kernel_run(const void *user, const float *raw, void *scratch, double *ret_output)
{
    const struct kernel *kernel = user;
    const struct kernel_model *model = &kernel->model;
    float *x = scratch_take(&scratch, model->n_inputs * sizeof *x);
    feature_scale(kernel->spec, raw, x);
    for (size_t o = 0; o < model->n_outputs; o++)
        ret_output[o] = model->weights[o * (model->n_rows + 1) + model->n_rows];
    for (size_t v = 0; v < model->n_rows; v++) {
        const float *row = model->rows + v * model->n_inputs;
        double exponent = 0;
        for (size_t i = 0; i < model->n_inputs; i++)
            exponent += part(model, (double)x[i], (double)row[i]);
        double value = exp(-exponent);
        for (size_t o = 0; o < model->n_outputs; o++)
            ret_output[o] += model->weights[o * (model->n_rows + 1) + v] * value;
    }
}

/* Shapley values of one stored row's product. factor: [2][n_inputs], of the row and of the mean. */
static void add_row(const struct shap_rule *rule, size_t n, const double *factor, double weight,
                    double *contribution)
{
    for (size_t q = 0; q < rule->n_points; q++) {
        double product = weight * rule->weight[q];
        for (size_t i = 0; i < n; i++)
            product *= factor[i] * rule->y[q] + factor[n + i] * rule->rest[q];
        for (size_t i = 0; i < n; i++)
            contribution[i] += (factor[i] - factor[n + i]) * product /
                               (factor[i] * rule->y[q] + factor[n + i] * rule->rest[q]);
    }
}

static double kernel_explain(const void *user, const float *raw, size_t output, void *scratch,
                             double *ret_contribution)
{
    const struct kernel *kernel = user;
    const struct kernel_model *model = &kernel->model;
    size_t n = model->n_inputs;
    void *rest = scratch;
    float *x = scratch_take(&rest, n * sizeof *x);
    double *outputs = scratch_take(&rest, model->n_outputs * sizeof *outputs);
    double *factor = scratch_take(&rest, 2 * n * sizeof *factor);
    kernel_run(user, raw, scratch, outputs); /* leaves x scaled */
    memset(ret_contribution, 0, n * sizeof *ret_contribution);
    for (size_t v = 0; v < model->n_rows; v++) {
        const float *row = model->rows + v * n;
        for (size_t i = 0; i < n; i++) {
            factor[i] = exp(-fmin(part(model, (double)x[i], (double)row[i]), MAX_EXPONENT));
            factor[n + i] = exp(-fmin(part(model, 0, (double)row[i]), MAX_EXPONENT));
        }
        add_row(&kernel->rule, n, factor, model->weights[output * (model->n_rows + 1) + v],
                ret_contribution);
    }
    double base = outputs[output];
    for (size_t i = 0; i < n; i++)
        base -= ret_contribution[i];
    return base;
}

const struct family kernel_family = {
    .name = "kernel",
    .open = kernel_open,
    .close = free,
    .n_outputs = kernel_n_outputs,
    .scratch_bytes = kernel_scratch_bytes,
    .run = kernel_run,
    .explain = kernel_explain,
};
