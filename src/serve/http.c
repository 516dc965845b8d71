/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

enum http_method http_method_find(const char *name)
{
    if (strcmp(name, "POST") == 0)
        return HTTP_POST;
    if (strcmp(name, "GET") == 0)
        return HTTP_GET;
    if (strcmp(name, "HEAD") == 0)
        return HTTP_HEAD;
    if (strcmp(name, "OPTIONS") == 0)
        return HTTP_OPTIONS;
    return HTTP_OTHER;
}

enum http_status_index http_status_index(unsigned status)
{
    switch (status) {
#define X(code) \
    case code:  \
        return HTTP_STATUS_##code;
        HTTP_STATUSES(X)
#undef X
    default:
        return HTTP_STATUS_OTHER;
    }
}

const char *http_status_label(enum http_status_index index)
{
    static const char *const labels[HTTP_N_STATUSES] = {
#define X(code) #code,
        HTTP_STATUSES(X)
#undef X
            "other",
    };
    return labels[index];
}

const char *http_status_reason(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Error";
    }
}

static size_t skip_spaces(const char *text)
{
    return strspn(text, " \t");
}

bool http_type_is(const char *value, const char *type, bool *ret_utf8)
{
    size_t length = strlen(type);
    value += skip_spaces(value);
    if (strncasecmp(value, type, length) != 0)
        return false;
    value += length;
    value += skip_spaces(value);
    if (*value != '\0' && *value != ';')
        return false;
    *ret_utf8 = true;
    while (*value == ';') {
        value++;
        value += skip_spaces(value);
        if (strncasecmp(value, "charset=", 8) == 0) {
            const char *charset = value + 8;
            charset += *charset == '"';
            size_t n = strcspn(charset, "\"; \t");
            *ret_utf8 = (n == 5 && strncasecmp(charset, "utf-8", n) == 0) ||
                        (n == 8 && strncasecmp(charset, "us-ascii", n) == 0);
        }
        value += strcspn(value, ";");
    }
    return true;
}

/* "q=0", "q=0.000": the range is named as not acceptable. */
static bool is_refused(const char *parameters, size_t length)
{
    for (size_t i = 0; i + 2 < length; i++) {
        if ((parameters[i] | 32) != 'q' || parameters[i + 1] != '=' || parameters[i + 2] != '0')
            continue;
        size_t digits = i + 3;
        while (digits < length && (parameters[digits] == '.' || parameters[digits] == '0'))
            digits++;
        return digits == length || parameters[digits] == ' ' || parameters[digits] == ';';
    }
    return false;
}

bool http_accepts(const char *accept, const char *type)
{
    if (!accept || accept[skip_spaces(accept)] == '\0')
        return true;
    size_t major = (size_t)(strchr(type, '/') - type) + 1;
    while (*accept) {
        accept += strspn(accept, ", \t");
        size_t item = strcspn(accept, ",");
        size_t name = strcspn(accept, ",; \t");
        bool matches =
            (name == 3 && memcmp(accept, "*/*", 3) == 0) ||
            (name == strlen(type) && strncasecmp(accept, type, name) == 0) ||
            (name == major + 1 && strncasecmp(accept, type, major) == 0 && accept[major] == '*');
        if (matches && !is_refused(accept + name, item - name))
            return true;
        accept += item;
    }
    return false;
}

bool http_accepts_gzip(const char *accept_encoding)
{
    for (const char *at = accept_encoding ? accept_encoding : ""; *at;) {
        at += strspn(at, ", \t");
        size_t item = strcspn(at, ",");
        size_t name = strcspn(at, ",; \t");
        if (name == 4 && strncasecmp(at, "gzip", 4) == 0)
            return !is_refused(at + name, item - name);
        at += item;
    }
    return false;
}

bool http_is_token(const char *text, size_t length)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !memchr(others, c, sizeof others - 1)))
            return false;
    }
    return true;
}
