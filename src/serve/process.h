/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The process_... figures that Prometheus expects of every exporter, from /proc/self. */
#include "base/text.h"

void process_write(double start_time_s, struct buffer *out);
