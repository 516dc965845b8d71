/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The audience check: how far an account looks like its peers, 0 to 100, and what speaks against
 * it. Four signs, each a doubt from 0 to 1: behaviour suggests a smaller size than the followers
 * claim; engagement a follower is low (or beyond nearly all) among accounts of the size; followers
 * jumped; it follows many for each follower. The last three are percentiles in reference quantiles
 * that travel in the tier blob; a doubt is steep: half the peers hardly give any. */
#include <stddef.h>

#include "artifact/artifact.h"
#include "base/arena.h"
#include "profile/profile.h"

enum audience_part {
    AUDIENCE_SIZE,       /* no figure: from the size model */
    AUDIENCE_ENGAGEMENT, /* ln engagement a post for each follower */
    AUDIENCE_GROWTH,     /* |ln ratio| of followers a month */
    AUDIENCE_FOLLOWING,  /* ln of accounts followed for each follower */
    AUDIENCE_N_PARTS
};
extern const char *const audience_part_names[AUDIENCE_N_PARTS]; /* "size", "engagement", ... */

#define AUDIENCE_FIGURES (AUDIENCE_N_PARTS - 1) /* part p has figure p - 1 */
#define AUDIENCE_GRID 101

/* The reference: for each figure the percentiles of every size, then of all accounts. */
struct audience_reference {
    size_t n_sizes;
    const float *grid;   /* [AUDIENCE_FIGURES][n_sizes + 1][AUDIENCE_GRID] ascending */
    const double *known; /* [AUDIENCE_FIGURES] 1: the training data had it; 0: no grid */
};

/* The figures of a prepared profile; MISSING where it lacks what they need. */
void audience_figures(const struct profile *profile, double ret_figure[static AUDIENCE_FIGURES]);

enum status audience_write(struct artifact_writer *writer,
                           const struct audience_reference *reference, struct error *err);
/* STATUS_NOT_FOUND without a message: a bundle from before there was a check. */
enum status audience_open(const struct artifact *artifact, size_t n_sizes,
                          struct audience_reference *ret_reference, struct error *err);

struct audience_sign {
    double doubt;      /* 0..1; MISSING: nothing is known */
    double percentile; /* 0..100 of the figure among accounts of the size; of SIZE MISSING */
    double figure;     /* as above; of SIZE how many sizes below the claimed, as expected */
};

struct audience_answer {
    double score; /* 0..100, 100: like its peers; MISSING: fewer than two signs are known */
    struct audience_sign sign[AUDIENCE_N_PARTS];
};

#define AUDIENCE_REASON 0.3 /* a doubt from here on is a reason */

/* size: claimed, index; probability: [n_sizes] of the sizes by behaviour, or NULL.
 * Pure, no allocation. */
void audience_check(const struct audience_reference *reference, const struct profile *prepared,
                    size_t size, const double *probability, struct audience_answer *ret_answer);

/* One reason as a sentence, into `text`; returns its length. size_name: of the claimed size. */
#define AUDIENCE_TEXT_BYTES 160
size_t audience_reason(enum audience_part part, const struct audience_sign *sign,
                       const char *size_name, char ret_text[static AUDIENCE_TEXT_BYTES]);
