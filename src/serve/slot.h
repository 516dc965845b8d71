/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The model in service, and its exchange for another while requests run.
 *
 * slot_acquire() and slot_release() are wait-free: a request counts itself into the current model
 * with one fetch-and-add, and out with another. The word `current` holds the index of the current
 * model (high bits) and how many acquired it (low bits), so that reading the index and counting is
 * one step; an exchange learns from the old word how many releases to wait for (split reference
 * count: Williams, C++ Concurrency in Action, 7.2.4). Exchange and collection belong to one thread,
 * the one that reloads. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/text.h"
#include "runtime/engine.h"

struct model_tally;

enum model_drift {
    DRIFT_OF_SCORE,
    DRIFT_OF_TIER,
    N_MODEL_DRIFTS
};

#define SLOT_MODELS 64 /* current, and retired ones whose last request still runs */

struct model {
    struct engine *engine;     /* owns */
    struct file_map report;    /* owns: report.json, empty when the bundle has none */
    struct buffer openapi;     /* owns: openapi.json; empty but for the main model */
    struct model_tally *tally; /* [n_lanes] owns */
    /* [n_lanes] owns; NULL: the blob has no reference, or drift is not watched. */
    struct drift_window **drift[N_MODEL_DRIFTS];
    unsigned n_lanes;
    _Atomic uint64_t released;
    uint64_t expected; /* releases after which a retired model is free; the reloading thread's */
    bool in_use;       /* the reloading thread's */
};

struct slot {
    _Atomic uint64_t current; /* index of the model + 1, and the count; 0: no model */
    struct model models[SLOT_MODELS];
};

/* The current model, counted; NULL before the first exchange. Any thread. */
struct model *slot_acquire(struct slot *slot);
void slot_release(struct model *model);

/* Take the engine, its report and its description into service; the one before is retired.
 * STATUS_UNAVAILABLE: SLOT_MODELS models are still held by requests; all stay the caller's. */
struct model_parts {
    struct engine *engine;
    struct file_map report;
    struct buffer openapi;
    unsigned n_lanes;
    int64_t drift_slice_s; /* 0: drift is not watched */
};
enum status slot_exchange(struct slot *slot, const struct model_parts *parts, struct error *err);

bool slot_has_model(struct slot *slot);

/* Take the model out of service, with none in its place. */
void slot_clear(struct slot *slot);

/* Close the retired models that no request holds any more. */
void slot_collect(struct slot *slot);

/* No request may hold a model any more. */
void slot_deinit(struct slot *slot);
