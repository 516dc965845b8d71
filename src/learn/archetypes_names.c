/* SPDX-License-Identifier: Apache-2.0 */

/* What archetypes are called: "high engagement, small, posts daily". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "learn/archetypes_inner.h"

#define MAX_TRAITS 5
#define NAME_WORDS 3
/* Deviations from the overall mean, in standard deviations, that are worth a word; of size and
 * activity, which people ask for, less will do. */
#define NOTABLE_Z 0.4
#define ASKED_FOR_Z 0.25

enum kind {
    KIND_SIZE,
    KIND_ACTIVITY,
    KIND_OTHER,
};

/* What people call much and little of a feature. */
static const struct words {
    enum feature_id feature;
    enum kind kind;
    const char *much, *little;
} words[] = {
    {FEATURE_ln_followers, KIND_SIZE, "large", "small"},
    {FEATURE_ln_posts, KIND_ACTIVITY, "many posts", "few posts"},
    {FEATURE_ln_following, KIND_OTHER, "follows many", "follows few"},
    {FEATURE_ln_engagement_rate, KIND_OTHER, "high engagement", "low engagement"},
    {FEATURE_ln_engagement_per_follower, KIND_OTHER, "high engagement", "low engagement"},
    {FEATURE_ln_likes_per_follower, KIND_OTHER, "high engagement", "low engagement"},
    {FEATURE_ln_recent_trend, KIND_OTHER, "rising likes", "fading likes"},
    {FEATURE_ln_comments_per_like, KIND_OTHER, "much discussed", "little discussed"},
    {FEATURE_authentic_share, KIND_OTHER, "real audience", "doubtful audience"},
    {FEATURE_follower_growth, KIND_OTHER, "growing", "shrinking"},
    {FEATURE_engagement_growth, KIND_OTHER, "engagement rising", "engagement falling"},
    {FEATURE_ln_avg_views, KIND_OTHER, "much viewed", "little viewed"},
};

void archetypes_choose_features(struct design_options *options)
{
    for (size_t f = 0; f < FEATURE_N; f++)
        options->excluded[f] = true;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        options->excluded[words[i].feature] = false;
    options->no_texts = true;
}

/* Columns by |z| of a centroid, falling. The rows are standardised: a centroid holds z-scores. */
static void order_traits(const float *centroid, size_t p, size_t *ret_order)
{
    for (size_t i = 0; i < p; i++) {
        size_t at = i;
        for (; at > 0 && fabsf(centroid[ret_order[at - 1]]) < fabsf(centroid[i]); at--)
            ret_order[at] = ret_order[at - 1];
        ret_order[at] = i;
    }
}

static char *traits_json(struct arena *arena, const struct feature_spec *spec,
                         const float *centroid, const size_t *order)
{
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_array(&w);
    for (size_t i = 0; i < spec->n_columns && i < MAX_TRAITS; i++) {
        const struct feature_column *column = &spec->columns[order[i]];
        double z = (double)centroid[order[i]];
        json_begin_object(&w);
        json_member_string(&w, "feature", column->name);
        json_member_fixed(&w, "mean", (double)column->mean + z * (double)column->scale, 4);
        json_member_fixed(&w, "overall", (double)column->mean, 4);
        json_member_fixed(&w, "z", z, 4);
        json_end_object(&w);
    }
    json_end_array(&w);
    char *copy = text.failed ? NULL : arena_strndup(arena, text.at, text.length);
    buffer_deinit(&text);
    return copy;
}

static enum kind kind_of(const struct feature_column *column)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (words[i].feature == column->feature)
            return words[i].kind;
    return KIND_OTHER;
}

static const char *word_for(struct arena *arena, const struct feature_column *column, float z)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (words[i].feature == column->feature)
            return z > 0 ? words[i].much : words[i].little;
    return arena_printf(arena, "%s %s", z > 0 ? "high" : "low", column->name);
}

/* A cluster to be named. */
struct subject {
    struct arena *arena;
    const struct feature_spec *spec;
    const float *centroid;
    const size_t *order; /* columns by |z| */
    const char *cadence; /* or NULL */
};

/* "posts daily": how often half of the members post at least; NULL when that is not known of half
 * of them. scratch: [n]. */
static const char *cadence_of(const struct archetypes *archetypes, const double *posts_per_week,
                              size_t cluster, double *scratch)
{
    size_t n_known = 0;
    size_t n_members = 0;
    for (size_t i = 0; i < archetypes->n; i++) {
        if (archetypes->cluster[i] != cluster)
            continue;
        n_members++;
        if (!isnan(posts_per_week[i]))
            scratch[n_known++] = posts_per_week[i];
    }
    if (2 * n_known < n_members || n_known == 0)
        return NULL;
    size_t n_daily = 0;
    size_t n_often = 0;
    size_t n_weekly = 0;
    for (size_t i = 0; i < n_known; i++) {
        n_daily += scratch[i] >= 5;
        n_often += scratch[i] >= 2;
        n_weekly += scratch[i] >= 0.75;
    }
    return 2 * n_daily >= n_known    ? "posts daily"
           : 2 * n_often >= n_known  ? "posts every few days"
           : 2 * n_weekly >= n_known ? "posts weekly"
                                     : "posts now and then";
}

static void add_word(struct buffer *text, const char *word, size_t *used)
{
    if (!word)
        text->failed = true;
    else if (!text->at || !strstr(text->at, word)) { /* several features share a word */
        buffer_printf(text, "%s%s", text->length ? ", " : "", word);
        (*used)++;
    }
}

/* The strongest trait of a kind, if it is worth that much. */
static void add_of_kind(const struct subject *subject, enum kind kind, float least,
                        struct buffer *text, size_t *used)
{
    for (size_t i = 0; i < subject->spec->n_columns; i++) {
        const struct feature_column *column = &subject->spec->columns[subject->order[i]];
        float z = subject->centroid[subject->order[i]];
        if (kind_of(column) != kind)
            continue;
        if (fabsf(z) >= least)
            add_word(text, word_for(subject->arena, column, z), used);
        return;
    }
}

/* The strongest trait, size, activity, then what else is notable, up to n_words; "average" when
 * nothing is. */
static char *make_name(const struct subject *subject, size_t n_words)
{
    struct buffer text = {0};
    size_t used = 0;
    const struct feature_spec *spec = subject->spec;
    for (size_t i = 0; i < spec->n_columns && used < n_words && !text.failed; i++) {
        float z = subject->centroid[subject->order[i]];
        if (fabsf(z) < (float)NOTABLE_Z)
            break;
        add_word(&text, word_for(subject->arena, &spec->columns[subject->order[i]], z), &used);
        if (i > 0)
            continue;
        add_of_kind(subject, KIND_SIZE, (float)ASKED_FOR_Z, &text, &used);
        if (subject->cadence)
            add_word(&text, subject->cadence, &used);
        else
            add_of_kind(subject, KIND_ACTIVITY, (float)ASKED_FOR_Z, &text, &used);
    }
    if (text.length == 0)
        buffer_put_text(&text, "average");
    char *copy = text.failed ? NULL : arena_strndup(subject->arena, text.at, text.length);
    buffer_deinit(&text);
    return copy;
}

static bool is_taken(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* A name nobody has: more traits until it differs, then a number. */
static char *unique_name(const struct subject *subject, const char *const *taken, size_t n_taken)
{
    char *name = make_name(subject, NAME_WORDS);
    for (size_t n = NAME_WORDS + 1; name && n <= subject->spec->n_columns; n++) {
        if (!is_taken(taken, n_taken, name))
            return name;
        name = make_name(subject, n);
    }
    for (size_t i = 2; name && is_taken(taken, n_taken, name); i++)
        name = arena_printf(subject->arena, "%s %zu", make_name(subject, NAME_WORDS), i);
    return name;
}

enum status archetypes_describe(const struct feature_spec *spec, const double *posts_per_week,
                                struct archetypes *archetypes, struct error *err)
{
    size_t k = archetypes->model.k;
    struct arena *arena = &archetypes->memory;
    const char **names = ARENA_ARRAY(arena, const char *, k);
    const char **traits = ARENA_ARRAY(arena, const char *, k);
    size_t *order = ARENA_ARRAY(arena, size_t, spec->n_columns + 1);
    AUTO(free_slot) double *scratch = calloc(archetypes->n + 1, sizeof *scratch);
    if (!names || !traits || !order || !scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t c = 0; c < k; c++) {
        const float *centroid = archetypes->model.centroids + c * spec->n_columns;
        order_traits(centroid, spec->n_columns, order);
        struct subject subject = {arena, spec, centroid, order, NULL};
        if (posts_per_week)
            subject.cadence = cadence_of(archetypes, posts_per_week, c, scratch);
        names[c] = unique_name(&subject, names, c);
        traits[c] = traits_json(arena, spec, centroid, order);
        if (!names[c] || !traits[c])
            return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    archetypes->model.names = names;
    archetypes->model.traits = traits;
    return STATUS_OK;
}
