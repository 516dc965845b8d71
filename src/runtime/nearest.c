/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/predictor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/family.h"
#include "runtime/neighbours.h"
#include "runtime/scratch.h"

/* Sections: the index under "<prefix>.knn"; "<prefix>.knn.answer" u32 [2]: k, answer;
 * "<prefix>.knn.values" f64 [n_rows]; "<prefix>.knn.prior" f64 [n_outputs]. */

/* A query beyond this is as far from every row as it can be. */
#define MAX_SCALED 1e6F

struct nearest {
    struct neighbours *index; /* owned */
    const struct feature_spec *spec;
    size_t k, n_outputs;
    enum nearest_answer answer;
    const double *values, *prior; /* borrow the artifact */
};

enum status nearest_write(struct artifact_writer *writer, const char *prefix,
                          const struct nearest_model *model, struct error *err)
{
    const uint32_t shape[] = {(uint32_t)model->k, (uint32_t)model->answer};
    const struct neighbour_rows rows = {model->rows, model->n_rows, model->n_inputs};
    TRY(neighbours_write_under(writer, artifact_join(prefix, "knn").text, &rows, model->seed, err));
    TRY(artifact_add(writer, artifact_join(prefix, "knn.answer").text, ARTIFACT_U32, 2, 1, shape,
                     err));
    TRY(artifact_add(writer, artifact_join(prefix, "knn.values").text, ARTIFACT_F64, model->n_rows,
                     1, model->values, err));
    return artifact_add(writer, artifact_join(prefix, "knn.prior").text, ARTIFACT_F64,
                        model->n_outputs, 1, model->prior, err);
}

static void nearest_close(void *model)
{
    struct nearest *nearest = model;
    if (!nearest)
        return;
    neighbours_close(nearest->index);
    free(nearest);
}
DEFINE_SLOT(nearest_close, struct nearest)

static enum status wrong(const struct artifact *artifact, const char *prefix, const char *what,
                         struct error *err)
{
    return fail(err, STATUS_CORRUPT, "%s: section '%s.knn.answer': %s", artifact_name(artifact),
                prefix, what);
}

static enum status check(const struct nearest *nearest, const struct artifact *artifact,
                         const char *prefix, struct error *err)
{
    size_t n = neighbours_n(nearest->index);
    bool shares = nearest->answer == NEAREST_SHARES;
    if (neighbours_dim(nearest->index) != nearest->spec->n_columns)
        return wrong(artifact, prefix, "its rows have other columns", err);
    if (nearest->k == 0 || nearest->k > NEAREST_MAX_K || nearest->k > n)
        return wrong(artifact, prefix, "asks for no or too many neighbours", err);
    if (nearest->answer >= N_NEAREST_ANSWERS || nearest->n_outputs == 0 ||
        (!shares && nearest->n_outputs != 1))
        return wrong(artifact, prefix, "an unknown kind of answer", err);
    for (size_t i = 0; i < n && shares; i++)
        if (!(nearest->values[i] >= 0 && nearest->values[i] < (double)nearest->n_outputs &&
              nearest->values[i] == floor(nearest->values[i])))
            return wrong(artifact, prefix, "a row of no class", err);
    for (size_t c = 0; c < nearest->n_outputs && shares; c++)
        if (!(nearest->prior[c] > 0))
            return wrong(artifact, prefix, "a class without a share", err);
    return STATUS_OK;
}

static enum status nearest_open(const struct artifact *artifact, const char *prefix,
                                const struct feature_spec *spec, void **ret_model,
                                struct error *err)
{
    AUTO(nearest_close_slot) struct nearest *nearest = calloc(1, sizeof *nearest);
    if (!nearest)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    nearest->spec = spec;
    struct artifact_section section;
    TRY(neighbours_open_under(artifact, artifact_join(prefix, "knn").text, &nearest->index, err));
    TRY(artifact_need(artifact, artifact_join(prefix, "knn.answer").text, ARTIFACT_U32, 2, 1,
                      &section, err));
    const uint32_t *shape = section.data;
    nearest->k = shape[0];
    nearest->answer = (enum nearest_answer)shape[1];
    TRY(artifact_need(artifact, artifact_join(prefix, "knn.values").text, ARTIFACT_F64,
                      neighbours_n(nearest->index), 1, &section, err));
    nearest->values = section.data;
    TRY(artifact_need(artifact, artifact_join(prefix, "knn.prior").text, ARTIFACT_F64, ARTIFACT_ANY,
                      1, &section, err));
    nearest->prior = section.data;
    nearest->n_outputs = section.rows;
    TRY(check(nearest, artifact, prefix, err));
    *ret_model = STEAL(nearest);
    return STATUS_OK;
}

static size_t nearest_n_outputs(const void *model)
{
    return ((const struct nearest *)model)->n_outputs;
}

static size_t nearest_scratch_bytes(const void *model)
{
    const struct nearest *nearest = model;
    return scratch_align(nearest->spec->n_columns * sizeof(float)) +
           scratch_align(nearest->n_outputs * sizeof(double)) +
           scratch_align(nearest->k * sizeof(struct neighbour)) +
           scratch_align(nearest->k * sizeof(double)) +
           scratch_align(neighbours_scratch_bytes(nearest->index));
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof values[0], compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

static void nearest_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    const struct nearest *nearest = model;
    size_t p = nearest->spec->n_columns;
    float *x = scratch_take(&scratch, p * sizeof *x);
    scratch_take(&scratch, nearest->n_outputs * sizeof(double));
    struct neighbour *found = scratch_take(&scratch, nearest->k * sizeof *found);
    double *values = scratch_take(&scratch, nearest->k * sizeof *values);
    feature_scale(nearest->spec, raw, x);
    for (size_t i = 0; i < p; i++)
        x[i] = fmaxf(-MAX_SCALED, fminf(x[i], MAX_SCALED));
    const struct neighbours_query query = {.x = x, .k = nearest->k};
    size_t n = neighbours_search(nearest->index, &query, scratch, found);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        values[i] = nearest->values[found[i].row];
        sum += values[i];
    }
    if (nearest->answer != NEAREST_SHARES) {
        ret_output[0] = nearest->answer == NEAREST_MEAN ? sum / (double)n : median(values, n);
        return;
    }
    for (size_t c = 0; c < nearest->n_outputs; c++)
        ret_output[c] = nearest->prior[c];
    for (size_t i = 0; i < n; i++)
        ret_output[(size_t)values[i]] += 1;
    for (size_t c = 0; c < nearest->n_outputs; c++)
        ret_output[c] = log(ret_output[c] / (double)(n + 1));
}

/* Which rows are nearest changes in jumps: there is no decomposition by columns that would not
 * mislead. */
static double nearest_explain(const void *model, const float *raw, size_t output, void *scratch,
                              double *ret_contribution)
{
    const struct nearest *nearest = model;
    void *rest = scratch;
    scratch_take(&rest, nearest->spec->n_columns * sizeof(float));
    double *outputs = scratch_take(&rest, nearest->n_outputs * sizeof *outputs);
    nearest_run(model, raw, scratch, outputs);
    memset(ret_contribution, 0, nearest->spec->n_columns * sizeof *ret_contribution);
    return outputs[output];
}

const struct family nearest_family = {
    .name = "nearest",
    .open = nearest_open,
    .close = nearest_close,
    .n_outputs = nearest_n_outputs,
    .scratch_bytes = nearest_scratch_bytes,
    .run = nearest_run,
    .explain = nearest_explain,
};
