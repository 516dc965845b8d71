/* SPDX-License-Identifier: Apache-2.0 */

/* Several processes in a training run: rank 0 goes the whole way, and the others follow. */
#include "pipeline/train.h"

static struct shard_input shard_input_of(const struct train_input *input)
{
    return (struct shard_input){
        .group = input->workers,
        .rule = input->rule,
        .max_rows = (size_t)input->config->workers_max_rows,
        .reads_extras = train_reads_extras(input),
    };
}

/* Places in a network cannot be told to processes that have a part of its accounts. */
static enum status check_joins(const struct train_input *input, struct error *err)
{
    if (input->target.joins.n_edges > 0)
        return fail(err, STATUS_UNSUPPORTED,
                    "--edges cannot be used with several workers: a network is of all accounts");
    return STATUS_OK;
}

enum status train_share_rows(struct training *training, struct error *err)
{
    const struct train_input *input = training->input;
    struct shard *shard = &training->shard;
    bool each_its_own = input->rule == SHARD_FILES;
    if (collective_size(input->workers) == 1)
        return data_files_gather(NULL, training->imported, &training->memory, &training->data, err);
    progress_show(training->progress, "sharing rows out", -1);
    TRY(check_joins(input, err));
    const struct shard_input sharing = shard_input_of(input);
    TRY(shard_make(&sharing, STEAL(training->table), shard, err));
    TRY(data_files_gather(each_its_own ? input->workers : NULL, training->imported,
                          &training->memory, &training->data, err));
    training->table = STEAL(shard->deciding);
    training->together = (struct together){input->workers, shard->own};
    if ((double)training->table->n_rows < shard->n_all)
        training_warn(training,
                      "%zu of %.0f accounts were gathered: models are fitted to all, but searched, "
                      "judged and described by these, and the catalogue holds no others",
                      training->table->n_rows, shard->n_all);
    return STATUS_OK;
}

enum status train_dismiss(struct training *training, struct error *err)
{
    if (!training->together.group)
        return STATUS_OK;
    TRY(together_end(&training->together, err));
    TRY(collective_leave(training->together.group, err));
    training->together = (struct together){0};
    table_free(STEAL(training->shard.own));
    return STATUS_OK;
}

static void shard_free(struct shard *shard)
{
    if (shard)
        shard_deinit(shard);
    free(shard);
}
DEFINE_SLOT(shard_free, struct shard)

/* To rank 0, whose bundle names them. */
static enum status tell_files(struct collective *group, const struct import_report *report,
                              struct error *err)
{
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 4096);
    struct data_files none;
    return data_files_gather(group, report, &memory, &none, err);
}

enum status train_follow(const struct train_input *input, struct error *err)
{
    AUTO(import_report_free_slot) struct import_report *report = NULL;
    AUTO(table_free_slot) struct table *table = NULL;
    AUTO(shard_free_slot) struct shard *shard = calloc(1, sizeof *shard);
    if (!shard)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(check_joins(input, err));
    TRY(train_read(input, &table, &report, err));
    const struct shard_input sharing = shard_input_of(input);
    TRY(shard_make(&sharing, STEAL(table), shard, err));
    if (input->rule == SHARD_FILES)
        TRY(tell_files(input->workers, report, err));
    const struct together together = {input->workers, shard->own};
    TRY(together_follow(&together, err));
    return collective_leave(input->workers, err);
}
