/* SPDX-License-Identifier: Apache-2.0 */
/* Nearly every body is plain: it has no escape in it and nothing wrong. Such a text is copied once
 * and read in place, in one pass: its strings are ended where their quote stood. A third of what
 * the check and cJSON cost, which read the rest (json_parse.c). */
#include <endian.h>
#include <math.h>
#include <string.h>

#include "base/json_node.h"

/* Behind the copy, NULs: they end every run, so that no step asks for the end. */
#define PADDING 8

struct reader {
    char *at;
    struct arena *arena;
    unsigned depth;
};

static void skip_space(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')
        reader->at++;
}

static bool take(struct reader *reader, char c)
{
    skip_space(reader);
    if (*reader->at != c)
        return false;
    reader->at++;
    return true;
}

/* The first quote, backslash or control character: eight characters at once. The bit of a byte may
 * be set wrongly only behind one that is set rightly, as it is a borrow that sets it. */
static char *find_special(char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    for (;; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t quote = word ^ ones * '"';
        uint64_t backslash = word ^ ones * '\\';
        uint64_t found = (word - ones * 0x20) & ~word;
        found |= (quote - ones) & ~quote;
        found |= (backslash - ones) & ~backslash;
        found &= ones * 0x80;
        if (found)
            return at + __builtin_ctzll(found) / 8;
    }
}

static bool read_string(struct reader *reader, const char **ret_text)
{
    if (!take(reader, '"'))
        return false;
    char *end = find_special(reader->at);
    if (*end != '"')
        return false;
    *end = '\0';
    *ret_text = reader->at;
    reader->at = end + 1;
    return true;
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool read_number(struct reader *reader, double *ret_number)
{
    const char *start = reader->at;
    const char *whole = start + (*start == '-');
    const char *at = *whole == '0' ? whole + 1 : skip_digits(whole);
    if (at == whole)
        return false;
    if (*at == '.') {
        const char *decimals = at + 1;
        at = skip_digits(decimals);
        if (at == decimals)
            return false;
    }
    if ((*at | 32) == 'e') {
        at++;
        const char *exponent = at + (*at == '+' || *at == '-');
        at = skip_digits(exponent);
        if (at == exponent)
            return false;
    }
    reader->at += at - start;
    return at - start <= JSON_MAX_NUMBER_BYTES &&
           text_parse_number(start, (size_t)(at - start), ret_number) && isfinite(*ret_number);
}

static bool read_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool read_value(struct reader *reader, struct json *ret_value);

/* From behind the opening bracket to behind the closing one. */
static bool read_children(struct reader *reader, char close, struct json *ret_parent)
{
    if (++reader->depth > JSON_MAX_DEPTH)
        return false;
    struct json **link = &ret_parent->first;
    *link = NULL;
    if (!take(reader, close)) {
        do {
            struct json *child = arena_alloc(reader->arena, sizeof *child);
            if (!child)
                return false;
            *child = (struct json){0};
            if (close == '}' && !(read_string(reader, &child->key) && take(reader, ':')))
                return false;
            if (!read_value(reader, child))
                return false;
            *link = child;
            link = &child->next;
        } while (take(reader, ','));
        if (!take(reader, close))
            return false;
    }
    reader->depth--;
    const char *twice = NULL;
    return close != '}' || (json_find_duplicate(ret_parent, reader->arena, &twice) && !twice);
}

static bool read_value(struct reader *reader, struct json *ret_value)
{
    skip_space(reader);
    switch (*reader->at) {
    case '"':
        ret_value->type = JSON_STRING;
        return read_string(reader, &ret_value->text);
    case '{':
        ret_value->type = JSON_OBJECT;
        reader->at++;
        return read_children(reader, '}', ret_value);
    case '[':
        ret_value->type = JSON_ARRAY;
        reader->at++;
        return read_children(reader, ']', ret_value);
    case 't':
        ret_value->type = JSON_BOOL;
        ret_value->flag = true;
        return read_word(reader, "true");
    case 'f':
        ret_value->type = JSON_BOOL;
        ret_value->flag = false;
        return read_word(reader, "false");
    case 'n':
        ret_value->type = JSON_NULL;
        return read_word(reader, "null");
    default:
        ret_value->type = JSON_NUMBER;
        return read_number(reader, &ret_value->number);
    }
}

struct json *json_read_plain(const char *text, size_t length, struct arena *arena)
{
    if (!text_is_utf8(text, length))
        return NULL;
    char *copy = arena_alloc(arena, length + PADDING);
    struct json *root = ARENA_NEW(arena, struct json);
    if (!copy || !root)
        return NULL;
    memcpy(copy, text, length);
    memset(copy + length, 0, PADDING);
    struct reader reader = {.at = copy, .arena = arena};
    if (!read_value(&reader, root))
        return NULL;
    skip_space(&reader);
    return reader.at == copy + length ? root : NULL;
}
