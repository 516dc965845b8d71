/* SPDX-License-Identifier: Apache-2.0 */

/* Growth: the newest period between two snapshots teaches what the next one may bring. Chosen by
 * rank, because whole periods differ in how much accounts grow, but less in which ones do. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/shipped.h"
#include "pipeline/row_filter.h"
#include "pipeline/train.h"
#include "profile/parse.h"

#define MIN_ROWS 50
#define Z95 1.959963984540054

void growth_part_deinit(struct growth_part *part)
{
    if (part->searched.target)
        part->cases.target = NULL; /* it is the search's */
    searched_deinit(&part->searched);
    growth_cases_deinit(&part->cases);
    free(part->out_of_fold);
    free(part->offsets);
    free(part->rows);
    free(part->forecast);
}

/* ---- the cases ---- */

void growth_cases_deinit(struct growth_cases *cases)
{
    target_free(cases->target);
    table_free(cases->table);
    import_report_free(cases->imported);
}

static double newest_month(const struct table *table)
{
    const double *month = table->number[PROFILE_snapshot];
    double newest = -INFINITY;
    for (size_t row = 0; month && row < table->n_rows; row++)
        newest = fmax(newest, month[row]);
    return newest;
}

static enum status keep_rows(const char *where, struct growth_cases *cases, struct error *err)
{
    AUTO(free_slot) bool *keep = calloc(cases->table->n_rows + 1, sizeof *keep);
    if (!keep)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(table_read_extras(cases->table, err));
    TRY(row_filter("--where", where, cases->table, keep, err));
    return target_keep(cases->target, keep, err);
}

enum status growth_cases_make(const struct growth_files *files, size_t n_skipped,
                              struct growth_cases *ret_cases, struct error *err)
{
    AUTO(growth_cases_deinit) struct growth_cases cases = {0};
    struct import_options options = {.schema_dir = files->schema_dir,
                                     .growth = true,
                                     .growth_skipped = n_skipped,
                                     .joins = {.posts = files->posts, .n_posts = files->n_posts}};
    TRY(import_files(files->files, files->n_files, &options, &cases.table, &cases.imported, err));
    /* The last one: a table may have a column of that name too. */
    TRY(target_of_extra(cases.table, cases.table->n_extras - 1, &cases.target, err));
    if (cases.target->task != TASK_REGRESSION)
        return fail(err, STATUS_INVALID, "growth has two values only");
    cases.base = newest_month(cases.table);
    if (files->where)
        TRY(keep_rows(files->where, &cases, err));
    *ret_cases = cases;
    cases = (struct growth_cases){0};
    return STATUS_OK;
}

enum status growth_design(struct growth_cases *cases, const struct visible_names *names,
                          struct arena *arena, struct design *ret_design, struct error *err)
{
    struct visible visible;
    TRY(table_read_extras(cases->table, err));
    TRY(visible_choose(cases->table, cases->target, names, arena, &visible, err));
    cases->leaks = visible.leaks;
    cases->n_leaks = visible.n_leaks;
    network_exclude_features(&visible.options);
    return design_choose(cases->table, &visible.options, ret_design, err);
}

/* ---- training ---- */

static bool has_periods(const struct training *training)
{
    const struct table *table = training->table;
    const double *previous = table->number[PROFILE_previous_followers];
    return table->number[PROFILE_snapshot] && previous && table->text[PROFILE_handle];
}

#define NEEDS_SNAPSHOTS                                                                  \
    "it takes two or more snapshots of the same accounts: influence train FILE@2025-03 " \
    "FILE@2025-06"

enum status growth_part_check(const struct training *training, struct error *err)
{
    if (training->own_is_growth && !has_periods(training))
        return fail(err, STATUS_INVALID, "--target growth: " NEEDS_SNAPSHOTS);
    return STATUS_OK;
}

/* A period that cannot be had is no failure: why not is kept. */
static enum status make_cases(struct training *training, const struct growth_files *files,
                              size_t n_skipped, struct growth_cases *ret_cases,
                              const char **ret_absent, struct error *err)
{
    struct error why = {0};
    *ret_absent = NULL;
    enum status status = growth_cases_make(files, n_skipped, ret_cases, &why);
    if (status != STATUS_OK && status != STATUS_INVALID)
        return fail(err, status, "%s", why.message);
    if (status == STATUS_INVALID)
        *ret_absent = arena_strdup(&training->memory, why.message);
    else if (ret_cases->target->n < MIN_ROWS)
        *ret_absent = arena_printf(
            &training->memory,
            "%zu accounts stand in snapshots that follow each other: at least %d are needed",
            ret_cases->target->n, MIN_ROWS);
    else
        return STATUS_OK;
    return *ret_absent ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status make_interval(struct training *training, struct error *err)
{
    struct growth_part *part = &training->growth;
    const struct target *target = part->searched.sample;
    part->offsets = calloc(target->n + 1, sizeof *part->offsets);
    if (!part->offsets)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct certainty_input input = {
        .table = part->cases.table,
        .target = target,
        .crossval = part->searched.crossval,
        .entry = part->searched.chosen,
        .sizes = &training->tier.sizes,
        .coverage = training->config->growth_coverage,
    };
    return certainty_intervals(&input, &part->intervals, &part->covered, part->offsets, err);
}

/* Its rank correlation over accounts, by Fisher's z with the variance of Fieller et al. 1957. */
static void judge_rank(struct growth_part *part)
{
    double n = (double)part->searched.sample->n;
    double rho = part->searched.crossval->entries[part->searched.chosen].mean[METRIC_SPEARMAN];
    double half = Z95 * sqrt(1.06 / (n - 3));
    part->spearman = rho;
    part->spearman_low = tanh(atanh(rho) - half);
    part->spearman_high = tanh(atanh(rho) + half);
    part->ships = part->spearman_low > 0;
}

/* Always saying the median. */
static enum status judge_median(struct growth_part *part, struct error *err)
{
    const struct target *target = part->searched.sample;
    double median = 0;
    TRY(growth_median(target, &median, err));
    for (size_t i = 0; i < target->n; i++)
        part->baseline_mae += fabs(target->y[i] - median) / (double)target->n;
    return STATUS_OK;
}

/* What was asked for is of the target asked for; what was excluded is so for all. */
static struct visible_names names_of(const struct training *training,
                                     const struct train_input *input)
{
    struct visible_names names = {.exclude = input->names.exclude};
    if (training->own_is_growth)
        names = input->names;
    names.peers = training->config->search_peers;
    return names;
}

static enum status judge_earlier(struct training *training, const struct growth_files *files,
                                 struct error *err)
{
    struct growth_part *part = &training->growth;
    AUTO(growth_cases_deinit) struct growth_cases before = {0};
    TRY(make_cases(training, files, 1, &before, &part->earlier.absent, err));
    if (part->earlier.absent)
        return STATUS_OK;
    if (before.target->n > (size_t)training->config->search_max_rows) {
        struct target *sample = NULL;
        TRY(target_sample(before.target, (size_t)training->config->search_max_rows, training->seed,
                          &sample, err));
        target_free(before.target);
        before.target = sample;
    }
    const struct crossval_entry *entry = &part->searched.crossval->entries[part->searched.chosen];
    const struct visible_names names = names_of(training, training->input);
    struct growth_earlier_input input = {
        .now = &part->cases,
        .before = &before,
        .until = part->until,
        .trainer = entry->trainer,
        .config = training->config,
        .names = &names,
        .arena = &training->memory,
        .sizes = &training->tier.sizes,
        .seed = training->seed,
    };
    return growth_judge_earlier(&input, &part->earlier, err);
}

static void warn_of_weakness(struct training *training)
{
    const struct growth_part *part = &training->growth;
    if (!part->ships)
        training_warn(training,
                      "no growth is forecast: nothing ranks it better than chance (rank "
                      "correlation %.2f out of fold, %zu accounts)",
                      part->spearman, part->searched.sample->n);
    else if (part->spearman < GROWTH_WEAK)
        training_warn(training,
                      "growth is hardly determined by what is known before it (rank correlation "
                      "%.2f out of fold): its forecast says little",
                      part->spearman);
}

enum status growth_part_train(struct training *training, const struct train_input *input,
                              struct error *err)
{
    struct growth_part *part = &training->growth;
    const struct own_target *own = &input->target;
    const struct growth_files files = {
        .files = own->files,
        .n_files = own->n_files,
        .schema_dir = own->schema_dir,
        .where = own->where,
        .posts = own->joins.posts,
        .n_posts = own->joins.n_posts,
    };
    if (has_periods(training))
        TRY(make_cases(training, &files, 0, &part->cases, &part->absent, err));
    else
        part->absent = NEEDS_SNAPSHOTS;
    if (part->absent && training->own_is_growth)
        return fail(err, STATUS_INVALID, "--target growth: %s", part->absent);
    if (part->absent)
        return STATUS_OK;
    part->until = newest_month(training->table);
    part->searched.target = part->cases.target;
    struct visible_names names = names_of(training, input);
    TRY(growth_design(&part->cases, &names, &training->memory, &part->searched.design, err));
    part->searched.leaks = part->cases.leaks;
    part->searched.n_leaks = part->cases.n_leaks;
    struct search_options search = {
        .models = training->own_is_growth && input->models ? input->models
                                                           : training->config->growth_models,
        .stage = "growth models",
        .select = METRIC_SPEARMAN,
        .table = part->cases.table,
    };
    TRY(search_run(training, &search, &part->searched, err));
    TRY(searched_average(&part->searched, &part->out_of_fold, err));
    TRY(make_interval(training, err));
    judge_rank(part);
    TRY(judge_median(part, err));
    warn_of_weakness(training);
    return judge_earlier(training, &files, err);
}

/* ---- saying ---- */

const char *growth_part_strength(const struct growth_part *part)
{
    if (!part->ships)
        return "none";
    if (part->spearman < GROWTH_WEAK)
        return "weak";
    return part->spearman < GROWTH_CLEAR ? "fair" : "clear";
}

static void say_earlier(const struct growth_earlier *earlier, struct buffer *out)
{
    if (earlier->absent)
        return;
    char base[8];
    char until[8];
    parse_format_month(earlier->base, base);
    parse_format_month(earlier->until, until);
    buffer_printf(
        out,
        " Learnt from %s to %s instead%s, it ranks this period with %.2f, misses by %.2f "
        "(always the earlier median: %.2f), and its intervals hold %.0f %%: so much may a "
        "new period differ.",
        base, until, earlier->had_growth ? "" : ", without an earlier growth to go by",
        earlier->spearman, earlier->mae, earlier->baseline_mae, 100 * earlier->covered);
    if (earlier->spearman > 0 && earlier->mae > earlier->baseline_mae)
        buffer_put_text(out, " Believe the order, not the size.");
}

void growth_part_say(const struct growth_part *part, struct buffer *out)
{
    const struct crossval_entry *entry = &part->searched.crossval->entries[part->searched.chosen];
    if (part->ships)
        buffer_printf(out,
                      "It ranks accounts that it had not seen with a correlation of %.2f (0 is "
                      "chance, 1 the exact order).",
                      part->spearman);
    else
        buffer_printf(out,
                      "Nothing ranks growth better than chance (rank correlation %.2f out of "
                      "fold), so no forecast is given.",
                      part->spearman);
    double months = part->until - part->cases.base;
    buffer_printf(out,
                  " %s size misses by %.2f on average, about percent over %.0f month%s; always "
                  "saying the median misses by %.2f.",
                  part->ships ? "Its" : "The best one's", entry->mean[METRIC_MAE], months,
                  months == 1 ? "" : "s", part->baseline_mae);
    say_earlier(&part->earlier, out);
}

/* ---- writing ---- */

/* The accounts of the newest snapshot: those whose next period is foreseen. */
static enum status find_rows(struct training *training, struct error *err)
{
    struct growth_part *part = &training->growth;
    const struct table *table = training->table;
    part->rows = calloc(table->n_rows + 1, sizeof *part->rows);
    part->forecast = calloc(table->n_rows + 1, sizeof *part->forecast);
    if (!part->rows || !part->forecast)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t row = 0; row < table->n_rows; row++)
        if (table->number[PROFILE_snapshot][row] == part->until)
            part->rows[part->n_rows++] = row;
    return STATUS_OK;
}

static enum status make_grid(struct training *training, float *ret_grid, struct error *err)
{
    struct growth_part *part = &training->growth;
    const struct feature_spec *spec = part->searched.spec;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    AUTO(shipped_close_slot) struct shipped *model = NULL;
    AUTO(free_slot) double *output = calloc(part->n_rows + 1, sizeof *output);
    if (!output)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(matrix_make(spec, training->table, part->rows, part->n_rows, &matrix, err));
    TRY(shipped_open(part->searched.fitted, spec, &model, err));
    shipped_run(model, matrix.raw, part->n_rows, output);
    composite_make_grid(output, part->n_rows, ret_grid, COMPOSITE_GRID);
    return STATUS_OK;
}

enum status growth_part_write(struct training *training, struct error *err)
{
    struct growth_part *part = &training->growth;
    if (!part->ships)
        return STATUS_OK;
    float grid[COMPOSITE_GRID];
    TRY(find_rows(training, err));
    TRY(make_grid(training, grid, err));
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_GROWTH, &writer, err));
    TRY(fitted_write(part->searched.fitted, part->searched.spec, "growth", writer, err));
    struct growth_extra extra = {
        .coverage = training->config->growth_coverage,
        .months = part->until - part->cases.base,
        .intervals = &part->intervals,
        .grid = grid,
    };
    TRY(growth_extra_write(writer, &extra, err));
    return artifact_finish(writer, &training->blob[ENGINE_GROWTH],
                           &training->blob_bytes[ENGINE_GROWTH], err);
}

enum status growth_part_forecast(struct training *training, void *scratch, struct error *err)
{
    struct growth_part *part = &training->growth;
    for (size_t i = 0; i < part->n_rows; i++) {
        struct profile profile;
        table_profile(training->table, part->rows[i], &profile);
        TRY(engine_growth(training->engine, &profile, scratch, &part->forecast[i], err));
    }
    return STATUS_OK;
}
