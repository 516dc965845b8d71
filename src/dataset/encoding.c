/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/encoding.h"

#include <string.h>

#define REPLACEMENT 0xFFFD

static size_t put_utf8(char *at, uint32_t c)
{
    if (c < 0x80) {
        at[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        at[0] = (char)(0xC0 | c >> 6);
        at[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        at[0] = (char)(0xE0 | c >> 12);
        at[1] = (char)(0x80 | (c >> 6 & 0x3F));
        at[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    at[0] = (char)(0xF0 | c >> 18);
    at[1] = (char)(0x80 | (c >> 12 & 0x3F));
    at[2] = (char)(0x80 | (c >> 6 & 0x3F));
    at[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* ---- UTF-16 ---- */

void utf16_init(struct utf16_decoder *decoder, bool big_endian)
{
    *decoder = (struct utf16_decoder){.big_endian = big_endian, .odd_byte = -1};
}

static size_t put_unit(struct utf16_decoder *decoder, uint32_t unit, char *at)
{
    size_t n = 0;
    if (decoder->high != 0) {
        uint32_t high = decoder->high;
        decoder->high = 0;
        if (unit >= 0xDC00 && unit < 0xE000)
            return put_utf8(at, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
        n = put_utf8(at, REPLACEMENT);
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
        decoder->high = unit;
        return n;
    }
    return n + put_utf8(at + n, unit >= 0xDC00 && unit < 0xE000 ? REPLACEMENT : unit);
}

size_t utf16_decode(struct utf16_decoder *decoder, const unsigned char *bytes, size_t n,
                    char *ret_text)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (decoder->odd_byte < 0) {
            decoder->odd_byte = bytes[i];
            continue;
        }
        uint32_t first = (uint32_t)decoder->odd_byte;
        uint32_t unit =
            decoder->big_endian ? first << 8 | bytes[i] : first | (uint32_t)bytes[i] << 8;
        decoder->odd_byte = -1;
        length += put_unit(decoder, unit, ret_text + length);
    }
    return length;
}

size_t utf16_finish(struct utf16_decoder *decoder, char *ret_text)
{
    bool cut = decoder->odd_byte >= 0 || decoder->high != 0;
    decoder->odd_byte = -1;
    decoder->high = 0;
    return cut ? put_utf8(ret_text, REPLACEMENT) : 0;
}

size_t utf8_cut(const char *text, size_t length, size_t max)
{
    if (length <= max)
        return length;
    length = max;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

/* ---- one field ---- */

/* windows-1252, 0x80 to 0x9F; the five bytes that it leaves undefined stay C1 controls, as browsers
 * have it (WHATWG Encoding). */
static const uint16_t windows_1252[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

static uint32_t from_windows_1252(unsigned char byte)
{
    return byte >= 0x80 && byte < 0xA0 ? windows_1252[byte - 0x80] : byte;
}

/* The byte that stands for `c`, or -1. */
static int to_windows_1252(uint32_t c)
{
    if (c < 0x100) /* C1 controls too: some programs take latin-1 for the outer encoding */
        return (int)c;
    for (int i = 0; i < 32; i++)
        if (windows_1252[i] == c)
            return 0x80 + i;
    return -1;
}

/* All bytes between 0x20 and 0x7E or so: nothing to do. Eight at a time. */
static bool is_plain(const char *bytes, size_t n)
{
    const uint64_t high = 0x8080808080808080u;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        uint64_t below_space = (word - 0x2020202020202020u) & ~word;
        if ((word | below_space) & high)
            return false;
    }
    for (; i < n; i++)
        if ((unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] >= 0x80)
            return false;
    return true;
}

static bool has_multibyte(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t step = text_utf8_step(bytes + i, n - i, &c);
        if (step > 1)
            return true;
        i += step > 0 ? step : 1;
    }
    return false;
}

/* Well-formed UTF-8 into `out`, whatever comes in. */
static unsigned decode(const char *bytes, size_t n, struct buffer *out)
{
    unsigned found = 0;
    bool is_utf8 = text_is_utf8(bytes, n);
    bool is_8bit = !is_utf8 && !has_multibyte(bytes, n);
    if (is_utf8) {
        buffer_put(out, bytes, n);
        return 0;
    }
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t step = is_8bit ? 0 : text_utf8_step(bytes + i, n - i, &c);
        if (step == 0) {
            c = is_8bit ? from_windows_1252((unsigned char)bytes[i]) : REPLACEMENT;
            step = 1;
        }
        char text[4];
        buffer_put(out, text, put_utf8(text, c));
        i += step;
    }
    found |= is_8bit ? CELL_8BIT : CELL_MALFORMED;
    return found;
}

/* Undo one encoding too many in text[from..]: each run of characters beyond ASCII whose
 * windows-1252 bytes are well-formed UTF-8 becomes what these say. Works in place: the text only
 * shrinks. */
static bool undo_double_encoding(struct buffer *text, size_t from)
{
    bool changed = false;
    size_t to = from;
    for (size_t i = from; i < text->length;) {
        char run[256];
        size_t n_run = 0;
        size_t end = i;
        while (end < text->length && n_run < sizeof run) {
            uint32_t c;
            size_t step = text_utf8_step(text->at + end, text->length - end, &c);
            int byte = step > 1 ? to_windows_1252(c) : -1;
            if (byte < 0)
                break;
            run[n_run++] = (char)byte;
            end += step;
        }
        if (n_run >= 2 && text_is_utf8(run, n_run)) {
            memcpy(text->at + to, run, n_run);
            to += n_run;
            i = end;
            changed = true;
            continue;
        }
        size_t step = end > i ? end - i : 1;
        memmove(text->at + to, text->at + i, step);
        to += step;
        i += step;
    }
    text->length = to;
    return changed;
}

/* NULs dropped, other controls to spaces, in place. */
static unsigned replace_controls(struct buffer *text, size_t from, size_t *ret_line_breaks)
{
    size_t to = from;
    size_t breaks = 0;
    unsigned found = 0;
    for (size_t i = from; i < text->length; i++) {
        char c = text->at[i];
        if (c == '\0') {
            found = CELL_NUL;
            continue;
        }
        if (c == '\r' && i + 1 < text->length && text->at[i + 1] == '\n')
            continue; /* the two are one line break */
        breaks += c == '\n' || c == '\r';
        text->at[to++] = (unsigned char)c < 0x20 || c == 0x7F ? ' ' : c;
    }
    text->length = to;
    if (ret_line_breaks)
        *ret_line_breaks = breaks;
    return found;
}

/* Bytes of the blank at the start (or that end at `end`): space, no-break space, zero-width marks.
 */
static size_t blank_at(const char *text, size_t n)
{
    if (n >= 1 && text[0] == ' ')
        return 1;
    if (n >= 2 && memcmp(text, "\xC2\xA0", 2) == 0)
        return 2;
    if (n >= 3 && (memcmp(text, "\xE2\x80\x8B", 3) == 0 || memcmp(text, "\xEF\xBB\xBF", 3) == 0))
        return 3;
    return 0;
}

static void trim(struct buffer *text, size_t from)
{
    size_t step;
    size_t start = from;
    while ((step = blank_at(text->at + start, text->length - start)) > 0)
        start += step;
    size_t end = text->length;
    for (size_t width = 1; width <= 3;) {
        if (end - start >= width && blank_at(text->at + end - width, width) == width) {
            end -= width;
            width = 1;
        } else {
            width++;
        }
    }
    memmove(text->at + from, text->at + start, end - start);
    text->length = from + (end - start);
}

/* ="text", by which spreadsheets keep a number's zeros, becomes the text. */
static void unwrap_formula(struct buffer *text, size_t from)
{
    const char *cell = text->at + from;
    size_t n = text->length - from;
    if (n < 3 || memcmp(cell, "=\"", 2) != 0 || memchr(cell + 2, '"', n - 2) != cell + n - 1)
        return;
    memmove(text->at + from, cell + 2, n - 3);
    text->length = from + n - 3;
}

unsigned cell_clean(const char *bytes, size_t n, struct buffer *out, size_t *ret_line_breaks)
{
    if (ret_line_breaks)
        *ret_line_breaks = 0;
    size_t from = out->length;
    if (is_plain(bytes, n)) {
        while (n > 0 && bytes[0] == ' ') {
            bytes++;
            n--;
        }
        while (n > 0 && bytes[n - 1] == ' ')
            n--;
        buffer_put(out, bytes, n);
        if (!out->failed)
            unwrap_formula(out, from);
        return 0;
    }
    unsigned found = decode(bytes, n, out);
    if (out->failed)
        return found;
    /* Twice at most: each pass undoes one encoding. */
    for (int pass = 0; pass < 2 && undo_double_encoding(out, from); pass++)
        found |= CELL_DOUBLE_ENCODED;
    found |= replace_controls(out, from, ret_line_breaks);
    trim(out, from);
    unwrap_formula(out, from);
    if (found == 0 && !is_plain(out->at + from, out->length - from))
        found = CELL_UTF8;
    return found;
}

size_t entities_decode(const char *text, size_t length, char *ret_text, size_t size)
{
    static const struct {
        const char *entity;
        const char *text;
    } entities[] = {
        {"&amp;", "&"}, {"&lt;", "<"},   {"&gt;", ">"},   {"&quot;", "\""}, {"&apos;", "'"},
        {"&#39;", "'"}, {"&#039;", "'"}, {"&nbsp;", " "}, {"&#38;", "&"},   {"&#34;", "\""},
    };
    size_t n = 0;
    bool found = false;
    for (size_t i = 0; i < length;) {
        if (n + 1 >= size)
            return 0;
        size_t step = 0;
        for (size_t k = 0; k < sizeof entities / sizeof entities[0] && text[i] == '&'; k++) {
            size_t bytes = strlen(entities[k].entity);
            if (bytes > length - i || memcmp(text + i, entities[k].entity, bytes) != 0)
                continue;
            ret_text[n++] = entities[k].text[0];
            step = bytes;
            found = true;
            break;
        }
        if (step == 0) {
            ret_text[n++] = text[i];
            step = 1;
        }
        i += step;
    }
    ret_text[n] = '\0';
    return found ? n : 0;
}
