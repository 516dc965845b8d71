/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

int64_t clock_utc_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct tm split(int64_t utc_us, unsigned *ret_us)
{
    int64_t us = utc_us % 1000000;
    time_t seconds = (time_t)(utc_us / 1000000);
    if (us < 0) {
        us += 1000000;
        seconds--;
    }
    *ret_us = (unsigned)us;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return parts;
}

void clock_format_utc(int64_t utc_us, char ret_text[static 28])
{
    unsigned us;
    struct tm t = split(utc_us, &us);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", t.tm_year + 1900,
             t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, us);
    snprintf(ret_text, 28, "%.27s", text);
}

void clock_format_compact(int64_t utc_us, char ret_text[static 17])
{
    unsigned us;
    struct tm t = split(utc_us, &us);
    char text[64];
    snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02dZ", t.tm_year + 1900, t.tm_mon + 1,
             t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    snprintf(ret_text, 17, "%.16s", text);
}
