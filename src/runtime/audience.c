/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/audience.h"

#include <math.h>
#include <stdio.h>

#include "features/composite.h"
#include "runtime/grid.h"

/* How much one sign can take from the score. Engagement and size weigh most: they are what bought
 * followers change; a jump may be a success, and following many is a habit of the young. */
static const double weights[AUDIENCE_N_PARTS] = {0.6, 0.6, 0.4, 0.6};

/* Doubt rises with this power of the percentile: .0016 at 20, .06 at 50, .41 at 80, 1 at 100. */
#define STEEPNESS 4
#define TOO_GOOD 97.5 /* engagement beyond this percentile may be bought, too */

const char *const audience_part_names[AUDIENCE_N_PARTS] = {"size", "engagement", "growth",
                                                           "following"};

void audience_figures(const struct profile *profile, double ret_figure[static AUDIENCE_FIGURES])
{
    const double *x = profile->number;
    double followers = x[PROFILE_followers];
    double months = fmax(x[PROFILE_previous_months], 1);
    double rate = x[PROFILE_engagement_rate];
    ret_figure[AUDIENCE_ENGAGEMENT - 1] = log(1e-6 + rate);
    ret_figure[AUDIENCE_GROWTH - 1] =
        isnan(x[PROFILE_previous_months])
            ? MISSING
            : fabs(log1p(followers) - log1p(x[PROFILE_previous_followers])) / months;
    ret_figure[AUDIENCE_FOLLOWING - 1] = log1p(x[PROFILE_following]) - log1p(followers);
}

enum status audience_write(struct artifact_writer *writer,
                           const struct audience_reference *reference, struct error *err)
{
    TRY(artifact_add(writer, "audience.known", ARTIFACT_F64, AUDIENCE_FIGURES, 1, reference->known,
                     err));
    return grid_add(writer, "audience.grid", AUDIENCE_FIGURES * (reference->n_sizes + 1),
                    AUDIENCE_GRID, reference->grid, err);
}

enum status audience_open(const struct artifact *artifact, size_t n_sizes,
                          struct audience_reference *ret_reference, struct error *err)
{
    struct artifact_section section;
    if (artifact_find(artifact, "audience.known", &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    TRY(artifact_need(artifact, "audience.known", ARTIFACT_F64, AUDIENCE_FIGURES, 1, &section,
                      err));
    ret_reference->known = section.data;
    ret_reference->n_sizes = n_sizes;
    return grid_need(artifact, "audience.grid", AUDIENCE_FIGURES * (n_sizes + 1), AUDIENCE_GRID,
                     &ret_reference->grid, err);
}

static double steep(double percentile)
{
    return pow(percentile / 100, STEEPNESS);
}

static double doubt_of(enum audience_part part, double percentile)
{
    if (part != AUDIENCE_ENGAGEMENT)
        return steep(percentile);
    double too_good = fmax(0, (percentile - TOO_GOOD) / (100 - TOO_GOOD));
    return fmax(steep(100 - percentile), 0.5 * too_good);
}

static void check_figures(const struct audience_reference *reference,
                          const struct profile *prepared, size_t size,
                          struct audience_answer *answer)
{
    double figure[AUDIENCE_FIGURES];
    audience_figures(prepared, figure);
    for (size_t f = 0; f < AUDIENCE_FIGURES; f++) {
        struct audience_sign *sign = &answer->sign[f + 1];
        const float *grid = reference->grid + (f * (reference->n_sizes + 1) + size) * AUDIENCE_GRID;
        *sign = (struct audience_sign){MISSING, MISSING, figure[f]};
        if (isnan(figure[f]) || reference->known[f] == 0)
            continue;
        sign->percentile = composite_percentile(grid, AUDIENCE_GRID, figure[f]);
        sign->doubt = doubt_of((enum audience_part)(f + 1), sign->percentile);
    }
}

void audience_check(const struct audience_reference *reference, const struct profile *prepared,
                    size_t size, const double *probability, struct audience_answer *ret_answer)
{
    struct audience_answer answer = {.score = MISSING};
    answer.sign[AUDIENCE_SIZE] = (struct audience_sign){MISSING, MISSING, MISSING};
    if (probability) {
        /* Of two sizes below, all of the probability counts, of one half: borders are narrow. */
        double below = 0;
        double doubt = 0;
        for (size_t i = 0; i < size; i++) {
            below += probability[i] * (double)(size - i);
            doubt += probability[i] * (i + 1 < size ? 1 : 0.5);
        }
        answer.sign[AUDIENCE_SIZE].figure = below;
        answer.sign[AUDIENCE_SIZE].doubt = doubt;
    }
    check_figures(reference, prepared, size, &answer);
    double trust = 1;
    size_t n_known = 0;
    for (size_t p = 0; p < AUDIENCE_N_PARTS; p++) {
        if (isnan(answer.sign[p].doubt))
            continue;
        trust *= 1 - weights[p] * answer.sign[p].doubt;
        n_known++;
    }
    if (n_known >= 2)
        answer.score = 100 * trust;
    *ret_answer = answer;
}

/* Nobody has more than all of those he is one of. */
static double percent_of_others(double percentile)
{
    return fmin(percentile, 99);
}

size_t audience_reason(enum audience_part part, const struct audience_sign *sign,
                       const char *size_name, char ret_text[static AUDIENCE_TEXT_BYTES])
{
    const char *size = size_name ? size_name : "all";
    int length = 0;
    switch (part) {
    case AUDIENCE_SIZE:
        length = snprintf(ret_text, AUDIENCE_TEXT_BYTES,
                          "behaves like a smaller account than its followers say (%s)", size);
        break;
    case AUDIENCE_ENGAGEMENT:
        length = sign->percentile > 50 ? snprintf(ret_text, AUDIENCE_TEXT_BYTES,
                                                  "more engagement than %.0f %% of %s accounts",
                                                  percent_of_others(sign->percentile), size)
                                       : snprintf(ret_text, AUDIENCE_TEXT_BYTES,
                                                  "less engagement than %.0f %% of %s accounts",
                                                  percent_of_others(100 - sign->percentile), size);
        break;
    case AUDIENCE_GROWTH:
        length = snprintf(ret_text, AUDIENCE_TEXT_BYTES,
                          "its followers moved by %.0f %% a month, more than for %.0f %% of %s "
                          "accounts",
                          100 * expm1(sign->figure), percent_of_others(sign->percentile), size);
        break;
    case AUDIENCE_FOLLOWING:
        length = snprintf(ret_text, AUDIENCE_TEXT_BYTES,
                          "follows %.3g for each follower, more than %.0f %% of %s accounts",
                          exp(sign->figure), percent_of_others(sign->percentile), size);
        break;
    case AUDIENCE_N_PARTS:
        break;
    }
    return length > 0 ? (size_t)length : 0;
}
