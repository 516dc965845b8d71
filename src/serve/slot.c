/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/slot.h"

#include <assert.h>
#include <stdlib.h>

#include "serve/metrics.h"

#define COUNT_BITS 48
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct model *slot_acquire(struct slot *slot)
{
    /* Acquire pairs with the exchange's release: the model is whole when its index is seen. */
    uint64_t word = atomic_fetch_add_explicit(&slot->current, 1, memory_order_acquire);
    uint64_t index = word >> COUNT_BITS;
    return index > 0 ? &slot->models[index - 1] : NULL;
}

void slot_release(struct model *model)
{
    if (model)
        atomic_fetch_add_explicit(&model->released, 1, memory_order_release);
}

static struct model *find_free(struct slot *slot)
{
    for (size_t i = 0; i < SLOT_MODELS; i++)
        if (!slot->models[i].in_use)
            return &slot->models[i];
    return NULL;
}

static void close_model(struct model *model)
{
    engine_close(model->engine);
    file_unmap(&model->report);
    buffer_deinit(&model->openapi);
    free(model->tally);
    for (size_t which = 0; which < N_MODEL_DRIFTS; which++) {
        for (unsigned i = 0; model->drift[which] && i < model->n_lanes; i++)
            drift_window_free(model->drift[which][i]);
        free(model->drift[which]);
    }
    *model = (struct model){0};
}

static void close_model_slot(struct model **model)
{
    if (*model)
        close_model(*model);
}

static enum status make_windows(struct model *model, enum model_drift which,
                                const struct model_parts *parts, struct error *err)
{
    static const enum engine_model of[N_MODEL_DRIFTS] = {ENGINE_SCORE, ENGINE_TIER};
    const struct drift_reference *reference =
        parts->drift_slice_s > 0 ? engine_drift(parts->engine, of[which]) : NULL;
    if (!reference)
        return STATUS_OK;
    model->drift[which] = calloc(parts->n_lanes, sizeof(struct drift_window *));
    if (!model->drift[which])
        return fail(err, STATUS_NO_MEMORY, "model: out of memory");
    for (unsigned i = 0; i < parts->n_lanes; i++)
        TRY(drift_window_new(reference, parts->drift_slice_s, &model->drift[which][i], err));
    return STATUS_OK;
}

static void put_in_place(struct slot *slot, uint64_t word)
{
    uint64_t before = atomic_exchange_explicit(&slot->current, word, memory_order_acq_rel);
    if (before >> COUNT_BITS)
        slot->models[(before >> COUNT_BITS) - 1].expected = before & COUNT_MASK;
}

enum status slot_exchange(struct slot *slot, const struct model_parts *parts, struct error *err)
{
    slot_collect(slot);
    AUTO(close_model_slot) struct model *unfinished = find_free(slot);
    struct model *model = unfinished;
    if (!model)
        return fail(err, STATUS_UNAVAILABLE, "requests still hold %d earlier models", SLOT_MODELS);
    model->n_lanes = parts->n_lanes;
    model->tally = calloc(parts->n_lanes, sizeof *model->tally);
    if (!model->tally)
        return fail(err, STATUS_NO_MEMORY, "model: out of memory");
    for (size_t which = 0; which < N_MODEL_DRIFTS; which++)
        TRY(make_windows(model, (enum model_drift)which, parts, err));
    /* Nothing can fail any more: what was the caller's is ours. */
    unfinished = NULL;
    model->engine = parts->engine;
    model->report = parts->report;
    model->openapi = parts->openapi;
    model->expected = 0;
    atomic_store_explicit(&model->released, 0, memory_order_relaxed);
    model->in_use = true;

    uint64_t index = (uint64_t)(model - slot->models) + 1;
    put_in_place(slot, index << COUNT_BITS);
    return STATUS_OK;
}

bool slot_has_model(struct slot *slot)
{
    return atomic_load_explicit(&slot->current, memory_order_relaxed) >> COUNT_BITS != 0;
}

void slot_clear(struct slot *slot)
{
    put_in_place(slot, 0);
    slot_collect(slot);
}

void slot_collect(struct slot *slot)
{
    uint64_t word = atomic_load_explicit(&slot->current, memory_order_relaxed);
    for (size_t i = 0; i < SLOT_MODELS; i++) {
        struct model *model = &slot->models[i];
        bool is_current = word >> COUNT_BITS == i + 1;
        if (model->in_use && !is_current &&
            atomic_load_explicit(&model->released, memory_order_acquire) == model->expected)
            close_model(model);
    }
}

void slot_deinit(struct slot *slot)
{
    for (size_t i = 0; i < SLOT_MODELS; i++)
        if (slot->models[i].in_use)
            close_model(&slot->models[i]);
    atomic_store(&slot->current, 0);
}
