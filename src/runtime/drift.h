/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Drift: how far what is asked lies from what the model was trained on.
 *
 * A reference travels in the score and the tier blob: for each feature (a numeric column, or all
 * levels of one text together) and for the model's own output, the shares of the training rows in a
 * few bins, the range, the missing and the unseen. A window counts what is asked into the same
 * bins, in slices of time, of which the oldest is dropped as a new one begins: one writer, any
 * readers.
 *
 * The figures, between the shares p of the window and q of the reference:
 *   psi           sum (p - q) ln(p / q), each share at least DRIFT_FLOOR; below .1 nothing has
 *                 happened, above .25 much has (Siddiqi 2006, ch. 6)
 *   js            Jensen-Shannon distance, the root of the divergence in bits: 0..1 (Lin 1991)
 *   wasserstein   area between the distribution functions, even within a bin, over the standard
 *                 deviation of the reference; what lies out of the range counts with its distance
 *   missing, unseen, out_of_range     shares of all rows; the last two of rows not missing. Unseen
 * is a level that training did not know, or knew too few rows of */
#include <stdbool.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/json.h"
#include "features/spec.h"

#define DRIFT_BINS 10    /* of a number: deciles of the training rows */
#define DRIFT_FLOOR 1e-4 /* of a share */
#define DRIFT_MODERATE 0.1
#define DRIFT_MAJOR 0.25

/* ---- the reference ---- */

struct drift_feature {
    const char *name;
    bool is_level;
    size_t first_column, n_columns; /* of the raw features; the output has none */
    size_t first_bin, n_bins;       /* of shares and edges */
    size_t missing_bin, other_bin;  /* of a level: those of these names; SIZE_MAX: none */
    double low, high;               /* the training rows' range; numbers only */
    double missing, unseen;         /* shares of the training rows */
    double spread;                  /* their standard deviation; 1 where there is none */
};

struct drift_reference {
    size_t n_features; /* the last one is the output */
    const struct drift_feature *features;
    size_t n_bins;
    const double *share; /* [n_bins]; of a feature they sum to 1, or are all 0 */
    const double *edge;  /* [n_bins] upper ends, included; numbers only */
    double rows;         /* of the training */
};

/* Training rows, and what the model says of rows it has not seen. */
struct drift_sample {
    const struct feature_spec *spec;
    const float *raw; /* [n][spec->n_columns] */
    size_t n;
    const char *output_name;
    const double *output; /* [n_output] the value, or the class */
    size_t n_output;
    size_t n_classes; /* 0: the output is a number */
};
enum status drift_write(struct artifact_writer *writer, const char *prefix,
                        const struct drift_sample *sample, struct error *err);

/* In `arena`, and the artifact. n_classes: as when it was written. STATUS_NOT_FOUND without a
 * message: the blob has none. */
enum status drift_open(const struct artifact *artifact, const char *prefix,
                       const struct feature_spec *spec, size_t n_classes, struct arena *arena,
                       const struct drift_reference **ret_reference, struct error *err);

/* ---- the window ---- */

#define DRIFT_SLICES 6

struct drift_window;

/* slice_s: seconds of a slice; a window holds between five and six of them. The reference is
 * borrowed. */
enum status drift_window_new(const struct drift_reference *reference, int64_t slice_s,
                             struct drift_window **ret_window, struct error *err);
void drift_window_free(struct drift_window *window);
DEFINE_SLOT(drift_window_free, struct drift_window)

/* Count one row. output: the value, or the class. Only one thread at a time. */
void drift_observe(struct drift_window *window, int64_t now_s, const float *raw, double output);

struct drift_figures {
    double rows;                 /* in the windows */
    double psi, js, wasserstein; /* NaN: no row has the feature, or (the last) it is no number */
    double missing, unseen, out_of_range;
};

/* The figures of one feature over n windows of one reference. Any thread. */
void drift_measure(struct drift_window *const *windows, size_t n, int64_t now_s, size_t feature,
                   struct drift_figures *ret_figures);

/* Rows of the n windows in each bin of one feature, as psi takes them: what lies out of the range
 * is in the first or the last bin, unseen levels are in one of their own behind them, missing rows
 * in none. Sums over windows of one reference, here or elsewhere, give the psi of all of them.
 * ret_rows: [n_bins + 1]. Any thread. */
void drift_bins(struct drift_window *const *windows, size_t n, int64_t now_s, size_t feature,
                double *ret_rows);

/* "none", "moderate" or "major": by psi, or where it is worse by the share that is missing beyond
 * the training's, since rows without the feature are in no bin. */
const char *drift_verdict(const struct drift_feature *feature, const struct drift_figures *figures);

/* All of it as an object: rows, reference_rows, output, features. */
void drift_put(struct drift_window *const *windows, size_t n, int64_t now_s, struct json_writer *w);
