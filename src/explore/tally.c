/* SPDX-License-Identifier: Apache-2.0 */
#include "explore/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void tally_deinit(struct tally *tally)
{
    free(tally->slots);
    *tally = (struct tally){0};
}

static struct tally_entry *slot_of(const struct tally *tally, const char *text)
{
    size_t i = hash_xxh3(text, strlen(text)) & (tally->size - 1);
    while (tally->slots[i].text && strcmp(tally->slots[i].text, text) != 0)
        i = (i + 1) & (tally->size - 1);
    return &tally->slots[i];
}

static enum status grow(struct tally *tally, struct error *err)
{
    struct tally larger = *tally;
    larger.size = tally->size ? 2 * tally->size : 64;
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < tally->size; i++)
        if (tally->slots[i].text)
            *slot_of(&larger, tally->slots[i].text) = tally->slots[i];
    free(tally->slots);
    *tally = larger;
    return STATUS_OK;
}

enum status tally_add(struct tally *tally, const char *text, struct error *err)
{
    if (2 * (tally->n_distinct + 1) > tally->size)
        TRY(grow(tally, err));
    struct tally_entry *slot = slot_of(tally, text);
    if (!slot->text) {
        slot->text = text;
        slot->order = tally->n_distinct++;
    }
    slot->count++;
    tally->n_total++;
    return STATUS_OK;
}

const struct tally_entry *tally_find(const struct tally *tally, const char *text)
{
    if (tally->size == 0)
        return NULL;
    const struct tally_entry *slot = slot_of(tally, text);
    return slot->text ? slot : NULL;
}

static int compare(const void *a, const void *b)
{
    const struct tally_entry *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void tally_sorted(const struct tally *tally, struct tally_entry *ret_entries)
{
    size_t n = 0;
    for (size_t i = 0; i < tally->size; i++)
        if (tally->slots[i].text)
            ret_entries[n++] = tally->slots[i];
    qsort(ret_entries, n, sizeof *ret_entries, compare);
}
