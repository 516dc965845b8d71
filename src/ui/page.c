/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/page.h"

#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/cleanup.h"
#include "ui/assets.h"

#define GZIP_WINDOW_BITS (MAX_WBITS + 16) /* zlib's way to say: with a gzip header */

const struct page_asset *page_find(const char *path)
{
    for (size_t i = 0; i < page_n_assets; i++)
        if (strcmp(page_assets[i].path, path) == 0)
            return &page_assets[i];
    return NULL;
}

const char *page_absence(void)
{
    return page_n_assets ? NULL : page_build_note;
}

const char *page_security_policy(void)
{
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
           "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

enum status page_inflate(const struct page_asset *asset, unsigned char *ret_plain,
                         struct error *err)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    stream.next_in = asset->gzip;
    stream.avail_in = (uInt)asset->n_gzip;
    stream.next_out = ret_plain;
    stream.avail_out = (uInt)asset->n_plain;
    int code = inflate(&stream, Z_FINISH);
    size_t n_plain = stream.total_out;
    inflateEnd(&stream);
    if (code != Z_STREAM_END || n_plain != asset->n_plain)
        return fail(err, STATUS_INTERNAL, "%s: the embedded page does not inflate", asset->path);
    return STATUS_OK;
}

static enum status put_inflated(struct buffer *html, const struct page_asset *part,
                                struct error *err)
{
    if (!buffer_reserve(html, part->n_plain))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(page_inflate(part, (unsigned char *)html->at + html->length, err));
    html->length += part->n_plain;
    html->at[html->length] = '\0';
    return STATUS_OK;
}

/* In JSON a "<" stands only within strings: escaped, nothing in there can end the script tag. */
static void put_script_safe(struct buffer *html, const char *json, size_t n_json)
{
    for (const char *end = json + n_json; json < end;) {
        const char *angle = memchr(json, '<', (size_t)(end - json));
        const char *stop = angle ? angle : end;
        buffer_put(html, json, (size_t)(stop - json));
        if (angle)
            buffer_put_text(html, "\\u003c");
        json = angle ? angle + 1 : end;
    }
}

enum status page_put_report(struct buffer *html, const char *report, size_t n_report,
                            struct error *err)
{
    if (page_absence())
        return fail(err, STATUS_UNSUPPORTED, "%s", page_absence());
    TRY(put_inflated(html, &page_report_head, err));
    put_script_safe(html, report, n_report);
    TRY(put_inflated(html, &page_report_tail, err));
    if (html->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}
