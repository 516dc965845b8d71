/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "dataset/fetch.h"
#include "dataset/fetch_credentials.h"
#include "dataset/fetch_part.h"
#include "dataset/fetch_source.h"
#include "dataset/fetch_unpack.h"
#include "dataset/fetch_url.h"

static int make_arena(void **state)
{
    struct arena *arena = malloc(sizeof *arena);
    if (!arena)
        return -1;
    arena_init(arena, 4096);
    *state = arena;
    return 0;
}

static int free_arena(void **state)
{
    arena_deinit(*state);
    free(*state);
    return 0;
}

static void addresses_lose_what_may_be_secret(void **state)
{
    struct url url;
    assert_int_equal(
        url_parse("https://Host.Example:8443/a/b%20c.csv?token=x#y", *state, &url, NULL),
        STATUS_OK);
    assert_string_equal(url.shown, "https://host.example:8443/a/b%20c.csv");
    assert_string_equal(url.origin, "https://host.example:8443");
    assert_string_equal(url.host, "host.example");
    assert_string_equal(url.base, "b c.csv");
    assert_non_null(strstr(url.text, "?token=x"));
}

static void only_https_and_this_machine_are_spoken_to(void **state)
{
    static const char *const good[] = {"https://a.example/x", "http://127.0.0.1:1/x",
                                       "http://localhost/x", "http://[::1]:9/",
                                       "http://127.9.8.7/"};
    static const char *const bad[] = {"http://a.example/x",
                                      "http://localhost.a.example/",
                                      "http://127.0.0.1.a.example/",
                                      "http://10.0.0.1/",
                                      "ftp://127.0.0.1/x",
                                      "file:///etc/passwd",
                                      "https://u:p@a.example",
                                      "https://u@a.example",
                                      "nonsense",
                                      "https://",
                                      "http://[::2]/",
                                      ""};
    struct url url;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (url_parse(good[i], *state, &url, NULL) != STATUS_OK)
            fail_msg("%s was refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (url_parse(bad[i], *state, &url, NULL) != STATUS_INVALID)
            fail_msg("%s was taken", bad[i]);
}

static void redirects_are_resolved_and_do_not_leave_https(void **state)
{
    struct url from, to;
    assert_int_equal(url_parse("https://a.example/x/y?q=1", *state, &from, NULL), STATUS_OK);
    assert_int_equal(url_follow(&from, "../z", *state, &to, NULL), STATUS_OK);
    assert_string_equal(to.text, "https://a.example/z");
    assert_string_equal(to.origin, from.origin);
    assert_int_equal(url_follow(&from, "https://a.example:444/z", *state, &to, NULL), STATUS_OK);
    assert_string_not_equal(to.origin, from.origin);
    assert_int_equal(url_follow(&from, "http://127.0.0.1/z", *state, &to, NULL), STATUS_INVALID);
    assert_int_equal(url_follow(&from, "file:///etc/passwd", *state, &to, NULL), STATUS_INVALID);
}

static void names_of_data_sets_become_folders(void **state)
{
    struct fetch_source source;
    assert_int_equal(fetch_source_parse("kaggle:alice/my-tables/a/b.csv", "https://k.example/",
                                        *state, &source, NULL),
                     STATUS_OK);
    assert_string_equal(source.url, "https://k.example/api/v1/datasets/download/alice/my-tables");
    assert_string_equal(source.folder, "kaggle/alice/my-tables");
    assert_string_equal(source.file, "a/b.csv");
    assert_true(source.is_kaggle);
    assert_int_equal(fetch_source_parse("https://a.example/x/t.csv?k=1", "", *state, &source, NULL),
                     STATUS_OK);
    assert_string_equal(source.plain_name, "t.csv");
    assert_int_equal(strncmp(source.folder, "url/a.example/t.csv-", 20), 0);
    assert_null(source.file);
    assert_false(source.is_kaggle);
}

static void two_addresses_do_not_share_a_folder(void **state)
{
    struct fetch_source a, b;
    fetch_source_parse("https://a.example/1/t.csv", "", *state, &a, NULL);
    fetch_source_parse("https://a.example/2/t.csv", "", *state, &b, NULL);
    assert_string_not_equal(a.folder, b.folder);
}

static void bad_names_of_data_sets_are_refused(void **state)
{
    static const char *const bad[] = {
        "kaggle:",     "kaggle:a",     "kaggle:a/",      "kaggle:/b",    "kaggle:../b",
        "kaggle:a/..", "kaggle:a b/c", "kaggle:a/b?c=d", "kaggle:a/b#c", "kaggle:a/b/../../c"};
    struct fetch_source source;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (fetch_source_parse(bad[i], "https://k.example", *state, &source, NULL) !=
            STATUS_INVALID)
            fail_msg("%s was taken", bad[i]);
    assert_false(fetch_is_remote("data/a.csv"));
    assert_true(fetch_is_remote("kaggle:a/b"));
}

static void paths_in_archives_stay_inside(void **state)
{
    (void)state;
    static const char *const good[] = {"a.csv", "./a.csv", "a/b/c.csv",
                                       "a..b",  "..a/b",   "größe.csv"};
    static const char *const bad[] = {"",
                                      "/a",
                                      "..",
                                      "../a",
                                      "a/../b",
                                      "a/..",
                                      "a\\b",
                                      "C:a",
                                      "a\nb",
                                      "a\x7f",
                                      "\xff",
                                      "./../a",
                                      "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (unpack_check_name(good[i], NULL) != STATUS_OK)
            fail_msg("%s was refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (unpack_check_name(bad[i], NULL) != STATUS_INVALID)
            fail_msg("%s was taken", bad[i]);
    char long_name[300];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(unpack_check_name(long_name, NULL), STATUS_INVALID);
}

static void clear_environment(void)
{
    static const char *const names[] = {"KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY",
                                        "KAGGLE_CONFIG_DIR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("HOME", "/nonexistent", 1);
}

static void a_token_comes_before_a_key(void **state)
{
    clear_environment();
    struct credentials credentials;
    assert_int_equal(credentials_find(*state, &credentials, NULL), STATUS_OK);
    assert_null(credentials.bearer);
    assert_null(credentials.user_password);
    setenv("KAGGLE_USERNAME", "alice", 1);
    assert_int_equal(credentials_find(*state, &credentials, NULL), STATUS_OK);
    assert_null(credentials.user_password); /* half a pair is none */
    setenv("KAGGLE_KEY", "k", 1);
    assert_int_equal(credentials_find(*state, &credentials, NULL), STATUS_OK);
    assert_string_equal(credentials.user_password, "alice:k");
    setenv("KAGGLE_API_TOKEN", "t", 1);
    assert_int_equal(credentials_find(*state, &credentials, NULL), STATUS_OK);
    assert_string_equal(credentials.bearer, "t");
    assert_null(credentials.user_password);
    clear_environment();
}

static void secrets_with_line_breaks_are_refused_and_not_quoted(void **state)
{
    clear_environment();
    setenv("KAGGLE_API_TOKEN", "hush\r\nX-Evil: 1", 1);
    struct credentials credentials;
    struct error err = {0};
    assert_int_equal(credentials_find(*state, &credentials, &err), STATUS_INVALID);
    assert_null(strstr(err.message, "hush"));
    clear_environment();
}

static void a_part_is_continued_only_with_its_validator(void **state)
{
    (void)state;
    char dir[] = "/tmp/dataset-part-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/x.part", dir);
    struct part part;
    assert_int_equal(part_open(path, &part, NULL), STATUS_OK);
    assert_int_equal(part.n_bytes, 0);
    assert_int_equal(part_restart(&part, "\"v1\"", NULL), STATUS_OK);
    assert_int_equal(part_append(&part, "abc", 3, NULL), STATUS_OK);
    part_close(&part);
    assert_int_equal(part_open(path, &part, NULL), STATUS_OK);
    assert_int_equal(part.n_bytes, 3);
    assert_string_equal(part.validator, "\"v1\"");
    assert_int_equal(part_restart(&part, "", NULL), STATUS_OK);
    assert_int_equal(part_append(&part, "abcd", 4, NULL), STATUS_OK);
    part_close(&part);
    assert_int_equal(part_open(path, &part, NULL), STATUS_OK);
    assert_int_equal(part.n_bytes, 0);
    part_close(&part);
    part_remove(path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_lose_what_may_be_secret),
        cmocka_unit_test(only_https_and_this_machine_are_spoken_to),
        cmocka_unit_test(redirects_are_resolved_and_do_not_leave_https),
        cmocka_unit_test(names_of_data_sets_become_folders),
        cmocka_unit_test(two_addresses_do_not_share_a_folder),
        cmocka_unit_test(bad_names_of_data_sets_are_refused),
        cmocka_unit_test(paths_in_archives_stay_inside),
        cmocka_unit_test(a_token_comes_before_a_key),
        cmocka_unit_test(secrets_with_line_breaks_are_refused_and_not_quoted),
        cmocka_unit_test(a_part_is_continued_only_with_its_validator),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
