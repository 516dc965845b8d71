/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The error contract.
 *
 * A function that can fail returns `enum status` and, but for the shortest, takes a `struct error
 * *` as its last argument, in which it leaves one sentence that names the place, the value and what
 * is allowed. The error may be NULL when the caller does not care. Outputs (`ret_x`) are written
 * only on STATUS_OK. A caller branches only on the codes that the callee's header names, and hands
 * everything else upward with TRY(). Only main functions, commands and serve/problem.c report
 * errors to people.
 */

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,     /* the caller's input is wrong: a value, a name, a file's content */
    STATUS_NOT_FOUND,   /* what was named does not exist */
    STATUS_EXISTS,      /* it would overwrite something */
    STATUS_LIMIT,       /* larger than we are willing to take */
    STATUS_UNSUPPORTED, /* understood, but not by this version or this model */
    STATUS_CORRUPT,     /* a file of ours whose bytes cannot be right */
    STATUS_IO,          /* the operating system or the network failed */
    STATUS_NO_MEMORY,
    STATUS_UNAVAILABLE, /* not now: not ready, overloaded, shutting down */
    STATUS_DENIED,      /* needs credentials, or other ones */
    STATUS_CANCELLED,   /* stopped on request */
    STATUS_INTERNAL,    /* a library broke its promise */
};

struct error {
    enum status status;
    char field[48];    /* the input field at fault, "" when none */
    char message[512]; /* one sentence without a final stop or line break */
};

/* "invalid", "not_found", ...: the code as it stands in JSON and logs. */
const char *status_name(enum status status);

/* Write the error and return `status`, so that `return fail(...)` is the whole of an error path. */
enum status fail(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As fail(), naming the field at fault; the message is prefixed with "field: ". */
enum status fail_field(struct error *err, enum status status, const char *field, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

/* As fail() for a failed system call: appends ": " and strerror(errno); the status follows from
 * errno (ENOENT gives NOT_FOUND, ENOMEM NO_MEMORY, EACCES and EPERM DENIED, everything else IO). */
enum status fail_errno(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "prefix: " before the message of a failure, for a caller that knows the place better. Returns
 * `status`, the failure's. */
enum status fail_prefix(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define TRY(call)                         \
    do {                                  \
        enum status try_status_ = (call); \
        if (try_status_ != STATUS_OK)     \
            return try_status_;           \
    } while (0)
