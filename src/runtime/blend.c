/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/family.h"
#include "runtime/scratch.h"

/* Sections: "<prefix>.blend" f64 [n_members], the weights; "<prefix>.blend.families" a string a
 * member; member i's own under "<prefix>.<i>". A member is no blend itself. */

#define BLEND_ROWS 64 /* that its members predict together */

struct member {
    const struct family *family;
    void *model; /* owned; of the family */
};

struct blend {
    struct member members[BLEND_MAX_MEMBERS];
    size_t n_members, n_outputs, n_columns;
    const double *weights; /* [n_members], borrows the artifact */
    size_t member_bytes;   /* scratch of the member that needs most */
};

struct artifact_tag blend_prefix(const char *prefix, size_t member)
{
    const char number[] = {(char)('0' + member), '\0'};
    return artifact_join(prefix, number);
}

enum status blend_write(struct artifact_writer *writer, const char *prefix,
                        const struct blend_model *model, struct error *err)
{
    if (model->n_members == 0 || model->n_members > BLEND_MAX_MEMBERS)
        return fail(err, STATUS_INVALID, "blend '%s': %zu members", prefix, model->n_members);
    TRY(artifact_add(writer, artifact_join(prefix, "blend").text, ARTIFACT_F64, model->n_members, 1,
                     model->weights, err));
    return artifact_add_strings(writer, artifact_join(prefix, "blend.families").text,
                                model->families, model->n_members, err);
}

static void blend_close(void *model)
{
    struct blend *blend = model;
    if (!blend)
        return;
    for (size_t i = 0; i < BLEND_MAX_MEMBERS; i++)
        if (blend->members[i].family)
            blend->members[i].family->close(blend->members[i].model);
    free(blend);
}
DEFINE_SLOT(blend_close, struct blend)

static enum status open_member(const struct artifact *artifact, const char *prefix, size_t i,
                               const char *name, const struct feature_spec *spec,
                               struct blend *blend, struct error *err)
{
    const struct family *family = family_find(name);
    if (!family || family == &blend_family || family == &composite_family)
        return fail(err, STATUS_CORRUPT, "%s: section '%s.blend.families': '%s' is no member",
                    artifact_name(artifact), prefix, name);
    struct member *member = &blend->members[i];
    TRY(family->open(artifact, blend_prefix(prefix, i).text, spec, &member->model, err));
    member->family = family;
    size_t n_outputs = family->n_outputs(member->model);
    if (i > 0 && n_outputs != blend->n_outputs)
        return fail(err, STATUS_CORRUPT, "%s: section '%s.blend': member %zu has %zu outputs",
                    artifact_name(artifact), prefix, i, n_outputs);
    blend->n_outputs = n_outputs;
    size_t bytes = family->scratch_bytes(member->model);
    if (bytes > blend->member_bytes)
        blend->member_bytes = bytes;
    return STATUS_OK;
}

static enum status blend_open(const struct artifact *artifact, const char *prefix,
                              const struct feature_spec *spec, void **ret_model, struct error *err)
{
    AUTO(blend_close_slot) struct blend *blend = calloc(1, sizeof *blend);
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 256);
    if (!blend)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", artifact_name(artifact));
    blend->n_columns = spec->n_columns;
    struct artifact_section section;
    const struct artifact_tag tag = artifact_join(prefix, "blend");
    TRY(artifact_need(artifact, tag.text, ARTIFACT_F64, ARTIFACT_ANY, 1, &section, err));
    if (section.rows == 0 || section.rows > BLEND_MAX_MEMBERS)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': %zu members", artifact_name(artifact),
                    tag.text, section.rows);
    blend->weights = section.data;
    blend->n_members = section.rows;
    const char *const *names = NULL;
    size_t n = 0;
    TRY(artifact_need_strings(artifact, artifact_join(prefix, "blend.families").text,
                              blend->n_members, &arena, &names, &n, err));
    for (size_t i = 0; i < n; i++)
        TRY(open_member(artifact, prefix, i, names[i], spec, blend, err));
    *ret_model = STEAL(blend);
    return STATUS_OK;
}

static size_t blend_n_outputs(const void *model)
{
    return ((const struct blend *)model)->n_outputs;
}

static size_t blend_scratch_bytes(const void *model)
{
    const struct blend *blend = model;
    return scratch_align(BLEND_ROWS * blend->n_outputs * sizeof(double)) +
           scratch_align(blend->n_columns * sizeof(double)) + scratch_align(blend->member_bytes);
}

static void blend_run_with(const void *model, const float *raw,
                           const struct predictor_context *context, void *scratch,
                           double *ret_output)
{
    const struct blend *blend = model;
    double *output = scratch_take(&scratch, BLEND_ROWS * blend->n_outputs * sizeof *output);
    scratch_take(&scratch, blend->n_columns * sizeof(double));
    memset(ret_output, 0, blend->n_outputs * sizeof *ret_output);
    for (size_t i = 0; i < blend->n_members; i++) {
        const struct member *member = &blend->members[i];
        family_run_with(member->family, member->model, raw, context, scratch, output);
        for (size_t o = 0; o < blend->n_outputs; o++)
            ret_output[o] += blend->weights[i] * output[o];
    }
}

/* A member's outputs of up to BLEND_ROWS rows. */
static void run_member(const struct blend *blend, const struct member *member, const float *raw,
                       size_t n, void *scratch, double *ret_output)
{
    if (member->family->run_rows) {
        member->family->run_rows(member->model, raw, n, scratch, ret_output);
        return;
    }
    for (size_t row = 0; row < n; row++)
        member->family->run(member->model, raw + row * blend->n_columns, scratch,
                            ret_output + row * blend->n_outputs);
}

static void blend_run_rows(const void *model, const float *raw, size_t n, void *scratch,
                           double *ret_output)
{
    const struct blend *blend = model;
    double *output = scratch_take(&scratch, BLEND_ROWS * blend->n_outputs * sizeof *output);
    scratch_take(&scratch, blend->n_columns * sizeof(double));
    memset(ret_output, 0, n * blend->n_outputs * sizeof *ret_output);
    for (size_t done = 0; done < n; done += BLEND_ROWS) {
        size_t n_block = n - done < BLEND_ROWS ? n - done : BLEND_ROWS;
        double *to = ret_output + done * blend->n_outputs;
        for (size_t i = 0; i < blend->n_members; i++) {
            run_member(blend, &blend->members[i], raw + done * blend->n_columns, n_block, scratch,
                       output);
            for (size_t o = 0; o < n_block * blend->n_outputs; o++)
                to[o] += blend->weights[i] * output[o];
        }
    }
}

static void blend_run(const void *model, const float *raw, void *scratch, double *ret_output)
{
    const struct predictor_context nothing = {0};
    blend_run_with(model, raw, &nothing, scratch, ret_output);
}

static bool blend_reads_context(const void *model)
{
    const struct blend *blend = model;
    for (size_t i = 0; i < blend->n_members; i++)
        if (family_reads_context(blend->members[i].family, blend->members[i].model))
            return true;
    return false;
}

static double blend_explain(const void *model, const float *raw, size_t output, void *scratch,
                            double *ret_contribution)
{
    const struct blend *blend = model;
    scratch_take(&scratch, BLEND_ROWS * blend->n_outputs * sizeof(double));
    double *contribution = scratch_take(&scratch, blend->n_columns * sizeof *contribution);
    memset(ret_contribution, 0, blend->n_columns * sizeof *ret_contribution);
    double base = 0;
    for (size_t i = 0; i < blend->n_members; i++) {
        const struct member *member = &blend->members[i];
        base += blend->weights[i] *
                member->family->explain(member->model, raw, output, scratch, contribution);
        for (size_t c = 0; c < blend->n_columns; c++)
            ret_contribution[c] += blend->weights[i] * contribution[c];
    }
    return base;
}

const struct family blend_family = {
    .name = "blend",
    .open = blend_open,
    .close = blend_close,
    .n_outputs = blend_n_outputs,
    .scratch_bytes = blend_scratch_bytes,
    .run = blend_run,
    .explain = blend_explain,
    .run_rows = blend_run_rows,
    .run_with = blend_run_with,
    .reads_context = blend_reads_context,
};
