/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/rng.h"
#include "learn/dependence.h"
#include "learn/importance.h"

enum {
    N = 200,
    P = 3
};

/* ---- dependence of models that are known ---- */

struct looked_at {
    float raw[N * P];
    struct feature_spec *spec;
};

static const char *const column_names[P] = {"ln_followers", "ln_posts", "ln_likes_per_follower"};

static int make_rows(void **state)
{
    static const float zeros[P] = {0};
    static const float scale[P] = {2, 1, 1};
    struct looked_at *rows = calloc(1, sizeof *rows);
    if (!rows)
        return -1;
    struct rng rng = rng_seed(5);
    for (size_t i = 0; i < N * P; i++)
        rows->raw[i] = (float)rng_uniform(&rng) * 10 + 1;
    *state = rows;
    return feature_spec_new(column_names, zeros, zeros, scale, P, &rows->spec, NULL);
}

static int free_rows(void **state)
{
    struct looked_at *rows = *state;
    feature_spec_free(rows->spec);
    free(rows);
    return 0;
}

static struct dependence *look(const struct looked_at *rows, const struct fitted *fitted)
{
    AUTO(shipped_close_slot) struct shipped *model = NULL;
    struct dependence *dependence = NULL;
    assert_int_equal(shipped_open(fitted, rows->spec, &model, NULL), STATUS_OK);
    struct dependence_input input = {model, rows->spec, rows->raw, N, column_names, P};
    assert_int_equal(dependence_run(&input, &dependence, NULL), STATUS_OK);
    return dependence;
}

/* 7 + 3 x0 / 2 - x1: lines of those slopes, and no interaction. */
static void a_linear_model_depends_by_its_slopes(void **state)
{
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights = NULL;
    assert_int_equal(fitted_new_linear(P, 1, &fitted, &weights, NULL), STATUS_OK);
    weights[0] = 3;
    weights[1] = -1;
    weights[P] = 7;
    AUTO(dependence_free_slot) struct dependence *found = look(*state, fitted);
    assert_int_equal(found->n_curves, P);
    for (size_t c = 0; c < 2; c++) {
        const struct dependence_curve *curve = &found->curves[c];
        size_t last = curve->axis.n - 1;
        double run = curve->axis.value[last] - curve->axis.value[0];
        assert_near(curve->mean[last] - curve->mean[0], (c == 0 ? 1.5 : -1.0) * run, 1e-5);
        double total = 0;
        for (size_t i = 0; i < curve->axis.n; i++) {
            assert_true(curve->low[i] <= curve->mean[i] && curve->mean[i] <= curve->high[i]);
            total += curve->density[i];
        }
        assert_near(total, 1, 1e-9);
    }
    for (size_t i = 0; i < found->n_pairs; i++)
        assert_near(found->pairs[i].h, 0, 1e-4);
    assert_true(found->has_surface);
    size_t n = 0;
    for (size_t i = 0; i < found->side[0].n * found->side[1].n; i++)
        n += found->count[i];
    assert_int_equal(n, N);
}

/* ln(1 + followers) is shown in followers; a ratio of two fields as it is. */
static void an_axis_is_in_the_unit_of_its_only_field(void **state)
{
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    double *weights = NULL;
    assert_int_equal(fitted_new_linear(P, 1, &fitted, &weights, NULL), STATUS_OK);
    AUTO(dependence_free_slot) struct dependence *found = look(*state, fitted);
    const struct dependence_axis *followers = &found->curves[0].axis;
    assert_string_equal(followers->input, "followers");
    for (size_t i = 0; i < followers->n; i++)
        assert_near(log1p(followers->x[i]), followers->value[i], 1e-3);
    assert_string_equal(found->curves[2].axis.input, "");
    assert_near(found->curves[2].axis.x[3], found->curves[2].axis.value[3], 1e-12);
}

/* +1 where x0 and x1 lie on the same side of 6, -1 elsewhere: neither tells anything alone. */
static void a_tree_that_only_compares_is_all_interaction(void **state)
{
    static const struct tree_node nodes[] = {
        {.feature = 0, .value = 6, .left = 1, .right = 2, .cover = 4},
        {.feature = 1, .value = 6, .left = 3, .right = 4, .cover = 2},
        {.feature = 1, .value = 6, .left = 5, .right = 6, .cover = 2},
        {.feature = -1, .value = 1, .cover = 1},
        {.feature = -1, .value = -1, .cover = 1},
        {.feature = -1, .value = -1, .cover = 1},
        {.feature = -1, .value = 1, .cover = 1},
    };
    static const double base[] = {0};
    static const uint32_t start[] = {0, 7};
    static const uint32_t output[] = {0};
    AUTO(fitted_free_slot) struct fitted *fitted = fitted_new("trees");
    assert_non_null(fitted);
    fitted->trees = (struct tree_model){P, 1, 1, base, start, output, nodes};
    AUTO(dependence_free_slot) struct dependence *found = look(*state, fitted);
    assert_string_equal(found->pairs[0].a, "ln_followers");
    assert_string_equal(found->pairs[0].b, "ln_posts");
    assert_true(found->pairs[0].h > 0.9);
    /* The corners of the surface. */
    size_t nx = found->side[0].n;
    size_t ny = found->side[1].n;
    assert_near(found->surface[0], 1, 1e-6);
    assert_near(found->surface[nx - 1], -1, 1e-6);
    assert_near(found->surface[nx * ny - 1], 1, 1e-6);
}

/* ---- importance ---- */

/* Accounts whose score is 10 log10(followers), and posts that have nothing to do with it. */
struct accounts {
    struct table table;
    double followers[N], posts[N], score[N];
    const char *country[N];
    size_t rows[N];
};

static void what_decides_is_important_and_what_does_not_is_not(void **state)
{
    (void)state;
    static const char *const countries[] = {"Brazil", "India", "Chile"};
    AUTO(free_slot) struct accounts *accounts = calloc(1, sizeof *accounts);
    assert_non_null(accounts);
    struct rng rng = rng_seed(8);
    for (size_t i = 0; i < N; i++) {
        accounts->followers[i] = floor(exp(6 + 8 * rng_uniform(&rng)));
        accounts->posts[i] = floor(exp(3 + 4 * rng_uniform(&rng)));
        accounts->score[i] = 10 * log10(accounts->followers[i]);
        accounts->country[i] = countries[rng_below(&rng, 3)];
    }
    arena_init(&accounts->table.memory, 64);
    accounts->table.n_rows = N;
    accounts->table.number[PROFILE_followers] = accounts->followers;
    accounts->table.number[PROFILE_posts] = accounts->posts;
    accounts->table.number[PROFILE_influence_score] = accounts->score;
    accounts->table.text[PROFILE_country] = accounts->country;
    AUTO(target_free_slot) struct target *target = NULL;
    AUTO(crossval_free_slot) struct crossval *crossval = NULL;
    AUTO(importance_free_slot) struct importance *found = NULL;
    struct design design;
    assert_int_equal(target_column(&accounts->table, "influence_score", &target, NULL), STATUS_OK);
    /* A ratio would share the credit. */
    struct design_options options = {.hidden = target->hidden,
                                     .excluded[FEATURE_ln_posts_per_follower] = true};
    assert_int_equal(design_choose(&accounts->table, &options, &design, NULL), STATUS_OK);
    const struct trainer *ridge[] = {&trainer_ridge};
    struct crossval_input input = {.table = &accounts->table,
                                   .design = &design,
                                   .target = target,
                                   .trainers = ridge,
                                   .n_trainers = 1,
                                   .n_folds = 4,
                                   .n_repeats = 1,
                                   .n_threads = 1};
    assert_int_equal(crossval_run(&input, &crossval, NULL), STATUS_OK);
    assert_int_equal(importance_run(&input, &trainer_ridge, crossval->fold, &found, NULL),
                     STATUS_OK);
    /* The error of the search, by another way. */
    assert_near(found->loss, crossval->entries[0].mean[METRIC_MAE], 1e-9);
    assert_string_equal(found->name[0], "ln_followers");
    /* Two independent draws of a uniform over 8 lie 8 / 3 apart. */
    assert_near(found->mean[0], 10 / log(10) * 8 / 3, 1.5);
    assert_non_null(found->contribution);
    bool seen_country = false;
    for (size_t i = 1; i < found->n; i++) {
        assert_true(found->mean[i] < 0.05 * found->mean[0]);
        assert_true(found->contribution[i] < 0.05 * found->contribution[0]);
        seen_country |= strcmp(found->name[i], "country") == 0;
    }
    assert_true(seen_country);
    arena_deinit(&accounts->table.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_model_depends_by_its_slopes),
        cmocka_unit_test(an_axis_is_in_the_unit_of_its_only_field),
        cmocka_unit_test(a_tree_that_only_compares_is_all_interaction),
        cmocka_unit_test(what_decides_is_important_and_what_does_not_is_not),
    };
    return cmocka_run_group_tests(tests, make_rows, free_rows);
}
