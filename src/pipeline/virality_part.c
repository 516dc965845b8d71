/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pipeline/training.h"

#define MAX_POSTS 500000 /* of sampled accounts; more narrow the intervals no further */

/* Posts that say too little are a reason, not a failure. */
static enum status leave_out(struct training *training, enum status status, struct error *why,
                             struct error *err)
{
    if (status != STATUS_INVALID) {
        *err = *why;
        return status;
    }
    training->no_virality = arena_strndup(&training->memory, why->message, strlen(why->message));
    return training->no_virality ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

enum status virality_part_train(struct training *training, const struct import_joins *joins,
                                struct lifts **ret_lifts, struct error *err)
{
    if (joins->n_posts == 0) {
        training->no_virality = "it needs posts (--posts)";
        return STATUS_OK;
    }
    progress_show(training->progress, "what lifts a post", -1);
    struct lifts_input input = {.files = joins->posts,
                                .n_files = joins->n_posts,
                                .max_posts = MAX_POSTS,
                                .progress = training->progress};
    struct error why = {0};
    AUTO(lifts_free_slot) struct lifts *lifts = NULL;
    enum status status = lifts_read(training->table, &input, NULL, &lifts, &why);
    if (status == STATUS_OK)
        status = virality_compute(lifts, &training->virality, &why);
    if (status != STATUS_OK)
        TRY(leave_out(training, status, &why, err));
    *ret_lifts = STEAL(lifts);
    return STATUS_OK;
}
