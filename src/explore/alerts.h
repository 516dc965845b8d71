/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a careful reader of the table would want to be told. */
#include "explore/quality.h"
#include "explore/relations.h"

enum alert_kind {
    ALERT_FEW_ROWS,
    ALERT_DUPLICATES,
    ALERT_MISSING,
    ALERT_CONSTANT,
    ALERT_ZEROS,
    ALERT_IMBALANCE,
    ALERT_UNIQUE,
    ALERT_HIGH_CORRELATION,
    ALERT_SKEWED,
    ALERT_OUTLIERS,
    ALERT_N_KINDS
};

extern const char *const alert_names[ALERT_N_KINDS];

struct alert {
    enum alert_kind kind;
    bool is_warning;
    const char *columns[2]; /* NULL: none, or only one */
    double value, threshold;
    const char *text; /* one sentence */
};

struct alerts {
    struct alert *items; /* warnings first, then by kind */
    size_t n;
};

enum status alerts_find(const struct frame *frame, const struct quality *quality,
                        const struct relations *relations, struct arena *memory,
                        struct alerts *ret_alerts, struct error *err);
