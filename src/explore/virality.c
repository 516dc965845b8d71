/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/virality.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explore/put.h"

#define MAX_COLUMNS (VIRALITY_N_FACTORS * VIRALITY_MAX_LEVELS)
#define COLLINEAR 1e-9 /* share of a column's square that the columns before leave */

/* ---- levels of a factor ---- */

static const struct factor_names {
    const char *name;
    const char *levels[VIRALITY_MAX_LEVELS + 1]; /* up to a NULL */
} factor_names[VIRALITY_N_FACTORS] = {
    [VIRALITY_TYPE] = {"type", {"image", "video", "carousel"}},
    [VIRALITY_HOUR] = {"hour (UTC)",
                       {"0-2 h", "3-5 h", "6-8 h", "9-11 h", "12-14 h", "15-17 h", "18-20 h",
                        "21-23 h"}},
    [VIRALITY_WEEKDAY] = {"weekday",
                          {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
                           "Sunday"}},
    [VIRALITY_HASHTAGS] = {"hashtags", {"none", "1-3", "4-10", "11-20", "over 20"}},
    [VIRALITY_MENTIONS] = {"mentions", {"none", "1", "2-5", "over 5"}},
    [VIRALITY_CAPTION] = {"caption",
                          {"up to 20 characters", "21-100", "101-300", "301-1000", "over 1000"}},
    [VIRALITY_SPONSORED] = {"sponsorship", {"not sponsored", "sponsored"}},
    [VIRALITY_LOCATION] = {"location", {"no location", "location"}},
    [VIRALITY_GAP] = {"time since the last post",
                      {"up to 6 h", "6-24 h", "1-3 days", "3-7 days", "over 7 days"}},
};

/* The first level whose upper bound holds the value; -1: not known. */
static int level_below(double value, const double *upper, int n)
{
    if (isnan(value))
        return -1;
    int level = 0;
    while (level < n && value > upper[level])
        level++;
    return level;
}

static int level_of(const struct lift *post, enum virality_factor factor)
{
    static const double hashtags[] = {0, 3, 10, 20};
    static const double mentions[] = {0, 1, 5};
    static const double caption[] = {20, 100, 300, 1000};
    static const double gap[] = {0.25, 1, 3, 7};
    static const double flag[] = {0};
    switch (factor) {
    case VIRALITY_TYPE:
        return (int)post->type - POST_IMAGE;
    case VIRALITY_HOUR:
        return post->hour < 0 ? -1 : post->hour / 3;
    case VIRALITY_WEEKDAY:
        return post->weekday;
    case VIRALITY_HASHTAGS:
        return level_below(post->n_hashtags, hashtags, 4);
    case VIRALITY_MENTIONS:
        return level_below(post->n_mentions, mentions, 3);
    case VIRALITY_CAPTION:
        return level_below(post->caption_length, caption, 4);
    case VIRALITY_SPONSORED:
        return level_below(post->is_sponsored, flag, 1);
    case VIRALITY_LOCATION:
        return level_below(post->has_location, flag, 1);
    case VIRALITY_GAP:
        return level_below(post->gap_days, gap, 4);
    case VIRALITY_N_FACTORS:
        break;
    }
    return -1;
}

/* ---- the design: a column a level; what is rare or not known stands with the reference ---- */

struct model {
    const struct lifts *lifts;
    struct virality *found;
    int column[VIRALITY_N_FACTORS][VIRALITY_MAX_LEVELS]; /* -1: none */
    enum virality_factor factor[MAX_COLUMNS];
    int n;                               /* columns */
    double xx[MAX_COLUMNS][MAX_COLUMNS]; /* of figures less their account's mean */
    double xy[MAX_COLUMNS], yy;
    double inverse[MAX_COLUMNS][MAX_COLUMNS]; /* of xx; 0 for columns that are left out */
    double beta[MAX_COLUMNS];
    double meat[MAX_COLUMNS][MAX_COLUMNS];
    double *x; /* [largest account][n] scratch, owned */
    double *y; /* the same of ln likes */
};

static void model_free(struct model *model)
{
    free(model->x);
    free(model->y);
    free(model);
}
DEFINE_SLOT(model_free, struct model)

static size_t account_end(const struct lifts *lifts, size_t begin)
{
    size_t end = begin + 1;
    while (end < lifts->n && lifts->posts[end].row == lifts->posts[begin].row)
        end++;
    return end;
}

static size_t count_levels(struct virality *found, const struct lifts *lifts)
{
    size_t largest = 0;
    for (size_t begin = 0, end; begin < lifts->n; begin = end) {
        bool seen[VIRALITY_N_FACTORS][VIRALITY_MAX_LEVELS] = {0};
        end = account_end(lifts, begin);
        largest = end - begin > largest ? end - begin : largest;
        for (size_t p = begin; p < end; p++)
            for (int f = 0; f < VIRALITY_N_FACTORS; f++) {
                int level = level_of(&lifts->posts[p], f);
                if (level < 0)
                    continue;
                found->factors[f].levels[level].n_posts++;
                found->factors[f].levels[level].n_accounts += !seen[f][level];
                seen[f][level] = true;
            }
    }
    return largest;
}

static bool is_reported(const struct virality_level *level)
{
    return level->n_posts >= VIRALITY_MIN_POSTS && level->n_accounts >= VIRALITY_MIN_ACCOUNTS;
}

static void lay_out(struct model *model)
{
    for (int f = 0; f < VIRALITY_N_FACTORS; f++) {
        struct virality_factor_result *factor = &model->found->factors[f];
        size_t most = 0;
        int n_reported = 0;
        for (size_t l = 0; l < factor->n_levels; l++) {
            model->column[f][l] = -1;
            n_reported += is_reported(&factor->levels[l]);
            if (factor->levels[l].n_posts > factor->levels[most].n_posts)
                most = l;
        }
        factor->reference = n_reported < 2 ? -1 : (int)most;
        for (size_t l = 0; l < factor->n_levels && n_reported >= 2; l++)
            if (l != most && is_reported(&factor->levels[l])) {
                model->factor[model->n] = f;
                model->column[f][l] = model->n++;
            }
    }
}

/* Posts of one account, less their mean. */
static void centre_account(struct model *model, size_t begin, size_t end)
{
    size_t m = end - begin;
    size_t n = (size_t)model->n;
    memset(model->x, 0, m * n * sizeof *model->x);
    for (size_t p = 0; p < m; p++) {
        const struct lift *post = &model->lifts->posts[begin + p];
        model->y[p] = post->ln_likes;
        for (int f = 0; f < VIRALITY_N_FACTORS; f++) {
            int level = level_of(post, f);
            if (level >= 0 && model->column[f][level] >= 0)
                model->x[p * n + (size_t)model->column[f][level]] = 1;
        }
    }
    for (size_t j = 0; j <= n; j++) {
        double *value = j < n ? model->x + j : model->y;
        size_t step = j < n ? n : 1;
        double sum = 0;
        for (size_t p = 0; p < m; p++)
            sum += value[p * step];
        for (size_t p = 0; p < m; p++)
            value[p * step] -= sum / (double)m;
    }
}

static void add_products(struct model *model, size_t m)
{
    int n = model->n;
    for (size_t p = 0; p < m; p++) {
        const double *x = model->x + p * (size_t)n;
        model->yy += model->y[p] * model->y[p];
        for (int i = 0; i < n; i++) {
            if (x[i] == 0)
                continue;
            model->xy[i] += x[i] * model->y[p];
            for (int j = 0; j < n; j++)
                model->xx[i][j] += x[i] * x[j];
        }
    }
}

/* ---- least squares ---- */

/* Sweep in all columns but those of `without` (Goodnight 1979); what the columns before explain is
 * left out. Returns the sum of squares explained. */
static double solve(struct model *model, int without)
{
    int n = model->n;
    double(*a)[MAX_COLUMNS] = model->inverse;
    double left[MAX_COLUMNS];
    bool in[MAX_COLUMNS] = {0};
    double explained = 0;
    memcpy(a, model->xx, sizeof model->xx);
    memcpy(left, model->xy, sizeof left);
    for (int k = 0; k < n; k++) {
        double pivot = a[k][k];
        if ((int)model->factor[k] == without || pivot <= COLLINEAR * model->xx[k][k])
            continue;
        in[k] = true;
        explained += left[k] * left[k] / pivot;
        double share = left[k] / pivot;
        for (int i = 0; i < n; i++)
            if (i != k)
                left[i] -= a[i][k] * share;
        left[k] = share;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n && i != k; j++)
                if (j != k)
                    a[i][j] -= a[i][k] * a[k][j] / pivot;
        for (int i = 0; i < n; i++)
            if (i != k) {
                a[k][i] /= pivot;
                a[i][k] /= -pivot;
            }
        a[k][k] = 1 / pivot;
    }
    for (int i = 0; i < n; i++) {
        model->beta[i] = in[i] ? left[i] : MISSING;
        for (int j = 0; j < n; j++)
            if (!in[i] || !in[j])
                a[i][j] = 0;
    }
    return explained;
}

/* The squared sum of an account's scores. */
static void add_meat(struct model *model, size_t m)
{
    int n = model->n;
    double score[MAX_COLUMNS] = {0};
    for (size_t p = 0; p < m; p++) {
        const double *x = model->x + p * (size_t)n;
        double residual = model->y[p];
        for (int i = 0; i < n; i++)
            residual -= isnan(model->beta[i]) ? 0 : x[i] * model->beta[i];
        for (int i = 0; i < n; i++)
            score[i] += x[i] * residual;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            model->meat[i][j] += score[i] * score[j];
}

static void state_effects(struct model *model, double residual_squares)
{
    const struct lifts *lifts = model->lifts;
    int n = model->n;
    double groups = (double)lifts->n_accounts;
    double freedom = fmax(1, (double)lifts->n - groups - n);
    double t = gsl_cdf_tdist_Pinv(0.975, groups - 1);
    for (int f = 0; f < VIRALITY_N_FACTORS; f++)
        for (size_t l = 0; l < model->found->factors[f].n_levels; l++) {
            struct virality_level *level = &model->found->factors[f].levels[l];
            int c = model->column[f][l];
            level->effect = (struct interval){MISSING, MISSING, MISSING};
            level->naive_error = MISSING;
            if (c < 0 || isnan(model->beta[c]))
                continue;
            double variance = 0;
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    variance += model->inverse[c][i] * model->meat[i][j] * model->inverse[c][j];
            double half = t * sqrt(variance * groups / (groups - 1));
            level->effect =
                (struct interval){model->beta[c], model->beta[c] - half, model->beta[c] + half};
            level->naive_error = sqrt(model->inverse[c][c] * residual_squares / freedom);
        }
}

static void fit(struct model *model)
{
    const struct lifts *lifts = model->lifts;
    for (size_t begin = 0, end; begin < lifts->n; begin = end) {
        end = account_end(lifts, begin);
        centre_account(model, begin, end);
        add_products(model, end - begin);
    }
    double without[VIRALITY_N_FACTORS];
    for (int f = 0; f < VIRALITY_N_FACTORS; f++)
        without[f] = solve(model, f);
    double explained = solve(model, -1);
    for (size_t begin = 0, end; begin < lifts->n; begin = end) {
        end = account_end(lifts, begin);
        centre_account(model, begin, end);
        add_meat(model, end - begin);
    }
    model->found->r2 = model->yy > 0 ? explained / model->yy : MISSING;
    for (int f = 0; f < VIRALITY_N_FACTORS; f++)
        model->found->factors[f].r2_lost =
            model->yy > 0 ? fmax(0, explained - without[f]) / model->yy : MISSING;
    state_effects(model, model->yy - explained);
}

void virality_free(struct virality *virality)
{
    free(virality);
}

enum status virality_compute(const struct lifts *lifts, struct virality **ret_virality,
                             struct error *err)
{
    if (lifts->n_accounts < VIRALITY_MIN_ACCOUNTS)
        return fail(err, STATUS_INVALID, "posts of %zu accounts; it takes %d to compare",
                    lifts->n_accounts, VIRALITY_MIN_ACCOUNTS);
    AUTO(virality_free_slot) struct virality *found = calloc(1, sizeof *found);
    AUTO(model_free_slot) struct model *model = calloc(1, sizeof *model);
    if (!found || !model)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the model of posts");
    found->n_posts = lifts->n;
    found->n_accounts = lifts->n_accounts;
    found->accounts_share = lifts->accounts_share;
    for (int f = 0; f < VIRALITY_N_FACTORS; f++) {
        struct virality_factor_result *factor = &found->factors[f];
        factor->name = factor_names[f].name;
        for (; factor_names[f].levels[factor->n_levels]; factor->n_levels++)
            factor->levels[factor->n_levels].name = factor_names[f].levels[factor->n_levels];
    }
    model->lifts = lifts;
    model->found = found;
    size_t largest = count_levels(found, lifts);
    lay_out(model);
    model->x = calloc(largest * (size_t)model->n + 1, sizeof *model->x);
    model->y = calloc(largest, sizeof *model->y);
    if (!model->x || !model->y)
        return fail(err, STATUS_NO_MEMORY, "out of memory for the model of posts");
    fit(model);
    *ret_virality = STEAL(found);
    return STATUS_OK;
}

/* ---- report.json ---- */

static void put_level(const struct virality_level *level, bool is_reference, struct json_writer *w)
{
    json_begin_object(w);
    json_member_string(w, "name", level->name);
    json_member_bool(w, "reference", is_reference);
    json_member_integer(w, "n", (int64_t)level->n_posts);
    json_member_integer(w, "accounts", (int64_t)level->n_accounts);
    put_member_figure(w, "ln_ratio", level->effect.value, 4);
    put_member_figure(w, "ln_low", level->effect.low, 4);
    put_member_figure(w, "ln_high", level->effect.high, 4);
    put_member_figure(w, "effect", expm1(level->effect.value), 4);
    put_member_figure(w, "low", expm1(level->effect.low), 4);
    put_member_figure(w, "high", expm1(level->effect.high), 4);
    json_end_object(w);
}

void virality_put(const struct virality *virality, struct json_writer *w)
{
    json_begin_object(w);
    json_member_integer(w, "n", (int64_t)virality->n_posts);
    json_member_integer(w, "accounts", (int64_t)virality->n_accounts);
    put_member_figure(w, "accounts_share", virality->accounts_share, 4);
    put_member_figure(w, "r2", virality->r2, 4);
    json_put_key(w, "factors");
    json_begin_array(w);
    for (int f = 0; f < VIRALITY_N_FACTORS; f++) {
        const struct virality_factor_result *factor = &virality->factors[f];
        if (factor->reference < 0)
            continue;
        json_begin_object(w);
        json_member_string(w, "name", factor->name);
        put_member_figure(w, "r2_lost", factor->r2_lost, 4);
        json_put_key(w, "levels");
        json_begin_array(w);
        for (size_t l = 0; l < factor->n_levels; l++)
            if (factor->reference == (int)l || !isnan(factor->levels[l].effect.value))
                put_level(&factor->levels[l], factor->reference == (int)l, w);
        json_end_array(w);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}
