/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/query.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

/* In place; decoded text is never longer. False: it has a NUL. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        char c = *at == '+' ? ' ' : *at;
        if (*at == '%' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
            c = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
            at += 2;
        }
        if (c == '\0')
            return false;
        *to++ = c;
    }
    *to = '\0';
    return true;
}

/* text: "name=value" or "name", the request's own memory. */
static bool add_parameter(struct request *request, char *text)
{
    struct parameter *parameter = ARENA_NEW(&request->arena, struct parameter);
    if (!parameter) {
        request->head.fault = "out of memory";
        return false;
    }
    char *value = strchr(text, '=');
    if (value)
        *value++ = '\0';
    if (!decode(text) || (value && !decode(value))) {
        request->head.fault = "the query has a NUL";
        return false;
    }
    parameter->name = text;
    parameter->value = value ? value : "";
    if (request->last_parameter)
        request->last_parameter->next = parameter;
    else
        request->parameters = parameter;
    request->last_parameter = parameter;
    return true;
}

void query_read(struct request *request)
{
    const char *mark = strchr(request->target, '?');
    if (!mark)
        return;
    char *text = arena_strdup(&request->arena, mark + 1);
    if (!text) {
        request->head.fault = "out of memory";
        return;
    }
    size_t n = 0;
    for (char *next; text; text = next) {
        next = strchr(text, '&');
        if (next)
            *next++ = '\0';
        if (*text == '\0')
            continue;
        if (n++ == QUERY_MAX_PARAMETERS) {
            request->head.fault = "the query has more than 64 parameters";
            return;
        }
        if (!add_parameter(request, text))
            return;
    }
}
