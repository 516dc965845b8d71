/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/grid.h"

#include <stdbool.h>

static bool is_ascending(const float *grid, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 1; c < columns; c++)
            if (!(grid[r * columns + c] >= grid[r * columns + c - 1]))
                return false;
    return true;
}

enum status grid_need(const struct artifact *artifact, const char *tag, size_t rows, size_t columns,
                      const float **ret_grid, struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, tag, ARTIFACT_F32, rows, columns, &section, err));
    if (!is_ascending(section.data, rows, columns))
        return fail(err, STATUS_CORRUPT, "%s: section '%s': its values do not ascend",
                    artifact_name(artifact), tag);
    *ret_grid = section.data;
    return STATUS_OK;
}

enum status grid_add(struct artifact_writer *writer, const char *tag, size_t rows, size_t columns,
                     const float *grid, struct error *err)
{
    if (!is_ascending(grid, rows, columns))
        return fail(err, STATUS_INVALID, "section '%s': its values do not ascend", tag);
    return artifact_add(writer, tag, ARTIFACT_F32, rows, columns, grid, err);
}
