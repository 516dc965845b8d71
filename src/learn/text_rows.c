/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/text_rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "profile/hashtags.h"

#define MIN_ROWS 3 /* of a word */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the hashtags");
}

struct count {
    const char *word;
    uint32_t n_rows;
    uint32_t last_row; /* 1 + row that was counted last */
};

/* The words seen so far; open addressing, at most half full. */
struct counts {
    struct arena *memory;
    struct count *slots; /* [size], owned */
    size_t size, n;
};

static struct count *find(const struct counts *counts, const char *word, size_t length)
{
    size_t slot = hash_xxh3(word, length) & (counts->size - 1);
    while (counts->slots[slot].word && strcmp(counts->slots[slot].word, word) != 0)
        slot = (slot + 1) & (counts->size - 1);
    return &counts->slots[slot];
}

static enum status grow(struct counts *counts, struct error *err)
{
    struct counts bigger = {counts->memory, NULL, counts->size ? 2 * counts->size : 1024,
                            counts->n};
    bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
    if (!bigger.slots)
        return no_memory(err);
    for (size_t i = 0; i < counts->size; i++)
        if (counts->slots[i].word)
            *find(&bigger, counts->slots[i].word, strlen(counts->slots[i].word)) = counts->slots[i];
    free(counts->slots);
    *counts = bigger;
    return STATUS_OK;
}

static enum status count_words(struct counts *counts, struct hashtags tags, size_t row,
                               struct error *err)
{
    for (size_t i = 0; i < TEXT_MAX_WORDS && hashtags_next(&tags); i++) {
        if (2 * counts->n >= counts->size)
            TRY(grow(counts, err));
        struct count *count = find(counts, tags.text, tags.length);
        if (!count->word) {
            count->word = arena_strndup(counts->memory, tags.text, tags.length);
            if (!count->word)
                return no_memory(err);
            counts->n++;
        }
        if (count->last_row == row + 1)
            continue;
        count->last_row = (uint32_t)row + 1;
        count->n_rows++;
    }
    return STATUS_OK;
}

static enum status count_row(struct counts *counts, const struct text_words *words, size_t row,
                             struct error *err)
{
    if (words->hashtags)
        TRY(count_words(counts, hashtags_of(words->hashtags), row, err));
    if (words->brands)
        TRY(count_words(counts, hashtags_of_accounts(words->brands), row, err));
    return STATUS_OK;
}

static int by_rows(const void *a, const void *b)
{
    const struct count *x = a;
    const struct count *y = b;
    if (x->n_rows != y->n_rows)
        return x->n_rows > y->n_rows ? -1 : 1;
    return strcmp(x->word, y->word);
}

/* Keep the words that stand in enough rows, in order. */
static enum status choose_words(struct text_rows *rows, struct counts *counts, size_t n_rows,
                                struct error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < counts->size; i++)
        if (counts->slots[i].word && counts->slots[i].n_rows >= MIN_ROWS)
            counts->slots[n++] = counts->slots[i];
    if (n > 1)
        qsort(counts->slots, n, sizeof *counts->slots, by_rows);
    rows->n_words = n < TEXT_MAX_VOCABULARY ? n : TEXT_MAX_VOCABULARY;
    rows->words = ARENA_ARRAY(&rows->memory, const char *, rows->n_words + 1);
    rows->idf = ARENA_ARRAY(&rows->memory, float, rows->n_words + 1);
    if (!rows->words || !rows->idf)
        return no_memory(err);
    assert(counts->slots || rows->n_words == 0);
    for (size_t i = 0; i < rows->n_words; i++) {
        rows->words[i] = counts->slots[i].word;
        rows->idf[i] =
            (float)(log((1.0 + (double)n_rows) / (1.0 + (double)counts->slots[i].n_rows)) + 1.0);
    }
    return text_vocabulary_new(rows->words, rows->n_words, &rows->vocabulary, err);
}

static enum status weigh_rows(struct text_rows *rows, const struct text_words *words, size_t n,
                              struct error *err)
{
    uint32_t found[TEXT_MAX_WORDS];
    size_t n_entries = 0;
    rows->start = ARENA_ARRAY(&rows->memory, size_t, n + 1);
    if (!rows->start)
        return no_memory(err);
    for (size_t i = 0; i < n; i++)
        n_entries += text_vocabulary_find(rows->vocabulary, &words[i], found);
    rows->word = ARENA_ARRAY(&rows->memory, uint32_t, n_entries + 1);
    rows->weight = ARENA_ARRAY(&rows->memory, float, n_entries + 1);
    if (!rows->word || !rows->weight)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        size_t at = rows->start[i];
        size_t n_found = text_vocabulary_find(rows->vocabulary, &words[i], found);
        memcpy(rows->word + at, found, n_found * sizeof *found);
        text_weigh(rows->idf, found, n_found, rows->weight + at);
        rows->start[i + 1] = at + n_found;
    }
    return STATUS_OK;
}

enum status text_rows_init(struct text_rows *rows, const struct text_words *words, size_t n,
                           struct error *err)
{
    *rows = (struct text_rows){0};
    arena_init(&rows->memory, 1 << 16);
    struct counts counts = {.memory = &rows->memory};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = count_row(&counts, &words[i], i, err);
    if (status == STATUS_OK)
        status = choose_words(rows, &counts, n, err);
    free(counts.slots);
    TRY(status);
    return weigh_rows(rows, words, n, err);
}

void text_rows_deinit(struct text_rows *rows)
{
    text_vocabulary_free(rows->vocabulary);
    arena_deinit(&rows->memory);
}
