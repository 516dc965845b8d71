/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/virality_words.h"

#include <math.h>

#define TOLD 3 /* levels of a factor on its line */

/* The factors that have levels, by the share that only they explain. */
static size_t sort_factors(const struct virality *virality,
                           const struct virality_factor_result **ret_sorted)
{
    size_t n = 0;
    for (size_t f = 0; f < VIRALITY_N_FACTORS; f++) {
        const struct virality_factor_result *factor = &virality->factors[f];
        if (factor->reference < 0)
            continue;
        size_t at = n++;
        for (; at > 0 && ret_sorted[at - 1]->r2_lost < factor->r2_lost; at--)
            ret_sorted[at] = ret_sorted[at - 1];
        ret_sorted[at] = factor;
    }
    return n;
}

static double percent(double ln_ratio)
{
    return 100 * expm1(ln_ratio);
}

static bool is_told_apart(const struct interval *effect)
{
    return effect->low > 0 || effect->high < 0; /* of a missing one neither */
}

/* The strongest first. */
static size_t sort_told(const struct virality_factor_result *factor,
                        const struct virality_level **ret_told)
{
    size_t n = 0;
    for (size_t l = 0; l < factor->n_levels; l++) {
        const struct virality_level *level = &factor->levels[l];
        if ((int)l == factor->reference || !is_told_apart(&level->effect))
            continue;
        size_t at = n++;
        for (; at > 0 && fabs(ret_told[at - 1]->effect.value) < fabs(level->effect.value); at--)
            ret_told[at] = ret_told[at - 1];
        ret_told[at] = level;
    }
    return n;
}

static void say_factor(const struct virality_factor_result *factor, struct buffer *out)
{
    const struct virality_level *told[VIRALITY_MAX_LEVELS];
    size_t n = sort_told(factor, told);
    buffer_printf(out, "  %-24s %5.1f %%  ", factor->name, 100 * factor->r2_lost);
    for (size_t i = 0; i < n && i < TOLD; i++) {
        const struct interval *effect = &told[i]->effect;
        buffer_printf(out, "%s%s: %+.0f %% (%+.0f to %+.0f)", i ? ", " : "", told[i]->name,
                      percent(effect->value), percent(effect->low), percent(effect->high));
    }
    const char *reference = factor->levels[factor->reference].name;
    buffer_printf(out, n > 0 ? ", beside %s\n" : "nothing that differs from %s for certain\n",
                  reference);
}

void virality_say(const struct virality *virality, struct buffer *out)
{
    const struct virality_factor_result *sorted[VIRALITY_N_FACTORS];
    size_t n = sort_factors(virality, sorted);
    buffer_printf(out,
                  "what lifts a post above its account's others: %zu posts of %zu accounts\n"
                  "  all of it explains %.0f %% of their differences, each alone as much as stands "
                  "beside it; likes with 95 %% intervals\n",
                  virality->n_posts, virality->n_accounts, 100 * virality->r2);
    for (size_t i = 0; i < n; i++)
        say_factor(sorted[i], out);
}

static void put_factor(const struct virality_factor_result *factor, struct buffer *out)
{
    for (size_t l = 0; l < factor->n_levels; l++) {
        const struct virality_level *level = &factor->levels[l];
        if ((int)l == factor->reference || isnan(level->effect.value))
            continue;
        buffer_printf(out, "| %s | %.1f %% | %s | %s | %zu | %+.1f %% | %+.1f %% to %+.1f %% |\n",
                      factor->name, 100 * factor->r2_lost, level->name,
                      factor->levels[factor->reference].name, level->n_posts,
                      percent(level->effect.value), percent(level->effect.low),
                      percent(level->effect.high));
    }
}

void virality_put_card(const struct virality *virality, struct buffer *out)
{
    const struct virality_factor_result *sorted[VIRALITY_N_FACTORS];
    size_t n = sort_factors(virality, sorted);
    buffer_printf(
        out,
        "\n## What lifts a post\n\nLikes of %zu posts of %zu accounts, each compared "
        "with others of its account. All factors together explain %.1f %% of these "
        "differences: what is in a post and luck make up the rest. Associations, not "
        "causes.\n\n| factor | explains alone | posts of | beside | posts | likes | 95 %% "
        "|\n|---|---|---|---|---|---|---|\n",
        virality->n_posts, virality->n_accounts, 100 * virality->r2);
    for (size_t i = 0; i < n; i++)
        put_factor(sorted[i], out);
}
