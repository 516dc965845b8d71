/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "dataset/moment.h"
#include "dataset/posts.h"
#include "profile/hashtags.h"

/* All accounts are invented. */

/* ---- points in time ---- */

static void assert_moment(const char *text, double seconds, bool has_hour)
{
    struct moment moment;
    if (moment_parse(text, strlen(text), &moment) != PARSE_OK)
        fail_msg("'%s' is refused", text);
    assert_near(moment.seconds, seconds, 0);
    assert_int_equal(moment.has_hour, has_hour);
}

static void points_in_time_are_read_as_people_write_them(void **state)
{
    (void)state;
    /* 2017-04-29T00:00:00Z is 1493424000 (date -u +%s). */
    assert_moment("2017-04-29", 1493424000, false);
    assert_moment(" 2017/4/29 ", 1493424000, false);
    assert_moment("29.04.2017", 1493424000, false);
    assert_moment("2017-04-29 13:05", 1493471100, true);
    assert_moment("2017-04-29T13:05:07.250Z", 1493471107, true);
    assert_moment("2017-04-29T13:05:07+02:00", 1493471107 - 7200, true);
    assert_moment("2017-04-29 13:05:07 -0530", 1493471107 + 19800, true);
    assert_moment("1493471107", 1493471107, true);
    assert_moment("1493471107000", 1493471107, true);
    assert_moment("2000-02-29", 951782400, false);
    assert_moment("1970-01-01", 0, false);
}

static void what_is_no_certain_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2017-02-29",       "2017-13-01", "04/29/2017", "yesterday",         "2017",
        "2017-04-29T25:00", "-1",         "2017-04",    "2017-04-29 1:5 pm", "1e300",
    };
    struct moment moment;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (moment_parse(bad[i], strlen(bad[i]), &moment) != PARSE_BAD)
            fail_msg("'%s' is taken", bad[i]);
    assert_int_equal(moment_parse("N/A", 3, &moment), PARSE_MISSING);
    assert_int_equal(moment_parse("", 0, &moment), PARSE_MISSING);
}

static void hours_and_weekdays_are_those_of_the_calendar(void **state)
{
    (void)state;
    assert_int_equal(moment_weekday(1493471107), 5); /* a Saturday */
    assert_int_equal(moment_hour(1493471107), 13);
    assert_int_equal(moment_weekday(0), 3);
    assert_int_equal(moment_weekday(951782400), 1);
    assert_int_equal(moment_hour(86399), 23);
}

/* ---- hashtags ---- */

static void assert_hashtags(struct hashtags tags, const char *expected)
{
    char all[400] = "";
    size_t length = 0;
    while (hashtags_next(&tags) && length < sizeof all)
        length += (size_t)snprintf(all + length, sizeof all - length, "%s|", tags.text);
    assert_string_equal(all, expected);
}

static void hashtags_are_words_in_lower_case_however_separated(void **state)
{
    (void)state;
    assert_hashtags(hashtags_of("ootd Fashion"), "ootd|fashion|");
    assert_hashtags(hashtags_of("#ootd#FASHION,  #x_1"), "ootd|fashion|x_1|");
    assert_hashtags(hashtags_of("#data\xC2\xA0#\xC3\x89T\xC3\x89"), "data|\xC3\xA9t\xC3\xA9|");
    assert_hashtags(hashtags_of("['a', \"b\"]"), "a|b|");
    assert_hashtags(hashtags_of("\xD0\x9C\xD0\xBE\xD0\xB4\xD0\xB0"),
                    "\xD0\xBC\xD0\xBE\xD0\xB4\xD0\xB0|");
    assert_hashtags(hashtags_of("  "), "");
    assert_hashtags(hashtags_of_caption("new #Shoes! not#this? yes # no #b"), "shoes|this|b|");
}

static void long_hashtags_are_cut_at_a_character(void **state)
{
    (void)state;
    char text[200];
    for (size_t i = 0; i < 50; i++)
        memcpy(text + 2 * i, "\xC3\xA9", 2);
    text[100] = ' ';
    text[101] = 'b';
    text[102] = '\0';
    struct hashtags tags = hashtags_of(text);
    assert_true(hashtags_next(&tags));
    assert_int_equal(tags.length, 62);
    assert_true(hashtags_next(&tags));
    assert_string_equal(tags.text, "b");
    assert_false(hashtags_next(&tags));
}

/* ---- posts ---- */

#define MAX_POSTS 32

struct fixture {
    struct table *table;
    struct import_report *report;
    struct arena memory;
    struct handles handles;
    char path[64];
    struct post posts[MAX_POSTS];
    char hashtags[MAX_POSTS][64];
    size_t n;
    enum status status;
    struct error err;
};

static const char profiles[] = "username,followers\nAda.b,1000\nbob_7,2000\n@cy,300\n";

static enum status keep(void *user, const struct post *post, struct error *err)
{
    struct fixture *f = user;
    (void)err;
    assert_true(f->n < MAX_POSTS);
    snprintf(f->hashtags[f->n], sizeof f->hashtags[0], "%s", post->hashtags ? post->hashtags : "-");
    f->posts[f->n++] = *post;
    return STATUS_OK;
}

static void read_posts(struct fixture *f, const char *text)
{
    *f = (struct fixture){.path = "posts-XXXXXX"};
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(
        import_memory(profiles, strlen(profiles), "profiles", NULL, &f->table, &f->report, &f->err),
        STATUS_OK);
    arena_init(&f->memory, 4096);
    assert_int_equal(handles_init(&f->handles, f->table, &f->memory, &f->err), STATUS_OK);
    const char *files[] = {f->path};
    struct posts_input input = {.files = files, .n_files = 1, .handles = &f->handles};
    f->status = posts_each(&input, keep, f, f->report, &f->err);
    unlink(f->path);
}

static void release(struct fixture *f)
{
    table_free(f->table);
    import_report_free(f->report);
    arena_deinit(&f->memory);
}

static size_t count_of(const struct fixture *f, const char *rule, size_t *ret_line)
{
    const struct import_source *source = &f->report->joined[0];
    for (size_t i = 0; i < source->n_events; i++) {
        if (strcmp(source->events[i].rule, rule) != 0)
            continue;
        if (ret_line)
            *ret_line = source->events[i].examples[0].line;
        return source->events[i].count;
    }
    return 0;
}

static void posts_join_by_handle_under_other_headers(void **state)
{
    (void)state;
    struct fixture f;
    read_posts(&f, "Owner;Posted at;Media type;Like count;Comments count;Plays;Caption\n"
                   "ada.B;2020-01-02 10:00;GraphVideo;1,2K;7;9000;Sun #Beach #b @cy\n"
                   "https://instagram.com/CY/;02.01.2020;sidecar;5;;;\n");
    assert_int_equal(f.status, STATUS_OK);
    assert_int_equal(f.n, 2);
    assert_int_equal(f.posts[0].row, 0);
    assert_int_equal(f.posts[0].type, POST_VIDEO);
    assert_near(f.posts[0].seconds, 1577959200, 0);
    assert_near(f.posts[0].likes, 1200, 0);
    assert_near(f.posts[0].comments, 7, 0);
    assert_near(f.posts[0].views, 9000, 0);
    assert_near(f.posts[0].n_hashtags, 2, 0);
    assert_near(f.posts[0].n_mentions, 1, 0);
    assert_near(f.posts[0].caption_length, 17, 0);
    assert_true(f.posts[0].hashtags_in_caption);
    assert_int_equal(f.posts[1].row, 2);
    assert_int_equal(f.posts[1].type, POST_CAROUSEL);
    assert_near(f.posts[1].is_video, 0, 0);
    assert_false(f.posts[1].has_hour);
    assert_true(isnan(f.posts[1].comments));
    assert_string_equal(f.report->joined[0].delimiter, "semicolon");
    assert_string_equal(f.report->joined[0].columns[0].field, "account");
    release(&f);
}

static void dirt_in_posts_is_counted_by_rule_and_line(void **state)
{
    (void)state;
    struct fixture f;
    read_posts(&f, "username,taken_at,type,likes,comments,hashtags,is_sponsored,location\n"
                   "====\n"
                   "bob_7,0,image,-1,3,a b,0,Paris\n"
                   "nobody,1577959200,image,10,3,,0,\n"
                   "bob_7,1577959200,story,-5,many,,1,\n"
                   "two words,1577959200,image,10,3,,0,\n"
                   "bob_7,1577959200,image\n"
                   "username,taken_at,type,likes,comments,hashtags,is_sponsored,location\n"
                   "bob_7,soon,image,1,2,a,0,,\n"
                   "bob_7,1577959200,image,1,2,a,b,0,x\n");
    assert_int_equal(f.status, STATUS_OK);
    assert_int_equal(f.n, 3);
    size_t line = 0;
    assert_int_equal(count_of(&f, "epoch_date", &line), 1);
    assert_int_equal(line, 3);
    assert_int_equal(count_of(&f, "hidden", &line), 1);
    assert_int_equal(count_of(&f, "account_unknown", &line), 1);
    assert_int_equal(line, 4);
    assert_int_equal(count_of(&f, "type_unknown", &line), 1);
    assert_int_equal(line, 5);
    assert_int_equal(count_of(&f, "negative", NULL), 1);
    assert_int_equal(count_of(&f, "not_a_number", NULL), 1);
    assert_int_equal(count_of(&f, "row_without_account", &line), 1);
    assert_int_equal(line, 6);
    assert_int_equal(count_of(&f, "row_too_short", &line), 1);
    assert_int_equal(line, 7);
    assert_int_equal(count_of(&f, "row_too_long", &line), 1);
    assert_int_equal(line, 10);
    assert_int_equal(count_of(&f, "header_repeated", NULL), 1);
    assert_int_equal(count_of(&f, "rule_line", NULL), 1);
    assert_int_equal(count_of(&f, "not_a_time", &line), 1);
    assert_int_equal(line, 9);
    assert_int_equal(f.report->joined[0].n_rows, 7);
    assert_int_equal(f.report->joined[0].n_kept, 3);
    assert_true(isnan(f.posts[0].likes));
    assert_true(isnan(f.posts[0].seconds));
    assert_near(f.posts[0].has_location, 1, 0);
    assert_near(f.posts[1].has_location, 0, 0);
    assert_near(f.posts[0].n_hashtags, 2, 0);
    assert_string_equal(f.hashtags[0], "a b");
    release(&f);
}

static void a_file_without_accounts_is_no_table_of_posts(void **state)
{
    (void)state;
    struct fixture f;
    read_posts(&f, "likes,comments\n1,2\n");
    assert_int_equal(f.status, STATUS_INVALID);
    assert_non_null(strstr(f.err.message, "no column says whose post it is"));
    assert_non_null(f.report->joined[0].refused);
    release(&f);
    read_posts(&f, "colour,size\nred,2\n");
    assert_int_equal(f.status, STATUS_INVALID);
    assert_non_null(strstr(f.err.message, "colour, size"));
    release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_in_time_are_read_as_people_write_them),
        cmocka_unit_test(what_is_no_certain_time_is_refused),
        cmocka_unit_test(hours_and_weekdays_are_those_of_the_calendar),
        cmocka_unit_test(hashtags_are_words_in_lower_case_however_separated),
        cmocka_unit_test(long_hashtags_are_cut_at_a_character),
        cmocka_unit_test(posts_join_by_handle_under_other_headers),
        cmocka_unit_test(dirt_in_posts_is_counted_by_rule_and_line),
        cmocka_unit_test(a_file_without_accounts_is_no_table_of_posts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
