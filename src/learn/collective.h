/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Processes that train one model together, each on rows of its own: a group, its sums and its
 * messages, over XGBoost's collective, of which this is the only user.
 *
 * A group of NULL is this process alone: rank 0 of 1, sums are what they were, nothing is sent. So
 * trainers are written once. All processes of a group make the same calls in the same order, with
 * the same sizes, and get the same results to the last bit.
 *
 * XGBoost keeps its group by thread, and any model that is fitted on that thread is fitted
 * together. The group therefore has a thread of its own, on which its messages are sent and on
 * which collective_run() runs what shall be fitted together; elsewhere the process works alone.
 * Functions are for one calling thread, and for what collective_run() runs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct collective;

/* Texts are borrowed for the call. */
struct collective_options {
    const char *host; /* of the tracker */
    uint16_t port;
    const char *task;      /* what ranks go by; "0", "1", ... */
    unsigned join_seconds; /* how long to wait until all have come */
    /* Called once, on a thread of the group's own, when another process has gone while this one was
     * at work by itself, so that it need not find out at the next message. NULL: that will do. */
    void (*on_lost)(void *user);
    /* Asked while the others have not all come: false when one never will. NULL: nobody knows. */
    bool (*may_come)(void *user);
    void *user; /* of both */
};

/* What is said, and by on_lost to be said, of a group that has lost a process. */
#define COLLECTIVE_LOST "another worker has gone, so the training over several processes has ended"

/* Join the group that meets at the tracker. STATUS_UNAVAILABLE: no tracker, or the others did not
 * come in time. */
enum status collective_open(const struct collective_options *options, struct collective **ret_group,
                            struct error *err);

/* Say goodbye: all processes do, once nothing more is to be sent. */
enum status collective_leave(struct collective *group, struct error *err);

/* Free it. Where nobody has said goodbye, the others find that this process has gone. */
void collective_close(struct collective *group);
DEFINE_SLOT(collective_close, struct collective)

size_t collective_rank(const struct collective *group);
size_t collective_size(const struct collective *group);

/* Add up, or take the largest of, values [n] of all processes, in place.
 * STATUS_UNAVAILABLE of these and of what follows: a process has gone. */
enum status collective_sum(struct collective *group, double *values, size_t n, struct error *err);
enum status collective_max(struct collective *group, double *values, size_t n, struct error *err);

/* What stands at `bytes` of the process of rank `root`, to all. */
enum status collective_broadcast(struct collective *group, void *bytes, size_t n_bytes, size_t root,
                                 struct error *err);

/* The bytes of all processes, of any length each, to rank 0: `take` is called there for each rank
 * in turn, with memory that is borrowed for the call. */
typedef enum status collective_take(void *user, size_t rank, const void *bytes, size_t n_bytes,
                                    struct error *err);
enum status collective_gather(struct collective *group, const void *bytes, size_t n_bytes,
                              collective_take *take, void *user, struct error *err);

/* Run `work` so that models XGBoost fits in it are fitted by all processes together. */
enum status collective_run(struct collective *group, enum status (*work)(void *, struct error *),
                           void *user, struct error *err);
