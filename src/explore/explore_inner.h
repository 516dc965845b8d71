/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Everything that explore_run() found, for the writers. */
#include "explore/alerts.h"
#include "explore/compare.h"
#include "explore/explore.h"
#include "explore/frame.h"
#include "explore/projection.h"
#include "explore/quality.h"
#include "explore/relations.h"
#include "explore/sample.h"
#include "explore/spread.h"
#include "explore/timing.h"

struct explore {
    struct arena memory;
    struct explore_input input; /* borrowed */
    struct frame *frame;        /* owns */
    struct quality quality;
    struct relations relations;
    struct alerts alerts;
    struct comparison comparison;
    struct sample sample;
    struct density density; /* counted when the sample leaves rows out */
    struct slope slope;
    struct spreads spreads;
    struct group_table categories, countries;
    struct growth growth;
    struct projection projection;
    struct timing timing;
};
