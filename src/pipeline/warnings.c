/* SPDX-License-Identifier: Apache-2.0 */

/* What a reader of a bundle's figures should be warned of, beyond what its parts find. */
#include "explore/compare.h"
#include "pipeline/training.h"

/* Beyond it a distribution has moved much: the usual reading of the population stability index. */
#define PSI_MUCH 0.25

enum status warn_of_drift(struct training *training, struct error *err)
{
    const struct explore_snapshots *snapshots = &training->snapshots;
    if (!snapshots->before || !snapshots->after)
        return STATUS_OK;
    struct comparison comparison;
    TRY(compare_tables(snapshots->before, snapshots->after, &comparison, err));
    for (size_t i = 0; i < comparison.n_columns; i++) {
        const struct compared_column *column = &comparison.columns[i];
        if (column->psi > PSI_MUCH)
            training_warn(training,
                          "%s drifted between %s and %s (PSI %.2f): what was learnt of one month "
                          "may not hold in the next",
                          column->name, snapshots->before_name, snapshots->after_name, column->psi);
    }
    return STATUS_OK;
}
