/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Hashtags and brands of training rows as sparse rows of TF-IDF weights, over a vocabulary that is
 * learned from these rows and no others. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "runtime/text.h"

#define TEXT_MAX_VOCABULARY 20000

struct text_rows {
    struct arena memory; /* owns everything below but the vocabulary */
    const char **words;  /* [n_words] the most frequent first, ties by text */
    float *idf;          /* [n_words] ln((1 + rows) / (1 + rows with it)) + 1 */
    size_t n_words;
    struct text_vocabulary *vocabulary; /* owned */
    size_t *start;                      /* [n + 1] into word and weight */
    uint32_t *word;
    float *weight; /* each row has length 1, or no words */
};

/* words: [n]. Those of fewer than 3 rows are left out; no word at all is fine. */
enum status text_rows_init(struct text_rows *rows, const struct text_words *words, size_t n,
                           struct error *err);
void text_rows_deinit(struct text_rows *rows);
