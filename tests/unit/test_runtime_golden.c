/* SPDX-License-Identifier: Apache-2.0 */

/* A bundle with blobs of format version 1, written once, must open and answer the same for ever.
 *
 * tests/golden/bundle-v1 is what small_bundle.c made when the format was laid down; UPDATE_GOLDEN=1
 * writes it again, which is right only as long as no version 1 has been released. A new format
 * version gets a folder of its own beside it. */
#include "unit.h"

#include <stdio.h>

#include "artifact/bundle.h"
#include "base/file.h"
#include "exercise.h"
#include "small_bundle.h"

static const char *golden_path(const char *file)
{
    static char path[4096];
    const char *dir = getenv("GOLDEN");
    assert_non_null(dir);
    snprintf(path, sizeof path, "%s/bundle-v1/%s", dir, file);
    return path;
}

static bool is_updating(void)
{
    const char *update = getenv("UPDATE_GOLDEN");
    return update && strcmp(update, "1") == 0;
}

/* Its directory loses its time and hash: a golden bundle has a place, not a date. */
static void write_bundle(const struct small_bundle *bundle)
{
    struct bundle_file files[ENGINE_N_MODELS];
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        files[i] = (struct bundle_file){engine_file_names[i], bundle->blobs[i].bytes,
                                        bundle->blobs[i].n_bytes};
    char dir[] = "/tmp/runtime-golden-XXXXXX";
    char id[BUNDLE_ID_BYTES];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(bundle_write(dir, files, ENGINE_N_MODELS, "\"synthetic\":true",
                                  INT64_C(1767225600000000), id, NULL),
                     STATUS_OK);
    static const char *const copied[] = {"manifest.json", "score.blob", "tier.blob", "cluster.blob",
                                         "similar.blob"};
    for (size_t i = 0; i < ARRAY_LENGTH(copied); i++) {
        char path[256];
        char *bytes = NULL;
        size_t n = 0;
        snprintf(path, sizeof path, "%s/%s/%s", dir, id, copied[i]);
        assert_int_equal(file_read(path, 1 << 20, &bytes, &n, NULL), STATUS_OK);
        assert_int_equal(file_write_atomic(golden_path(copied[i]), bytes, n, NULL), STATUS_OK);
        free(bytes);
    }
    assert_int_equal(file_remove_tree(dir, NULL), STATUS_OK);
}

static void write_golden(void)
{
    struct small_bundle bundle;
    struct engine *engine = NULL;
    struct buffer answers = {0};
    assert_int_equal(small_bundle_make(&bundle, NULL), STATUS_OK);
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0}; /* growth came later */
    memcpy(blobs, bundle.blobs, ENGINE_N_MODELS * sizeof *blobs);
    assert_int_equal(engine_open_memory(blobs, &engine, NULL), STATUS_OK);
    exercise_engine(engine, &answers);
    write_bundle(&bundle);
    assert_int_equal(
        file_write_atomic(golden_path("answers.txt"), answers.at, answers.length, NULL), STATUS_OK);
    buffer_deinit(&answers);
    engine_close(engine);
    small_bundle_free(&bundle);
}

static void a_bundle_of_version_1_answers_as_it_did(void **state)
{
    (void)state;
    if (is_updating())
        write_golden();
    struct engine *engine = NULL;
    struct error err = {0};
    if (bundle_verify(golden_path(""), &err) != STATUS_OK ||
        engine_open(golden_path(""), &engine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    struct buffer answers = {0};
    char *expected = NULL;
    size_t n = 0;
    exercise_engine(engine, &answers);
    assert_int_equal(file_read(golden_path("answers.txt"), 1 << 20, &expected, &n, NULL),
                     STATUS_OK);
    assert_string_equal(answers.at, expected);
    free(expected);
    buffer_deinit(&answers);
    engine_close(engine);
}

/* As long as version 1 is the newest, what is written today is what was written then. */
static void the_writer_still_writes_version_1(void **state)
{
    (void)state;
    struct small_bundle bundle;
    assert_int_equal(small_bundle_make(&bundle, NULL), STATUS_OK);
    for (size_t i = 0; i < ENGINE_N_MODELS; i++) {
        struct file_map map;
        assert_int_equal(file_map(golden_path(engine_file_names[i]), &map, NULL), STATUS_OK);
        assert_int_equal(bundle.blobs[i].n_bytes, map.size);
        assert_memory_equal(bundle.blobs[i].bytes, map.bytes, map.size);
        file_unmap(&map);
    }
    small_bundle_free(&bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_of_version_1_answers_as_it_did),
        cmocka_unit_test(the_writer_still_writes_version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
