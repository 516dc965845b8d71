/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "profile/hashtags.h"

/* Open addressing; size is a power of two, at most half full. */
struct text_vocabulary {
    const char *const *words; /* borrowed */
    uint32_t *slots;          /* [size] 1 + number, or 0; owned */
    size_t size;
};

static size_t find_slot(const struct text_vocabulary *vocabulary, const char *word, size_t length)
{
    size_t mask = vocabulary->size - 1;
    size_t slot = hash_xxh3(word, length) & mask;
    while (vocabulary->slots[slot] != 0 &&
           strcmp(vocabulary->words[vocabulary->slots[slot] - 1], word) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

enum status text_vocabulary_new(const char *const *words, size_t n,
                                struct text_vocabulary **ret_vocabulary, struct error *err)
{
    AUTO(text_vocabulary_free_slot)
    struct text_vocabulary *vocabulary = calloc(1, sizeof *vocabulary);
    if (!vocabulary)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    vocabulary->words = words;
    vocabulary->size = 4;
    while (vocabulary->size < 2 * n)
        vocabulary->size *= 2;
    vocabulary->slots = calloc(vocabulary->size, sizeof *vocabulary->slots);
    if (!vocabulary->slots)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        size_t slot = find_slot(vocabulary, words[i], strlen(words[i]));
        if (vocabulary->slots[slot] != 0)
            return fail(err, STATUS_INVALID, "the word '%s' stands twice", words[i]);
        vocabulary->slots[slot] = (uint32_t)i + 1;
    }
    *ret_vocabulary = STEAL(vocabulary);
    return STATUS_OK;
}

void text_vocabulary_free(struct text_vocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    free(vocabulary->slots);
    free(vocabulary);
}

static bool contains(const uint32_t *words, size_t n, uint32_t word)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] == word)
            return true;
    return false;
}

static size_t find_all(const struct text_vocabulary *vocabulary, struct hashtags tags,
                       uint32_t *words, size_t n)
{
    while (n < TEXT_MAX_WORDS && hashtags_next(&tags)) {
        uint32_t found = vocabulary->slots[find_slot(vocabulary, tags.text, tags.length)];
        if (found != 0 && !contains(words, n, found - 1))
            words[n++] = found - 1;
    }
    return n;
}

size_t text_vocabulary_find(const struct text_vocabulary *vocabulary,
                            const struct text_words *words, uint32_t *ret_words)
{
    size_t n = 0;
    if (words->hashtags)
        n = find_all(vocabulary, hashtags_of(words->hashtags), ret_words, n);
    if (words->brands)
        n = find_all(vocabulary, hashtags_of_accounts(words->brands), ret_words, n);
    return n;
}

void text_weigh(const float *idf, const uint32_t *words, size_t n_words, float *ret_weight)
{
    double square = 0;
    for (size_t i = 0; i < n_words; i++)
        square += (double)idf[words[i]] * (double)idf[words[i]];
    for (size_t i = 0; i < n_words; i++)
        ret_weight[i] = (float)((double)idf[words[i]] / sqrt(square));
}
