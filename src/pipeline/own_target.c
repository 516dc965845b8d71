/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/own_target.h"

#include <string.h>

#include "base/text.h"
#include "dataset/labels.h"
#include "dataset/snapshots.h"
#include "pipeline/train_config.h"

#define MAX_BINS 64

bool own_target_is_growth(const struct own_target *input)
{
    return input->target && !input->labels && strcmp(input->target, SNAPSHOTS_GROWTH) == 0;
}

static enum status cut(const struct own_target *input, struct target *target, struct error *err)
{
    double cuts[MAX_BINS];
    size_t n_cuts = 0;
    const char *bins = input->bins;
    bool tertile = strcmp(bins, "tertile") == 0;
    if (!tertile && !text_starts_with(bins, "quantiles:")) {
        TRY(train_config_numbers("--bins", bins, MAX_BINS, cuts, &n_cuts, err));
    } else {
        int64_t n_bins = 3;
        const char *number = bins + strlen("quantiles:");
        if (!tertile && (!text_parse_integer(number, strlen(number), &n_bins) || n_bins < 2 ||
                         n_bins > MAX_BINS))
            return fail(err, STATUS_INVALID, "--bins: quantiles:N takes 2 to %d, got '%s'",
                        MAX_BINS, number);
        TRY(target_quantiles(target, (size_t)n_bins, cuts, err));
        n_cuts = (size_t)n_bins - 1;
    }
    TRY(target_cut(target, cuts, n_cuts, NULL, err));
    target_drop_empty(target);
    return STATUS_OK;
}

static enum status import(const struct own_target *input, struct table **ret_table,
                          struct import_report **ret_report, struct error *err)
{
    struct import_options options = {.schema_dir = input->schema_dir,
                                     .joins = input->joins,
                                     .growth = own_target_is_growth(input)};
    enum status status =
        import_files(input->files, input->n_files, &options, ret_table, ret_report, err);
    if (status != STATUS_INVALID || !options.growth)
        return status;
    /* One month only: a column may be called growth. */
    struct error again = {0};
    import_report_free(*ret_report);
    options.growth = false;
    TRY(import_files(input->files, input->n_files, &options, ret_table, ret_report, &again));
    return table_find_extra(*ret_table, SNAPSHOTS_GROWTH) != SIZE_MAX ? STATUS_OK : status;
}

enum status own_target_make(const struct own_target *input, struct table **ret_table,
                            struct import_report **ret_report, struct target **ret_target,
                            struct error *err)
{
    AUTO(table_free_slot) struct table *table = NULL;
    AUTO(target_free_slot) struct target *target = NULL;
    progress_show(input->progress, "importing", -1);
    TRY(import(input, &table, ret_report, err));
    if (input->labels)
        TRY(labels_join(table, input->labels, input->schema_dir, err));
    TRY(table_read_extras(table, err));
    if (input->labels)
        TRY(target_of_extra(table, 0, &target, err));
    else
        TRY(target_column(table, input->target, &target, err));
    if (input->bins)
        TRY(cut(input, target, err));
    if (input->top > 0)
        TRY(target_top(target, input->top, err));
    *ret_table = STEAL(table);
    *ret_target = STEAL(target);
    return STATUS_OK;
}
