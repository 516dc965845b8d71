/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influenced --check`: whether configuration, bundles, log, address, access and limits are fit, as
 * whom and from where it is run, a line each, with what to do where they are not. Starts and
 * changes nothing. */
#include <stdio.h>

#include "base/status.h"
#include "serve/config.h"

/* The first thing without which it would not start, or OK; all are told on `out`. config_path:
 * NULL: none was read; n_loops: event loops. */
enum status check_all(const struct serve_config *config, const char *config_path, unsigned n_loops,
                      FILE *out, struct error *err);
