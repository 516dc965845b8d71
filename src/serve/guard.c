/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "serve/http.h"

void guard_init(struct guard_head *head)
{
    *head = (struct guard_head){.content_length = -1};
}

static void refuse(struct guard_head *head, const char *fault)
{
    if (!head->fault)
        head->fault = fault;
}

/* RFC 9110, 5.5: no NUL, CR, LF, nor other control characters but the tab. */
static bool is_clean_value(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)value[i] < 0x20 ? value[i] != '\t' : value[i] == 0x7F)
            return false;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* Characters of a reg-name of RFC 3986, 3.2.2, or of an IPv4 address. */
static size_t name_bytes(const char *value, size_t length)
{
    size_t i = 0;
    while (i < length) {
        char c = value[i];
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
            (c && strchr("-._~!$&'()*+,;=", c)))
            i++;
        else if (c == '%' && i + 2 < length && is_hex(value[i + 1]) && is_hex(value[i + 2]))
            i += 3;
        else
            break;
    }
    return i;
}

/* "[...]"; 0: it is no IPv6 address. */
static size_t literal_bytes(const char *value, size_t length)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char *end = memchr(value, ']', length);
    size_t bytes = end ? (size_t)(end - value) - 1 : sizeof text;
    if (bytes >= sizeof text)
        return 0;
    memcpy(text, value + 1, bytes);
    text[bytes] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 ? bytes + 2 : 0;
}

/* host [":" port] of RFC 9112, 3.2: a name, an IPv4 address or an IPv6 address in brackets. */
static bool is_host(const char *value, size_t length)
{
    int64_t port = 0;
    if (length == 0)
        return true;
    size_t i = value[0] == '[' ? literal_bytes(value, length) : name_bytes(value, length);
    if (i == 0 || i == length)
        return i > 0;
    bool digits = value[i] == ':';
    for (size_t d = i + 1; d < length; d++)
        digits = digits && value[d] >= '0' && value[d] <= '9';
    return digits && (length == i + 1 ||
                      (text_parse_integer(value + i + 1, length - i - 1, &port) && port <= 65535));
}

static void on_content_length(struct guard_head *head, const char *value, size_t length)
{
    int64_t bytes = -1;
    /* Digits only: "+5", "5, 5" and "0x5" are how requests are smuggled. */
    bool digits = length > 0 && value[0] >= '0' && value[0] <= '9';
    if (!digits || !text_parse_integer(value, length, &bytes))
        refuse(head, "Content-Length must be a whole number");
    if (head->n_content_length++ > 0)
        refuse(head, "Content-Length stands twice");
    head->content_length = bytes;
}

static void on_transfer_encoding(struct guard_head *head, const char *value, size_t length)
{
    if (head->n_transfer_encoding++ > 0)
        refuse(head, "Transfer-Encoding stands twice");
    head->chunked = length == 7 && strncasecmp(value, "chunked", 7) == 0;
    if (!head->chunked)
        refuse(head, "Transfer-Encoding must be chunked");
}

static bool is_named(const char *name, size_t length, const char *wanted)
{
    return strncasecmp(name, wanted, length) == 0 && wanted[length] == '\0';
}

static void once(struct guard_head *head, const char **slot, const char *value, const char *fault)
{
    if (*slot)
        refuse(head, fault);
    *slot = value;
}

void guard_line(struct guard_head *head, const struct guard_place *place)
{
    /* RFC 9112, 3: single spaces. */
    size_t method_bytes = strlen(place->method);
    if (place->method + method_bytes + 1 != place->target ||
        place->target + place->target_bytes + 1 != place->version)
        refuse(head, "the request line must be three words with single spaces between");
    if (!http_is_token(place->method, method_bytes))
        refuse(head, "the method is not a token");
    head->next = place->version + strlen(place->version);
    head->end = place->method + place->head_bytes;
}

/* The line before ends here: CRLF, of which the library has made two NULs. Its own terminating NUL
 * is always there, and memory of the connection behind it. */
static void pass_line_end(struct guard_head *head)
{
    if (head->next[0] != '\0' || head->next[1] != '\0')
        refuse(head, "a line ends without CRLF");
    head->next += 2;
}

static void check_place(struct guard_head *head, const char *name, size_t name_bytes,
                        const char *value, size_t value_bytes)
{
    pass_line_end(head);
    if (name != head->next || value <= name + name_bytes)
        refuse(head, "a line of the head is folded, or is no header");
    head->next = value + value_bytes;
}

void guard_header(struct guard_head *head, const char *name, size_t name_bytes, const char *value,
                  size_t value_bytes)
{
    if (head->next)
        check_place(head, name, name_bytes, value, value_bytes);
    while (value_bytes > 0 && (value[value_bytes - 1] == ' ' || value[value_bytes - 1] == '\t'))
        value_bytes--; /* RFC 9112, 5: white space around a value is not part of it */
    if (!http_is_token(name, name_bytes)) {
        refuse(head, "a header name is not a token");
        return;
    }
    if (!is_clean_value(value, value_bytes)) {
        refuse(head, "a header value has a control character");
        return;
    }
    /* The length tells most headers apart before any comparison. */
    switch (name_bytes) {
    case 4:
        if (is_named(name, 4, "Host")) {
            if (head->n_host++ > 0)
                refuse(head, "Host stands twice");
            if (!is_host(value, value_bytes))
                refuse(head, "Host is malformed");
            head->host = value;
            head->host_bytes = value_bytes;
        }
        break;
    case 6:
        if (is_named(name, 6, "Accept") && !head->accept)
            head->accept = value;
        else if (is_named(name, 6, "Expect"))
            head->expects_continue = true;
        else if (is_named(name, 6, "Origin"))
            head->origin = value;
        break;
    case 11:
        if (is_named(name, 11, "traceparent"))
            head->traceparent = value;
        break;
    case 12:
        if (is_named(name, 12, "Content-Type"))
            once(head, &head->content_type, value, "Content-Type stands twice");
        else if (is_named(name, 12, "X-Request-Id"))
            head->request_id = value;
        break;
    case 13:
        if (is_named(name, 13, "If-None-Match") && !head->if_none_match)
            head->if_none_match = value;
        else if (is_named(name, 13, "Authorization"))
            once(head, &head->authorization, value, "Authorization stands twice");
        break;
    case 14:
        if (is_named(name, 14, "Content-Length"))
            on_content_length(head, value, value_bytes);
        break;
    case 15:
        if (is_named(name, 15, "Accept-Encoding") && !head->accept_encoding)
            head->accept_encoding = value;
        break;
    case 16:
        if (is_named(name, 16, "Content-Encoding"))
            once(head, &head->content_encoding, value, "Content-Encoding stands twice");
        break;
    case 31:
        if (is_named(name, 31, "Inference-Header-Content-Length"))
            once(head, &head->inference_header_length, value,
                 "Inference-Header-Content-Length stands twice");
        break;
    case 17:
        if (is_named(name, 17, "Transfer-Encoding"))
            on_transfer_encoding(head, value, value_bytes);
        break;
    default:
        break;
    }
}

const char *guard_absolute_path(const struct guard_head *head, const char *target)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme == 0 || !head->host)
        return NULL;
    target += scheme;
    size_t bytes = strcspn(target, "/?#");
    if (bytes == 0 || bytes != head->host_bytes || strncasecmp(target, head->host, bytes) != 0)
        return NULL;
    return target + bytes;
}

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* Escaped without need are letters, digits and "-._~" (RFC 3986, 2.3), and a slash changes what a
 * proxy makes of the path: one that matches it as it came would let an operator's pass. A path
 * would end at a NUL. */
static bool may_be_escaped(int c)
{
    bool is_unreserved =
        (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("-._~", c));
    return c >= ' ' && c != 0x7F && c != '/' && !is_unreserved;
}

static const char *target_fault(const struct guard_head *head, const char *target)
{
    size_t path_bytes = strcspn(target, "?");
    for (const char *c = target; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7F)
            return "the request target has a space or a control character";
    for (const char *c = target; c < target + path_bytes; c++)
        if (c[0] == '%' && is_hex(c[1]) && is_hex(c[2]) &&
            !may_be_escaped(hex_value(c[1]) * 16 + hex_value(c[2])))
            return "the path escapes a character that needs no escape, or must not be in it";
    return target[0] == '/' || guard_absolute_path(head, target)
               ? NULL
               : "the request target must be a path of this host";
}

enum status guard_check(const struct guard_head *head, const char *version, const char *target,
                        struct error *err)
{
    if (head->fault)
        return fail(err, STATUS_INVALID, "%s", head->fault);
    bool is_1_1 = strcmp(version, "HTTP/1.1") == 0;
    if (!is_1_1 && strcmp(version, "HTTP/1.0") != 0)
        return fail(err, STATUS_INVALID, "the protocol must be HTTP/1.1 or HTTP/1.0");
    /* The last line's end and the empty line: CRLF twice. */
    if (head->next && head->next + 4 != head->end)
        return fail(err, STATUS_INVALID, "the head ends without CRLF");
    if (is_1_1 && head->n_host == 0)
        return fail(err, STATUS_INVALID, "Host is missing");
    if (head->n_transfer_encoding > 0 && head->n_content_length > 0)
        return fail(err, STATUS_INVALID, "Content-Length and Transfer-Encoding stand together");
    if (head->n_transfer_encoding > 0 && !is_1_1)
        return fail(err, STATUS_INVALID, "Transfer-Encoding is not known to HTTP/1.0");
    const char *fault = target_fault(head, target);
    return fault ? fail(err, STATUS_INVALID, "%s", fault) : STATUS_OK;
}
