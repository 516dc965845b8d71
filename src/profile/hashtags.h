/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Hashtags and names of accounts out of text, one way for posts files, profiles and JSON bodies. */
#include <stdbool.h>
#include <stddef.h>

#define HASHTAG_BYTES 64 /* with the NUL; longer ones are cut at a whole character */

struct hashtags {
    const char *at; /* borrowed: the rest of the text */
    bool marked;    /* only what stands behind a # */
    bool accounts;  /* names: they hold dots, and get an @ in front */
    size_t length;  /* of the hashtag found last */
    char text[HASHTAG_BYTES];
};

/* All words of `text` are hashtags, whatever separates them: "#ootd #fashion", "ootd,fashion",
 * "['ootd', 'fashion']". */
struct hashtags hashtags_of(const char *text);

/* Only the words of a caption that have a # in front. */
struct hashtags hashtags_of_caption(const char *text);

/* All words are names of accounts: "@nike, gucci.beauty". As words they have an @, so that none is
 * taken for a hashtag. */
struct hashtags hashtags_of_accounts(const char *text);

/* The next one into tags->text: letters, digits and _, in lower case (Latin, Greek, Cyrillic);
 * false at the end. Well-formed UTF-8 in, well-formed out. No allocation. */
bool hashtags_next(struct hashtags *tags);
