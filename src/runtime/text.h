/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The words of a text model by number: one way from texts to words for training and serving.
 * Immutable; free to share between threads. */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

#define TEXT_MAX_WORDS 256 /* of a row; those behind are not looked at */

/* Whose words a row has. */
struct text_words {
    const char *hashtags; /* as PROFILE_hashtags; NULL: none */
    const char *brands;   /* as PROFILE_brands: words with an @; NULL: none */
};

struct text_vocabulary;

/* words: [n] in lower case, borrowed. STATUS_INVALID: one stands twice. */
enum status text_vocabulary_new(const char *const *words, size_t n,
                                struct text_vocabulary **ret_vocabulary, struct error *err);
void text_vocabulary_free(struct text_vocabulary *vocabulary);
DEFINE_SLOT(text_vocabulary_free, struct text_vocabulary)

/* The different known words in ret_words, [TEXT_MAX_WORDS], in the order of the texts, hashtags
 * before brands; returns how many. No allocation. */
size_t text_vocabulary_find(const struct text_vocabulary *vocabulary,
                            const struct text_words *words, uint32_t *ret_words);

/* Weights of those words by TF-IDF, of length 1: idf / sqrt(sum idf^2); a word counts once.
 * idf: [n] of the vocabulary. ret_weight: [n_words]. */
void text_weigh(const float *idf, const uint32_t *words, size_t n_words, float *ret_weight);
