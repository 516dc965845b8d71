/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/family.h"
#include "runtime/scratch.h"
#include "runtime/text.h"

/* Sections: "<prefix>.linear" f64 [n_outputs][n_inputs + 1], as of the linear family;
 * "<prefix>.text.words" strings [n_words]; "<prefix>.text.idf" f32 [n_words][1];
 * "<prefix>.text.weights" f32 [n_words][n_outputs]. */

struct text {
    struct text_model model; /* borrows the artifact, and `memory` for the words */
    const struct feature_spec *spec;
    struct text_vocabulary *vocabulary; /* owned */
    struct arena memory;
};

enum status text_write(struct artifact_writer *writer, const char *prefix,
                       const struct text_model *model, struct error *err)
{
    const struct linear_model linear = {model->n_inputs, model->n_outputs, model->weights};
    TRY(linear_write(writer, prefix, &linear, err));
    TRY(artifact_add_strings(writer, artifact_join(prefix, "text.words").text, model->words,
                             model->n_words, err));
    TRY(artifact_add(writer, artifact_join(prefix, "text.idf").text, ARTIFACT_F32, model->n_words,
                     1, model->idf, err));
    return artifact_add(writer, artifact_join(prefix, "text.weights").text, ARTIFACT_F32,
                        model->n_words, model->n_outputs, model->word_weights, err);
}

static void text_close(void *model)
{
    struct text *text = model;
    if (!text)
        return;
    text_vocabulary_free(text->vocabulary);
    arena_deinit(&text->memory);
    free(text);
}
DEFINE_SLOT(text_close, struct text)

static enum status read_words(const struct artifact *artifact, const char *prefix,
                              struct text *text, struct error *err)
{
    const struct artifact_tag tag = artifact_join(prefix, "text.words");
    struct text_model *model = &text->model;
    struct artifact_section section;
    TRY(artifact_need_strings(artifact, tag.text, ARTIFACT_ANY, &text->memory, &model->words,
                              &model->n_words, err));
    TRY(artifact_need(artifact, artifact_join(prefix, "text.idf").text, ARTIFACT_F32,
                      model->n_words, 1, &section, err));
    model->idf = section.data;
    for (size_t i = 0; i < model->n_words; i++)
        if (!(model->idf[i] > 0))
            return fail(err, STATUS_CORRUPT, "%s: section '%s.text.idf': is not above 0",
                        artifact_name(artifact), prefix);
    TRY(artifact_need(artifact, artifact_join(prefix, "text.weights").text, ARTIFACT_F32,
                      model->n_words, model->n_outputs, &section, err));
    model->word_weights = section.data;
    struct error inner = {0};
    enum status status =
        text_vocabulary_new(model->words, model->n_words, &text->vocabulary, &inner);
    if (status == STATUS_INVALID)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': %s", artifact_name(artifact), tag.text,
                    inner.message);
    return status == STATUS_OK ? status : fail(err, status, "%s", inner.message);
}

static enum status text_open(const struct artifact *artifact, const char *prefix,
                             const struct feature_spec *spec, void **ret_model, struct error *err)
{
    AUTO(text_close_slot) struct text *text = calloc(1, sizeof *text);
    if (!text)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    arena_init(&text->memory, 4096);
    const struct artifact_tag tag = artifact_join(prefix, "linear");
    struct artifact_section section;
    TRY(artifact_need(artifact, tag.text, ARTIFACT_F64, ARTIFACT_ANY, spec->n_columns + 1, &section,
                      err));
    if (section.rows == 0)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': has no rows", artifact_name(artifact),
                    tag.text);
    text->spec = spec;
    text->model.n_inputs = spec->n_columns;
    text->model.n_outputs = section.rows;
    text->model.weights = section.data;
    TRY(read_words(artifact, prefix, text, err));
    *ret_model = STEAL(text);
    return STATUS_OK;
}

static size_t text_n_outputs(const void *model)
{
    return ((const struct text *)model)->model.n_outputs;
}

static size_t text_scratch_bytes(const void *model)
{
    return scratch_align(((const struct text *)model)->model.n_inputs * sizeof(float)) +
           scratch_align(TEXT_MAX_WORDS * sizeof(uint32_t)) +
           scratch_align(TEXT_MAX_WORDS * sizeof(float));
}

static void text_run_with(const void *model, const float *raw,
                          const struct predictor_context *context, void *scratch,
                          double *ret_output)
{
    const struct text *text = model;
    const struct text_model *m = &text->model;
    float *x = scratch_take(&scratch, m->n_inputs * sizeof *x);
    uint32_t *words = scratch_take(&scratch, TEXT_MAX_WORDS * sizeof *words);
    float *weight = scratch_take(&scratch, TEXT_MAX_WORDS * sizeof *weight);
    feature_scale(text->spec, raw, x);
    for (size_t o = 0; o < m->n_outputs; o++) {
        const double *w = m->weights + o * (m->n_inputs + 1);
        ret_output[o] = w[m->n_inputs];
        for (size_t i = 0; i < m->n_inputs; i++)
            ret_output[o] += w[i] * (double)x[i];
    }
    size_t n = text_vocabulary_find(text->vocabulary, &context->words, words);
    text_weigh(m->idf, words, n, weight);
    for (size_t i = 0; i < n; i++)
        for (size_t o = 0; o < m->n_outputs; o++)
            ret_output[o] +=
                (double)weight[i] * (double)m->word_weights[words[i] * m->n_outputs + o];
}

static void text_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    const struct predictor_context nothing = {0};
    text_run_with(model, raw, &nothing, scratch, ret_output);
}

static double text_explain(const void *model, const float *raw, size_t output, void *scratch,
                           double *ret_contribution)
{
    const struct text *text = model;
    size_t n = text->model.n_inputs;
    const double *weight = text->model.weights + output * (n + 1);
    float *x = scratch;
    feature_scale(text->spec, raw, x);
    for (size_t i = 0; i < n; i++)
        ret_contribution[i] = weight[i] * (double)x[i];
    return weight[n];
}

const struct family text_family = {
    .name = "text",
    .open = text_open,
    .close = text_close,
    .n_outputs = text_n_outputs,
    .scratch_bytes = text_scratch_bytes,
    .run = text_run,
    .explain = text_explain,
    .run_with = text_run_with,
};
