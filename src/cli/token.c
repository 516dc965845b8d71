/* SPDX-License-Identifier: Apache-2.0 */
#include "base/token.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/command.h"

static const char name[] = "token";

static int print(const char *text, const char *line, bool as_json)
{
    struct buffer out = {0};
    if (as_json) {
        struct json_writer w = json_writer(&out);
        json_begin_object(&w);
        json_member_string(&w, "token", text);
        json_member_string(&w, "line", line);
        json_end_object(&w);
    } else {
        buffer_printf(&out, "%s\n%s", text, line);
        fputs("The first line is the token, shown this once; the second is for the daemon's file "
              "(access.tokens).\n",
              stderr);
    }
    int code = command_print(name, &out);
    buffer_deinit(&out);
    return code;
}

static int make(const char *owner, const char *scopes, bool as_json)
{
    unsigned bits;
    struct error err = {0};
    if (token_parse_scopes(scopes, &bits, &err) != STATUS_OK)
        return command_usage(name, "--scope: %s", err.message);
    if (!token_is_name(owner))
        return command_usage(name, "--name: must be letters, digits, dots, dashes or underscores");
    char text[TOKEN_LENGTH + 1];
    if (token_make(text, &err) != STATUS_OK)
        return command_failed(name, &err);
    char hex[SHA256_HEX_LENGTH + 1];
    hash_sha256_hex(text, TOKEN_LENGTH, hex);
    char line[TOKEN_NAME_MAX + 64 + SHA256_HEX_LENGTH];
    snprintf(line, sizeof line, "%s %s %s", owner, scopes, hex);
    return print(text, line, as_json);
}

int command_token(int argc, char **argv)
{
    enum {
        SCOPE = 1,
        NAME,
        JSON,
        HELP
    };
    static const struct option options[] = {
        {"scope", required_argument, NULL, SCOPE},
        {"name", required_argument, NULL, NAME},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    const char *scopes = NULL;
    const char *owner = "client";
    bool as_json = false;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case SCOPE:
            scopes = optarg;
            break;
        case NAME:
            owner = optarg;
            break;
        case JSON:
            as_json = true;
            break;
        case HELP:
            return command_help(name);
        default:
            return command_usage(name, "%s: unknown option, or no value", argv[optind - 1]);
        }
    }
    if (argc - optind != 1 || strcmp(argv[optind], "new") != 0)
        return command_usage(name, "what to do must be: new");
    if (!scopes || strlen(scopes) > 32)
        return command_usage(name,
                             "--scope is needed: predict, metrics, admin, or several with commas");
    return make(owner, scopes, as_json);
}
