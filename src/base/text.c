/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->at)
        buffer->at[0] = '\0';
}

bool buffer_grow(struct buffer *buffer, size_t bytes)
{
    if (buffer->failed)
        return false;
    size_t wanted = buffer->length + bytes + 1;
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity < wanted && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    char *at = bytes < SIZE_MAX / 4 ? realloc(buffer->at, capacity) : NULL;
    if (!at) {
        buffer->failed = true;
        return false;
    }
    buffer->at = at;
    buffer->capacity = capacity;
    return true;
}

void buffer_put(struct buffer *buffer, const void *data, size_t bytes)
{
    if (!buffer_reserve(buffer, bytes))
        return;
    if (bytes > 0)
        memcpy(buffer->at + buffer->length, data, bytes);
    buffer->length += bytes;
    buffer->at[buffer->length] = '\0';
}

void buffer_put_text(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    if (!buffer_reserve(buffer, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(buffer->at + buffer->length, (size_t)length + 1, format, args);
    va_end(args);
    buffer->length += (size_t)length;
}

/* Write the digits of `value` so that they end at `end`, two at a time; returns where they start.
 */
static char *digits_before(char *end, uint64_t value)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    for (; value >= 10; value /= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (value % 100), 2);
        if (value < 100)
            return end;
    }
    *--end = (char)('0' + value);
    return end;
}

void buffer_put_integer(struct buffer *buffer, int64_t value)
{
    char text[24];
    char *end = text + sizeof text;
    uint64_t magnitude = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    char *start = digits_before(end, magnitude);
    if (value < 0)
        *--start = '-';
    buffer_put(buffer, start, (size_t)(end - start));
}

/* Without trailing zeros; the sign of nothing is not written. Ends at `end`, which has
 * TEXT_NUMBER_BYTES before it; returns where it starts. */
static char *decimal_before(char *end, struct decimal decimal, bool negative)
{
    uint64_t digits = decimal.digits;
    size_t decimals = decimal.decimals;
    while (decimals > 0 && digits % 10 == 0) {
        digits /= 10;
        decimals--;
    }
    char *start = digits_before(end, digits);
    /* The units digit must stand before the point: 5 with two decimals is 0.05. */
    while ((size_t)(end - start) < decimals + 1)
        *--start = '0';
    if (decimals > 0) {
        size_t whole = (size_t)(end - start) - decimals;
        memmove(start - 1, start, whole);
        start--;
        start[whole] = '.';
    }
    if (negative && digits > 0)
        *--start = '-';
    return start;
}

void buffer_put_fixed(struct buffer *buffer, double value, unsigned decimals)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (!(fabs(value) < 1e9) || decimals >= sizeof powers / sizeof powers[0]) {
        buffer_put_number(buffer, value);
        return;
    }
    uint64_t scaled = (uint64_t)(fabs(value) * powers[decimals] + 0.5);
    char text[TEXT_NUMBER_BYTES];
    char *end = text + sizeof text;
    char *start = decimal_before(end, (struct decimal){scaled, decimals}, value < 0);
    buffer_put(buffer, start, (size_t)(end - start));
}

size_t text_format_number(double value, char ret_text[static TEXT_NUMBER_BYTES])
{
    if (isnan(value))
        return (size_t)snprintf(ret_text, TEXT_NUMBER_BYTES, "nan");
    if (isinf(value))
        return (size_t)snprintf(ret_text, TEXT_NUMBER_BYTES, value > 0 ? "inf" : "-inf");
    if (fabs(value) >= DECIMAL_MIN && fabs(value) < DECIMAL_MAX) {
        char text[TEXT_NUMBER_BYTES];
        char *end = text + sizeof text;
        char *start = decimal_before(end, decimal_shortest(fabs(value)), value < 0);
        memcpy(ret_text, start, (size_t)(end - start));
        ret_text[end - start] = '\0';
        return (size_t)(end - start);
    }
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(ret_text, TEXT_NUMBER_BYTES, "%.*g", digits, value);
        /* A host program of the library may have set a locale with a decimal comma. */
        for (char *c = ret_text; *c; c++)
            if (*c == ',')
                *c = '.';
        double back;
        if (text_parse_number(ret_text, (size_t)length, &back) && back == value)
            break;
    }
    return (size_t)length;
}

void buffer_put_number(struct buffer *buffer, double value)
{
    if (value == floor(value) && fabs(value) < 1e15) {
        buffer_put_integer(buffer, (int64_t)value);
        return;
    }
    char text[TEXT_NUMBER_BYTES];
    size_t length = text_format_number(value, text);
    buffer_put(buffer, text, length);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* sign? digits [. digits] [e sign? digits], at least one digit before the exponent. */
static bool is_plain_number(const char *text, size_t length)
{
    size_t i = 0;
    size_t n_digits = 0;
    if (i < length && (text[i] == '-' || text[i] == '+'))
        i++;
    for (; i < length && is_digit(text[i]); i++)
        n_digits++;
    if (i < length && text[i] == '.')
        for (i++; i < length && is_digit(text[i]); i++)
            n_digits++;
    if (n_digits == 0)
        return false;
    if (i < length && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < length && (text[i] == '-' || text[i] == '+'))
            i++;
        if (i == length || !is_digit(text[i]))
            return false;
        while (i < length && is_digit(text[i]))
            i++;
    }
    return i == length;
}

/* Clinger's exact case: a mantissa below 2^53 and a power of ten up to 22 are both exact doubles,
 * so that one division rounds once. */
static bool parse_exactly(const char *text, size_t length, double *ret_value)
{
    static const double powers[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    size_t i = text[0] == '-' || text[0] == '+';
    uint64_t mantissa = 0;
    size_t n_digits = 0;
    size_t n_decimals = 0;
    bool point = false;
    for (; i < length; i++) {
        if (text[i] == '.') {
            if (point)
                return false;
            point = true;
        } else if (is_digit(text[i])) {
            if (++n_digits > 18)
                return false;
            mantissa = mantissa * 10 + (uint64_t)(text[i] - '0');
            n_decimals += point;
        } else {
            return false;
        }
    }
    if (n_digits == 0 || mantissa > (1ull << 53))
        return false;
    double value = (double)mantissa / powers[n_decimals];
    *ret_value = text[0] == '-' ? -value : value;
    return true;
}

/* strtod reads the decimal sign of the host's locale: write that one into the copy. */
static double parse_slowly(const char *text, size_t length)
{
    char copy[512];
    char *heap = NULL;
    char *at = copy;
    if (length >= sizeof copy) {
        heap = malloc(length + 1);
        if (!heap)
            return NAN;
        at = heap;
    }
    char sample[8];
    snprintf(sample, sizeof sample, "%.1f", 0.5);
    for (size_t i = 0; i < length; i++)
        at[i] = text[i] == '.' ? sample[1] : text[i];
    at[length] = '\0';
    double value = strtod(at, NULL);
    free(heap);
    return value;
}

bool text_parse_number(const char *text, size_t length, double *ret_value)
{
    if (length == 0)
        return false;
    if (parse_exactly(text, length, ret_value))
        return true;
    if (!is_plain_number(text, length))
        return false;
    *ret_value = parse_slowly(text, length);
    return true;
}

bool text_parse_integer(const char *text, size_t length, int64_t *ret_value)
{
    size_t i = length > 0 && (text[0] == '-' || text[0] == '+');
    if (i == length)
        return false;
    int64_t value = 0;
    for (; i < length; i++) {
        if (!is_digit(text[i]))
            return false;
        int digit = text[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    /* Accumulated as a negative number, which has room for INT64_MIN. */
    if (text[0] != '-' && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *ret_value = value;
    return true;
}

size_t text_utf8_step(const char *text, size_t length, uint32_t *ret_code_point)
{
    const unsigned char *s = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (s[0] < 0x80) {
        *ret_code_point = s[0];
        return 1;
    }
    size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > length)
        return 0;
    uint32_t code = s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code_point = code;
    return n;
}

bool text_is_utf8(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint64_t eight;
        if (length - i >= sizeof eight) {
            memcpy(&eight, text + i, sizeof eight);
            if ((eight & 0x8080808080808080u) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        uint32_t code;
        size_t step = text_utf8_step(text + i, length - i, &code);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

bool text_equal_fold(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y)
            return false;
    }
    return *a == *b;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

size_t text_distance(const char *a, const char *b)
{
    enum {
        MOST = 64
    };
    size_t n = strnlen(a, MOST);
    size_t m = strnlen(b, MOST);
    size_t row[MOST + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[m];
}
