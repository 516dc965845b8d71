/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *status_name(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_NOT_FOUND:
        return "not_found";
    case STATUS_EXISTS:
        return "exists";
    case STATUS_LIMIT:
        return "limit";
    case STATUS_UNSUPPORTED:
        return "unsupported";
    case STATUS_CORRUPT:
        return "corrupt";
    case STATUS_IO:
        return "io";
    case STATUS_NO_MEMORY:
        return "no_memory";
    case STATUS_UNAVAILABLE:
        return "unavailable";
    case STATUS_DENIED:
        return "denied";
    case STATUS_CANCELLED:
        return "cancelled";
    case STATUS_INTERNAL:
        return "internal";
    }
    return "unknown";
}

/* A message quotes the user's bytes: keep it one line, and never end it in half a UTF-8 character.
 */
static void tidy(struct error *err)
{
    size_t length = strlen(err->message);
    if (length == sizeof err->message - 1) {
        while (length > 0 && ((unsigned char)err->message[length - 1] & 0xC0) == 0x80)
            length--;
        if (length > 0 && ((unsigned char)err->message[length - 1] & 0x80))
            length--;
        err->message[length] = '\0';
    }
    for (char *c = err->message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
}

static void set_message(struct error *err, enum status status, const char *field,
                        const char *format, va_list args)
{
    err->status = status;
    int used = 0;
    if (field[0] != '\0')
        used = snprintf(err->message, sizeof err->message, "%s: ", field);
    snprintf(err->field, sizeof err->field, "%s", field);
    vsnprintf(err->message + used, sizeof err->message - (size_t)used, format, args);
    tidy(err);
}

enum status fail(struct error *err, enum status status, const char *format, ...)
{
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    set_message(err, status, "", format, args);
    va_end(args);
    return status;
}

enum status fail_field(struct error *err, enum status status, const char *field, const char *format,
                       ...)
{
    if (!err)
        return status;
    char name[sizeof err->field];
    snprintf(name, sizeof name, "%s", field);
    va_list args;
    va_start(args, format);
    set_message(err, status, name, format, args);
    va_end(args);
    return status;
}

static enum status status_from_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_NOT_FOUND;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    case EACCES:
    case EPERM:
        return STATUS_DENIED;
    case EEXIST:
        return STATUS_EXISTS;
    default:
        return STATUS_IO;
    }
}

enum status fail_errno(struct error *err, const char *format, ...)
{
    int code = errno;
    enum status status = status_from_errno(code);
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    set_message(err, status, "", format, args);
    va_end(args);
    char reason[128];
    const char *text = strerror_r(code, reason, sizeof reason);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", text);
    tidy(err);
    return status;
}

enum status fail_prefix(struct error *err, enum status status, const char *format, ...)
{
    if (!err)
        return status;
    char rest[sizeof err->message];
    snprintf(rest, sizeof rest, "%s", err->message);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %.*s",
                 (int)(sizeof err->message - (size_t)used), rest);
    tidy(err);
    return status;
}
