/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/assets.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "serve/http.h"
#include "serve/request.h"
#include "serve/slot.h"
#include "ui/page.h"

bool assets_has(const char *path)
{
    return page_find(path) != NULL;
}

bool assets_wants_page(const struct request *request)
{
    const char *accept = request->head.accept;
    return accept && strstr(accept, "text/html");
}

bool assets_unchanged(struct request *request, const char *etag)
{
    const char *known = request->head.if_none_match;
    request_add_header(request, "ETag", etag);
    if (!known || !strstr(known, etag))
        return false;
    request->status = 304;
    return true;
}

static enum status put_asset(struct request *request, const struct page_asset *asset,
                             struct error *err)
{
    request->content_type = asset->type;
    if (http_accepts_gzip(request->head.accept_encoding)) {
        request_add_header(request, "Content-Encoding", "gzip");
        buffer_put(&request->reply, asset->gzip, asset->n_gzip);
        return STATUS_OK;
    }
    if (!buffer_reserve(&request->reply, asset->n_plain))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(page_inflate(asset, (unsigned char *)request->reply.at, err));
    request->reply.length = asset->n_plain;
    return STATUS_OK;
}

/* The build has no page: a browser is told so, and what there is instead. */
static void answer_without_page(struct request *request)
{
    request->content_type = "text/plain; charset=utf-8";
    buffer_put_text(&request->reply, page_absence());
    buffer_put_text(
        &request->reply,
        ".\nEverything else is served: try /score?handle=NAME, or curl / for the list.\n");
}

enum status handle_page(struct request *request, struct error *err)
{
    const struct page_asset *asset = page_find(request->path);
    if (!asset && page_absence() && strcmp(request->path, "/") == 0) {
        answer_without_page(request);
        return STATUS_OK;
    }
    if (!asset)
        return fail(err, STATUS_NOT_FOUND, "no such file of the page: %.200s", request->path);
    request_add_header(request, "Vary", "Accept, Accept-Encoding");
    request_add_header(request, "Cache-Control",
                       asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    request_add_header(request, "X-Frame-Options", "DENY");
    request_add_header(request, "Referrer-Policy", "no-referrer");
    request_add_header(request, "Content-Security-Policy", page_security_policy());
    if (assets_unchanged(request, asset->etag))
        return STATUS_OK;
    return put_asset(request, asset, err);
}

enum status handle_report(struct request *request, struct error *err)
{
    const struct file_map *report = &request->model->report;
    const char *version = engine_version(request->model->engine);
    if (report->size == 0)
        return fail(err, STATUS_NOT_FOUND, "the bundle %s has no report.json", version);
    const char *etag = arena_printf(&request->arena, "\"%s\"", version);
    if (!etag)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    request_add_header(request, "Cache-Control", "no-cache");
    if (!assets_unchanged(request, etag))
        buffer_put(&request->reply, report->bytes, report->size);
    return STATUS_OK;
}
