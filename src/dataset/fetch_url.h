/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Addresses: which ones are spoken to, and what of them may be shown. */
#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

struct url {
    const char *text;   /* as given */
    const char *origin; /* "https://host:port": credentials do not leave it */
    const char
        *shown; /* without query and fragment, which may hold secrets: for messages, records */
    const char *host; /* lower case */
    const char *base; /* last segment of the path, unescaped; "" when there is none */
    bool is_plain;    /* http, to this machine */
};

/* Take an address apart; everything lives in the arena. STATUS_INVALID: not an address, neither
 * https nor http to this machine, or with a user name in it. */
enum status url_parse(const char *text, struct arena *arena, struct url *ret_url,
                      struct error *err);

/* As url_parse() for the target of a redirect, which may be relative and must not leave https for
 * http. */
enum status url_follow(const struct url *from, const char *location, struct arena *arena,
                       struct url *ret_url, struct error *err);
