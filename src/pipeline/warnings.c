/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/warnings.h"

#include <string.h>

#include "explore/compare.h"

/* Beyond it a distribution has moved much: the usual reading of the population stability index. */
#define PSI_MUCH 0.25
#define FEW_ROWS 100
#define RARE_SHARE 0.02 /* of a class */
#define RARE_ROWS 10

void warnings_add_list(struct warnings *warnings, struct arena *arena, const char *format,
                       va_list args)
{
    char text[400];
    vsnprintf(text, sizeof text, format, args);
    for (size_t i = 0; i < warnings->n; i++)
        if (strcmp(warnings->texts[i], text) == 0)
            return;
    char *copy = arena_strdup(arena, text);
    if (copy && warnings->n < WARNINGS_MAX)
        warnings->texts[warnings->n++] = copy;
}

void warnings_add(struct warnings *warnings, struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    warnings_add_list(warnings, arena, format, args);
    va_end(args);
}

void warnings_add_few(struct warnings *warnings, struct arena *arena, size_t n_rows)
{
    if (n_rows < FEW_ROWS)
        warnings_add(warnings, arena,
                     "only %zu rows: figures swing with the folds, trust none of them", n_rows);
}

void warnings_add_rare(struct warnings *warnings, struct arena *arena, const struct target *target)
{
    for (size_t c = 0; c < target->n_classes; c++)
        if ((double)target->class_counts[c] < RARE_SHARE * (double)target->n ||
            target->class_counts[c] < RARE_ROWS)
            warnings_add(warnings, arena, "%s: class '%s' has %zu of %zu rows: it will be missed",
                         target->name, target->class_names[c], target->class_counts[c], target->n);
}

enum status warnings_add_drift(struct warnings *warnings, struct arena *arena,
                               const struct explore_snapshots *snapshots, struct error *err)
{
    if (!snapshots->before || !snapshots->after)
        return STATUS_OK;
    struct comparison comparison;
    TRY(compare_tables(snapshots->before, snapshots->after, &comparison, err));
    for (size_t i = 0; i < comparison.n_columns; i++) {
        const struct compared_column *column = &comparison.columns[i];
        if (column->psi > PSI_MUCH)
            warnings_add(warnings, arena,
                         "%s drifted between %s and %s (PSI %.2f): what was learnt of one month "
                         "may not hold in the next",
                         column->name, snapshots->before_name, snapshots->after_name, column->psi);
    }
    return STATUS_OK;
}

void warnings_print(const struct warnings *warnings, FILE *out)
{
    for (size_t i = 0; i < warnings->n; i++)
        fprintf(out, "%scareful: %s\n", i ? "" : "\n", warnings->texts[i]);
}

void warnings_put_json(const struct warnings *warnings, struct json_writer *w)
{
    json_put_key(w, "warnings");
    json_begin_array(w);
    for (size_t i = 0; i < warnings->n; i++)
        json_put_string(w, warnings->texts[i]);
    json_end_array(w);
}
