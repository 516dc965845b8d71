/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bearer tokens: 256 random bits that a client shows, and the line of the operator's file that
 * knows them by their SHA-256 alone. A plain hash will do, because a token is no password: nobody
 * guesses 256 random bits.
 *
 *   # name  scopes           SHA-256 of the token
 *   shop    predict          9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *   ops     admin,metrics    60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

#define TOKEN_PREFIX "ifl_"
#define TOKEN_LENGTH (sizeof TOKEN_PREFIX - 1 + 43) /* the prefix and 32 bytes in base64url */
#define TOKEN_NAME_MAX 64

enum token_scope { /* bits */
    TOKEN_PREDICT = 1,
    TOKEN_METRICS = 2,
    TOKEN_ADMIN = 4,
};

struct token {
    char name[TOKEN_NAME_MAX + 1];
    unsigned scopes;
    uint8_t digest[SHA256_BYTES];
};

/* A new token from the system's random numbers. STATUS_IO: there are none. */
enum status token_make(char ret_text[static TOKEN_LENGTH + 1], struct error *err);

/* "predict,metrics" to bits. STATUS_INVALID names the word that is no scope. */
enum status token_parse_scopes(const char *text, unsigned *ret_scopes, struct error *err);

/* One line of the file, without its line break. STATUS_NOT_FOUND, without a message: it is empty or
 * a comment. STATUS_INVALID: what is wrong with it, without quoting it. */
enum status token_parse_line(const char *line, size_t length, struct token *ret_token,
                             struct error *err);

/* A name of a line: letters, digits, dot, dash, underscore; 1 to TOKEN_NAME_MAX. */
bool token_is_name(const char *name);
