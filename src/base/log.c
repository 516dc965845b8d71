/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic enum log_level current_level = LOG_INFO;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&current_level, level, memory_order_relaxed);
}

enum log_level log_level(void)
{
    return atomic_load_explicit(&current_level, memory_order_relaxed);
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > log_level())
        return;
    /* One write a line, so that lines of several threads do not mix. */
    char line[1024];
    int used = snprintf(line, sizeof line, "%s: ", level_names[level]);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line + used, sizeof line - (size_t)used, format, args);
    va_end(args);
    if (length < 0)
        return;
    size_t total = (size_t)used + (size_t)length;
    if (total > sizeof line - 2)
        total = sizeof line - 2;
    line[total] = '\n';
    fwrite(line, 1, total + 1, stderr);
}
