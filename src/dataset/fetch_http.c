/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_http.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "dataset/fetch_part.h"
#include "dataset/fetch_transfer.h"
#include "dataset/fetch_url.h"

#define MAX_REDIRECTS 5
#define MAX_WAIT_S 300 /* a server that asks for more is given up on */
#define LONGEST_DELAY_MS 60000
#define PROGRESS_BYTES 65536 /* an attempt that brought this much is not counted as failed */

/* One attempt, through all redirects; the addresses live in the arena. */
static enum status attempt(struct transfer *transfer, struct arena *arena, struct verdict *verdict,
                           struct error *err)
{
    const struct http_request *request = transfer->request;
    struct url url;
    TRY(url_parse(request->url, arena, &url, err));
    const char *origin = url.origin;
    bool with_credentials = true;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
        enum status status = transfer_run(transfer, &url, with_credentials, verdict, err);
        if (!verdict->location)
            return status;
        TRY(url_follow(&url, verdict->location, arena, &url, err));
        with_credentials = with_credentials && strcmp(url.origin, origin) == 0;
    }
    return fail(err, STATUS_IO, "%s: redirected more than %d times", request->shown, MAX_REDIRECTS);
}

/* Sleep in slices, so that a cancel is seen. */
static enum status wait_ms(const struct http_request *request, uint64_t ms, struct error *err)
{
    uint64_t until = clock_monotonic_ns() + ms * 1000000u;
    while (!transfer_cancelled(request)) {
        uint64_t now = clock_monotonic_ns();
        if (now >= until)
            return STATUS_OK;
        uint64_t left = until - now;
        struct timespec slice = {.tv_nsec = left < 100000000u ? (long)left : 100000000L};
        nanosleep(&slice, NULL);
    }
    return fail(err, STATUS_CANCELLED, "%s: stopped", request->shown);
}

/* Exponential back-off with jitter, unless the server said how long. */
static uint64_t delay_ms(uint64_t first_ms, unsigned n_failed, uint64_t asked_s, struct rng *rng)
{
    if (asked_s > 0)
        return asked_s * 1000u;
    uint64_t delay = first_ms;
    for (unsigned i = 1; i < n_failed && delay < LONGEST_DELAY_MS; i++)
        delay *= 2;
    if (delay > LONGEST_DELAY_MS)
        delay = LONGEST_DELAY_MS;
    return (uint64_t)((double)delay * (0.5 + rng_uniform(rng)));
}

static enum status attempts(struct transfer *transfer, struct arena *arena, struct error *err)
{
    const struct http_request *request = transfer->request;
    struct rng rng = rng_seed(clock_monotonic_ns() ^ (uint64_t)getpid());
    struct error local = {0};
    struct error *last = err ? err : &local;
    unsigned n_failed = 0;
    for (;;) {
        struct verdict verdict = {0};
        uint64_t before = transfer->part->n_bytes;
        arena_reset(arena);
        enum status status = attempt(transfer, arena, &verdict, last);
        if (status == STATUS_OK || !verdict.again)
            return status;
        if (transfer->part->n_bytes < before + PROGRESS_BYTES || !transfer->part->validator[0])
            n_failed++;
        if (n_failed >= request->options->max_attempts)
            return fail_prefix(last, status, "gave up after %u attempts", n_failed);
        if (verdict.wait_s > MAX_WAIT_S)
            return fail_prefix(last, status, "gave up, the server asks to wait %" PRIu64 " s",
                               verdict.wait_s);
        uint64_t delay = delay_ms(request->options->retry_delay_ms, n_failed, verdict.wait_s, &rng);
        progress_show(request->options->progress, request->shown, 1.0); /* ends a bar's line */
        log_info("%s; next attempt in %.1f s", last->message, (double)delay / 1000.0);
        TRY(wait_ms(request, delay, err));
    }
}

static enum status download(const struct http_request *request, struct part *part,
                            struct http_result *ret_result, struct error *err)
{
    struct transfer transfer;
    TRY(transfer_init(&transfer, request, part, err));
    struct arena arena;
    arena_init(&arena, 4096);
    enum status status = attempts(&transfer, &arena, err);
    if (status == STATUS_OK)
        status = part_sync(part, err);
    if (status == STATUS_OK) {
        ret_result->n_bytes = part->n_bytes;
        memcpy(ret_result->etag, transfer.etag, sizeof transfer.etag);
        memcpy(ret_result->last_modified, transfer.last_modified, sizeof transfer.last_modified);
    }
    progress_show(request->options->progress, request->shown, 1.0);
    arena_deinit(&arena);
    transfer_deinit(&transfer);
    return status;
}

enum status http_download(const struct http_request *request, struct http_result *ret_result,
                          struct error *err)
{
    struct part part;
    TRY(part_open(request->part_path, &part, err));
    enum status status = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
                             ? download(request, &part, ret_result, err)
                             : fail(err, STATUS_INTERNAL, "libcurl cannot be set up");
    curl_global_cleanup();
    part_close(&part);
    return status;
}
