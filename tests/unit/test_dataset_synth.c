/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "dataset/synth.h"

#define N_DRAWS 40000

struct sample {
    struct synth_account accounts[N_DRAWS];
};

static int draw_sample(void **state)
{
    struct sample *sample = malloc(sizeof *sample);
    if (!sample)
        return -1;
    for (size_t i = 0; i < N_DRAWS; i++)
        synth_account(42, i, &sample->accounts[i]);
    *state = sample;
    return 0;
}

static int free_sample(void **state)
{
    free(*state);
    return 0;
}

static double parameter(const char *name)
{
    for (size_t i = 0; i < synth_n_parameters; i++)
        if (strcmp(synth_parameters[i].name, name) == 0)
            return synth_parameters[i].value;
    fail_msg("no parameter %s", name);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, size_t n, double p)
{
    qsort(values, n, sizeof *values, ascending);
    return values[(size_t)(p * (double)(n - 1))];
}

static double correlation(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        syy += (y[i] - my) * (y[i] - my);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    return sxy / sqrt(sxx * syy);
}

static void a_row_does_not_depend_on_the_rows_before(void **state)
{
    const struct sample *sample = *state;
    struct synth_account again;
    synth_account(42, 12345, &again);
    const struct synth_account *first = &sample->accounts[12345];
    assert_true(again.real_followers == first->real_followers);
    assert_true(again.avg_likes == first->avg_likes);
    assert_true(again.influence_score == first->influence_score);
    assert_int_equal(synth_category(42, 12345), again.category);
}

static void another_seed_gives_other_accounts(void **state)
{
    const struct sample *sample = *state;
    size_t n_equal = 0;
    for (size_t i = 0; i < 1000; i++) {
        struct synth_account other;
        synth_account(43, i, &other);
        n_equal += other.real_followers == sample->accounts[i].real_followers;
    }
    assert_int_equal(n_equal, 0);
}

/* Against the quantiles of the published accounts: the middle within 25 %, the tail within a factor
 * of two. */
static void followers_are_heavy_tailed_as_published(void **state)
{
    const struct sample *sample = *state;
    static double followers[N_DRAWS];
    for (size_t i = 0; i < N_DRAWS; i++)
        followers[i] = sample->accounts[i].real_followers;
    static const struct {
        double p, published, factor;
    } wanted[] = {{0.25, 4951, 1.25},  {0.5, 16125, 1.25},   {0.75, 53569, 1.25},
                  {0.95, 416805, 2.0}, {0.99, 2085034, 2.0}, {0.999, 11557402, 2.0}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        double got = quantile(followers, N_DRAWS, wanted[i].p);
        if (got > wanted[i].published * wanted[i].factor ||
            got < wanted[i].published / wanted[i].factor)
            fail_msg("quantile %g: %g, published %g", wanted[i].p, got, wanted[i].published);
    }
}

static void engagement_falls_with_size(void **state)
{
    const struct sample *sample = *state;
    static const double edges[] = {1e3, 1e4, 5e4, 5e5, 1e9};
    static const double published[] = {0.0414, 0.0300, 0.0254, 0.0240};
    double before = 1;
    for (size_t tier = 0; tier < 4; tier++) {
        static double rates[N_DRAWS];
        size_t n = 0;
        for (size_t i = 0; i < N_DRAWS; i++) {
            const struct synth_account *a = &sample->accounts[i];
            if (!a->bought && a->real_followers >= edges[tier] &&
                a->real_followers < edges[tier + 1])
                rates[n++] = a->engagement[SYNTH_MONTHS - 1] / a->real_followers;
        }
        double median = quantile(rates, n, 0.5);
        assert_true(median < before);
        assert_true(fabs(log(median / published[tier])) < 0.35);
        before = median;
    }
}

static void a_bought_audience_engages_less(void **state)
{
    const struct sample *sample = *state;
    double rate[2] = {0, 0};
    size_t n[2] = {0, 0};
    for (size_t i = 0; i < N_DRAWS; i++) {
        const struct synth_account *a = &sample->accounts[i];
        double shown = a->followers[SYNTH_MONTHS - 1];
        assert_true(shown >= round(a->real_followers));
        assert_true(a->engagement[SYNTH_MONTHS - 1] <= shown);
        rate[a->bought] += log((1 + a->engagement[SYNTH_MONTHS - 1]) / shown);
        n[a->bought]++;
    }
    assert_true(fabs((double)n[1] / N_DRAWS - parameter("bought_share")) < 0.01);
    assert_true(rate[1] / (double)n[1] < rate[0] / (double)n[0] - 0.5);
}

static void quarters_of_growth_correlate_as_published(void **state)
{
    const struct sample *sample = *state;
    static double first[N_DRAWS], second[N_DRAWS];
    size_t n = 0;
    for (size_t i = 0; i < N_DRAWS; i++) {
        const struct synth_account *a = &sample->accounts[i];
        if (a->bought)
            continue;
        first[n] = log(a->followers[1] / a->followers[0]);
        second[n++] = log(a->followers[2] / a->followers[1]);
    }
    assert_true(fabs(correlation(first, second, n) - 0.73) < 0.03);
}

static void the_score_has_signal_and_noise(void **state)
{
    const struct sample *sample = *state;
    static double score[N_DRAWS], followers[N_DRAWS];
    for (size_t i = 0; i < N_DRAWS; i++) {
        score[i] = sample->accounts[i].influence_score;
        assert_true(score[i] >= 1 && score[i] <= 100);
        followers[i] = log(sample->accounts[i].real_followers);
    }
    double r = correlation(score, followers, N_DRAWS);
    assert_true(r > 0.4 && r < 0.8);
}

static void shares_of_categories_add_up(void **state)
{
    const struct sample *sample = *state;
    size_t count[16] = {0};
    assert_true(synth_n_categories < 16);
    for (size_t i = 0; i < N_DRAWS; i++)
        count[sample->accounts[i].category]++;
    for (size_t i = 0; i < synth_n_categories; i++)
        assert_true(count[i] > 0);
    assert_true(fabs((double)count[0] / N_DRAWS - 0.351) < 0.01);
}

static void remove_folder(char *dir)
{
    assert_int_equal(file_remove_tree(dir, NULL), STATUS_OK);
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    char *text[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        char dir[] = "/tmp/collect-synth-XXXXXX";
        assert_non_null(mkdtemp(dir));
        struct synth_options options = {.n_rows = 500, .seed = 7, .dir = dir};
        struct synth_counts counts;
        struct error err = {0};
        assert_int_equal(synth_write(&options, &counts, &err), STATUS_OK);
        assert_int_equal(counts.n_profiles, 500);
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/posts.csv", dir);
        size_t bytes;
        assert_int_equal(file_read(path, 1 << 24, &text[i], &bytes, &err), STATUS_OK);
        remove_folder(dir);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

static void files_of_somebody_else_are_not_replaced(void **state)
{
    (void)state;
    char dir[] = "/tmp/collect-synth-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/posts.csv", dir);
    assert_int_equal(file_write_atomic(path, "mine\n", 5, NULL), STATUS_OK);
    struct synth_options options = {.n_rows = 3, .dir = dir};
    struct synth_counts counts;
    struct error err = {0};
    assert_int_equal(synth_write(&options, &counts, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.message, "posts.csv"));
    snprintf(path, sizeof path, "%s/profiles.csv", dir);
    assert_false(file_exists(path));
    remove_folder(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_does_not_depend_on_the_rows_before),
        cmocka_unit_test(another_seed_gives_other_accounts),
        cmocka_unit_test(followers_are_heavy_tailed_as_published),
        cmocka_unit_test(engagement_falls_with_size),
        cmocka_unit_test(a_bought_audience_engages_less),
        cmocka_unit_test(quarters_of_growth_correlate_as_published),
        cmocka_unit_test(the_score_has_signal_and_noise),
        cmocka_unit_test(shares_of_categories_add_up),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(files_of_somebody_else_are_not_replaced),
    };
    return cmocka_run_group_tests(tests, draw_sample, free_sample);
}
