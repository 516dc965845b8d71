/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/clock.h"
#include "serve/handlers.h"
#include "serve/request.h"
#include "serve/service.h"

static const char *const names[N_MODEL_DRIFTS] = {"score", "tier"};
static const enum engine_model models[N_MODEL_DRIFTS] = {ENGINE_SCORE, ENGINE_TIER};

enum status handle_drift(struct request *request, struct error *err)
{
    int64_t minutes = request->service->config->drift_window_minutes;
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    const struct model *model = request->model;
    if (!model)
        return fail(err, STATUS_UNAVAILABLE, "no model is loaded");
    if (minutes == 0)
        return fail(err, STATUS_NOT_FOUND, "drift is not watched: drift.window_minutes is 0");
    if (!model->drift[DRIFT_OF_SCORE] && !model->drift[DRIFT_OF_TIER])
        return fail(err, STATUS_NOT_FOUND,
                    "the bundle has no reference to compare with: an earlier version made it");
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(model->engine));
    json_member_integer(&w, "window_minutes", minutes);
    for (size_t i = 0; i < N_MODEL_DRIFTS; i++) {
        json_put_key(&w, names[i]);
        if (model->drift[i])
            drift_put(model->drift[i], model->n_lanes, clock_utc_us() / 1000000, &w);
        else
            json_put_null(&w);
    }
    json_end_object(&w);
    return STATUS_OK;
}

/* ---- for Prometheus ---- */

enum figure {
    PSI,
    JS,
    WASSERSTEIN,
    MISSING_SHARE,
    MISSING_IN_TRAINING,
    UNSEEN,
    OUT_OF_RANGE,
    N_FIGURES
};

static const struct {
    const char *name, *help;
} figures_of[N_FIGURES] = {
    {"influenced_drift_psi", "Population stability index: above .1 moderate, above .25 major."},
    {"influenced_drift_js_distance", "Jensen-Shannon distance, 0 to 1."},
    {"influenced_drift_wasserstein",
     "Wasserstein distance in standard deviations of the training."},
    {"influenced_drift_missing_ratio", "Share of profiles without the feature."},
    {"influenced_drift_missing_training_ratio", "Share of training rows without the feature."},
    {"influenced_drift_unseen_ratio", "Share of values that training hardly knew."},
    {"influenced_drift_out_of_range_ratio", "Share of values beyond all of the training's."},
};

static double value_of(const struct drift_feature *feature, const struct drift_figures *figures,
                       enum figure which)
{
    switch (which) {
    case PSI:
        return figures->psi;
    case JS:
        return figures->js;
    case WASSERSTEIN:
        return figures->wasserstein;
    case MISSING_SHARE:
        return figures->missing;
    case MISSING_IN_TRAINING:
        return feature->missing;
    case UNSEEN:
        return figures->unseen;
    case OUT_OF_RANGE:
        return figures->out_of_range;
    case N_FIGURES:
        break;
    }
    return MISSING;
}

static void write_model(const struct model *model, size_t which, enum figure figure, int64_t now_s,
                        struct buffer *out)
{
    const struct drift_reference *reference = engine_drift(model->engine, models[which]);
    for (size_t i = 0; model->drift[which] && i < reference->n_features; i++) {
        const struct drift_feature *feature = &reference->features[i];
        struct drift_figures measured;
        drift_measure(model->drift[which], model->n_lanes, now_s, i, &measured);
        double value = value_of(feature, &measured, figure);
        bool fits = figure == UNSEEN         ? feature->is_level
                    : figure == OUT_OF_RANGE ? !feature->is_level
                                             : true;
        if (isnan(value) || !fits || !(measured.rows > 0))
            continue;
        buffer_printf(out, "%s{model=\"%s\",feature=\"", figures_of[figure].name, names[which]);
        metrics_put_label(out, feature->name);
        buffer_put_text(out, "\"} ");
        buffer_put_number(out, value);
        buffer_put_char(out, '\n');
    }
}

/* ---- bins: summed over replicas, they give the figures of all ---- */

enum of_bin {
    WINDOW_ROWS,
    TRAINING_SHARE,
    N_OF_BIN
};

#define BIN_UNSEEN SIZE_MAX

static const struct {
    const char *name, *help;
} of_bins[N_OF_BIN] = {
    {"influenced_drift_bin_rows",
     "Profiles in the window by bin of the feature; bins of one version may be summed."},
    {"influenced_drift_bin_training_ratio", "Share of the training rows in the bin."},
};

static void write_bin_labels(const struct model *model, size_t which, const char *feature,
                             size_t bin, struct buffer *out)
{
    buffer_printf(out, "{version=\"%s\",model=\"%s\",feature=\"", engine_version(model->engine),
                  names[which]);
    metrics_put_label(out, feature);
    if (bin == BIN_UNSEEN)
        buffer_put_text(out, "\",bin=\"unseen\"} ");
    else
        buffer_printf(out, "\",bin=\"%zu\"} ", bin);
}

static void write_bins(const struct model *model, size_t which, enum of_bin kind, int64_t now_s,
                       struct buffer *out)
{
    const struct drift_reference *reference = engine_drift(model->engine, models[which]);
    for (size_t i = 0; i < reference->n_features; i++) {
        const struct drift_feature *feature = &reference->features[i];
        double rows[FEATURE_MAX_COLUMNS + 1];
        drift_bins(model->drift[which], model->n_lanes, now_s, i, rows);
        for (size_t bin = 0; bin < feature->n_bins + feature->is_level; bin++) {
            bool is_unseen = bin == feature->n_bins;
            double share = is_unseen ? 0 : reference->share[feature->first_bin + bin];
            if (bin == feature->missing_bin)
                continue;
            buffer_put_text(out, of_bins[kind].name);
            write_bin_labels(model, which, feature->name, is_unseen ? BIN_UNSEEN : bin, out);
            buffer_put_number(out, kind == WINDOW_ROWS ? rows[bin] : share);
            buffer_put_char(out, '\n');
        }
    }
}

void drift_write_bins(const struct model *model, struct buffer *out)
{
    int64_t now_s = clock_utc_us() / 1000000;
    if (!model->drift[DRIFT_OF_SCORE] && !model->drift[DRIFT_OF_TIER])
        return;
    for (size_t kind = 0; kind < N_OF_BIN; kind++) {
        buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", of_bins[kind].name,
                      of_bins[kind].help, of_bins[kind].name);
        for (size_t i = 0; i < N_MODEL_DRIFTS; i++)
            if (model->drift[i])
                write_bins(model, i, (enum of_bin)kind, now_s, out);
    }
}

void drift_write_metrics(const struct model *model, struct buffer *out)
{
    int64_t now_s = clock_utc_us() / 1000000;
    if (!model->drift[DRIFT_OF_SCORE] && !model->drift[DRIFT_OF_TIER])
        return;
    buffer_put_text(out, "# HELP influenced_drift_rows Profiles in the window.\n"
                         "# TYPE influenced_drift_rows gauge\n");
    for (size_t i = 0; i < N_MODEL_DRIFTS; i++) {
        struct drift_figures measured;
        if (!model->drift[i])
            continue;
        drift_measure(model->drift[i], model->n_lanes, now_s, 0, &measured);
        buffer_printf(out, "influenced_drift_rows{model=\"%s\"} %.0f\n", names[i], measured.rows);
    }
    for (size_t figure = 0; figure < N_FIGURES; figure++) {
        buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", figures_of[figure].name,
                      figures_of[figure].help, figures_of[figure].name);
        for (size_t i = 0; i < N_MODEL_DRIFTS; i++)
            write_model(model, i, (enum figure)figure, now_s, out);
    }
}
