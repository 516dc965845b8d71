/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/pca.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>
#include <math.h>

#include "base/cleanup.h"

DEFINE_SLOT(gsl_matrix_free, gsl_matrix)
DEFINE_SLOT(gsl_vector_free, gsl_vector)
DEFINE_SLOT(gsl_eigen_symmv_free, gsl_eigen_symmv_workspace)

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

static void standardise(const double *x, size_t n, size_t p, struct pca *pca)
{
    for (size_t j = 0; j < p; j++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            double delta = x[i * p + j] - mean; /* Welford 1962 */
            mean += delta / (double)(i + 1);
            squares += delta * (x[i * p + j] - mean);
        }
        double sd = sqrt(squares / (double)(n - 1));
        pca->mean[j] = mean;
        pca->scale[j] = sd > 1e-12 * fabs(mean) ? sd : 1;
    }
}

static void correlate(const double *x, size_t n, const struct pca *pca, double *z,
                      gsl_matrix *correlation)
{
    size_t p = pca->n_columns;
    gsl_matrix_set_zero(correlation);
    for (size_t row = 0; row < n; row++) {
        for (size_t j = 0; j < p; j++)
            z[j] = (x[row * p + j] - pca->mean[j]) / pca->scale[j];
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j <= i; j++)
                *gsl_matrix_ptr(correlation, i, j) += z[i] * z[j];
    }
    gsl_matrix_scale(correlation, 1 / (double)(n - 1));
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            gsl_matrix_set(correlation, j, i, gsl_matrix_get(correlation, i, j));
}

/* The sign of an eigenvector is free: the largest entry decides, so that pictures repeat. */
static void take_component(const gsl_matrix *vectors, size_t component, struct pca *pca)
{
    double *loadings = pca->loadings + component * pca->n_columns, largest = 0;
    for (size_t j = 0; j < pca->n_columns; j++) {
        loadings[j] = gsl_matrix_get(vectors, j, component);
        if (fabs(loadings[j]) > fabs(largest) + 1e-9)
            largest = loadings[j];
    }
    for (size_t j = 0; j < pca->n_columns && largest < 0; j++)
        loadings[j] = -loadings[j];
}

static enum status decompose(gsl_matrix *correlation, struct pca *pca, struct error *err)
{
    size_t p = pca->n_columns;
    AUTO(gsl_vector_free_slot) gsl_vector *values = gsl_vector_alloc(p);
    AUTO(gsl_matrix_free_slot) gsl_matrix *vectors = gsl_matrix_alloc(p, p);
    AUTO(gsl_eigen_symmv_free_slot) gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(p);
    if (!values || !vectors || !work)
        return no_memory(err);
    double total = 0;
    for (size_t i = 0; i < p; i++)
        total += gsl_matrix_get(correlation, i, i);
    if (!(total > 0))
        return fail(err, STATUS_INVALID, "no column varies");
    if (gsl_eigen_symmv(correlation, values, vectors, work) != 0 ||
        gsl_eigen_symmv_sort(values, vectors, GSL_EIGEN_SORT_VAL_DESC) != 0)
        return fail(err, STATUS_INTERNAL, "GSL found no eigenvectors");
    for (size_t i = 0; i < pca->n_components; i++) {
        pca->explained[i] = fmax(gsl_vector_get(values, i), 0) / total;
        take_component(vectors, i, pca);
    }
    return STATUS_OK;
}

enum status pca_fit(const double *x, size_t n, size_t p, size_t n_components, struct arena *memory,
                    struct pca *ret_pca, struct error *err)
{
    if (n < 2 || p == 0 || p > PCA_MAX_COLUMNS || n_components > p)
        return fail(err, STATUS_INVALID, "%zu components of %zu rows and %zu columns", n_components,
                    n, p);
    struct pca pca = {
        .n_columns = p,
        .n_components = n_components,
        .mean = ARENA_ARRAY(memory, double, p),
        .scale = ARENA_ARRAY(memory, double, p),
        .loadings = ARENA_ARRAY(memory, double, p *n_components),
        .explained = ARENA_ARRAY(memory, double, n_components),
    };
    AUTO(gsl_matrix_free_slot) gsl_matrix *correlation = gsl_matrix_alloc(p, p);
    AUTO(free_slot) double *z = calloc(p, sizeof *z);
    if (!pca.mean || !pca.scale || !pca.loadings || !pca.explained || !correlation || !z)
        return no_memory(err);
    standardise(x, n, p, &pca);
    correlate(x, n, &pca, z, correlation);
    TRY(decompose(correlation, &pca, err));
    *ret_pca = pca;
    return STATUS_OK;
}

void pca_project(const struct pca *pca, const double *row, double *ret_scores)
{
    for (size_t i = 0; i < pca->n_components; i++) {
        const double *loadings = pca->loadings + i * pca->n_columns;
        double score = 0;
        for (size_t j = 0; j < pca->n_columns; j++)
            score += loadings[j] * (row[j] - pca->mean[j]) / pca->scale[j];
        ret_scores[i] = score;
    }
}
