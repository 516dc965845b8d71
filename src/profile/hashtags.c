/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/hashtags.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Punctuation, spaces and symbols beyond ASCII; emoji are part of hashtags. */
static bool is_tag_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    bool is_symbol = c < 0xAA || (c > 0xAA && c < 0xB5) || (c > 0xB5 && c < 0xBA) ||
                     (c > 0xBA && c < 0xC0) || c == 0xD7 || c == 0xF7 ||
                     (c >= 0x2000 && c < 0x200C) || (c > 0x200D && c < 0x2070) ||
                     (c >= 0x3000 && c < 0x3005) || (c >= 0x3008 && c < 0x3021) ||
                     (c >= 0xFF01 && c < 0xFF10) || c == 0xFEFF || c == 0xFFFD;
    return !is_symbol;
}

static uint32_t lower(uint32_t c)
{
    bool by_32 = (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE) || (c >= 0x391 && c <= 0x3A9) ||
                 (c >= 0x410 && c <= 0x42F);
    if (by_32)
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40F)
        return c + 0x50;
    bool paired = (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131);
    return paired ? c | 1 : c;
}

/* One- and two-byte characters only change, and stay as long as they are. */
static void put_lower(const char *bytes, size_t step, uint32_t c, char *to)
{
    uint32_t folded = lower(c);
    if (folded == c || step > 2) {
        memcpy(to, bytes, step);
    } else if (step == 1) {
        to[0] = (char)folded;
    } else {
        to[0] = (char)(0xC0 | folded >> 6);
        to[1] = (char)(0x80 | (folded & 0x3F));
    }
}

struct hashtags hashtags_of(const char *text)
{
    return (struct hashtags){.at = text};
}

struct hashtags hashtags_of_caption(const char *text)
{
    return (struct hashtags){.at = text, .marked = true};
}

struct hashtags hashtags_of_accounts(const char *text)
{
    return (struct hashtags){.at = text, .accounts = true};
}

/* To the first letter of a hashtag, or the end. */
static void skip(struct hashtags *tags, size_t *n)
{
    bool is_behind_mark = !tags->marked;
    while (*n > 0) {
        uint32_t c;
        size_t step = text_utf8_step(tags->at, *n, &c);
        if (step > 0 && is_tag_letter(c) && is_behind_mark)
            return;
        if (tags->marked)
            is_behind_mark = *tags->at == '#';
        tags->at += step ? step : 1;
        *n -= step ? step : 1;
    }
}

bool hashtags_next(struct hashtags *tags)
{
    size_t n = strlen(tags->at);
    tags->length = 0;
    skip(tags, &n);
    if (n > 0 && tags->accounts)
        tags->text[tags->length++] = '@';
    bool is_cut = false;
    while (n > 0) {
        uint32_t c;
        size_t step = text_utf8_step(tags->at, n, &c);
        if (step == 0 || !(is_tag_letter(c) || (tags->accounts && c == '.')))
            break;
        is_cut |= tags->length + step >= HASHTAG_BYTES;
        if (!is_cut) {
            put_lower(tags->at, step, c, tags->text + tags->length);
            tags->length += step;
        }
        tags->at += step;
        n -= step;
    }
    tags->text[tags->length] = '\0';
    return tags->length > 0;
}
