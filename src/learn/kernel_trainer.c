/* SPDX-License-Identifier: Apache-2.0 */

/* Support vector regression (Vapnik 1995): errors within a margin are free, larger ones cost in
 * proportion. The intercept is fixed at the target's median: without the equality constraint that a
 * free one brings, the dual problem falls apart into its coordinates and is solved one at a time
 * (as Ho and Lin 2012, "Large-scale linear support vector regression", do for the linear kernel).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "learn/tune.h"

/* Beyond this many rows a random choice of them is fitted: the kernel has a number for each pair.
 */
#define MAX_ROWS 1500
#define MAX_SWEEPS 200
#define TOLERANCE 1e-3 /* largest step of a sweep, as a share of the bound */

/* In units of the target's spread (the median |distance| from the median / 0.6745). */
static const double bounds[] = {2, 0.5, 1, 4, 10};
static const double margins[] = {0.1, 0.03, 0.3};
/* Of a mean squared distance of 1 a column. */
static const double widths[] = {0.1, 0.03, 0.3, 1};
static const double shapes[] = {KERNEL_GAUSS, KERNEL_LAPLACE};

enum {
    BOUND,
    MARGIN,
    WIDTH,
    SHAPE,
    N_KNOBS
};

static const struct knob knobs[N_KNOBS] = {
    [BOUND] = {"C", bounds, ARRAY_LENGTH(bounds)},
    [MARGIN] = {"margin", margins, ARRAY_LENGTH(margins)},
    [WIDTH] = {"width", widths, ARRAY_LENGTH(widths)},
    [SHAPE] = {"kernel", shapes, ARRAY_LENGTH(shapes)},
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof values[0], compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

struct dual {
    size_t n, p;
    float *rows;   /* [n][p] */
    float *kernel; /* [n][n] */
    double *y;     /* [n], centred */
    double *beta;  /* [n] */
    double *value; /* [n] sum of kernel times beta */
    double centre, spread;
};

static void dual_deinit(struct dual *dual)
{
    free(dual->rows);
    free(dual->kernel);
    free(dual->y);
    free(dual->beta);
    free(dual->value);
}

static enum status dual_init(struct dual *dual, const struct problem *problem, struct error *err)
{
    size_t n = problem->n < MAX_ROWS ? problem->n : MAX_ROWS;
    size_t p = problem->p;
    AUTO(free_slot) size_t *order = calloc(problem->n + 1, sizeof *order);
    AUTO(free_slot) double *sorted = calloc(n + 1, sizeof *sorted);
    *dual = (struct dual){
        .n = n,
        .p = p,
        .rows = calloc(n * p + 1, sizeof *dual->rows),
        .kernel = calloc(n * n + 1, sizeof *dual->kernel),
        .y = calloc(n + 1, sizeof *dual->y),
        .beta = calloc(n + 1, sizeof *dual->beta),
        .value = calloc(n + 1, sizeof *dual->value),
    };
    if (!order || !sorted || !dual->rows || !dual->kernel || !dual->y || !dual->beta ||
        !dual->value)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(problem->seed);
    rng_permutation(&rng, order, problem->n);
    for (size_t i = 0; i < n; i++) {
        memcpy(dual->rows + i * p, problem->scaled + order[i] * p, p * sizeof *dual->rows);
        dual->y[i] = problem->y[order[i]];
        sorted[i] = dual->y[i];
    }
    dual->centre = median(sorted, n);
    for (size_t i = 0; i < n; i++) {
        dual->y[i] -= dual->centre;
        sorted[i] = fabs(dual->y[i]);
    }
    dual->spread = median(sorted, n) / 0.6745;
    for (size_t i = 0; i < n && !(dual->spread > 0); i++) /* more than half are the same */
        dual->spread = fabs(dual->y[i]);
    if (!(dual->spread > 0))
        dual->spread = 1;
    return STATUS_OK;
}

static void fill_kernel(struct dual *dual, enum kernel_shape shape, double gamma)
{
    for (size_t i = 0; i < dual->n; i++) {
        const float *a = dual->rows + i * dual->p;
        for (size_t j = 0; j <= i; j++) {
            const float *b = dual->rows + j * dual->p;
            float sum = 0;
            for (size_t c = 0; c < dual->p; c++) {
                float difference = a[c] - b[c];
                sum += shape == KERNEL_GAUSS ? difference * difference : fabsf(difference);
            }
            float value = expf((float)-gamma * sum);
            dual->kernel[i * dual->n + j] = value;
            dual->kernel[j * dual->n + i] = value;
        }
    }
}

/* Minimise beta' K beta / 2 - y' beta + margin |beta| over |beta_i| <= bound. */
static void solve(struct dual *dual, double bound, double margin)
{
    size_t n = dual->n;
    for (size_t sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        double largest = 0;
        for (size_t i = 0; i < n; i++) {
            const float *row = dual->kernel + i * n;
            double own = (double)row[i];
            double pull = dual->y[i] - dual->value[i] + own * dual->beta[i];
            double beta = copysign(fmax(fabs(pull) - margin, 0), pull) / own;
            beta = fmax(-bound, fmin(beta, bound));
            double step = beta - dual->beta[i];
            if (step == 0)
                continue;
            dual->beta[i] = beta;
            largest = fmax(largest, fabs(step));
            for (size_t j = 0; j < n; j++)
                dual->value[j] += step * (double)row[j];
        }
        if (largest <= TOLERANCE * bound)
            return;
    }
}

/* The rows that have a weight. */
static enum status take_model(const struct dual *dual, const struct kernel_model *form,
                              struct fitted **ret_fitted, struct error *err)
{
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("kernel");
    if (!fitted)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    for (size_t i = 0; i < dual->n; i++)
        n += dual->beta[i] != 0;
    size_t n_rows = n > 0 ? n : 1; /* a constant still has a row */
    float *rows = ARENA_ARRAY(&fitted->memory, float, n_rows * dual->p);
    double *weights = ARENA_ARRAY(&fitted->memory, double, n_rows + 1);
    if (!rows || !weights)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    weights[n_rows] = dual->centre;
    size_t at = 0;
    for (size_t i = 0; i < dual->n; i++) {
        if (dual->beta[i] == 0)
            continue;
        memcpy(rows + at * dual->p, dual->rows + i * dual->p, dual->p * sizeof *rows);
        weights[at++] = dual->beta[i];
    }
    fitted->kernel = *form;
    fitted->kernel.n_inputs = dual->p;
    fitted->kernel.n_outputs = 1;
    fitted->kernel.n_rows = n_rows;
    fitted->kernel.rows = rows;
    fitted->kernel.weights = weights;
    *ret_fitted = STEAL(fitted);
    return STATUS_OK;
}

static enum status svr_fit(const struct problem *problem, const double *value,
                           struct fitted **ret_fitted, struct error *err)
{
    AUTO(dual_deinit) struct dual dual = {0};
    TRY(dual_init(&dual, problem, err));
    struct kernel_model form = {
        .shape = (enum kernel_shape)value[SHAPE],
        .gamma = value[WIDTH] / (double)(problem->p ? problem->p : 1),
    };
    fill_kernel(&dual, form.shape, form.gamma);
    solve(&dual, value[BOUND] * dual.spread, value[MARGIN] * dual.spread);
    return take_model(&dual, &form, ret_fitted, err);
}

static enum status svr_train(const struct problem *problem, struct fitted **ret_fitted,
                             struct error *err)
{
    static const struct recipe recipe = {knobs, N_KNOBS, svr_fit};
    return tune_recipe(&recipe, problem, ret_fitted, err);
}

const struct trainer trainer_svr = {
    .name = "svr",
    .task = TASK_REGRESSION,
    .help = "support vectors: a smooth surface that outliers pull with bounded force",
    .fit = svr_train,
};
