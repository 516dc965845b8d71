/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/own_neighbours.h"

#include <stdlib.h>

#include "runtime/scratch.h"

void own_neighbours_deinit(struct own_neighbours *own)
{
    free(own->scratch);
    neighbours_close(own->neighbours);
    artifact_close(own->artifact);
    free(own->bytes);
}

enum status own_neighbours_init(struct own_neighbours *own, const struct neighbour_rows *rows,
                                uint64_t seed, struct error *err)
{
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    size_t n_bytes = 0;
    TRY(artifact_writer_new(ARTIFACT_SIMILAR, &writer, err));
    TRY(neighbours_write(writer, rows->x, rows->n, rows->dim, seed, err));
    TRY(artifact_finish(writer, &own->bytes, &n_bytes, err));
    TRY(artifact_open_memory(own->bytes, n_bytes, "neighbours", &own->artifact, err));
    TRY(neighbours_open(own->artifact, &own->neighbours, err));
    size_t bytes = scratch_align(neighbours_scratch_bytes(own->neighbours));
    own->scratch = aligned_alloc(64, bytes ? bytes : 64);
    return own->scratch ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

enum status own_neighbours_write(const struct own_neighbours *own, struct artifact_writer *writer,
                                 struct error *err)
{
    for (size_t i = 0; i < artifact_n_sections(own->artifact); i++) {
        struct artifact_section section = artifact_section_at(own->artifact, i);
        TRY(artifact_add(writer, artifact_tag(own->artifact, i), section.type, section.rows,
                         section.columns, section.data, err));
    }
    return STATUS_OK;
}

static bool is_other(void *user, uint32_t row)
{
    return row != *(const uint32_t *)user;
}

size_t own_neighbours_of_row(const struct own_neighbours *own, const struct neighbour_rows *rows,
                             uint32_t row, size_t k, struct neighbour *ret)
{
    const struct neighbours_query query = {rows->x + row * rows->dim, k, is_other, &row};
    return neighbours_search(own->neighbours, &query, own->scratch, ret);
}
