/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact/artifact.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/format.h"
#include "base/hash.h"

struct artifact_writer {
    struct artifact_entry entries[ARTIFACT_MAX_SECTIONS]; /* offsets are set by artifact_finish() */
    void *data[ARTIFACT_MAX_SECTIONS];                    /* owned */
    size_t n_sections;
    enum artifact_kind kind;
};

enum status artifact_writer_new(enum artifact_kind kind, struct artifact_writer **ret_writer,
                                struct error *err)
{
    struct artifact_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    writer->kind = kind;
    *ret_writer = writer;
    return STATUS_OK;
}

void artifact_writer_free(struct artifact_writer *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < writer->n_sections; i++)
        free(writer->data[i]);
    free(writer);
}

static enum status check_tag(const struct artifact_writer *writer, const char *tag,
                             struct error *err)
{
    size_t length = strlen(tag);
    if (length == 0 || length >= ARTIFACT_TAG_BYTES)
        return fail(err, STATUS_INVALID, "section '%s': a tag has 1 to %d bytes", tag,
                    ARTIFACT_TAG_BYTES - 1);
    for (size_t i = 0; i < length; i++)
        if (tag[i] <= ' ' || tag[i] > '~')
            return fail(err, STATUS_INVALID, "section '%s': a tag is plain ASCII", tag);
    for (size_t i = 0; i < writer->n_sections; i++)
        if (strcmp(writer->entries[i].tag, tag) == 0)
            return fail(err, STATUS_INVALID, "section '%s': stands already", tag);
    if (writer->n_sections == ARTIFACT_MAX_SECTIONS)
        return fail(err, STATUS_INVALID, "section '%s': at most %d sections", tag,
                    ARTIFACT_MAX_SECTIONS);
    return STATUS_OK;
}

/* Whatever NaN arithmetic left behind becomes the one that stands for missing. */
static void unify_missing(enum artifact_type type, void *data, size_t n)
{
    if (type == ARTIFACT_F32_MISSING) {
        uint32_t *bits = data;
        for (size_t i = 0; i < n; i++)
            if ((bits[i] & UINT32_C(0x7fffffff)) > UINT32_C(0x7f800000))
                bits[i] = ARTIFACT_MISSING_F32;
    } else if (type == ARTIFACT_F64_MISSING) {
        uint64_t *bits = data;
        for (size_t i = 0; i < n; i++)
            if ((bits[i] & UINT64_C(0x7fffffffffffffff)) > UINT64_C(0x7ff0000000000000))
                bits[i] = ARTIFACT_MISSING_F64;
    }
}

static bool count_bytes(enum artifact_type type, size_t rows, size_t columns, size_t *ret_n,
                        size_t *ret_bytes)
{
    return !__builtin_mul_overflow(rows, columns, ret_n) &&
           !__builtin_mul_overflow(*ret_n, artifact_type_bytes(type), ret_bytes);
}

enum status artifact_take(struct artifact_writer *writer, const char *tag, enum artifact_type type,
                          size_t rows, size_t columns, void *data, struct error *err)
{
    AUTO(free_slot) void *taken = data;
    TRY(check_tag(writer, tag, err));
    size_t n = 0;
    size_t bytes = 0;
    if (!count_bytes(type, rows, columns, &n, &bytes))
        return fail(err, STATUS_INVALID, "section '%s': too large", tag);
    assert(taken || bytes == 0);
    unify_missing(type, taken, n);
    size_t bad = artifact_first_bad(type, taken, n);
    if (bad < n)
        return fail(err, STATUS_INVALID, "section '%s': element %zu is not finite", tag, bad);
    struct artifact_entry *entry = &writer->entries[writer->n_sections];
    memcpy(entry->tag, tag, strlen(tag));
    entry->type = (uint32_t)type;
    entry->checksum = (uint32_t)hash_xxh3(taken, bytes);
    entry->rows = rows;
    entry->columns = columns;
    entry->bytes = bytes;
    writer->data[writer->n_sections++] = STEAL(taken);
    return STATUS_OK;
}

enum status artifact_add(struct artifact_writer *writer, const char *tag, enum artifact_type type,
                         size_t rows, size_t columns, const void *data, struct error *err)
{
    size_t n = 0;
    size_t bytes = 0;
    if (!count_bytes(type, rows, columns, &n, &bytes))
        return fail(err, STATUS_INVALID, "section '%s': too large", tag);
    AUTO(free_slot) void *copy = malloc(bytes > 0 ? bytes : 1);
    if (!copy)
        return fail(err, STATUS_NO_MEMORY, "section '%s': out of memory", tag);
    assert(data || bytes == 0);
    if (data && bytes > 0)
        memcpy(copy, data, bytes);
    return artifact_take(writer, tag, type, rows, columns, STEAL(copy), err);
}

enum status artifact_add_strings(struct artifact_writer *writer, const char *tag,
                                 const char *const *strings, size_t n, struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    for (size_t i = 0; i < n; i++)
        buffer_put(&text, strings[i], strlen(strings[i]) + 1);
    if (text.failed)
        return fail(err, STATUS_NO_MEMORY, "section '%s': out of memory", tag);
    return artifact_add(writer, tag, ARTIFACT_U8, text.length, 1, text.at, err);
}

struct artifact_tag artifact_join(const char *prefix, const char *name)
{
    /* One that is too long comes out empty: artifact_add() refuses it, and no file has it. */
    struct artifact_tag tag;
    memset(tag.text, 0, sizeof tag.text);
    size_t used = 0;
    const char *const parts[] = {prefix, ".", name};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        for (const char *c = parts[i]; *c && used < sizeof tag.text; c++)
            tag.text[used++] = *c;
    if (used == sizeof tag.text)
        memset(tag.text, 0, sizeof tag.text);
    return tag;
}

/* Where each section goes; false when the whole does not fit in memory. */
static bool place_sections(struct artifact_writer *writer, size_t *ret_total)
{
    size_t at = sizeof(struct artifact_header) + writer->n_sections * sizeof(writer->entries[0]);
    for (size_t i = 0; i < writer->n_sections; i++) {
        writer->entries[i].offset = at;
        if (__builtin_add_overflow(at, writer->entries[i].bytes, &at) ||
            at > SIZE_MAX - ARTIFACT_ALIGNMENT)
            return false;
        at = artifact_align(at);
    }
    *ret_total = at;
    return true;
}

enum status artifact_finish(struct artifact_writer *writer, void **ret_bytes, size_t *ret_n_bytes,
                            struct error *err)
{
    size_t total = 0;
    char *bytes = place_sections(writer, &total) ? aligned_alloc(ARTIFACT_ALIGNMENT, total) : NULL;
    if (!bytes)
        return fail(err, STATUS_NO_MEMORY, "blob: out of memory");
    size_t n_entries = writer->n_sections * sizeof(writer->entries[0]);
    memcpy(bytes + sizeof(struct artifact_header), writer->entries, n_entries);
    size_t at = sizeof(struct artifact_header) + n_entries;
    /* Section by section, so that a large blob is not in memory twice. */
    for (size_t i = 0; i < writer->n_sections; i++) {
        const struct artifact_entry *entry = &writer->entries[i];
        memset(bytes + at, 0, entry->offset - at);
        memcpy(bytes + entry->offset, writer->data[i], entry->bytes);
        at = entry->offset + entry->bytes;
        free(STEAL(writer->data[i]));
    }
    memset(bytes + at, 0, total - at);
    struct artifact_header header = {
        .magic = ARTIFACT_MAGIC,
        .format_version = ARTIFACT_FORMAT_VERSION,
        .kind = (uint32_t)writer->kind,
        .total_bytes = total,
        .n_sections = (uint32_t)writer->n_sections,
    };
    memcpy(bytes, &header, sizeof header);
    writer->n_sections = 0;
    header.checksum = artifact_checksum(bytes, total);
    memcpy(bytes, &header, sizeof header);
    *ret_bytes = bytes;
    *ret_n_bytes = total;
    return STATUS_OK;
}
