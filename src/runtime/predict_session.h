/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What predict.c and predict_profile.c share: a session of the public interface. */
#include "influence/predict.h"
#include "profile/profile.h"
#include "runtime/engine.h"

struct ifl_session {
    const struct engine *engine;
    struct profile profile;
    char *texts[PROFILE_N_TEXTS]; /* owned; what was set as text */
    /* Of the table's own columns: all of them, in the engine's order, missing or not. */
    struct profile_extra *own; /* [n_own] owns */
    char **own_texts;          /* [n_own] owned; what was set as text */
    size_t n_own;
    void *scratch;
    const char **features; /* of the score model */
    struct ifl_similar_item items[SIMILAR_MAX_K];
};

/* The public code of a status, with its message in *err unless that is NULL. */
enum ifl_status predict_give(enum status status, const struct error *from, struct ifl_error *err);
