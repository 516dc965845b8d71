/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/span.h"

#include "base/cleanup.h"

size_t span_blank_step(struct span span)
{
    if (span.length == 0)
        return 0;
    unsigned char c = (unsigned char)span.at[0];
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (c < 0x80)
        return 0;
    if (span_starts_with(span, "\xC2\xA0", 2))
        return 2;
    if (span_starts_with(span, "\xE2\x80\x89", 3) || span_starts_with(span, "\xE2\x80\xAF", 3))
        return 3;
    return 0;
}

void span_skip_blanks(struct span *span)
{
    for (size_t step; (step = span_blank_step(*span)) > 0;)
        span_skip(span, step);
}

struct span span_trim(const char *text, size_t length)
{
    struct span span = {text, length};
    span_skip_blanks(&span);
    for (;;) {
        size_t step = 0;
        for (size_t bytes = 1; bytes <= 3 && bytes <= span.length && step == 0; bytes++) {
            struct span tail = {span.at + span.length - bytes, bytes};
            if (span_blank_step(tail) == bytes)
                step = bytes;
        }
        if (step == 0)
            return span;
        span.length -= step;
    }
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool span_equals_word(struct span span, const char *word)
{
    for (size_t i = 0; i < span.length; i++)
        if (word[i] == '\0' || lower(span.at[i]) != word[i])
            return false;
    return word[span.length] == '\0';
}

bool span_is_missing_word(struct span span)
{
    static const char *const words[] = {
        "-",     "--",   "?",       "n/a",     "na",      "n.a.",   "#n/a",    "nan",
        "nan%",  "null", "none",    "nil",     "unknown", "\\n",    "missing", "not available",
        "#ref!", "n/d",  "#div/0!", "#value!", "#name?",  "<na>",   "n/a%",    "undefined",
        "???",   "---",  "\u2013",  "\u2014",  "nat",     "(null)", "(blank)", ".",
    };
    /* Nearly all texts start otherwise. */
    char first = span.length > 0 ? span.at[0] : '\0';
    if (span.length > 13 || !strchr("-?nN#<\\mMuU.(\xE2", first))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (span_equals_word(span, words[i]))
            return true;
    return false;
}
