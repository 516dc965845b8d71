/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rng.h"
#include "explore/explore_inner.h"
#include "explore/pca.h"
#include "explore/put.h"

/* A table of invented accounts: the caller fills its columns. */
struct made {
    struct table *table;
    size_t n;
};

static struct made make_table(size_t n)
{
    struct table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    arena_init(&table->memory, 4096);
    table->n_rows = n;
    table->line = ARENA_ARRAY(&table->memory, uint32_t, n);
    for (size_t i = 0; i < n; i++)
        table->line[i] = (uint32_t)i + 2;
    return (struct made){table, n};
}

static double *add_number(struct made made, enum profile_number field)
{
    double *values = ARENA_ARRAY(&made.table->memory, double, made.n);
    assert_non_null(values);
    made.table->number[field] = values;
    return values;
}

static const char **add_text(struct made made, enum profile_text field)
{
    const char **values = ARENA_ARRAY(&made.table->memory, const char *, made.n);
    assert_non_null(values);
    made.table->text[field] = values;
    return values;
}

static void add_extra(struct made made, const char *name, const char **values)
{
    struct table_extra *extras =
        ARENA_ARRAY(&made.table->memory, struct table_extra, made.table->n_extras + 1);
    for (size_t i = 0; i < made.table->n_extras; i++)
        extras[i] = made.table->extras[i];
    extras[made.table->n_extras].name = name;
    extras[made.table->n_extras++].text = values;
    made.table->extras = extras;
}

/* followers from 1,000 up; engagement rate = followers^-.3 but for noise; two categories. */
static struct made make_accounts(size_t n, double noise)
{
    struct made made = make_table(n);
    struct rng rng = rng_seed(1);
    const char **handle = add_text(made, PROFILE_handle);
    const char **category = add_text(made, PROFILE_category);
    double *followers = add_number(made, PROFILE_followers);
    double *likes = add_number(made, PROFILE_avg_likes);
    double *posts = add_number(made, PROFILE_posts);
    for (size_t i = 0; i < n; i++) {
        handle[i] = arena_printf(&made.table->memory, "account_%zu", i);
        category[i] = i % 3 ? "food" : "travel";
        followers[i] = round(1000 * exp(8.0 * (double)i / (double)n));
        likes[i] = followers[i] * pow(followers[i], -0.3) * exp(noise * rng_normal(&rng));
        posts[i] = floor(10 + 500 * rng_uniform(&rng));
    }
    return made;
}

static struct explore *run(struct made made)
{
    struct explore_input input = {.table = made.table};
    struct explore *explore = NULL;
    struct error err = {0};
    if (explore_run(&input, &explore, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return explore;
}

static void clean_up(struct made made, struct explore *explore)
{
    explore_free(explore);
    table_free(made.table);
}

static const struct number_quality *quality_named(const struct explore *explore, const char *name)
{
    const struct frame_number *column = frame_find(explore->frame, name);
    if (!column)
        fail_msg("no column %s", name);
    return &explore->quality.numbers[column - explore->frame->numbers];
}

static const struct alert *alert_of(const struct explore *explore, enum alert_kind kind,
                                    const char *column)
{
    for (size_t i = 0; i < explore->alerts.n; i++) {
        const struct alert *alert = &explore->alerts.items[i];
        if (alert->kind == kind && (!column || strcmp(alert->columns[0], column) == 0))
            return alert;
    }
    return NULL;
}

static double alert_value(const struct explore *explore, enum alert_kind kind, const char *column)
{
    const struct alert *alert = alert_of(explore, kind, column);
    return alert ? alert->value : MISSING;
}

static void an_exact_power_law_gives_its_exponent(void **state)
{
    (void)state;
    struct made made = make_accounts(300, 0);
    struct explore *explore = run(made);
    assert_null(explore->slope.absent);
    assert_string_equal(explore->frame->measure->name, "engagement_rate");
    assert_near(explore->slope.fit.slope.value, -0.3, 1e-9);
    assert_near(explore->slope.tenfold.value, pow(10, -0.3), 1e-9);
    assert_near(explore->slope.fit.r2, 1, 1e-9);
    assert_int_equal(explore->slope.n_categories, 2);
    clean_up(made, explore);
}

static void a_noisy_slope_has_an_interval_that_holds_the_truth(void **state)
{
    (void)state;
    struct made made = make_accounts(500, 0.5);
    struct explore *explore = run(made);
    const struct interval *slope = &explore->slope.fit.slope;
    assert_true(slope->low < -0.3 && -0.3 < slope->high);
    assert_true(slope->high - slope->low < 0.1);
    clean_up(made, explore);
}

static void the_engagement_rate_is_derived_where_it_is_not_given(void **state)
{
    (void)state;
    struct made made = make_accounts(60, 0);
    struct explore *explore = run(made);
    const struct frame_number *rate = frame_find(explore->frame, "engagement_rate");
    assert_int_equal(rate->role, FRAME_DERIVED);
    assert_near(rate->values[7],
                made.table->number[PROFILE_avg_likes][7] / made.table->number[PROFILE_followers][7],
                1e-15);
    assert_null(explore->frame->growth);
    clean_up(made, explore);
}

static void rows_fall_into_size_tiers_or_quarters(void **state)
{
    (void)state;
    struct made made = make_accounts(200, 0);
    double *followers = made.table->number[PROFILE_followers];
    followers[0] = 9999;
    followers[1] = 10000;
    followers[2] = 1e6;
    followers[3] = MISSING;
    struct explore *explore = run(made);
    assert_int_equal(explore_row_group(explore, EXPLORE_TIER, 0), 0);
    assert_int_equal(explore_row_group(explore, EXPLORE_TIER, 1), 1);
    assert_int_equal(explore_row_group(explore, EXPLORE_TIER, 2), 4);
    assert_int_equal(explore_row_group(explore, EXPLORE_TIER, 3), -1);
    explore_free(explore);

    for (size_t i = 0; i < made.n; i++)
        followers[i] = 1e6 * (double)(i + 2);
    explore = run(made);
    size_t n;
    const char *const *names = explore_group_names(explore, EXPLORE_TIER, &n);
    assert_int_equal(n, 4);
    assert_string_equal(names[0], "2M - 51.8M");
    assert_int_equal(explore_row_group(explore, EXPLORE_TIER, 0), 0);
    assert_int_equal(explore_row_group(explore, EXPLORE_TIER, 199), 3);
    clean_up(made, explore);
}

static void rare_levels_share_one_group(void **state)
{
    (void)state;
    struct made made = make_accounts(200, 0);
    const char **country = add_text(made, PROFILE_country);
    for (size_t i = 0; i < made.n; i++)
        country[i] = i == 5 ? NULL : arena_printf(&made.table->memory, "land %zu", i * i / 800);
    struct explore *explore = run(made);
    size_t n;
    const char *const *names = explore_group_names(explore, EXPLORE_COUNTRY, &n);
    assert_int_equal(n, 21);
    assert_string_equal(names[0], "land 0");
    assert_string_equal(names[20], "(other)");
    assert_int_equal(explore_row_group(explore, EXPLORE_COUNTRY, 5), -1);
    size_t total = 0;
    for (size_t i = 0; i < explore->countries.n; i++)
        total += explore->countries.rows[i].n;
    assert_int_equal(total, 199);
    clean_up(made, explore);
}

static void extra_columns_of_numbers_are_numbers(void **state)
{
    (void)state;
    struct made made = make_accounts(100, 0);
    const char **rank = ARENA_ARRAY(&made.table->memory, const char *, made.n);
    const char **colour = ARENA_ARRAY(&made.table->memory, const char *, made.n);
    for (size_t i = 0; i < made.n; i++) {
        rank[i] = i == 3 ? "N/A" : arena_printf(&made.table->memory, "%zuk", 1000 - i);
        colour[i] = "blue";
    }
    add_extra(made, "rank", rank);
    add_extra(made, "colour", colour);
    struct explore *explore = run(made);
    const struct number_quality *quality = quality_named(explore, "rank");
    assert_int_equal(quality->summary.n, 99);
    assert_near(quality->summary.max, 1000e3, 1e-6);
    assert_null(frame_find(explore->frame, "colour"));
    assert_non_null(alert_of(explore, ALERT_CONSTANT, "colour"));
    assert_non_null(alert_of(explore, ALERT_HIGH_CORRELATION, NULL));
    clean_up(made, explore);
}

static void a_column_that_numbers_the_rows_is_a_name(void **state)
{
    (void)state;
    struct made made = make_accounts(100, 0);
    const char **serial = ARENA_ARRAY(&made.table->memory, const char *, made.n);
    const char **grade = ARENA_ARRAY(&made.table->memory, const char *, made.n);
    for (size_t i = 0; i < made.n; i++) {
        /* As a join of two files leaves it: some rows have none, one number is left out. */
        serial[i] = i % 10 == 9 ? NULL : arena_printf(&made.table->memory, "%zu", i + 1 + (i > 50));
        grade[i] = arena_printf(&made.table->memory, "%zu", 1 + i / 2);
    }
    add_extra(made, "s_no", serial);
    add_extra(made, "grade", grade);
    struct explore *explore = run(made);
    assert_null(frame_find(explore->frame, "s_no"));
    assert_non_null(alert_of(explore, ALERT_UNIQUE, "s_no"));
    assert_non_null(frame_find(explore->frame, "grade"));
    clean_up(made, explore);
}

static void demo_data_is_recognised(void **state)
{
    (void)state;
    struct made made = make_accounts(30, 0);
    const char **mark = ARENA_ARRAY(&made.table->memory, const char *, made.n);
    for (size_t i = 0; i < made.n; i++)
        mark[i] = "1";
    add_extra(made, "synthetic", mark);
    struct explore *explore = run(made);
    assert_true(explore_is_synthetic(explore));
    explore_free(explore);
    mark[7] = "0";
    explore = run(made);
    assert_false(explore_is_synthetic(explore));
    clean_up(made, explore);
}

static void each_alert_fires_on_its_kind_of_dirt_only(void **state)
{
    (void)state;
    struct made made = make_accounts(200, 0.3);
    const char **handle = made.table->text[PROFILE_handle];
    double *following = add_number(made, PROFILE_following);
    double *views = add_number(made, PROFILE_avg_views);
    double *comments = add_number(made, PROFILE_avg_comments);
    const char **country = add_text(made, PROFILE_country);
    handle[9] = handle[8];
    for (size_t i = 0; i < made.n; i++) {
        following[i] = 77;
        views[i] = i % 10 ? 0 : 5000 + (double)i;
        comments[i] = i % 4 ? MISSING : 30 + (double)(i % 7);
        country[i] = i < 180 ? "Utopia" : "Arcadia";
    }
    struct explore *explore = run(made);
    assert_non_null(alert_of(explore, ALERT_DUPLICATES, "handle"));
    assert_non_null(alert_of(explore, ALERT_CONSTANT, "following"));
    assert_non_null(alert_of(explore, ALERT_ZEROS, "avg_views"));
    assert_near(alert_value(explore, ALERT_MISSING, "avg_comments"), 0.75, 1e-12);
    assert_near(alert_value(explore, ALERT_IMBALANCE, "country"), 0.9, 1e-12);
    assert_null(alert_of(explore, ALERT_FEW_ROWS, NULL));
    assert_null(alert_of(explore, ALERT_MISSING, "followers"));
    assert_null(alert_of(explore, ALERT_ZEROS, "posts"));
    assert_null(alert_of(explore, ALERT_CONSTANT, "posts"));
    assert_true(explore->alerts.items[0].is_warning);
    clean_up(made, explore);

    made = make_accounts(40, 0.3);
    explore = run(made);
    assert_non_null(alert_of(explore, ALERT_FEW_ROWS, NULL));
    clean_up(made, explore);
}

static void a_planted_outlier_is_found_first(void **state)
{
    (void)state;
    struct made made = make_accounts(200, 0.2);
    made.table->number[PROFILE_posts][42] = 9e6;
    struct explore *explore = run(made);
    const struct quality *quality = &explore->quality;
    assert_true(quality->n_far_rows >= 1);
    assert_int_equal(quality->far_rows[0].row, 42);
    assert_string_equal(quality->far_rows[0].column->name, "posts");
    assert_true(quality->far_rows[0].z > OUTLIER_Z);
    const struct fences *fences = &quality_named(explore, "posts")->fences;
    assert_true(fences->is_set);
    assert_int_equal(fences->n_high, 1);
    assert_near(fences_z(fences, fences->high), OUTLIER_Z, 1e-9);
    clean_up(made, explore);
}

static void large_tables_are_sampled_and_counted(void **state)
{
    (void)state;
    enum {
        N = 12000
    };
    struct made made = make_accounts(N, 0.4);
    struct explore *explore = run(made), *again = run(made);
    assert_int_equal(explore->sample.n_both, N);
    assert_int_equal(explore->sample.n, SAMPLE_ROWS);
    assert_memory_equal(explore->sample.rows, again->sample.rows, SAMPLE_ROWS * sizeof(uint32_t));
    /* Followers rise with the row: the last 500 are all there, once. */
    for (size_t i = 0; i < SAMPLE_LARGEST; i++)
        assert_int_equal(explore->sample.rows[SAMPLE_ROWS - 1 - i], N - 1 - i);
    for (size_t i = 1; i < SAMPLE_ROWS; i++)
        assert_true(explore->sample.rows[i - 1] < explore->sample.rows[i]);
    size_t total = 0;
    const struct density *density = &explore->density;
    for (size_t i = 0; i < density->x.n_bins * density->y.n_bins; i++)
        total += density->counts[i];
    assert_int_equal(total, N);
    explore_free(again);
    clean_up(made, explore);
}

static void growth_is_by_month_and_ranked(void **state)
{
    (void)state;
    struct made made = make_accounts(100, 0.1);
    double *previous = add_number(made, PROFILE_previous_followers);
    double *months = add_number(made, PROFILE_previous_months);
    const double *followers = made.table->number[PROFILE_followers];
    for (size_t i = 0; i < made.n; i++) {
        months[i] = 3;
        previous[i] = followers[i] / exp(0.03);
    }
    previous[17] = followers[17] / 2;
    previous[18] = followers[18] * 2;
    previous[19] = MISSING;
    struct explore *explore = run(made);
    assert_null(explore->growth.absent);
    assert_near(explore->growth.median.value, 1, 0.01); /* 3 % in 3 months */
    assert_near(explore->growth.months, 3, 1e-12);
    assert_near(explore->growth.shrinking, 1.0 / 99, 1e-12);
    assert_int_equal(explore->growth.n_rows, 2 * GROWTH_ROWS);
    assert_int_equal(explore->growth.rows[0], 17);
    assert_int_equal(explore->growth.rows[GROWTH_ROWS], 18);
    clean_up(made, explore);
}

static void two_snapshots_are_matched_by_handle(void **state)
{
    (void)state;
    struct made before = make_accounts(120, 0), after = make_accounts(120, 0);
    const char **handle = after.table->text[PROFILE_handle];
    for (size_t i = 0; i < 20; i++)
        handle[i] = arena_printf(&after.table->memory, "newcomer_%zu", i);
    for (size_t i = 0; i < 120; i++)
        after.table->number[PROFILE_followers][i] =
            1.2 * (after.table->number[PROFILE_followers][i] + 1) - 1;
    struct comparison comparison;
    assert_int_equal(compare_tables(before.table, after.table, &comparison, NULL), STATUS_OK);
    assert_int_equal(comparison.in_both, 100);
    assert_int_equal(comparison.appeared, 20);
    assert_int_equal(comparison.gone, 20);
    for (size_t i = 0; i < comparison.n_columns; i++) {
        const struct compared_column *column = &comparison.columns[i];
        if (strcmp(column->name, "followers") == 0) {
            assert_near(column->change.value, log(1.2), 1e-9);
            assert_int_equal(column->n_pairs, 100);
        }
        if (strcmp(column->name, "posts") == 0) {
            assert_near(column->psi, 0, 1e-12);
            assert_near(column->change.value, 0, 1e-12);
        }
    }
    table_free(before.table);
    table_free(after.table);
}

static void pca_finds_the_axis_of_a_stretched_cloud(void **state)
{
    (void)state;
    enum {
        N = 2000
    };
    static double x[N][2];
    struct rng rng = rng_seed(9);
    for (size_t i = 0; i < N; i++) {
        double shared = rng_normal(&rng);
        x[i][0] = 5 + 3 * (shared + 0.5 * rng_normal(&rng));
        x[i][1] = -2 + shared + 0.5 * rng_normal(&rng);
    }
    struct arena memory;
    arena_init(&memory, 1024);
    struct pca pca;
    assert_int_equal(pca_fit(&x[0][0], N, 2, 2, &memory, &pca, NULL), STATUS_OK);
    /* Two standardised columns of correlation r: eigenvalues 1 + r and 1 - r, axes (1,1), (1,-1).
     */
    assert_near(pca.loadings[0], sqrt(0.5), 1e-9);
    assert_near(pca.loadings[1], sqrt(0.5), 1e-9);
    assert_near(pca.explained[0], (1 + 0.8) / 2, 0.02);
    assert_near(pca.explained[0] + pca.explained[1], 1, 1e-12);
    double scores[2], middle[2] = {pca.mean[0], pca.mean[1]};
    pca_project(&pca, middle, scores);
    assert_near(scores[0], 0, 1e-12);
    assert_int_equal(pca_fit(&x[0][0], 1, 2, 2, &memory, &pca, NULL), STATUS_INVALID);
    const double same[] = {1, 2, 1, 2, 1, 2};
    assert_int_equal(pca_fit(same, 3, 2, 1, &memory, &pca, NULL), STATUS_INVALID);
    arena_deinit(&memory);
}

static void an_empty_table_is_refused(void **state)
{
    (void)state;
    struct made made = make_table(0);
    struct explore_input input = {.table = made.table};
    struct explore *explore;
    assert_int_equal(explore_run(&input, &explore, NULL), STATUS_INVALID);
    table_free(made.table);
}

static const struct json *parse_report(const struct explore *explore, struct arena *memory,
                                       struct buffer *text)
{
    struct json_writer w = json_writer(text);
    explore_put_report(explore, 1234567, &w);
    assert_false(text->failed);
    const struct json *report = NULL;
    struct error err = {0};
    if (json_parse(text->at, text->length, memory, &report, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return report;
}

/* A table of nothing but one column, of nothing but missing values, of one row, of equal rows. */
static void odd_tables_give_a_whole_report(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        struct made made = make_table(kind == 2 ? 1 : 30);
        double *followers = add_number(made, PROFILE_followers);
        double *likes = add_number(made, PROFILE_avg_likes);
        for (size_t i = 0; i < made.n; i++) {
            followers[i] = kind == 1 ? MISSING : kind == 3 ? 5e3 : kind == 4 ? 0 : 1e3 + (double)i;
            likes[i] = kind == 0 ? MISSING : kind == 4 ? 0 : 10;
        }
        struct explore *explore = run(made);
        struct arena memory;
        arena_init(&memory, 4096);
        struct buffer text = {0};
        const struct json *report = parse_report(explore, &memory, &text);
        static const char *const members[] = {"schema",   "kind",     "made",       "influence",
                                              "bundle",   "overview", "groups",     "data",
                                              "explore",  "models",   "archetypes", "network",
                                              "virality", "growth",   "synthetic"};
        for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
            if (!json_get(report, members[i]))
                fail_msg("no member %s", members[i]);
        buffer_deinit(&text);
        arena_deinit(&memory);
        clean_up(made, explore);
    }
}

static void columns_of_the_report_have_equal_lengths(void **state)
{
    (void)state;
    struct made made = make_accounts(150, 0.3);
    struct explore *explore = run(made);
    struct arena memory;
    arena_init(&memory, 4096);
    struct buffer text = {0};
    const struct json *report = parse_report(explore, &memory, &text);
    const struct json *section = json_get(report, "explore");
    const struct json *scatter = json_get(section, "scatter");
    static const char *const columns[] = {"handle", "followers", "measure",
                                          "tier",   "category",  "country"};
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++)
        assert_int_equal(json_count(json_get(scatter, columns[i])), 150);
    assert_int_equal(json_count(json_get(scatter, "score")), 0);
    const struct json *correlations = json_get(section, "correlations");
    size_t k = json_count(json_get(correlations, "columns"));
    assert_int_equal(k, 4);
    assert_int_equal(json_count(json_get(correlations, "spearman_low")), k * (k - 1) / 2);
    for (const struct json *item = json_first(json_get(section, "distributions")); item;
         item = json_next(item)) {
        const struct json *groups = json_get(item, "groups");
        size_t n = json_count(json_get(groups, "group"));
        assert_int_equal(json_count(json_get(groups, "q95")), n);
        assert_int_equal(json_count(json_get(groups, "counts")), n);
        assert_int_equal(json_count(json_first(json_get(groups, "counts"))) + 1,
                         json_count(json_get(item, "edges")));
    }
    buffer_deinit(&text);
    arena_deinit(&memory);
    clean_up(made, explore);
}

static void figures_of_the_report_are_rounded(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    static const struct {
        double value;
        int digits;
    } cases[] = {{1234567.891, 7}, {0.012345678, 3}, {-1e-7, 2},   {475800000, 10},
                 {MISSING, 3},     {-0.0, 3},        {2.0 / 3, 4}, {1e300 * 10, 1}};
    json_begin_array(&w);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        put_figure(&w, cases[i].value, cases[i].digits);
    json_end_array(&w);
    assert_string_equal(text.at, "[1234568,0.0123,-1e-07,475800000,null,0,0.6667,1e+301]");
    buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_power_law_gives_its_exponent),
        cmocka_unit_test(a_noisy_slope_has_an_interval_that_holds_the_truth),
        cmocka_unit_test(the_engagement_rate_is_derived_where_it_is_not_given),
        cmocka_unit_test(rows_fall_into_size_tiers_or_quarters),
        cmocka_unit_test(rare_levels_share_one_group),
        cmocka_unit_test(extra_columns_of_numbers_are_numbers),
        cmocka_unit_test(a_column_that_numbers_the_rows_is_a_name),
        cmocka_unit_test(demo_data_is_recognised),
        cmocka_unit_test(each_alert_fires_on_its_kind_of_dirt_only),
        cmocka_unit_test(a_planted_outlier_is_found_first),
        cmocka_unit_test(large_tables_are_sampled_and_counted),
        cmocka_unit_test(growth_is_by_month_and_ranked),
        cmocka_unit_test(two_snapshots_are_matched_by_handle),
        cmocka_unit_test(pca_finds_the_axis_of_a_stretched_cloud),
        cmocka_unit_test(an_empty_table_is_refused),
        cmocka_unit_test(odd_tables_give_a_whole_report),
        cmocka_unit_test(columns_of_the_report_have_equal_lengths),
        cmocka_unit_test(figures_of_the_report_are_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
