/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/catalogue.h"

#include <string.h>

#include "base/text.h"
#include "runtime/catalogue_layout.h"

/* Both searches look at every row and keep the best few, sorted: insertion into a short list. */
struct candidate {
    double rank; /* lower is better */
    double tie;  /* then lower */
    uint32_t row;
};

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->tie != b->tie)
        return a->tie < b->tie;
    return a->row < b->row;
}

struct best {
    struct candidate list[CATALOGUE_MAX_FOUND];
    size_t n, limit;
};

static void offer(struct best *best, struct candidate candidate)
{
    if (best->n == best->limit) {
        if (best->n == 0 || !is_better(&candidate, &best->list[best->n - 1]))
            return;
        best->n--;
    }
    size_t at = best->n++;
    while (at > 0 && is_better(&candidate, &best->list[at - 1])) {
        best->list[at] = best->list[at - 1];
        at--;
    }
    best->list[at] = candidate;
}

static size_t take(const struct best *best, uint32_t *ret_rows)
{
    for (size_t i = 0; i < best->n; i++)
        ret_rows[i] = best->list[i].row;
    return best->n;
}

/* Is the folded `query` at `text`? */
static bool starts_with_folded(const char *text, const char *query)
{
    while (*query != '\0' && catalogue_fold(*text) == *query) {
        text++;
        query++;
    }
    return *query == '\0';
}

static bool contains_folded(const char *text, const char *query)
{
    for (; *text != '\0'; text++)
        if (catalogue_fold(*text) == query[0] && starts_with_folded(text, query))
            return true;
    return false;
}

static void fold_query(const char *query, char *ret_folded, size_t bytes)
{
    size_t n = 0;
    query += query[0] == '@';
    while (n + 1 < bytes && query[n] != '\0') {
        ret_folded[n] = catalogue_fold(query[n]);
        n++;
    }
    ret_folded[n] = '\0';
}

size_t catalogue_search(const struct catalogue *catalogue, const char *query, size_t limit,
                        uint32_t *ret_rows)
{
    char folded[256];
    fold_query(query, folded, sizeof folded);
    struct best best = {.limit = limit < CATALOGUE_MAX_FOUND ? limit : CATALOGUE_MAX_FOUND};
    for (uint32_t row = 0; row < catalogue->n; row++) {
        const char *handle = catalogue_handle(catalogue, row);
        const char *name = catalogue_text(catalogue, row, PROFILE_name);
        bool begins = handle && starts_with_folded(handle, folded);
        if (!begins && !(handle && contains_folded(handle, folded)) &&
            !(name && contains_folded(name, folded)))
            continue;
        double followers = catalogue_number(catalogue, row, PROFILE_followers);
        offer(&best, (struct candidate){begins ? 0 : 1, isnan(followers) ? 1 : -followers, row});
    }
    return take(&best, ret_rows);
}

size_t catalogue_closest(const struct catalogue *catalogue, const char *handle, size_t limit,
                         uint32_t *ret_rows)
{
    enum {
        MAX_DISTANCE = 3
    };
    char folded[256];
    fold_query(handle, folded, sizeof folded);
    size_t length = strlen(folded);
    struct best best = {.limit = limit < CATALOGUE_MAX_FOUND ? limit : CATALOGUE_MAX_FOUND};
    for (uint32_t row = 0; row < catalogue->n; row++) {
        const char *known = catalogue_handle(catalogue, row);
        if (!known)
            continue;
        char spelling[256];
        fold_query(known, spelling, sizeof spelling);
        size_t known_length = strlen(spelling);
        /* The difference in length is a lower bound of the distance, and nearly free. */
        if (known_length > length + MAX_DISTANCE || length > known_length + MAX_DISTANCE)
            continue;
        size_t distance = text_distance(folded, spelling);
        if (distance > MAX_DISTANCE)
            continue;
        double followers = catalogue_number(catalogue, row, PROFILE_followers);
        offer(&best, (struct candidate){(double)distance, isnan(followers) ? 1 : -followers, row});
    }
    return take(&best, ret_rows);
}
