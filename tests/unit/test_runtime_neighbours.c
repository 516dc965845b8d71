/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "runtime/neighbours.h"

struct fixture {
    float *rows;
    size_t n, dim;
    void *bytes;
    struct artifact *artifact;
    struct neighbours *index;
    void *scratch;
};

enum shape {
    UNIFORM,
    CLUSTERED,
    ON_A_GRID
};

static void make(struct fixture *f, size_t n, size_t dim, enum shape shape, uint64_t seed)
{
    struct rng rng = rng_seed(seed);
    *f = (struct fixture){.rows = calloc(n * dim, sizeof(float)), .n = n, .dim = dim};
    for (size_t i = 0; i < n; i++) {
        size_t cluster = rng_below(&rng, 12);
        for (size_t d = 0; d < dim; d++) {
            double centre = (double)((cluster * 7 + d * 3) % 11);
            double value = shape == UNIFORM     ? 10 * rng_uniform(&rng)
                           : shape == CLUSTERED ? centre + 0.3 * rng_normal(&rng)
                                                : (double)rng_below(&rng, 3);
            f->rows[i * dim + d] = (float)value;
        }
    }
    struct artifact_writer *writer = NULL;
    size_t n_bytes = 0;
    assert_int_equal(artifact_writer_new(ARTIFACT_SIMILAR, &writer, NULL), STATUS_OK);
    assert_int_equal(neighbours_write(writer, f->rows, n, dim, seed, NULL), STATUS_OK);
    assert_int_equal(artifact_finish(writer, &f->bytes, &n_bytes, NULL), STATUS_OK);
    artifact_writer_free(writer);
    assert_int_equal(artifact_open_memory(f->bytes, n_bytes, "m", &f->artifact, NULL), STATUS_OK);
    struct error err = {0};
    if (neighbours_open(f->artifact, &f->index, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    f->scratch = aligned_alloc(64, neighbours_scratch_bytes(f->index));
    assert_int_equal(neighbours_n(f->index), n);
    assert_int_equal(neighbours_dim(f->index), dim);
}

static void deinit(struct fixture *f)
{
    neighbours_close(f->index);
    artifact_close(f->artifact);
    free(f->bytes);
    free(f->rows);
    free(f->scratch);
}

static int compare(const void *a, const void *b)
{
    const struct neighbour *x = a;
    const struct neighbour *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* All rows that pass, sorted by squared distance, summed in float by dimension; then the root. */
static size_t brute_force(const struct fixture *f, const struct neighbours_query *query,
                          struct neighbour *all)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (query->filter && !query->filter(query->user, (uint32_t)i))
            continue;
        float sum = 0;
        for (size_t d = 0; d < f->dim; d++) {
            float difference = query->x[d] - f->rows[i * f->dim + d];
            sum += difference * difference;
        }
        all[n++] = (struct neighbour){(uint32_t)i, sum};
    }
    qsort(all, n, sizeof *all, compare);
    n = n < query->k ? n : query->k;
    for (size_t i = 0; i < n; i++)
        all[i].distance = sqrtf(all[i].distance);
    return n;
}

static void check(const struct fixture *f, const struct neighbours_query *query)
{
    struct neighbour *expected = calloc(f->n + 1, sizeof *expected);
    struct neighbour *got = calloc(query->k + 1, sizeof *got);
    size_t n_expected = brute_force(f, query, expected);
    size_t n = neighbours_search(f->index, query, f->scratch, got);
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++)
        if (got[i].row != expected[i].row || got[i].distance != expected[i].distance)
            fail_msg("place %zu: row %u at %.9g, expected row %u at %.9g", i, got[i].row,
                     (double)got[i].distance, expected[i].row, (double)expected[i].distance);
    free(expected);
    free(got);
}

static bool every_third(void *user, uint32_t row)
{
    (void)user;
    return row % 3 == 1;
}

static bool hardly_any(void *user, uint32_t row)
{
    (void)user;
    return row == 3 || row == 17;
}

static void check_queries(size_t n, size_t dim, enum shape shape, uint64_t seed)
{
    struct fixture f;
    make(&f, n, dim, shape, seed);
    struct rng rng = rng_seed(seed + 99);
    static const size_t ks[] = {1, 2, 10, 1000};
    static const neighbours_filter filters[] = {NULL, every_third, hardly_any};
    float x[64];
    for (size_t q = 0; q < 24; q++) {
        for (size_t d = 0; d < dim; d++) /* every other query is a row itself, one is far away */
            x[d] = q % 2    ? f.rows[rng_below(&rng, n) / 2 * dim + d]
                   : q > 20 ? 1e6F
                            : (float)(10 * rng_uniform(&rng));
        const struct neighbours_query query = {x, ks[q % 4], filters[q % 3], NULL};
        check(&f, &query);
    }
    deinit(&f);
}

static void searches_equal_brute_force(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 15, 16, 17, 300, 3000};
    for (size_t i = 0; i < 7; i++) {
        check_queries(sizes[i], 1, UNIFORM, i);
        check_queries(sizes[i], 4, CLUSTERED, i);
        check_queries(sizes[i], 16, CLUSTERED, i);
        check_queries(sizes[i], 37, UNIFORM, i);
    }
}

static void ties_go_to_the_lower_row(void **state)
{
    (void)state;
    /* 3^4 places for 3000 rows: nearly every distance is tied many times over. */
    check_queries(3000, 4, ON_A_GRID, 5);
    check_queries(500, 2, ON_A_GRID, 6);
}

static void far_away_and_huge_queries_are_exact_too(void **state)
{
    (void)state;
    struct fixture f;
    make(&f, 2000, 3, CLUSTERED, 8);
    static const float far[][3] = {{1e10F, -1e10F, 3}, {1e19F, 0, 0}, {3e38F, 3e38F, -3e38F}};
    for (size_t i = 0; i < 3; i++) {
        const struct neighbours_query query = {far[i], 20, NULL, NULL};
        check(&f, &query);
    }
    deinit(&f);
}

static void nothing_is_asked_nothing_is_found(void **state)
{
    (void)state;
    struct fixture f;
    make(&f, 50, 2, UNIFORM, 1);
    float x[2] = {0, 0};
    const struct neighbours_query query = {x, 0, NULL, NULL};
    assert_int_equal(neighbours_search(f.index, &query, f.scratch, NULL), 0);
    deinit(&f);
}

static void equal_rows_and_seed_make_equal_indexes(void **state)
{
    (void)state;
    struct fixture a;
    struct fixture b;
    make(&a, 700, 5, CLUSTERED, 4);
    make(&b, 700, 5, CLUSTERED, 4);
    for (size_t i = 0; i < artifact_n_sections(a.artifact); i++) {
        struct artifact_section x = artifact_section_at(a.artifact, i);
        struct artifact_section y = artifact_section_at(b.artifact, i);
        assert_int_equal(x.rows, y.rows);
        assert_memory_equal(x.data, y.data, x.rows * x.columns * 4);
    }
    deinit(&a);
    deinit(&b);
}

static void values_that_cannot_be_compared_are_refused(void **state)
{
    (void)state;
    struct artifact_writer *writer = NULL;
    assert_int_equal(artifact_writer_new(ARTIFACT_SIMILAR, &writer, NULL), STATUS_OK);
    float bad[] = {1, NAN};
    assert_int_equal(neighbours_write(writer, bad, 2, 1, 0, NULL), STATUS_INVALID);
    bad[1] = 1e20F;
    assert_int_equal(neighbours_write(writer, bad, 2, 1, 0, NULL), STATUS_INVALID);
    assert_int_equal(neighbours_write(writer, bad, 0, 1, 0, NULL), STATUS_INVALID);
    assert_int_equal(neighbours_write(writer, bad, 1, 0, 0, NULL), STATUS_INVALID);
    artifact_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_equal_brute_force),
        cmocka_unit_test(ties_go_to_the_lower_row),
        cmocka_unit_test(far_away_and_huge_queries_are_exact_too),
        cmocka_unit_test(nothing_is_asked_nothing_is_found),
        cmocka_unit_test(equal_rows_and_seed_make_equal_indexes),
        cmocka_unit_test(values_that_cannot_be_compared_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
