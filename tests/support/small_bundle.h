/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A whole small bundle of invented figures, in memory: trees for the score, linear tiers beside a
 * size model, three archetypes, a catalogue of twelve. The same bytes every time. */
#include "runtime/engine.h"

#define SMALL_BUNDLE_ROWS 12

struct small_bundle {
    struct engine_blob blobs[ENGINE_N_BLOBS]; /* owns the bytes */
};

enum status small_bundle_make(struct small_bundle *ret_bundle, struct error *err);
void small_bundle_free(struct small_bundle *bundle);

/* A row of the catalogue, row < SMALL_BUNDLE_ROWS. Some fields of some rows are missing. */
void small_bundle_profile(size_t row, struct profile *ret_profile);
