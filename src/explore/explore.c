/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/explore_inner.h"

#include <gsl/gsl_errno.h>
#include <stdlib.h>

#include "explore/groups.h"

static enum status compare_snapshots(struct explore *explore, struct error *err)
{
    const struct explore_input *input = &explore->input;
    explore->comparison.absent =
        "a comparison needs two snapshots: give FILE@YYYY-MM twice or more";
    if (!input->before || !input->after)
        return STATUS_OK;
    TRY(compare_tables(input->before, input->after, &explore->comparison, err));
    explore->comparison.before = input->before_name;
    explore->comparison.after = input->after_name;
    return STATUS_OK;
}

static enum status compute(struct explore *explore, struct error *err)
{
    const struct frame *frame = explore->frame;
    const struct quality *quality = &explore->quality;
    struct arena *memory = &explore->memory;
    TRY(quality_compute(frame, memory, &explore->quality, err));
    TRY(relations_compute(frame, quality, memory, &explore->relations, err));
    TRY(alerts_find(frame, quality, &explore->relations, memory, &explore->alerts, err));
    TRY(compare_snapshots(explore, err));
    TRY(sample_choose(frame, memory, &explore->sample, err));
    if (explore->sample.n < explore->sample.n_both)
        TRY(density_count(frame, memory, &explore->density, err));
    TRY(slope_compute(frame, memory, &explore->slope, err));
    TRY(spreads_compute(frame, quality, memory, &explore->spreads, err));
    TRY(group_table_compute(frame, EXPLORE_CATEGORY, memory, &explore->categories, err));
    TRY(group_table_compute(frame, EXPLORE_COUNTRY, memory, &explore->countries, err));
    TRY(growth_compute(frame, quality, memory, &explore->growth, err));
    timing_compute(explore->input.lifts, explore->input.no_lifts, &explore->timing);
    return projection_compute(frame, quality, &explore->sample, memory, &explore->projection, err);
}

enum status explore_run(const struct explore_input *input, struct explore **ret_explore,
                        struct error *err)
{
    if (input->table->n_rows == 0)
        return fail(err, STATUS_INVALID, "the table has no rows");
    if (input->table->n_rows > INT32_MAX)
        return fail(err, STATUS_LIMIT, "more than %d rows", INT32_MAX);
    /* GSL would end the program when it runs out of memory; its calls here report instead. */
    gsl_set_error_handler_off();
    AUTO(explore_free_slot) struct explore *explore = calloc(1, sizeof *explore);
    if (!explore)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&explore->memory, 1U << 16);
    explore->input = *input;
    TRY(frame_new(input->table, input->sizes, &explore->frame, err));
    TRY(compute(explore, err));
    *ret_explore = STEAL(explore);
    return STATUS_OK;
}

void explore_free(struct explore *explore)
{
    if (!explore)
        return;
    frame_free(explore->frame);
    arena_deinit(&explore->memory);
    free(explore);
}

bool explore_is_synthetic(const struct explore *explore)
{
    return explore->frame->is_synthetic;
}

int32_t explore_row_group(const struct explore *explore, enum explore_grouping by, size_t row)
{
    const struct frame_groups *groups = &explore->frame->groups[by];
    return groups->of_row ? groups->of_row[row] : -1;
}

int32_t explore_size_group(const struct explore *explore, double followers)
{
    const struct frame_groups *groups = &explore->frame->groups[EXPLORE_TIER];
    return groups->n > 0 ? groups_tier_of(followers, groups->cuts, groups->n) : -1;
}

const char *const *explore_group_names(const struct explore *explore, enum explore_grouping by,
                                       size_t *ret_n)
{
    *ret_n = explore->frame->groups[by].n;
    return explore->frame->groups[by].names;
}
