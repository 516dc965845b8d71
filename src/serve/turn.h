/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Turns: an answer of many rows is made in parts, so that the loop serves others in between.
 *
 * Whoever works through rows asks after some of them whether the turn is over, and if it is, keeps
 * its place (request->work), sets request->unfinished and returns; the server calls again once the
 * others had theirs. Requests that wait get one turn each, in order, before those that come. A turn
 * belongs to one loop and its thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

struct turn {
    uint64_t ends_ns; /* monotonic; 0: nobody worked in it yet */
    size_t n_waiting; /* requests that wait for one */
};

/* Some ten milliseconds after the loop's first call of this turn; for a request that has not waited
 * yet also while others wait. */
bool turn_is_over(const struct request *request);
