/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where processes that train together meet: it waits until all have come, gives each its rank, and
 * tells each whom to connect to. Nothing of the training passes through it.
 *
 * It speaks the protocol of XGBoost 1.7's collective (rabit), of which the commands "start",
 * "print" and "shutdown" are needed and "recover" is not: a training that has lost a process ends.
 * XGBoost's own tracker is a Python module that would bring Python, NumPy and SciPy to every host;
 * workers of this project can be started under it too. There is no authentication and no encryption
 * in that protocol: it is for private networks.
 *
 * A thread of its own; the functions below are for one other thread. */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct tracker;

/* Listen on host (a name or an address) and port (0: any that is free) for n_workers processes.
 * They are ranked by their task ids, as numbers: 0 comes first. STATUS_INVALID: a host that is not
 * there; STATUS_IO: the port is taken. */
enum status tracker_start(const char *host, uint16_t port, size_t n_workers,
                          struct tracker **ret_tracker, struct error *err);

uint16_t tracker_port(const struct tracker *tracker);

/* Workers that are there, waiting for the others or sent on their way. */
size_t tracker_n_joined(const struct tracker *tracker);

/* Wait, at most some seconds, until all that were sent on their way have said goodbye. */
void tracker_wait(const struct tracker *tracker);

void tracker_stop(struct tracker *tracker);
DEFINE_SLOT(tracker_stop, struct tracker)
