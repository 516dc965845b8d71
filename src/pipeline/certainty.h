/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How sure a search's model is of held-out rows: intervals of a regression, probabilities of
 * classes. What train ships and what evaluate reports are measured by the same code. */
#include "learn/calibrate.h"
#include "learn/conformal.h"
#include "learn/crossval.h"
#include "pipeline/train_config.h"

struct certainty_input {
    const struct table *table;
    const struct target *target; /* the rows that were searched on */
    const struct crossval *crossval;
    size_t entry, repeat;           /* whose outputs are looked at */
    const struct size_tiers *sizes; /* of a regression */
    double coverage;
};

/* Followers make groups only where the target does not hide them: what gives the target away must
 * not choose the interval either. ret_offsets: as conformal_fit(). */
enum status certainty_intervals(const struct certainty_input *input, struct interval_rule *ret_rule,
                                struct conformal_measure *ret_measure,
                                struct interval_offsets *ret_offsets, struct error *err);

/* A calibration and what it does to rows that it was not fitted on. */
struct calibrated {
    double *terms;       /* [k][2]; owned */
    double *probability; /* [n][k] of held-out rows; owned */
    const char *method;  /* "none", "temperature", "vector" */
    double temperature;  /* for readers that know nothing else */
    struct class_metrics before, after;
};

enum status certainty_classes(const struct certainty_input *input,
                              struct calibrated *ret_calibrated, struct error *err);
/* "calibrated (temperature scaling)", or that they need none. */
const char *calibrated_text(const struct calibrated *calibrated);
void calibrated_deinit(struct calibrated *calibrated);

/* Held-out rows by the stated probability of the class that was told. */
#define RELIABILITY_BINS 10
struct reliability {
    size_t n[RELIABILITY_BINS];
    double stated[RELIABILITY_BINS], observed[RELIABILITY_BINS]; /* means; NaN: no row */
};
void certainty_reliability(const uint32_t *label, const double *probability, size_t n, size_t k,
                           struct reliability *ret_reliability);
