/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/span.h"

bool parse_is_missing(const char *text, size_t length)
{
    struct span span = span_trim(text, length);
    return span.length == 0 || span_is_missing_word(span);
}

enum parse_result parse_flag(const char *text, size_t length, double *ret_value)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {
        {"0", 0}, {"1", 1}, {"false", 0}, {"true", 1}, {"no", 0},  {"yes", 1},
        {"n", 0}, {"y", 1}, {"f", 0},     {"t", 1},    {"0.0", 0}, {"1.0", 1},
    };
    struct span span = span_trim(text, length);
    if (span.length == 0)
        return PARSE_MISSING;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equals_word(span, words[i].word)) {
            *ret_value = words[i].value;
            return PARSE_OK;
        }
    }
    return span_is_missing_word(span) ? PARSE_MISSING : PARSE_BAD;
}

/* The leading digits, at most `max_digits` of them; -1: none. */
static int read_digits(struct span *span, int max_digits)
{
    int value = 0;
    int n = 0;
    for (; n < max_digits && span->length > 0 && is_digit(span->at[0]); n++) {
        value = value * 10 + (span->at[0] - '0');
        span_skip(span, 1);
    }
    return n > 0 ? value : -1;
}

enum parse_result parse_month(const char *text, size_t length, double *ret_value)
{
    struct span span = span_trim(text, length);
    if (span.length == 0 || span_is_missing_word(span))
        return PARSE_MISSING;
    int year = read_digits(&span, 4);
    if (year < 1900 || year > 2999 || span.length == 0)
        return PARSE_BAD;
    char mark = span.at[0];
    if (mark != '-' && mark != '/')
        return PARSE_BAD;
    span_skip(&span, 1);
    int month = read_digits(&span, 2);
    if (month < 1 || month > 12)
        return PARSE_BAD;
    if (span.length > 0) {
        if (span.at[0] != mark)
            return PARSE_BAD;
        span_skip(&span, 1);
        int day = read_digits(&span, 2);
        if (day < 1 || day > 31)
            return PARSE_BAD;
        if (span.length > 0 && span.at[0] != 'T' && span.at[0] != ' ')
            return PARSE_BAD;
    }
    *ret_value = 12.0 * year + month - 1;
    return PARSE_OK;
}

void parse_format_month(double month, char ret_text[static 8])
{
    if (!(month >= 0 && month < 12.0 * 10000)) {
        ret_text[0] = '\0';
        return;
    }
    unsigned whole = (unsigned)month;
    snprintf(ret_text, 8, "%04u-%02u", whole / 12 % 10000, whole % 12 + 1);
}

static enum status parse_text(const struct profile_field *field, const char *text, size_t length,
                              struct profile *profile, struct error *err)
{
    struct span span = {text, length};
    span_skip_blanks(&span);
    bool is_handle = field->index == PROFILE_handle;
    if (is_handle && span.length > 0 && span.at[0] == '@')
        span_skip(&span, 1);
    profile->text[field->index] = NULL;
    if (span.length == 0 || (!is_handle && parse_is_missing(span.at, span.length)))
        return STATUS_OK;
    if (span.length > field->max_bytes)
        return fail_field(err, STATUS_INVALID, field->name, "must have at most %zu bytes, got %zu",
                          field->max_bytes, span.length);
    if (!text_is_utf8(span.at, span.length) || memchr(span.at, '\0', span.length))
        return fail_field(err, STATUS_INVALID, field->name, "must be well-formed UTF-8");
    profile->text[field->index] = span.at;
    return STATUS_OK;
}

static const char *kind_wanted(enum profile_kind kind)
{
    switch (kind) {
    case PROFILE_FLAG:
        return "yes or no";
    case PROFILE_MONTH:
        return "a month (YYYY-MM)";
    case PROFILE_COUNT:
        return "a whole number";
    case PROFILE_TEXT:
    case PROFILE_MEAN:
    case PROFILE_RATE:
    case PROFILE_VALUE:
        break;
    }
    return "a number";
}

static enum parse_result parse_number(enum profile_kind kind, const char *text, size_t length,
                                      double *ret_value)
{
    if (kind == PROFILE_FLAG)
        return parse_flag(text, length, ret_value);
    if (kind == PROFILE_MONTH)
        return parse_month(text, length, ret_value);
    struct quantity quantity;
    enum parse_result result = parse_quantity(text, length, &quantity);
    if (result != PARSE_OK)
        return result;
    if (quantity.is_percent && kind != PROFILE_RATE)
        return PARSE_BAD;
    bool is_count = kind == PROFILE_COUNT;
    if (is_count && quantity.has_suffix)
        quantity.value = round(quantity.value);
    if (is_count && quantity.value != floor(quantity.value))
        return PARSE_BAD;
    *ret_value = quantity.value;
    return PARSE_OK;
}

enum status parse_field(const struct profile_field *field, const char *text, size_t length,
                        struct profile *profile, struct error *err)
{
    if (field->kind == PROFILE_TEXT)
        return parse_text(field, text, length, profile, err);
    double value = MISSING;
    switch (parse_number(field->kind, text, length, &value)) {
    case PARSE_OK:
        TRY(profile_check_number(field, value, err));
        break;
    case PARSE_MISSING:
        value = MISSING;
        break;
    case PARSE_BAD:
        return fail_field(err, STATUS_INVALID, field->name, "must be %s, got '%.*s'",
                          kind_wanted(field->kind), (int)(length < 64 ? length : 64), text);
    }
    profile->number[field->index] = value;
    return STATUS_OK;
}
