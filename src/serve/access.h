/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who is let in: the tokens that the operator's file knows (base/token.h). Loops read while the
 * main thread exchanges the list; `lock` guards it and is held for the comparison or the exchange
 * alone. Tokens themselves are never kept, logged or shown. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/file.h"
#include "base/status.h"
#include "base/token.h"

struct access {
    const char *path; /* borrowed; "": no tokens are asked for */
    pthread_rwlock_t lock;
    struct token *tokens; /* [n] owns */
    size_t n;
    struct file_stamp stamp; /* of the file that was read; the main thread's */
};

/* STATUS_NOT_FOUND and others: the file cannot be read, or a line is malformed. A file without
 * tokens is taken: nobody is let in. */
enum status access_init(struct access *access, const char *path, struct error *err);
void access_deinit(struct access *access);

static inline bool access_is_on(const struct access *access)
{
    return access->path[0] != '\0';
}

/* Read the file again; the list before stays when that fails. Main thread. */
enum status access_reload(struct access *access, struct error *err);

/* Read it again when it has changed since; what is wrong goes to the log, once a change. A file
 * that has been emptied is wrong here, for somebody may be writing it. */
void access_tend(struct access *access);

/* The scopes of the token in an Authorization value ("Bearer ifl_..."), as bits; 0: no such token.
 * ret_key: a number for the token, or unchanged. Any thread. The time it takes does not tell how
 * much of a wrong token was right. */
unsigned access_scopes(struct access *access, const char *authorization, uint64_t *ret_key);
