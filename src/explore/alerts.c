/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/alerts.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "explore/figures.h"

#define FEW_ROWS 100
#define MISSING_SHARE 0.2
#define ZERO_SHARE 0.5
#define TOP_SHARE 0.8
#define RARE_SHARE 0.02
#define HIGH_CORRELATION 0.95
#define HIGH_CORRELATION_ROWS 20
#define SKEW 3.0
#define OUTLIER_SHARE 0.02
#define FEW_LEVELS 20

const char *const alert_names[ALERT_N_KINDS] = {
    [ALERT_FEW_ROWS] = "few_rows", [ALERT_DUPLICATES] = "duplicates",
    [ALERT_MISSING] = "missing",   [ALERT_CONSTANT] = "constant",
    [ALERT_ZEROS] = "zeros",       [ALERT_IMBALANCE] = "imbalance",
    [ALERT_UNIQUE] = "unique",     [ALERT_HIGH_CORRELATION] = "high_correlation",
    [ALERT_SKEWED] = "skewed",     [ALERT_OUTLIERS] = "outliers",
};

struct finder {
    struct arena *memory;
    struct alerts *alerts;
    size_t capacity;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void add(struct finder *finder, struct alert alert,
                                                      const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    alert.text = arena_strdup(finder->memory, text);
    if (!alert.text || finder->alerts->n == finder->capacity) {
        finder->failed = true;
        return;
    }
    finder->alerts->items[finder->alerts->n++] = alert;
}

static void check_missing(struct finder *finder, const char *column, bool is_field,
                          size_t n_present, size_t n_rows)
{
    double share = 1 - (double)n_present / (double)n_rows;
    char text[FIGURE_BYTES];
    figure_percent(share, text);
    if (share > MISSING_SHARE)
        add(finder,
            (struct alert){
                ALERT_MISSING, is_field && share > 0.5, {column}, share, MISSING_SHARE, NULL},
            "%s of the rows lack %s", text, column);
}

static void check_shape(struct finder *finder, const struct number_quality *quality)
{
    const char *name = quality->column->name;
    double n = (double)quality->summary.n, zeros = (double)quality->n_zeros / n;
    double far = (double)(quality->fences.n_low + quality->fences.n_high) / n;
    char text[FIGURE_BYTES];
    if (zeros > ZERO_SHARE && quality->column->kind != PROFILE_FLAG) {
        bool is_odd =
            quality->column->kind == PROFILE_MEAN || quality->column->kind == PROFILE_RATE;
        figure_percent(zeros, text);
        add(finder, (struct alert){ALERT_ZEROS, is_odd, {name}, zeros, ZERO_SHARE, NULL},
            "%s of the values of %s are 0: is that a value, or nothing known?", text, name);
    }
    if (fabs(quality->summary.skew) > SKEW && quality->column->kind != PROFILE_FLAG)
        add(finder, (struct alert){ALERT_SKEWED, false, {name}, quality->summary.skew, SKEW, NULL},
            quality->column->kind == PROFILE_COUNT && quality->is_log
                ? "%s is skewed (%.1f): a few accounts hold most of it"
                : "%s is skewed (%.1f): a few values lie far from the rest",
            name, quality->summary.skew);
    if (far > OUTLIER_SHARE) {
        figure_percent(far, text);
        add(finder, (struct alert){ALERT_OUTLIERS, false, {name}, far, OUTLIER_SHARE, NULL},
            "%s of the values of %s lie far from the middle, even for its own spread", text, name);
    }
}

static void check_number(struct finder *finder, const struct number_quality *quality, size_t n_rows)
{
    const char *name = quality->column->name;
    if (quality->summary.n == 0)
        return;
    /* What the join of snapshots adds is missing for newcomers. */
    bool is_joined = text_starts_with(name, "previous_");
    if (quality->column->role != FRAME_DERIVED && !is_joined)
        check_missing(finder, name, quality->column->role == FRAME_FIELD, quality->summary.n,
                      n_rows);
    if (quality->column->kind == PROFILE_MONTH || is_joined)
        return; /* one value is what a snapshot has */
    if (quality->n_distinct == 1)
        add(finder, (struct alert){ALERT_CONSTANT, false, {name}, quality->summary.min, 1, NULL},
            "%s has the same value in every row, so it tells nothing apart", name);
    else
        check_shape(finder, quality);
}

static void check_balance(struct finder *finder, const struct text_quality *quality)
{
    const char *name = quality->column->name;
    char text[FIGURE_BYTES];
    if (quality->top_share > TOP_SHARE) {
        figure_percent(quality->top_share, text);
        add(finder,
            (struct alert){ALERT_IMBALANCE, true, {name}, quality->top_share, TOP_SHARE, NULL},
            "%s of the rows have the same %s: %s", text, name, quality->top[0].value);
        return;
    }
    double rare = (double)quality->rarest / (double)quality->n_present;
    bool is_label = strcmp(name, "tier") == 0 || quality->column->role == FRAME_EXTRA;
    if (is_label && quality->n_distinct <= FEW_LEVELS && rare < RARE_SHARE)
        add(finder, (struct alert){ALERT_IMBALANCE, false, {name}, rare, RARE_SHARE, NULL},
            "the rarest value of %s stands in %zu rows only", name, quality->rarest);
}

static void check_text(struct finder *finder, const struct text_quality *quality, size_t n_rows)
{
    const char *name = quality->column->name;
    bool is_handle = strcmp(name, "handle") == 0;
    if (quality->n_present == 0)
        return;
    check_missing(finder, name, quality->column->role == FRAME_FIELD, quality->n_present, n_rows);
    if (is_handle && quality->n_duplicates > 0)
        add(finder,
            (struct alert){ALERT_DUPLICATES, true, {name}, (double)quality->n_duplicates, 0, NULL},
            "%zu rows have a handle that stood before", quality->n_duplicates);
    if (is_handle || strcmp(name, "name") == 0)
        return;
    if (quality->n_distinct == 1 && quality->n_present == n_rows)
        add(finder, (struct alert){ALERT_CONSTANT, false, {name}, 1, 1, NULL},
            "%s has the same value in every row, so it tells nothing apart", name);
    else if (quality->n_distinct == quality->n_present && quality->n_present > FEW_LEVELS)
        add(finder,
            (struct alert){ALERT_UNIQUE, false, {name}, (double)quality->n_distinct, 0, NULL},
            "%s differs in every row: a name, not a group", name);
    else
        check_balance(finder, quality);
}

static void check_correlations(struct finder *finder, const struct relations *relations)
{
    for (size_t j = 1; j < relations->n_columns; j++)
        for (size_t i = 0; i < j; i++) {
            const struct correlation *pair = &relations->pairs[j * (j - 1) / 2 + i];
            const char *a = relations->columns[i]->column->name;
            const char *b = relations->columns[j]->column->name;
            if (pair->n >= HIGH_CORRELATION_ROWS && fabs(pair->spearman.value) >= HIGH_CORRELATION)
                add(finder,
                    (struct alert){ALERT_HIGH_CORRELATION,
                                   false,
                                   {a, b},
                                   pair->spearman.value,
                                   HIGH_CORRELATION,
                                   NULL},
                    "%s and %s go together (rank correlation %.2f): one says nearly all that the "
                    "other does",
                    a, b, pair->spearman.value);
        }
}

static int compare(const void *a, const void *b)
{
    const struct alert *x = a, *y = b;
    if (x->is_warning != y->is_warning)
        return x->is_warning ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    double difference = fabs(y->value) - fabs(x->value);
    if (difference > 0 || difference < 0)
        return difference < 0 ? -1 : 1;
    return strcmp(x->text, y->text);
}

enum status alerts_find(const struct frame *frame, const struct quality *quality,
                        const struct relations *relations, struct arena *memory,
                        struct alerts *ret_alerts, struct error *err)
{
    struct alerts alerts = {0};
    struct finder finder = {.memory = memory, .alerts = &alerts};
    finder.capacity =
        4 * (frame->n_numbers + frame->n_texts) + relations->n_columns * relations->n_columns + 1;
    alerts.items = ARENA_ARRAY(memory, struct alert, finder.capacity);
    if (!alerts.items)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (frame->n_rows < FEW_ROWS)
        add(&finder,
            (struct alert){ALERT_FEW_ROWS, true, {NULL}, (double)frame->n_rows, FEW_ROWS, NULL},
            "only %zu rows: every figure here is rough", frame->n_rows);
    for (size_t i = 0; i < frame->n_texts; i++)
        check_text(&finder, &quality->texts[i], frame->n_rows);
    for (size_t i = 0; i < frame->n_numbers; i++)
        check_number(&finder, &quality->numbers[i], frame->n_rows);
    check_correlations(&finder, relations);
    if (finder.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    qsort(alerts.items, alerts.n, sizeof *alerts.items, compare);
    *ret_alerts = alerts;
    return STATUS_OK;
}
