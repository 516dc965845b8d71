/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files of posts, joined to a table of profiles by handle: each row is cleaned and handed out as it
 * is read, and nothing of it is kept. Rows of accounts that the table lacks are counted and left
 * out. */
#include <stddef.h>
#include <stdint.h>

#include "base/progress.h"
#include "base/status.h"
#include "dataset/handles.h"
#include "dataset/import.h"

enum post_type {
    POST_UNKNOWN,
    POST_IMAGE,
    POST_VIDEO,
    POST_CAROUSEL,
    N_POST_TYPES
};
extern const char *const post_type_names[N_POST_TYPES]; /* "unknown", "image", ... */

/* One post; numbers that are not known are NaN. */
struct post {
    uint32_t row;   /* of the table; of several with the same handle the first */
    uint64_t id;    /* hash of what identifies it; 0: nothing does */
    double seconds; /* since 1970, UTC */
    bool has_hour;  /* false: `seconds` is a day's midnight */
    enum post_type type;
    double is_video, is_carousel;      /* 0, 1; known also of some whose type is not */
    double likes, comments, views;     /* hidden ones (-1) are NaN */
    double is_sponsored, has_location; /* 0, 1 */
    double is_verified;                /* 0, 1: its account, where posts tell */
    double n_hashtags, n_mentions;     /* mentions and tagged accounts */
    double n_tagged;
    double aspect;            /* height / width of the picture */
    double caption_length;    /* characters */
    const char *hashtags;     /* for hashtags_of(); borrowed for the call; NULL: no such column */
    bool hashtags_in_caption; /* `hashtags` is the caption: for hashtags_of_caption() */
};

/* A status other than STATUS_OK ends the reading and is returned. */
typedef enum status (*post_function)(void *user, const struct post *post, struct error *err);

struct posts_input {
    const char *const *files; /* [n_files] */
    size_t n_files;
    const struct handles *handles; /* of the table; borrowed */
    struct progress progress;
    double before; /* as of struct import_joins */
};

/* Read all files, as often as is wanted: the same rows in the same order each time.
 * report: gets an import_source a file (posts, nothing of the profiles); NULL: nothing is said.
 * STATUS_INVALID: a file that is no table of posts (it needs a column of accounts and one more);
 * STATUS_NOT_FOUND: no such file. O(rows) time; memory does not grow with the rows. */
enum status posts_each(const struct posts_input *input, post_function on_post, void *user,
                       struct import_report *report, struct error *err);
