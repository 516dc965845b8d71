/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/train_config.h"

#include <string.h>

#include "base/cleanup.h"
#include "profile/parse.h"

static const struct config_key keys[] = {
#define KEY(section_, name_, type_, unit_, min_, max_, choices_, default_, help_) \
    {.section = #section_,                                                        \
     .name = #name_,                                                              \
     .type = CONFIG_##type_,                                                      \
     .unit = (unit_),                                                             \
     .min = (min_),                                                               \
     .max = (max_),                                                               \
     .choices = (choices_),                                                       \
     .default_value = (default_),                                                 \
     .help = (help_),                                                             \
     .offset = offsetof(struct train_config, section_##_##name_)},
#include "pipeline/train.def"
#undef KEY
};

const struct config_table train_config_table = {.keys = keys, .n_keys = ARRAY_LENGTH(keys)};

void train_config_weights(const struct train_config *config,
                          double ret_weight[static COMPOSITE_N_PARTS])
{
    ret_weight[COMPOSITE_reach] = config->composite_reach;
    ret_weight[COMPOSITE_engagement] = config->composite_engagement;
    ret_weight[COMPOSITE_activity] = config->composite_activity;
    ret_weight[COMPOSITE_growth] = config->composite_growth;
    ret_weight[COMPOSITE_consistency] = config->composite_consistency;
}

char *train_config_word(const char **text, const char *separators, struct arena *arena)
{
    const char *begin = *text + strspn(*text, separators);
    const char *end = begin + strcspn(begin, separators);
    *text = end;
    while (end > begin && end[-1] == ' ')
        end--;
    return end > begin ? arena_strndup(arena, begin, (size_t)(end - begin)) : NULL;
}

enum status train_config_numbers(const char *key, const char *text, size_t max, double *ret_numbers,
                                 size_t *ret_n, struct error *err)
{
    size_t n = 0;
    while (text[strspn(text, ", ")] != '\0') {
        text += strspn(text, ", ");
        size_t length = strcspn(text, ", ");
        struct quantity number;
        if (parse_quantity(text, length, &number) != PARSE_OK)
            return fail(err, STATUS_INVALID, "%s: '%.*s' is no number", key, (int)length, text);
        if (n > 0 && number.value <= ret_numbers[n - 1])
            return fail(err, STATUS_INVALID, "%s: the numbers must rise", key);
        if (n == max)
            return fail(err, STATUS_INVALID, "%s: at most %zu numbers", key, max);
        ret_numbers[n++] = number.value;
        text += length;
    }
    if (n == 0)
        return fail(err, STATUS_INVALID, "%s: needs at least one number", key);
    *ret_n = n;
    return STATUS_OK;
}

enum {
    SIZES_STANDARD,
    SIZES_IMH,
    SIZES_OWN
};

/* The five sizes that most agencies work with. */
static const struct size_tiers standard_sizes = {
    .names = {"nano", "micro", "mid", "macro", "mega"},
    .cuts = {10e3, 50e3, 500e3, 1e6},
    .n = 5,
};

/* Influencer Marketing Hub, "Types of influencers". */
static const struct size_tiers imh_sizes = {
    .names = {"nano", "micro", "macro", "mega"},
    .cuts = {1e3, 40e3, 1e6},
    .n = 4,
};

static enum status own_sizes(const struct train_config *config, struct arena *arena,
                             struct size_tiers *sizes, struct error *err)
{
    size_t n_cuts = 0;
    TRY(train_config_numbers("tier.size_cuts", config->tier_size_cuts, TIERS_MAX - 1, sizes->cuts,
                             &n_cuts, err));
    const char *text = config->tier_size_names;
    char *name;
    sizes->n = 0;
    while ((name = train_config_word(&text, ",", arena))) {
        if (sizes->n == TIERS_MAX)
            return fail(err, STATUS_INVALID, "tier.size_names: at most %d names", TIERS_MAX);
        sizes->names[sizes->n++] = name + strspn(name, " ");
    }
    if (sizes->n != n_cuts + 1)
        return fail(err, STATUS_INVALID, "tier.size_names: %zu names for %zu sizes", sizes->n,
                    n_cuts + 1);
    return STATUS_OK;
}

size_t size_tiers_find(const struct size_tiers *sizes, double followers)
{
    size_t size = 0;
    while (size + 1 < sizes->n && followers >= sizes->cuts[size])
        size++;
    return size;
}

enum status train_config_sizes(const struct train_config *config, struct arena *arena,
                               struct size_tiers *ret_sizes, struct error *err)
{
    if (config->tier_sizes == SIZES_OWN)
        return own_sizes(config, arena, ret_sizes, err);
    *ret_sizes = config->tier_sizes == SIZES_IMH ? imh_sizes : standard_sizes;
    return STATUS_OK;
}
