/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "base/rng.h"
#include "dataset/split.h"

static void plain_folds_are_those_of_the_protocol(void **state)
{
    (void)state;
    static const uint32_t first[] = {3, 2, 4, 2, 4, 3, 4, 2, 4, 1};
    uint32_t fold[200];
    assert_int_equal(split_plain(200, 5, 0, fold, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_int_equal(fold[i], first[i]);
}

static void plain_folds_agree_with_the_published_file(void **state)
{
    (void)state;
    const char *dir = getenv("SHARED_DATA");
    if (!dir)
        dir = getenv("SHARED_DATA_DEFAULT"); /* of the build: beside the project */
    char path[4096];
    snprintf(path, sizeof path, "%s/derived_folds_n200.csv", dir ? dir : ".");
    FILE *file = fopen(path, "r");
    if (!file) {
        print_message("no real data\n");
        skip();
    }
    uint32_t fold[5][200];
    for (uint64_t seed = 0; seed < 5; seed++)
        assert_int_equal(split_plain(200, 5, seed, fold[seed], NULL), STATUS_OK);
    char line[128];
    assert_non_null(fgets(line, sizeof line, file));
    size_t n_rows = 0;
    for (; fgets(line, sizeof line, file); n_rows++) {
        char *at = line;
        unsigned long row = strtoul(at, &at, 10);
        assert_true(row < 200);
        for (size_t seed = 0; seed < 5; seed++) {
            unsigned long wanted = strtoul(at + 1, &at, 10);
            assert_int_equal(fold[seed][row], wanted);
        }
    }
    fclose(file);
    assert_int_equal(n_rows, 200);
}

static void stratified_folds_share_every_class_evenly(void **state)
{
    (void)state;
    enum {
        N = 1000,
        CLASSES = 3,
        FOLDS = 5
    };
    uint32_t label[N];
    uint32_t fold[N];
    size_t count[CLASSES][FOLDS] = {{0}};
    struct rng rng = rng_seed(1);
    for (size_t i = 0; i < N; i++)
        label[i] = rng_below(&rng, 10) < 7 ? 0 : (uint32_t)(1 + rng_below(&rng, 2));
    assert_int_equal(split_stratified(label, N, FOLDS, 3, fold, NULL), STATUS_OK);
    for (size_t i = 0; i < N; i++)
        count[label[i]][fold[i]]++;
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t f = 0; f < FOLDS; f++) {
            assert_true(count[c][f] + 1 >= count[c][0]);
            assert_true(count[c][f] <= count[c][0] + 1);
        }
}

static void one_class_stratifies_into_the_plain_folds(void **state)
{
    (void)state;
    uint32_t label[50] = {0};
    uint32_t plain[50];
    uint32_t stratified[50];
    assert_int_equal(split_plain(50, 5, 9, plain, NULL), STATUS_OK);
    assert_int_equal(split_stratified(label, 50, 5, 9, stratified, NULL), STATUS_OK);
    assert_memory_equal(plain, stratified, sizeof plain);
}

static void groups_stay_together_in_first_seen_order(void **state)
{
    (void)state;
    /* Groups 7, 3, 5, 1, 0 appear in that order: the i-th seen gets the plain fold of row i. */
    static const uint32_t group[] = {7, 3, 7, 5, 1, 3, 0, 7};
    uint32_t fold[8];
    uint32_t of_groups[5];
    assert_int_equal(split_grouped(group, 8, 2, 4, fold, NULL), STATUS_OK);
    assert_int_equal(split_plain(5, 2, 4, of_groups, NULL), STATUS_OK);
    static const size_t seen[] = {0, 1, 0, 2, 3, 1, 4, 0};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(fold[i], of_groups[seen[i]]);
}

static void impossible_splits_are_refused(void **state)
{
    (void)state;
    uint32_t fold[4];
    static const uint32_t wild[] = {0, 4, 0, 0};
    static const uint32_t one[] = {2, 2, 2, 2};
    assert_int_equal(split_plain(4, 1, 0, fold, NULL), STATUS_INVALID);
    assert_int_equal(split_plain(4, 5, 0, fold, NULL), STATUS_INVALID);
    assert_int_equal(split_stratified(wild, 4, 2, 0, fold, NULL), STATUS_INVALID);
    assert_int_equal(split_grouped(one, 4, 2, 0, fold, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_folds_are_those_of_the_protocol),
        cmocka_unit_test(plain_folds_agree_with_the_published_file),
        cmocka_unit_test(stratified_folds_share_every_class_evenly),
        cmocka_unit_test(one_class_stratifies_into_the_plain_folds),
        cmocka_unit_test(groups_stay_together_in_first_seen_order),
        cmocka_unit_test(impossible_splits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
