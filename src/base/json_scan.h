/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The check of a JSON text before cJSON sees it, and where a long one can be cut: for json_parse.c
 * alone.
 *
 * Long arrays are cut at commas between their elements, some slice_bytes apart; of arrays
 * within arrays the innermost that is that long. Any text may be scanned: what is cut may still be
 * no JSON, but its brackets match. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

struct json_cut_array {
    size_t open, close;            /* its brackets */
    size_t first_cut, n_cuts;      /* of json_cuts.at */
    unsigned depth;                /* 1: the root */
    uint32_t path[JSON_MAX_DEPTH]; /* at each level above it, the how manieth child leads there */
};

struct json_level {
    size_t open, from; /* its bracket; where the slice began that is under way */
    uint32_t ordinal;  /* of the child under way */
    bool is_array, is_barred;
};

struct json_cuts {
    size_t *at;          /* commas, in order */
    size_t n_at, n_kept; /* those of arrays that have ended are kept */
    struct json_cut_array *arrays;
    size_t n_arrays;
    size_t slice_bytes;
    unsigned pending; /* depth of the array that is being cut; 0: none */
    bool is_broken;   /* brackets do not match */
    struct json_level level[JSON_MAX_DEPTH + 1];
};

struct json_scan {
    const char *text;
    size_t length;
    size_t at;
    unsigned depth;
    struct json_cuts *cuts; /* NULL: it is not to be cut */
};

/* For a text of so many bytes; slice_bytes > 0. */
enum status json_cuts_init(struct json_cuts *cuts, size_t length, size_t slice_bytes,
                           struct arena *arena, struct error *err);

/* Goes on up to about the byte `until`; done when scan->at is the length. */
enum status json_scan(struct json_scan *scan, size_t until, struct error *err);
