/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "learn/archetypes.h"
#include "learn/crossval.h"
#include "learn/leakage.h"

enum {
    N = 120
};

/* A table of made-up accounts: likes follow followers, engagement only follows from the rate. */
struct fixture {
    struct table table;
    double followers[N], posts[N], rate[N], score[N];
    const char *country[N], *mood[N];
    struct table_extra extra;
    size_t rows[N];
};

static int make_table(void **state)
{
    static const char *const countries[] = {"Brazil", "India", "India", "Chile"};
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    struct rng rng = rng_seed(9);
    for (size_t i = 0; i < N; i++) {
        f->followers[i] = floor(exp(8 + 4 * rng_uniform(&rng)));
        f->posts[i] = i % 10 == 0 ? MISSING : floor(exp(2 + 4 * rng_uniform(&rng)));
        f->rate[i] = 0.01 + 0.05 * rng_uniform(&rng);
        f->score[i] = 10 * log(f->followers[i]) + rng_normal(&rng);
        f->country[i] = i % 12 == 0 ? NULL : i < 3 ? "Malta" : countries[i % 4];
        f->mood[i] = i < 3 ? "rare" : i % 3 ? "glad" : "calm";
        f->rows[i] = i;
    }
    arena_init(&f->table.memory, 64);
    f->table.n_rows = N;
    f->table.number[PROFILE_followers] = f->followers;
    f->table.number[PROFILE_posts] = f->posts;
    f->table.number[PROFILE_engagement_rate] = f->rate;
    f->table.number[PROFILE_influence_score] = f->score;
    f->table.text[PROFILE_country] = f->country;
    f->extra = (struct table_extra){.name = "mood", .text = f->mood};
    f->table.extras = &f->extra;
    f->table.n_extras = 1;
    *state = f;
    return 0;
}

static int free_table(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->table.memory);
    free(f);
    return 0;
}

static bool has_column(const struct feature_spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_columns; i++)
        if (strcmp(spec->columns[i].name, name) == 0)
            return true;
    return false;
}

static void a_spec_is_estimated_on_the_rows_it_is_given(void **state)
{
    struct fixture *f = *state;
    struct design design;
    assert_int_equal(design_choose(&f->table, &(struct design_options){0}, &design, NULL),
                     STATUS_OK);
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    assert_int_equal(design_fit(&design, &f->table, f->rows, 60, &spec, NULL), STATUS_OK);
    double sum = 0;
    for (size_t i = 0; i < 60; i++)
        sum += log1p(f->followers[i]);
    assert_string_equal(spec->columns[0].name, "ln_followers");
    assert_near((double)spec->columns[0].mean, sum / 60, 1e-5);
    /* Rows beyond the 60 must not matter. */
    double kept = f->followers[100];
    f->followers[100] = 1e9;
    AUTO(feature_spec_free_slot) struct feature_spec *again = NULL;
    assert_int_equal(design_fit(&design, &f->table, f->rows, 60, &again, NULL), STATUS_OK);
    f->followers[100] = kept;
    for (size_t i = 0; i < spec->n_columns; i++)
        assert_true(spec->columns[i].mean == again->columns[i].mean &&
                    spec->columns[i].scale == again->columns[i].scale);
    assert_true(has_column(spec, "country=India") && has_column(spec, "country=(missing)"));
    assert_false(has_column(spec, "country=Malta"));
}

static void columns_of_the_tables_own_are_seen_only_when_they_may_be(void **state)
{
    struct fixture *f = *state;
    struct design design;
    struct table_extra extras[] = {f->extra, {.name = "uploads"}, {.name = "a=b"}};
    const char *uploads[N];
    double flags[N];
    char text[N][24];
    for (size_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "%.1fk", exp((double)(i % 13)));
        uploads[i] = i % 7 ? text[i] : "N/A";
        flags[i] = i % 2 ? 1 : 0;
    }
    extras[1].text = uploads;
    extras[2].number = flags;
    f->table.extras = extras;
    f->table.n_extras = ARRAY_LENGTH(extras);
    assert_int_equal(
        design_choose(&f->table, &(struct design_options){.extras = true}, &design, NULL),
        STATUS_OK);
    assert_int_equal(design.n_extras, 0); /* nobody has read them */
    assert_int_equal(table_read_extras(&f->table, NULL), STATUS_OK);
    const bool hidden[] = {false, false, false};
    struct design_options options = {.extras = true, .hidden_extra = hidden};
    assert_int_equal(design_choose(&f->table, &options, &design, NULL), STATUS_OK);
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    assert_int_equal(design_fit(&design, &f->table, f->rows, N, &spec, NULL), STATUS_OK);
    assert_true(has_column(spec, "extra_text:mood=glad") && has_column(spec, "ln_extra:uploads"));
    assert_true(has_column(spec, "extra:a=b"));

    AUTO(matrix_deinit) struct matrix matrix = {0};
    assert_int_equal(matrix_make(spec, &f->table, f->rows, N, &matrix, NULL), STATUS_OK);
    for (size_t j = 0; j < spec->n_columns; j++) {
        const char *column = spec->columns[j].name;
        if (strcmp(column, "ln_extra:uploads") == 0) {
            assert_true(isnan(matrix.raw[7 * matrix.p + j]));
            assert_near((double)matrix.raw[8 * matrix.p + j], log1p(exp(8) * 1000), 1e-4);
        }
        if (strcmp(column, "extra_text:mood=glad") == 0)
            assert_true(matrix.raw[4 * matrix.p + j] == 1.0F && matrix.raw[6 * matrix.p + j] == 0);
        if (strcmp(column, "extra_text:mood=(other)") == 0)
            assert_true(matrix.raw[j] == 1.0F && matrix.raw[4 * matrix.p + j] == 0);
    }
    const bool all[] = {true, true, true};
    options.hidden_extra = all;
    assert_int_equal(design_choose(&f->table, &options, &design, NULL), STATUS_OK);
    assert_int_equal(design.n_extras, 0);
    f->table.extras = &f->extra;
    f->table.n_extras = 1;
    f->table.extra_cells = NULL;
}

static void scaled_columns_have_mean_zero_and_deviation_one(void **state)
{
    struct fixture *f = *state;
    struct design design;
    struct design_options options = {.no_texts = true};
    assert_int_equal(design_choose(&f->table, &options, &design, NULL), STATUS_OK);
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    assert_int_equal(design_fit(&design, &f->table, f->rows, N, &spec, NULL), STATUS_OK);
    assert_int_equal(matrix_make(spec, &f->table, f->rows, N, &matrix, NULL), STATUS_OK);
    for (size_t j = 0; j < matrix.p; j++) {
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < N; i++) {
            double x = (double)matrix.scaled[i * matrix.p + j];
            assert_true(isfinite(x));
            sum += x;
            squares += x * x;
        }
        assert_near(sum / N, 0, 1e-4);
        assert_near(squares / N, 1, 1e-3);
    }
}

/* ln_likes_per_follower and the like would tell the followers; so would engagement = rate x
 * followers, which feature_prepare() computes here. */
/* Posts are e^k - 1 with k the same in each cell of category and size: medians by hand. */
static void peers_are_those_of_category_and_size(void **state)
{
    (void)state;
    enum {
        CELL = 50,
        ROWS = 4 * CELL
    };
    static const char *const names[] = {"art", "food"};
    static double followers[ROWS], posts[ROWS];
    static const char *category[ROWS];
    static size_t rows[ROWS];
    struct table table = {.n_rows = ROWS};
    arena_init(&table.memory, 64);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = i;
        followers[i] = i < 2 * CELL ? 5000 : 20000;
        category[i] = names[i % 2];
        posts[i] = expm1(1 + 2 * (double)(i % 2) + 4 * (double)(i >= 2 * CELL));
    }
    table.number[PROFILE_followers] = followers;
    table.number[PROFILE_posts] = posts;
    table.text[PROFILE_category] = category;
    struct design design;
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    assert_int_equal(design_choose(&table, &(struct design_options){.peers = true}, &design, NULL),
                     STATUS_OK);
    assert_int_equal(design_fit(&design, &table, rows, ROWS, &spec, NULL), STATUS_OK);
    size_t at = 0;
    while (at < spec->n_columns && strcmp(spec->columns[at].name, "peer:ln_posts") != 0)
        at++;
    assert_true(at < spec->n_columns);
    /* A size leans on all with 20 rows, a cell on its size with 20 too. */
    const double all = 4;
    const double nano = (100 * 2 + 20 * all) / 120;
    const double micro = (100 * 6 + 20 * all) / 120;
    const struct {
        double followers;
        const char *category;
        double typical;
    } expected[] = {
        {5000, "art", (50 * 1 + 20 * nano) / 70},
        {9999, "food", (50 * 3 + 20 * nano) / 70},
        {10000, "food", (50 * 7 + 20 * micro) / 70},
        {5000, "music", nano},
        {5000, NULL, nano},
        {MISSING, "art", (100 * 3 + 20 * all) / 120},
        {MISSING, NULL, all},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        struct profile profile;
        float raw[FEATURE_MAX_COLUMNS];
        profile_init(&profile);
        profile.number[PROFILE_followers] = expected[i].followers;
        profile.number[PROFILE_posts] = expm1(4.5);
        profile.text[PROFILE_category] = expected[i].category;
        feature_extract(spec, &profile, raw);
        assert_near((double)raw[at], 4.5 - expected[i].typical, 1e-5);
        profile.number[PROFILE_posts] = MISSING;
        feature_extract(spec, &profile, raw);
        assert_true(isnan(raw[at]));
    }

    /* What must not be seen makes no peers. */
    struct design_options hidden = {.peers = true, .hidden = UINT64_C(1) << PROFILE_followers};
    assert_int_equal(design_choose(&table, &hidden, &design, NULL), STATUS_OK);
    assert_true(design.n_peers > 0 && !design.peer_sizes && design.peer_categories);
    hidden.hidden_text[PROFILE_category] = true;
    assert_int_equal(design_choose(&table, &hidden, &design, NULL), STATUS_OK);
    assert_int_equal(design.n_peers, 0);
    arena_deinit(&table.memory);
}

static void what_gives_followers_away_is_hidden(void **state)
{
    struct fixture *f = *state;
    uint64_t hidden = leakage_hidden(&f->table, UINT64_C(1) << PROFILE_followers);
    assert_true(hidden >> PROFILE_followers & 1);
    assert_true(hidden >> PROFILE_engagement_rate & 1);
    assert_true(hidden >> PROFILE_avg_engagement & 1);
    assert_false(hidden >> PROFILE_posts & 1);
    struct design design;
    struct design_options options = {.hidden = hidden};
    assert_int_equal(design_choose(&f->table, &options, &design, NULL), STATUS_OK);
    for (size_t i = 0; i < design.n_features; i++)
        assert_int_equal(design.features[i], FEATURE_ln_posts);
    assert_int_equal(design.n_features, 1);
}

static bool hides(enum profile_number target, enum profile_number field)
{
    return leakage_closure(UINT64_C(1) << target) >> field & 1;
}

static void degrees_give_away_what_they_add_up_to(void **state)
{
    (void)state;
    static const enum profile_number in[] = {PROFILE_comments_in, PROFILE_tags_in,
                                             PROFILE_mentions_in, PROFILE_follows_in};
    static const enum profile_number out[] = {PROFILE_comments_out, PROFILE_tags_out,
                                              PROFILE_mentions_out, PROFILE_follows_out};
    for (size_t i = 0; i < ARRAY_LENGTH(in); i++) {
        assert_true(hides(PROFILE_edges_in, in[i]) && hides(in[i], PROFILE_edges_in));
        assert_true(hides(PROFILE_edges_out, out[i]) && hides(out[i], PROFILE_edges_out));
        assert_false(hides(PROFILE_edges_out, in[i]) || hides(in[i], PROFILE_edges_out));
        assert_true(hides(in[i], PROFILE_net_pagerank) && hides(PROFILE_net_core, in[i]));
        assert_true(hides(out[i], PROFILE_net_pagerank) && hides(PROFILE_net_core, out[i]));
        assert_false(hides(in[i], PROFILE_followers) || hides(in[i], PROFILE_brand_links));
    }
}

static void a_target_is_a_field_or_an_extra_column(void **state)
{
    struct fixture *f = *state;
    AUTO(target_free_slot) struct target *number = NULL;
    AUTO(target_free_slot) struct target *classes = NULL;
    AUTO(target_free_slot) struct target *none = NULL;
    struct error err = {0};
    assert_int_equal(target_column(&f->table, "posts", &number, NULL), STATUS_OK);
    assert_int_equal(number->n, N - 12);
    assert_int_equal(target_column(&f->table, "mood", &classes, NULL), STATUS_OK);
    assert_int_equal(classes->task, TASK_CLASSIFICATION);
    assert_int_equal(classes->n_classes, 3);
    assert_string_equal(classes->class_names[0], "calm");
    assert_string_equal(classes->class_names[2], "(other)");
    assert_int_equal(classes->class_counts[2], 3);
    assert_int_equal(target_column(&f->table, "nothing", &none, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "mood"));
}

static void bins_end_at_their_cut(void **state)
{
    struct fixture *f = *state;
    AUTO(target_free_slot) struct target *target = NULL;
    assert_int_equal(target_column(&f->table, "influence_score", &target, NULL), STATUS_OK);
    double cut = target->y[5];
    assert_int_equal(target_cut(target, &cut, 1, NULL, NULL), STATUS_OK);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(target->label[i], target->y[i] > cut);
    assert_int_equal(target_cut(target, &cut, 1, NULL, NULL), STATUS_INVALID);
}

static void quantiles_make_classes_of_equal_size(void **state)
{
    struct fixture *f = *state;
    AUTO(target_free_slot) struct target *target = NULL;
    assert_int_equal(target_column(&f->table, "influence_score", &target, NULL), STATUS_OK);
    double cuts[2];
    assert_int_equal(target_quantiles(target, 3, cuts, NULL), STATUS_OK);
    assert_int_equal(target_cut(target, cuts, 2, NULL, NULL), STATUS_OK);
    for (size_t c = 0; c < 3; c++)
        assert_int_equal(target->class_counts[c], N / 3);
}

/* What another process makes of the same rows by the words of this one. */
static void assert_told(const struct table *table, const struct target *target)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    AUTO(arena_deinit) struct arena memory;
    AUTO(target_free_slot) struct target *told = NULL;
    const struct json *form;
    struct json_writer w = json_writer(&text);
    arena_init(&memory, 4096);
    target_put_form(target, &w);
    assert_int_equal(json_parse(text.at, text.length, &memory, &form, NULL), STATUS_OK);
    assert_int_equal(target_of_form(form, table, &told, NULL), STATUS_OK);
    assert_int_equal(told->task, target->task);
    assert_int_equal(told->n, target->n);
    assert_int_equal(told->n_classes, target->n_classes);
    for (size_t i = 0; i < target->n; i++) {
        assert_int_equal(told->rows[i], target->rows[i]);
        assert_int_equal(told->label[i], target->label[i]);
        assert_memory_equal(&told->y[i], &target->y[i], sizeof told->y[i]);
    }
}

static void a_target_is_told_to_other_processes(void **state)
{
    struct fixture *f = *state;
    static const char *const columns[] = {"posts", "influence_score", "avg_engagement", "country",
                                          "mood"};
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++) {
        AUTO(target_free_slot) struct target *target = NULL;
        assert_int_equal(target_column(&f->table, columns[i], &target, NULL), STATUS_OK);
        assert_told(&f->table, target);
    }
    /* Bins of which two are empty, and are dropped. */
    AUTO(target_free_slot) struct target *bins = NULL;
    const double cuts[] = {1, 90, 105, 1e9};
    assert_int_equal(target_column(&f->table, "influence_score", &bins, NULL), STATUS_OK);
    assert_int_equal(target_cut(bins, cuts, 4, NULL, NULL), STATUS_OK);
    target_drop_empty(bins);
    assert_int_equal(bins->n_classes, 3);
    assert_told(&f->table, bins);
    assert_int_equal(target_top(bins, 1, NULL), STATUS_OK);
    assert_int_equal(bins->n_classes, 2);
    assert_told(&f->table, bins);
}

static void cross_validation_finds_what_is_there_and_repeats_itself(void **state)
{
    struct fixture *f = *state;
    AUTO(target_free_slot) struct target *target = NULL;
    assert_int_equal(target_column(&f->table, "influence_score", &target, NULL), STATUS_OK);
    struct design design;
    assert_int_equal(design_choose(&f->table, &(struct design_options){0}, &design, NULL),
                     STATUS_OK);
    const struct trainer *const tried[] = {&trainer_constant, &trainer_ridge};
    struct crossval_input input = {.table = &f->table,
                                   .design = &design,
                                   .target = target,
                                   .trainers = tried,
                                   .n_trainers = 2,
                                   .n_folds = 5,
                                   .n_repeats = 2,
                                   .n_threads = 1,
                                   .stage = ""};
    AUTO(crossval_free_slot) struct crossval *first = NULL;
    AUTO(crossval_free_slot) struct crossval *second = NULL;
    assert_int_equal(crossval_run(&input, &first, NULL), STATUS_OK);
    assert_int_equal(crossval_run(&input, &second, NULL), STATUS_OK);
    assert_int_equal(crossval_select(first, METRIC_MAE, SELECT_BEST), 1);
    assert_true(first->entries[1].mean[METRIC_R2] > 0.95);
    assert_true(first->entries[0].mean[METRIC_R2] < 0.05);
    assert_memory_equal(first->entries[1].output, second->entries[1].output,
                        2 * N * sizeof(double));
    input.n_folds = N;
    AUTO(crossval_free_slot) struct crossval *none = NULL;
    assert_int_equal(crossval_run(&input, &none, NULL), STATUS_INVALID);
}

/* Places that nothing else tells of, and a target that is the place: whoever knows it is right, and
 * the neighbours of an unseen row know nothing. */
static void a_held_out_row_is_not_told_its_own_place(void **state)
{
    struct fixture *f = *state;
    AUTO(target_free_slot) struct target *target = NULL;
    double pagerank[N];
    assert_int_equal(target_column(&f->table, "influence_score", &target, NULL), STATUS_OK);
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < N; i++)
        target->y[i] = pagerank[i] = rng_normal(&rng);
    struct design similar;
    struct design design;
    assert_int_equal(design_choose(&f->table, &(struct design_options){0}, &similar, NULL),
                     STATUS_OK);
    f->table.number[PROFILE_net_pagerank] = pagerank;
    assert_int_equal(design_choose(&f->table, &(struct design_options){0}, &design, NULL),
                     STATUS_OK);
    const struct trainer *const tried[] = {&trainer_ridge};
    struct crossval_input input = {.table = &f->table,
                                   .design = &design,
                                   .target = target,
                                   .trainers = tried,
                                   .n_trainers = 1,
                                   .n_folds = 5,
                                   .n_repeats = 2,
                                   .n_threads = 1,
                                   .stage = ""};
    AUTO(crossval_free_slot) struct crossval *own = NULL;
    AUTO(crossval_free_slot) struct crossval *told = NULL;
    assert_int_equal(crossval_run(&input, &own, NULL), STATUS_OK);
    input.similar = &similar;
    assert_int_equal(crossval_run(&input, &told, NULL), STATUS_OK);
    f->table.number[PROFILE_net_pagerank] = NULL;
    assert_true(own->entries[0].mean[METRIC_R2] > 0.95);
    assert_true(told->entries[0].mean[METRIC_R2] < 0.05);
}

/* A target that no column knows: ridge must not seem to know it. */
static void noise_is_not_learnt(void **state)
{
    struct fixture *f = *state;
    AUTO(target_free_slot) struct target *target = NULL;
    assert_int_equal(target_column(&f->table, "influence_score", &target, NULL), STATUS_OK);
    struct rng rng = rng_seed(1);
    for (size_t i = 0; i < N; i++)
        target->y[i] = rng_normal(&rng);
    struct design design;
    assert_int_equal(design_choose(&f->table, &(struct design_options){0}, &design, NULL),
                     STATUS_OK);
    const struct trainer *const tried[] = {&trainer_ridge};
    struct crossval_input input = {.table = &f->table,
                                   .design = &design,
                                   .target = target,
                                   .trainers = tried,
                                   .n_trainers = 1,
                                   .n_folds = 5,
                                   .n_repeats = 3,
                                   .n_threads = 1,
                                   .stage = ""};
    AUTO(crossval_free_slot) struct crossval *crossval = NULL;
    assert_int_equal(crossval_run(&input, &crossval, NULL), STATUS_OK);
    assert_true(crossval->entries[0].mean[METRIC_R2] < 0.05);
}

static void archetypes_are_as_many_as_were_planted(void **state)
{
    (void)state;
    enum {
        ROWS = 150,
        P = 2
    };
    static const char *const names[P] = {"ln_followers", "ln_engagement_rate"};
    static const float zeros[P] = {0};
    static const float ones[P] = {1, 1};
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    assert_int_equal(feature_spec_new(names, zeros, zeros, ones, P, &spec, NULL), STATUS_OK);
    float rows[ROWS * P];
    struct rng rng = rng_seed(8);
    for (size_t i = 0; i < ROWS; i++) {
        rows[P * i] = (i % 3 == 0 ? 2.0F : -1.0F) + 0.1F * (float)rng_normal(&rng);
        rows[P * i + 1] = (i % 3 == 1 ? 2.0F : -1.0F) + 0.1F * (float)rng_normal(&rng);
    }
    struct matrix matrix = {.n = ROWS, .p = P, .raw = rows, .scaled = rows};
    struct archetypes_options options = {.min_k = 2, .max_k = 6, .seed = 1};
    AUTO(archetypes_free_slot) struct archetypes *archetypes = NULL;
    assert_int_equal(archetypes_fit(spec, &matrix, &options, &archetypes, NULL), STATUS_OK);
    assert_int_equal(archetypes->model.k, 3);
    assert_true(archetypes->model.silhouette > 0.8);
    assert_string_equal(archetypes_strength(archetypes->model.silhouette), "clear");
    for (size_t i = 3; i < ROWS; i++)
        assert_int_equal(archetypes->cluster[i], archetypes->cluster[i - 3]);
    assert_string_equal(archetypes->model.names[archetypes->cluster[0]], "large, low engagement");
    assert_string_equal(archetypes->model.names[archetypes->cluster[1]], "high engagement, small");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_are_those_of_category_and_size),
        cmocka_unit_test(a_spec_is_estimated_on_the_rows_it_is_given),
        cmocka_unit_test(columns_of_the_tables_own_are_seen_only_when_they_may_be),
        cmocka_unit_test(scaled_columns_have_mean_zero_and_deviation_one),
        cmocka_unit_test(what_gives_followers_away_is_hidden),
        cmocka_unit_test(degrees_give_away_what_they_add_up_to),
        cmocka_unit_test(a_target_is_a_field_or_an_extra_column),
        cmocka_unit_test(bins_end_at_their_cut),
        cmocka_unit_test(quantiles_make_classes_of_equal_size),
        cmocka_unit_test(a_target_is_told_to_other_processes),
        cmocka_unit_test(cross_validation_finds_what_is_there_and_repeats_itself),
        cmocka_unit_test(a_held_out_row_is_not_told_its_own_place),
        cmocka_unit_test(noise_is_not_learnt),
        cmocka_unit_test(archetypes_are_as_many_as_were_planted),
    };
    return cmocka_run_group_tests(tests, make_table, free_table);
}
