/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/spec_section.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "features/peers.h"

/* Sections: "<prefix>.spec.names" strings [n]; "<prefix>.spec.numbers" f32 [3][n]: fill, mean,
 * scale. With peer columns: "<prefix>.peers.names" strings [categories], "<prefix>.peers.cuts" f64
 * [sizes - 1][1], "<prefix>.peers.medians" f32 [(sizes + 1) (categories + 1)][peer columns]. */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "feature spec: out of memory");
}

static enum status write_peers(struct artifact_writer *writer, const char *prefix,
                               const struct feature_peers *peers, struct error *err)
{
    size_t n_cells = (peers->n_sizes + 1) * (peers->n_categories + 1);
    TRY(artifact_add_strings(writer, artifact_join(prefix, "peers.names").text, peers->categories,
                             peers->n_categories, err));
    TRY(artifact_add(writer, artifact_join(prefix, "peers.cuts").text, ARTIFACT_F64,
                     peers->n_sizes - 1, 1, peers->cuts, err));
    return artifact_add(writer, artifact_join(prefix, "peers.medians").text, ARTIFACT_F32_MISSING,
                        n_cells, peers->n_columns, peers->medians, err);
}

static enum status read_peers(const struct artifact *artifact, const char *prefix,
                              struct arena *arena, struct feature_spec *spec, struct error *err)
{
    struct feature_peers peers = {0};
    struct artifact_section section;
    TRY(artifact_need_strings(artifact, artifact_join(prefix, "peers.names").text, ARTIFACT_ANY,
                              arena, &peers.categories, &peers.n_categories, err));
    TRY(artifact_need(artifact, artifact_join(prefix, "peers.cuts").text, ARTIFACT_F64,
                      ARTIFACT_ANY, 1, &section, err));
    peers.n_sizes = section.rows + 1;
    for (size_t i = 0; i < section.rows && i < ARRAY_LENGTH(peers.cuts); i++)
        peers.cuts[i] = ((const double *)section.data)[i];
    for (size_t i = 0; i < spec->n_columns; i++)
        peers.n_columns += spec->columns[i].peer != FEATURE_N;
    TRY(artifact_need(artifact, artifact_join(prefix, "peers.medians").text, ARTIFACT_F32_MISSING,
                      (peers.n_sizes + 1) * (peers.n_categories + 1), peers.n_columns, &section,
                      err));
    peers.medians = section.data;
    return peers_set(spec, &peers, err);
}

static bool has_peers(const struct feature_spec *spec)
{
    for (size_t i = 0; i < spec->n_columns; i++)
        if (spec->columns[i].peer != FEATURE_N)
            return true;
    return false;
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
    TRY(artifact_add(writer, artifact_join(prefix, "spec.numbers").text, ARTIFACT_F32, 3, n,
                     numbers, err));
    return spec->peers ? write_peers(writer, prefix, spec->peers, err) : STATUS_OK;
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
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    enum status status =
        feature_spec_new(names, numbers, numbers + n, numbers + 2 * n, n, &spec, &inner);
    if (status == STATUS_OK && has_peers(spec))
        status = read_peers(artifact, prefix, &arena, spec, &inner);
    if (status == STATUS_OK) {
        *ret_spec = STEAL(spec);
        return STATUS_OK;
    }
    if (text_starts_with(inner.message, artifact_name(artifact))) /* it names the section */
        return fail(err, status, "%s", inner.message);
    if (status == STATUS_INVALID)
        status = STATUS_CORRUPT; /* the same rules held when it was written */
    return fail(err, status, "%s: section '%s': %s", artifact_name(artifact), tag.text,
                inner.message);
}
