/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A line a request on stderr, in logfmt or JSON. A loop never waits for who reads them: when the
 * pipe is full the line is dropped, and counted. No query, body or token is in a line. */
#include <stdbool.h>
#include <stdint.h>

struct request;

/* False: dropped. Any thread. */
bool access_lines_write(const struct request *request, uint64_t latency_ns);
