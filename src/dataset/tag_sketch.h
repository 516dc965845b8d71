/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The most frequent hashtags, or brands, of one account in bounded memory.
 *
 * Exact while the account uses at most TAG_SKETCH_MAX different ones within TAG_SKETCH_TEXT bytes.
 * Beyond that, Misra and Gries 1982, "Finding repeated elements": when there is no room for a new
 * one, every count goes down by one and those at zero leave; whatever makes more than about
 * 1 / TAG_SKETCH_MAX of its uses is kept. */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

#define TAG_SKETCH_MAX 128
#define TAG_SKETCH_TEXT 2048

struct tag_sketch {
    struct tag_count {
        uint32_t hash;
        uint16_t offset; /* of its text, NUL-terminated */
        uint16_t count;  /* stays at 65,535 */
    } * tags;            /* [n], owned */
    char *text;          /* [n_text], owned */
    uint16_t n, capacity, n_text, text_capacity;
};

void tag_sketch_deinit(struct tag_sketch *sketch);

/* Used `times`, at least 1. */
enum status tag_sketch_add(struct tag_sketch *sketch, const char *tag, size_t length, size_t times,
                           struct error *err);

/* Append them to `out`, the most frequent first and ties by text, separated by spaces, at most
 * max_bytes. Afterwards nothing more may be added. */
void tag_sketch_put(struct tag_sketch *sketch, size_t max_bytes, struct buffer *out);
