/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influenced --check`: whether configuration, bundles, log, address, access and limits are fit, a
 * line each, with what to do where they are not. Starts and changes nothing. */
#include <stdio.h>

#include "base/status.h"
#include "serve/config.h"

/* The first thing without which it would not start, or OK; all are told on `out`. n_loops: event
 * loops. */
enum status check_all(const struct serve_config *config, unsigned n_loops, FILE *out,
                      struct error *err);
