/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact/artifact.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/format.h"
#include "base/file.h"
#include "base/hash.h"

struct artifact {
    struct file_map map; /* owned when opened from a file, empty otherwise */
    const char *bytes;   /* borrows the map or the caller's memory */
    size_t n_bytes;
    struct artifact_header header;
    const struct artifact_entry *entries; /* in `bytes` */
    char *name;
};

static enum status check_header(const struct artifact *a, struct error *err)
{
    const struct artifact_header *header = &a->header;
    if (memcmp(header->magic, ARTIFACT_MAGIC, sizeof header->magic) != 0)
        return fail(err, STATUS_CORRUPT, "%s: header: wrong magic, this is no model blob", a->name);
    if (header->format_version > ARTIFACT_FORMAT_VERSION)
        return fail(err, STATUS_UNSUPPORTED,
                    "%s: header: format version %u is newer than this program, which reads up to "
                    "%d: a newer influence is needed",
                    a->name, header->format_version, ARTIFACT_FORMAT_VERSION);
    if (header->format_version == 0)
        return fail(err, STATUS_CORRUPT, "%s: header: there is no format version 0", a->name);
    if (header->total_bytes != a->n_bytes)
        return fail(err, STATUS_CORRUPT, "%s: header: has %zu bytes, should have %llu: %s", a->name,
                    a->n_bytes, (unsigned long long)header->total_bytes,
                    header->total_bytes > a->n_bytes ? "cut off" : "something was added");
    if (header->kind < ARTIFACT_SCORE || header->kind > ARTIFACT_GROWTH)
        return fail(err, STATUS_CORRUPT, "%s: header: unknown kind %u", a->name, header->kind);
    if (header->n_sections > ARTIFACT_MAX_SECTIONS ||
        header->n_sections > (a->n_bytes - sizeof *header) / sizeof a->entries[0])
        return fail(err, STATUS_CORRUPT, "%s: header: %u sections are too many for %zu bytes",
                    a->name, header->n_sections, a->n_bytes);
    static const uint8_t zeros[sizeof header->reserved];
    if (header->zero != 0 || memcmp(header->reserved, zeros, sizeof zeros) != 0)
        return fail(err, STATUS_CORRUPT, "%s: header: reserved bytes are not zero", a->name);
    return STATUS_OK;
}

static bool is_tag(const char *tag)
{
    size_t length = strnlen(tag, ARTIFACT_TAG_BYTES);
    for (size_t i = 0; i < length; i++)
        if (tag[i] <= ' ' || tag[i] > '~')
            return false;
    for (size_t i = length; i < ARTIFACT_TAG_BYTES; i++)
        if (tag[i] != '\0')
            return false;
    return length > 0 && length < ARTIFACT_TAG_BYTES;
}

static enum status check_shape(const struct artifact *a, const struct artifact_entry *entry,
                               struct error *err)
{
    size_t element = artifact_type_bytes(entry->type);
    if (element == 0)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': unknown element type %u", a->name,
                    entry->tag, entry->type);
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(entry->rows, entry->columns, &bytes) ||
        __builtin_mul_overflow(bytes, element, &bytes) || bytes != entry->bytes)
        return fail(err, STATUS_CORRUPT,
                    "%s: section '%s': %llu x %llu elements of %zu bytes are not %llu bytes",
                    a->name, entry->tag, (unsigned long long)entry->rows,
                    (unsigned long long)entry->columns, element, (unsigned long long)entry->bytes);
    return STATUS_OK;
}

/* at: where this section must begin, being the first place behind the one before. */
static enum status check_place(const struct artifact *a, const struct artifact_entry *entry,
                               size_t at, struct error *err)
{
    if (entry->offset % ARTIFACT_ALIGNMENT != 0)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': offset %llu is not a multiple of %d",
                    a->name, entry->tag, (unsigned long long)entry->offset, ARTIFACT_ALIGNMENT);
    if (entry->offset > a->n_bytes || entry->bytes > a->n_bytes - entry->offset)
        return fail(err, STATUS_CORRUPT,
                    "%s: section '%s': %llu bytes at %llu reach outside the file's %zu", a->name,
                    entry->tag, (unsigned long long)entry->bytes, (unsigned long long)entry->offset,
                    a->n_bytes);
    if (entry->offset != at)
        return fail(err, STATUS_CORRUPT,
                    "%s: section '%s': at %llu, %s the one before, which ends at %zu", a->name,
                    entry->tag, (unsigned long long)entry->offset,
                    entry->offset < at ? "overlaps" : "leaves a gap behind", at);
    return STATUS_OK;
}

static enum status check_table(const struct artifact *a, struct error *err)
{
    size_t at = sizeof a->header + a->header.n_sections * sizeof a->entries[0];
    for (size_t i = 0; i < a->header.n_sections; i++) {
        const struct artifact_entry *entry = &a->entries[i];
        if (!is_tag(entry->tag))
            return fail(err, STATUS_CORRUPT, "%s: section %zu: its tag is not one", a->name, i);
        for (size_t j = 0; j < i; j++)
            if (memcmp(entry->tag, a->entries[j].tag, sizeof entry->tag) == 0)
                return fail(err, STATUS_CORRUPT, "%s: section '%s': stands twice", a->name,
                            entry->tag);
        TRY(check_shape(a, entry, err));
        TRY(check_place(a, entry, at, err));
        /* Within the file, whose size is a multiple of 64: the sum cannot overflow. */
        at = artifact_align((size_t)(entry->offset + entry->bytes));
    }
    if (at != a->n_bytes)
        return fail(err, STATUS_CORRUPT, "%s: %zu bytes belong to no section", a->name,
                    a->n_bytes - at);
    return STATUS_OK;
}

/* Says which section was damaged, where one was. */
static enum status fail_checksum(const struct artifact *a, struct error *err)
{
    for (size_t i = 0; i < a->header.n_sections; i++) {
        const struct artifact_entry *entry = &a->entries[i];
        if (entry->checksum != (uint32_t)hash_xxh3(a->bytes + entry->offset, entry->bytes))
            return fail(err, STATUS_CORRUPT,
                        "%s: section '%s': the checksum differs, the file is damaged", a->name,
                        entry->tag);
    }
    return fail(err, STATUS_CORRUPT,
                "%s: header or padding: the checksum differs, the file is damaged", a->name);
}

static enum status check_contents(const struct artifact *a, struct error *err)
{
    for (size_t i = 0; i < a->header.n_sections; i++) {
        const struct artifact_entry *entry = &a->entries[i];
        const char *data = a->bytes + entry->offset;
        size_t n = (size_t)(entry->rows * entry->columns);
        size_t bad = artifact_first_bad((enum artifact_type)entry->type, data, n);
        if (bad < n)
            return fail(err, STATUS_CORRUPT, "%s: section '%s': element %zu is not finite", a->name,
                        entry->tag, bad);
        for (size_t end = entry->bytes; end < artifact_align(entry->bytes); end++)
            if (data[end] != 0)
                return fail(err, STATUS_CORRUPT,
                            "%s: section '%s': the padding behind it is not zero", a->name,
                            entry->tag);
    }
    return STATUS_OK;
}

/* bytes and n_bytes are set. */
static enum status check(struct artifact *a, struct error *err)
{
    if (a->n_bytes < sizeof a->header || a->n_bytes % ARTIFACT_ALIGNMENT != 0) {
        size_t magic_bytes =
            a->n_bytes < sizeof a->header.magic ? a->n_bytes : sizeof a->header.magic;
        bool is_ours = a->n_bytes > 0 && memcmp(a->bytes, ARTIFACT_MAGIC, magic_bytes) == 0;
        return fail(err, STATUS_CORRUPT, "%s: header: %zu bytes are no whole blob: %s", a->name,
                    a->n_bytes, is_ours ? "cut off" : "wrong magic");
    }
    memcpy(&a->header, a->bytes, sizeof a->header);
    TRY(check_header(a, err));
    a->entries = (const void *)(a->bytes + sizeof a->header);
    TRY(check_table(a, err));
    if (artifact_checksum(a->bytes, a->n_bytes) != a->header.checksum)
        return fail_checksum(a, err);
    return check_contents(a, err);
}

static enum status artifact_new(const char *name, struct artifact **ret_artifact, struct error *err)
{
    AUTO(artifact_close_slot) struct artifact *a = calloc(1, sizeof *a);
    if (a)
        a->name = strdup(name);
    if (!a || !a->name)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    *ret_artifact = STEAL(a);
    return STATUS_OK;
}

enum status artifact_open(const char *path, struct artifact **ret_artifact, struct error *err)
{
    AUTO(artifact_close_slot) struct artifact *a = NULL;
    TRY(artifact_new(path, &a, err));
    TRY(file_map(path, &a->map, err));
    a->bytes = (const char *)a->map.bytes;
    a->n_bytes = a->map.size;
    TRY(check(a, err));
    *ret_artifact = STEAL(a);
    return STATUS_OK;
}

enum status artifact_open_memory(const void *bytes, size_t n_bytes, const char *name,
                                 struct artifact **ret_artifact, struct error *err)
{
    if ((uintptr_t)bytes % ARTIFACT_ALIGNMENT != 0)
        return fail(err, STATUS_INVALID, "%s: its memory is not aligned to %d bytes", name,
                    ARTIFACT_ALIGNMENT);
    AUTO(artifact_close_slot) struct artifact *a = NULL;
    TRY(artifact_new(name, &a, err));
    a->bytes = bytes;
    a->n_bytes = n_bytes;
    TRY(check(a, err));
    *ret_artifact = STEAL(a);
    return STATUS_OK;
}

void artifact_close(struct artifact *artifact)
{
    if (!artifact)
        return;
    file_unmap(&artifact->map);
    free(artifact->name);
    free(artifact);
}

enum artifact_kind artifact_kind(const struct artifact *artifact)
{
    return (enum artifact_kind)artifact->header.kind;
}

const char *artifact_name(const struct artifact *artifact)
{
    return artifact->name;
}

size_t artifact_n_sections(const struct artifact *artifact)
{
    return artifact->header.n_sections;
}

const char *artifact_tag(const struct artifact *artifact, size_t i)
{
    return artifact->entries[i].tag;
}

struct artifact_section artifact_section_at(const struct artifact *artifact, size_t i)
{
    const struct artifact_entry *entry = &artifact->entries[i];
    return (struct artifact_section){
        .data = artifact->bytes + entry->offset,
        .type = (enum artifact_type)entry->type,
        .rows = (size_t)entry->rows,
        .columns = (size_t)entry->columns,
    };
}

enum status artifact_find(const struct artifact *artifact, const char *tag,
                          struct artifact_section *ret_section)
{
    for (size_t i = 0; i < artifact_n_sections(artifact); i++) {
        if (strcmp(artifact_tag(artifact, i), tag) == 0) {
            *ret_section = artifact_section_at(artifact, i);
            return STATUS_OK;
        }
    }
    return STATUS_NOT_FOUND;
}

static enum status check_dimension(const struct artifact *artifact, const char *tag,
                                   const char *what, size_t got, size_t needed, struct error *err)
{
    if (needed == ARTIFACT_ANY || got == needed)
        return STATUS_OK;
    return fail(err, STATUS_CORRUPT, "%s: section '%s': has %zu %s, needs %zu", artifact->name, tag,
                got, what, needed);
}

enum status artifact_need(const struct artifact *artifact, const char *tag, enum artifact_type type,
                          size_t rows, size_t columns, struct artifact_section *ret_section,
                          struct error *err)
{
    struct artifact_section section;
    if (artifact_find(artifact, tag, &section) != STATUS_OK)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': missing", artifact->name, tag);
    if (section.type != type)
        return fail(err, STATUS_CORRUPT, "%s: section '%s': is %s, needs %s", artifact->name, tag,
                    artifact_type_name(section.type), artifact_type_name(type));
    TRY(check_dimension(artifact, tag, "rows", section.rows, rows, err));
    TRY(check_dimension(artifact, tag, "columns", section.columns, columns, err));
    *ret_section = section;
    return STATUS_OK;
}

enum status artifact_need_strings(const struct artifact *artifact, const char *tag, size_t n,
                                  struct arena *arena, const char *const **ret_strings,
                                  size_t *ret_n, struct error *err)
{
    struct artifact_section section;
    TRY(artifact_need(artifact, tag, ARTIFACT_U8, ARTIFACT_ANY, 1, &section, err));
    const char *text = section.data;
    size_t found = 0;
    for (size_t i = 0; i < section.rows; i++)
        found += text[i] == '\0';
    if (section.rows > 0 && text[section.rows - 1] != '\0')
        return fail(err, STATUS_CORRUPT, "%s: section '%s': the last string has no end",
                    artifact->name, tag);
    TRY(check_dimension(artifact, tag, "strings", found, n, err));
    if (!text_is_utf8(text, section.rows))
        return fail(err, STATUS_CORRUPT, "%s: section '%s': is not well-formed UTF-8",
                    artifact->name, tag);
    const char **strings = ARENA_ARRAY(arena, const char *, found + 1);
    if (!strings)
        return fail(err, STATUS_NO_MEMORY, "%s: section '%s': out of memory", artifact->name, tag);
    for (size_t i = 0, at = 0; i < found; i++) {
        strings[i] = text + at;
        at += strlen(text + at) + 1;
    }
    *ret_strings = strings;
    *ret_n = found;
    return STATUS_OK;
}
