/* SPDX-License-Identifier: Apache-2.0 */

/* Every byte of a small bundle, changed: what is not resealed is refused; what is resealed may be
 * accepted, and then answers without a crash (run this under the address sanitizer). */
#include "unit.h"

#include "artifact/format.h"
#include "exercise.h"
#include "small_bundle.h"

static struct small_bundle bundle;

static int make_bundle(void **state)
{
    (void)state;
    return small_bundle_make(&bundle, NULL) == STATUS_OK ? 0 : -1;
}

static int free_bundle(void **state)
{
    (void)state;
    small_bundle_free(&bundle);
    return 0;
}

/* A copy of the blob in memory of just that size. */
static char *copy_blob(size_t model)
{
    char *copy = aligned_alloc(64, bundle.blobs[model].n_bytes);
    assert_non_null(copy);
    memcpy(copy, bundle.blobs[model].bytes, bundle.blobs[model].n_bytes);
    return copy;
}

/* Open one blob, and beside it only what its answers need: filters by tier take the tier's. */
static enum status open_with(size_t model, const void *bytes, size_t n_bytes,
                             struct engine **ret_engine, struct error *err)
{
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0};
    if (model == ENGINE_SIMILAR)
        blobs[ENGINE_TIER] = bundle.blobs[ENGINE_TIER];
    blobs[model] = (struct engine_blob){bytes, n_bytes};
    return engine_open_memory(blobs, ret_engine, err);
}

static void any_changed_byte_is_refused(void **state)
{
    (void)state;
    for (size_t model = 0; model < ENGINE_N_BLOBS; model++) {
        char *copy = copy_blob(model);
        size_t n = bundle.blobs[model].n_bytes;
        for (size_t at = 0; at < n; at++) {
            struct engine *engine = NULL;
            struct error err = {0};
            copy[at] ^= (char)(1 + at % 255);
            enum status status = open_with(model, copy, n, &engine, &err);
            if (status != STATUS_CORRUPT && status != STATUS_UNSUPPORTED)
                fail_msg("%s, byte %zu: status %d", engine_file_names[model], at, status);
            if (!text_starts_with(err.message, engine_file_names[model]))
                fail_msg("'%s' does not name %s", err.message, engine_file_names[model]);
            copy[at] ^= (char)(1 + at % 255);
        }
        free(copy);
    }
}

static void any_cut_is_refused(void **state)
{
    (void)state;
    for (size_t model = 0; model < ENGINE_N_BLOBS; model++) {
        for (size_t n = 0; n < bundle.blobs[model].n_bytes; n++) {
            struct engine *engine = NULL;
            void *cut = NULL; /* of just that size, so that a sanitizer sees what reads on */
            assert_int_equal(posix_memalign(&cut, 64, n), 0);
            memcpy(cut, bundle.blobs[model].bytes, n);
            assert_int_equal(open_with(model, cut, n, &engine, NULL), STATUS_CORRUPT);
            free(cut);
        }
    }
}

static void resealed_changes_are_refused_by_name_or_answered(void **state)
{
    (void)state;
    static const unsigned char masks[] = {0x01, 0x80, 0xFF};
    size_t n_opened = 0;
    size_t n_refused = 0;
    for (size_t model = 0; model < ENGINE_N_BLOBS; model++) {
        char *copy = copy_blob(model);
        size_t n = bundle.blobs[model].n_bytes;
        struct artifact_header *header = (void *)copy;
        for (size_t i = 0; i < n * ARRAY_LENGTH(masks); i++) {
            struct engine *engine = NULL;
            struct error err = {0};
            copy[i / ARRAY_LENGTH(masks)] ^= (char)masks[i % ARRAY_LENGTH(masks)];
            header->checksum = artifact_checksum(copy, n);
            if (open_with(model, copy, n, &engine, &err) == STATUS_OK) {
                AUTO(buffer_deinit) struct buffer answers = {0};
                exercise_engine(engine, &answers);
                assert_true(answers.length > 0);
                n_opened++;
            } else {
                if (!text_starts_with(err.message, engine_file_names[model]))
                    fail_msg("'%s' does not name %s", err.message, engine_file_names[model]);
                n_refused++;
            }
            engine_close(engine);
            copy[i / ARRAY_LENGTH(masks)] ^= (char)masks[i % ARRAY_LENGTH(masks)];
        }
        free(copy);
    }
    /* Both happen: a changed figure is another model, a changed index is none. */
    assert_true(n_opened > 1000);
    assert_true(n_refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changed_byte_is_refused),
        cmocka_unit_test(any_cut_is_refused),
        cmocka_unit_test(resealed_changes_are_refused_by_name_or_answered),
    };
    return cmocka_run_group_tests(tests, make_bundle, free_bundle);
}
