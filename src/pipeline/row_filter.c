/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/row_filter.h"

#include <string.h>

#include "base/arena.h"
#include "learn/design.h"
#include "pipeline/train_config.h"
#include "profile/parse.h"

enum relation {
    AT_LEAST,
    AT_MOST,
    ABOVE,
    BELOW,
    EQUAL
};

struct condition {
    const char *option, *name;
    enum relation relation;
    const char *value;
    double number;                     /* MISSING: the value is no number */
    const struct profile_field *field; /* NULL: an extra column */
    size_t extra;
};

/* Longer signs first, so that ">=" is not read as ">". */
static const struct {
    const char *sign;
    enum relation relation;
} signs[] = {{">=", AT_LEAST}, {"<=", AT_MOST}, {">", ABOVE}, {"<", BELOW}, {"=", EQUAL}};

static enum status parse(const struct table *table, char *word, struct condition *condition,
                         struct error *err)
{
    size_t length = strcspn(word, "<>=");
    condition->name = word;
    for (size_t i = 0; i < ARRAY_LENGTH(signs); i++) {
        size_t n = strlen(signs[i].sign);
        if (condition->value || strncmp(word + length, signs[i].sign, n) != 0)
            continue;
        condition->relation = signs[i].relation;
        condition->value = word + length + n;
    }
    if (!condition->value || length == 0)
        return fail(err, STATUS_INVALID, "%s: '%s' is no condition such as followers>=1000",
                    condition->option, word);
    word[length] = '\0';
    condition->field = profile_field_find(word, length);
    condition->extra = table_find_extra(table, word);
    if (!condition->field && condition->extra == SIZE_MAX)
        return fail(err, STATUS_NOT_FOUND, "%s: there is no field or column '%s'",
                    condition->option, word);
    struct quantity quantity;
    condition->number =
        parse_quantity(condition->value, strlen(condition->value), &quantity) == PARSE_OK
            ? quantity.value
            : MISSING;
    bool is_text = condition->field ? condition->field->kind == PROFILE_TEXT
                                    : table->extras[condition->extra].number == NULL;
    if ((is_text && condition->relation != EQUAL) || (!is_text && isnan(condition->number)))
        return fail(err, STATUS_INVALID, "%s: '%s' holds %s", condition->option, word,
                    is_text ? "texts: only = can be asked" : "numbers");
    return STATUS_OK;
}

static bool compare(enum relation relation, double a, double b)
{
    switch (relation) {
    case AT_LEAST:
        return a >= b;
    case AT_MOST:
        return a <= b;
    case ABOVE:
        return a > b;
    case BELOW:
        return a < b;
    case EQUAL:
        return a == b;
    }
    return false;
}

static bool holds(const struct condition *condition, const struct table *table, size_t row)
{
    struct profile profile;
    const char *text = NULL;
    double number = MISSING;
    bool is_text = false;
    if (condition->field && condition->field->kind == PROFILE_TEXT) {
        is_text = true;
        text =
            table->text[condition->field->index] ? table->text[condition->field->index][row] : NULL;
    } else if (condition->field) {
        design_profile(table, row, &profile);
        number = profile.number[condition->field->index];
    } else if (table->extras[condition->extra].number) {
        number = table->extras[condition->extra].number[row];
    } else {
        is_text = true;
        text = table->extras[condition->extra].text[row];
    }
    return is_text ? text && strcmp(text, condition->value) == 0
                   : compare(condition->relation, number, condition->number);
}

enum status row_filter(const char *option, const char *conditions, const struct table *table,
                       bool *ret_keep, struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 1024);
    for (size_t row = 0; row < table->n_rows; row++)
        ret_keep[row] = true;
    char *word;
    while ((word = train_config_word(&conditions, ",", &arena))) {
        struct condition condition = {.option = option};
        TRY(parse(table, word + strspn(word, " "), &condition, err));
        for (size_t row = 0; row < table->n_rows; row++)
            ret_keep[row] = ret_keep[row] && holds(&condition, table, row);
    }
    return STATUS_OK;
}
