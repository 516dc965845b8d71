/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/quality.h"

#include <math.h>
#include <stdlib.h>

#include "explore/tally.h"

/* Makes the MAD of a normal sample its standard deviation: 1 / Phi^-1(3/4). */
#define MAD_TO_SD 1.482602218505602

#define FENCES_MIN_ROWS 20

/* ln(1 + x) would leave fractions as they are; 0.01 % is the least that people write. */
#define FRACTION_OFFSET 1e-4

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

double quality_scaled(const struct number_quality *quality, double x)
{
    return quality->is_log ? log(quality->offset + x) : x;
}

double fences_z(const struct fences *fences, double value)
{
    double x = fences->is_log ? log(fences->offset + value) : value;
    return (x - fences->centre) / fences->scale;
}

/* sorted: [n]; scratch: [n]. */
static void set_fences(const double *sorted, size_t n, double *scratch,
                       struct number_quality *quality)
{
    struct fences *fences = &quality->fences;
    *fences = (struct fences){.is_log = quality->is_log, .offset = quality->offset};
    if (n < FENCES_MIN_ROWS)
        return;
    for (size_t i = 0; i < n; i++)
        scratch[i] = quality_scaled(quality, sorted[i]);
    fences->centre = statistics_quantile(scratch, n, 0.5);
    fences->scale = MAD_TO_SD * statistics_mad(scratch, n);
    if (!(fences->scale > 0))
        return;
    fences->is_set = true;
    fences->low = fences->centre - OUTLIER_Z * fences->scale;
    fences->high = fences->centre + OUTLIER_Z * fences->scale;
    for (size_t i = 0; i < n; i++) {
        fences->n_low += scratch[i] < fences->low;
        fences->n_high += scratch[i] > fences->high;
    }
    if (fences->is_log) {
        fences->low = exp(fences->low) - fences->offset;
        fences->high = exp(fences->high) - fences->offset;
    }
}

static double skew_of_ln(const double *sorted, size_t n, double offset, double *scratch)
{
    if (n == 0 || sorted[0] < 0)
        return MISSING;
    for (size_t i = 0; i < n; i++)
        scratch[i] = log(offset + sorted[i]);
    return statistics_skew(scratch, n);
}

/* scratch: [2 n_rows]. */
static void judge_number(const struct frame_number *column, size_t n_rows, double *scratch,
                         struct number_quality *ret_quality)
{
    double *sorted = scratch, *other = scratch + n_rows;
    size_t n = statistics_present(column->values, n_rows, sorted);
    statistics_sort(sorted, n);
    *ret_quality = (struct number_quality){.column = column};
    statistics_summarise(sorted, n, &ret_quality->summary);
    ret_quality->n_distinct = statistics_distinct(sorted, n);
    while (ret_quality->n_negative < n && sorted[ret_quality->n_negative] < 0)
        ret_quality->n_negative++;
    for (size_t i = ret_quality->n_negative; i < n && sorted[i] <= 0; i++)
        ret_quality->n_zeros++;
    bool is_fraction = column->kind == PROFILE_RATE || (n && sorted[n - 1] <= 1);
    ret_quality->offset = is_fraction ? FRACTION_OFFSET : 1;
    ret_quality->skew_ln = skew_of_ln(sorted, n, ret_quality->offset, other);
    bool is_amount = column->kind != PROFILE_FLAG && column->kind != PROFILE_MONTH;
    ret_quality->is_log = is_amount && histogram_wants_log(sorted, n);
    histogram_make(sorted, n, ret_quality->is_log, &ret_quality->histogram);
    if (is_amount)
        set_fences(sorted, n, other, ret_quality);
}

static enum status tally_column(const struct frame_text *column, size_t n_rows, struct tally *tally,
                                struct error *err)
{
    for (size_t row = 0; row < n_rows; row++)
        if (column->values[row])
            TRY(tally_add(tally, column->values[row], err));
    return STATUS_OK;
}

static enum status judge_text(const struct frame_text *column, size_t n_rows,
                              struct text_quality *ret_quality, struct error *err)
{
    AUTO(tally_deinit) struct tally tally = {0};
    TRY(tally_column(column, n_rows, &tally, err));
    struct text_quality quality = {
        .column = column,
        .n_present = tally.n_total,
        .n_distinct = tally.n_distinct,
        .n_duplicates = tally.n_total - tally.n_distinct,
        .top_share = MISSING,
    };
    AUTO(free_slot)
    struct tally_entry *entries = calloc(tally.n_distinct ? tally.n_distinct : 1, sizeof *entries);
    if (!entries)
        return no_memory(err);
    tally_sorted(&tally, entries);
    for (size_t i = 0; i < tally.n_distinct; i++) {
        double share = (double)entries[i].count / (double)tally.n_total;
        quality.entropy -= share * log2(share);
        if (i < TEXT_TOP) {
            quality.top[i].value = entries[i].text;
            quality.top[i].count = entries[i].count;
            quality.n_top = i + 1;
        }
    }
    if (tally.n_distinct) {
        quality.top_share = (double)entries[0].count / (double)tally.n_total;
        quality.rarest = entries[tally.n_distinct - 1].count;
    }
    *ret_quality = quality;
    return STATUS_OK;
}

/* Keep the FAR_ROWS farthest, in order. */
static void offer_far_row(struct quality *quality, struct far_row far)
{
    size_t i = quality->n_far_rows;
    if (i == FAR_ROWS) {
        if (fabs(quality->far_rows[FAR_ROWS - 1].z) >= fabs(far.z))
            return;
        i--;
    } else {
        quality->n_far_rows++;
    }
    for (; i > 0 && fabs(quality->far_rows[i - 1].z) < fabs(far.z); i--)
        quality->far_rows[i] = quality->far_rows[i - 1];
    quality->far_rows[i] = far;
}

static void find_far_rows(const struct frame *frame, struct quality *quality)
{
    for (size_t i = 0; i < frame->n_numbers; i++) {
        const struct fences *fences = &quality->numbers[i].fences;
        const struct frame_number *column = &frame->numbers[i];
        if (!fences->is_set || column->role == FRAME_EXTRA)
            continue;
        for (size_t row = 0; row < frame->n_rows; row++) {
            double value = column->values[row];
            double z = fences_z(fences, value);
            if (fabs(z) > OUTLIER_Z)
                offer_far_row(quality, (struct far_row){row, column, value, z});
        }
    }
}

enum status quality_compute(const struct frame *frame, struct arena *memory,
                            struct quality *ret_quality, struct error *err)
{
    struct quality quality = {
        .numbers = ARENA_ARRAY(memory, struct number_quality, frame->n_numbers + 1),
        .texts = ARENA_ARRAY(memory, struct text_quality, frame->n_texts + 1),
    };
    AUTO(free_slot) double *scratch = calloc(frame->n_rows + 1, 2 * sizeof *scratch);
    if (!quality.numbers || !quality.texts || !scratch)
        return no_memory(err);
    for (size_t i = 0; i < frame->n_numbers; i++)
        judge_number(&frame->numbers[i], frame->n_rows, scratch, &quality.numbers[i]);
    for (size_t i = 0; i < frame->n_texts; i++)
        TRY(judge_text(&frame->texts[i], frame->n_rows, &quality.texts[i], err));
    find_far_rows(frame, &quality);
    *ret_quality = quality;
    return STATUS_OK;
}
