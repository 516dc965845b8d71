/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How a long operation tells its caller where it stands. Passed down by value; {0} is silent. */

typedef void (*progress_function)(void *user, const char *stage, double fraction);

struct progress {
    progress_function show; /* may be NULL */
    void *user;
};

/* stage: a short text that stays the same while the fraction (0..1) grows; a fraction below 0 is
 * unknown. */
static inline void progress_show(struct progress progress, const char *stage, double fraction)
{
    if (progress.show)
        progress.show(progress.user, stage, fraction);
}
