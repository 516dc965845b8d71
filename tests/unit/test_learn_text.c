/* SPDX-License-Identifier: Apache-2.0 */

/* Classifiers of hashtags: TF-IDF against its formula, and a model of words that ships. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "learn/shipped.h"
#include "learn/text_rows.h"

enum {
    N = 120,
    K = 3
};

struct data {
    char text[N][64];
    struct text_words words[N];
    uint32_t label[N];
    struct feature_spec *spec; /* no columns */
};

/* Each class has a word of its own, one that all share, and one that comes once. */
static int make_data(void **state)
{
    static const char *const words[K] = {"ootd", "recipe", "travel"};
    struct data *data = calloc(1, sizeof *data);
    if (!data)
        return -1;
    for (size_t i = 0; i < N; i++) {
        data->label[i] = (uint32_t)(i % K);
        snprintf(data->text[i], sizeof data->text[i], "love %s once%zu", words[i % K], i);
        data->words[i].hashtags = i % 20 == 19 ? NULL : data->text[i];
    }
    *state = data;
    return feature_spec_new(NULL, NULL, NULL, NULL, 0, &data->spec, NULL);
}

static int free_data(void **state)
{
    struct data *data = *state;
    feature_spec_free(data->spec);
    free(data);
    return 0;
}

static void weights_are_tf_idf_of_length_one(void **state)
{
    (void)state;
    const struct text_words words[] = {
        {.hashtags = "a b"}, {.hashtags = "a"}, {.hashtags = "A #b"}, {.hashtags = "a c"}, {0},
        {.hashtags = "a b"}};
    AUTO(text_rows_deinit) struct text_rows rows = {0};
    assert_int_equal(text_rows_init(&rows, words, 6, NULL), STATUS_OK);
    assert_int_equal(rows.n_words, 2); /* c stands in one row only */
    assert_string_equal(rows.words[0], "a");
    double a = log(7.0 / 6.0) + 1;
    double b = log(7.0 / 4.0) + 1;
    assert_near(rows.idf[0], a, 1e-6);
    assert_near(rows.idf[1], b, 1e-6);
    assert_int_equal(rows.start[1] - rows.start[0], 2);
    assert_near(rows.weight[0], a / sqrt(a * a + b * b), 1e-6);
    assert_near(rows.weight[1], b / sqrt(a * a + b * b), 1e-6);
    assert_near(rows.weight[rows.start[1]], 1, 1e-6);
    assert_int_equal(rows.start[5], rows.start[4]); /* none */
}

static struct fitted *fit(const struct data *data)
{
    static const float nothing;
    struct problem problem = {.task = TASK_CLASSIFICATION,
                              .n = N,
                              .raw = &nothing,
                              .scaled = &nothing,
                              .label = data->label,
                              .n_classes = K,
                              .words = data->words,
                              .spec = data->spec,
                              .n_fits = 4,
                              .seed = 5,
                              .n_threads = 1};
    struct fitted *fitted = NULL;
    struct error err = {0};
    if (trainer_text.fit(&problem, &fitted, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return fitted;
}

static size_t best_of(const double *output)
{
    size_t best = 0;
    for (size_t k = 1; k < K; k++)
        if (output[k] > output[best])
            best = k;
    return best;
}

static void words_tell_the_classes_and_the_model_ships(void **state)
{
    const struct data *data = *state;
    static const float nothing;
    double output[2][N * K];
    for (int run = 0; run < 2; run++) {
        AUTO(fitted_free_slot) struct fitted *fitted = fit(data);
        AUTO(shipped_close_slot) struct shipped *shipped = NULL;
        assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
        const struct shipped_rows rows = {.n = N, .raw = &nothing, .words = data->words};
        shipped_run_rows(shipped, &rows, output[run]);
    }
    assert_memory_equal(output[0], output[1], sizeof output[0]);
    for (size_t i = 0; i < N; i++)
        if (data->words[i].hashtags)
            assert_int_equal(best_of(output[0] + i * K), data->label[i]);
}

/* Case, marks and order make no difference, nor do words that nobody knows. */
static void texts_are_read_as_in_training(void **state)
{
    const struct data *data = *state;
    static const float nothing;
    const struct text_words texts[] = {
        {.hashtags = "love recipe"},
        {.hashtags = "#Recipe, unheard #LOVE"},
        {.hashtags = "unheard"},
        {.brands = "recipe"}, /* a brand of that name is no hashtag */
    };
    double output[4 * K];
    AUTO(fitted_free_slot) struct fitted *fitted = fit(data);
    AUTO(shipped_close_slot) struct shipped *shipped = NULL;
    assert_int_equal(shipped_open(fitted, data->spec, &shipped, NULL), STATUS_OK);
    const struct shipped_rows rows = {.n = 4, .raw = &nothing, .words = texts};
    shipped_run_rows(shipped, &rows, output);
    for (size_t k = 0; k < K; k++) {
        assert_near(output[k], output[K + k], 1e-9);
        assert_near(output[2 * K + k], output[3 * K + k], 1e-9);
    }
    assert_int_equal(best_of(output), 1);
}

/* Names hold dots, and are words of their own beside hashtags of the same letters. */
static void brands_are_words_beside_hashtags(void **state)
{
    (void)state;
    const struct text_words words[] = {
        {"nike", "@Nike, gucci.beauty"},
        {"nike", "nike"},
        {"nike", "gucci.beauty"},
        {NULL, "Gucci.Beauty nike"},
        {0},
    };
    const struct text_words asked = {.hashtags = "gucci", .brands = "@GUCCI.beauty gucci"};
    uint32_t found[TEXT_MAX_WORDS];
    AUTO(text_rows_deinit) struct text_rows rows = {0};
    assert_int_equal(text_rows_init(&rows, words, 5, NULL), STATUS_OK);
    assert_int_equal(rows.n_words, 3);
    assert_string_equal(rows.words[0], "@gucci.beauty");
    assert_string_equal(rows.words[1], "@nike");
    assert_string_equal(rows.words[2], "nike");
    assert_int_equal(rows.start[1], 3);
    assert_int_equal(rows.start[5] - rows.start[4], 0);
    assert_int_equal(text_vocabulary_find(rows.vocabulary, &asked, found), 1);
    assert_int_equal(found[0], 0);
}

static void without_hashtags_there_is_nothing_to_learn(void **state)
{
    const struct data *data = *state;
    struct problem problem = {.task = TASK_CLASSIFICATION, .n = N, .label = data->label};
    struct fitted *fitted = NULL;
    assert_int_equal(trainer_text.fit(&problem, &fitted, NULL), STATUS_INVALID);
    assert_null(fitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_tf_idf_of_length_one),
        cmocka_unit_test(words_tell_the_classes_and_the_model_ships),
        cmocka_unit_test(texts_are_read_as_in_training),
        cmocka_unit_test(brands_are_words_beside_hashtags),
        cmocka_unit_test(without_hashtags_there_is_nothing_to_learn),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
