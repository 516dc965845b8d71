/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "artifact/bundle.h"
#include "base/cleanup.h"
#include "base/file.h"

#define CREATED INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

static char models[64];

static int make_models(void **state)
{
    (void)state;
    snprintf(models, sizeof models, "/tmp/runtime-bundle-XXXXXX");
    return mkdtemp(models) ? 0 : -1;
}

static int remove_models(void **state)
{
    (void)state;
    return file_remove_tree(models, NULL) == STATUS_OK ? 0 : -1;
}

static void write_bundle(const char *blob, int64_t seconds, char id[static BUNDLE_ID_BYTES])
{
    const struct bundle_file files[] = {
        {"score.blob", blob, strlen(blob)},
        {"card.md", "# card\n", 7},
    };
    struct error err = {0};
    if (bundle_write(models, files, 2, "\"seed\":7", CREATED + seconds * 1000000, id, &err) !=
        STATUS_OK)
        fail_msg("%s", err.message);
}

static void spoil(const char *id, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", models, id, file);
    assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), STATUS_OK);
}

static void verify(const char *id, enum status status, const char *reason)
{
    char dir[PATH_MAX];
    struct error err = {0};
    snprintf(dir, sizeof dir, "%s/%s", models, id);
    assert_int_equal(bundle_verify(dir, &err), status);
    if (!strstr(err.message, reason))
        fail_msg("'%s' does not say '%s'", err.message, reason);
}

static void a_written_bundle_is_current_and_whole(void **state)
{
    (void)state;
    char id[BUNDLE_ID_BYTES];
    char got[BUNDLE_ID_BYTES];
    char dir[PATH_MAX];
    char inside[PATH_MAX];
    write_bundle("one", 0, id);
    assert_true(strncmp(id, "20260101T000000Z-", 17) == 0);
    assert_int_equal(bundle_resolve(models, dir, got, NULL), STATUS_OK);
    assert_string_equal(got, id);
    assert_int_equal(bundle_resolve(dir, inside, got, NULL), STATUS_OK);
    assert_string_equal(inside, dir);
    assert_string_equal(got, id);
    verify(id, STATUS_OK, "");
    struct arena arena;
    arena_init(&arena, 1024);
    struct bundle_info *list = NULL;
    size_t n = 0;
    assert_int_equal(bundle_list(models, &arena, &list, &n, NULL), STATUS_OK);
    assert_int_equal(n, 1);
    assert_true(list[0].is_current && !list[0].is_previous);
    assert_near(json_number_or(json_get(list[0].manifest, "seed"), 0), 7, 0);
    assert_string_equal(json_string_or(json_get(list[0].manifest, "id"), ""), id);
    arena_deinit(&arena);
}

static void equal_models_have_equal_hashes(void **state)
{
    (void)state;
    char a[BUNDLE_ID_BYTES];
    char b[BUNDLE_ID_BYTES];
    char c[BUNDLE_ID_BYTES];
    write_bundle("one", 0, a);
    write_bundle("one", 0, b); /* within the same second */
    write_bundle("two", 5, c);
    assert_string_not_equal(a, b);
    assert_string_equal(a + 17, b + 17);
    assert_string_not_equal(a + 17, c + 17);
}

static void promotion_and_rollback_move_the_links(void **state)
{
    (void)state;
    char ids[3][BUNDLE_ID_BYTES];
    char id[BUNDLE_ID_BYTES];
    char dir[PATH_MAX];
    assert_int_equal(bundle_rollback(models, id, NULL), STATUS_NOT_FOUND);
    write_bundle("one", 0, ids[0]);
    assert_int_equal(bundle_rollback(models, id, NULL), STATUS_NOT_FOUND);
    assert_int_equal(bundle_promote(models, "previous", NULL), STATUS_NOT_FOUND);
    write_bundle("two", 60, ids[1]);
    write_bundle("three", 120, ids[2]);
    assert_int_equal(bundle_rollback(models, id, NULL), STATUS_OK);
    assert_string_equal(id, ids[1]);
    assert_int_equal(bundle_rollback(models, id, NULL), STATUS_OK);
    assert_string_equal(id, ids[2]);
    ids[0][16] = '\0'; /* a prefix */
    assert_int_equal(bundle_promote(models, ids[0], NULL), STATUS_OK);
    ids[0][16] = '-';
    assert_int_equal(bundle_resolve(models, dir, id, NULL), STATUS_OK);
    assert_string_equal(id, ids[0]);
    assert_int_equal(bundle_find(models, "previous", dir, id, NULL), STATUS_OK);
    assert_string_equal(id, ids[2]);
    assert_int_equal(bundle_promote(models, "previous", NULL), STATUS_OK);
    assert_int_equal(bundle_find(models, "current", dir, id, NULL), STATUS_OK);
    assert_string_equal(id, ids[2]);
    assert_int_equal(bundle_promote(models, "2026", NULL), STATUS_INVALID);
    assert_int_equal(bundle_promote(models, "1999", NULL), STATUS_NOT_FOUND);
    assert_int_equal(bundle_promote(models, "", NULL), STATUS_INVALID);
    assert_int_equal(bundle_find(models, ids[2], dir, id, NULL), STATUS_OK);
    assert_string_equal(id, ids[2]);
}

static void pruning_spares_what_is_in_use(void **state)
{
    (void)state;
    char ids[5][BUNDLE_ID_BYTES];
    static const char *const blobs[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 5; i++)
        write_bundle(blobs[i], i, ids[i]);
    assert_int_equal(bundle_promote(models, ids[0], NULL), STATUS_OK);
    char left[PATH_MAX];
    snprintf(left, sizeof left, "%s/.new-crash", models);
    assert_int_equal(file_make_directories(left, NULL), STATUS_OK);
    size_t removed = 0;
    assert_int_equal(bundle_prune(models, 1, &removed, NULL), STATUS_OK);
    assert_int_equal(removed, 3);
    assert_false(file_exists(left));
    struct arena arena;
    arena_init(&arena, 1024);
    struct bundle_info *list = NULL;
    size_t n = 0;
    assert_int_equal(bundle_list(models, &arena, &list, &n, NULL), STATUS_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, ids[0]);
    assert_true(list[0].is_current);
    assert_string_equal(list[1].id, ids[4]);
    assert_true(list[1].is_previous);
    arena_deinit(&arena);
}

static void damage_is_found_and_named(void **state)
{
    (void)state;
    char id[BUNDLE_ID_BYTES];
    char path[PATH_MAX];
    write_bundle("one", 0, id);
    spoil(id, "score.blob", "onE");
    verify(id, STATUS_CORRUPT, "score.blob: its SHA-256 is ");
    spoil(id, "score.blob", "one more");
    verify(id, STATUS_CORRUPT, "score.blob has 8 bytes, should have 3");
    snprintf(path, sizeof path, "%s/%s/score.blob", models, id);
    unlink(path);
    verify(id, STATUS_CORRUPT, "score.blob is missing");
    spoil(id, "manifest.json", "{\"id\":");
    verify(id, STATUS_CORRUPT, "manifest.json");
    snprintf(path, sizeof path, "{\"id\":\"%s\",\"files\":[]}", id);
    spoil(id, "manifest.json", path);
    verify(id, STATUS_CORRUPT, "lists no files");
    snprintf(path, sizeof path,
             "{\"id\":\"%s\",\"files\":[{\"name\":\"../x\",\"bytes\":1,\"sha256\":\"\"}]}", id);
    spoil(id, "manifest.json", path);
    verify(id, STATUS_CORRUPT, "'../x'");
}

static void a_manifest_that_was_swapped_is_found(void **state)
{
    (void)state;
    char a[BUNDLE_ID_BYTES];
    char b[BUNDLE_ID_BYTES];
    char path[PATH_MAX];
    write_bundle("one", 0, a);
    write_bundle("two", 1, b);
    snprintf(path, sizeof path, "%s/%s/manifest.json", models, a);
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(file_read(path, 1 << 20, &text, &n, NULL), STATUS_OK);
    char *at = strstr(text, a);
    assert_non_null(at);
    memcpy(at, b, strlen(b));
    spoil(a, "manifest.json", text);
    verify(a, STATUS_CORRUPT, "its id says");
    free(text);
}

static void nowhere_says_how_to_make_one(void **state)
{
    (void)state;
    char id[BUNDLE_ID_BYTES];
    char dir[PATH_MAX];
    struct error err = {0};
    assert_int_equal(bundle_resolve(models, dir, id, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "influence train"));
}

static void bad_names_and_members_leave_nothing_behind(void **state)
{
    (void)state;
    char id[BUNDLE_ID_BYTES];
    const struct bundle_file climbing = {"../x", "", 0};
    const struct bundle_file fine = {"x.blob", "", 0};
    assert_int_equal(bundle_write(models, &climbing, 1, "", CREATED, id, NULL), STATUS_INVALID);
    assert_int_equal(bundle_write(models, &fine, 1, "\"a\":", CREATED, id, NULL), STATUS_INVALID);
    assert_int_equal(rmdir(models), 0);
    assert_int_equal(file_make_directories(models, NULL), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_models, remove_models)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_written_bundle_is_current_and_whole),
        TEST(equal_models_have_equal_hashes),
        TEST(promotion_and_rollback_move_the_links),
        TEST(pruning_spares_what_is_in_use),
        TEST(damage_is_found_and_named),
        TEST(a_manifest_that_was_swapped_is_found),
        TEST(nowhere_says_how_to_make_one),
        TEST(bad_names_and_members_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
