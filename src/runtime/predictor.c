/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/family.h"
#include "runtime/spec_section.h"

/* Section: "<prefix>.family" one string, beside the spec and the family's own. */

struct predictor {
    struct feature_spec *spec; /* owned */
    const struct family *family;
    void *model; /* owned; of the family */
};

/* ---- the family of a table without a label: nothing to run ---- */

static enum status composite_open(const struct artifact *artifact, const char *prefix,
                                  const struct feature_spec *spec, void **ret_model,
                                  struct error *err)
{
    (void)artifact;
    (void)prefix;
    (void)spec;
    (void)err;
    *ret_model = NULL;
    return STATUS_OK;
}

static size_t composite_none(const void *model)
{
    (void)model;
    return 0;
}

static void composite_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    (void)model;
    (void)raw;
    (void)scratch;
    (void)ret_output;
}

static double composite_explain(const void *model, const float *raw, size_t output, void *scratch,
                                double *ret_contribution)
{
    (void)model;
    (void)raw;
    (void)output;
    (void)scratch;
    (void)ret_contribution;
    return 0;
}

const struct family composite_family = {
    .name = "composite",
    .open = composite_open,
    .close = free,
    .n_outputs = composite_none,
    .scratch_bytes = composite_none,
    .run = composite_run,
    .explain = composite_explain,
};

static const struct family *const families[] = {&linear_family,   &trees_family, &kernel_family,
                                                &nearest_family,  &text_family,  &blend_family,
                                                &composite_family};

const struct family *family_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(families); i++)
        if (strcmp(families[i]->name, name) == 0)
            return families[i];
    return NULL;
}

bool family_reads_context(const struct family *family, const void *model)
{
    return family->run_with && (!family->reads_context || family->reads_context(model));
}

void family_run_with(const struct family *family, const void *model, const float *raw,
                     const struct predictor_context *context, void *scratch, double *ret_output)
{
    if (family->run_with)
        family->run_with(model, raw, context, scratch, ret_output);
    else
        family->run(model, raw, scratch, ret_output);
}

enum status predictor_write(struct artifact_writer *writer, const char *prefix,
                            const struct feature_spec *spec, const char *family, struct error *err)
{
    if (!family_find(family))
        return fail(err, STATUS_INVALID, "'%s' is no family of models", family);
    TRY(artifact_add_strings(writer, artifact_join(prefix, "family").text, &family, 1, err));
    return spec_write(writer, prefix, spec, err);
}

static enum status read_family(const struct artifact *artifact, const char *tag,
                               const struct family **ret_family, struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 64);
    const char *const *name = NULL;
    size_t n = 0;
    TRY(artifact_need_strings(artifact, tag, 1, &arena, &name, &n, err));
    *ret_family = family_find(name[0]);
    if (!*ret_family)
        return fail(err, STATUS_UNSUPPORTED,
                    "%s: section '%s': unknown family '%s': a newer influence is needed",
                    artifact_name(artifact), tag, name[0]);
    return STATUS_OK;
}

enum status predictor_open(const struct artifact *artifact, const char *prefix,
                           struct predictor **ret_predictor, struct error *err)
{
    const struct artifact_tag tag = artifact_join(prefix, "family");
    struct artifact_section section;
    if (artifact_find(artifact, tag.text, &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    AUTO(predictor_close_slot) struct predictor *predictor = calloc(1, sizeof *predictor);
    if (!predictor)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    const struct family *family = NULL;
    TRY(read_family(artifact, tag.text, &family, err));
    enum status status = spec_open(artifact, prefix, &predictor->spec, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_CORRUPT, "%s: section '%s.spec.names': missing",
                    artifact_name(artifact), prefix);
    TRY(status);
    TRY(family->open(artifact, prefix, predictor->spec, &predictor->model, err));
    predictor->family = family;
    *ret_predictor = STEAL(predictor);
    return STATUS_OK;
}

void predictor_close(struct predictor *predictor)
{
    if (!predictor)
        return;
    if (predictor->family)
        predictor->family->close(predictor->model);
    feature_spec_free(predictor->spec);
    free(predictor);
}

const struct feature_spec *predictor_spec(const struct predictor *predictor)
{
    return predictor->spec;
}

size_t predictor_n_outputs(const struct predictor *predictor)
{
    return predictor->family->n_outputs(predictor->model);
}

const char *predictor_family(const struct predictor *predictor)
{
    return predictor->family->name;
}

size_t predictor_scratch_bytes(const struct predictor *predictor)
{
    return predictor->family->scratch_bytes(predictor->model);
}

void predictor_run(const struct predictor *predictor, const float *raw, void *scratch,
                   double *ret_output)
{
    predictor->family->run(predictor->model, raw, scratch, ret_output);
}

void predictor_run_with(const struct predictor *predictor, const float *raw,
                        const struct predictor_context *context, void *scratch, double *ret_output)
{
    family_run_with(predictor->family, predictor->model, raw, context, scratch, ret_output);
}

bool predictor_reads_context(const struct predictor *predictor)
{
    return family_reads_context(predictor->family, predictor->model);
}

void predictor_run_rows(const struct predictor *predictor, const float *raw, size_t n,
                        void *scratch, double *ret_output)
{
    const struct family *family = predictor->family;
    if (family->run_rows) {
        family->run_rows(predictor->model, raw, n, scratch, ret_output);
        return;
    }
    size_t n_columns = predictor->spec->n_columns;
    size_t n_outputs = family->n_outputs(predictor->model);
    for (size_t row = 0; row < n; row++)
        family->run(predictor->model, raw + row * n_columns, scratch, ret_output + row * n_outputs);
}

void predictor_run_with_rows(const struct predictor *predictor, const float *raw,
                             const struct predictor_context *contexts, size_t n, void *scratch,
                             double *ret_output)
{
    const struct family *family = predictor->family;
    if (!predictor_reads_context(predictor)) {
        predictor_run_rows(predictor, raw, n, scratch, ret_output);
        return;
    }
    size_t n_columns = predictor->spec->n_columns;
    size_t n_outputs = family->n_outputs(predictor->model);
    for (size_t row = 0; row < n; row++)
        family->run_with(predictor->model, raw + row * n_columns, &contexts[row], scratch,
                         ret_output + row * n_outputs);
}

double predictor_explain(const struct predictor *predictor, const float *raw, size_t output,
                         void *scratch, double *ret_contribution)
{
    return predictor->family->explain(predictor->model, raw, output, scratch, ret_contribution);
}
