/* SPDX-License-Identifier: Apache-2.0 */

/* Which columns may take part: what the choice looks at, and the table's own columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/design_inner.h"

#define SAME_COLUMN 0.99999 /* |correlation| beyond which two columns are one */

bool design_is_usable(const float *values, size_t n)
{
    size_t n_present = 0;
    bool varies = false;
    float first = NAN;
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i]))
            continue;
        if (n_present++ == 0)
            first = values[i];
        varies |= values[i] != first;
    }
    return varies && (double)n_present >= DESIGN_MIN_PRESENT * (double)n;
}

bool design_is_same(const float *a, const float *b, size_t n)
{
    double count = 0;
    double sum_a = 0;
    double sum_b = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) != isnan(b[i]))
            return false;
        if (isnan(a[i]))
            continue;
        count++;
        sum_a += (double)a[i];
        sum_b += (double)b[i];
    }
    double aa = 0;
    double bb = 0;
    double ab = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]))
            continue;
        double x = (double)a[i] - sum_a / count;
        double y = (double)b[i] - sum_b / count;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    return fabs(ab) > SAME_COLUMN * sqrt(aa * bb);
}

static int by_text(const void *a, const void *b)
{
    const struct design_level *x = a;
    const struct design_level *y = b;
    return strcmp(x->text, y->text);
}

static int by_count(const void *a, const void *b)
{
    const struct design_level *x = a;
    const struct design_level *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->text, y->text);
}

enum status design_count_levels(const char *const *column, const size_t *rows, size_t n,
                                struct design_level **ret_levels, size_t *ret_n, struct error *err)
{
    struct design_level *levels = calloc(n + 1, sizeof *levels);
    if (!levels)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n_present = 0;
    for (size_t i = 0; i < n; i++)
        if (column[rows[i]] && column[rows[i]][0] != '\0')
            levels[n_present++] = (struct design_level){column[rows[i]], 1};
    qsort(levels, n_present, sizeof levels[0], by_text);
    size_t n_levels = 0;
    for (size_t i = 0; i < n_present; i++) {
        if (n_levels > 0 && strcmp(levels[n_levels - 1].text, levels[i].text) == 0)
            levels[n_levels - 1].count++;
        else
            levels[n_levels++] = levels[i];
    }
    qsort(levels, n_levels, sizeof levels[0], by_count);
    *ret_levels = levels;
    *ret_n = n_levels;
    return STATUS_OK;
}

/* A number that spans orders of magnitude is better seen as its logarithm. */
#define LOG_SPAN 100.0

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The numbers of an extra column in the rows of the sample, on the scale it will have. */
static bool take_extra(const struct table *table, const struct design_sample *sample,
                       const struct table_extra *extra, float *ret_values, float *sorted)
{
    size_t n_present = 0;
    for (size_t i = 0; i < sample->n; i++) {
        ret_values[i] = (float)extra->number[i * table->n_rows / sample->n];
        if (!isnan(ret_values[i]))
            sorted[n_present++] = fabsf(ret_values[i]);
    }
    if (n_present == 0)
        return false;
    qsort(sorted, n_present, sizeof sorted[0], compare_floats);
    float median = sorted[n_present / 2];
    bool is_log =
        (double)sorted[n_present - 1] > LOG_SPAN * (double)(median > 1.0F ? median : 1.0F);
    for (size_t i = 0; i < sample->n && is_log; i++)
        ret_values[i] = copysignf(log1pf(fabsf(ret_values[i])), ret_values[i]);
    return is_log;
}

static bool is_known(const struct design_sample *sample, const struct design *design,
                     const float *values)
{
    for (size_t i = 0; i < design->n_features; i++)
        if (design_is_same(values, sample->values + design->features[i] * sample->n, sample->n))
            return true;
    return false;
}

static enum status choose_extra_numbers(const struct table *table,
                                        const struct design_sample *sample, struct design *design,
                                        struct error *err)
{
    AUTO(free_slot) float *values = calloc(2 * sample->n + 1, sizeof *values);
    if (!values)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    const bool *hidden = design->options.hidden_extra;
    for (size_t i = 0; i < table->n_extras && design->n_extras < DESIGN_MAX_EXTRAS; i++) {
        if (!table->extras[i].number || (hidden && hidden[i]))
            continue;
        bool is_log = take_extra(table, sample, &table->extras[i], values, values + sample->n);
        if (design_is_usable(values, sample->n) && !is_known(sample, design, values))
            design->extras[design->n_extras++] =
                (struct design_extra){.index = i, .is_log = is_log};
    }
    return STATUS_OK;
}

/* A text whose values recur: one has its share of the rows. */
static enum status choose_extra_texts(const struct table *table, struct design *design,
                                      struct error *err)
{
    AUTO(free_slot) size_t *rows = calloc(table->n_rows + 1, sizeof *rows);
    if (!rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t row = 0; row < table->n_rows; row++)
        rows[row] = row;
    const bool *hidden = design->options.hidden_extra;
    for (size_t i = 0; i < table->n_extras && design->n_extras < DESIGN_MAX_EXTRAS; i++) {
        const struct table_extra *extra = &table->extras[i];
        if (extra->number || !extra->text || (hidden && hidden[i]) || strchr(extra->name, '='))
            continue;
        AUTO(free_slot) struct design_level *levels = NULL;
        size_t n_levels = 0;
        TRY(design_count_levels((const char *const *)extra->text, rows, table->n_rows, &levels,
                                &n_levels, err));
        double most = n_levels > 0 ? (double)levels[0].count : 0;
        if (most >= design->options.min_level_share * (double)table->n_rows &&
            most < (double)table->n_rows)
            design->extras[design->n_extras++] = (struct design_extra){.index = i, .is_text = true};
    }
    return STATUS_OK;
}

enum status design_choose_extras(const struct table *table, const struct design_sample *sample,
                                 struct design *design, struct error *err)
{
    if (!design->options.extras || !table->extra_cells)
        return STATUS_OK;
    TRY(choose_extra_numbers(table, sample, design, err));
    return design->options.no_texts ? STATUS_OK : choose_extra_texts(table, design, err);
}
