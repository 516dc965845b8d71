/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Trees out of a model as XGBoost 1.7 saves it in JSON. */
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "runtime/predictor.h"

/* Read the trees of `text` into `model`, whose n_inputs and n_outputs say what to expect; arrays
 * live in `arena`. Nodes are numbered anew from the root, depth first, so that children follow
 * their parent and what pruning left behind is gone. STATUS_INTERNAL: not of the expected shape. */
enum status boosting_trees_read(const char *text, size_t length, struct arena *arena,
                                struct tree_model *model, struct error *err);
