/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The container of a model ("blob"): one file, little-endian, 64-byte aligned typed sections behind
 * a table.
 *
 *   header    64 bytes             magic "IFLBLOB\n", format version, kind, total bytes, section
 *                                  count, XXH3 of everything else
 *   table     64 bytes a section   tag[24], element type, rows, columns, offset, bytes
 *   sections  each at a multiple of 64, in table order, zero padding between and behind
 *
 * Opening checks magic, version, sizes, bounds, order, overlaps, alignment, padding and checksum;
 * float sections must be finite unless their type says otherwise. After that, views point into the
 * mapping and nothing is copied. Everything wrong is STATUS_CORRUPT (or UNSUPPORTED for a future
 * version) and names the file, the section and the reason. An open artifact is immutable; free to
 * share between threads. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "base/text.h"

#define ARTIFACT_FORMAT_VERSION 1
#define ARTIFACT_TAG_BYTES 24

enum artifact_kind {
    ARTIFACT_SCORE = 1,
    ARTIFACT_TIER = 2,
    ARTIFACT_CLUSTER = 3,
    ARTIFACT_SIMILAR = 4,
    ARTIFACT_GROWTH = 5,
};

enum artifact_type {
    ARTIFACT_U8 = 1,
    ARTIFACT_I32 = 2,
    ARTIFACT_U32 = 3,
    ARTIFACT_U64 = 4,
    ARTIFACT_F32 = 5,         /* finite */
    ARTIFACT_F64 = 6,         /* finite */
    ARTIFACT_F32_MISSING = 7, /* finite, or the one quiet NaN that stands for missing */
    ARTIFACT_F64_MISSING = 8,
};

struct artifact;

struct artifact_section {
    const void *data; /* borrows the artifact's memory; 64-byte aligned */
    enum artifact_type type;
    size_t rows, columns;
};

/* Map and check a file. */
enum status artifact_open(const char *path, struct artifact **ret_artifact, struct error *err);

/* Check `bytes` in memory (64-byte aligned), borrowed until close; `name` stands in messages. */
enum status artifact_open_memory(const void *bytes, size_t n_bytes, const char *name,
                                 struct artifact **ret_artifact, struct error *err);
void artifact_close(struct artifact *artifact);
DEFINE_SLOT(artifact_close, struct artifact)

enum artifact_kind artifact_kind(const struct artifact *artifact);
const char *artifact_name(const struct artifact *artifact);
size_t artifact_n_sections(const struct artifact *artifact);
const char *artifact_tag(const struct artifact *artifact, size_t i);
struct artifact_section artifact_section_at(const struct artifact *artifact, size_t i);

/* STATUS_NOT_FOUND without a message: no such section. */
enum status artifact_find(const struct artifact *artifact, const char *tag,
                          struct artifact_section *ret_section);

#define ARTIFACT_ANY SIZE_MAX
/* The section, which must exist and be of that type and shape (ARTIFACT_ANY leaves a dimension
 * open). STATUS_CORRUPT otherwise. */
enum status artifact_need(const struct artifact *artifact, const char *tag, enum artifact_type type,
                          size_t rows, size_t columns, struct artifact_section *ret_section,
                          struct error *err);

/* A section of NUL-terminated strings: ret_strings: [*ret_n], the array in `arena`, the text in the
 * mapping. n: the number that must be there, or ARTIFACT_ANY. */
enum status artifact_need_strings(const struct artifact *artifact, const char *tag, size_t n,
                                  struct arena *arena, const char *const **ret_strings,
                                  size_t *ret_n, struct error *err);

/* Prefix and name to a tag: artifact_join("score", "weights") is "score.weights". What is too long
 * for a tag comes out empty, which artifact_add() refuses. */
struct artifact_tag {
    char text[ARTIFACT_TAG_BYTES];
};
struct artifact_tag artifact_join(const char *prefix, const char *name);

/* ---- writing, in memory ---- */

struct artifact_writer;

enum status artifact_writer_new(enum artifact_kind kind, struct artifact_writer **ret_writer,
                                struct error *err);
void artifact_writer_free(struct artifact_writer *writer);
DEFINE_SLOT(artifact_writer_free, struct artifact_writer)

/* Add a section: rows * columns elements, copied. STATUS_INVALID: the tag is too long or stands
 * already, or a float that is not finite (or not finite or NaN for the _MISSING types). */
enum status artifact_add(struct artifact_writer *writer, const char *tag, enum artifact_type type,
                         size_t rows, size_t columns, const void *data, struct error *err);
/* The same without a copy: takes data, which is malloc'ed, also where it fails. */
enum status artifact_take(struct artifact_writer *writer, const char *tag, enum artifact_type type,
                          size_t rows, size_t columns, void *data, struct error *err);
enum status artifact_add_strings(struct artifact_writer *writer, const char *tag,
                                 const char *const *strings, size_t n, struct error *err);

/* The whole blob; the caller frees *ret_bytes, which is 64-byte aligned. Same sections, same bytes.
 * The writer has none afterwards. */
enum status artifact_finish(struct artifact_writer *writer, void **ret_bytes, size_t *ret_n_bytes,
                            struct error *err);
