/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The rows of the demo data's files, as CSV text. Each function appends what one account
 * contributes to its file and returns how many rows that was. */
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "dataset/synth.h"

struct synth_rows {
    uint64_t seed;
    size_t n_rows; /* accounts: edges point to any of them */
    int handle_digits;
};

extern const char synth_profiles_header[];
extern const char synth_snapshot_header[];
extern const char synth_posts_header[];
extern const char synth_edges_header[];

size_t synth_put_profile(const struct synth_rows *rows, size_t row,
                         const struct synth_account *account, struct buffer *out);
size_t synth_put_snapshot(const struct synth_rows *rows, size_t row, size_t month,
                          const struct synth_account *account, struct buffer *out);
size_t synth_put_posts(const struct synth_rows *rows, size_t row,
                       const struct synth_account *account, struct buffer *out);
size_t synth_put_edges(const struct synth_rows *rows, size_t row,
                       const struct synth_account *account, struct buffer *out);
