/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The process_... figures that Prometheus expects of every exporter, from /proc/self, and what it
 * may grow to. */
#include <stdint.h>

#include "base/text.h"

void process_write(double start_time_s, struct buffer *out);

/* Memory that there is for it: the least bound of its control groups (version 2), be they a unit's
 * or a container's, and what the machine has available. 0: unknown. root: "", but for tests. */
int64_t process_memory_bytes(const char *root);
