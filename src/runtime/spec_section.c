/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/spec_section.h"

#include <stdlib.h>

#include "base/cleanup.h"

/* Sections: "<prefix>.spec.names" strings [n]; "<prefix>.spec.numbers" f32 [3][n]: fill, mean,
 * scale. */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "feature spec: out of memory");
}

enum status spec_write(struct artifact_writer *writer, const char *prefix,
                       const struct feature_spec *spec, struct error *err)
{
    size_t n = spec->n_columns;
    AUTO(free_slot) const char **names = calloc(n + 1, sizeof *names);
    AUTO(free_slot) float *numbers = calloc(3 * n + 1, sizeof *numbers);
    if (!names || !numbers)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        names[i] = spec->columns[i].name;
        numbers[i] = spec->columns[i].fill;
        numbers[n + i] = spec->columns[i].mean;
        numbers[2 * n + i] = spec->columns[i].scale;
    }
    TRY(artifact_add_strings(writer, artifact_join(prefix, "spec.names").text, names, n, err));
    return artifact_add(writer, artifact_join(prefix, "spec.numbers").text, ARTIFACT_F32, 3, n,
                        numbers, err);
}

enum status spec_open(const struct artifact *artifact, const char *prefix,
                      struct feature_spec **ret_spec, struct error *err)
{
    const struct artifact_tag tag = artifact_join(prefix, "spec.names");
    struct artifact_section section;
    if (artifact_find(artifact, tag.text, &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 4096);
    const char *const *names = NULL;
    size_t n = 0;
    TRY(artifact_need_strings(artifact, tag.text, ARTIFACT_ANY, &arena, &names, &n, err));
    TRY(artifact_need(artifact, artifact_join(prefix, "spec.numbers").text, ARTIFACT_F32, 3, n,
                      &section, err));
    const float *numbers = section.data;
    struct error inner = {0};
    enum status status =
        feature_spec_new(names, numbers, numbers + n, numbers + 2 * n, n, ret_spec, &inner);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_INVALID)
        status = STATUS_CORRUPT; /* the same rules held when it was written */
    return fail(err, status, "%s: section '%s': %s", artifact_name(artifact), tag.text,
                inner.message);
}
