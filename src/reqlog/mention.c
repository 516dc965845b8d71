/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/mention.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n hex digits as a number, or -1. */
static long hex_number(const char *text, size_t length, size_t n)
{
    long value = 0;
    if (length < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int digit = hex_value(text[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* The character at `text` as up to three bytes of UTF-8, folded; returns the bytes that it took up
 * in the text. */
static size_t next_character(const char *text, size_t length, unsigned char ret_bytes[static 3],
                             size_t *ret_n)
{
    long code = -1;
    size_t taken = 1;
    if (text[0] == '%' && (code = hex_number(text + 1, length - 1, 2)) >= 0) {
        ret_bytes[0] = fold((unsigned char)code);
        *ret_n = 1;
        return 3;
    }
    if (length > 2 && text[0] == '\\' && text[1] == 'u' &&
        (code = hex_number(text + 2, length - 2, 4)) >= 0)
        taken = 6;
    if (code < 0x80) {
        ret_bytes[0] = fold(code < 0 ? (unsigned char)text[0] : (unsigned char)code);
        *ret_n = 1;
    } else if (code < 0x800) {
        ret_bytes[0] = (unsigned char)(0xC0 | code >> 6);
        ret_bytes[1] = (unsigned char)(0x80 | (code & 0x3F));
        *ret_n = 2;
    } else {
        ret_bytes[0] = (unsigned char)(0xE0 | code >> 12);
        ret_bytes[1] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        ret_bytes[2] = (unsigned char)(0x80 | (code & 0x3F));
        *ret_n = 3;
    }
    return taken;
}

static bool is_handle_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c >= 0x80;
}

/* Whether the handle stands at `text`, and ends there. */
static bool stands_at(const char *text, size_t length, const char *handle)
{
    unsigned char bytes[3];
    size_t n = 0;
    size_t at = 0;
    while (*handle) {
        if (at >= length)
            return false;
        at += next_character(text + at, length - at, bytes, &n);
        for (size_t i = 0; i < n; i++)
            if (bytes[i] != fold((unsigned char)*handle++))
                return false;
    }
    if (at < length) {
        next_character(text + at, length - at, bytes, &n);
        return !is_handle_byte(bytes[0]);
    }
    return true;
}

bool mention_find(const char *text, size_t length, const char *handle)
{
    handle += *handle == '@';
    if (!text || !*handle)
        return false;
    unsigned char before = 0;
    for (size_t i = 0; i < length;) {
        unsigned char bytes[3];
        size_t n = 0;
        if (!is_handle_byte(before) && stands_at(text + i, length - i, handle))
            return true;
        i += next_character(text + i, length - i, bytes, &n);
        before = bytes[n - 1];
    }
    return false;
}
