/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/parse.h"
#include "profile/span.h"

/* Digits with a decimal exponent: value = digits * 10^exponent. */
struct decimal {
    char digits[48];
    size_t n_digits;
    int exponent;
};

#define MAX_SEPARATORS 16

/* The body of a number: its digits, and where the marks between them stand. */
struct body {
    struct decimal number; /* all digits, the exponent not yet known */
    size_t n_marks;
    struct {
        char mark;       /* '.', ',', or ' ' for whatever only ever groups */
        size_t n_before; /* digits before it */
    } marks[MAX_SEPARATORS];
};

/* Bytes of a mark that stands between two digits, its kind in *ret_mark; 0: none. */
static size_t mark_step(struct span span, char *ret_mark)
{
    size_t step = span_blank_step(span);
    if (step == 0 && span.length > 0 && (span.at[0] == '\'' || span.at[0] == '_'))
        step = 1;
    if (step == 0 && span_starts_with(span, "\xE2\x80\x99", 3))
        step = 3; /* the typographic apostrophe */
    *ret_mark = ' ';
    if (step == 0 && span.length > 0 && (span.at[0] == '.' || span.at[0] == ',')) {
        *ret_mark = span.at[0];
        step = 1;
    }
    if (step == 0 || (*ret_mark == ' ' && !(span.length > step && is_digit(span.at[step]))))
        return 0;
    return step;
}

static bool read_body(struct span *span, struct body *ret_body)
{
    struct body *body = ret_body;
    body->n_marks = 0;
    body->number.n_digits = 0;
    while (span->length > 0) {
        if (is_digit(span->at[0])) {
            if (body->number.n_digits == sizeof body->number.digits)
                return false;
            body->number.digits[body->number.n_digits++] = span->at[0];
            span_skip(span, 1);
            continue;
        }
        char mark;
        size_t step = mark_step(*span, &mark);
        if (step == 0)
            break;
        if (body->n_marks == MAX_SEPARATORS)
            return false;
        body->marks[body->n_marks].mark = mark;
        body->marks[body->n_marks++].n_before = body->number.n_digits;
        span_skip(span, step);
    }
    return body->number.n_digits > 0;
}

static size_t digits_behind(const struct body *body, size_t mark)
{
    size_t end = mark + 1 < body->n_marks ? body->marks[mark + 1].n_before : body->number.n_digits;
    return end - body->marks[mark].n_before;
}

/* The first n marks group thousands: one kind, 1-3 digits first, then threes (or, with commas, the
 * Indian twos with a final three). */
static bool is_grouped(const struct body *body, size_t n)
{
    if (n == 0)
        return true;
    if (body->marks[0].n_before == 0 || body->marks[0].n_before > 3)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool is_last = i + 1 == n;
        size_t digits = digits_behind(body, i);
        bool indian = body->marks[0].mark == ',' && !is_last && digits == 2;
        if (body->marks[i].mark != body->marks[0].mark || (digits != 3 && !indian))
            return false;
    }
    return true;
}

/* Whether the last mark is the decimal one. */
static bool is_decimal_mark(const struct body *body, char decimal)
{
    size_t last = body->n_marks - 1;
    char mark = body->marks[last].mark;
    if (mark == ' ')
        return false;
    if (body->n_marks > 1)
        return body->marks[0].mark != mark;
    bool could_group = is_grouped(body, 1) && body->number.digits[0] != '0';
    if (decimal != 0)
        return mark == decimal || !could_group;
    return mark == '.' || !could_group;
}

static bool resolve_body(struct body *body, char decimal, struct quantity *quantity)
{
    body->number.exponent = 0;
    if (body->n_marks == 0)
        return true;
    size_t last = body->n_marks - 1;
    size_t n_groups = body->n_marks;
    if (is_decimal_mark(body, decimal)) {
        n_groups = last;
        size_t behind = digits_behind(body, last);
        body->number.exponent = -(int)behind;
        quantity->could_group = body->n_marks == 1 && behind == 3 && is_grouped(body, 1);
        if (!quantity->could_group && behind > 0)
            quantity->decimal = body->marks[last].mark;
    } else if (body->n_marks > 1 && body->marks[0].mark != ' ') {
        quantity->decimal = body->marks[0].mark == ',' ? '.' : ',';
    }
    return is_grouped(body, n_groups);
}

/* An exponent as spreadsheets write it: e8, E+08. */
static bool read_exponent(struct span *span, int *exponent)
{
    struct span rest = *span;
    if (rest.length < 2 || (rest.at[0] != 'e' && rest.at[0] != 'E'))
        return true;
    span_skip(&rest, 1);
    int sign = rest.at[0] == '-' ? -1 : 1;
    if (rest.at[0] == '-' || rest.at[0] == '+')
        span_skip(&rest, 1);
    int value = 0;
    size_t n_digits = 0;
    for (; rest.length > 0 && is_digit(rest.at[0]); span_skip(&rest, 1), n_digits++)
        if (value < 1000)
            value = value * 10 + (rest.at[0] - '0');
    if (n_digits == 0)
        return false;
    *exponent += sign * value;
    *span = rest;
    return true;
}

/* How people shorten large numbers. "mil" is missing on purpose: a thousand in Spanish, a million
 * to some in English. */
static const struct {
    const char *word; /* lower case */
    int exponent;
} suffixes[] = {
    {"k", 3},
    {"m", 6},
    {"b", 9},
    {"mn", 6},
    {"bn", 9},
    {"mm", 6},
    {"mio", 6},
    {"mln", 6},
    {"mi", 6},
    {"mill", 6},
    {"million", 6},
    {"millions", 6},
    {"billion", 9},
    {"billions", 9},
    {"bln", 9},
    {"bil", 9},
    {"mrd", 9},
    {"mia", 9},
    {"tsd", 3},
    {"thsd", 3},
    {"thousand", 3},
    {"thousands", 3},
    {"lakh", 5},
    {"lakhs", 5},
    {"crore", 7},
    {"crores", 7},
    {"cr", 7},
    {"\u0442\u044b\u0441", 3},
    {"\u043c\u043b\u043d", 6},
    {"\u043c\u043b\u0440\u0434", 9},
    {"\u4e07", 4},
    {"\u4ebf", 8},
    {"\ub9cc", 4},
    {"\uc5b5", 8},
};

static const char *const unit_words[] = {
    "followers", "follower", "subscribers", "subs",     "fans",    "following", "posts",
    "post",      "likes",    "views",       "comments", "percent", "pct",
};

/* The next word: letters up to a blank, a mark or the end. */
static struct span next_word(struct span span)
{
    struct span word = {span.at, 0};
    while (word.length < span.length) {
        struct span rest = {span.at + word.length, span.length - word.length};
        char c = rest.at[0];
        if (span_blank_step(rest) > 0 || c == '%' || c == '+' || c == '.' || c == ')')
            break;
        word.length++;
    }
    return word;
}

static bool read_suffix(struct span *span, int *exponent, struct quantity *quantity)
{
    struct span word = next_word(*span);
    for (size_t i = 0; word.length > 0 && i < ARRAY_LENGTH(suffixes); i++) {
        if (!span_equals_word(word, suffixes[i].word))
            continue;
        *exponent += suffixes[i].exponent;
        quantity->has_suffix = true;
        span_skip(span, word.length);
        if (span->length > 0 && span->at[0] == '.')
            span_skip(span, 1);
        span_skip_blanks(span);
        return true;
    }
    return true;
}

/* What may follow: "+", "%", a word for the unit. False when anything is left. */
static bool read_tail(struct span *span, int *exponent, struct quantity *quantity)
{
    if (span->length > 0 && span->at[0] == '+')
        span_skip(span, 1);
    span_skip_blanks(span);
    if (span->length == 0)
        return true;
    bool wide = span_starts_with(*span, "\xEF\xBC\x85", 3); /* the full-width mark */
    if (span->at[0] == '%' || wide) {
        *exponent -= 2;
        quantity->is_percent = true;
        span_skip(span, wide ? 3 : 1);
        return span->length == 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(unit_words); i++) {
        if (!span_equals_word(*span, unit_words[i]))
            continue;
        quantity->is_percent = unit_words[i][0] == 'p' && unit_words[i][1] != 'o';
        if (quantity->is_percent)
            *exponent -= 2;
        return true;
    }
    return false;
}

#define MAX_EXACT_DIGITS 15
#define MAX_EXACT_EXPONENT 22

/* whole * 10^exponent, correctly rounded: both factors are exact doubles (Clinger 1990, the fast
 * path). whole has at most MAX_EXACT_DIGITS digits, |exponent| is at most MAX_EXACT_EXPONENT. */
static double scale(uint64_t whole, int exponent)
{
    static const double powers[MAX_EXACT_EXPONENT + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    return exponent < 0 ? (double)whole / powers[-exponent] : (double)whole * powers[exponent];
}

static bool to_double(const struct decimal *number, double *ret_value)
{
    if (number->n_digits <= MAX_EXACT_DIGITS && number->exponent >= -MAX_EXACT_EXPONENT &&
        number->exponent <= MAX_EXACT_EXPONENT) {
        uint64_t whole = 0;
        for (size_t i = 0; i < number->n_digits; i++)
            whole = whole * 10 + (uint64_t)(number->digits[i] - '0');
        *ret_value = scale(whole, number->exponent);
        return true;
    }
    char text[80];
    int length = snprintf(text, sizeof text, "%.*se%d", (int)number->n_digits, number->digits,
                          number->exponent);
    return text_parse_number(text, (size_t)length, ret_value) && isfinite(*ret_value);
}

/* "~1.2M", and the apostrophe by which spreadsheets force text. */
static void skip_prefix(struct span *span)
{
    if (span->length > 1 && (span->at[0] == '~' || span->at[0] == '\''))
        span_skip(span, 1);
    else if (span_starts_with(*span, "\xE2\x89\x88", 3)) /* almost equal */
        span_skip(span, 3);
    span_skip_blanks(span);
}

static bool read_sign(struct span *span)
{
    if (span->length == 0)
        return false;
    bool wide = span_starts_with(*span, "\xE2\x88\x92", 3); /* the mathematical minus */
    if (span->at[0] != '-' && span->at[0] != '+' && !wide)
        return false;
    bool negative = span->at[0] != '+';
    span_skip(span, wide ? 3 : 1);
    return negative;
}

/* The common case in one pass: up to 15 digits with at most one point, then nothing, one of k, m,
 * b, or a percent mark. False, and nothing written, for everything else. */
static bool read_simple(struct span span, char decimal, struct quantity *ret_quantity)
{
    uint64_t whole = 0;
    size_t n_digits = 0;
    size_t i = 0;
    size_t point = SIZE_MAX;
    for (; i < span.length; i++) {
        char c = span.at[i];
        if (is_digit(c)) {
            whole = whole * 10 + (uint64_t)(c - '0');
            if (++n_digits > MAX_EXACT_DIGITS)
                return false;
        } else if (c == '.' && point == SIZE_MAX && decimal != ',' && i > 0) {
            point = i;
        } else {
            break;
        }
    }
    size_t n_behind = point == SIZE_MAX ? 0 : i - point - 1;
    if (n_digits == 0 || (point != SIZE_MAX && n_behind == 0))
        return false;
    struct quantity quantity = {0};
    int exponent = -(int)n_behind;
    if (i + 1 == span.length) {
        char c = span.at[i] | 0x20;
        quantity.is_percent = span.at[i] == '%';
        quantity.has_suffix = c == 'k' || c == 'm' || c == 'b';
        exponent += quantity.is_percent ? -2 : c == 'k' ? 3 : c == 'm' ? 6 : 9;
    }
    if (i + 1 < span.length || (i < span.length && !quantity.is_percent && !quantity.has_suffix))
        return false;
    quantity.could_group = n_behind == 3 && point <= 3;
    quantity.decimal = n_behind > 0 && !quantity.could_group ? '.' : 0;
    quantity.value = scale(whole, exponent);
    *ret_quantity = quantity;
    return true;
}

enum parse_result parse_quantity_decimal(const char *text, size_t length, char decimal,
                                         struct quantity *ret_quantity)
{
    struct span span = {text, length};
    if (read_simple(span, decimal, ret_quantity))
        return PARSE_OK;
    span = span_trim(text, length);
    if (span.length == 0)
        return PARSE_MISSING;
    struct span whole = span;
    struct quantity quantity = {0};
    struct body body;
    skip_prefix(&span);
    bool negative = read_sign(&span);
    if (!read_body(&span, &body))
        return span_is_missing_word(whole) ? PARSE_MISSING : PARSE_BAD;
    if (!resolve_body(&body, decimal, &quantity))
        return PARSE_BAD;
    int *exponent = &body.number.exponent;
    if (span.length > 0) {
        if (!read_exponent(&span, exponent))
            return PARSE_BAD;
        span_skip_blanks(&span);
        if (!read_suffix(&span, exponent, &quantity) || !read_tail(&span, exponent, &quantity))
            return PARSE_BAD;
    }
    if (!to_double(&body.number, &quantity.value))
        return PARSE_BAD;
    if (negative)
        quantity.value = -quantity.value;
    *ret_quantity = quantity;
    return PARSE_OK;
}

enum parse_result parse_quantity(const char *text, size_t length, struct quantity *ret_quantity)
{
    return parse_quantity_decimal(text, length, 0, ret_quantity);
}
