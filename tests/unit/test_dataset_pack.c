/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "dataset/import.h"
#include "dataset/table_pack.h"

static const char text[] = "Username,Followers,Likes,Country,Mood,Rank\n"
                           "ann,1200,30,France,glad,1\n"
                           "bob,2.5k,,France,,2\n"
                           "cid,900,12,,sad,3\n"
                           "dee,70k,400,Chile,glad,4\n";

static int make_table(void **state)
{
    struct import_report *report = NULL;
    enum status status = import_memory(text, sizeof text - 1, "sample.csv", NULL,
                                       (struct table **)state, &report, NULL);
    import_report_free(report);
    return status == STATUS_OK ? 0 : -1;
}

static int free_table(void **state)
{
    table_free(*state);
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void assert_same_row(const struct table *a, size_t row_a, const struct table *b,
                            size_t row_b)
{
    for (size_t i = 0; i < PROFILE_N_NUMBERS; i++) {
        assert_int_equal(a->number[i] != NULL, b->number[i] != NULL);
        if (a->number[i])
            assert_memory_equal(&a->number[i][row_a], &b->number[i][row_b], sizeof(double));
    }
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++) {
        assert_int_equal(a->text[i] != NULL, b->text[i] != NULL);
        if (a->text[i])
            assert_true(same_text(a->text[i][row_a], b->text[i][row_b]));
    }
    assert_int_equal(a->line[row_a], b->line[row_b]);
    assert_int_equal(a->n_extras, b->n_extras);
    for (size_t i = 0; i < a->n_extras; i++) {
        assert_string_equal(a->extras[i].name, b->extras[i].name);
        assert_true(same_text(a->extras[i].text[row_a], b->extras[i].text[row_b]));
        assert_int_equal(a->extras[i].number != NULL, b->extras[i].number != NULL);
        if (a->extras[i].number)
            assert_memory_equal(&a->extras[i].number[row_a], &b->extras[i].number[row_b],
                                sizeof(double));
    }
}

static void rows_come_out_as_they_went_in(void **state)
{
    struct table *table = *state;
    AUTO(table_free_slot) struct table *taken = NULL;
    const size_t rows[] = {3, 1, 2, 1};
    assert_int_equal(table->n_rows, 4);
    assert_true(table->n_extras >= 2);
    assert_int_equal(table_read_extras(table, NULL), STATUS_OK);
    assert_int_equal(table_take(table, rows, 4, &taken, NULL), STATUS_OK);
    assert_int_equal(taken->n_rows, 4);
    for (size_t i = 0; i < 4; i++)
        assert_same_row(table, rows[i], taken, i);
}

static void no_rows_are_a_table(void **state)
{
    AUTO(table_free_slot) struct table *taken = NULL;
    assert_int_equal(table_take(*state, NULL, 0, &taken, NULL), STATUS_OK);
    assert_int_equal(taken->n_rows, 0);
    assert_non_null(taken->number[PROFILE_followers]);
}

static void bytes_that_are_cut_short_are_refused(void **state)
{
    AUTO(buffer_deinit) struct buffer bytes = {0};
    const size_t rows[] = {0, 1, 2, 3};
    table_pack(*state, rows, 4, &bytes);
    assert_false(bytes.failed);
    for (size_t n = 0; n < bytes.length; n++) {
        struct table *table = NULL;
        assert_int_equal(table_unpack(bytes.at, n, &table, NULL), STATUS_CORRUPT);
    }
    buffer_put_char(&bytes, 'x');
    struct table *table = NULL;
    assert_int_equal(table_unpack(bytes.at, bytes.length, &table, NULL), STATUS_CORRUPT);
}

static void equal_rows_are_equal_bytes_wherever_they_stand(void **state)
{
    static const char turned[] = "Username,Followers,Likes,Country,Mood,Rank\n"
                                 "dee,70k,400,Chile,glad,4\n"
                                 "cid,900,12,,sad,3\n"
                                 "bob,2.5k,,France,,2\n"
                                 "ann,1200,30,France,glad,1\n";
    AUTO(table_free_slot) struct table *other = NULL;
    struct import_report *report = NULL;
    assert_int_equal(
        import_memory(turned, sizeof turned - 1, "turned.csv", NULL, &other, &report, NULL),
        STATUS_OK);
    import_report_free(report);
    for (size_t row = 0; row < 4; row++)
        for (size_t place = 0; place < 4; place++) {
            AUTO(buffer_deinit) struct buffer a = {0};
            AUTO(buffer_deinit) struct buffer b = {0};
            table_pack_values(*state, row, &a);
            table_pack_values(other, place, &b);
            assert_false(a.failed || b.failed);
            bool is_same = a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
            assert_int_equal(is_same, place == 3 - row);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_as_they_went_in),
        cmocka_unit_test(no_rows_are_a_table),
        cmocka_unit_test(bytes_that_are_cut_short_are_refused),
        cmocka_unit_test(equal_rows_are_equal_bytes_wherever_they_stand),
    };
    return cmocka_run_group_tests(tests, make_table, free_table);
}
