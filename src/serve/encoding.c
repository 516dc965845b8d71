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

bool encoding_deflate(const void *data, size_t bytes, struct buffer *out)
{
    enum {
        MEMORY_LEVEL = 7 /* 128 KiB less than the default: one is made for each reply */
    };
    z_stream stream = {.next_in = data, .avail_in = (uInt)bytes};
    if (bytes > UINT_MAX || deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_BITS, MEMORY_LEVEL,
                                         Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong bound = deflateBound(&stream, bytes);
    bool ok = buffer_reserve(out, bound);
    if (ok) {
        stream.next_out = (unsigned char *)out->at + out->length;
        stream.avail_out = (uInt)bound;
        ok = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out->length += (size_t)stream.total_out;
        put_end(out);
    }
    deflateEnd(&stream);
    return ok;
}
