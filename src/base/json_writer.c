/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/json.h"

struct json_writer json_writer(struct buffer *out)
{
    return (struct json_writer){.out = out};
}

static void new_line(struct json_writer *w)
{
    if (!w->pretty)
        return;
    buffer_put_char(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        buffer_put(w->out, "  ", 2);
}

static void before_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    uint64_t bit = (uint64_t)1 << (w->depth & 63);
    if (w->has_member & bit)
        buffer_put_char(w->out, ',');
    w->has_member |= bit;
    if (w->depth > 0)
        new_line(w);
}

static void begin(struct json_writer *w, char c)
{
    before_value(w);
    buffer_put_char(w->out, c);
    w->depth++;
    w->has_member &= ~((uint64_t)1 << (w->depth & 63));
}

static void end(struct json_writer *w, char c)
{
    bool empty = !(w->has_member & (uint64_t)1 << (w->depth & 63));
    w->depth--;
    if (!empty)
        new_line(w);
    buffer_put_char(w->out, c);
}

void json_begin_object(struct json_writer *w)
{
    begin(w, '{');
}

void json_end_object(struct json_writer *w)
{
    end(w, '}');
}

void json_begin_array(struct json_writer *w)
{
    begin(w, '[');
}

void json_end_array(struct json_writer *w)
{
    end(w, ']');
}

void json_put_key(struct json_writer *w, const char *key)
{
    before_value(w);
    json_quote(w->out, key, strlen(key));
    buffer_put_char(w->out, ':');
    if (w->pretty)
        buffer_put_char(w->out, ' ');
    w->after_key = true;
}

/* Eight characters at once, none of which needs an escape: no byte is below 0x20, a quote or a
 * backslash. A byte that borrowed from the one above may be taken for one that does, never the
 * other way round. */
static bool is_plain_eight(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, text, sizeof word);
    uint64_t quote = word ^ ones * '"';
    uint64_t backslash = word ^ ones * '\\';
    uint64_t low = (word - ones * 0x20) & ~word;
    low |= (quote - ones) & ~quote;
    low |= (backslash - ones) & ~backslash;
    return (low & ones * 0x80) == 0;
}

/* How many characters from the start need no escape. */
static size_t plain_run(const char *text, size_t length)
{
    size_t i = 0;
    while (length - i >= sizeof(uint64_t) && is_plain_eight(text + i))
        i += sizeof(uint64_t);
    for (; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == '"' || c == '\\')
            break;
    }
    return i;
}

static void escape(struct buffer *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    /* Pairs of (character, letter): a hit at an odd place is the letter of a pair. */
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    const char *found = c ? strchr(short_forms, c) : NULL;
    if (found && (found - short_forms) % 2 == 0) {
        char text[2] = {'\\', found[1]};
        buffer_put(out, text, sizeof text);
    } else {
        char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        buffer_put(out, text, sizeof text);
    }
}

void json_quote(struct buffer *out, const char *text, size_t length)
{
    if (!buffer_reserve(out, length + 2))
        return;
    out->at[out->length++] = '"';
    for (size_t i = 0;; i++) {
        size_t run = plain_run(text + i, length - i);
        buffer_put(out, text + i, run);
        i += run;
        if (i == length)
            break;
        escape(out, (unsigned char)text[i]);
    }
    buffer_put_char(out, '"');
}

void json_put_string_n(struct json_writer *w, const char *text, size_t length)
{
    before_value(w);
    json_quote(w->out, text, length);
}

void json_put_string(struct json_writer *w, const char *text)
{
    if (text)
        json_put_string_n(w, text, strlen(text));
    else
        json_put_null(w);
}

void json_put_number(struct json_writer *w, double value)
{
    if (!isfinite(value)) {
        json_put_null(w);
        return;
    }
    before_value(w);
    buffer_put_number(w->out, value);
}

void json_put_fixed(struct json_writer *w, double value, unsigned decimals)
{
    if (!isfinite(value)) {
        json_put_null(w);
        return;
    }
    before_value(w);
    buffer_put_fixed(w->out, value, decimals);
}

void json_put_integer(struct json_writer *w, int64_t value)
{
    before_value(w);
    buffer_put_integer(w->out, value);
}

void json_put_bool(struct json_writer *w, bool value)
{
    before_value(w);
    buffer_put_text(w->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *w)
{
    before_value(w);
    buffer_put_text(w->out, "null");
}

void json_put_raw(struct json_writer *w, const char *json, size_t length)
{
    before_value(w);
    buffer_put(w->out, json, length);
}

void json_put_value(struct json_writer *w, const struct json *value)
{
    switch (json_type(value)) {
    case JSON_ABSENT:
    case JSON_NULL:
        json_put_null(w);
        break;
    case JSON_BOOL:
        json_put_bool(w, json_bool_or(value, false));
        break;
    case JSON_NUMBER:
        json_put_number(w, json_number_or(value, 0));
        break;
    case JSON_STRING:
        json_put_string(w, json_string_or(value, NULL));
        break;
    case JSON_ARRAY:
        json_begin_array(w);
        for (const struct json *child = json_first(value); child; child = json_next(child))
            json_put_value(w, child);
        json_end_array(w);
        break;
    case JSON_OBJECT:
        json_begin_object(w);
        for (const struct json *child = json_first(value); child; child = json_next(child)) {
            json_put_key(w, json_key(child));
            json_put_value(w, child);
        }
        json_end_object(w);
        break;
    }
}

void json_member_string(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, key);
    json_put_string(w, text);
}

void json_member_number(struct json_writer *w, const char *key, double value)
{
    json_put_key(w, key);
    json_put_number(w, value);
}

void json_member_fixed(struct json_writer *w, const char *key, double value, unsigned decimals)
{
    json_put_key(w, key);
    json_put_fixed(w, value, decimals);
}

void json_member_integer(struct json_writer *w, const char *key, int64_t value)
{
    json_put_key(w, key);
    json_put_integer(w, value);
}

void json_member_bool(struct json_writer *w, const char *key, bool value)
{
    json_put_key(w, key);
    json_put_bool(w, value);
}
