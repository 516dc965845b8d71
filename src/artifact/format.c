/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact/format.h"

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"

size_t artifact_type_bytes(uint32_t type)
{
    switch (type) {
    case ARTIFACT_U8:
        return 1;
    case ARTIFACT_I32:
    case ARTIFACT_U32:
    case ARTIFACT_F32:
    case ARTIFACT_F32_MISSING:
        return 4;
    case ARTIFACT_U64:
    case ARTIFACT_F64:
    case ARTIFACT_F64_MISSING:
        return 8;
    default:
        return 0;
    }
}

const char *artifact_type_name(uint32_t type)
{
    switch (type) {
    case ARTIFACT_U8:
        return "u8";
    case ARTIFACT_I32:
        return "i32";
    case ARTIFACT_U32:
        return "u32";
    case ARTIFACT_U64:
        return "u64";
    case ARTIFACT_F32:
        return "f32";
    case ARTIFACT_F64:
        return "f64";
    case ARTIFACT_F32_MISSING:
        return "f32 or missing";
    case ARTIFACT_F64_MISSING:
        return "f64 or missing";
    default:
        return "an unknown type";
    }
}

uint64_t artifact_checksum(const void *bytes, size_t n_bytes)
{
    struct artifact_header header;
    memcpy(&header, bytes, sizeof header);
    header.checksum = hash_xxh3((const char *)bytes + sizeof header, n_bytes - sizeof header);
    return hash_xxh3(&header, sizeof header);
}

static bool is_bad_f32(uint32_t bits, bool may_be_missing)
{
    return (bits & UINT32_C(0x7f800000)) == UINT32_C(0x7f800000) &&
           !(may_be_missing && bits == ARTIFACT_MISSING_F32);
}

static bool is_bad_f64(uint64_t bits, bool may_be_missing)
{
    return (bits & UINT64_C(0x7ff0000000000000)) == UINT64_C(0x7ff0000000000000) &&
           !(may_be_missing && bits == ARTIFACT_MISSING_F64);
}

/* The count of bad ones vectorises where a search with an early exit does not; nearly every section
 * has none. */
static size_t first_bad_f32(const uint32_t *bits, size_t n, bool may_be_missing)
{
    uint32_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= (uint32_t)is_bad_f32(bits[i], may_be_missing);
    size_t i = any ? 0 : n;
    while (i < n && !is_bad_f32(bits[i], may_be_missing))
        i++;
    return i;
}

static size_t first_bad_f64(const uint64_t *bits, size_t n, bool may_be_missing)
{
    uint64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= (uint64_t)is_bad_f64(bits[i], may_be_missing);
    size_t i = any ? 0 : n;
    while (i < n && !is_bad_f64(bits[i], may_be_missing))
        i++;
    return i;
}

size_t artifact_first_bad(enum artifact_type type, const void *data, size_t n)
{
    switch (type) {
    case ARTIFACT_F32:
    case ARTIFACT_F32_MISSING:
        return first_bad_f32(data, n, type == ARTIFACT_F32_MISSING);
    case ARTIFACT_F64:
    case ARTIFACT_F64_MISSING:
        return first_bad_f64(data, n, type == ARTIFACT_F64_MISSING);
    case ARTIFACT_U8:
    case ARTIFACT_I32:
    case ARTIFACT_U32:
    case ARTIFACT_U64:
        break;
    }
    return n;
}
