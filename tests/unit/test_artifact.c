/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <unistd.h>

#include "artifact/artifact.h"
#include "artifact/format.h"
#include "base/file.h"

struct blob {
    char *bytes; /* owned, 64-byte aligned */
    size_t n;
};

/* Sections: "weights" f64 1x3, "grid" f32 2x2, "names" two strings, "maybe" f32 or missing 1x2. */
static struct blob make_blob(void)
{
    static const double weights[] = {1.5, -2.0, 0.25};
    static const float grid[] = {1, 2, 3, 4};
    static const float maybe[] = {NAN, 7};
    static const char *const names[] = {"caf\xc3\xa9", "tea"};
    struct artifact_writer *writer = NULL;
    assert_int_equal(artifact_writer_new(ARTIFACT_SCORE, &writer, NULL), STATUS_OK);
    assert_int_equal(artifact_add(writer, "weights", ARTIFACT_F64, 1, 3, weights, NULL), STATUS_OK);
    assert_int_equal(artifact_add(writer, "grid", ARTIFACT_F32, 2, 2, grid, NULL), STATUS_OK);
    assert_int_equal(artifact_add_strings(writer, "names", names, 2, NULL), STATUS_OK);
    assert_int_equal(artifact_add(writer, "maybe", ARTIFACT_F32_MISSING, 1, 2, maybe, NULL),
                     STATUS_OK);
    struct blob blob;
    assert_int_equal(artifact_finish(writer, (void **)&blob.bytes, &blob.n, NULL), STATUS_OK);
    artifact_writer_free(writer);
    return blob;
}

static struct artifact_header *header_of(struct blob blob)
{
    return (void *)blob.bytes;
}

static struct artifact_entry *entry_of(struct blob blob, size_t i)
{
    return (void *)(blob.bytes + sizeof(struct artifact_header) +
                    i * sizeof(struct artifact_entry));
}

static void reseal(struct blob blob)
{
    header_of(blob)->checksum = artifact_checksum(blob.bytes, blob.n);
}

/* Open a resealed blob that must be refused; its message must hold `reason`. Frees it. */
static void expect_refusal(struct blob blob, enum status status, const char *reason)
{
    struct artifact *artifact = NULL;
    struct error err = {0};
    reseal(blob);
    assert_int_equal(artifact_open_memory(blob.bytes, blob.n, "score.blob", &artifact, &err),
                     status);
    assert_null(artifact);
    if (strncmp(err.message, "score.blob: ", 12) != 0 || !strstr(err.message, reason))
        fail_msg("'%s' does not name the file and '%s'", err.message, reason);
    free(blob.bytes);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    assert_int_equal(blob.n % 64, 0);
    struct artifact *artifact = NULL;
    struct artifact_section section;
    assert_int_equal(artifact_open_memory(blob.bytes, blob.n, "x", &artifact, NULL), STATUS_OK);
    assert_int_equal(artifact_kind(artifact), ARTIFACT_SCORE);
    assert_int_equal(artifact_n_sections(artifact), 4);
    assert_string_equal(artifact_tag(artifact, 2), "names");
    assert_int_equal(artifact_need(artifact, "weights", ARTIFACT_F64, 1, 3, &section, NULL),
                     STATUS_OK);
    assert_near(((const double *)section.data)[1], -2.0, 0);
    assert_int_equal((uintptr_t)section.data % 64, 0);
    assert_int_equal(
        artifact_need(artifact, "maybe", ARTIFACT_F32_MISSING, 1, ARTIFACT_ANY, &section, NULL),
        STATUS_OK);
    assert_true(isnan(((const float *)section.data)[0]));
    assert_true(((const float *)section.data)[1] == 7);
    struct arena arena;
    arena_init(&arena, 256);
    const char *const *names = NULL;
    size_t n = 0;
    assert_int_equal(artifact_need_strings(artifact, "names", 2, &arena, &names, &n, NULL),
                     STATUS_OK);
    assert_string_equal(names[0], "caf\xc3\xa9");
    assert_string_equal(names[1], "tea");
    arena_deinit(&arena);
    artifact_close(artifact);
    free(blob.bytes);
}

static void equal_sections_make_equal_bytes(void **state)
{
    (void)state;
    struct blob a = make_blob();
    struct blob b = make_blob();
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.bytes, b.bytes, a.n);
    free(a.bytes);
    free(b.bytes);
}

static void a_flipped_bit_is_refused_wherever_it_is(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    for (size_t bit = 0; bit < 8 * blob.n; bit++) {
        struct artifact *artifact = NULL;
        blob.bytes[bit / 8] ^= (char)(1 << bit % 8);
        enum status status = artifact_open_memory(blob.bytes, blob.n, "x", &artifact, NULL);
        if (status != STATUS_CORRUPT && status != STATUS_UNSUPPORTED)
            fail_msg("bit %zu flipped: status %d", bit, status);
        assert_null(artifact);
        blob.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(blob.bytes);
}

static void a_damaged_section_is_named(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    struct artifact *artifact = NULL;
    struct error err = {0};
    blob.bytes[entry_of(blob, 1)->offset + 2] ^= 1;
    assert_int_equal(artifact_open_memory(blob.bytes, blob.n, "score.blob", &artifact, &err),
                     STATUS_CORRUPT);
    assert_string_equal(err.message,
                        "score.blob: section 'grid': the checksum differs, the file is damaged");
    free(blob.bytes);
}

static void a_cut_file_is_refused_at_every_length(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    char *cut = aligned_alloc(64, blob.n);
    assert_non_null(cut);
    for (size_t n = 0; n < blob.n; n++) {
        struct artifact *artifact = NULL;
        struct error err = {0};
        /* The rest is poison, so that a sanitizer build sees a read behind the end. */
        memset(cut, 0xA5, blob.n);
        memcpy(cut, blob.bytes, n);
        assert_int_equal(artifact_open_memory(cut, n, "score.blob", &artifact, &err),
                         STATUS_CORRUPT);
        if (n > 0 && !strstr(err.message, "cut off"))
            fail_msg("%zu bytes: %s", n, err.message);
    }
    free(cut);
    free(blob.bytes);
}

static void resealed_mutations_never_crash_the_reader(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    static const unsigned char masks[] = {0x01, 0x80, 0xFF};
    for (size_t at = 0; at < blob.n; at++) {
        for (size_t m = 0; m < ARRAY_LENGTH(masks); m++) {
            struct artifact *artifact = NULL;
            struct artifact_section section;
            blob.bytes[at] ^= (char)masks[m];
            if (at < offsetof(struct artifact_header, checksum) || at >= 40)
                reseal(blob);
            if (artifact_open_memory(blob.bytes, blob.n, "x", &artifact, NULL) == STATUS_OK) {
                AUTO(arena_deinit) struct arena arena;
                arena_init(&arena, 256);
                const char *const *names = NULL;
                size_t n = 0;
                if (artifact_need_strings(artifact, "names", ARTIFACT_ANY, &arena, &names, &n,
                                          NULL) == STATUS_OK)
                    for (size_t i = 0; i < n; i++)
                        assert_true(strlen(names[i]) < blob.n);
                if (artifact_find(artifact, "grid", &section) == STATUS_OK)
                    assert_true(section.rows * section.columns <= blob.n);
            }
            artifact_close(artifact);
            blob.bytes[at] ^= (char)masks[m];
            reseal(blob);
        }
    }
    free(blob.bytes);
}

static void damage_is_refused_by_name(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    header_of(blob)->magic[0] = 'X';
    expect_refusal(blob, STATUS_CORRUPT, "wrong magic");
    blob = make_blob();
    header_of(blob)->format_version = ARTIFACT_FORMAT_VERSION + 1;
    expect_refusal(blob, STATUS_UNSUPPORTED, "format version 2 is newer");
    blob = make_blob();
    header_of(blob)->kind = 9;
    expect_refusal(blob, STATUS_CORRUPT, "unknown kind 9");
    blob = make_blob();
    header_of(blob)->n_sections = 900;
    expect_refusal(blob, STATUS_CORRUPT, "900 sections are too many");
    blob = make_blob();
    header_of(blob)->reserved[3] = 1;
    expect_refusal(blob, STATUS_CORRUPT, "reserved bytes");
    blob = make_blob();
    entry_of(blob, 1)->offset -= 64;
    expect_refusal(blob, STATUS_CORRUPT, "section 'grid': at 320, overlaps");
    blob = make_blob();
    entry_of(blob, 1)->offset += 64;
    expect_refusal(blob, STATUS_CORRUPT, "section 'grid': at 448, leaves a gap behind");
    blob = make_blob();
    entry_of(blob, 1)->offset += 4;
    expect_refusal(blob, STATUS_CORRUPT, "section 'grid': offset 388 is not a multiple of 64");
    blob = make_blob();
    entry_of(blob, 3)->offset = UINT64_MAX - 63;
    expect_refusal(blob, STATUS_CORRUPT, "section 'maybe': 8 bytes at 18446744073709551552 reach");
    blob = make_blob();
    entry_of(blob, 0)->rows = UINT64_C(1) << 62;
    expect_refusal(blob, STATUS_CORRUPT, "section 'weights': 4611686018427387904 x 3 elements");
    blob = make_blob();
    entry_of(blob, 0)->type = 77;
    expect_refusal(blob, STATUS_CORRUPT, "section 'weights': unknown element type 77");
    blob = make_blob();
    memcpy(entry_of(blob, 1)->tag, "weights", 8);
    expect_refusal(blob, STATUS_CORRUPT, "section 'weights': stands twice");
    blob = make_blob();
    *(double *)(void *)(blob.bytes + entry_of(blob, 0)->offset) = NAN;
    expect_refusal(blob, STATUS_CORRUPT, "section 'weights': element 0 is not finite");
    blob = make_blob();
    ((uint32_t *)(void *)(blob.bytes + entry_of(blob, 3)->offset))[1] = 0x7fc00001;
    expect_refusal(blob, STATUS_CORRUPT, "section 'maybe': element 1 is not finite");
    blob = make_blob();
    blob.bytes[entry_of(blob, 1)->offset + 20] = 1;
    expect_refusal(blob, STATUS_CORRUPT, "section 'grid': the padding");
}

static void needs_name_what_is_missing_or_of_another_shape(void **state)
{
    (void)state;
    struct blob blob = make_blob();
    struct artifact *artifact = NULL;
    struct artifact_section section;
    struct error err = {0};
    assert_int_equal(artifact_open_memory(blob.bytes, blob.n, "f", &artifact, NULL), STATUS_OK);
    assert_int_equal(artifact_find(artifact, "bias", &section), STATUS_NOT_FOUND);
    assert_int_equal(artifact_need(artifact, "bias", ARTIFACT_F64, 1, 1, &section, &err),
                     STATUS_CORRUPT);
    assert_string_equal(err.message, "f: section 'bias': missing");
    artifact_need(artifact, "weights", ARTIFACT_F32, 1, 3, &section, &err);
    assert_string_equal(err.message, "f: section 'weights': is f64, needs f32");
    artifact_need(artifact, "weights", ARTIFACT_F64, 1, 4, &section, &err);
    assert_string_equal(err.message, "f: section 'weights': has 3 columns, needs 4");
    artifact_close(artifact);
    free(blob.bytes);
}

static void the_writer_refuses_what_the_reader_would(void **state)
{
    (void)state;
    struct artifact_writer *writer = NULL;
    float bad = INFINITY;
    float good = 1;
    assert_int_equal(artifact_writer_new(ARTIFACT_TIER, &writer, NULL), STATUS_OK);
    assert_int_equal(artifact_add(writer, "a", ARTIFACT_F32, 1, 1, &bad, NULL), STATUS_INVALID);
    assert_int_equal(artifact_add(writer, "a", ARTIFACT_F32_MISSING, 1, 1, &bad, NULL),
                     STATUS_INVALID);
    assert_int_equal(artifact_add(writer, "a", ARTIFACT_F32, 1, 1, &good, NULL), STATUS_OK);
    assert_int_equal(artifact_add(writer, "a", ARTIFACT_F32, 1, 1, &good, NULL), STATUS_INVALID);
    assert_int_equal(
        artifact_add(writer, "a.tag.of.24.characters.x", ARTIFACT_F32, 1, 1, &good, NULL),
        STATUS_INVALID);
    assert_string_equal(artifact_join("score", "weights").text, "score.weights");
    assert_int_equal(artifact_add(writer, artifact_join("score", "a name that is long").text,
                                  ARTIFACT_F32, 1, 1, &good, NULL),
                     STATUS_INVALID);
    artifact_writer_free(writer);
}

static void files_are_opened_by_path_and_named(void **state)
{
    (void)state;
    char path[] = "/tmp/runtime-artifact-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct blob blob = make_blob();
    struct artifact *artifact = NULL;
    struct error err = {0};
    assert_int_equal(artifact_open(path, &artifact, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "0 bytes"));
    assert_int_equal(file_write_atomic(path, blob.bytes, blob.n, NULL), STATUS_OK);
    assert_int_equal(artifact_open(path, &artifact, NULL), STATUS_OK);
    assert_string_equal(artifact_name(artifact), path);
    artifact_close(artifact);
    assert_int_equal(file_write_atomic(path, "a PNG, or so\n", 13, NULL), STATUS_OK);
    assert_int_equal(artifact_open(path, &artifact, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, "wrong magic"));
    unlink(path);
    assert_int_equal(artifact_open(path, &artifact, NULL), STATUS_NOT_FOUND);
    free(blob.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(equal_sections_make_equal_bytes),
        cmocka_unit_test(a_flipped_bit_is_refused_wherever_it_is),
        cmocka_unit_test(a_damaged_section_is_named),
        cmocka_unit_test(a_cut_file_is_refused_at_every_length),
        cmocka_unit_test(resealed_mutations_never_crash_the_reader),
        cmocka_unit_test(damage_is_refused_by_name),
        cmocka_unit_test(needs_name_what_is_missing_or_of_another_shape),
        cmocka_unit_test(the_writer_refuses_what_the_reader_would),
        cmocka_unit_test(files_are_opened_by_path_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
