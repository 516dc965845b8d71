/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/log_drift.h"
#include "cli/log_erase.h"
#include "cli/log_print.h"
#include "cli/log_replay.h"
#include "cli/log_ship.h"
#include "reqlog/reader.h"

static const char name[] = "log";

#define DEFAULT_PATH "run/requests.db"
#define DEFAULT_TAIL 20
#define DEFAULT_DIFFERENCES 5
#define MOST_DIFFERENCES 100000
#define FOLLOW_MS 500

struct log_options {
    const char *path;
    const char *bundle;     /* to replay against */
    const char *to, *table; /* to ship to */
    struct reqlog_filter filter;
    const char *format;    /* of an export: "csv" or "jsonl" */
    int64_t n_differences; /* that a replay tells one by one */
    bool as_json, follow, forget, any_model;
};

/* ---- rows ---- */

struct printer {
    void (*write)(const struct reqlog_record *record, struct buffer *out);
    struct buffer line;
    int64_t last_id;
};

static bool print_record(void *user, const struct reqlog_record *record)
{
    struct printer *printer = user;
    buffer_clear(&printer->line);
    printer->write(record, &printer->line);
    if (!printer->line.failed)
        fwrite(printer->line.at, 1, printer->line.length, stdout);
    if (record->id > printer->last_id)
        printer->last_id = record->id;
    return !ferror(stdout);
}

static int print_rows(const struct log_options *options, struct printer *printer)
{
    struct error err = {0};
    struct reqlog_filter filter = options->filter;
    int code = EXIT_DONE;
    for (;;) {
        if (reqlog_read(options->path, &filter, print_record, printer, &err) != STATUS_OK)
            code = command_failed(name, &err);
        else
            code = command_finish(name);
        if (!options->follow || code != EXIT_DONE)
            break;
        poll(NULL, 0, FOLLOW_MS);
        filter.newest = 0;
        filter.after_id = printer->last_id;
    }
    buffer_deinit(&printer->line);
    return code;
}

/* ---- the subcommands ---- */

static int tail(struct log_options *options)
{
    if (options->filter.newest == 0)
        options->filter.newest = DEFAULT_TAIL;
    return print_rows(
        options, &(struct printer){.write = options->as_json ? log_print_json : log_print_line});
}

static int export_rows(struct log_options *options)
{
    bool as_csv = strcmp(options->format, "csv") == 0;
    options->filter.past_damage = true;
    if (as_csv)
        fputs(LOG_PRINT_CSV_HEADER, stdout);
    return print_rows(options, &(struct printer){.write = as_csv ? log_print_csv : log_print_json});
}

static int stats(struct log_options *options)
{
    struct error err = {0};
    AUTO(free_slot) struct reqlog_summary *summary = malloc(sizeof *summary);
    if (!summary)
        fail(&err, STATUS_NO_MEMORY, "out of memory");
    if (!summary || reqlog_summarise(options->path, &options->filter, summary, &err) != STATUS_OK)
        return command_failed(name, &err);
    (options->as_json ? log_print_summary_json : log_print_summary)(summary);
    return command_finish(name);
}

static int erase(struct log_options *options)
{
    const char *handle = options->filter.handle;
    if (!handle || strlen(handle) < (handle[0] == '@' ? 2 : 1))
        return command_usage(name, "erase: --handle is needed");
    const struct log_erase request = {.path = options->path,
                                      .handle = handle,
                                      .to = options->to,
                                      .table = options->table,
                                      .as_json = options->as_json};
    return options->to || options->table ? log_erase_table_run(&request) : log_erase_run(&request);
}

static int replay(struct log_options *options)
{
    return log_replay_run(&(struct log_replay){.path = options->path,
                                               .bundle = options->bundle,
                                               .filter = options->filter,
                                               .n_differences = (size_t)options->n_differences,
                                               .as_json = options->as_json});
}

static int drift(struct log_options *options)
{
    return log_drift_run(&(struct log_drift){.path = options->path,
                                             .bundle = options->bundle,
                                             .filter = options->filter,
                                             .any_model = options->any_model,
                                             .as_json = options->as_json});
}

static int ship(struct log_options *options)
{
    return log_ship_run(&(struct log_ship){.path = options->path,
                                           .to = options->to,
                                           .table = options->table,
                                           .follow = options->follow,
                                           .forget = options->forget,
                                           .as_json = options->as_json});
}

/* ---- options ---- */

/* "15m": so long before now. */
static bool parse_ago(const char *text, int64_t *ret_us)
{
    size_t length = strlen(text);
    int64_t n;
    if (length < 2 || !text_parse_integer(text, length - 1, &n) || n < 0 || n > 1000000)
        return false;
    int64_t seconds = 0;
    switch (text[length - 1]) {
    case 's':
        seconds = 1;
        break;
    case 'm':
        seconds = 60;
        break;
    case 'h':
        seconds = 3600;
        break;
    case 'd':
        seconds = 86400;
        break;
    default:
        return false;
    }
    *ret_us = clock_utc_us() - n * seconds * 1000000;
    return true;
}

/* "2026-01-31", "2026-01-31T12:34:56Z", or "15m", "2h", "7d" before now. */
static bool parse_time(const char *text, int64_t *ret_us)
{
    if (parse_ago(text, ret_us))
        return true;
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest && *rest == 'T')
        rest = strptime(rest, "T%H:%M:%S", &tm);
    if (!rest || (*rest && strcmp(rest, "Z") != 0))
        return false;
    *ret_us = (int64_t)timegm(&tm) * 1000000;
    return true;
}

enum log_option {
    DB = 1,
    BUNDLE,
    SINCE,
    UNTIL,
    ROUTE,
    STATUS,
    HANDLE,
    LINES,
    FORMAT,
    FOLLOW,
    FORGET,
    TO,
    TABLE,
    DIFFERENCES,
    ANY_MODEL,
    JSON,
    HELP
};

static const struct option long_options[] = {
    {"db", required_argument, NULL, DB},
    {"bundle", required_argument, NULL, BUNDLE},
    {"since", required_argument, NULL, SINCE},
    {"until", required_argument, NULL, UNTIL},
    {"route", required_argument, NULL, ROUTE},
    {"status", required_argument, NULL, STATUS},
    {"handle", required_argument, NULL, HANDLE},
    {"lines", required_argument, NULL, LINES},
    {"format", required_argument, NULL, FORMAT},
    {"follow", no_argument, NULL, FOLLOW},
    {"forget", no_argument, NULL, FORGET},
    {"to", required_argument, NULL, TO},
    {"table", required_argument, NULL, TABLE},
    {"differences", required_argument, NULL, DIFFERENCES},
    {"any-model", no_argument, NULL, ANY_MODEL},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {0},
};

/* False: the value is not what the option takes. */
static bool set_option(enum log_option option, const char *value, struct log_options *options)
{
    struct reqlog_filter *filter = &options->filter;
    int64_t number = 0;
    switch (option) {
    case DB:
        options->path = value;
        return true;
    case BUNDLE:
        options->bundle = value;
        return true;
    case SINCE:
        return parse_time(value, &filter->since_us);
    case UNTIL:
        return parse_time(value, &filter->until_us);
    case ROUTE:
        filter->route = value;
        return true;
    case STATUS:
        /* "404", or "4xx" for all of them. */
        if (value[0] >= '1' && value[0] <= '5' && strcmp(value + 1, "xx") == 0)
            number = value[0] - '0';
        else if (!text_parse_integer(value, strlen(value), &number) || number < 100 || number > 599)
            return false;
        filter->status = (int)number;
        return true;
    case HANDLE:
        filter->handle = value + (value[0] == '@');
        return filter->handle[0] != '\0';
    case LINES:
        return text_parse_integer(value, strlen(value), &filter->newest) && filter->newest > 0;
    case FORMAT:
        options->format = value;
        return strcmp(value, "csv") == 0 || strcmp(value, "jsonl") == 0;
    case FOLLOW:
        options->follow = true;
        return true;
    case FORGET:
        options->forget = true;
        return true;
    case TO:
        options->to = value;
        return true;
    case TABLE:
        options->table = value;
        return true;
    case DIFFERENCES:
        return text_parse_integer(value, strlen(value), &options->n_differences) &&
               options->n_differences >= 0 && options->n_differences <= MOST_DIFFERENCES;
    case ANY_MODEL:
        options->any_model = true;
        return true;
    case JSON:
        options->as_json = true;
        return true;
    case HELP:
        return true;
    }
    return false;
}

/* What the option takes, for whoever gave it something else. */
static const char *taken_by(enum log_option option)
{
    if (option == SINCE || option == UNTIL)
        return "2026-01-31, 2026-01-31T12:00:00Z, or 15m, 2h, 7d ago";
    if (option == STATUS)
        return "404, or 4xx";
    if (option == FORMAT)
        return "jsonl or csv";
    if (option == LINES)
        return "a whole number above 0";
    return option == HANDLE ? "a handle" : "a whole number that is not too large";
}

int command_log(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct log_options *options);
    } actions[] = {{"stats", stats},   {"tail", tail},   {"export", export_rows}, {"erase", erase},
                   {"replay", replay}, {"drift", drift}, {"ship", ship}};
    struct log_options options = {.path = DEFAULT_PATH,
                                  .bundle = "models",
                                  .format = "jsonl",
                                  .n_differences = DEFAULT_DIFFERENCES};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == HELP)
            return command_help(name);
        if (option == '?')
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        if (!set_option((enum log_option)option, optarg, &options))
            return command_usage(name, "--%s: takes %s, got '%s'", long_options[option - 1].name,
                                 taken_by((enum log_option)option), optarg);
    }
    if (argc - optind != 1)
        return command_usage(name,
                             "one of stats, tail, export, erase, replay, drift, ship is needed");
    for (size_t i = 0; i < ARRAY_LENGTH(actions); i++)
        if (strcmp(argv[optind], actions[i].name) == 0)
            return actions[i].run(&options);
    return command_usage(name, "'%s' is none of stats, tail, export, erase, replay, drift, ship",
                         argv[optind]);
}
