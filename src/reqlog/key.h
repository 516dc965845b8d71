/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The key that addresses and handles are hashed with: a file beside the log, readable by its owner
 * only. It is replaced by a new one when it is too old; what was hashed with the old one cannot be
 * told from a stranger's any more, and that is the point. Hashing is for any thread, the rest for
 * one. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define KEY_BYTES 32
#define KEY_HEX_BYTES 17 /* of a hash: 16 digits and a NUL */

struct key {
    /* The one in use, and the one before: a reader may still be at it when the next is made, but
     * not when the next but one is, days later. */
    unsigned char bytes[2][KEY_BYTES];
    _Atomic unsigned current;
    int64_t born_us; /* UTC; the file's time of change */
    bool is_unsaved; /* the disk did not take it: it lives as long as the process, or until it does
                      */
};

/* Read the key of the log at `path`, or make one, also in place of a file that is no key. A disk
 * that takes no file is no reason to fail: the key then lives in memory. */
enum status key_load(struct key *key, const char *path, struct error *err);

/* One of no log, which lives as long as the process. */
enum status key_make(struct key *key, struct error *err);

/* Whether there is a key, and so was a log. */
bool key_exists(const char *path);

/* Replace a key older than max_age_us (0: never), and try again to save one that could not be. */
void key_tend(struct key *key, const char *path, int64_t max_age_us);

void key_hash(const struct key *key, const char *text, size_t length,
              char ret_hex[static KEY_HEX_BYTES]);

/* What stands for a handle in rows: "#" and its hash, ASCII case folded, without a leading @. */
#define KEY_HANDLE_BYTES (KEY_HEX_BYTES + 1)
void key_hash_handle(const struct key *key, const char *handle, size_t length,
                     char ret_text[static KEY_HANDLE_BYTES]);

/* The same by the key of the log at `path`, for readers of its rows. "": there is no key, and what
 * was hashed with one is nobody's. Fails where there may be one that cannot be read. */
enum status key_find_handle(const char *path, const char *handle,
                            char ret_text[static KEY_HANDLE_BYTES], struct error *err);
