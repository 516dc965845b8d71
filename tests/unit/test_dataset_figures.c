/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/rng.h"
#include "dataset/distinct.h"
#include "dataset/import.h"
#include "dataset/moment.h"
#include "dataset/post_figures.h"

/* ---- posts, against the definitions computed straight ---- */

#define N 90
#define START_S 1500000000.0

static void draw_posts(struct post *posts, size_t n)
{
    struct rng rng = rng_seed(7);
    for (size_t i = 0; i < n; i++) {
        posts[i] = (struct post){
            .id = i + 1,
            .seconds = START_S + floor(rng_uniform(&rng) * 4e7),
            .has_hour = true,
            .type = POST_IMAGE,
            .is_video = rng_uniform(&rng) < 0.3,
            .is_carousel = MISSING,
            .likes = floor(exp(5 + rng_normal(&rng))),
            .comments = floor(exp(2 + rng_normal(&rng))),
            .views = i % 3 ? MISSING : 100.0 * (double)i,
            .is_sponsored = i % 4 == 0,
            .has_location = i % 2 == 1,
            .is_verified = i < 5 ? MISSING : i > n / 2,
            .n_hashtags = (double)(i % 7),
            .n_mentions = 1,
            .n_tagged = (double)(i % 2),
            .aspect = i % 2 ? 1.5 : 1,
            .caption_length = 10.0 * (double)i,
        };
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Sum of (x - mean) (y - mean). */
static double products(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean(x, n)) * (y[i] - mean(y, n));
    return sum;
}

static void figures_of_posts_equal_their_definitions(void **state)
{
    (void)state;
    struct post posts[N];
    double likes[N], ln_likes[N], ln_comments[N], year[N], seconds[N], sorted[N];
    double by_sponsor[2] = {0, 0}, n_by_sponsor[2] = {0, 0};
    double weekend = 0, cosines = 0, sines = 0;
    struct post_figures figures = {0};
    struct error err;
    draw_posts(posts, N);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(post_figures_add(&figures, &posts[i], 1, &err), STATUS_OK);
        likes[i] = sorted[i] = posts[i].likes;
        ln_likes[i] = log(1 + posts[i].likes);
        ln_comments[i] = log(1 + posts[i].comments);
        seconds[i] = posts[i].seconds;
        year[i] = seconds[i] / (365.25 * 86400);
        by_sponsor[(int)posts[i].is_sponsored] += ln_likes[i];
        n_by_sponsor[(int)posts[i].is_sponsored]++;
        weekend += moment_weekday(seconds[i]) >= 5;
        cosines += cos(2 * M_PI * fmod(seconds[i], 86400) / 86400);
        sines += sin(2 * M_PI * fmod(seconds[i], 86400) / 86400);
    }
    double get[PROFILE_N_NUMBERS];
    post_figures_get(&figures, get);
    qsort(sorted, N, sizeof sorted[0], compare);
    qsort(seconds, N, sizeof seconds[0], compare);
    double median = (sorted[N / 2 - 1] + sorted[N / 2]) / 2;
    double hits = 0;
    double gaps[N - 1];
    for (size_t i = 0; i < N; i++)
        hits += likes[i] > 1.5 * median;
    for (size_t i = 1; i < N; i++)
        gaps[i - 1] = log(fmax(seconds[i] - seconds[i - 1], 60));
    double span_weeks = (seconds[N - 1] - seconds[0]) / (7 * 86400);
    double resultant = (cosines * cosines + sines * sines) / (N * N);

    assert_near(get[PROFILE_post_sample], N, 0);
    assert_near(get[PROFILE_posts_per_week], (N - 1) / span_weeks, 1e-12);
    assert_near(get[PROFILE_post_gap_spread], sqrt(products(gaps, gaps, N - 1) / (N - 2)), 1e-9);
    assert_near(get[PROFILE_post_ln_likes], mean(ln_likes, N), 1e-12);
    assert_near(get[PROFILE_post_ln_likes_spread], sqrt(products(ln_likes, ln_likes, N) / (N - 1)),
                1e-12);
    assert_near(get[PROFILE_post_ln_likes_trend],
                products(year, ln_likes, N) / products(year, year, N), 1e-9);
    assert_near(get[PROFILE_post_comments_per_like], mean(ln_comments, N) - mean(ln_likes, N),
                1e-12);
    assert_near(get[PROFILE_sponsored_lift],
                by_sponsor[1] / n_by_sponsor[1] - by_sponsor[0] / n_by_sponsor[0], 1e-12);
    assert_near(get[PROFILE_hit_share], hits / N, 1e-12);
    assert_near(get[PROFILE_weekend_share], weekend / N, 1e-12);
    assert_near(get[PROFILE_hour_concentration], sqrt(fmax(0, (N * resultant - 1) / (N - 1))),
                1e-12);
    assert_near(get[PROFILE_post_hour_cos], cosines / N, 1e-12);
    assert_near(get[PROFILE_post_hour_sin], sines / N, 1e-12);
    assert_near(get[PROFILE_tagged_per_post], 0.5, 1e-12);
    assert_near(get[PROFILE_post_aspect], 1.25, 1e-12);
    assert_near(get[PROFILE_location_share], 0.5, 1e-12);
    assert_near(get[PROFILE_is_verified], 1, 0); /* its later posts say so */
    assert_near(get[PROFILE_caption_length], 445, 1e-9);
    assert_true(isnan(get[PROFILE_carousel_share]));
    post_figures_deinit(&figures);
}

static void figures_do_not_depend_on_the_order_of_posts(void **state)
{
    (void)state;
    struct post posts[N];
    struct post_figures forth = {0}, back = {0};
    double a[PROFILE_N_NUMBERS], b[PROFILE_N_NUMBERS];
    struct error err;
    draw_posts(posts, N);
    for (size_t i = 0; i < N; i++) {
        post_figures_add(&forth, &posts[i], 1, &err);
        post_figures_add(&back, &posts[N - 1 - i], 1, &err);
    }
    post_figures_get(&forth, a);
    post_figures_get(&back, b);
    for (size_t f = PROFILE_post_sample; f <= PROFILE_hour_concentration; f++)
        if (!isnan(a[f]) || !isnan(b[f]))
            assert_near(a[f], b[f], 1e-9);
    post_figures_deinit(&forth);
    post_figures_deinit(&back);
}

static void few_posts_leave_open_what_they_cannot_tell(void **state)
{
    (void)state;
    struct post posts[2];
    struct post_figures figures = {0};
    double get[PROFILE_N_NUMBERS];
    struct error err;
    draw_posts(posts, 2);
    post_figures_add(&figures, &posts[0], 1, &err);
    post_figures_add(&figures, &posts[0], 1, &err); /* the same one again */
    post_figures_get(&figures, get);
    assert_near(get[PROFILE_post_sample], 1, 0);
    assert_true(isnan(get[PROFILE_posts_per_week]));
    assert_true(isnan(get[PROFILE_hit_share]));
    post_figures_add(&figures, &posts[1], 1, &err);
    post_figures_get(&figures, get);
    assert_near(get[PROFILE_post_sample], 2, 0);
    assert_false(isnan(get[PROFILE_posts_per_week]));
    assert_true(isnan(get[PROFILE_post_ln_likes_spread]));
    assert_true(isnan(get[PROFILE_post_ln_likes_trend]));
    assert_true(isnan(get[PROFILE_post_gap_spread]));
    post_figures_deinit(&figures);
}

static void a_sample_stands_for_many_posts(void **state)
{
    (void)state;
    enum {
        MANY = 20000
    };
    struct post_figures figures = {0};
    struct rng rng = rng_seed(3);
    struct error err;
    double get[PROFILE_N_NUMBERS];
    for (size_t i = 0; i < MANY; i++) {
        struct post post = {.id = i + 1,
                            .seconds = START_S + 3600.0 * (double)i,
                            .has_hour = true,
                            .likes = exp(8 + rng_normal(&rng))};
        assert_int_equal(post_figures_add(&figures, &post, 1, &err), STATUS_OK);
    }
    assert_int_equal(figures.n_likes, POST_SAMPLE);
    assert_int_equal(figures.n_newest, POST_SAMPLE);
    post_figures_get(&figures, get);
    /* P(ln x > median + ln 1.5) = 0.3426; four standard errors of a share of 128. */
    assert_near(get[PROFILE_hit_share], 0.3426, 4 * sqrt(0.3426 * 0.6574 / POST_SAMPLE));
    /* The newest are an hour apart, all of them. */
    assert_near(get[PROFILE_post_gap_spread], 0, 1e-9);
    assert_near((double)figures.newest[POST_SAMPLE - 1], START_S + 3600.0 * (MANY - 1), 0);
    assert_near(get[PROFILE_posts_per_week], 168, 1e-9);
    post_figures_deinit(&figures);
}

/* ---- hashtags ---- */

/* PREFIXfrom .. PREFIXto-1 */
static void add_tags(struct tag_sketch *sketch, const char *prefix, size_t from, size_t to)
{
    struct error err;
    for (size_t i = from; i < to; i++) {
        char tag[64];
        int n = snprintf(tag, sizeof tag, "%s%zu", prefix, i);
        assert_int_equal(tag_sketch_add(sketch, tag, (size_t)n, 1, &err), STATUS_OK);
    }
}

static void hashtags_are_counted_exactly_while_they_are_few(void **state)
{
    (void)state;
    struct tag_sketch sketch = {0};
    struct buffer text = {0};
    add_tags(&sketch, "b", 0, 3);
    add_tags(&sketch, "b", 1, 3);
    add_tags(&sketch, "a", 0, 1);
    add_tags(&sketch, "a", 0, 1);
    add_tags(&sketch, "a", 0, 1);
    tag_sketch_put(&sketch, 100, &text);
    assert_string_equal(text.at, "a0 b1 b2 b0");
    buffer_clear(&text);
    tag_sketch_put(&sketch, 8, &text);
    assert_string_equal(text.at, "a0 b1 b2");
    buffer_deinit(&text);
    tag_sketch_deinit(&sketch);
}

static void frequent_hashtags_outlive_a_flood_of_rare_ones(void **state)
{
    (void)state;
    struct tag_sketch sketch = {0};
    struct buffer text = {0};
    for (size_t round = 0; round < 500; round++) {
        add_tags(&sketch, "daily", 0, 1);
        add_tags(&sketch, "often", 0, round % 2);
        add_tags(&sketch, "rare", 20 * round, 20 * round + 20);
        assert_true(sketch.n <= TAG_SKETCH_MAX);
        assert_true(sketch.n_text <= TAG_SKETCH_TEXT);
    }
    tag_sketch_put(&sketch, 2048, &text);
    assert_memory_equal(text.at, "daily0 often0 ", 14);
    buffer_deinit(&text);
    tag_sketch_deinit(&sketch);
}

/* ---- different accounts ---- */

static void different_things_are_counted_exactly_then_nearly(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 255, 256, 257, 1000, 5000, 200000};
    struct error err;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct distinct distinct = {0};
        for (int twice = 0; twice < 2; twice++) {
            for (size_t i = 0; i < counts[c]; i++) {
                uint32_t hash = (uint32_t)hash_xxh3(&i, sizeof i);
                assert_int_equal(distinct_add(&distinct, hash, &err), STATUS_OK);
            }
        }
        double error = counts[c] <= DISTINCT_EXACT ? 0 : 4 * 0.033 * (double)counts[c];
        assert_near(distinct_count(&distinct), (double)counts[c], error);
        distinct_deinit(&distinct);
    }
}

/* ---- the join ---- */

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void figures_join_the_table_by_handle(void **state)
{
    (void)state;
    char profiles[] = "profiles-XXXXXX", posts[] = "posts-XXXXXX", edges[] = "edges-XXXXXX";
    write_file(profiles, "username,followers,posts_per_week\nada,1000,\nBob,2000,7\ncy,300,\n");
    write_file(posts, "username,taken_at,likes,hashtags\n"
                      "bob,2020-01-01,10,x y\nbob,2020-01-08,20,x\nbob,2020-01-15,90,\n"
                      "ada,2020-01-01,5,\nada,2020-01-15,-1,Q\n");
    write_file(edges, "kind,source,target\ncomment,ada,bob\ntag,bob,ada\ncomment,ada,cy\n"
                      "comment,dee,bob\nmention,eve,bob\ncomment,dee,bob\n");
    const char *files[] = {profiles}, *post_files[] = {posts}, *edge_files[] = {edges};
    struct import_options options = {
        .joins = {.posts = post_files, .n_posts = 1, .edges = edge_files, .n_edges = 1}};
    struct table *table = NULL;
    struct import_report *report = NULL;
    struct error err;
    if (import_files(files, 1, &options, &table, &report, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_near(table->number[PROFILE_post_sample][0], 2, 0);
    assert_near(table->number[PROFILE_post_sample][1], 3, 0);
    assert_true(isnan(table->number[PROFILE_post_sample][2]));
    /* What the table says stands. */
    assert_near(table->number[PROFILE_posts_per_week][1], 7, 0);
    assert_near(table->number[PROFILE_posts_per_week][0], 0.5, 1e-12);
    assert_near(table->number[PROFILE_post_ln_likes][0], log(6), 1e-12);
    assert_near(table->number[PROFILE_hit_share][1], 1.0 / 3, 1e-12);
    assert_string_equal(table->text[PROFILE_hashtags][1], "x y");
    assert_string_equal(table->text[PROFILE_hashtags][0], "q");
    assert_null(table->text[PROFILE_hashtags][2]);
    /* Means that the table has no column for are those of the posts. */
    assert_near(table->number[PROFILE_avg_likes][1], 40, 1e-12);
    assert_near(table->number[PROFILE_engagement_rate][1], 0.02, 1e-12);
    /* Who has no video in files that do not tell types has no share of them. */
    assert_null(table->number[PROFILE_video_share]);
    assert_near(table->number[PROFILE_edges_in][1], 3, 0);
    assert_near(table->number[PROFILE_comments_in][1], 2, 0);
    assert_near(table->number[PROFILE_edges_out][0], 2, 0);
    assert_near(table->number[PROFILE_edge_reciprocity][0], 0.5, 1e-12);
    assert_near(table->number[PROFILE_edge_reciprocity][1], 1, 1e-12);
    assert_true(isnan(table->number[PROFILE_edge_reciprocity][2]));
    assert_null(table->number[PROFILE_brand_links]);
    assert_int_equal(report->n_joined, 2);
    table_free(table);
    import_report_free(report);
    unlink(profiles);
    unlink(posts);
    unlink(edges);
}

/* Edges between accounts of a table of ada, bob and cy, in columns of `field`; NULL: no column. */
static void assert_degrees(const struct table *table, enum profile_number field,
                           const double *expected)
{
    const double *column = table->number[field];
    const char *name = profile_number_field(field)->name;
    if (!expected || !column) {
        if (expected || column)
            fail_msg("%s: %s", name, column ? "there, and should not be" : "not there");
        return;
    }
    for (size_t row = 0; row < 3; row++)
        if (!(column[row] == expected[row]))
            fail_msg("%s of row %zu: %g, expected %g", name, row, column[row], expected[row]);
}

static void degrees_are_by_kind_and_direction(void **state)
{
    (void)state;
    char profiles[] = "profiles-XXXXXX", edges[] = "edges-XXXXXX", brands[] = "brands-XXXXXX";
    write_file(profiles, "username,followers\nada,1000\nBob,2000\ncy,300\n");
    /* Nobody of the table mentions; who is followed and whom bob follows, twice the same, are. */
    write_file(edges, "kind,source,target\ncomment,ada,bob\ncomment,ada,cy\ncomment,ada,bob\n"
                      "comment,dee,bob\ntag,bob,ada\nmention,eve,bob\nmention,dee,bob\n"
                      "follow,bob,ada\nfollow,bob,ada\nfollow,cy,ada\nwhat,cy,dee\n");
    write_file(brands, "influencer,brand\nada,soap\nada,soup\nbob,cy\neve,cy\n");
    const char *files[] = {profiles}, *edge_files[] = {edges, brands};
    struct import_options options = {.joins = {.edges = edge_files, .n_edges = 2}};
    struct table *table = NULL;
    struct import_report *report = NULL;
    struct error err;
    if (import_files(files, 1, &options, &table, &report, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_degrees(table, PROFILE_comments_in, (double[]){0, 2, 1});
    assert_degrees(table, PROFILE_comments_out, (double[]){2, 0, 0});
    assert_degrees(table, PROFILE_tags_in, (double[]){1, 0, 0});
    assert_degrees(table, PROFILE_tags_out, (double[]){0, 1, 0});
    assert_degrees(table, PROFILE_mentions_in, (double[]){0, 2, 0});
    assert_degrees(table, PROFILE_mentions_out, NULL);
    assert_degrees(table, PROFILE_follows_in, (double[]){2, 0, 0});
    assert_degrees(table, PROFILE_follows_out, (double[]){0, 1, 1});
    /* Any kind but brand, also one that nobody knows. */
    assert_degrees(table, PROFILE_edges_in, (double[]){2, 3, 1});
    assert_degrees(table, PROFILE_edges_out, (double[]){2, 1, 2});
    assert_degrees(table, PROFILE_brand_links, (double[]){2, 1, 0});
    assert_degrees(table, PROFILE_brand_links_in, (double[]){0, 0, 2});
    assert_string_equal(table->text[PROFILE_brands][0], "soap soup");
    assert_null(table->text[PROFILE_brands][2]);
    table_free(table);
    import_report_free(report);
    unlink(profiles);
    unlink(edges);
    unlink(brands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_posts_equal_their_definitions),
        cmocka_unit_test(figures_do_not_depend_on_the_order_of_posts),
        cmocka_unit_test(few_posts_leave_open_what_they_cannot_tell),
        cmocka_unit_test(a_sample_stands_for_many_posts),
        cmocka_unit_test(hashtags_are_counted_exactly_while_they_are_few),
        cmocka_unit_test(frequent_hashtags_outlive_a_flood_of_rare_ones),
        cmocka_unit_test(different_things_are_counted_exactly_then_nearly),
        cmocka_unit_test(figures_join_the_table_by_handle),
        cmocka_unit_test(degrees_are_by_kind_and_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
