/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/stages.h"

#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"

static double peak_mb(void)
{
    struct rusage usage;
    /* ru_maxrss is in KiB on Linux. */
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss * 1024 / 1e6 : 0;
}

static struct stage *find(struct stages *stages, const char *name)
{
    for (size_t i = 0; i < stages->n; i++)
        if (strcmp(stages->items[i].name, name) == 0)
            return &stages->items[i];
    if (stages->n == STAGES_MAX)
        return &stages->items[STAGES_MAX - 1];
    stages->items[stages->n] = (struct stage){.name = name};
    return &stages->items[stages->n++];
}

void stages_enter(struct stages *stages, const char *name)
{
    uint64_t now = clock_monotonic_ns();
    uint64_t cpu = clock_cpu_ns();
    if (stages->running) {
        struct stage *stage = stages->running;
        stage->seconds += (double)(now - stages->begin_ns) * 1e-9;
        stage->cpu_seconds += (double)(cpu - stages->begin_cpu_ns) * 1e-9;
        stage->peak_mb = peak_mb();
    }
    stages->running = name ? find(stages, name) : NULL;
    stages->begin_ns = now;
    stages->begin_cpu_ns = cpu;
}

void stages_print(const struct stages *stages, FILE *out)
{
    fprintf(out, "  %-26s %9s %9s %9s\n", "stage", "seconds", "CPU s", "peak MB");
    for (size_t i = 0; i < stages->n; i++) {
        const struct stage *stage = &stages->items[i];
        fprintf(out, "  %-26s %9.2f %9.2f %9.1f\n", stage->name, stage->seconds, stage->cpu_seconds,
                stage->peak_mb);
    }
}

void stages_put_json(const struct stages *stages, struct json_writer *w)
{
    json_begin_array(w);
    for (size_t i = 0; i < stages->n; i++) {
        const struct stage *stage = &stages->items[i];
        json_begin_object(w);
        json_member_string(w, "name", stage->name);
        json_member_fixed(w, "seconds", stage->seconds, 3);
        json_member_fixed(w, "cpu_seconds", stage->cpu_seconds, 3);
        json_member_fixed(w, "peak_mb", stage->peak_mb, 1);
        json_end_object(w);
    }
    json_end_array(w);
}
