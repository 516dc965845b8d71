/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/rng.h"
#include "dataset/cell.h"
#include "dataset/csv.h"
#include "dataset/encoding.h"
#include "dataset/plain_rows.h"
#include "dataset/schema.h"
#include "dataset/source.h"
#include "dataset/words.h"

/* ---- fields ---- */

static void fields_become_clean_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
        unsigned found;
    } cases[] = {
        {"plain text", "plain text", 0},
        {"  \xC2\xA0padded\xC2\xA0 ", "padded", CELL_UTF8},
        {"caf\xE9", "caf\xC3\xA9", CELL_8BIT},
        {"\x93quoted\x94", "\xE2\x80\x9Cquoted\xE2\x80\x9D", CELL_8BIT},
        {"C\xC3\x83\xC2\xB4te", "C\xC3\xB4te", CELL_DOUBLE_ENCODED},
        {"it\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2s", "it\xE2\x80\x99s", CELL_DOUBLE_ENCODED},
        {"C\xC3\x83\xC6\x92\xC3\x82\xC2\xB4te", "C\xC3\xB4te", CELL_DOUBLE_ENCODED},
        {"\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9", CELL_UTF8},
        {"\xF0\x9F\x8D\xB5 tea", "\xF0\x9F\x8D\xB5 tea", CELL_UTF8},
        {"cut \xE2\x82 \xC3\xA9", "cut \xEF\xBF\xBD\xEF\xBF\xBD \xC3\xA9", CELL_MALFORMED},
        {"two\r\nlines", "two lines", 0},
        {"=\"00123\"", "00123", 0},
        {"=\"caf\xC3\xA9\"", "caf\xC3\xA9", CELL_UTF8},
        {"=\"a\"&\"b\"", "=\"a\"&\"b\"", 0},
        {"=\"", "=\"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = {0};
        unsigned found = cell_clean(cases[i].bytes, strlen(cases[i].bytes), &out, NULL);
        buffer_put_char(&out, '\0');
        assert_string_equal(out.at, cases[i].text);
        if ((found & ~(unsigned)CELL_UTF8) != (cases[i].found & ~(unsigned)CELL_UTF8))
            fail_msg("%s: found %u", cases[i].text, found);
        buffer_deinit(&out);
    }
}

static void utf16_survives_any_cut(void **state)
{
    (void)state;
    /* "a", e acute, a teacup (two units), and a lone high surrogate */
    static const unsigned char wide[] = {'a', 0, 0xE9, 0, 0x3C, 0xD8, 0x75, 0xDF, 0x3C, 0xD8};
    static const char text[] = "a\xC3\xA9\xF0\x9F\x8D\xB5\xEF\xBF\xBD";
    for (size_t cut = 0; cut <= sizeof wide; cut++) {
        struct utf16_decoder decoder;
        char out[64];
        utf16_init(&decoder, false);
        size_t n = utf16_decode(&decoder, wide, cut, out);
        n += utf16_decode(&decoder, wide + cut, sizeof wide - cut, out + n);
        n += utf16_finish(&decoder, out + n);
        assert_int_equal(n, sizeof text - 1);
        assert_memory_equal(out, text, n);
    }
}

/* ---- headers ---- */

static void headers_mean_what_their_words_say(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *field; /* "": handle or name; NULL: unknown */
        enum schema_unit unit;
    } cases[] = {
        {"followers", "followers", UNIT_AUTO},
        {"# Followers", "followers", UNIT_AUTO},
        {"No. of Followers (in millions)", "followers", UNIT_MILLIONS},
        {"followersCount", "followers", UNIT_AUTO},
        {"ABONN\xC3\x89S", "followers", UNIT_AUTO},
        {"Avg. Likes", "avg_likes", UNIT_AUTO},
        {"likes_mean", "avg_likes", UNIT_AUTO},
        {"averageLikes", "avg_likes", UNIT_AUTO},
        {"60_day_eng_rate", "engagement_rate", UNIT_AUTO},
        {"engagementRate30d", "engagement_rate", UNIT_AUTO},
        {"Engagement Rate (%)", "engagement_rate", UNIT_PERCENT},
        {"Eng. (Auth.)", "authentic_engagement", UNIT_AUTO},
        {"Audience country(mostly)", "audience_country", UNIT_AUTO},
        {"external URL", "has_url", UNIT_PRESENCE},
        {"Biography", "bio_length", UNIT_LENGTH},
        {"Instagram name", "", UNIT_AUTO},
        {"caption", NULL, UNIT_AUTO},
        {"", NULL, UNIT_AUTO},
    };
    struct arena arena;
    arena_init(&arena, 4096);
    struct schema *schema;
    assert_int_equal(schema_new(&arena, NULL, &schema, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct schema_match match = schema_match(schema, cases[i].header);
        const char *field = match.role == SCHEMA_NONE       ? NULL
                            : match.role == SCHEMA_IDENTITY ? ""
                                                            : match.field->name;
        if (!field || !cases[i].field ? field != cases[i].field
                                      : strcmp(field, cases[i].field) != 0)
            fail_msg("'%s' means %s", cases[i].header, field ? field : "nothing");
        assert_int_equal(match.unit, cases[i].unit);
    }
    assert_string_equal(schema_match_similar(schema, "folowers").field->name, "followers");
    assert_string_equal(schema_match_similar(schema, "follwoers").field->name, "followers");
    assert_int_equal(schema_match_similar(schema, "flowers").role, SCHEMA_NONE);
    assert_int_equal(schema_match_similar(schema, "pots").role, SCHEMA_NONE);
    arena_deinit(&arena);
}

static void every_alias_leads_to_its_own_field(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    struct schema *schema;
    assert_int_equal(schema_new(&arena, NULL, &schema, NULL), STATUS_OK);
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        struct schema_match match = schema_match(schema, profile_fields[i].name);
        bool is_name = strcmp(profile_fields[i].name, "name") == 0;
        assert_true(is_name ? match.role == SCHEMA_IDENTITY : match.field == &profile_fields[i]);
    }
    arena_deinit(&arena);
}

/* ---- plain numbers as cells ---- */

static bool same_quantity(const struct quantity *a, const struct quantity *b)
{
    return a->value == b->value && a->is_percent == b->is_percent &&
           a->has_suffix == b->has_suffix && a->decimal == b->decimal &&
           a->could_group == b->could_group;
}

static void check_cell(const char *text, bool is_plain)
{
    uint32_t cell = 0;
    char scratch[CELL_TEXT_BYTES];
    if (cell_from_number(text, strlen(text), &cell) != is_plain)
        fail_msg("'%s' is taken for %s", text, is_plain ? "a text" : "a plain number");
    char padded[17];
    uint32_t quick_cell = 0;
    if (strlen(text) > 0 && strlen(text) <= 8) {
        snprintf(padded, sizeof padded, "%s99999999", text); /* what stands behind does not count */
        assert_int_equal(cell_from_word(padded, strlen(text), &quick_cell), is_plain);
        assert_int_equal(quick_cell, cell);
    }
    if (!is_plain)
        return;
    struct quantity parsed;
    struct quantity quick = cell_quantity(cell);
    assert_string_equal(cell_number_text(cell, scratch), text);
    assert_int_equal(parse_quantity(text, strlen(text), &parsed), PARSE_OK);
    if (!same_quantity(&quick, &parsed))
        fail_msg("'%s' is %.17g as a cell, %.17g as a text", text, quick.value, parsed.value);
}

static void plain_numbers_keep_their_text_and_their_value(void **state)
{
    (void)state;
    static const char *const plain[] = {"0",     "7",      "19806",     "268435455", "0.5",
                                        "0.000", "12.345", "1234.567",  "999.999",   "1000.000",
                                        "1.0",   "0.0001", "0.0263561", "26.8435455"};
    static const char *const others[] = {
        "",           "007", "00.5", ".5",  "5.",         "1.2.3", "-1", "268435456",
        "1234567890", "1e5", "1 ",   "1,5", "0.00000001", "12k",   ".",  "1.2345678901"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        check_cell(plain[i], true);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        check_cell(others[i], false);
    struct rng rng = rng_seed(4);
    for (size_t i = 0; i < 100000; i++) {
        char text[32];
        int behind = (int)rng_below(&rng, 8);
        uint64_t magnitude = rng_below(&rng, 24);
        uint64_t whole = rng_below(&rng, 10000000) >> magnitude;
        snprintf(text, sizeof text, "%.*f", behind, (double)whole / pow(10, behind));
        check_cell(text, true);
    }
}

static void numbers_are_the_same_at_once_and_by_the_digit(void **state)
{
    (void)state;
    static const char bytes[] = "0123456789..,-+ e\x00/:\xAE\xFF\x80\x8A";
    struct rng rng = rng_seed(11);
    for (size_t i = 0; i < 400000; i++) {
        char text[8];
        uint32_t one = 7;
        uint32_t other = 7;
        size_t n_kinds = rng_below(&rng, 2) ? 12 : sizeof bytes - 1; /* half mostly digits */
        size_t length = 1 + rng_below(&rng, 8);
        for (size_t k = 0; k < sizeof text; k++)
            text[k] = bytes[rng_below(&rng, n_kinds)];
        bool is_number = cell_from_number(text, length, &one);
        if (cell_from_word(text, length, &other) != is_number || one != other)
            fail_msg("'%.*s': %x by the digit, %x at once", (int)length, text, one, other);
    }
}

/* ---- rows ---- */

static void marks_are_found_alike_on_every_machine(void **state)
{
    (void)state;
    static const struct plain_marks dialects[] = {{',', '"'}, {'\t', '\0'}, {'|', '\''}};
    static const char bytes[] = ",\"\n\r\t|'\0ab\x0B\x2B\x2D\x8A\xAC\xFF";
    struct rng rng = rng_seed(12);
    for (size_t i = 0; i < 30000; i++) {
        const struct plain_marks *marks = &dialects[i % 3];
        char text[64];
        uint64_t expected = 0;
        for (size_t k = 0; k < sizeof text; k++) {
            char c = bytes[rng_below(&rng, sizeof bytes - 1)];
            text[k] = c;
            bool is_mark = c == marks->delimiter || c == marks->quote || c == '\n' || c == '\r';
            expected |= (uint64_t)is_mark << k;
        }
        assert_true(plain_find(text, *marks) == expected);
        assert_true(plain_find_portable(text, *marks) == expected);
    }
}

/* Random rows of odd fields; the last column is quoted or not. */
static void put_rows(struct buffer *text, uint64_t seed, bool quoted)
{
    static const char *const fields[] = {
        "",   "12",          "0.5", " 7 ", "\tx\t",  "a b",  "\xE9", "   ",
        "-3", "caf\xC3\xA9", "1e5", "007", "12.5 k", "\x01", "=x",   "long enough for two words"};
    static const char *const ends[] = {"\n", "\r\n", "\n\n", "\r\n \r\n", "\r"};
    struct rng rng = rng_seed(seed);
    for (size_t row = 0; row < 4000; row++) {
        size_t n = rng_below(&rng, 6);
        for (size_t i = 0; i < n; i++) {
            buffer_put_text(text, fields[rng_below(&rng, sizeof fields / sizeof fields[0])]);
            buffer_put_char(text, ',');
        }
        buffer_put_text(text, quoted ? "\"end\"" : "end");
        buffer_put_text(text, ends[rng_below(&rng, sizeof ends / sizeof ends[0])]);
    }
}

static void read_rows(const struct buffer *text, struct grid *grid, struct csv_counts *counts)
{
    struct source *source;
    struct arena arena;
    struct events events;
    arena_init(&arena, 4096);
    events_init(&events, &arena);
    assert_int_equal(grid_init(grid, NULL), STATUS_OK);
    assert_int_equal(source_open_memory(text->at, text->length, "rows", &source, NULL), STATUS_OK);
    assert_int_equal(csv_read(source, (struct csv_dialect){',', '"'}, (struct csv_limits){0}, grid,
                              &events, counts, NULL),
                     STATUS_OK);
    source_close(source);
    arena_deinit(&arena);
}

/* A row with a quote goes through libcsv, one without does not: the same must come out. */
static void rows_read_the_same_with_and_without_the_parser(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct buffer text[2] = {{0}, {0}};
        struct grid grid[2];
        struct csv_counts counts[2];
        for (int i = 0; i < 2; i++) {
            put_rows(&text[i], seed, i == 1);
            read_rows(&text[i], &grid[i], &counts[i]);
        }
        assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
        assert_int_equal(grid[0].n_rows, grid[1].n_rows);
        assert_true(grid[0].n_rows >= 4000);
        for (size_t r = 0; r < grid[0].n_rows; r++) {
            const struct grid_row *a = &grid[0].rows[r];
            const struct grid_row *b = &grid[1].rows[r];
            assert_int_equal(a->n_cells, b->n_cells);
            assert_int_equal(a->line, b->line);
            for (size_t c = 0; c < a->n_cells; c++)
                assert_string_equal(GRID_CELL_TEXT(&grid[0], a, c), GRID_CELL_TEXT(&grid[1], b, c));
        }
        for (int i = 0; i < 2; i++) {
            grid_deinit(&grid[i]);
            buffer_deinit(&text[i]);
        }
    }
}

/* ---- sources ---- */

static void a_file_that_shrinks_is_an_error(void **state)
{
    (void)state;
    char path[] = "/tmp/test-source-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    char line[1000];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(fd, line, sizeof line), sizeof line);
    struct source *source;
    assert_int_equal(source_open(path, path, &source, NULL), STATUS_OK);
    assert_int_equal(ftruncate(fd, 100000), 0);
    enum status status;
    struct error err = {0};
    const char *bytes;
    size_t n;
    do
        status = source_next(source, &bytes, &n, &err);
    while (status == STATUS_OK && n > 0);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(err.message, "shrank while it was read"));
    source_close(source);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_clean_utf8),
        cmocka_unit_test(utf16_survives_any_cut),
        cmocka_unit_test(headers_mean_what_their_words_say),
        cmocka_unit_test(every_alias_leads_to_its_own_field),
        cmocka_unit_test(plain_numbers_keep_their_text_and_their_value),
        cmocka_unit_test(numbers_are_the_same_at_once_and_by_the_digit),
        cmocka_unit_test(marks_are_found_alike_on_every_machine),
        cmocka_unit_test(rows_read_the_same_with_and_without_the_parser),
        cmocka_unit_test(a_file_that_shrinks_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
