/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/encoding.h"

#include <limits.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#define GZIP_BITS (15 + 16) /* the largest window, gzip's header */
#define PIECE_BYTES ((size_t)64 << 10)

static void put_end(struct buffer *out)
{
    if (!out->failed)
        out->at[out->length] = '\0';
}

static enum status run_inflate(z_stream *stream, size_t max_bytes, struct buffer *out,
                               struct error *err)
{
    int code = Z_OK;
    while (code == Z_OK) {
        size_t room = max_bytes - (size_t)stream->total_out;
        size_t piece = room < PIECE_BYTES ? room + 1 : PIECE_BYTES; /* one more tells of too many */
        if (!buffer_reserve(out, piece))
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        stream->next_out = (unsigned char *)out->at + out->length;
        stream->avail_out = (uInt)piece;
        code = inflate(stream, Z_NO_FLUSH);
        out->length += piece - stream->avail_out;
        if (stream->total_out > max_bytes)
            return fail(err, STATUS_LIMIT, "the body unpacks to more than %zu bytes", max_bytes);
        if (code == Z_OK && stream->avail_out > 0 && stream->avail_in == 0)
            break; /* cut off */
    }
    if (code != Z_STREAM_END || stream->avail_in > 0)
        return fail(err, STATUS_INVALID, "the body is not one whole gzip member");
    put_end(out);
    return STATUS_OK;
}

enum status encoding_inflate(const void *data, size_t bytes, size_t max_bytes, struct buffer *out,
                             struct error *err)
{
    z_stream stream = {.next_in = data, .avail_in = (uInt)bytes};
    if (bytes > UINT_MAX || inflateInit2(&stream, GZIP_BITS) != Z_OK)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    enum status status = run_inflate(&stream, max_bytes, out, err);
    inflateEnd(&stream);
    return status;
}

struct packing {
    z_stream stream;
    struct buffer *out;
    size_t left; /* of the data, behind what the stream has */
};

struct packing *encoding_pack(const void *data, size_t bytes, struct buffer *out,
                              struct arena *arena)
{
    enum {
        MEMORY_LEVEL = 7 /* 128 KiB less than the default: one is made for each reply */
    };
    struct packing *packing = ARENA_NEW(arena, struct packing);
    if (!packing || bytes > UINT_MAX)
        return NULL;
    z_stream *stream = &packing->stream;
    *packing = (struct packing){.stream.next_in = data, .out = out, .left = bytes};
    if (deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    uLong bound = deflateBound(stream, bytes);
    if (!buffer_reserve(out, bound)) {
        deflateEnd(stream);
        return NULL;
    }
    stream->next_out = (unsigned char *)out->at + out->length;
    stream->avail_out = (uInt)bound;
    return packing;
}

enum packed encoding_pack_on(struct packing *packing)
{
    z_stream *stream = &packing->stream;
    size_t piece = packing->left < PIECE_BYTES ? packing->left : PIECE_BYTES;
    stream->avail_in = (uInt)piece;
    packing->left -= piece;
    int code = deflate(stream, packing->left == 0 ? Z_FINISH : Z_NO_FLUSH);
    if (code == Z_OK && packing->left > 0 && stream->avail_in == 0)
        return PACKED_IN_PART;
    if (code != Z_STREAM_END)
        return PACKED_NOT;
    packing->out->length += (size_t)stream->total_out;
    put_end(packing->out);
    return PACKED_WHOLE;
}

void encoding_pack_end(struct packing *packing)
{
    if (packing)
        deflateEnd(&packing->stream);
}
