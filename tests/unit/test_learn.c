/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "dataset/split.h"
#include "learn/calibrate.h"
#include "learn/conformal.h"
#include "learn/kmeans.h"
#include "learn/least_squares.h"
#include "learn/logistic.h"
#include "learn/metrics.h"
#include "learn/stability.h"
#include "profile/profile.h"
#include "runtime/softmax.h"

/* ---- metrics, by hand ---- */

static void regression_metrics_agree_with_figures_by_hand(void **state)
{
    (void)state;
    const double y[] = {1, 2, 3, 4};
    const double predicted[] = {1, 3, 2, 6};
    struct regression_metrics m;
    assert_int_equal(metrics_regression(y, predicted, 4, &m, NULL), STATUS_OK);
    assert_near(m.mae, 1.0, 1e-12);
    assert_near(m.rmse, sqrt(1.5), 1e-12);
    assert_near(m.r2, 1 - 6.0 / 5.0, 1e-12);
    assert_near(m.spearman, 0.8, 1e-12);
    const double bad[] = {1, 2, 3, NAN};
    assert_int_equal(metrics_regression(y, bad, 4, &m, NULL), STATUS_INVALID);
}

static void rank_correlation_takes_mid_ranks_of_ties(void **state)
{
    (void)state;
    const double a[] = {1, 2, 2, 3};
    const double b[] = {10, 20, 30, 40};
    double rho;
    assert_int_equal(metrics_spearman(a, b, 4, &rho, NULL), STATUS_OK);
    assert_near(rho, 4.5 / sqrt(4.5 * 5.0), 1e-12);
}

static void class_metrics_agree_with_figures_by_hand(void **state)
{
    (void)state;
    const uint32_t label[] = {0, 0, 1, 2};
    const double p[] = {.7, .2, .1, .1, .8, .1, .1, .8, .1, .25, .25, .5};
    struct class_metrics m;
    assert_int_equal(metrics_classification(label, p, 4, 3, &m, NULL), STATUS_OK);
    assert_near(m.accuracy, .75, 1e-12);
    assert_near(m.macro_f1, (2.0 / 3 + 2.0 / 3 + 1) / 3, 1e-12);
    assert_near(m.log_loss, -(log(.7) + log(.1) + log(.8) + log(.5)) / 4, 1e-12);
    /* Bins: [.7] right, [.8, .8] one right, [.5] right. */
    assert_near(m.ece, (.3 + .6 + .5) / 4, 1e-12);
}

static void the_silhouette_of_two_pairs_has_a_closed_form(void **state)
{
    (void)state;
    const float rows[] = {0, 1, 10, 11};
    const uint32_t cluster[] = {0, 0, 1, 1};
    double silhouette;
    assert_int_equal(metrics_silhouette(rows, 4, 1, cluster, 2, &silhouette, NULL), STATUS_OK);
    /* Outer points: (10.5 - 1) / 10.5, inner ones: (9.5 - 1) / 9.5. */
    assert_near(silhouette, (9.5 / 10.5 + 8.5 / 9.5) / 2, 1e-9);
    const uint32_t one[] = {0, 0, 0, 0};
    assert_int_equal(metrics_silhouette(rows, 4, 1, one, 1, &silhouette, NULL), STATUS_INVALID);
}

/* ---- least squares ---- */

/* NIST StRD "Norris": https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml */
static void least_squares_gives_the_certified_values_of_norris(void **state)
{
    (void)state;
    static const double y[] = {.1,    338.8, 118.1, 888.0, 9.2,   228.1, 668.5, 998.5, 449.1,
                               778.9, 559.2, .3,    .1,    778.1, 668.8, 339.3, 448.9, 10.8,
                               557.7, 228.3, 998.0, 888.8, 119.6, .3,    .6,    557.6, 339.3,
                               888.0, 998.5, 778.9, 10.2,  117.6, 228.9, 668.4, 449.2, .2};
    static const float x[] = {
        .2F, 337.4F, 118.2F, 884.6F, 10.1F,  226.5F, 666.3F, 996.3F, 448.6F, 777.0F, 558.2F, .4F,
        .6F, 775.5F, 666.9F, 338.0F, 447.5F, 11.6F,  556.0F, 228.1F, 995.8F, 887.6F, 120.2F, .3F,
        .3F, 556.8F, 339.1F, 887.2F, 999.0F, 779.0F, 11.1F,  118.3F, 229.2F, 669.1F, 448.9F, .5F};
    struct linear_rows rows = {x, y, NULL, 36, 1, NULL};
    double w[2];
    assert_int_equal(ridge_solve(&rows, 0, w, NULL), STATUS_OK);
    /* x is held in float: 1e-7 of 1000. */
    assert_near(w[1], -0.262323073774029, 1e-5);
    assert_near(w[0], 1.00211681802045, 1e-7);
}

static void ridge_of_one_column_has_a_closed_form(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 6};
    const double y[] = {2, 1, 4, 5};
    struct linear_rows rows = {x, y, NULL, 4, 1, NULL};
    double w[2];
    assert_int_equal(ridge_solve(&rows, 3, w, NULL), STATUS_OK);
    /* Sxx = 14, Sxy = 10. */
    assert_near(w[0], 10.0 / 17.0, 1e-12);
    assert_near(w[1], 3 - 3 * 10.0 / 17.0, 1e-12);
    const float same[] = {1, 1, 2, 2, 3, 3, 4, 4};
    struct linear_rows twins = {same, y, NULL, 4, 2, NULL};
    double u[3];
    assert_int_equal(ridge_solve(&twins, 0, u, NULL), STATUS_INVALID);
    assert_int_equal(ridge_solve(&twins, 1, u, NULL), STATUS_OK);
    assert_near(u[0], u[1], 1e-9);
}

/* Brownlee's stack loss data; the coefficients are those of MASS::rlm (R), Huber's psi with its
 * defaults: Venables and Ripley, Modern Applied Statistics with S, 4th ed., section 6.5. */
static void huber_agrees_with_rlm_on_stack_loss(void **state)
{
    (void)state;
    static const float x[] = {80, 27, 89, 80, 27, 88, 75, 25, 90, 62, 24, 87, 62, 22, 87, 62,
                              23, 87, 62, 24, 93, 62, 24, 93, 58, 23, 87, 58, 18, 80, 58, 18,
                              89, 58, 17, 88, 58, 18, 82, 58, 19, 93, 50, 18, 89, 50, 18, 86,
                              50, 19, 72, 50, 19, 79, 50, 20, 80, 56, 20, 82, 70, 20, 91};
    static const double y[] = {42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14,
                               13, 11, 12, 8,  7,  8,  8,  9,  15, 15};
    struct linear_rows rows = {x, y, NULL, 21, 3, NULL};
    double w[4];
    assert_int_equal(huber_solve(&rows, 0, w, NULL), STATUS_OK);
    assert_near(w[0], 0.8294, 1e-3);
    assert_near(w[1], 0.9261, 1e-3);
    assert_near(w[2], -0.1278, 1e-3);
    assert_near(w[3], -41.0265, 2e-2);
}

/* ---- softmax ---- */

static void the_gradient_of_softmax_is_that_of_finite_differences(void **state)
{
    (void)state;
    enum {
        N = 30,
        P = 4,
        K = 3
    };
    float x[N * P];
    uint32_t label[N];
    double w[K * (P + 1)];
    double gradient[K * (P + 1)];
    double ignored[K * (P + 1)];
    double scratch[2 * K];
    static const double class_weight[K] = {1, 2, 0.5};
    struct rng rng = rng_seed(3);
    for (size_t i = 0; i < N * P; i++)
        x[i] = (float)rng_normal(&rng);
    for (size_t i = 0; i < N; i++)
        label[i] = (uint32_t)rng_below(&rng, K);
    for (size_t i = 0; i < K * (P + 1); i++)
        w[i] = rng_normal(&rng);
    struct logistic_problem problem = {.x = x,
                                       .label = label,
                                       .n = N,
                                       .p = P,
                                       .k = K,
                                       .penalty = 0.7,
                                       .class_weight = class_weight,
                                       .scratch = scratch};
    logistic_loss(&problem, w, gradient);
    for (size_t i = 0; i < K * (P + 1); i++) {
        double at = w[i];
        w[i] = at + 1e-5;
        double above = logistic_loss(&problem, w, ignored);
        w[i] = at - 1e-5;
        double below = logistic_loss(&problem, w, ignored);
        w[i] = at;
        assert_near(gradient[i], (above - below) / 2e-5, 1e-8);
    }
}

static void softmax_of_huge_logits_stays_a_distribution(void **state)
{
    (void)state;
    const double logit[] = {1e6, 1e6 - 1, -1e6};
    double p[3];
    softmax(logit, 3, 1.0, p);
    assert_near(p[0], 1 / (1 + exp(-1)), 1e-12);
    assert_near(p[0] + p[1] + p[2], 1, 1e-12);
}

/* Without a penalty and without columns, the fit is the shares of the classes. */
static void softmax_without_columns_fits_the_shares(void **state)
{
    (void)state;
    const float x[10] = {0};
    const uint32_t label[] = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2};
    struct logistic_problem problem = {.x = x, .label = label, .n = 10, .p = 0, .k = 3};
    double w[3] = {0};
    assert_int_equal(logistic_fit(&problem, w, NULL), STATUS_OK);
    double p[3];
    softmax(w, 3, 1.0, p);
    assert_near(p[0], .5, 1e-4);
    assert_near(p[1], .3, 1e-4);
    assert_near(p[2], .2, 1e-4);
}

/* ---- k-means ---- */

static void kmeans_finds_planted_clusters(void **state)
{
    (void)state;
    enum {
        N = 300,
        K = 3
    };
    static const float middle[K][2] = {{0, 0}, {10, 0}, {0, 10}};
    static const size_t size[K] = {150, 100, 50};
    float rows[N * 2];
    uint32_t planted[N];
    struct rng rng = rng_seed(5);
    size_t n = 0;
    for (uint32_t c = 0; c < K; c++)
        for (size_t i = 0; i < size[c]; i++, n++) {
            rows[2 * n] = middle[c][0] + (float)rng_normal(&rng);
            rows[2 * n + 1] = middle[c][1] + (float)rng_normal(&rng);
            planted[n] = c;
        }
    float centroids[K * 2];
    uint32_t cluster[N];
    double inertia;
    struct kmeans_input input = {.rows = rows, .n = N, .p = 2, .k = K, .n_starts = 4, .seed = 1};
    assert_int_equal(kmeans_fit(&input, centroids, cluster, &inertia, NULL), STATUS_OK);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(cluster[i], planted[i]);
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 2; j++)
            sum += pow((double)rows[2 * i + j] - (double)centroids[2 * cluster[i] + j], 2);
    assert_near(inertia, sum, 1e-6 * sum);

    uint32_t again[N];
    assert_int_equal(kmeans_fit(&input, centroids, again, &inertia, NULL), STATUS_OK);
    assert_memory_equal(cluster, again, sizeof cluster);
    input.k = N + 1;
    assert_int_equal(kmeans_fit(&input, centroids, again, &inertia, NULL), STATUS_INVALID);
}

static void kmeans_survives_rows_that_coincide(void **state)
{
    (void)state;
    const float rows[] = {1, 1, 1, 1, 2};
    float centroids[3];
    uint32_t cluster[5];
    double inertia;
    struct kmeans_input input = {.rows = rows, .n = 5, .p = 1, .k = 3, .n_starts = 2, .seed = 1};
    assert_int_equal(kmeans_fit(&input, centroids, cluster, &inertia, NULL), STATUS_OK);
    assert_near(inertia, 0, 1e-12);
    assert_int_not_equal(cluster[0], cluster[4]);
}

static void the_adjusted_rand_index_agrees_with_a_figure_by_hand(void **state)
{
    (void)state;
    const uint32_t a[] = {0, 0, 0, 1, 1, 1};
    const uint32_t b[] = {0, 0, 1, 1, 2, 2};
    double index;
    assert_int_equal(adjusted_rand(a, 2, b, 3, 6, &index, NULL), STATUS_OK);
    /* Together in both: 1 + 1; in a 3 + 3, in b 1 + 1 + 1; expected 6 x 3 / 15. */
    assert_near(index, (2 - 1.2) / (4.5 - 1.2), 1e-12);
    const uint32_t renamed[] = {1, 1, 1, 0, 0, 0};
    assert_int_equal(adjusted_rand(a, 2, renamed, 2, 6, &index, NULL), STATUS_OK);
    assert_near(index, 1, 1e-12);
}

/* Three heaps are found again as three, and not as five. */
static void heaps_are_stable_at_their_own_number(void **state)
{
    (void)state;
    enum {
        N = 300
    };
    float rows[N * 2];
    float centroids[5 * 2];
    uint32_t cluster[N];
    struct rng rng = rng_seed(6);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 2; j++)
            rows[i * 2 + j] = (float)((j == 0 ? 8 * (double)(i % 3) : 0) + rng_normal(&rng));
    double stability[2];
    for (size_t t = 0; t < 2; t++) {
        struct kmeans_input input = {
            .rows = rows, .n = N, .p = 2, .k = t == 0 ? 3 : 5, .n_starts = 3, .seed = 1};
        double inertia;
        double sd;
        assert_int_equal(kmeans_fit(&input, centroids, cluster, &inertia, NULL), STATUS_OK);
        assert_int_equal(stability_measure(&input, cluster, 10, &stability[t], &sd, NULL),
                         STATUS_OK);
    }
    assert_true(stability[0] > 0.98);
    assert_true(stability[1] < 0.9);
}

/* ---- certainty ---- */

/* Predictions of 0, so that y is the residual. */
static void intervals_take_the_corrected_ranks(void **state)
{
    (void)state;
    enum {
        N = 20
    };
    double y[N];
    double zero[N] = {0};
    uint32_t fold[N];
    for (size_t i = 0; i < N - 1; i++) {
        y[i] = (double)i - 9;
        fold[i] = i % 2;
    }
    struct conformal_rows rows = {
        .n = N - 1, .y = y, .predicted = zero, .fold = fold, .n_folds = 2, .coverage = 0.9};
    struct interval_rule rule;
    struct conformal_measure measure;
    /* (19 + 1) 0.95 = 19: the largest; by symmetry the smallest. */
    assert_int_equal(conformal_fit(&rows, &rule, &measure, NULL, NULL), STATUS_OK);
    assert_int_equal(rule.n_groups + rule.n_knots, 0);
    assert_near(rule.offsets[0].high, 9, 0);
    assert_near(rule.offsets[0].low, -9, 0);
    /* 20 0.75 = 15. */
    rows.coverage = 0.5;
    assert_int_equal(conformal_fit(&rows, &rule, &measure, NULL, NULL), STATUS_OK);
    assert_near(rule.offsets[0].high, 5, 0);
    assert_near(rule.offsets[0].low, -5, 0);
    rows.n = 0;
    assert_int_equal(conformal_fit(&rows, &rule, &measure, NULL, NULL), STATUS_INVALID);
}

/* Small accounts are four times as hard as large ones: one width for both would cover 80 and 100 %.
 */
static void intervals_cover_what_they_state_in_each_size(void **state)
{
    (void)state;
    enum {
        N = 4000
    };
    static double y[N], predicted[N], followers[N];
    static uint32_t fold[N];
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < N; i++) {
        followers[i] = i % 100 == 0 ? MISSING : exp(5 + 10 * rng_uniform(&rng));
        predicted[i] = rng_normal(&rng);
        y[i] = predicted[i] + (followers[i] < 10000 ? 4 : 1) * rng_normal(&rng);
    }
    assert_int_equal(split_plain(N, 5, 0, fold, NULL), STATUS_OK);
    static const double cuts[] = {10000, 3e6}; /* few are beyond the second */
    struct conformal_rows rows = {.n = N,
                                  .y = y,
                                  .predicted = predicted,
                                  .fold = fold,
                                  .n_folds = 5,
                                  .followers = followers,
                                  .cuts = cuts,
                                  .n_cuts = 2,
                                  .coverage = 0.9};
    struct interval_rule rule;
    struct conformal_measure measure;
    assert_int_equal(conformal_fit(&rows, &rule, &measure, NULL, NULL), STATUS_OK);
    assert_true(measure.covered > 0.885 && measure.covered < 0.915);
    assert_int_equal(measure.n_groups, 3);
    for (size_t g = 0; g < 2; g++)
        assert_true(measure.group_covered[g] > 0.88 && measure.group_covered[g] < 0.92);
    /* 2 x 1.645 deviations. */
    assert_near(measure.group_width[0], 3.29 * 4, 1);
    assert_near(measure.group_width[1], 3.29, 0.3);
    struct interval_offsets small = interval_at(&rule, 0, 500);
    struct interval_offsets unknown = interval_at(&rule, 0, MISSING);
    assert_true(small.high > unknown.high && unknown.high > interval_at(&rule, 0, 20000).high);
}

/* Where errors grow with the prediction, so do the intervals; and they are shorter for it. */
static void intervals_follow_the_spread_where_there_is_one(void **state)
{
    (void)state;
    enum {
        N = 3000
    };
    static double y[N], predicted[N];
    static uint32_t fold[N];
    struct rng rng = rng_seed(12);
    for (size_t i = 0; i < N; i++) {
        predicted[i] = 10 * rng_uniform(&rng);
        y[i] = predicted[i] + (0.2 + predicted[i]) * rng_normal(&rng);
    }
    assert_int_equal(split_plain(N, 5, 0, fold, NULL), STATUS_OK);
    struct conformal_rows rows = {
        .n = N, .y = y, .predicted = predicted, .fold = fold, .n_folds = 5, .coverage = 0.9};
    struct interval_rule rule;
    struct conformal_measure measure;
    assert_int_equal(conformal_fit(&rows, &rule, &measure, NULL, NULL), STATUS_OK);
    assert_true(rule.n_knots > 2);
    assert_true(measure.covered > 0.88 && measure.covered < 0.92);
    assert_near(interval_at(&rule, 9, MISSING).high, 1.645 * 9.2, 2.5);
    assert_near(interval_at(&rule, 2, MISSING).high, 1.645 * 2.2, 1.2);
    /* Equal spreads are left alone. */
    for (size_t i = 0; i < N; i++)
        y[i] = predicted[i] + rng_normal(&rng);
    assert_int_equal(conformal_fit(&rows, &rule, &measure, NULL, NULL), STATUS_OK);
    assert_int_equal(rule.n_knots, 0);
}

/* Classes whose outputs are off by a scale and a shift each. */
static void planted_scales_and_shifts_are_found(void **state)
{
    (void)state;
    enum {
        N = 20000,
        K = 3
    };
    static const double scale[K] = {0.5, 0.5, 0.25};
    static const double shift[K] = {0, 0.4, -0.4};
    AUTO(free_slot) double *logit = malloc(N * K * sizeof *logit);
    AUTO(free_slot) double *probability = malloc(N * K * sizeof *probability);
    AUTO(free_slot) uint32_t *label = malloc(N * sizeof *label);
    AUTO(free_slot) uint32_t *fold = malloc(N * sizeof *fold);
    assert_true(logit && probability && label && fold);
    struct rng rng = rng_seed(2);
    for (size_t i = 0; i < N; i++) {
        double p[K];
        for (size_t c = 0; c < K; c++) {
            logit[i * K + c] = 4 * rng_normal(&rng);
            p[c] = logit[i * K + c] * scale[c] + shift[c];
        }
        softmax(p, K, 1, p);
        double u = rng_uniform(&rng);
        label[i] = u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2;
    }
    assert_int_equal(split_plain(N, 5, 0, fold, NULL), STATUS_OK);
    struct calibrate_rows rows = {N, K, logit, label, fold, 5};
    double terms[2 * K];
    const char *method;
    struct class_metrics m;
    assert_int_equal(calibrate_fit(&rows, terms, probability, &method, NULL), STATUS_OK);
    assert_string_equal(method, "vector");
    for (size_t c = 0; c < K; c++) {
        assert_near(terms[2 * c], scale[c], 0.04);
        /* A shift that all classes share changes nothing. */
        assert_near(terms[2 * c + 1] - terms[1], shift[c] - shift[0], 0.08);
    }
    assert_int_equal(metrics_classification(label, probability, N, K, &m, NULL), STATUS_OK);
    assert_true(m.ece < 0.015);
}

/* A classifier to which all classes count alike, of classes that are not: the shifts that make its
 * probabilities right would move the borders back, so a part of them must do. */
static void borders_that_weights_have_moved_stay_where_they_are(void **state)
{
    (void)state;
    enum {
        N = 20000,
        K = 3
    };
    static const double prior[K] = {0.6, 0.2, 0.2};
    AUTO(free_slot) double *logit = malloc(N * K * sizeof *logit);
    AUTO(free_slot) double *probability = malloc(N * K * sizeof *probability);
    AUTO(free_slot) uint32_t *label = malloc(N * sizeof *label);
    AUTO(free_slot) uint32_t *fold = malloc(N * sizeof *fold);
    assert_true(logit && probability && label && fold);
    struct rng rng = rng_seed(4);
    for (size_t i = 0; i < N; i++) {
        double u = rng_uniform(&rng);
        label[i] = u < prior[0] ? 0 : u < prior[0] + prior[1] ? 1 : 2;
        bool is_blank = rng_uniform(&rng) < 0.5; /* nothing is known of it */
        for (size_t c = 0; c < K; c++)
            logit[i * K + c] =
                is_blank ? (c == 0 ? 0.1 : 0.0) : 1.2 * (rng_normal(&rng) + 1.2 * (c == label[i]));
        softmax(logit + i * K, K, 1, probability + i * K);
    }
    assert_int_equal(split_plain(N, 5, 0, fold, NULL), STATUS_OK);
    struct calibrate_rows rows = {N, K, logit, label, fold, 5};
    double terms[2 * K];
    const char *method;
    struct class_metrics before;
    struct class_metrics after;
    assert_int_equal(metrics_classification(label, probability, N, K, &before, NULL), STATUS_OK);
    assert_int_equal(calibrate_fit(&rows, terms, probability, &method, NULL), STATUS_OK);
    assert_int_equal(metrics_classification(label, probability, N, K, &after, NULL), STATUS_OK);
    assert_string_equal(method, "vector");
    assert_true(after.macro_f1 > before.macro_f1 - 0.005);
    assert_true(after.log_loss < 0.95 * before.log_loss);
    assert_true(after.ece < 0.7 * before.ece);
    for (size_t c = 1; c < K; c++) {
        double shift = terms[1] - terms[2 * c + 1];
        assert_true(shift > 0.2 && shift < log(3) - 0.2);
    }
}

/* Labels drawn from the very probabilities: a fit would only add its own error. */
static void probabilities_that_are_right_are_left_as_they_are(void **state)
{
    (void)state;
    enum {
        N = 600,
        K = 3
    };
    double logit[N * K];
    double probability[N * K];
    uint32_t label[N];
    uint32_t fold[N];
    struct rng rng = rng_seed(5);
    for (size_t i = 0; i < N; i++) {
        double p[K];
        for (size_t c = 0; c < K; c++)
            logit[i * K + c] = 1.5 * rng_normal(&rng);
        softmax(logit + i * K, K, 1, p);
        double u = rng_uniform(&rng);
        label[i] = u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2;
    }
    assert_int_equal(split_plain(N, 5, 0, fold, NULL), STATUS_OK);
    struct calibrate_rows rows = {N, K, logit, label, fold, 5};
    double terms[2 * K];
    const char *method;
    assert_int_equal(calibrate_fit(&rows, terms, probability, &method, NULL), STATUS_OK);
    assert_string_equal(method, "none");
    for (size_t c = 0; c < K; c++) {
        double p[K];
        softmax(logit, K, 1, p);
        assert_near(terms[2 * c], 1, 0);
        assert_near(terms[2 * c + 1], 0, 0);
        assert_near(probability[c], p[c], 1e-12);
    }
}

/* Labels drawn from softmax(logit / 2.5): the fit must find 2.5 again. */
static void a_planted_temperature_is_found(void **state)
{
    (void)state;
    enum {
        N = 20000,
        K = 3
    };
    AUTO(free_slot) double *logit = malloc(N * K * sizeof *logit);
    AUTO(free_slot) uint32_t *label = malloc(N * sizeof *label);
    assert_non_null(logit);
    assert_non_null(label);
    struct rng rng = rng_seed(2);
    for (size_t i = 0; i < N; i++) {
        double p[K];
        for (size_t c = 0; c < K; c++)
            logit[i * K + c] = 4 * rng_normal(&rng);
        softmax(logit + i * K, K, 2.5, p);
        double u = rng_uniform(&rng);
        label[i] = u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2;
    }
    assert_near(temperature_fit(logit, label, N, K), 2.5, 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regression_metrics_agree_with_figures_by_hand),
        cmocka_unit_test(rank_correlation_takes_mid_ranks_of_ties),
        cmocka_unit_test(class_metrics_agree_with_figures_by_hand),
        cmocka_unit_test(the_silhouette_of_two_pairs_has_a_closed_form),
        cmocka_unit_test(least_squares_gives_the_certified_values_of_norris),
        cmocka_unit_test(ridge_of_one_column_has_a_closed_form),
        cmocka_unit_test(huber_agrees_with_rlm_on_stack_loss),
        cmocka_unit_test(the_gradient_of_softmax_is_that_of_finite_differences),
        cmocka_unit_test(softmax_of_huge_logits_stays_a_distribution),
        cmocka_unit_test(softmax_without_columns_fits_the_shares),
        cmocka_unit_test(kmeans_finds_planted_clusters),
        cmocka_unit_test(kmeans_survives_rows_that_coincide),
        cmocka_unit_test(the_adjusted_rand_index_agrees_with_a_figure_by_hand),
        cmocka_unit_test(heaps_are_stable_at_their_own_number),
        cmocka_unit_test(intervals_take_the_corrected_ranks),
        cmocka_unit_test(intervals_cover_what_they_state_in_each_size),
        cmocka_unit_test(intervals_follow_the_spread_where_there_is_one),
        cmocka_unit_test(planted_scales_and_shifts_are_found),
        cmocka_unit_test(borders_that_weights_have_moved_stay_where_they_are),
        cmocka_unit_test(probabilities_that_are_right_are_left_as_they_are),
        cmocka_unit_test(a_planted_temperature_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
