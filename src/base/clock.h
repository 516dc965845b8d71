/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

uint64_t clock_monotonic_ns(void);

/* CPU time of the process, all threads. */
uint64_t clock_cpu_ns(void);

/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t clock_utc_us(void);

/* "2026-01-31T12:34:56.789012Z" (27 characters and a NUL) for a time of clock_utc_us(). */
void clock_format_utc(int64_t utc_us, char ret_text[static 28]);

/* "20260131T123456Z" (16 characters and a NUL): for file names. */
void clock_format_compact(int64_t utc_us, char ret_text[static 17]);
