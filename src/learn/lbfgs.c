/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/lbfgs.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define PAIRS 8

struct state {
    size_t n;
    double *step[PAIRS];   /* s_k = x_{k+1} - x_k, a ring */
    double *change[PAIRS]; /* y_k = gradient_{k+1} - gradient_k */
    double inverse[PAIRS]; /* 1 / (y_k . s_k) */
    size_t n_pairs;        /* stored since the start */
    double *gradient, *direction, *next_x, *next_gradient;
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add_scaled(double *to, double factor, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += factor * x[i];
}

/* Algorithm 7.4: direction = -H gradient. */
static void find_direction(struct state *s)
{
    double alpha[PAIRS] = {0};
    size_t n_kept = s->n_pairs < PAIRS ? s->n_pairs : PAIRS;
    for (size_t i = 0; i < s->n; i++)
        s->direction[i] = -s->gradient[i];
    for (size_t k = 0; k < n_kept; k++) {
        size_t at = (s->n_pairs - 1 - k) % PAIRS;
        alpha[at] = s->inverse[at] * dot(s->step[at], s->direction, s->n);
        add_scaled(s->direction, -alpha[at], s->change[at], s->n);
    }
    if (n_kept > 0) {
        size_t last = (s->n_pairs - 1) % PAIRS;
        double scale = 1.0 / (s->inverse[last] * dot(s->change[last], s->change[last], s->n));
        for (size_t i = 0; i < s->n; i++)
            s->direction[i] *= scale;
    }
    for (size_t k = n_kept; k-- > 0;) {
        size_t at = (s->n_pairs - 1 - k) % PAIRS;
        double beta = s->inverse[at] * dot(s->change[at], s->direction, s->n);
        add_scaled(s->direction, alpha[at] - beta, s->step[at], s->n);
    }
}

/* Remember the last step where the curvature is positive, which keeps H positive definite. */
static void remember(struct state *s, const double *x)
{
    size_t at = s->n_pairs % PAIRS;
    for (size_t i = 0; i < s->n; i++) {
        s->step[at][i] = s->next_x[i] - x[i];
        s->change[at][i] = s->next_gradient[i] - s->gradient[i];
    }
    double curvature = dot(s->step[at], s->change[at], s->n);
    if (curvature > 1e-12 * dot(s->change[at], s->change[at], s->n)) {
        s->inverse[at] = 1.0 / curvature;
        s->n_pairs++;
    }
}

static double largest(const double *x, size_t n)
{
    double max = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, fabs(x[i]));
    return max;
}

/* Halve the step until the Armijo condition holds; false when no step helps any more. */
static bool search_line(lbfgs_function function, void *user, struct state *s, const double *x,
                        double value, double *ret_value)
{
    double slope = dot(s->gradient, s->direction, s->n);
    double length = s->n_pairs > 0 ? 1.0 : 1.0 / fmax(1.0, largest(s->gradient, s->n));
    for (int attempt = 0; attempt < 40; attempt++) {
        memcpy(s->next_x, x, s->n * sizeof *x);
        add_scaled(s->next_x, length, s->direction, s->n);
        double next = function(user, s->next_x, s->next_gradient);
        if (isfinite(next) && next <= value + 1e-4 * length * slope) {
            *ret_value = next;
            return true;
        }
        length *= 0.5;
    }
    return false;
}

static void carve(struct state *s, double *memory, size_t n)
{
    s->n = n;
    for (size_t k = 0; k < PAIRS; k++) {
        s->step[k] = memory + 2 * k * n;
        s->change[k] = memory + (2 * k + 1) * n;
    }
    s->gradient = memory + 2 * PAIRS * n;
    s->direction = s->gradient + n;
    s->next_x = s->direction + n;
    s->next_gradient = s->next_x + n;
}

enum status lbfgs_minimise(lbfgs_function function, void *user, double *x, size_t n,
                           const struct lbfgs_options *options, struct error *err)
{
    AUTO(free_slot) double *memory = calloc((2 * PAIRS + 4) * n + 1, sizeof *memory);
    if (!memory)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct state s = {0};
    carve(&s, memory, n);
    double value = function(user, x, s.gradient);
    if (!isfinite(value))
        return fail(err, STATUS_INVALID, "the function is not finite at the start");
    for (size_t iteration = 0; iteration < options->max_iterations; iteration++) {
        if (largest(s.gradient, n) <= options->tolerance * fmax(1.0, fabs(value)))
            break;
        find_direction(&s);
        if (!search_line(function, user, &s, x, value, &value))
            break;
        remember(&s, x);
        memcpy(x, s.next_x, n * sizeof *x);
        memcpy(s.gradient, s.next_gradient, n * sizeof *x);
    }
    return STATUS_OK;
}
