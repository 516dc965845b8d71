/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_url.h"

#include <ctype.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "base/text.h"

static void curlu_slot(CURLU **url)
{
    curl_url_cleanup(*url);
}

/* One part of the address as text in the arena; "" when it is not there, NULL when out of memory.
 */
static const char *part(CURLU *url, CURLUPart what, unsigned flags, struct arena *arena)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, what, &text, flags);
    const char *copy = NULL;
    if (code == CURLUE_OK)
        copy = arena_strdup(arena, text);
    else if (code != CURLUE_OUT_OF_MEMORY)
        copy = "";
    curl_free(text);
    return copy;
}

/* Only what is certain: a name that a resolver answers could lead anywhere. */
static bool is_this_machine(const char *host)
{
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return text_starts_with(host, "127.") && strspn(host, "0123456789.") == strlen(host);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

static enum status check(CURLU *parsed, const struct url *url, struct error *err)
{
    char *text = NULL;
    bool has_user = curl_url_get(parsed, CURLUPART_USER, &text, 0) == CURLUE_OK;
    curl_free(text);
    text = NULL;
    bool has_password = curl_url_get(parsed, CURLUPART_PASSWORD, &text, 0) == CURLUE_OK;
    curl_free(text);
    if (has_user || has_password)
        return fail(err, STATUS_INVALID, "%s: an address with a user name in it is not taken",
                    url->shown);
    if (url->is_plain && !is_this_machine(url->host))
        return fail(err, STATUS_INVALID,
                    "%s: must begin with https:// (plain http is for this machine only)",
                    url->shown);
    return STATUS_OK;
}

static enum status take_apart(CURLU *parsed, struct arena *arena, struct url *ret_url,
                              struct error *err)
{
    struct url url = {.text = part(parsed, CURLUPART_URL, 0, arena)};
    const char *scheme = part(parsed, CURLUPART_SCHEME, 0, arena);
    char *host = arena_strdup(arena, part(parsed, CURLUPART_HOST, 0, arena));
    const char *port = part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
    const char *path = part(parsed, CURLUPART_PATH, 0, arena);
    const char *plain_path = part(parsed, CURLUPART_PATH, CURLU_URLDECODE, arena);
    if (!url.text || !scheme || !host || !port || !path)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    lower(host);
    url.host = host;
    url.is_plain = strcmp(scheme, "http") == 0;
    url.origin = arena_printf(arena, "%s://%s:%s", scheme, host, port);
    bool is_default = strcmp(port, url.is_plain ? "80" : "443") == 0;
    url.shown = arena_printf(arena, "%s://%s%s%s%s", scheme, host, is_default ? "" : ":",
                             is_default ? "" : port, path);
    const char *slash = plain_path ? strrchr(plain_path, '/') : NULL;
    url.base = slash ? slash + 1 : "";
    if (!url.origin || !url.shown)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!url.is_plain && strcmp(scheme, "https") != 0)
        return fail(err, STATUS_INVALID, "%s: must begin with https://", url.shown);
    TRY(check(parsed, &url, err));
    *ret_url = url;
    return STATUS_OK;
}

enum status url_parse(const char *text, struct arena *arena, struct url *ret_url, struct error *err)
{
    AUTO(curlu_slot) CURLU *parsed = curl_url();
    if (!parsed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (curl_url_set(parsed, CURLUPART_URL, text, 0) != CURLUE_OK)
        return fail(err, STATUS_INVALID, "not an address that begins with https://");
    return take_apart(parsed, arena, ret_url, err);
}

enum status url_follow(const struct url *from, const char *location, struct arena *arena,
                       struct url *ret_url, struct error *err)
{
    AUTO(curlu_slot) CURLU *parsed = curl_url();
    if (!parsed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    /* Set twice, the second address is resolved against the first. */
    if (curl_url_set(parsed, CURLUPART_URL, from->text, 0) != CURLUE_OK ||
        curl_url_set(parsed, CURLUPART_URL, location, 0) != CURLUE_OK)
        return fail(err, STATUS_INVALID, "%s: redirects to something that is no https address",
                    from->shown);
    TRY(take_apart(parsed, arena, ret_url, err));
    if (ret_url->is_plain && !from->is_plain)
        return fail(err, STATUS_INVALID, "%s: redirects from https to http", from->shown);
    return STATUS_OK;
}
