/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/config.h"

struct settings {
    int64_t port;
    double share;
    bool strict;
    const char *path;
    int mode;
};

static const struct config_key keys[] = {
    {"server", "port", CONFIG_INTEGER, "", 0, 65535, NULL, "8080", "Port.",
     offsetof(struct settings, port)},
    {"server", "share", CONFIG_NUMBER, "", 0, 1, NULL, "0.5", "Share.",
     offsetof(struct settings, share)},
    {"server", "strict", CONFIG_FLAG, "", 0, 0, NULL, "off", "Strict.",
     offsetof(struct settings, strict)},
    {"log", "path", CONFIG_TEXT, "", 0, 0, NULL, "requests.db", "Path.",
     offsetof(struct settings, path)},
    {"log", "mode", CONFIG_CHOICE, "", 0, 0, "off|batched|acknowledged", "batched", "Mode.",
     offsetof(struct settings, mode)},
};
static const struct config_table table = {keys, ARRAY_LENGTH(keys)};

struct fixture {
    struct arena arena;
    struct settings settings;
    struct error err;
    char path[64];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    arena_init(&fixture->arena, 1024);
    assert_int_equal(
        config_set_defaults(&table, &fixture->settings, &fixture->arena, &fixture->err), STATUS_OK);
    snprintf(fixture->path, sizeof fixture->path, "/tmp/influence-config-%ld.conf", (long)getpid());
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static enum status load(struct fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return config_load_file(&table, fixture->path, &fixture->settings, &fixture->arena,
                            &fixture->err);
}

static void defaults_come_from_the_table(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture->settings.port, 8080);
    assert_true(fixture->settings.share == 0.5);
    assert_string_equal(fixture->settings.path, "requests.db");
    assert_int_equal(fixture->settings.mode, 1);
}

static void a_file_sets_what_it_names(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(
        load(fixture, "# comment\n[server]\nport = 0\nstrict = yes\n[log]\nmode=off\n"), STATUS_OK);
    assert_int_equal(fixture->settings.port, 0);
    assert_true(fixture->settings.strict);
    assert_int_equal(fixture->settings.mode, 0);
}

/* inih alone takes a line of more than 199 bytes for several. */
static void a_comment_may_be_long_and_a_value_may_not(void **state)
{
    struct fixture *fixture = *state;
    char text[2048];
    snprintf(text, sizeof text, "  # %0*d\n[server]\n; %0*d\nport = 7\nshare = x\n", 300, 0, 700,
             0);
    assert_int_equal(load(fixture, text), STATUS_INVALID);
    assert_int_equal(fixture->settings.port, 7);
    assert_non_null(strstr(fixture->err.message, ".conf:5: server.share: "));
    snprintf(text, sizeof text, "[log]\npath = %0*d\n", 191, 0);
    assert_int_equal(load(fixture, text), STATUS_OK);
    assert_int_equal(strlen(fixture->settings.path), 191);
    snprintf(text, sizeof text, "[log]\npath = %0*d\n", 192, 0);
    assert_int_equal(load(fixture, text), STATUS_INVALID);
    assert_non_null(strstr(fixture->err.message, ".conf:2: too long"));
}

static void errors_name_file_line_value_and_range(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(load(fixture, "[server]\n\nport = 70000\n"), STATUS_INVALID);
    assert_non_null(strstr(fixture->err.message, ".conf:3: server.port: must be a whole number "
                                                 "between 0 and 65535, got '70000'"));
    assert_int_equal(load(fixture, "[server]\nprot = 1\n"), STATUS_INVALID);
    assert_non_null(strstr(fixture->err.message,
                           ".conf:2: server.prot: unknown key; did you mean server.port?"));
    assert_int_equal(load(fixture, "port = 80\n"), STATUS_INVALID);
    assert_non_null(strstr(fixture->err.message,
                           ".conf:1: port: stands before any [section]; [server] has such a key"));
    assert_int_equal(load(fixture, "prot = 80\n"), STATUS_INVALID);
    assert_non_null(strstr(fixture->err.message, ".conf:1: prot: stands before any [section]"));
    assert_int_equal(load(fixture, "[server]\nnonsense\n"), STATUS_INVALID);
    assert_non_null(strstr(fixture->err.message, ".conf:2: "));
    assert_int_equal(load(fixture, "[server]\nshare = nan\n"), STATUS_INVALID);
    assert_int_equal(load(fixture, "[log]\nmode = sometimes\n"), STATUS_INVALID);
}

static void the_command_line_and_the_environment_override(void **state)
{
    struct fixture *fixture = *state;
    setenv("UNITTEST_LOG_MODE", "acknowledged", 1);
    assert_int_equal(config_load_environment(&table, "UNITTEST", &fixture->settings,
                                             &fixture->arena, &fixture->err),
                     STATUS_OK);
    assert_int_equal(fixture->settings.mode, 2);
    setenv("UNITTEST_LOG_MOOD", "x", 1);
    assert_int_equal(config_load_environment(&table, "UNITTEST", &fixture->settings,
                                             &fixture->arena, &fixture->err),
                     STATUS_INVALID);
    unsetenv("UNITTEST_LOG_MOOD");
    unsetenv("UNITTEST_LOG_MODE");
    assert_int_equal(config_set_option(&table, "--server.share=0.25", &fixture->settings,
                                       &fixture->arena, &fixture->err),
                     STATUS_OK);
    assert_true(fixture->settings.share == 0.25);
    assert_int_equal(
        config_set_option(&table, "--port=1", &fixture->settings, &fixture->arena, &fixture->err),
        STATUS_NOT_FOUND);
}

static void the_printed_file_reads_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->settings.port = 1234;
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    config_print(&table, &fixture->settings, file);
    fclose(file);
    fixture->settings.port = 0;
    assert_int_equal(
        config_load_file(&table, fixture->path, &fixture->settings, &fixture->arena, &fixture->err),
        STATUS_OK);
    assert_int_equal(fixture->settings.port, 1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_come_from_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_sets_what_it_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_comment_may_be_long_and_a_value_may_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(errors_name_file_line_value_and_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_command_line_and_the_environment_override, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_printed_file_reads_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
