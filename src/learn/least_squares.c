/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/least_squares.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>

#include "base/cleanup.h"
#include "base/sort.h"

#define BLOCK_ROWS 256
#define HUBER_K 1.345
#define HUBER_ITERATIONS 50
#define HUBER_TOLERANCE 1e-4 /* largest change of a row's weight */
#define NET_PASSES 1000
#define NET_TOLERANCE 1e-6 /* largest change of a weight, as a share of the largest */

struct moments {
    size_t p;
    gsl_matrix *block; /* [BLOCK_ROWS][p + 2] of sqrt(w) (x, 1, y) */
    gsl_matrix *sums;  /* [p + 2][p + 2], lower triangle: block' block, summed */
    gsl_matrix *work;  /* [p + 1][p + 1] */
};

static void moments_deinit(struct moments *moments)
{
    gsl_matrix_free(moments->block);
    gsl_matrix_free(moments->sums);
    gsl_matrix_free(moments->work);
}

static enum status moments_init(struct moments *moments, size_t p, struct error *err)
{
    /* GSL aborts on errors unless told otherwise. */
    gsl_set_error_handler_off();
    moments->p = p;
    moments->block = gsl_matrix_alloc(BLOCK_ROWS, p + 2);
    moments->sums = gsl_matrix_alloc(p + 2, p + 2);
    moments->work = gsl_matrix_alloc(p + 1, p + 1);
    if (!moments->block || !moments->sums || !moments->work)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

static size_t row_of(const struct linear_rows *rows, size_t i)
{
    return rows->rows ? rows->rows[i] : i;
}

static void fill_block_row(const struct moments *moments, const struct linear_rows *rows, size_t i,
                           double weight, double *ret_row)
{
    size_t row = row_of(rows, i);
    double root = sqrt(weight);
    for (size_t j = 0; j < moments->p; j++)
        ret_row[j] = root * (double)rows->x[row * moments->p + j];
    ret_row[moments->p] = root;
    ret_row[moments->p + 1] = root * rows->y[row];
}

/* Sum up the rows, each with its weight ([n], by position; NULL: 1). */
static enum status gather(struct moments *moments, const struct linear_rows *rows,
                          const double *weight, struct error *err)
{
    gsl_matrix_set_zero(moments->sums);
    for (size_t begin = 0; begin < rows->n; begin += BLOCK_ROWS) {
        size_t n = rows->n - begin < BLOCK_ROWS ? rows->n - begin : BLOCK_ROWS;
        for (size_t i = 0; i < n; i++)
            fill_block_row(moments, rows, begin + i, weight ? weight[begin + i] : 1.0,
                           gsl_matrix_ptr(moments->block, i, 0));
        gsl_matrix_const_view block =
            gsl_matrix_const_submatrix(moments->block, 0, 0, n, moments->p + 2);
        if (gsl_blas_dsyrk(CblasLower, CblasTrans, 1.0, &block.matrix, 1.0, moments->sums) != 0)
            return fail(err, STATUS_INTERNAL, "GSL refuses a product of %zu rows", n);
    }
    return collective_sum(rows->group, gsl_matrix_ptr(moments->sums, 0, 0),
                          (moments->p + 2) * (moments->p + 2), err);
}

/* The centred cross products of x, with the penalty on the diagonal, and of x with y. */
static void centre(const struct moments *moments, double penalty, gsl_matrix *ret_a,
                   gsl_vector *ret_b)
{
    size_t p = moments->p;
    const gsl_matrix *sums = moments->sums;
    double weight = gsl_matrix_get(sums, p, p);
    double sum_y = gsl_matrix_get(sums, p + 1, p);
    for (size_t i = 0; i < p; i++) {
        double sum_i = gsl_matrix_get(sums, p, i);
        for (size_t j = 0; j <= i; j++)
            gsl_matrix_set(ret_a, i, j,
                           gsl_matrix_get(sums, i, j) -
                               sum_i * gsl_matrix_get(sums, p, j) / weight);
        gsl_matrix_set(ret_a, i, i, gsl_matrix_get(ret_a, i, i) + penalty);
        gsl_vector_set(ret_b, i, gsl_matrix_get(sums, p + 1, i) - sum_i * sum_y / weight);
    }
}

static enum status solve(struct moments *moments, double penalty, double *ret_weights,
                         struct error *err)
{
    size_t p = moments->p;
    double weight = gsl_matrix_get(moments->sums, p, p);
    if (!(weight > 0))
        return fail(err, STATUS_INVALID, "least squares: no rows");
    double intercept = gsl_matrix_get(moments->sums, p + 1, p) / weight;
    if (p > 0) {
        gsl_matrix_view a = gsl_matrix_submatrix(moments->work, 0, 0, p, p);
        gsl_vector_view b = gsl_matrix_subrow(moments->work, p, 0, p);
        centre(moments, penalty, &a.matrix, &b.vector);
        if (gsl_linalg_cholesky_decomp1(&a.matrix) != 0 ||
            gsl_linalg_cholesky_svx(&a.matrix, &b.vector) != 0)
            return fail(err, STATUS_INVALID, "least squares: the columns depend on each other");
        for (size_t i = 0; i < p; i++) {
            ret_weights[i] = gsl_vector_get(&b.vector, i);
            if (!isfinite(ret_weights[i]))
                return fail(err, STATUS_INVALID, "least squares: a weight is not finite");
            intercept -= ret_weights[i] * gsl_matrix_get(moments->sums, p, i) / weight;
        }
    }
    ret_weights[p] = intercept;
    return STATUS_OK;
}

enum status ridge_solve(const struct linear_rows *rows, double penalty, double *ret_weights,
                        struct error *err)
{
    AUTO(moments_deinit) struct moments moments = {0};
    TRY(moments_init(&moments, rows->p, err));
    TRY(gather(&moments, rows, NULL, err));
    return solve(&moments, penalty, ret_weights, err);
}

/* Huber's weights of the residuals: 1 within the bound, bound / |r| beyond. work: [2 n]. Returns
 * the largest change of a weight. */
static double reweigh(const struct linear_rows *rows, const double *weights, double *work,
                      double *weight)
{
    double *residual = work;
    double *sorted = work + rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        size_t row = row_of(rows, i);
        residual[i] = fabs(rows->y[row] - linear_value(weights, rows->x + row * rows->p, rows->p));
        sorted[i] = residual[i];
    }
    sort_doubles(sorted, rows->n);
    double bound = HUBER_K / 0.6745 * (sorted[(rows->n - 1) / 2] + sorted[rows->n / 2]) / 2.0;
    double change = 0;
    for (size_t i = 0; i < rows->n; i++) {
        double next = residual[i] > bound ? bound / residual[i] : 1.0;
        change = fmax(change, fabs(next - weight[i]));
        weight[i] = next;
    }
    return change;
}

enum status huber_solve(const struct linear_rows *rows, double penalty, double *ret_weights,
                        struct error *err)
{
    AUTO(moments_deinit) struct moments moments = {0};
    TRY(moments_init(&moments, rows->p, err));
    AUTO(free_slot) double *weight = calloc(3 * rows->n + 1, sizeof *weight);
    if (!weight)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < rows->n; i++)
        weight[i] = 1.0;
    for (int iteration = 0; iteration < HUBER_ITERATIONS; iteration++) {
        TRY(gather(&moments, rows, weight, err));
        TRY(solve(&moments, penalty, ret_weights, err));
        if (reweigh(rows, ret_weights, weight + rows->n, weight) < HUBER_TOLERANCE)
            break;
    }
    return STATUS_OK;
}

/* One pass over the columns of a and b, as centre() left them; returns the largest change. */
static double descend(const gsl_matrix *a, const gsl_vector *b, double l1, double l2,
                      double *weights)
{
    double largest = 0;
    for (size_t i = 0; i < b->size; i++) {
        double pull = gsl_vector_get(b, i);
        for (size_t j = 0; j < b->size; j++)
            if (j != i)
                pull -= gsl_matrix_get(a, i > j ? i : j, i > j ? j : i) * weights[j];
        double own = gsl_matrix_get(a, i, i) + l2;
        double next = own > 0 ? copysign(fmax(fabs(pull) - l1, 0), pull) / own : 0;
        largest = fmax(largest, fabs(next - weights[i]));
        weights[i] = next;
    }
    return largest;
}

enum status elastic_net_solve(const struct linear_rows *rows, double l1, double l2, double *weights,
                              struct error *err)
{
    AUTO(moments_deinit) struct moments moments = {0};
    size_t p = rows->p;
    TRY(moments_init(&moments, p, err));
    TRY(gather(&moments, rows, NULL, err));
    const gsl_matrix *sums = moments.sums;
    double weight = gsl_matrix_get(sums, p, p);
    if (!(weight > 0))
        return fail(err, STATUS_INVALID, "least squares: no rows");
    weights[p] = gsl_matrix_get(sums, p + 1, p) / weight;
    if (p == 0)
        return STATUS_OK;
    gsl_matrix_view a = gsl_matrix_submatrix(moments.work, 0, 0, p, p);
    gsl_vector_view b = gsl_matrix_subrow(moments.work, p, 0, p);
    centre(&moments, 0, &a.matrix, &b.vector);
    for (int pass = 0; pass < NET_PASSES; pass++) {
        double largest = 0;
        for (size_t i = 0; i < p; i++)
            largest = fmax(largest, fabs(weights[i]));
        if (descend(&a.matrix, &b.vector, l1, l2, weights) <= NET_TOLERANCE * (largest + 1e-9))
            break;
    }
    for (size_t i = 0; i < p; i++)
        weights[p] -= weights[i] * gsl_matrix_get(sums, p, i) / weight;
    return STATUS_OK;
}

double linear_value(const double *weights, const float *x, size_t p)
{
    double sum = weights[p];
    for (size_t i = 0; i < p; i++)
        sum += weights[i] * (double)x[i];
    return sum;
}
