/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/tag_sketch.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void tag_sketch_deinit(struct tag_sketch *sketch)
{
    free(sketch->tags);
    free(sketch->text);
    *sketch = (struct tag_sketch){0};
}

static struct tag_count *find(struct tag_sketch *sketch, uint32_t hash, const char *tag,
                              size_t length)
{
    for (size_t i = 0; i < sketch->n; i++) {
        const char *known = sketch->text + sketch->tags[i].offset;
        if (sketch->tags[i].hash == hash && strncmp(known, tag, length) == 0 &&
            known[length] == '\0')
            return &sketch->tags[i];
    }
    return NULL;
}

/* Every count down by one; those at zero leave, and the texts close up. Offsets grow along the
 * array, so that texts move towards the front only. */
static void lower_all(struct tag_sketch *sketch)
{
    size_t n = 0;
    size_t n_text = 0;
    for (size_t i = 0; i < sketch->n; i++) {
        struct tag_count tag = sketch->tags[i];
        if (--tag.count == 0)
            continue;
        size_t bytes = strlen(sketch->text + tag.offset) + 1;
        memmove(sketch->text + n_text, sketch->text + tag.offset, bytes);
        tag.offset = (uint16_t)n_text;
        n_text += bytes;
        sketch->tags[n++] = tag;
    }
    sketch->n = (uint16_t)n;
    sketch->n_text = (uint16_t)n_text;
}

static enum status reserve(void **memory, uint16_t *capacity, size_t wanted, size_t size,
                           size_t max, struct error *err)
{
    if (wanted <= *capacity)
        return STATUS_OK;
    size_t bigger = 2 * wanted < max ? 2 * wanted : max;
    void *moved = realloc(*memory, bigger * size);
    if (!moved)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *memory = moved;
    *capacity = (uint16_t)bigger;
    return STATUS_OK;
}

enum status tag_sketch_add(struct tag_sketch *sketch, const char *tag, size_t length, size_t times,
                           struct error *err)
{
    uint16_t count = times < UINT16_MAX ? (uint16_t)times : UINT16_MAX;
    uint32_t hash = (uint32_t)hash_xxh3(tag, length);
    struct tag_count *known = find(sketch, hash, tag, length);
    if (known) {
        known->count = known->count < UINT16_MAX - count ? known->count + count : UINT16_MAX;
        return STATUS_OK;
    }
    if (sketch->n == TAG_SKETCH_MAX || sketch->n_text + length + 1 > TAG_SKETCH_TEXT) {
        lower_all(sketch);
        return STATUS_OK;
    }
    void *tags = sketch->tags;
    void *text = sketch->text;
    enum status status = reserve(&tags, &sketch->capacity, sketch->n + 1U, sizeof *sketch->tags,
                                 TAG_SKETCH_MAX, err);
    if (status == STATUS_OK)
        status = reserve(&text, &sketch->text_capacity, sketch->n_text + length + 1, 1,
                         TAG_SKETCH_TEXT, err);
    sketch->tags = tags;
    sketch->text = text;
    TRY(status);
    sketch->tags[sketch->n++] = (struct tag_count){hash, sketch->n_text, count};
    memcpy(sketch->text + sketch->n_text, tag, length);
    sketch->n_text = (uint16_t)(sketch->n_text + length);
    sketch->text[sketch->n_text++] = '\0';
    return STATUS_OK;
}

static int by_count(const void *a, const void *b, void *text)
{
    const struct tag_count *x = a;
    const struct tag_count *y = b;
    const char *texts = text;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(texts + x->offset, texts + y->offset);
}

void tag_sketch_put(struct tag_sketch *sketch, size_t max_bytes, struct buffer *out)
{
    if (sketch->n > 1)
        qsort_r(sketch->tags, sketch->n, sizeof *sketch->tags, by_count, sketch->text);
    size_t start = out->length;
    for (size_t i = 0; i < sketch->n; i++) {
        const char *tag = sketch->text + sketch->tags[i].offset;
        if (out->length - start + 1 + strlen(tag) > max_bytes)
            continue;
        if (out->length > start)
            buffer_put_char(out, ' ');
        buffer_put_text(out, tag);
    }
}
