/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/cleanup.h"
#include "base/csv_field.h"
#include "base/hash.h"
#include "base/json_node.h"
#include "base/rng.h"
#include "base/sort.h"
#include "base/text.h"

static void splitmix64_gives_the_published_first_output(void **state)
{
    (void)state;
    struct rng rng = rng_seed(0);
    assert_true(rng_next(&rng) == 0xe220a8397b1dcdafu);
}

static void numbers_survive_a_round_trip(void **state)
{
    (void)state;
    struct rng rng = rng_seed(7);
    for (int i = 0; i < 100000; i++) {
        double value = (rng_uniform(&rng) - 0.5) * pow(10.0, (double)rng_below(&rng, 40) - 20.0);
        char text[TEXT_NUMBER_BYTES];
        size_t length = text_format_number(value, text);
        double back;
        assert_true(text_parse_number(text, length, &back));
        assert_true(back == value);
    }
}

static void check_shortest(double value)
{
    char wanted[64];
    char got[TEXT_NUMBER_BYTES];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(wanted, sizeof wanted, "%.*g", digits, value);
        if (strtod(wanted, NULL) == value)
            break;
    }
    assert_int_equal(text_format_number(value, got), strlen(wanted));
    assert_string_equal(got, wanted);
}

/* Everyday numbers are not printed by printf: where the two could part, they must not. */
static void numbers_are_written_as_printf_writes_them(void **state)
{
    (void)state;
    struct rng rng = rng_seed(8);
    for (int power = -6; power <= 16; power++) {
        double ten = pow(10.0, power);
        double above = ten;
        double below = ten;
        for (int i = 0; i < 20; i++) {
            check_shortest(above = nextafter(above, INFINITY));
            check_shortest(-(below = nextafter(below, 0)));
        }
        for (int i = 0; i < 4000; i++) {
            double value = ten * (1 + 9 * rng_uniform(&rng));
            check_shortest(value);
            check_shortest((double)(float)value);            /* ends in zeros */
            check_shortest(floor(value * 1000) / 1000);      /* few digits */
            check_shortest(floor(value * 0x1p20) * 0x1p-20); /* ties at the last digit */
        }
    }
    for (int power = -14; power <= 46; power++) {
        double two = ldexp(1, power); /* the next double below is half as far */
        check_shortest(two);
        check_shortest(nextafter(two, 0));
        check_shortest(nextafter(two, INFINITY));
    }
}

static void fixed_numbers_round_and_drop_zeros(void **state)
{
    (void)state;
    static const struct {
        double value;
        unsigned decimals;
        const char *text;
    } cases[] = {
        {0, 6, "0"},        {0.05, 2, "0.05"},
        {3.14, 6, "3.14"},  {-1.5, 1, "-1.5"},
        {99.999, 2, "100"}, {-0.0001, 2, "0"},
        {12, 0, "12"},      {2e9, 2, "2000000000"},
        {1e-7, 6, "0"},     {123456.789, 3, "123456.789"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer buffer = {0};
        buffer_put_fixed(&buffer, cases[i].value, cases[i].decimals);
        assert_string_equal(buffer.at, cases[i].text);
        buffer_deinit(&buffer);
    }
}

/* Each character, at each place of a text: what needs an escape is found wherever it stands. */
static void json_escapes_what_it_must(void **state)
{
    (void)state;
    for (size_t at = 0; at < 19; at++)
        for (unsigned c = 1; c < 256; c++) {
            char text[] = "plain text of 19 ch";
            text[at] = (char)c;
            struct buffer out = {0};
            json_quote(&out, text, sizeof text - 1);
            bool needs = c < 0x20 || c == '"' || c == '\\';
            assert_int_equal(out.length > sizeof text + 1, needs);
            assert_memory_equal(out.at + 1, text, at);
            if (needs)
                assert_int_equal(out.at[1 + at], '\\');
            size_t behind = sizeof text - 1 - at - 1;
            assert_memory_equal(out.at + out.length - 1 - behind, text + at + 1, behind);
            buffer_deinit(&out);
        }
}

static void csv_fields_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain text", "plain text"},
        {"a,b", "\"a,b\""},
        {"say \"so\"", "\"say \"\"so\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {"cr\r", "\"cr\r\""},
        {" spaced", "\" spaced\""},
        {"spaced ", "\"spaced \""},
    };
    AUTO(buffer_deinit) struct buffer out = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        buffer_clear(&out);
        csv_field_put(&out, cases[i][0], strlen(cases[i][0]));
        assert_string_equal(out.at, cases[i][1]);
    }
}

static void only_plain_numbers_are_read(void **state)
{
    (void)state;
    double value;
    static const char *const bad[] = {"",    "-",   ".",  "1e", "1e+", "0x10",
                                      "nan", "inf", " 1", "1 ", "1,5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_parse_number(bad[i], strlen(bad[i]), &value));
    assert_true(text_parse_number("32.8", 4, &value) && value == 32.8);
    assert_true(text_parse_number("-1.5e3", 6, &value) && value == -1500);
}

static void text_that_is_not_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "{",        "{\"a\":01}",  "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":1e999}",
        "[1,]", "\"\xff\"", "\"\\u0000\"", "[1.]",       "\"a\nb\"",          "{a:1}",
    };
    struct arena arena;
    arena_init(&arena, 1024);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct json *value;
        struct error err = {0};
        if (json_parse(bad[i], strlen(bad[i]), &arena, &value, &err) != STATUS_INVALID)
            fail_msg("accepted %s", bad[i]);
        assert_true(err.message[0] != '\0');
    }
    arena_deinit(&arena);
}

static const char *written(const struct json *value, struct buffer *out)
{
    buffer_clear(out);
    struct json_writer w = json_writer(out);
    json_put_value(&w, value);
    return out->at;
}

/* Every text that is one character away from a good one: what the plain reader takes, cJSON takes,
 * and both understand the same. The good ones are plain. */
static void both_readers_of_json_agree(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"handle\": \"a.b_c\", \"followers\": 12345678, \"rate\":0.0139,\"ok\":true}",
        "{\"instances\":[{\"a\":-1.5e-3},{\"a\":1E+2,\"b\":null},{}], \"explain\" : false}",
        " [ [],[1 ,\t-0.0], \"\xc3\xa9 na\xc3\xafve, long enough\", 18446744073709551615 ] \n",
        "{\"a\":1,\"b\":2,\"aa\":3,\"ab\":0.1,\"\":\"\"}",
    };
    static const char others[] = "\"\\{}[]:,.-+eE0a19 \n\x01\x7f\x80\xc3";
    struct arena arena;
    arena_init(&arena, 4096);
    AUTO(buffer_deinit) struct buffer plain = {0};
    AUTO(buffer_deinit) struct buffer any = {0};
    size_t n_taken = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        size_t length = strlen(good[i]);
        assert_non_null(json_read_plain(good[i], length, &arena));
        for (size_t at = 0; at < length; at++)
            for (size_t other = 0; other < sizeof others; other++) { /* NUL too */
                char text[128];
                memcpy(text, good[i], length);
                text[at] = others[other];
                arena_reset(&arena);
                const struct json *ours = json_read_plain(text, length, &arena);
                const struct json *theirs = NULL;
                enum status status = json_parse_any(text, length, &arena, &theirs, NULL);
                if (!ours)
                    continue;
                n_taken++;
                if (status != STATUS_OK)
                    fail_msg("only the plain reader takes %.*s", (int)length, text);
                assert_string_equal(written(ours, &plain), written(theirs, &any));
            }
    }
    assert_true(n_taken > 1000);
    arena_deinit(&arena);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    char text[2001];
    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);
    struct arena arena;
    arena_init(&arena, 1024);
    const struct json *value;
    assert_int_equal(json_parse(text, 2000, &arena, &value, NULL), STATUS_INVALID);
    arena_deinit(&arena);
}

/* The value as text in steps of so many bytes; NULL: refused, and err says why. */
static const char *in_steps(const char *text, size_t slice_bytes, struct arena *arena,
                            struct error *err)
{
    char *own = arena_strdup(arena, text);
    struct json_parser *parser = NULL;
    const struct json *value = NULL;
    enum status status = json_parser_new(own, strlen(own), slice_bytes, arena, &parser, err);
    while (status == STATUS_OK && !value)
        status = json_parser_step(parser, &value, err);
    assert_string_equal(own, text);
    if (status != STATUS_OK)
        return NULL;
    struct buffer out = {0};
    struct json_writer w = json_writer(&out);
    json_put_value(&w, value);
    const char *kept = arena_strdup(arena, out.at);
    buffer_deinit(&out);
    return kept;
}

static void json_read_in_steps_is_what_it_is_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[1,2,3,4,5,6,7,8,9]",
        "{\"k\":3,\"instances\":[{\"a\":1,\"b\":[1,2]},{\"a\":\"x,]\"},{},[],null],\"z\":[true]}",
        "{\"inputs\":[{\"name\":\"a\",\"data\":[1,2,3,4]},{\"data\":[\"p\",\"q\"]}],\"id\":\"7\"}",
        "[[1,2],[3,[4,5,[6,7,8]]],[],{\"a\":[9,10]}]",
        " [ 1 , 2 ] ",
        "[]",
        "7",
        "[1,,2]",
        "[1,2,]",
        "[,1]",
        "[1 2,3]",
        "{\"a\":[1,2}]",
        "[1,2]]",
        "[1,[2,3]",
        "[{\"a\":1,\"a\":2},3,4]",
        "[1,2,1e999,4]",
        "{\"a\":[1,2,3],\"a\":[4,5,6]}",
        "{\"a\":[1,2],\"b\":}",
        "{\"a\":1,2}",
        "",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        for (size_t slice_bytes = 1; slice_bytes < 40; slice_bytes++) {
            AUTO(arena_deinit) struct arena arena;
            struct error err = {0};
            arena_init(&arena, 1024);
            const char *whole = in_steps(texts[i], 1 << 20, &arena, &err);
            const char *cut = in_steps(texts[i], slice_bytes, &arena, &err);
            assert_int_equal(whole == NULL, cut == NULL);
            if (whole)
                assert_string_equal(cut, whole);
            else
                assert_true(err.status == STATUS_INVALID && err.message[0]);
        }
}

static void written_json_reads_back(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer w = json_writer(&out);
    json_begin_object(&w);
    json_member_string(&w, "text", "a\"b\\c\n\x01 bnrtf \xc3\xa9");
    json_put_key(&w, "list");
    json_begin_array(&w);
    json_put_fixed(&w, 0.25, 3);
    json_put_null(&w);
    json_put_bool(&w, true);
    json_end_array(&w);
    json_end_object(&w);
    assert_string_equal(
        out.at, "{\"text\":\"a\\\"b\\\\c\\n\\u0001 bnrtf \xc3\xa9\",\"list\":[0.25,null,true]}");
    struct arena arena;
    arena_init(&arena, 1024);
    const struct json *value;
    assert_int_equal(json_parse(out.at, out.length, &arena, &value, NULL), STATUS_OK);
    assert_string_equal(json_string_or(json_get(value, "text"), ""),
                        "a\"b\\c\n\x01 bnrtf \xc3\xa9");
    arena_deinit(&arena);
    buffer_deinit(&out);
}

static void sha256_agrees_with_fips_180(void **state)
{
    (void)state;
    char hex[SHA256_HEX_LENGTH + 1];
    hash_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void equal_memories_are_told_from_those_with_one_bit_turned(void **state)
{
    (void)state;
    unsigned char a[2][41];
    for (size_t i = 0; i < sizeof a[0]; i++)
        a[0][i] = a[1][i] = (unsigned char)(7 * i);
    for (size_t bytes = 0; bytes <= sizeof a[0]; bytes++) {
        assert_true(hash_equal(a[0], a[1], bytes));
        for (size_t bit = 0; bit < 8 * sizeof a[0]; bit++) {
            a[1][bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_int_equal(hash_equal(a[0], a[1], bytes), bit / 8 >= bytes);
            a[1][bit / 8] = a[0][bit / 8];
        }
    }
}

static int compare_by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of all sizes and both signs, with ties; few are sorted another way than many. */
static void numbers_are_sorted_as_qsort_does(void **state)
{
    (void)state;
    enum {
        MANY = 3000
    };
    static double values[MANY];
    static double wanted[MANY];
    static float floats[MANY];
    struct rng rng = rng_seed(31);
    for (size_t n = 0; n <= MANY; n += 1500) {
        for (size_t i = 0; i < n; i++) {
            double value = rng_normal(&rng) * pow(10.0, (double)rng_below(&rng, 30) - 15.0);
            floats[i] = (float)(i % 7 == 0 ? 3.0 : i % 11 == 0 ? -HUGE_VAL : value);
            values[i] = wanted[i] = (double)floats[i];
        }
        qsort(wanted, n, sizeof wanted[0], compare_by_value);
        sort_doubles(values, n);
        sort_floats(floats, n);
        for (size_t i = 0; i < n; i++)
            assert_true(values[i] == wanted[i] && (double)floats[i] == wanted[i]);
    }
    double few[] = {2, -1, 0, -0.0, 5};
    sort_doubles(few, ARRAY_LENGTH(few));
    assert_true(few[0] == -1 && signbit(few[1]) && !signbit(few[2]) && few[4] == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_sorted_as_qsort_does),
        cmocka_unit_test(splitmix64_gives_the_published_first_output),
        cmocka_unit_test(numbers_survive_a_round_trip),
        cmocka_unit_test(numbers_are_written_as_printf_writes_them),
        cmocka_unit_test(fixed_numbers_round_and_drop_zeros),
        cmocka_unit_test(json_escapes_what_it_must),
        cmocka_unit_test(csv_fields_are_quoted_where_they_must_be),
        cmocka_unit_test(only_plain_numbers_are_read),
        cmocka_unit_test(text_that_is_not_json_is_refused),
        cmocka_unit_test(both_readers_of_json_agree),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(json_read_in_steps_is_what_it_is_whole),
        cmocka_unit_test(written_json_reads_back),
        cmocka_unit_test(sha256_agrees_with_fips_180),
        cmocka_unit_test(equal_memories_are_told_from_those_with_one_bit_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
