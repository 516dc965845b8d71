/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/own_target.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataset/snapshots.h"
#include "pipeline/post_table.h"
#include "pipeline/row_filter.h"
#include "pipeline/train_config.h"

#define MAX_BINS 64
#define MAX_POSTS 200000 /* that are learnt from */

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

static bool is_of_posts(const struct own_target *input)
{
    return input->target && strcmp(input->target, OWN_TARGET_POST_LIFT) == 0;
}

static enum status import(const struct own_target *input, struct table **ret_table,
                          struct import_report **ret_report, struct error *err)
{
    struct import_options options = {.schema_dir = input->schema_dir,
                                     .joins = input->joins,
                                     .growth = own_target_is_growth(input)};
    if (is_of_posts(input))
        options.joins.n_posts = 0; /* one by one, not as figures of the account */
    enum status status =
        import_files(input->files, input->n_files, &options, ret_table, ret_report, err);
    if (status != STATUS_INVALID || !options.growth)
        return status;
    /* One month only: a column may be called growth. */
    struct error again = {0};
    import_report_free(*ret_report);
    options.growth = false;
    if (import_files(input->files, input->n_files, &options, ret_table, ret_report, &again) !=
        STATUS_OK)
        return status;
    return table_find_extra(*ret_table, SNAPSHOTS_GROWTH) != SIZE_MAX ? STATUS_OK : status;
}

void own_cases_deinit(struct own_cases *cases)
{
    target_free(cases->target);
    table_free(cases->table);
    lifts_free(cases->lifts);
    table_free(cases->accounts);
    import_report_free(cases->imported);
}

static enum status make_posts(const struct own_target *input, struct own_cases *cases,
                              struct error *err)
{
    if (input->joins.n_posts == 0)
        return fail(err, STATUS_INVALID, "--target " OWN_TARGET_POST_LIFT " needs --posts FILE");
    struct lifts_input lifts = {.files = input->joins.posts,
                                .n_files = input->joins.n_posts,
                                .max_posts = MAX_POSTS,
                                .progress = input->progress};
    cases->accounts = STEAL(cases->table);
    TRY(lifts_read(cases->accounts, &lifts, NULL, &cases->lifts, err));
    return post_table_make(cases->accounts, cases->lifts, &cases->table, &cases->target, err);
}

enum status own_target_prepare(const struct own_target *input, struct table *table,
                               struct labels_joined *ret_joined, struct error *err)
{
    if (input->labels)
        TRY(labels_join(table, input->labels, input->schema_dir, ret_joined, err));
    return table_read_extras(table, err);
}

static enum status find_column(const struct own_target *input, const struct table *table,
                               struct target **ret_target, struct error *err)
{
    /* labels_join() puts them first. */
    return input->labels ? target_of_extra(table, 0, ret_target, err)
                         : target_column(table, input->target, ret_target, err);
}

static enum status make_classes(const struct own_target *input, struct target *target,
                                struct error *err)
{
    if (input->bins)
        TRY(cut(input, target, err));
    return input->top > 0 ? target_top(target, input->top, err) : STATUS_OK;
}

enum status own_target_choose(const struct own_target *input, const struct table *table,
                              struct target **ret_target, struct error *err)
{
    AUTO(target_free_slot) struct target *target = NULL;
    TRY(find_column(input, table, &target, err));
    TRY(make_classes(input, target, err));
    *ret_target = STEAL(target);
    return STATUS_OK;
}

static enum status keep_rows(const struct own_target *input, struct own_cases *cases,
                             struct error *err)
{
    AUTO(free_slot) bool *keep = calloc(cases->table->n_rows + 1, sizeof *keep);
    if (!keep)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(row_filter("--where", input->where, cases->table, keep, err));
    return target_keep(cases->target, keep, err);
}

enum status own_target_make(const struct own_target *input, struct own_cases *cases,
                            struct error *err)
{
    progress_show(input->progress, "importing", -1);
    TRY(import(input, &cases->table, &cases->imported, err));
    if (is_of_posts(input)) {
        TRY(make_posts(input, cases, err));
    } else {
        TRY(own_target_prepare(input, cases->table, &cases->labels, err));
        TRY(find_column(input, cases->table, &cases->target, err));
    }
    if (input->where)
        TRY(keep_rows(input, cases, err));
    return make_classes(input, cases->target, err);
}
