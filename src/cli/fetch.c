/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"

static const char name[] = "fetch";

struct arguments {
    struct fetch_options fetch;
    bool as_json;
};

static void print_tables(const struct fetched *fetched)
{
    for (size_t i = 0; i < fetched->n_tables; i++)
        puts(fetched->tables[i]);
}

static void print_json(const char *what, const struct fetched *fetched)
{
    struct buffer text = {0};
    struct json_writer json = json_writer(&text);
    json_begin_object(&json);
    json_member_string(&json, "name", what);
    json_member_string(&json, "dir", fetched->dir);
    json_member_bool(&json, "was_present", fetched->was_present);
    json_put_key(&json, "tables");
    json_begin_array(&json);
    for (size_t i = 0; i < fetched->n_tables; i++)
        json_put_string(&json, fetched->tables[i]);
    json_end_array(&json);
    json_end_object(&json);
    if (!text.failed)
        puts(text.at);
    buffer_deinit(&text);
}

static int fetch(const char *what, const struct arguments *arguments)
{
    AUTO(fetched_free_slot) struct fetched *fetched = NULL;
    struct error err = {0};
    if (fetch_resolve(what, &arguments->fetch, &fetched, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (arguments->as_json)
        print_json(what, fetched);
    else
        print_tables(fetched);
    return command_finish(name);
}

enum {
    OUT = 1,
    BASE_URL,
    REFRESH,
    MAX_BYTES,
    MAX_UNPACKED,
    MAX_ENTRIES,
    ATTEMPTS,
    RETRY_DELAY,
    CONNECT_TIMEOUT,
    STALL_TIMEOUT,
    JSON,
    HELP
};

static const struct option options[] = {
    {"out", required_argument, NULL, OUT},
    {"base-url", required_argument, NULL, BASE_URL},
    {"refresh", no_argument, NULL, REFRESH},
    {"max-bytes", required_argument, NULL, MAX_BYTES},
    {"max-unpacked-bytes", required_argument, NULL, MAX_UNPACKED},
    {"max-entries", required_argument, NULL, MAX_ENTRIES},
    {"attempts", required_argument, NULL, ATTEMPTS},
    {"retry-delay-ms", required_argument, NULL, RETRY_DELAY},
    {"connect-timeout-s", required_argument, NULL, CONNECT_TIMEOUT},
    {"stall-timeout-s", required_argument, NULL, STALL_TIMEOUT},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {0},
};

/* The options whose value is a number; false: not one, or out of range. */
static bool set_number(int option, const char *text, struct fetch_options *fetch)
{
    int64_t value;
    int64_t most = option == MAX_BYTES || option == MAX_UNPACKED ? INT64_MAX : 10000000;
    if (!text_parse_integer(text, strlen(text), &value) || value < 1 || value > most)
        return false;
    switch (option) {
    case MAX_BYTES:
        fetch->max_download_bytes = (uint64_t)value;
        return true;
    case MAX_UNPACKED:
        fetch->max_unpacked_bytes = (uint64_t)value;
        return true;
    case MAX_ENTRIES:
        fetch->max_entries = (size_t)value;
        return true;
    case ATTEMPTS:
        fetch->max_attempts = (unsigned)value;
        return true;
    case RETRY_DELAY:
        fetch->retry_delay_ms = (unsigned)value;
        return true;
    case CONNECT_TIMEOUT:
        fetch->connect_timeout_s = (unsigned)value;
        return true;
    default:
        fetch->stall_timeout_s = (unsigned)value;
        return true;
    }
}

int command_fetch(int argc, char **argv)
{
    struct arguments arguments = {.fetch = {.progress = command_progress()}};
    int option;
    int which = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, &which)) != -1) {
        switch (option) {
        case OUT:
            arguments.fetch.data_dir = optarg;
            break;
        case BASE_URL:
            arguments.fetch.base_url = optarg;
            break;
        case REFRESH:
            arguments.fetch.refresh = true;
            break;
        case JSON:
            arguments.as_json = true;
            break;
        case HELP:
            return command_help(name);
        case '?':
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        default:
            if (!set_number(option, optarg, &arguments.fetch))
                return command_usage(name, "--%s: must be a whole number above 0, got '%s'",
                                     options[which].name, optarg);
        }
    }
    if (argc - optind != 1)
        return command_usage(name, "one data set is needed");
    if (!fetch_is_remote(argv[optind]))
        return command_usage(name, "'%s' is neither kaggle:OWNER/DATASET nor an https address",
                             argv[optind]);
    arguments.fetch.cancel = interrupt_flag();
    return fetch(argv[optind], &arguments);
}
