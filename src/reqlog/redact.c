/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/redact.h"

#include <string.h>

#include "base/cleanup.h"

#define WITHHELD "\"(withheld)\""

struct scan {
    const char *text;
    size_t length, at;
    const struct key *key;
    struct buffer *out;
    bool keeps;   /* strings of the member under way tell nobody */
    bool is_next; /* right behind its colon */
};

/* Members whose strings are not people's: of profiles, answers and errors. */
static const char *const kept[] = {
    "category", "country", "audience_country", "tier",       "snapshot",  "model",
    "code",     "field",   "target",           "claimed",    "predicted", "imputed",
    "feature",  "part",    "datatype",         "request_id",
};

/* Index behind the string that begins (with its quote) at `at`; 0: it does not end. */
static size_t string_end(const struct scan *scan, size_t at)
{
    for (size_t i = at + 1; i < scan->length; i++) {
        if (scan->text[i] == '\\')
            i++;
        else if (scan->text[i] == '"')
            return i + 1;
    }
    return 0;
}

static void put_handle(struct scan *scan, const char *handle, size_t length)
{
    char hash[KEY_HANDLE_BYTES];
    key_hash_handle(scan->key, handle, length, hash);
    buffer_put_text(scan->out, hash);
}

static bool is_word(const struct scan *scan, size_t from, size_t to, const char *word)
{
    return to - from == strlen(word) && memcmp(scan->text + from, word, to - from) == 0;
}

static size_t skip_spaces(const struct scan *scan, size_t at)
{
    while (at < scan->length && strchr(" \t\r\n", scan->text[at]) && scan->text[at])
        at++;
    return at;
}

/* The value behind a member's name: one string, or an array of them, each through `put`. */
static bool replace_strings(struct scan *scan, void (*put)(struct scan *, const char *, size_t))
{
    size_t depth = 0;
    for (;;) {
        scan->at = skip_spaces(scan, scan->at);
        char c = scan->at < scan->length ? scan->text[scan->at] : '\0';
        if (c == '"') {
            size_t end = string_end(scan, scan->at);
            if (end == 0)
                return false;
            buffer_put_char(scan->out, '"');
            put(scan, scan->text + scan->at + 1, end - scan->at - 2);
            buffer_put_char(scan->out, '"');
            scan->at = end;
        } else if (c == '[' || c == ']' || (c == ',' && depth > 0)) {
            depth += c == '[';
            depth -= c == ']' && depth > 0;
            buffer_put_char(scan->out, c);
            scan->at++;
        } else {
            return true; /* a number, null, the next member */
        }
        if (depth == 0)
            return true;
    }
}

static void put_dash(struct scan *scan, const char *text, size_t length)
{
    (void)text;
    (void)length;
    buffer_put_char(scan->out, '-');
}

static bool is_kept(const struct scan *scan, size_t from, size_t to)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++)
        if (is_word(scan, from, to, kept[i]))
            return true;
    return false;
}

/* "12.4K", "3,4 %": as people write numbers. */
static bool is_figure(const struct scan *scan, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (!scan->text[i] || !strchr("0123456789.,+-%kKmMbB ", scan->text[i]))
            return false;
    return to - from < 24;
}

/* Whatever is not known to be nobody's. */
static void take_value(struct scan *scan, size_t begin, size_t end)
{
    bool tells_nobody = scan->keeps || (scan->is_next && is_figure(scan, begin + 1, end - 1));
    buffer_put_char(scan->out, '"');
    if (tells_nobody)
        buffer_put(scan->out, scan->text + begin + 1, end - begin - 2);
    else
        buffer_put_char(scan->out, '-');
    buffer_put_char(scan->out, '"');
    scan->is_next = false;
}

/* A string at scan->at; when it is the name of a member that tells who, its value as well. */
static bool take_string(struct scan *scan)
{
    size_t begin = scan->at;
    size_t end = string_end(scan, begin);
    if (end == 0)
        return false;
    scan->at = skip_spaces(scan, end);
    if (scan->at >= scan->length || scan->text[scan->at] != ':') {
        take_value(scan, begin, end);
        return true;
    }
    buffer_put(scan->out, scan->text + begin, end - begin);
    if (memchr(scan->text + begin, '\\', end - begin))
        return false; /* "\u0068andle" is a way to write it */
    buffer_put_char(scan->out, ':');
    scan->at++;
    if (is_word(scan, begin + 1, end - 1, "handle") || is_word(scan, begin + 1, end - 1, "exclude"))
        return replace_strings(scan, put_handle);
    if (is_word(scan, begin + 1, end - 1, "name"))
        return replace_strings(scan, put_dash);
    scan->keeps = is_kept(scan, begin + 1, end - 1);
    scan->is_next = true;
    return true;
}

/* A number, true, false or null. Tensors in binary may follow the JSON, and hold anything. */
static bool take_word(struct scan *scan)
{
    size_t begin = scan->at;
    while (scan->at < scan->length && scan->text[scan->at] &&
           strchr("0123456789.+-abcdefghijklmnopqrstuvwxyzE", scan->text[scan->at]))
        scan->at++;
    buffer_put(scan->out, scan->text + begin, scan->at - begin);
    scan->is_next = false;
    if (is_word(scan, begin, scan->at, "true") || is_word(scan, begin, scan->at, "false") ||
        is_word(scan, begin, scan->at, "null"))
        return true;
    for (size_t i = begin; i < scan->at; i++)
        if (!strchr("0123456789.+-eE", scan->text[i]))
            return false;
    return scan->at > begin;
}

static bool redact_json(struct scan *scan)
{
    while (scan->at < scan->length) {
        char c = scan->text[scan->at];
        if (c == '"') {
            if (!take_string(scan))
                return false;
        } else if (c && strchr("{}[], \t\r\n", c)) {
            buffer_put_char(scan->out, c);
            scan->at++;
            scan->is_next = scan->is_next && strchr(" \t\r\n", c);
            scan->keeps = scan->keeps && c != ']' && c != '}';
        } else if (!take_word(scan)) {
            return false;
        }
    }
    return true;
}

/* /score?handle=x&k=5: what is escaped is hashed as it stands once its escapes are undone. */
static void put_query_handle(struct scan *scan, size_t from, size_t to)
{
    static const char digits[] = "0123456789abcdef";
    char plain[256];
    size_t n = 0;
    for (size_t i = from; i < to && n < sizeof plain; i++) {
        const char *high =
            scan->text[i] == '%' && i + 2 < to ? strchr(digits, scan->text[i + 1] | 32) : NULL;
        const char *low = high ? strchr(digits, scan->text[i + 2] | 32) : NULL;
        if (low && *high && *low) {
            plain[n++] = (char)((high - digits) * 16 + (low - digits));
            i += 2;
        } else {
            plain[n++] = scan->text[i];
        }
    }
    put_handle(scan, plain, n);
}

/* Paths that nobody knows may be anything. */
static void redact_target(struct scan *scan, const char *route)
{
    const char *mark = memchr(scan->text, '?', scan->length);
    size_t at = mark ? (size_t)(mark - scan->text) + 1 : scan->length;
    buffer_put_text(scan->out, route);
    if (mark)
        buffer_put_char(scan->out, '?');
    while (at < scan->length) {
        const char *next = memchr(scan->text + at, '&', scan->length - at);
        size_t end = next ? (size_t)(next - scan->text) : scan->length;
        const char *equals = memchr(scan->text + at, '=', end - at);
        size_t name_end = equals ? (size_t)(equals - scan->text) : end;
        if (is_word(scan, at, name_end, "handle") || is_word(scan, at, name_end, "exclude")) {
            buffer_put(scan->out, scan->text + at, name_end - at);
            buffer_put_char(scan->out, '=');
            put_query_handle(scan, name_end + (name_end < end), end);
        } else if (is_word(scan, at, name_end, "k") || is_word(scan, at, name_end, "limit") ||
                   is_word(scan, at, name_end, "explain")) {
            buffer_put(scan->out, scan->text + at, end - at);
        } else {
            buffer_put(scan->out, scan->text + at, name_end - at);
            buffer_put_text(scan->out, "=-");
        }
        if (next)
            buffer_put_char(scan->out, '&');
        at = end + 1;
    }
}

void redact(const char *text, size_t length, const char *route, const struct key *key,
            struct buffer *out)
{
    struct scan scan = {.text = text, .length = length, .key = key, .out = out};
    buffer_clear(out);
    size_t begin = skip_spaces(&scan, 0);
    if (length > 0 && text[0] == '/') {
        redact_target(&scan, route);
    } else if (begin == length || (text[begin] != '{' && text[begin] != '[') ||
               !redact_json(&scan)) {
        buffer_clear(out);
        buffer_put_text(out, WITHHELD);
    }
}
