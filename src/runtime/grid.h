/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Percentile grids in a blob: rows of ascending floats, for composite_percentile(). */
#include <stddef.h>

#include "artifact/artifact.h"

/* A section of rows that ascend; ret_grid: [rows][columns], in the artifact. */
enum status grid_need(const struct artifact *artifact, const char *tag, size_t rows, size_t columns,
                      const float **ret_grid, struct error *err);

/* Write one; STATUS_INVALID when a row does not ascend. */
enum status grid_add(struct artifact_writer *writer, const char *tag, size_t rows, size_t columns,
                     const float *grid, struct error *err);
