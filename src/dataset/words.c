/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/words.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* U+00C0 to U+00FF without their accents; a space where there is no letter to stand for it. */
static const char latin_plain[] =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty";

static bool is_letter_or_digit(uint32_t c)
{
    bool is_symbol = (c >= 0x2000 && c < 0x2C00) || (c >= 0x3000 && c < 0x3040) ||
                     (c >= 0xFE00 && c < 0xFE10) || c >= 0x1F000;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c >= 0xC0 && !is_symbol);
}

static bool is_upper(uint32_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

/* A new word starts without a mark between: "avgLikes", "rate60d" (but "60d" is one). */
static bool is_seam(uint32_t before, uint32_t c)
{
    return (is_upper(c) && is_lower(before)) ||
           (is_digit(c) && is_lower(before) && !is_digit(before));
}

/* The character in lower case: ASCII, accented Latin letters, Cyrillic; others stay. */
static size_t fold(uint32_t c, const char *bytes, size_t n_bytes, char ret[static 4])
{
    if (is_upper(c))
        c += 'a' - 'A';
    if (c < 0x80) {
        ret[0] = (char)c;
        return 1;
    }
    if (c >= 0xC0 && c <= 0xFF && latin_plain[c - 0xC0] != ' ') {
        ret[0] = latin_plain[c - 0xC0];
        return 1;
    }
    memcpy(ret, bytes, n_bytes);
    if (c >= 0x410 && c <= 0x42F) {
        c += 0x20;
        ret[0] = (char)(0xC0 | c >> 6);
        ret[1] = (char)(0x80 | (c & 0x3F));
    }
    return n_bytes;
}

/* Forms of one word: the first stands for all. */
static void plain_form(char word[static WORD_BYTES])
{
    static const char *const forms[][2] = {
        {"average", "avg"},
        {"mean", "avg"},
        {"ave", "avg"},
        {"averaged", "avg"},
        {"follower", "followers"},
        {"like", "likes"},
        {"comment", "comments"},
        {"view", "views"},
        {"post", "posts"},
        {"subscriber", "subscribers"},
        {"eng", "engagement"},
        {"engagements", "engagement"},
        {"engag", "engagement"},
        {"auth", "authentic"},
        {"pct", "percent"},
        {"percentage", "percent"},
        {"perc", "percent"},
        {"account", "accounts"},
        {"fan", "fans"},
        {"video", "videos"},
        {"reel", "reels"},
        {"day", "days"},
        {"upload", "uploads"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (strcmp(word, forms[i][0]) == 0) {
            snprintf(word, WORD_BYTES, "%s", forms[i][1]);
            return;
        }
    }
}

static bool is_number(const char *word)
{
    return word[0] != '\0' && strspn(word, "0123456789") == strlen(word);
}

/* "60 days", "60d" and "60days" become the one word "ndays". */
static void join_days(struct words *words)
{
    size_t to = 0;
    for (size_t i = 0; i < words->n; i++) {
        char *word = words->word[i];
        const char *rest = word + strspn(word, "0123456789");
        bool glued = rest > word && (strcmp(rest, "d") == 0 || strcmp(rest, "day") == 0 ||
                                     strcmp(rest, "days") == 0);
        bool apart =
            is_number(word) && i + 1 < words->n &&
            (strcmp(words->word[i + 1], "days") == 0 || strcmp(words->word[i + 1], "d") == 0);
        if (glued || apart)
            snprintf(words->word[to], WORD_BYTES, "ndays");
        else if (to != i)
            memcpy(words->word[to], word, WORD_BYTES);
        to++;
        i += apart;
    }
    words->n = to;
}

static void end_word(struct words *words, char *word, size_t *length)
{
    if (*length == 0)
        return;
    word[*length] = '\0';
    *length = 0;
    if (words->n == WORDS_MAX)
        return;
    memcpy(words->word[words->n], word, WORD_BYTES);
    plain_form(words->word[words->n++]);
}

void words_split(const char *text, struct words *ret_words)
{
    struct words *words = ret_words;
    *words = (struct words){0};
    char word[WORD_BYTES] = "";
    size_t length = 0;
    uint32_t before = ' ';
    size_t n = strlen(text);
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t step = text_utf8_step(text + i, n - i, &c);
        if (step == 0)
            break;
        if (!is_letter_or_digit(c) || is_seam(before, c))
            end_word(words, word, &length);
        if (c == '%') {
            snprintf(word, sizeof word, "percent");
            length = strlen(word);
            end_word(words, word, &length);
        }
        char folded[4];
        size_t n_folded = is_letter_or_digit(c) ? fold(c, text + i, step, folded) : 0;
        if (length + n_folded < WORD_BYTES) {
            memcpy(word + length, folded, n_folded);
            length += n_folded;
        }
        before = c;
        i += step;
    }
    end_word(words, word, &length);
    join_days(words);
}

enum schema_unit words_take_unit(struct words *words)
{
    static const struct {
        const char *word;
        enum schema_unit unit;
    } units[] = {
        {"percent", UNIT_PERCENT},    {"fraction", UNIT_FRACTION},   {"k", UNIT_THOUSANDS},
        {"thousand", UNIT_THOUSANDS}, {"thousands", UNIT_THOUSANDS}, {"000s", UNIT_THOUSANDS},
        {"000", UNIT_THOUSANDS},      {"tsd", UNIT_THOUSANDS},       {"m", UNIT_MILLIONS},
        {"mn", UNIT_MILLIONS},        {"mm", UNIT_MILLIONS},         {"mio", UNIT_MILLIONS},
        {"mln", UNIT_MILLIONS},       {"million", UNIT_MILLIONS},    {"millions", UNIT_MILLIONS},
        {"b", UNIT_BILLIONS},         {"bn", UNIT_BILLIONS},         {"billion", UNIT_BILLIONS},
        {"billions", UNIT_BILLIONS},
    };
    if (words->n < 2)
        return UNIT_AUTO;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (strcmp(words->word[words->n - 1], units[i].word) == 0) {
            words->n--;
            return units[i].unit;
        }
    }
    return UNIT_AUTO;
}

void words_drop_noise(struct words *words)
{
    static const char *const noise[] = {
        "number",  "numbers",   "num",    "no",     "nr",        "nb",      "of",
        "the",     "a",         "an",     "count",  "counts",    "cnt",     "value",
        "values",  "instagram", "insta",  "ig",     "accounts",  "profile", "user",
        "current", "currently", "latest", "approx", "estimated", "est",     "in",
        "on",      "numeric",   "n",      "qty",    "clean",     "cleaned", "raw",
        "int",     "converted", "mostly", "amount", "exact",
    };
    size_t to = 0;
    for (size_t i = 0; i < words->n; i++) {
        bool is_noise = false;
        for (size_t k = 0; k < ARRAY_LENGTH(noise) && !is_noise; k++)
            is_noise = strcmp(words->word[i], noise[k]) == 0;
        if (is_noise)
            continue;
        if (to != i)
            memcpy(words->word[to], words->word[i], WORD_BYTES);
        to++;
    }
    words->n = to;
}

void words_join(const struct words *words, char ret_key[static WORDS_KEY_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < words->n; i++)
        for (const char *c = words->word[i]; *c && length + 1 < WORDS_KEY_BYTES; c++)
            ret_key[length++] = *c;
    ret_key[length] = '\0';
}

void words_fold_header(const char *text, char ret_name[static WORDS_KEY_BYTES])
{
    size_t length = 0;
    size_t n = strlen(text);
    bool gap = false;
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t step = text_utf8_step(text + i, n - i, &c);
        if (step == 0)
            break;
        if (is_letter_or_digit(c)) {
            if (gap && length > 0 && length + 1 < WORDS_KEY_BYTES)
                ret_name[length++] = '_';
            char folded[4];
            size_t n_folded = fold(c, text + i, step, folded);
            if (length + n_folded < WORDS_KEY_BYTES) {
                memcpy(ret_name + length, folded, n_folded);
                length += n_folded;
            }
            gap = false;
        } else {
            gap = true;
        }
        i += step;
    }
    ret_name[length] = '\0';
}
