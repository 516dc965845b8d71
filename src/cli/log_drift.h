/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence log drift`: the daemon's /drift, over rows of the log instead of a window. */
#include <stdbool.h>

#include "reqlog/reader.h"

struct log_drift {
    const char *path, *bundle;
    struct reqlog_filter filter;
    bool any_model; /* whose answers count; else the bundle's own alone */
    bool as_json;
};

/* The exit status. */
int log_drift_run(const struct log_drift *drift);
