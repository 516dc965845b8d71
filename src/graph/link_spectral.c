/* SPDX-License-Identifier: Apache-2.0 */

/* The best rank-LINK_RANK approximation of A / sqrt(out-degree in-degree), by randomised subspace
 * iteration (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1). With an orthonormal basis V
 * of the row space, A V V' is the approximation: left = A V, right = V, scaled back by the degrees.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "graph/link_layout.h"

#define ITERATIONS 8

static double scale_of(const struct lists *lists, size_t node)
{
    return 1.0 / sqrt(fmax(1.0, (double)(lists->start[node + 1] - lists->start[node])));
}

/* ret = M x, or M' x: [n][LINK_RANK]. lists: of the rows of ret; other: of the rows of x. */
static void multiply(const struct lists *lists, const struct lists *other, size_t n,
                     const double *x, double *ret)
{
    memset(ret, 0, n * LINK_RANK * sizeof ret[0]);
    for (size_t i = 0; i < n; i++) {
        double *row = ret + i * LINK_RANK;
        double scale = scale_of(lists, i);
        for (size_t at = lists->start[i]; at < lists->start[i + 1]; at++) {
            size_t j = lists->node[at];
            double weight = scale * scale_of(other, j);
            for (size_t r = 0; r < LINK_RANK; r++)
                row[r] += weight * x[j * LINK_RANK + r];
        }
    }
}

/* Gram-Schmidt, twice for good measure; a column that depends on those before it becomes zero. */
static void orthonormalise(double *x, size_t n)
{
    for (size_t c = 0; c < LINK_RANK; c++) {
        double before = 0;
        for (size_t i = 0; i < n; i++)
            before += x[i * LINK_RANK + c] * x[i * LINK_RANK + c];
        for (int pass = 0; pass < 2; pass++) {
            for (size_t d = 0; d < c; d++) {
                double dot = 0;
                for (size_t i = 0; i < n; i++)
                    dot += x[i * LINK_RANK + c] * x[i * LINK_RANK + d];
                for (size_t i = 0; i < n; i++)
                    x[i * LINK_RANK + c] -= dot * x[i * LINK_RANK + d];
            }
        }
        double squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += x[i * LINK_RANK + c] * x[i * LINK_RANK + c];
        double scale = squares > 1e-20 * before && squares > 0 ? 1.0 / sqrt(squares) : 0.0;
        for (size_t i = 0; i < n; i++)
            x[i * LINK_RANK + c] *= scale;
    }
}

enum status link_factorise(struct link_scorer *scorer, uint64_t seed, struct error *err)
{
    size_t n = scorer->graph->n;
    scorer->left = calloc(n * LINK_RANK + 1, sizeof *scorer->left);
    scorer->right = calloc(n * LINK_RANK + 1, sizeof *scorer->right);
    if (!scorer->left || !scorer->right)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct rng rng = rng_seed(seed);
    for (size_t i = 0; i < n * LINK_RANK; i++)
        scorer->right[i] = rng_normal(&rng);
    for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        multiply(&scorer->out, &scorer->in, n, scorer->right, scorer->left);
        orthonormalise(scorer->left, n);
        multiply(&scorer->in, &scorer->out, n, scorer->left, scorer->right);
        orthonormalise(scorer->right, n);
    }
    multiply(&scorer->out, &scorer->in, n, scorer->right, scorer->left);
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; r < LINK_RANK; r++) {
            scorer->left[i * LINK_RANK + r] /= scale_of(&scorer->out, i);
            scorer->right[i * LINK_RANK + r] /= scale_of(&scorer->in, i);
        }
    }
    return STATUS_OK;
}
