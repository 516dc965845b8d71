/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sink.h"

#include <string.h>

#include "base/log.h"
#include "cli/interrupt.h"
#include "profile/profile.h"

/* Further columns of `influence import` may hold anything: they are texts too. */
static bool is_number(const char *column)
{
    static const char *const numbers[] = {
        "score",     "score_low",        "score_high", "percentile",       "novelty",
        "composite", "tier_probability", "cluster",    "cluster_distance", "base",
        "growth",    "growth_low",       "growth_high"};
    /* `influence import` writes "engagement_rate (fraction)". */
    const struct profile_field *field = profile_field_find(column, strcspn(column, " "));
    if (field)
        return field->kind != PROFILE_TEXT && field->kind != PROFILE_MONTH;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (strcmp(column, numbers[i]) == 0)
            return true;
    return false;
}

static enum status open_database(const struct sink_options *options, struct sink *sink,
                                 struct error *err)
{
    if (!options->table)
        return fail(err, STATUS_INVALID, "--to a database needs a --table");
    if (options->append && options->replace)
        return fail(err, STATUS_INVALID, "--append and --replace exclude each other");
    struct database_options database_options = {.cancel = interrupt_flag()};
    struct database_table table = {
        .name = options->table,
        .mode = options->append    ? DATABASE_APPEND
                : options->replace ? DATABASE_REPLACE
                                   : DATABASE_CREATE,
        .is_number = is_number,
    };
    AUTO(database_close_slot) struct database *database = NULL;
    TRY(database_open(options->to, &database_options, &database, err));
    TRY(database_begin(database, &table, &sink->out, err));
    sink->database = STEAL(database);
    return STATUS_OK;
}

enum status sink_open(const struct sink_options *options, struct sink *ret_sink, struct error *err)
{
    struct sink sink = {.out = stdout};
    if (options->to && database_is_uri(options->to)) {
        TRY(open_database(options, &sink, err));
    } else {
        if (options->table || options->append || options->replace)
            return fail(err, STATUS_INVALID,
                        "--table, --append and --replace go with --to postgresql://...");
        if (options->to && strcmp(options->to, "-") != 0)
            sink.out = fopen(options->to, "we");
        if (!sink.out)
            return fail_errno(err, "%s", options->to);
    }
    *ret_sink = sink;
    return STATUS_OK;
}

static enum status close_database(struct sink *sink, enum status status, struct error *err)
{
    AUTO(database_close_slot) struct database *database = STEAL(sink->database);
    struct error own = {0};
    uint64_t n_rows = 0;
    enum status end = status == STATUS_OK ? database_commit(database, sink->out, &n_rows, &own)
                                          : database_abort(database, sink->out, &own);
    if (end == STATUS_EXISTS)
        return fail(err, end, "%s; --append or --replace", own.message);
    if (end != STATUS_OK) {
        *err = own;
        return end;
    }
    if (status == STATUS_OK)
        log_info("%llu rows written", (unsigned long long)n_rows);
    return status;
}

enum status sink_close(struct sink *sink, enum status status, struct error *err)
{
    if (sink->database)
        return close_database(sink, status, err);
    if (sink->out == stdout)
        return status;
    bool closed = fclose(sink->out) == 0;
    return status != STATUS_OK || closed ? status : fail_errno(err, "cannot write the table");
}
