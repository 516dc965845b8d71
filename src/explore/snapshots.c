/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/snapshots.h"

#include <stdio.h>
#include <string.h>

/* The newest source of a month before `limit` (NULL: any month), or NULL. */
static const struct import_source *newest(const struct import_report *report, const char *limit)
{
    const struct import_source *best = NULL;
    for (size_t i = 0; i < report->n_sources; i++) {
        const struct import_source *source = &report->sources[i];
        if (source->month[0] && (!limit || strcmp(source->month, limit) < 0) &&
            (!best || strcmp(source->month, best->month) > 0))
            best = source;
    }
    return best;
}

static enum status import_alone(const char *file, const struct import_options *options,
                                struct table **ret_table, struct error *err)
{
    AUTO(import_report_free_slot) struct import_report *report = NULL;
    /* Posts and edges are no part of a month. */
    struct import_options alone = options ? *options : (struct import_options){0};
    alone.joins = (struct import_joins){0};
    return import_files(&file, 1, &alone, ret_table, &report, err);
}

enum status explore_snapshots_load(const char *const *files, size_t n_files,
                                   const struct import_options *options,
                                   const struct import_report *report,
                                   struct explore_snapshots *ret_snapshots, struct error *err)
{
    AUTO(explore_snapshots_deinit) struct explore_snapshots snapshots = {0};
    *ret_snapshots = snapshots;
    const struct import_source *after = newest(report, NULL);
    const struct import_source *before = after ? newest(report, after->month) : NULL;
    /* A source is a file, in order, unless one file holds several months. */
    if (!before || report->n_sources != n_files)
        return STATUS_OK;
    snprintf(snapshots.before_name, sizeof snapshots.before_name, "%.7s", before->month);
    snprintf(snapshots.after_name, sizeof snapshots.after_name, "%.7s", after->month);
    TRY(import_alone(files[before - report->sources], options, &snapshots.before, err));
    TRY(import_alone(files[after - report->sources], options, &snapshots.after, err));
    *ret_snapshots = snapshots;
    snapshots = (struct explore_snapshots){0};
    return STATUS_OK;
}

void explore_snapshots_deinit(struct explore_snapshots *snapshots)
{
    table_free(snapshots->before);
    table_free(snapshots->after);
    *snapshots = (struct explore_snapshots){0};
}

void explore_snapshots_use(const struct explore_snapshots *snapshots, struct explore_input *input)
{
    input->before = snapshots->before;
    input->after = snapshots->after;
    input->before_name = snapshots->before_name;
    input->after_name = snapshots->after_name;
}
