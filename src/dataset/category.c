/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dataset/work.h"

#define MAX_PIECES 8
#define MIN_PROVEN \
    3 /* fused values made of known ones, before others are split by their capitals */

/* The distinct texts of one column, with how often each stands there. */
struct vocabulary {
    struct intern words;
    size_t *counts;    /* [words.n] */
    uint32_t *of_row;  /* [n_rows] number of the row's word, INTERN_NONE: missing */
    uint32_t *instead; /* [words.n] the word to take instead; itself where it is fine */
    size_t n_rows;     /* with a word */
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the categories");
}

static enum status read_vocabulary(const struct table *table, const char **texts,
                                   struct arena *arena, struct vocabulary *v, struct error *err)
{
    *v = (struct vocabulary){0};
    intern_init(&v->words, arena);
    v->of_row = ARENA_ARRAY(arena, uint32_t, table->n_rows + 1);
    if (!v->of_row)
        return no_memory(err);
    for (size_t row = 0; row < table->n_rows; row++) {
        v->of_row[row] = INTERN_NONE;
        if (!texts[row])
            continue;
        v->of_row[row] = intern_put(&v->words, texts[row], strlen(texts[row]));
        if (v->of_row[row] == INTERN_NONE)
            return no_memory(err);
        v->n_rows++;
    }
    v->counts = ARENA_ARRAY(arena, size_t, v->words.n + 1);
    v->instead = ARENA_ARRAY(arena, uint32_t, v->words.n + 1);
    if (!v->counts || !v->instead)
        return no_memory(err);
    for (size_t row = 0; row < table->n_rows; row++)
        if (v->of_row[row] != INTERN_NONE)
            v->counts[v->of_row[row]]++;
    for (size_t i = 0; i < v->words.n; i++)
        v->instead[i] = (uint32_t)i;
    return STATUS_OK;
}

/* ---- spellings ---- */

static size_t fold_ascii(const char *text, char *ret_folded, size_t size)
{
    size_t length = 0;
    for (; text[length] && length + 1 < size; length++) {
        char c = text[length];
        ret_folded[length] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    ret_folded[length] = '\0';
    return length;
}

/* Words that differ in case only: the most frequent spelling stands for all. */
static enum status unify_case(struct vocabulary *v, struct arena *arena, struct error *err)
{
    struct intern folded;
    intern_init(&folded, arena);
    uint32_t *best = ARENA_ARRAY(arena, uint32_t, v->words.n + 1);
    uint32_t *number = ARENA_ARRAY(arena, uint32_t, v->words.n + 1);
    if (!best || !number)
        return no_memory(err);
    for (size_t i = 0; i < v->words.n; i++) {
        char text[256];
        size_t length = fold_ascii(v->words.texts[i], text, sizeof text);
        size_t before = folded.n;
        number[i] = intern_put(&folded, text, length);
        if (number[i] == INTERN_NONE)
            return no_memory(err);
        if (folded.n > before || v->counts[i] > v->counts[best[number[i]]])
            best[number[i]] = (uint32_t)i;
    }
    for (size_t i = 0; i < v->words.n; i++)
        v->instead[i] = best[number[i]];
    return STATUS_OK;
}

/* "fashion 0.5" for "fashion". */
static bool is_word_and_number(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && text[length] == ' ' &&
           text[length + 1 + strspn(text + length + 1, "0123456789.,")] == '\0' &&
           text[length + 1] != '\0';
}

/* One letter more, less or other. */
static bool is_misspelt(const char *text, const char *word)
{
    return strlen(text) >= 4 && strlen(word) >= 4 && text_distance(text, word) == 1;
}

/* Rare words next to words at least a hundred times as frequent. */
static void correct_typos(struct vocabulary *v)
{
    enum {
        FACTOR = 100
    };
    for (size_t i = 0; i < v->words.n; i++) {
        uint32_t found = INTERN_NONE;
        size_t n_found = 0;
        for (size_t k = 0; k < v->words.n && v->counts[i] <= 3; k++) {
            if (v->counts[k] < FACTOR * v->counts[i])
                continue;
            const char *text = v->words.texts[i];
            const char *word = v->words.texts[k];
            if (!is_word_and_number(text, word) && !is_misspelt(text, word))
                continue;
            found = (uint32_t)k;
            n_found++;
        }
        if (n_found == 1)
            v->instead[i] = found;
    }
}

/* A word that stands there once or twice where all others stand there by the hundred. */
static bool is_stray(const struct vocabulary *v, size_t word)
{
    enum {
        MIN_OTHERS = 3,
        MIN_COUNT = 300
    };
    size_t n_large = 0;
    size_t n_middle = 0;
    for (size_t i = 0; i < v->words.n; i++) {
        n_large += v->counts[i] >= MIN_COUNT;
        n_middle += v->counts[i] > 2 && v->counts[i] < MIN_COUNT;
    }
    return v->counts[word] <= 2 && n_large >= MIN_OTHERS && n_middle == 0;
}

static enum status clean_spelling(struct work *work, enum profile_text field, bool is_category,
                                  struct arena *arena, struct error *err)
{
    struct table *table = work->table;
    const char **texts = table->text[field];
    const struct column *column = work_column(work, &profile_fields[field]);
    struct vocabulary v;
    if (!texts || !column)
        return STATUS_OK;
    TRY(read_vocabulary(table, texts, arena, &v, err));
    if (v.words.n > 2000) /* free text, not a vocabulary */
        return STATUS_OK;
    TRY(unify_case(&v, arena, err));
    AUTO(free_slot) bool *is_typo = calloc(v.words.n + 1, sizeof *is_typo);
    AUTO(free_slot) bool *is_lost = calloc(v.words.n + 1, sizeof *is_lost);
    AUTO(free_slot) uint32_t *unified = calloc(v.words.n + 1, sizeof *unified);
    if (!is_typo || !is_lost || !unified)
        return no_memory(err);
    memcpy(unified, v.instead, v.words.n * sizeof *unified);
    if (is_category)
        correct_typos(&v);
    for (size_t i = 0; i < v.words.n; i++) {
        is_typo[i] = v.instead[i] != unified[i];
        is_lost[i] = is_category && v.instead[i] == i && is_stray(&v, i);
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        uint32_t word = v.of_row[row];
        if (word == INTERN_NONE || (v.instead[word] == word && !is_lost[word]))
            continue;
        enum rule rule = is_lost[word]   ? RULE_category_unknown
                         : is_typo[word] ? RULE_category_typo
                                         : RULE_spelling;
        events_add(&work->events, rule, column->header, table->line[row], texts[row]);
        const char *instead = v.words.texts[v.instead[word]];
        texts[row] = is_lost[word] ? NULL : arena_strdup(&table->memory, instead);
        if (!is_lost[word] && !texts[row])
            return no_memory(err);
    }
    return STATUS_OK;
}

/* ---- categories that run together: "MusicFashion" ---- */

struct pieces {
    size_t n;
    size_t end[MAX_PIECES]; /* byte behind each piece */
};

/* A small letter (or a bracket) meets a capital: where one category may end. */
static bool is_seam(const char *text, size_t i)
{
    return i > 0 && ((text[i - 1] >= 'a' && text[i - 1] <= 'z') || text[i - 1] == ')') &&
           text[i] >= 'A' && text[i] <= 'Z';
}

/* Split text[from..] into words that stand there alone elsewhere. Shortest first: longer ones may
 * be run together themselves. */
static bool split_known(const struct intern *known, const char *text, size_t from,
                        struct pieces *pieces)
{
    size_t length = strlen(text);
    if (from == length)
        return pieces->n >= 2;
    if (pieces->n == MAX_PIECES)
        return false;
    for (size_t end = from + 1; end <= length; end++) {
        if ((end < length && !is_seam(text, end)) || (from == 0 && end == length) ||
            intern_find(known, text + from, end - from) == INTERN_NONE)
            continue;
        pieces->end[pieces->n++] = end;
        if (split_known(known, text, end, pieces))
            return true;
        pieces->n--;
    }
    return false;
}

/* Split at every seam. */
static bool split_seams(const char *text, struct pieces *pieces)
{
    size_t length = strlen(text);
    for (size_t i = 1; i <= length; i++) {
        if (i < length && !is_seam(text, i))
            continue;
        if (pieces->n == MAX_PIECES)
            return false;
        pieces->end[pieces->n++] = i;
    }
    return pieces->n >= 2;
}

/* pieces: [words.n], n is 0 where a word is one category. */
static void split_words(const struct vocabulary *v, struct pieces *pieces)
{
    size_t n_proven = 0;
    for (size_t i = 0; i < v->words.n; i++) {
        pieces[i].n = 0;
        if (split_known(&v->words, v->words.texts[i], 0, &pieces[i]))
            n_proven++;
        else
            pieces[i].n = 0;
    }
    for (size_t i = 0; i < v->words.n; i++) {
        if (pieces[i].n > 0)
            continue;
        if (n_proven < MIN_PROVEN || !split_seams(v->words.texts[i], &pieces[i]))
            pieces[i].n = 0;
    }
}

/* "Music; Fashion": all but the first piece. */
static const char *join_rest(struct arena *arena, const char *text, const struct pieces *pieces)
{
    struct buffer rest = {0};
    for (size_t i = 1; i < pieces->n; i++) {
        if (i > 1)
            buffer_put_text(&rest, "; ");
        buffer_put(&rest, text + pieces->end[i - 1], pieces->end[i] - pieces->end[i - 1]);
    }
    const char *joined = rest.failed ? NULL : arena_strdup(arena, rest.at);
    buffer_deinit(&rest);
    return joined;
}

static enum status split_fused(struct work *work, struct arena *arena, struct error *err)
{
    struct table *table = work->table;
    const char **texts = table->text[PROFILE_category];
    const struct column *column = work_column(work, &profile_fields[PROFILE_category]);
    struct vocabulary v;
    if (!texts || !column)
        return STATUS_OK;
    TRY(read_vocabulary(table, texts, arena, &v, err));
    if (v.words.n > 2000)
        return STATUS_OK;
    struct pieces *pieces = ARENA_ARRAY(arena, struct pieces, v.words.n + 1);
    const char **more = ARENA_ARRAY(&table->memory, const char *, table->n_rows + 1);
    if (!pieces || !more)
        return no_memory(err);
    split_words(&v, pieces);
    size_t n_split = 0;
    for (size_t row = 0; row < table->n_rows; row++) {
        const struct pieces *p = texts[row] ? &pieces[v.of_row[row]] : NULL;
        if (!p || p->n < 2)
            continue;
        events_add(&work->events, RULE_category_fused, column->header, table->line[row],
                   texts[row]);
        more[row] = join_rest(&table->memory, texts[row], p);
        texts[row] = arena_strndup(&table->memory, texts[row], p->end[0]);
        if (!more[row] || !texts[row])
            return no_memory(err);
        n_split++;
    }
    if (n_split > 0)
        table->extras[table->n_extras++] =
            (struct table_extra){.name = "category_more", .text = more};
    return STATUS_OK;
}

enum status category_clean(struct work *work, struct error *err)
{
    struct arena arena;
    arena_init(&arena, 65536);
    enum status status = split_fused(work, &arena, err);
    if (status == STATUS_OK)
        status = clean_spelling(work, PROFILE_category, true, &arena, err);
    if (status == STATUS_OK)
        status = clean_spelling(work, PROFILE_country, false, &arena, err);
    if (status == STATUS_OK)
        status = clean_spelling(work, PROFILE_audience_country, false, &arena, err);
    arena_deinit(&arena);
    return status;
}
