/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_http.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/fetch_url.h"

#define MAX_REDIRECTS 5
#define MAX_WAIT_S 300 /* a server that asks for more is given up on */
#define LONGEST_DELAY_MS 60000
#define STALL_BYTES_S 64
#define PROGRESS_BYTES 65536 /* an attempt that brought this much is not counted as failed */
#define GRACE_NS 500000000u  /* to see whether more comes than was announced */
#define UNKNOWN UINT64_MAX

/* A download over all its attempts. */
struct download {
    const struct http_request *request;
    CURL *curl;                           /* owns */
    int fd;                               /* owns: the part file */
    struct arena arena;                   /* addresses of one attempt */
    uint64_t n_have;                      /* bytes in the part file */
    char validator[HTTP_VALIDATOR_BYTES]; /* what If-Range asks for; "": begin again */
    char etag[HTTP_VALIDATOR_BYTES], last_modified[HTTP_VALIDATOR_BYTES];
    uint64_t n_promised; /* total of the last answer that had data, or UNKNOWN */
    struct rng rng;

    /* of the answer being read: */
    bool refused;         /* neither 200 nor 206 */
    bool begun;           /* the status was looked at */
    bool keeps;           /* its body goes into the file */
    uint64_t n_declared;  /* bytes of this body, or UNKNOWN */
    uint64_t n_total;     /* bytes of the whole file, or UNKNOWN */
    uint64_t n_body;      /* bytes of this body so far */
    uint64_t complete_ns; /* when all that was declared had come; 0: not yet */
    enum status status;   /* why the body was stopped */
    struct error *err;
};

/* What to do after an attempt failed. */
struct verdict {
    bool again;
    uint64_t wait_s; /* as the server asked; 0: as we see fit */
};

static bool cancelled(const struct download *d)
{
    const volatile sig_atomic_t *cancel = d->request->options->cancel;
    return cancel && *cancel;
}

/* A response header, "" when there is none or it is too long to be one of ours. */
static void copy_header(const struct download *d, const char *name,
                        char ret_value[static HTTP_VALIDATOR_BYTES])
{
    struct curl_header *header;
    ret_value[0] = '\0';
    if (curl_easy_header(d->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return;
    if (strlen(header->value) < HTTP_VALIDATOR_BYTES)
        snprintf(ret_value, HTTP_VALIDATOR_BYTES, "%s", header->value);
}

/* ---- what is on disk ---- */

static enum status validator_path(const struct download *d, char ret_path[static PATH_MAX],
                                  struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s.validator", d->request->part_path);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "%s: path is too long", d->request->part_path);
    return STATUS_OK;
}

static enum status open_part(struct download *d, struct error *err)
{
    const char *path = d->request->part_path;
    d->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (d->fd < 0)
        return fail_errno(err, "%s: cannot create", path);
    struct stat info;
    if (fstat(d->fd, &info) != 0)
        return fail_errno(err, "%s", path);
    char beside[PATH_MAX];
    TRY(validator_path(d, beside, err));
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    if (file_read(beside, HTTP_VALIDATOR_BYTES - 1, &text, &bytes, NULL) == STATUS_OK &&
        strlen(text) == bytes && strpbrk(text, "\r\n") == NULL) {
        snprintf(d->validator, sizeof d->validator, "%s", text);
        d->n_have = (uint64_t)info.st_size;
    }
    return STATUS_OK;
}

/* Begin the part file anew, for a body with these headers. */
static enum status restart_part(struct download *d, struct error *err)
{
    d->n_have = 0;
    if (ftruncate(d->fd, 0) != 0)
        return fail_errno(err, "%s: cannot truncate", d->request->part_path);
    copy_header(d, "ETag", d->etag);
    copy_header(d, "Last-Modified", d->last_modified);
    /* If-Range takes strong validators only (RFC 9110, 13.1.5). */
    bool is_strong = d->etag[0] == '"';
    snprintf(d->validator, sizeof d->validator, "%s", is_strong ? d->etag : d->last_modified);
    char path[PATH_MAX];
    TRY(validator_path(d, path, err));
    return file_write_atomic(path, d->validator, strlen(d->validator), err);
}

static enum status append(struct download *d, const char *data, size_t bytes, struct error *err)
{
    while (bytes > 0) {
        ssize_t n = pwrite(d->fd, data, bytes, (off_t)d->n_have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "%s: cannot write", d->request->part_path);
        data += n;
        bytes -= (size_t)n;
        d->n_have += (uint64_t)n;
    }
    return STATUS_OK;
}

/* ---- one answer ---- */

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
static enum status begin_partial(struct download *d, struct error *err)
{
    char range[HTTP_VALIDATOR_BYTES];
    copy_header(d, "Content-Range", range);
    const char *at = range;
    uint64_t first, last, total;
    bool fits = take_text(&at, "bytes ") && take_number(&at, &first) && take_text(&at, "-") &&
                take_number(&at, &last) && take_text(&at, "/") && take_number(&at, &total) &&
                first == d->n_have && first <= last && last < total;
    if (!fits) {
        d->validator[0] = '\0'; /* the next attempt begins anew */
        return fail(err, STATUS_UNAVAILABLE, "%s: the server sent another part than asked for",
                    d->request->shown);
    }
    d->n_total = total;
    copy_header(d, "ETag", d->etag);
    copy_header(d, "Last-Modified", d->last_modified);
    return STATUS_OK;
}

static enum status check_size(struct download *d, uint64_t bytes, struct error *err)
{
    uint64_t most = d->request->options->max_download_bytes;
    if (bytes != UNKNOWN && bytes > most)
        return fail(err, STATUS_LIMIT,
                    "%s: is larger than %" PRIu64 " bytes, the most that is taken",
                    d->request->shown, most);
    return STATUS_OK;
}

static uint64_t declared_length(const struct download *d)
{
    char coding[HTTP_VALIDATOR_BYTES];
    char text[HTTP_VALIDATOR_BYTES];
    copy_header(d, "Transfer-Encoding", coding);
    copy_header(d, "Content-Length", text);
    const char *at = text;
    uint64_t length;
    return !coding[0] && take_number(&at, &length) && !*at ? length : UNKNOWN;
}

/* Look at status and headers, once, before the first byte of the body. */
static enum status begin_body(struct download *d, struct error *err)
{
    d->begun = true;
    long code = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    d->n_declared = declared_length(d);
    d->keeps = code == 200 || code == 206;
    if (code == 206)
        TRY(begin_partial(d, err));
    if (code == 200) {
        TRY(restart_part(d, err));
        d->n_total = d->n_declared;
    }
    if (d->keeps)
        d->n_promised = d->n_total;
    return d->keeps ? check_size(d, d->n_total, err) : STATUS_OK;
}

/* One piece of the body that is kept. The library would cut it to the declared length without a
 * word, so it is told to ignore that, and the length is checked here. */
static enum status take_piece(struct download *d, const char *data, size_t bytes)
{
    TRY(check_size(d, d->n_have + bytes, d->err));
    d->n_body += bytes;
    if (d->n_declared != UNKNOWN && d->n_body > d->n_declared)
        return fail(d->err, STATUS_IO,
                    "%s: the server sent more than the %" PRIu64 " bytes it announced",
                    d->request->shown, d->n_declared);
    TRY(append(d, data, bytes, d->err));
    if (d->n_body == d->n_declared)
        d->complete_ns = clock_monotonic_ns();
    return STATUS_OK;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct download *d = user;
    size_t bytes = size * count;
    if (!d->begun)
        d->status = begin_body(d, d->err);
    if (d->status == STATUS_OK && d->keeps)
        d->status = take_piece(d, data, bytes);
    return d->status == STATUS_OK && d->keeps ? bytes : 0;
}

/* The text of an error page or a redirect is nothing we need: stop behind the headers. */
static size_t watch_headers(char *line, size_t size, size_t count, void *user)
{
    struct download *d = user;
    size_t bytes = size * count;
    bool is_last = bytes <= 2 && memchr(line, '\n', bytes);
    long code = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    d->refused = is_last && code >= 300;
    return d->refused ? 0 : bytes;
}

static int watch_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                          curl_off_t up)
{
    (void)total;
    (void)now;
    (void)up_total;
    (void)up;
    struct download *d = user;
    if (d->keeps && d->n_total != UNKNOWN && d->n_total > 0)
        progress_show(d->request->options->progress, d->request->shown,
                      (double)d->n_have / (double)d->n_total);
    else if (d->keeps)
        progress_show(d->request->options->progress, d->request->shown, -1);
    /* All is there; a server that keeps the line open is not waited for. */
    bool is_done = d->complete_ns && clock_monotonic_ns() - d->complete_ns > GRACE_NS;
    return cancelled(d) || is_done;
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

static void set_options(struct download *d, const struct url *url)
{
    CURL *curl = d->curl;
    const struct fetch_options *options = d->request->options;
    curl_easy_setopt(curl, CURLOPT_URL, url->text);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, url->is_plain ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "influence/" INFLUENCE_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)options->connect_timeout_s);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)options->stall_timeout_s);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, d);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, watch_headers);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, d);
    curl_easy_setopt(curl, CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
    if (url->is_plain)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static void slist_slot(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static enum status request_headers(const struct download *d, struct curl_slist **ret_headers,
                                   struct error *err)
{
    AUTO(slist_slot) struct curl_slist *headers = curl_slist_append(NULL, "Connection: close");
    bool fits = headers != NULL;
    if (d->n_have > 0) {
        char line[HTTP_VALIDATOR_BYTES + 32];
        snprintf(line, sizeof line, "Range: bytes=%" PRIu64 "-", d->n_have);
        fits = fits && curl_slist_append(headers, line);
        snprintf(line, sizeof line, "If-Range: %s", d->validator);
        fits = fits && curl_slist_append(headers, line);
    }
    if (!fits)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", d->request->shown);
    *ret_headers = STEAL(headers);
    return STATUS_OK;
}

static CURLcode perform(struct download *d, const struct url *url, bool with_credentials,
                        struct curl_slist *headers, struct error *err)
{
    curl_easy_reset(d->curl);
    set_options(d, url);
    if (with_credentials)
        set_credentials(d->curl, &d->request->credentials);
    curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, headers);
    d->refused = d->begun = d->keeps = false;
    d->n_declared = d->n_total = UNKNOWN;
    d->n_body = d->complete_ns = 0;
    d->status = STATUS_OK;
    d->err = err;
    return curl_easy_perform(d->curl);
}

/* ---- what an answer means ---- */

static enum status refused(const struct download *d, long code, struct verdict *verdict,
                           struct error *err)
{
    const char *shown = d->request->shown;
    bool has_credentials = d->request->credentials.bearer || d->request->credentials.user_password;
    curl_off_t wait_s = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RETRY_AFTER, &wait_s);
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
static enum status nothing_left(struct download *d, struct verdict *verdict, struct error *err)
{
    char range[HTTP_VALIDATOR_BYTES];
    copy_header(d, "Content-Range", range);
    copy_header(d, "ETag", d->etag);
    copy_header(d, "Last-Modified", d->last_modified);
    const char *at = range;
    uint64_t total;
    if (d->n_have > 0 && take_text(&at, "bytes */") && take_number(&at, &total) &&
        total == d->n_have && (d->n_promised == UNKNOWN || d->n_promised == total))
        return STATUS_OK;
    d->validator[0] = '\0';
    verdict->again = true;
    return fail(err, STATUS_UNAVAILABLE, "%s: the server cannot continue the download",
                d->request->shown);
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

static enum status cut(const struct download *d, struct verdict *verdict, struct error *err)
{
    verdict->again = true;
    return fail(err, STATUS_UNAVAILABLE,
                "%s: the line was cut after %" PRIu64 " of %" PRIu64 " bytes", d->request->shown,
                d->n_have, d->n_total);
}

static enum status broken(const struct download *d, CURLcode result, struct verdict *verdict,
                          struct error *err)
{
    const char *shown = d->request->shown;
    if (cancelled(d))
        return fail(err, STATUS_CANCELLED, "%s: stopped", shown);
    verdict->again = is_passing(result);
    if (result == CURLE_OPERATION_TIMEDOUT)
        return fail(err, STATUS_UNAVAILABLE, "%s: the server did not connect or send in time",
                    shown);
    if (verdict->again && d->keeps && d->n_total != UNKNOWN)
        return cut(d, verdict, err);
    return fail(err, verdict->again ? STATUS_UNAVAILABLE : STATUS_IO, "%s: %s", shown,
                curl_easy_strerror(result));
}

static enum status judge(struct download *d, CURLcode result, struct verdict *verdict,
                         struct error *err)
{
    if (d->status != STATUS_OK) {
        verdict->again = d->status == STATUS_UNAVAILABLE;
        return d->status;
    }
    long code = 0;
    curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
    if (d->refused)
        return code == 416 ? nothing_left(d, verdict, err) : refused(d, code, verdict, err);
    if (result != CURLE_OK && !d->complete_ns)
        return broken(d, result, verdict, err);
    if (code != 200 && code != 206)
        return refused(d, code, verdict, err);
    if (!d->begun) /* an empty body */
        TRY(begin_body(d, err));
    if (d->n_declared != UNKNOWN && d->n_body < d->n_declared)
        return cut(d, verdict, err);
    if (d->n_total != UNKNOWN && d->n_have != d->n_total)
        return fail(err, STATUS_IO, "%s: got %" PRIu64 " of %" PRIu64 " bytes", d->request->shown,
                    d->n_have, d->n_total);
    return STATUS_OK;
}

static bool is_redirect(long code)
{
    return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

/* One attempt, through all redirects. */
static enum status attempt(struct download *d, struct verdict *verdict, struct error *err)
{
    arena_reset(&d->arena);
    struct url url;
    TRY(url_parse(d->request->url, &d->arena, &url, err));
    const char *origin = url.origin;
    bool with_credentials = true;
    AUTO(slist_slot) struct curl_slist *headers = NULL;
    if (d->validator[0] == '\0')
        d->n_have = 0;
    TRY(request_headers(d, &headers, err));
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
        CURLcode result = perform(d, &url, with_credentials, headers, err);
        long code = 0;
        const char *location = NULL;
        curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
        struct curl_header *header;
        if (is_redirect(code) &&
            curl_easy_header(d->curl, "Location", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
            location = header->value;
        if (cancelled(d) || !location)
            return judge(d, result, verdict, err);
        TRY(url_follow(&url, location, &d->arena, &url, err));
        with_credentials = with_credentials && strcmp(url.origin, origin) == 0;
    }
    return fail(err, STATUS_IO, "%s: redirected more than %d times", d->request->shown,
                MAX_REDIRECTS);
}

/* ---- all attempts ---- */

/* Sleep in slices, so that a cancel is seen. */
static enum status wait_ms(const struct download *d, uint64_t ms, struct error *err)
{
    uint64_t until = clock_monotonic_ns() + ms * 1000000u;
    while (!cancelled(d)) {
        uint64_t now = clock_monotonic_ns();
        if (now >= until)
            return STATUS_OK;
        uint64_t left = until - now;
        struct timespec slice = {.tv_nsec = left < 100000000u ? (long)left : 100000000L};
        nanosleep(&slice, NULL);
    }
    return fail(err, STATUS_CANCELLED, "%s: stopped", d->request->shown);
}

/* Exponential back-off with jitter, unless the server said how long. */
static uint64_t delay_ms(struct download *d, unsigned n_failed, uint64_t asked_s)
{
    if (asked_s > 0)
        return asked_s * 1000u;
    uint64_t delay = d->request->options->retry_delay_ms;
    for (unsigned i = 1; i < n_failed && delay < LONGEST_DELAY_MS; i++)
        delay *= 2;
    if (delay > LONGEST_DELAY_MS)
        delay = LONGEST_DELAY_MS;
    return (uint64_t)((double)delay * (0.5 + rng_uniform(&d->rng)));
}

static enum status download(struct download *d, struct error *err)
{
    struct error local = {0};
    struct error *last = err ? err : &local;
    unsigned n_failed = 0;
    for (;;) {
        struct verdict verdict = {0};
        uint64_t before = d->n_have;
        enum status status = attempt(d, &verdict, last);
        if (status == STATUS_OK || !verdict.again)
            return status;
        if (d->n_have < before + PROGRESS_BYTES || d->validator[0] == '\0')
            n_failed++;
        if (n_failed >= d->request->options->max_attempts)
            return fail_prefix(last, status, "gave up after %u attempts", n_failed);
        if (verdict.wait_s > MAX_WAIT_S)
            return fail_prefix(last, status, "gave up, the server asks to wait %" PRIu64 " s",
                               verdict.wait_s);
        uint64_t delay = delay_ms(d, n_failed, verdict.wait_s);
        log_info("%s; next attempt in %.1f s", last->message, (double)delay / 1000.0);
        TRY(wait_ms(d, delay, err));
    }
}

enum status http_download(const struct http_request *request, struct http_result *ret_result,
                          struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, STATUS_INTERNAL, "libcurl cannot be set up");
    struct download d = {
        .request = request,
        .curl = curl_easy_init(),
        .fd = -1,
        .n_promised = UNKNOWN,
        .rng = rng_seed(clock_monotonic_ns() ^ (uint64_t)getpid()),
    };
    arena_init(&d.arena, 4096);
    enum status status = d.curl ? open_part(&d, err)
                                : fail(err, STATUS_NO_MEMORY, "%s: out of memory", request->shown);
    if (status == STATUS_OK)
        status = download(&d, err);
    if (status == STATUS_OK && fsync(d.fd) != 0)
        status = fail_errno(err, "%s: cannot sync", request->part_path);
    if (status == STATUS_OK) {
        ret_result->n_bytes = d.n_have;
        memcpy(ret_result->etag, d.etag, sizeof d.etag);
        memcpy(ret_result->last_modified, d.last_modified, sizeof d.last_modified);
        progress_show(request->options->progress, request->shown, 1.0);
    }
    close_slot(&d.fd);
    arena_deinit(&d.arena);
    curl_easy_cleanup(d.curl);
    curl_global_cleanup();
    return status;
}
