/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where a training run's time and memory go, stage by stage. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"

#define STAGES_MAX 24

struct stage {
    const char *name; /* borrowed: a constant */
    double seconds;
    double cpu_seconds; /* of all threads */
    double peak_mb;     /* largest resident set of the process so far */
};

struct stages {
    struct stage items[STAGES_MAX];
    size_t n;
    struct stage *running; /* NULL: none */
    uint64_t begin_ns, begin_cpu_ns;
};

/* The stage before ends and `name` begins; NULL: only the former. One that ran before goes on. */
void stages_enter(struct stages *stages, const char *name);

void stages_print(const struct stages *stages, FILE *out);

/* Value: [{name, seconds, cpu_seconds, peak_mb}]. */
void stages_put_json(const struct stages *stages, struct json_writer *w);
