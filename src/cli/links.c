/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/links.h"

#include <getopt.h>
#include <string.h>

#include "cli/command.h"

static const char name[] = "links";

struct request {
    struct links_input input;
    bool as_json;
};

static int run(const struct request *request)
{
    AUTO(links_result_free_slot) struct links_result *result = NULL;
    struct error err = {0};
    if (links_run(&request->input, &result, &err) != STATUS_OK)
        return command_failed(name, &err);
    if (!request->as_json) {
        links_print(result, stdout);
        return command_finish(name);
    }
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    links_put_json(result, &w);
    return command_print(name, &text);
}

static bool parse_count(const char *text, int64_t max, size_t *ret_count)
{
    int64_t value;
    if (!text_parse_integer(text, strlen(text), &value) || value < 0 || value > max)
        return false;
    *ret_count = (size_t)value;
    return true;
}

/* NULL, or what is wrong. */
static const char *set_option(struct request *request, const char *option, const char *value)
{
    struct links_input *input = &request->input;
    size_t seed;
    if (strcmp(option, "kinds") == 0) {
        input->kinds = value;
        return NULL;
    }
    if (strcmp(option, "holdout") == 0)
        return text_parse_number(value, strlen(value), &input->protocol.holdout) &&
                       input->protocol.holdout > 0 && input->protocol.holdout <= 0.5
                   ? NULL
                   : "must be a share above 0, up to 0.5";
    if (strcmp(option, "repeats") == 0)
        return parse_count(value, 100, &input->protocol.n_repeats) && input->protocol.n_repeats > 0
                   ? NULL
                   : "must be from 1 to 100";
    if (strcmp(option, "suggest") == 0)
        return parse_count(value, 1000000, &input->n_suggestions) ? NULL
                                                                  : "must be from 0 to 1000000";
    if (!parse_count(value, INT64_MAX, &seed))
        return "must be a whole number";
    input->protocol.seed = seed;
    return NULL;
}

int command_links(int argc, char **argv)
{
    static const struct option options[] = {
        {"kinds", required_argument, NULL, 'v'},   {"holdout", required_argument, NULL, 'v'},
        {"repeats", required_argument, NULL, 'v'}, {"seed", required_argument, NULL, 'v'},
        {"suggest", required_argument, NULL, 'v'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    struct request request = {.input = {.protocol = {.holdout = 0.1, .n_repeats = 5},
                                        .n_suggestions = 20,
                                        .progress = command_progress()}};
    opterr = 0;
    int index = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, &index)) != -1;) {
        const char *wrong = NULL;
        switch (option) {
        case 'v':
            wrong = set_option(&request, options[index].name, optarg);
            if (wrong)
                return command_usage(name, "--%s: %s, got '%s'", options[index].name, wrong,
                                     optarg);
            break;
        case 'j':
            request.as_json = true;
            break;
        case 'h':
            return command_help(name);
        default:
            return command_usage(name, "'%s' is no option, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind == argc)
        return command_usage(name, "a file of edges is needed");
    request.input.files = (const char *const *)argv + optind;
    request.input.n_files = (size_t)(argc - optind);
    return run(&request);
}
