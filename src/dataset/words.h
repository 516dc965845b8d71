/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Headers as words, so that "Avg. Likes (in thousands)", "averageLikes" and "likes_avg" can be
 * compared. */
#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 16
#define WORD_BYTES 32

enum schema_unit {
    UNIT_AUTO,     /* decided by the cells */
    UNIT_PERCENT,  /* bare numbers are percent */
    UNIT_FRACTION, /* bare numbers are fractions */
    UNIT_THOUSANDS,
    UNIT_MILLIONS,
    UNIT_BILLIONS,
    UNIT_LENGTH,   /* the number is the length of the text */
    UNIT_PRESENCE, /* the flag is whether there is a text */
};

struct words {
    size_t n;
    char word[WORDS_MAX][WORD_BYTES]; /* lower case, without accents, in its plain form */
};

/* Split at everything but letters and digits, and where a small letter meets a capital. Words
 * beyond WORDS_MAX are left out; long ones are cut. */
void words_split(const char *text, struct words *ret_words);

/* Take a unit off the end: "(m)", "in millions", "%", "thousand". UNIT_AUTO: there is none. */
enum schema_unit words_take_unit(struct words *words);

/* Drop the words that add nothing: number, of, count, instagram, ... */
void words_drop_noise(struct words *words);

/* All words in one, "avglikes"; cut to the size. */
#define WORDS_KEY_BYTES 128
void words_join(const struct words *words, char ret_key[static WORDS_KEY_BYTES]);

/* The header as a name for a column: "60_day_eng_rate", "category_2". */
void words_fold_header(const char *text, char ret_name[static WORDS_KEY_BYTES]);
