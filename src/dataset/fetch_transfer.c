/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define STALL_BYTES_S 64
#define GRACE_NS 500000000u /* to see whether more comes than was announced */

bool transfer_cancelled(const struct http_request *request)
{
    const volatile sig_atomic_t *cancel = request->options->cancel;
    return cancel && *cancel;
}

/* A response header, "" when there is none or it is too long to be one of ours. */
static void copy_header(const struct transfer *t, const char *name,
                        char ret_value[static VALIDATOR_BYTES])
{
    struct curl_header *header;
    ret_value[0] = '\0';
    if (curl_easy_header(t->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return;
    if (strlen(header->value) < VALIDATOR_BYTES)
        snprintf(ret_value, VALIDATOR_BYTES, "%s", header->value);
}

/* The whole number at *at, which then stands behind it; false when there is none. */
static bool take_number(const char **at, uint64_t *ret_value)
{
    size_t length = strspn(*at, "0123456789");
    int64_t value;
    if (!text_parse_integer(*at, length, &value))
        return false;
    *at += length;
    *ret_value = (uint64_t)value;
    return true;
}

static bool take_text(const char **at, const char *text)
{
    if (!text_starts_with(*at, text))
        return false;
    *at += strlen(text);
    return true;
}

/* "bytes FIRST-LAST/TOTAL" of a 206. */
static enum status begin_partial(struct transfer *t, struct error *err)
{
    char range[VALIDATOR_BYTES];
    copy_header(t, "Content-Range", range);
    const char *at = range;
    uint64_t first, last, total;
    bool fits = take_text(&at, "bytes ") && take_number(&at, &first) && take_text(&at, "-") &&
                take_number(&at, &last) && take_text(&at, "/") && take_number(&at, &total) &&
                first == t->part->n_bytes && first <= last && last < total;
    if (!fits) {
        t->part->validator[0] = '\0'; /* the next attempt begins anew */
        return fail(err, STATUS_UNAVAILABLE, "%s: the server sent another part than asked for",
                    t->request->shown);
    }
    t->n_total = total;
    return STATUS_OK;
}

/* If-Range takes strong validators only (RFC 9110, 13.1.5). */
static enum status begin_whole(struct transfer *t, struct error *err)
{
    char validator[VALIDATOR_BYTES];
    copy_header(t, "ETag", validator);
    if (validator[0] != '"')
        copy_header(t, "Last-Modified", validator);
    t->n_total = t->n_declared;
    return part_restart(t->part, validator, err);
}

static enum status check_size(struct transfer *t, uint64_t bytes, struct error *err)
{
    uint64_t most = t->request->options->max_download_bytes;
    if (bytes != LENGTH_UNKNOWN && bytes > most)
        return fail(err, STATUS_LIMIT,
                    "%s: is larger than %" PRIu64 " bytes, the most that is taken",
                    t->request->shown, most);
    return STATUS_OK;
}

static uint64_t declared_length(const struct transfer *t)
{
    char coding[VALIDATOR_BYTES];
    char text[VALIDATOR_BYTES];
    copy_header(t, "Transfer-Encoding", coding);
    copy_header(t, "Content-Length", text);
    const char *at = text;
    uint64_t length;
    return !coding[0] && take_number(&at, &length) && !*at ? length : LENGTH_UNKNOWN;
}

/* Look at status and headers, once, before the first byte of the body. */
static enum status begin_body(struct transfer *t, struct error *err)
{
    t->begun = true;
    long code = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    t->n_declared = declared_length(t);
    t->keeps = code == 200 || code == 206;
    if (code == 206)
        TRY(begin_partial(t, err));
    if (code == 200)
        TRY(begin_whole(t, err));
    if (!t->keeps)
        return STATUS_OK;
    t->n_promised = t->n_total;
    copy_header(t, "ETag", t->etag);
    copy_header(t, "Last-Modified", t->last_modified);
    return check_size(t, t->n_total, err);
}

/* One piece of the body that is kept. The library would cut it to the declared length without a
 * word, so it is told to ignore that, and the length is checked here. */
static enum status take_piece(struct transfer *t, const char *data, size_t bytes)
{
    TRY(check_size(t, t->part->n_bytes + bytes, t->err));
    t->n_body += bytes;
    if (t->n_declared != LENGTH_UNKNOWN && t->n_body > t->n_declared)
        return fail(t->err, STATUS_IO,
                    "%s: the server sent more than the %" PRIu64 " bytes it announced",
                    t->request->shown, t->n_declared);
    TRY(part_append(t->part, data, bytes, t->err));
    if (t->n_body == t->n_declared)
        t->complete_ns = clock_monotonic_ns();
    return STATUS_OK;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t bytes = size * count;
    if (!t->begun)
        t->status = begin_body(t, t->err);
    if (t->status == STATUS_OK && t->keeps)
        t->status = take_piece(t, data, bytes);
    return t->status == STATUS_OK && t->keeps ? bytes : 0;
}

/* The text of an error page or a redirect is nothing we need: stop behind the headers. */
static size_t watch_headers(char *line, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t bytes = size * count;
    bool is_last = bytes <= 2 && memchr(line, '\n', bytes);
    long code = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    t->refused = is_last && code >= 300;
    return t->refused ? 0 : bytes;
}

static int watch_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                          curl_off_t up)
{
    (void)total;
    (void)now;
    (void)up_total;
    (void)up;
    struct transfer *t = user;
    if (t->keeps && t->n_total != LENGTH_UNKNOWN && t->n_total > 0)
        progress_show(t->request->options->progress, t->request->shown,
                      (double)t->part->n_bytes / (double)t->n_total);
    else if (t->keeps)
        progress_show(t->request->options->progress, t->request->shown, -1);
    /* All is there; a server that keeps the line open is not waited for. */
    bool is_done = t->complete_ns && clock_monotonic_ns() - t->complete_ns > GRACE_NS;
    return transfer_cancelled(t->request) || is_done;
}

static void set_credentials(CURL *curl, const struct credentials *credentials)
{
    if (credentials->bearer) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, credentials->bearer);
    } else if (credentials->user_password) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERPWD, credentials->user_password);
    }
}

static void set_options(struct transfer *t, const struct url *url)
{
    CURL *curl = t->curl;
    const struct fetch_options *options = t->request->options;
    curl_easy_setopt(curl, CURLOPT_URL, url->text);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, url->is_plain ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "influence/" INFLUENCE_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)options->connect_timeout_s);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)options->stall_timeout_s);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, watch_headers);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (url->is_plain)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static void slist_slot(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static enum status request_headers(const struct transfer *t, struct curl_slist **ret_headers,
                                   struct error *err)
{
    AUTO(slist_slot) struct curl_slist *headers = curl_slist_append(NULL, "Connection: close");
    bool fits = headers != NULL;
    if (t->part->n_bytes > 0 && t->part->validator[0]) {
        char line[VALIDATOR_BYTES + 32];
        snprintf(line, sizeof line, "Range: bytes=%" PRIu64 "-", t->part->n_bytes);
        fits = fits && curl_slist_append(headers, line);
        snprintf(line, sizeof line, "If-Range: %s", t->part->validator);
        fits = fits && curl_slist_append(headers, line);
    }
    if (!fits)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", t->request->shown);
    *ret_headers = STEAL(headers);
    return STATUS_OK;
}

static enum status perform(struct transfer *t, const struct url *url, bool with_credentials,
                           CURLcode *ret_result, struct error *err)
{
    AUTO(slist_slot) struct curl_slist *headers = NULL;
    TRY(request_headers(t, &headers, err));
    curl_easy_reset(t->curl);
    set_options(t, url);
    if (with_credentials)
        set_credentials(t->curl, &t->request->credentials);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
    t->refused = t->begun = t->keeps = false;
    t->n_declared = t->n_total = LENGTH_UNKNOWN;
    t->n_body = t->complete_ns = 0;
    t->status = STATUS_OK;
    t->err = err;
    *ret_result = curl_easy_perform(t->curl);
    return STATUS_OK;
}

/* ---- what an answer means ---- */

static enum status refused(const struct transfer *t, long code, struct verdict *verdict,
                           struct error *err)
{
    const char *shown = t->request->shown;
    bool has_credentials = t->request->credentials.bearer || t->request->credentials.user_password;
    curl_off_t wait_s = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &wait_s);
    verdict->wait_s = wait_s > 0 ? (uint64_t)wait_s : 0;
    switch (code) {
    case 401:
        return fail(err, STATUS_DENIED,
                    "%s: the server %s (401): influence fetch --help tells where "
                    "credentials are read from",
                    shown,
                    has_credentials ? "does not accept the credentials" : "wants credentials");
    case 403:
        return fail(err, STATUS_DENIED,
                    "%s: not allowed (403): the data set is private, or its rules must be accepted "
                    "on its page first",
                    shown);
    case 404:
    case 410:
        return fail(err, STATUS_NOT_FOUND, "%s: there is no such data set (%ld)", shown, code);
    case 408:
    case 429:
        verdict->again = true;
        return fail(err, STATUS_UNAVAILABLE, "%s: the server asks to wait (%ld)", shown, code);
    default:
        verdict->again = code >= 500;
        return fail(err, code >= 500 ? STATUS_UNAVAILABLE : STATUS_IO,
                    "%s: the server answered %ld", shown, code);
    }
}

/* 416: nothing is left to send; fine when we have it all. */
static enum status nothing_left(struct transfer *t, struct verdict *verdict, struct error *err)
{
    char range[VALIDATOR_BYTES];
    copy_header(t, "Content-Range", range);
    copy_header(t, "ETag", t->etag);
    copy_header(t, "Last-Modified", t->last_modified);
    const char *at = range;
    uint64_t total;
    if (t->part->n_bytes > 0 && take_text(&at, "bytes */") && take_number(&at, &total) &&
        total == t->part->n_bytes && (t->n_promised == LENGTH_UNKNOWN || t->n_promised == total))
        return STATUS_OK;
    t->part->validator[0] = '\0';
    verdict->again = true;
    return fail(err, STATUS_UNAVAILABLE, "%s: the server cannot continue the download",
                t->request->shown);
}

static bool is_passing(CURLcode result)
{
    static const CURLcode passing[] = {
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT,
        CURLE_PARTIAL_FILE,         CURLE_GOT_NOTHING,     CURLE_SEND_ERROR,
        CURLE_RECV_ERROR,           CURLE_HTTP2,           CURLE_HTTP2_STREAM,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(passing); i++)
        if (passing[i] == result)
            return true;
    return false;
}

static enum status cut(const struct transfer *t, struct verdict *verdict, struct error *err)
{
    verdict->again = true;
    return fail(err, STATUS_UNAVAILABLE,
                "%s: the line was cut after %" PRIu64 " of %" PRIu64 " bytes", t->request->shown,
                t->part->n_bytes, t->n_total);
}

static enum status broken(const struct transfer *t, CURLcode result, struct verdict *verdict,
                          struct error *err)
{
    const char *shown = t->request->shown;
    if (transfer_cancelled(t->request))
        return fail(err, STATUS_CANCELLED, "%s: stopped", shown);
    verdict->again = is_passing(result);
    if (result == CURLE_OPERATION_TIMEDOUT)
        return fail(err, STATUS_UNAVAILABLE, "%s: the server did not connect or send in time",
                    shown);
    if (verdict->again && t->keeps && t->n_total != LENGTH_UNKNOWN)
        return cut(t, verdict, err);
    return fail(err, verdict->again ? STATUS_UNAVAILABLE : STATUS_IO, "%s: %s", shown,
                curl_easy_strerror(result));
}

static enum status judge(struct transfer *t, CURLcode result, struct verdict *verdict,
                         struct error *err)
{
    if (t->status != STATUS_OK) {
        verdict->again = t->status == STATUS_UNAVAILABLE;
        return t->status;
    }
    long code = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    if (t->refused)
        return code == 416 ? nothing_left(t, verdict, err) : refused(t, code, verdict, err);
    if (result != CURLE_OK && !t->complete_ns)
        return broken(t, result, verdict, err);
    if (code != 200 && code != 206)
        return refused(t, code, verdict, err);
    if (!t->begun) /* an empty body */
        TRY(begin_body(t, err));
    if (t->n_declared != LENGTH_UNKNOWN && t->n_body < t->n_declared)
        return cut(t, verdict, err);
    if (t->n_total != LENGTH_UNKNOWN && t->part->n_bytes != t->n_total)
        return fail(err, STATUS_IO, "%s: got %" PRIu64 " of %" PRIu64 " bytes", t->request->shown,
                    t->part->n_bytes, t->n_total);
    return STATUS_OK;
}

static bool is_redirect(long code)
{
    return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

static const char *redirected_to(const struct transfer *t)
{
    long code = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    struct curl_header *header;
    if (!is_redirect(code) ||
        curl_easy_header(t->curl, "Location", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

enum status transfer_run(struct transfer *transfer, const struct url *url, bool with_credentials,
                         struct verdict *ret_verdict, struct error *err)
{
    CURLcode result;
    *ret_verdict = (struct verdict){0};
    TRY(perform(transfer, url, with_credentials, &result, err));
    if (!transfer_cancelled(transfer->request))
        ret_verdict->location = redirected_to(transfer);
    return ret_verdict->location ? STATUS_OK : judge(transfer, result, ret_verdict, err);
}

enum status transfer_init(struct transfer *transfer, const struct http_request *request,
                          struct part *part, struct error *err)
{
    *transfer = (struct transfer){
        .request = request,
        .part = part,
        .curl = curl_easy_init(),
        .n_promised = LENGTH_UNKNOWN,
    };
    if (!transfer->curl)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", request->shown);
    return STATUS_OK;
}

void transfer_deinit(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->curl);
    transfer->curl = NULL;
}
