/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/train.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pipeline/row_filter.h"
#include "runtime/parity.h"

#define MIN_ROWS 20
#define PARITY_ROWS 8 /* and one of a profile that has followers alone */

void training_free(struct training *training)
{
    if (!training)
        return;
    engine_close(training->engine);
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        free(training->blob[i]);
    score_part_deinit(&training->score);
    tier_part_deinit(&training->tier);
    cluster_part_deinit(&training->cluster);
    growth_part_deinit(&training->growth);
    why_part_deinit(&training->why);
    feature_spec_free(training->similar_spec);
    network_free(training->network);
    edges_free(training->edges);
    import_report_free(training->imported);
    virality_free(training->virality);
    explore_free(training->explore);
    explore_snapshots_deinit(&training->snapshots);
    table_free(training->table);
    shard_deinit(&training->shard);
    free(training->all_rows);
    arena_deinit(&training->memory);
    free(training);
}

void training_warn(struct training *training, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    warnings_add_list(&training->warnings, &training->memory, format, args);
    va_end(args);
}

/* Every row says that it was made by `influence synth`. */
static bool is_synthetic(const struct table *table)
{
    for (size_t i = 0; i < table->n_extras; i++) {
        if (strcmp(table->extras[i].name, "synthetic") != 0)
            continue;
        for (size_t row = 0; row < table->n_rows; row++)
            if (!table->extras[i].text[row] || strcmp(table->extras[i].text[row], "1") != 0)
                return false;
        return table->n_rows > 0;
    }
    return false;
}

/* The others are no accounts of this bundle at all. */
static enum status keep_rows(const char *where, struct table *table, struct error *err)
{
    AUTO(free_slot) bool *keep = calloc(table->n_rows + 1, sizeof *keep);
    if (!keep)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(row_filter("--where", where, table, keep, err));
    table_keep_rows(table, keep);
    return STATUS_OK;
}

bool train_reads_extras(const struct train_input *input)
{
    return own_target_is_asked(&input->target) || input->target.where || input->group ||
           input->when || input->names.features || input->names.exclude || input->names.extras;
}

enum status train_read(const struct train_input *input, struct table **ret_table,
                       struct import_report **ret_report, struct error *err)
{
    const struct own_target *target = &input->target;
    struct import_options options = {.schema_dir = target->schema_dir, .joins = target->joins};
    TRY(import_files(target->files, target->n_files, &options, ret_table, ret_report, err));
    if (train_reads_extras(input))
        TRY(own_target_prepare(target, *ret_table, NULL, err));
    return target->where ? keep_rows(target->where, *ret_table, err) : STATUS_OK;
}

static enum status import(const struct train_input *input, struct training *training,
                          struct error *err)
{
    const struct own_target *target = &input->target;
    struct import_options options = {.schema_dir = target->schema_dir, .joins = target->joins};
    progress_show(training->progress, "importing", -1);
    TRY(train_read(input, &training->table, &training->imported, err));
    TRY(train_share_rows(training, err));
    TRY(explore_snapshots_load(target->files, target->n_files, &options, training->imported,
                               &training->snapshots, err));
    size_t n = training->table->n_rows;
    if (n < MIN_ROWS)
        return fail(err, STATUS_INVALID, "%zu rows are too few to learn from: at least %d", n,
                    MIN_ROWS);
    warnings_add_few(&training->warnings, &training->memory, n);
    training->is_synthetic = is_synthetic(training->table);
    if (training->is_synthetic)
        training_warn(training, "demo data: every row is synthetic");
    TRY(warnings_add_drift(&training->warnings, &training->memory, &training->snapshots, err));
    training->all_rows = calloc(n, sizeof *training->all_rows);
    if (!training->all_rows)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        training->all_rows[i] = i;
    return STATUS_OK;
}

static enum status search(struct training *training, const struct train_input *input,
                          struct error *err)
{
    TRY(score_part_train(training, err));
    TRY(tier_part_train(training, err));
    TRY(growth_part_train(training, input, err));
    stages_enter(&training->stages, "archetypes");
    TRY(cluster_part_train(training, err));
    TRY(train_dismiss(training, err));
    stages_enter(&training->stages, "importance, dependence");
    return why_part_train(training, err);
}

/* Statistics for the report, what lifts a post, and the groups that figures are given by. */
static enum status explore(struct training *training, const struct import_joins *joins,
                           struct error *err)
{
    AUTO(lifts_free_slot) struct lifts *lifts = NULL;
    TRY(virality_part_train(training, joins, &lifts, err));
    struct explore_sizes sizes = {training->tier.sizes.names, training->tier.sizes.cuts,
                                  training->tier.sizes.n};
    struct explore_input input = {
        .table = training->table,
        .report = training->imported,
        .sizes = &sizes,
        .lifts = lifts,
        .no_lifts = joins->n_posts > 0 ? training->no_virality : NULL,
    };
    explore_snapshots_use(&training->snapshots, &input);
    return explore_run(&input, &training->explore, err);
}

static enum status write_blobs(struct training *training, struct error *err)
{
    progress_show(training->progress, "writing models", -1);
    TRY(score_part_write(training, err));
    TRY(tier_part_write(training, err));
    TRY(cluster_part_write(training, err));
    TRY(growth_part_write(training, err));
    return similar_part_write(training, err);
}

static void scratch_slot(void **scratch)
{
    free(*scratch);
}

/* Open what is about to be shipped as the daemon will, and let it answer for every row. */
static enum status check_blobs(struct training *training, struct error *err)
{
    struct engine_blob blobs[ENGINE_N_BLOBS];
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        blobs[i] = (struct engine_blob){training->blob[i], training->blob_bytes[i]};
    TRY(engine_open_memory(blobs, &training->engine, err));
    size_t bytes = (engine_scratch_bytes(training->engine) + 63) / 64 * 64;
    AUTO(scratch_slot) void *scratch = aligned_alloc(64, bytes ? bytes : 64);
    if (!scratch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t row = 0; row < training->table->n_rows; row++) {
        struct profile profile;
        struct score_answer score;
        struct tier_answer tier;
        struct cluster_answer cluster;
        table_profile(training->table, row, &profile);
        TRY(engine_score(training->engine, &profile, false, scratch, &score, err));
        TRY(engine_tier(training->engine, &profile, scratch, &tier, err));
        TRY(engine_cluster(training->engine, &profile, scratch, &cluster, err));
        if (cluster.cluster != training->cluster.archetypes->cluster[row])
            return fail(err, STATUS_INTERNAL,
                        "row %zu: the engine finds another archetype than the trainer", row);
    }
    return growth_part_forecast(training, scratch, err);
}

/* Rows from all over the table, and one that leaves nearly all to be imputed. */
static enum status put_parity(struct training *training, struct buffer *out, struct error *err)
{
    struct profile profiles[PARITY_ROWS + 1];
    size_t n = training->table->n_rows;
    for (size_t i = 0; i < PARITY_ROWS; i++)
        table_profile(training->table, i * (n - 1) / (PARITY_ROWS - 1), &profiles[i]);
    profile_init(&profiles[PARITY_ROWS]);
    profiles[PARITY_ROWS].number[PROFILE_followers] = 250000;
    return parity_write(training->engine, profiles, ARRAY_LENGTH(profiles), out, err);
}

static enum status write_bundle(struct training *training, const char *models_dir,
                                struct error *err)
{
    int64_t created = clock_utc_us();
    AUTO(buffer_deinit) struct buffer manifest = {0};
    AUTO(buffer_deinit) struct buffer report = {0};
    AUTO(buffer_deinit) struct buffer card = {0};
    AUTO(buffer_deinit) struct buffer parity = {0};
    TRY(put_parity(training, &parity, err));
    manifest_put(training, &manifest);
    TRY(report_put(training, created, &report, err));
    card_put(training, created, &card);
    if (manifest.failed || report.failed || card.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct bundle_file files[ENGINE_N_BLOBS + 3];
    size_t n = 0;
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        if (training->blob[i])
            files[n++] = (struct bundle_file){engine_file_names[i], training->blob[i],
                                              training->blob_bytes[i]};
    files[n++] = (struct bundle_file){"report.json", report.at, report.length};
    files[n++] = (struct bundle_file){"card.md", card.at, card.length};
    files[n++] = (struct bundle_file){PARITY_FILE, parity.at, parity.length};
    return bundle_write(models_dir, files, n, manifest.at, created, training->bundle_id, err);
}

enum status train_run(const struct train_input *input, struct training **ret_training,
                      struct error *err)
{
    AUTO(training_free_slot) struct training *training = calloc(1, sizeof *training);
    if (!training)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&training->memory, 65536);
    training->config = input->config;
    training->input = input;
    training->seed = input->seed;
    training->progress = input->progress;
    uint64_t begin = clock_monotonic_ns();
    struct stages *stages = &training->stages;
    TRY(train_check(input, err));
    stages_enter(stages, "import");
    TRY(import(input, training, err));
    TRY(train_choose_targets(training, err));
    stages_enter(stages, "network");
    TRY(network_part_train(training, &input->target.joins, err));
    TRY(search(training, input, err));
    stages_enter(stages, "statistics");
    TRY(explore(training, &input->target.joins, err));
    stages_enter(stages, "models written");
    TRY(write_blobs(training, err));
    stages_enter(stages, "models checked");
    TRY(check_blobs(training, err));
    stages_enter(stages, "report, bundle");
    TRY(write_bundle(training, input->models_dir, err));
    stages_enter(stages, NULL);
    training->seconds = (double)(clock_monotonic_ns() - begin) * 1e-9;
    *ret_training = STEAL(training);
    return STATUS_OK;
}
