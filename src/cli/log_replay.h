/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* influence log replay: ask a bundle again what the log says was asked, and compare. */
#include "reqlog/reader.h"

struct log_replay {
    const char *path, *bundle;
    struct reqlog_filter filter;
    size_t n_differences; /* told one by one, at most */
    bool as_json;
};

/* The whole of the subcommand; returns the exit status. */
int log_replay_run(const struct log_replay *replay);
