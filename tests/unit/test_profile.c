/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "profile/parse.h"

static double quantity_of(const char *text)
{
    struct quantity quantity;
    enum parse_result result = parse_quantity(text, strlen(text), &quantity);
    if (result != PARSE_OK)
        fail_msg("'%s': parse_quantity gave %d", text, (int)result);
    return quantity.value;
}

static void suffixes_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"32.8m", 32800000},
        {"475.8m", 475800000},
        {"0.89k", 890},
        {"29.0b", 29e9},
        {"3.3K", 3300},
        {"1.1 M", 1100000},
        {"2.5 million", 2.5e6},
        {"12 Thousand", 12e3},
        {"7bn", 7e9},
        {"4,5 Mio.", 4.5e6},
        {"1.2M+", 1.2e6},
        {"3.1M followers", 3.1e6},
        {"12 lakh", 1.2e6},
        {"57.4B", 57.4e9},
        {"\xC2\xA0"
         "8.7m ",
         8.7e6},
        {"1.25\xE4\xB8\x87", 12500},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (quantity_of(cases[i].text) != cases[i].value)
            fail_msg("%s: %.17g", cases[i].text, quantity_of(cases[i].text));
}

static void grouping_is_read_where_it_is_certain(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"1,234,567", 1234567},
        {"1.234.567", 1234567},
        {"1 234 567", 1234567},
        {"12,34,567", 1234567},
        {"1'234'567", 1234567},
        {"1,234.5", 1234.5},
        {"1.234,5", 1234.5},
        {"1,39", 1.39},
        {"1,234", 1234},
        {"0,123", 0.123},
        {"1.234", 1.234},
        {"1\xE2\x80\xAF"
         "234",
         1234},
        {"4.758E+08", 475800000},
        {"1e3", 1000},
        {"12.", 12},
        {".5", 0.5},
        {"1,2345", 1.2345},
        {"123456789012345678", 123456789012345678.0},
        {"1 234,5", 1234.5},
        {"\xE2\x88\x92"
         "3",
         -3},
        {"+4", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (quantity_of(cases[i].text) != cases[i].value)
            fail_msg("%s: %.17g", cases[i].text, quantity_of(cases[i].text));
}

static void the_decimal_mark_of_the_column_decides(void **state)
{
    (void)state;
    struct quantity quantity;
    assert_int_equal(parse_quantity_decimal("1,234", 5, ',', &quantity), PARSE_OK);
    assert_true(quantity.value == 1.234);
    assert_int_equal(parse_quantity_decimal("1.234", 5, ',', &quantity), PARSE_OK);
    assert_true(quantity.value == 1234);
    assert_int_equal(parse_quantity_decimal("475,8m", 6, 0, &quantity), PARSE_OK);
    assert_int_equal(quantity.decimal, ',');
    assert_int_equal(parse_quantity_decimal("1.234", 5, 0, &quantity), PARSE_OK);
    assert_int_equal(quantity.decimal, 0);
    assert_int_equal(parse_quantity_decimal("1,234,567", 9, 0, &quantity), PARSE_OK);
    assert_int_equal(quantity.decimal, '.');
}

static void percent_becomes_a_fraction(void **state)
{
    (void)state;
    assert_true(quantity_of("1.39%") == 0.0139);
    assert_true(quantity_of("1,39 %") == 0.0139);
    assert_true(quantity_of("12 percent") == 0.12);
    struct quantity quantity;
    assert_int_equal(parse_quantity("5%", 2, &quantity), PARSE_OK);
    assert_true(quantity.is_percent);
}

static void words_for_not_known_are_missing(void **state)
{
    (void)state;
    static const char *const words[] = {"",     " ",       "N/A", "NA", "NaN",  "NaN%",  "null",
                                        "None", "unknown", "-",   "?",  "#N/A", "\u2014"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct quantity quantity;
        assert_int_equal(parse_quantity(words[i], strlen(words[i]), &quantity), PARSE_MISSING);
    }
}

static void what_is_no_number_is_bad(void **state)
{
    (void)state;
    static const char *const words[] = {"abc",  "1.2.3", "12 34", "1,2,3", "0x10",   "inf",
                                        "1k5",  "5 mil", "k",     "1e",    "1,23,4", "--5",
                                        "1.2x", "1 2",   "10%%",  "1e999", "2022-03"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct quantity quantity;
        if (parse_quantity(words[i], strlen(words[i]), &quantity) != PARSE_BAD)
            fail_msg("accepted %s", words[i]);
    }
}

static void months_are_counted_from_year_zero(void **state)
{
    (void)state;
    double month;
    assert_int_equal(parse_month("2022-03", 7, &month), PARSE_OK);
    assert_true(month == 12 * 2022 + 2);
    assert_int_equal(parse_month("2022/11/05", 10, &month), PARSE_OK);
    assert_int_equal(parse_month("2019-04-01T10:00:00Z", 20, &month), PARSE_OK);
    char text[8];
    parse_format_month(month, text);
    assert_string_equal(text, "2019-04");
    static const char *const bad[] = {"2022", "2022-13", "22-03", "2022-03x", "03/2022"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse_month(bad[i], strlen(bad[i]), &month), PARSE_BAD);
}

static enum status read_field(const char *name, const char *text, struct profile *profile)
{
    const struct profile_field *field = profile_field_find(name, strlen(name));
    assert_non_null(field);
    return parse_field(field, text, strlen(text), profile, NULL);
}

static void fields_are_read_by_their_kind(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    assert_int_equal(read_field("followers", "475.8m", &profile), STATUS_OK);
    assert_true(profile.number[PROFILE_followers] == 475800000);
    assert_int_equal(read_field("engagement_rate", "1.39%", &profile), STATUS_OK);
    assert_true(profile.number[PROFILE_engagement_rate] == 0.0139);
    assert_int_equal(read_field("is_verified", "Yes", &profile), STATUS_OK);
    assert_true(profile.number[PROFILE_is_verified] == 1);
    assert_int_equal(read_field("handle", " @tea.and.toast", &profile), STATUS_OK);
    assert_string_equal(profile.text[PROFILE_handle], "tea.and.toast");
    assert_int_equal(read_field("country", "N/A", &profile), STATUS_OK);
    assert_null(profile.text[PROFILE_country]);
    assert_int_equal(read_field("followers", "NaN", &profile), STATUS_OK);
    assert_true(isnan(profile.number[PROFILE_followers]));
}

static void values_out_of_kind_or_range_are_refused(void **state)
{
    (void)state;
    struct profile profile;
    profile_init(&profile);
    assert_int_equal(read_field("followers", "-3", &profile), STATUS_INVALID);
    assert_int_equal(read_field("followers", "475.8", &profile), STATUS_INVALID);
    assert_int_equal(read_field("followers", "12%", &profile), STATUS_INVALID);
    assert_int_equal(read_field("followers", "many", &profile), STATUS_INVALID);
    assert_int_equal(read_field("is_verified", "perhaps", &profile), STATUS_INVALID);
    assert_int_equal(read_field("category", "\xff\xfe", &profile), STATUS_INVALID);
    assert_true(isnan(profile.number[PROFILE_followers]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suffixes_are_exact),
        cmocka_unit_test(grouping_is_read_where_it_is_certain),
        cmocka_unit_test(the_decimal_mark_of_the_column_decides),
        cmocka_unit_test(percent_becomes_a_fraction),
        cmocka_unit_test(words_for_not_known_are_missing),
        cmocka_unit_test(what_is_no_number_is_bad),
        cmocka_unit_test(months_are_counted_from_year_zero),
        cmocka_unit_test(fields_are_read_by_their_kind),
        cmocka_unit_test(values_out_of_kind_or_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
