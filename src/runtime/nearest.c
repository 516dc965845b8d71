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
 * "<prefix>.knn.values" f64 [n_rows][1], or [n_rows][n_outputs] of NEAREST_SPREAD;
 * "<prefix>.knn.prior" f64 [n_outputs]; where links count "<prefix>.knn.nodes" u32 [n_rows] and
 * "<prefix>.knn.links" f64 [1]. */

/* A query beyond this is as far from every row as it can be. */
#define MAX_SCALED 1e6F

struct nearest {
    struct neighbours *index; /* owned */
    const struct feature_spec *spec;
    size_t k, n_outputs;
    enum nearest_answer answer;
    const double *values, *prior; /* borrow the artifact */
    const uint32_t *nodes;        /* likewise; NULL: links do not count */
    double link_weight;
};

static bool has_shares(enum nearest_answer answer)
{
    return answer == NEAREST_SHARES || answer == NEAREST_SPREAD;
}

/* Numbers that a row has. */
static size_t values_of(enum nearest_answer answer, size_t n_outputs)
{
    return answer == NEAREST_SPREAD ? n_outputs : 1;
}

enum status nearest_write(struct artifact_writer *writer, const char *prefix,
                          const struct nearest_model *model, struct error *err)
{
    const uint32_t shape[] = {(uint32_t)model->k, (uint32_t)model->answer};
    const struct neighbour_rows rows = {model->rows, model->n_rows, model->n_inputs};
    TRY(neighbours_write_under(writer, artifact_join(prefix, "knn").text, &rows, model->seed, err));
    TRY(artifact_add(writer, artifact_join(prefix, "knn.answer").text, ARTIFACT_U32, 2, 1, shape,
                     err));
    TRY(artifact_add(writer, artifact_join(prefix, "knn.values").text, ARTIFACT_F64, model->n_rows,
                     values_of(model->answer, model->n_outputs), model->values, err));
    TRY(artifact_add(writer, artifact_join(prefix, "knn.prior").text, ARTIFACT_F64,
                     model->n_outputs, 1, model->prior, err));
    if (!model->nodes)
        return STATUS_OK;
    TRY(artifact_add(writer, artifact_join(prefix, "knn.nodes").text, ARTIFACT_U32, model->n_rows,
                     1, model->nodes, err));
    return artifact_add(writer, artifact_join(prefix, "knn.links").text, ARTIFACT_F64, 1, 1,
                        &model->link_weight, err);
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
    bool shares = has_shares(nearest->answer);
    if (neighbours_dim(nearest->index) != nearest->spec->n_columns)
        return wrong(artifact, prefix, "its rows have other columns", err);
    if (nearest->k == 0 || nearest->k > NEAREST_MAX_K || nearest->k > n)
        return wrong(artifact, prefix, "asks for no or too many neighbours", err);
    if (nearest->answer >= N_NEAREST_ANSWERS || nearest->n_outputs == 0 ||
        (!shares && nearest->n_outputs != 1))
        return wrong(artifact, prefix, "an unknown kind of answer", err);
    for (size_t i = 0; i < n * nearest->n_outputs && nearest->answer == NEAREST_SPREAD; i++)
        if (!(nearest->values[i] >= 0))
            return wrong(artifact, prefix, "a share below 0", err);
    for (size_t i = 0; i < n && nearest->answer == NEAREST_SHARES; i++)
        if (!(nearest->values[i] >= 0 && nearest->values[i] < (double)nearest->n_outputs &&
              nearest->values[i] == floor(nearest->values[i])))
            return wrong(artifact, prefix, "a row of no class", err);
    for (size_t c = 0; c < nearest->n_outputs && shares; c++)
        if (!(nearest->prior[c] > 0))
            return wrong(artifact, prefix, "a class without a share", err);
    return STATUS_OK;
}

/* Links count in the two answers that weigh, and only where there are nodes. */
static enum status open_links(const struct artifact *artifact, const char *prefix,
                              struct nearest *nearest, struct error *err)
{
    struct artifact_section section;
    const struct artifact_tag tag = artifact_join(prefix, "knn.nodes");
    if (artifact_find(artifact, tag.text, &section) != STATUS_OK)
        return STATUS_OK;
    size_t n = neighbours_n(nearest->index);
    TRY(artifact_need(artifact, tag.text, ARTIFACT_U32, n, 1, &section, err));
    nearest->nodes = section.data;
    for (size_t i = 1; i < n; i++)
        if (nearest->nodes[i] <= nearest->nodes[i - 1])
            return fail(err, STATUS_CORRUPT, "%s: section '%s': does not ascend",
                        artifact_name(artifact), tag.text);
    TRY(artifact_need(artifact, artifact_join(prefix, "knn.links").text, ARTIFACT_F64, 1, 1,
                      &section, err));
    nearest->link_weight = *(const double *)section.data;
    bool weighs = nearest->answer == NEAREST_WEIGHTED || nearest->answer == NEAREST_SPREAD;
    return weighs && nearest->link_weight > 0
               ? STATUS_OK
               : wrong(artifact, prefix, "links that cannot count", err);
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
    TRY(artifact_need(artifact, artifact_join(prefix, "knn.prior").text, ARTIFACT_F64, ARTIFACT_ANY,
                      1, &section, err));
    nearest->prior = section.data;
    nearest->n_outputs = section.rows;
    TRY(artifact_need(artifact, artifact_join(prefix, "knn.values").text, ARTIFACT_F64,
                      neighbours_n(nearest->index), values_of(nearest->answer, nearest->n_outputs),
                      &section, err));
    nearest->values = section.data;
    TRY(check(nearest, artifact, prefix, err));
    TRY(open_links(artifact, prefix, nearest, err));
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

/* ---- answers that weigh ---- */

struct tally {
    const struct nearest *nearest;
    double *sum; /* [values_of()] */
    double total;
    size_t n;
};

static void tally_row(struct tally *tally, size_t row, double weight)
{
    size_t n_values = values_of(tally->nearest->answer, tally->nearest->n_outputs);
    for (size_t c = 0; c < n_values; c++)
        tally->sum[c] += weight * tally->nearest->values[row * n_values + c];
    tally->total += weight;
    tally->n++;
}

/* Nodes that are no row of the model are left out: rows held out, say. */
static void tally_links(struct tally *tally, const struct link_list *links)
{
    const struct nearest *nearest = tally->nearest;
    size_t n = neighbours_n(nearest->index);
    for (size_t i = 0; nearest->nodes && i < links->n; i++) {
        size_t row = link_find(nearest->nodes, n, links->node[i]);
        if (row < n)
            tally_row(tally, row, nearest->link_weight * (double)links->weight[i]);
    }
}

static void answer_weighted(const struct nearest *nearest, const struct neighbour *found, size_t n,
                            const struct link_list *links, double *ret_output)
{
    struct tally tally = {.nearest = nearest, .sum = ret_output};
    memset(ret_output, 0, nearest->n_outputs * sizeof *ret_output);
    for (size_t i = 0; i < n; i++)
        tally_row(&tally, found[i].row, 1.0 / (1.0 + (double)found[i].distance));
    tally_links(&tally, links);
    for (size_t c = 0; c < nearest->n_outputs; c++)
        ret_output[c] /= tally.total;
    if (nearest->answer == NEAREST_WEIGHTED)
        return;
    for (size_t c = 0; c < nearest->n_outputs; c++)
        ret_output[c] =
            log((nearest->prior[c] + (double)tally.n * ret_output[c]) / ((double)tally.n + 1.0));
}

/* ---- running ---- */

static void nearest_run_with(const void *model, const float *raw,
                             const struct predictor_context *context, void *scratch,
                             double *ret_output)
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
    if (nearest->answer == NEAREST_WEIGHTED || nearest->answer == NEAREST_SPREAD) {
        answer_weighted(nearest, found, n, &context->links, ret_output);
        return;
    }
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

static void nearest_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    const struct predictor_context nothing = {0};
    nearest_run_with(model, raw, &nothing, scratch, ret_output);
}

static bool nearest_reads_context(const void *model)
{
    return ((const struct nearest *)model)->nodes != NULL;
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
    .run_with = nearest_run_with,
    .reads_context = nearest_reads_context,
};
