/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "base/rng.h"
#include "explore/correlate.h"
#include "explore/figures.h"
#include "explore/histogram.h"
#include "explore/statistics.h"
#include "explore/tally.h"
#include "explore/text_table.h"
#include "profile/profile.h"

#define assert_close(a, b, relative) assert_near((a), (b), (relative)*fabs(b))

/* NIST StRD, univariate summary statistics (https://www.itl.nist.gov/div898/strd/): NumAcc1 to
 * 4, which are given by a rule. */

static void nist_numacc_means_and_deviations_are_met(void **state)
{
    (void)state;
    static const struct {
        double first, low, high, mean, sd, tolerance;
        size_t n;
    } cases[] = {
        {10000001, 10000003, 10000002, 10000002, 1, 1e-15, 3},
        {1.2, 1.1, 1.3, 1.2, 0.1, 1e-13, 1001},
        {1000000.2, 1000000.1, 1000000.3, 1000000.2, 0.1, 1e-8, 1001},
        {10000000.2, 10000000.1, 10000000.3, 10000000.2, 0.1, 1e-7, 1001},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double values[1001];
        for (size_t j = 0; j < cases[i].n; j++)
            values[j] = j == 0 ? cases[i].first : j % 2 ? cases[i].low : cases[i].high;
        statistics_sort(values, cases[i].n);
        struct summary summary;
        statistics_summarise(values, cases[i].n, &summary);
        assert_close(summary.mean, cases[i].mean, 1e-14);
        assert_close(summary.sd, cases[i].sd, cases[i].tolerance);
    }
}

static void quantiles_and_skew_match_hand_computation(void **state)
{
    (void)state;
    const double sorted[] = {1, 2, 3, 4, 10};
    struct summary summary;
    statistics_summarise(sorted, 5, &summary);
    assert_near(summary.q25, 2, 1e-12);
    assert_near(summary.median, 3, 1e-12);
    assert_near(summary.q95, 4 + 0.8 * 6, 1e-12);
    /* m2 = 10, m3 = 36: G1 = sqrt(n (n - 1)) / (n - 2) m3 / m2^1.5 */
    assert_near(summary.skew, sqrt(20) / 3 * 36 / pow(10, 1.5), 1e-12);
    assert_near(statistics_mad(sorted, 5), 1, 1e-12);
    assert_near(statistics_mad(sorted, 4), 1, 1e-12); /* 1.5 .5 .5 1.5 */
    assert_near(statistics_mad(sorted, 2), 0.5, 1e-12);
    assert_near(statistics_mad(sorted, 1), 0, 1e-12);
}

static void undefined_figures_are_missing(void **state)
{
    (void)state;
    struct summary summary;
    statistics_summarise(NULL, 0, &summary);
    assert_true(isnan(summary.median) && isnan(summary.mean) && isnan(summary.sd));
    const double same[] = {5, 5, 5, 5};
    statistics_summarise(same, 4, &summary);
    assert_true(isnan(summary.skew));
    assert_true(summary.sd == 0);
    assert_true(isnan(statistics_mad(NULL, 0)));
    assert_true(isnan(statistics_median_interval(same, 4).low));
    assert_true(isnan(statistics_ks(same, 4, NULL, 0)));
}

/* The deviations sorted, by brute force. */
static void mad_equals_the_median_of_sorted_deviations(void **state)
{
    (void)state;
    struct rng rng = rng_seed(7);
    for (size_t n = 1; n < 60; n++) {
        double values[60], deviations[60];
        for (size_t i = 0; i < n; i++)
            values[i] = floor(20 * rng_uniform(&rng));
        statistics_sort(values, n);
        double median = statistics_quantile(values, n, 0.5);
        for (size_t i = 0; i < n; i++)
            deviations[i] = fabs(values[i] - median);
        statistics_sort(deviations, n);
        assert_near(statistics_mad(values, n), statistics_quantile(deviations, n, 0.5), 1e-12);
    }
}

static void median_interval_covers_about_95_percent(void **state)
{
    (void)state;
    struct rng rng = rng_seed(11);
    size_t covered = 0;
    enum {
        TRIALS = 4000,
        N = 40
    };
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double values[N];
        for (size_t i = 0; i < N; i++)
            values[i] = exp(rng_normal(&rng)); /* median 1 */
        statistics_sort(values, N);
        struct interval median = statistics_median_interval(values, N);
        covered += median.low <= 1 && 1 <= median.high;
    }
    assert_in_range(covered, TRIALS * 93 / 100, TRIALS * 98 / 100);
}

static void ks_and_psi_see_a_shift_and_no_shift(void **state)
{
    (void)state;
    double a[100], b[100];
    for (size_t i = 0; i < 100; i++) {
        a[i] = (double)i;
        b[i] = (double)i + 50;
    }
    assert_near(statistics_ks(a, 100, a, 100), 0, 1e-12);
    assert_near(statistics_psi(a, 100, a, 100), 0, 1e-12);
    assert_near(statistics_ks(a, 100, b, 100), 0.5, 1e-12);
    /* Five deciles emptied (share .005 for .1), the last holds 60 where 10 were: */
    double expected = 5 * (0.005 - 0.1) * log(0.005 / 0.1) + (0.6 - 0.1) * log(0.6 / 0.1);
    assert_near(statistics_psi(a, 100, b, 100), expected, 1e-9);
}

static void log_histograms_hold_every_positive_value(void **state)
{
    (void)state;
    struct rng rng = rng_seed(3);
    enum {
        N = 5000
    };
    static double values[N];
    for (size_t i = 0; i < N; i++)
        values[i] = i % 10 == 0 ? 0 : exp(3 * rng_normal(&rng));
    statistics_sort(values, N);
    assert_true(histogram_wants_log(values, N));
    struct histogram histogram, again;
    histogram_make(values, N, true, &histogram);
    assert_int_equal(histogram.zeros, N / 10);
    assert_in_range(histogram.n_bins, 5, HISTOGRAM_MAX_BINS);
    size_t total = histogram.zeros;
    for (size_t i = 0; i < histogram.n_bins; i++) {
        assert_true(histogram.edges[i] < histogram.edges[i + 1]);
        total += histogram.counts[i];
    }
    assert_int_equal(total, N);
    histogram_count(&histogram, values, N, &again);
    assert_memory_equal(&histogram, &again, sizeof again);
}

static void any_range_gets_a_histogram_that_loses_nothing(void **state)
{
    (void)state;
    static const double ranges[][2] = {{0, 0},       {5, 5},        {-3, 12.5}, {1e9, 1e9 + 1},
                                       {0, 1e-12},   {-1e13, 1e13}, {0, 23},    {0.1, 0.3},
                                       {1e-9, 1e12}, {999, 1000},   {1, 1}};
    struct rng rng = rng_seed(5);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        for (int is_log = 0; is_log < 2; is_log++) {
            double values[500];
            for (size_t j = 0; j < 500; j++)
                values[j] = ranges[i][0] + rng_uniform(&rng) * (ranges[i][1] - ranges[i][0]);
            values[0] = ranges[i][0];
            values[1] = ranges[i][1];
            statistics_sort(values, 500);
            struct histogram histogram;
            histogram_make(values, 500, is_log, &histogram);
            size_t total = histogram.zeros;
            for (size_t j = 0; j < histogram.n_bins; j++)
                total += histogram.counts[j];
            assert_int_equal(total, 500);
        }
}

static struct correlate_column column(const double *values, size_t n, uint32_t *order)
{
    return (struct correlate_column){values, order, correlate_order(values, n, order), NULL};
}

static void spearman_handles_ties_and_missing_values(void **state)
{
    (void)state;
    /* Without rows 2 and 5: x 1 2 2 4 5, y 10 20 30 40 40. Ranks 1 2.5 2.5 4 5 and 1 2 3 4.5 4.5:
     * sum of products 9, both sums of squares 9.5. */
    const double x[] = {1, 2, MISSING, 2, 4, 9, 5}, y[] = {10, 20, 7, 30, 40, MISSING, 40};
    uint32_t order_x[7], order_y[7];
    struct correlate_column a = column(x, 7, order_x), b = column(y, 7, order_y);
    double scratch[14];
    struct correlation result;
    correlate_pair(&a, &b, 7, scratch, &result);
    assert_int_equal(result.n, 5);
    assert_near(result.spearman.value, 9 / 9.5, 1e-12);
    /* Pearson: sxy 78, sxx 10.8, syy 680 */
    assert_near(result.pearson.value, 78 / sqrt(10.8 * 680), 1e-12);
    assert_true(result.spearman.low < result.spearman.value);
    assert_true(result.spearman.value < result.spearman.high && result.spearman.high < 1);
}

static void complete_columns_give_the_same_with_their_ranks(void **state)
{
    (void)state;
    enum {
        N = 500
    };
    static double x[N], y[N], ranks_x[N], ranks_y[N], scratch[2 * N];
    static uint32_t order_x[N], order_y[N];
    struct rng rng = rng_seed(2);
    for (size_t i = 0; i < N; i++) {
        x[i] = floor(30 * rng_uniform(&rng));
        y[i] = x[i] + 10 * rng_normal(&rng);
    }
    struct correlate_column a = column(x, N, order_x), b = column(y, N, order_y);
    struct correlation plain, ranked;
    correlate_pair(&a, &b, N, scratch, &plain);
    correlate_ranks(&a, ranks_x);
    correlate_ranks(&b, ranks_y);
    a.ranks = ranks_x;
    b.ranks = ranks_y;
    correlate_pair(&a, &b, N, scratch, &ranked);
    assert_int_equal(ranked.n, N);
    assert_near(ranked.spearman.value, plain.spearman.value, 1e-14);
    assert_near(ranked.pearson.low, plain.pearson.low, 1e-14);
}

static void text_tables_line_up_by_characters(void **state)
{
    (void)state;
    static const char *const headers[] = {"name", ">n", "last"};
    struct text_table table;
    text_table_init(&table, headers, 3);
    text_table_put(&table, "caf\u00e9");
    text_table_printf(&table, "%d", 7);
    text_table_put(&table, NULL);
    text_table_put(&table, "tea\x1b[31m");
    text_table_put(&table, "1234");
    text_table_put(&table, "a text that is longer than there is room for it");
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    text_table_print(&table, 40, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "  name         n  last\n"
                              "  caf\u00e9         7  -\n"
                              "  tea?[31m  1234  a text that is longer\u2026\n");
    free(text);
    text_table_deinit(&table);
}

static void sparklines_and_bars_keep_to_their_width(void **state)
{
    (void)state;
    struct buffer out = {0};
    const size_t counts[] = {0, 1, 8, 4};
    text_put_sparkline(&out, counts, 4, 20);
    assert_string_equal(out.at, " \u2581\u2588\u2584");
    buffer_clear(&out);
    text_put_sparkline(&out, counts, 4, 2); /* 0 + 1, 8 + 4 */
    assert_string_equal(out.at, "\u2581\u2588");
    buffer_clear(&out);
    text_put_bar(&out, 0.5, 1, 3);
    assert_string_equal(out.at, "\u2588\u258c");
    text_put_bar(&out, MISSING, 1, 3);
    text_put_bar(&out, 1, 0, 3);
    assert_int_equal(text_width(out.at), 2);
    buffer_deinit(&out);
}

static void correlations_of_nothing_or_a_constant_are_missing(void **state)
{
    (void)state;
    const double x[] = {1, 1, 1, 1, 1}, y[] = {1, 2, 3, 4, 5}, z[] = {2, 4, 6, 8, 10};
    uint32_t order_x[5], order_y[5], order_z[5];
    struct correlate_column a = column(x, 5, order_x), b = column(y, 5, order_y),
                            c = column(z, 5, order_z);
    double scratch[10];
    struct correlation result;
    correlate_pair(&a, &b, 5, scratch, &result);
    assert_true(isnan(result.pearson.value) && isnan(result.spearman.high));
    correlate_pair(&b, &c, 5, scratch, &result);
    assert_near(result.pearson.value, 1, 1e-12);
    assert_true(correlate_pearson_interval(0.5, 3).value != 0.5);
}

static void pearson_interval_is_fishers(void **state)
{
    (void)state;
    /* r .5, n 28: z .549306 -+ 1.959964 / 5 = .157313, .941299. */
    struct interval interval = correlate_pearson_interval(0.5, 28);
    assert_near(interval.low, tanh(0.5493061443 - 0.3919927969), 1e-9);
    assert_near(interval.high, tanh(0.5493061443 + 0.3919927969), 1e-9);
}

/* NIST StRD, linear regression, Norris. */
static void nist_norris_is_met(void **state)
{
    (void)state;
    static const double y[] = {0.1,   338.8, 118.1, 888.0, 9.2,   228.1, 668.5, 998.5, 449.1,
                               778.9, 559.2, 0.3,   0.1,   778.1, 668.8, 339.3, 448.9, 10.8,
                               557.7, 228.3, 998.0, 888.8, 119.6, 0.3,   0.6,   557.6, 339.3,
                               888.0, 998.5, 778.9, 10.2,  117.6, 228.9, 668.4, 449.2, 0.2};
    static const double x[] = {0.2,   337.4, 118.2, 884.6, 10.1,  226.5, 666.3, 996.3, 448.6,
                               777.0, 558.2, 0.4,   0.6,   775.5, 666.9, 338.0, 447.5, 11.6,
                               556.0, 228.1, 995.8, 887.6, 120.2, 0.3,   0.3,   556.8, 339.1,
                               887.2, 999.0, 779.0, 11.1,  118.3, 229.2, 669.1, 448.9, 0.5};
    struct line_fit fit;
    assert_int_equal(line_fit(x, y, 36, &fit, NULL), STATUS_OK);
    assert_close(fit.slope.value, 1.00211681802045, 1e-13);
    assert_close(fit.intercept, -0.262323073774029, 1e-10);
    assert_close(sqrt(fit.covariance[2]), 0.429796848199937E-03, 1e-9);
    assert_close(sqrt(fit.covariance[0]), 0.232818234301152, 1e-9);
    assert_close(fit.r2, 0.999993745883712, 1e-13);
    /* Student's t, 34 degrees of freedom, .975: 2.032244509. */
    assert_close(fit.slope.high - fit.slope.value, 2.032244509 * 0.429796848199937E-03, 1e-8);
    struct interval at_zero = line_fit_at(&fit, 0);
    assert_close(at_zero.high - at_zero.value, 2.032244509 * 0.232818234301152, 1e-8);
}

static void a_line_needs_rows_that_differ(void **state)
{
    (void)state;
    const double x[] = {1, 1, 1}, y[] = {1, 2, 3};
    struct line_fit fit;
    assert_int_equal(line_fit(x, y, 3, &fit, NULL), STATUS_INVALID);
    assert_int_equal(line_fit(y, x, 2, &fit, NULL), STATUS_INVALID);
}

static void tallies_count_and_sort(void **state)
{
    (void)state;
    struct tally tally = {0};
    char names[500][8];
    for (int i = 0; i < 500; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i % 250);
        assert_int_equal(tally_add(&tally, names[i], NULL), STATUS_OK);
    }
    assert_int_equal(tally_add(&tally, "n77", NULL), STATUS_OK);
    assert_int_equal(tally.n_distinct, 250);
    assert_int_equal(tally.n_total, 501);
    struct tally_entry entries[250];
    tally_sorted(&tally, entries);
    assert_string_equal(entries[0].text, "n77");
    assert_int_equal(entries[0].count, 3);
    assert_string_equal(entries[1].text, "n0");
    assert_null(tally_find(&tally, "n250"));
    assert_int_equal(tally_find(&tally, "n249")->count, 2);
    tally_deinit(&tally);
    assert_null(tally_find(&tally, "n1"));
}

static void figures_are_written_as_people_do(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } counts[] = {{0, "0"},           {7, "7"},           {3.14159, "3.14"},  {0.00042, "0.00042"},
                  {950, "950"},       {999.97, "1k"},     {1234, "1.2k"},     {475.8e6, "475.8M"},
                  {999.96e6, "1B"},   {-1500, "-1.5k"},   {29e9, "29B"},      {1e20, "1e+20"},
                  {-0.001, "-0.001"}, {(double)NAN, "-"}, {123.456, "123.5"}, {4e12, "4T"}};
    char text[FIGURE_BYTES];
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        figure_count(counts[i].value, text);
        assert_string_equal(text, counts[i].text);
    }
    figure_percent(0.0139, text);
    assert_string_equal(text, "1.39 %");
    figure_percent(0.625, text);
    assert_string_equal(text, "62.5 %");
    figure_unit(MISSING, "fraction", text);
    assert_string_equal(text, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nist_numacc_means_and_deviations_are_met),
        cmocka_unit_test(quantiles_and_skew_match_hand_computation),
        cmocka_unit_test(undefined_figures_are_missing),
        cmocka_unit_test(mad_equals_the_median_of_sorted_deviations),
        cmocka_unit_test(median_interval_covers_about_95_percent),
        cmocka_unit_test(ks_and_psi_see_a_shift_and_no_shift),
        cmocka_unit_test(log_histograms_hold_every_positive_value),
        cmocka_unit_test(any_range_gets_a_histogram_that_loses_nothing),
        cmocka_unit_test(spearman_handles_ties_and_missing_values),
        cmocka_unit_test(complete_columns_give_the_same_with_their_ranks),
        cmocka_unit_test(text_tables_line_up_by_characters),
        cmocka_unit_test(sparklines_and_bars_keep_to_their_width),
        cmocka_unit_test(correlations_of_nothing_or_a_constant_are_missing),
        cmocka_unit_test(pearson_interval_is_fishers),
        cmocka_unit_test(nist_norris_is_met),
        cmocka_unit_test(a_line_needs_rows_that_differ),
        cmocka_unit_test(tallies_count_and_sort),
        cmocka_unit_test(figures_are_written_as_people_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
