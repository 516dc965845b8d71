/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The bytes of a blob, for write.c, read.c and the fuzzers; everybody else sees artifact.h. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blobs are little-endian and mapped");

#define ARTIFACT_MAGIC "IFLBLOB\n"
#define ARTIFACT_ALIGNMENT 64
#define ARTIFACT_MAX_SECTIONS 1024

struct artifact_header {
    char magic[8];
    uint32_t format_version;
    uint32_t kind;
    uint64_t total_bytes; /* a multiple of 64 */
    uint32_t n_sections;
    uint32_t zero;
    uint64_t checksum; /* artifact_checksum() */
    uint8_t reserved[24];
};
static_assert(sizeof(struct artifact_header) == 64, "the header is 64 bytes in the file");

struct artifact_entry {
    char tag[ARTIFACT_TAG_BYTES]; /* graphic ASCII, at least one NUL, NULs to the end */
    uint32_t type;
    uint32_t checksum; /* low half of XXH3 of the section's bytes: tells which one is damaged */
    uint64_t rows, columns;
    uint64_t offset;
    uint64_t bytes;
};
static_assert(sizeof(struct artifact_entry) == 64, "an entry is 64 bytes in the file");

/* The bit patterns of the one NaN that stands for a missing value. */
#define ARTIFACT_MISSING_F32 UINT32_C(0x7fc00000)
#define ARTIFACT_MISSING_F64 UINT64_C(0x7ff8000000000000)

/* Bytes of one element; 0 for an unknown type. */
size_t artifact_type_bytes(uint32_t type);

/* "u8", "f32 or missing": for messages. */
const char *artifact_type_name(uint32_t type);

/* The checksum that belongs into the header of a whole blob of at least 64 bytes: XXH3 of the
 * header in which the checksum is replaced by the XXH3 of everything behind the header. */
uint64_t artifact_checksum(const void *bytes, size_t n_bytes);

/* Elements that a float section may not hold. Returns the index of the first, or n. Writing and
 * reading ask the same question. */
size_t artifact_first_bad(enum artifact_type type, const void *data, size_t n);

/* The next multiple of 64; the caller has made sure that there is one. */
static inline size_t artifact_align(size_t bytes)
{
    return (bytes + (ARTIFACT_ALIGNMENT - 1)) & ~(size_t)(ARTIFACT_ALIGNMENT - 1);
}
