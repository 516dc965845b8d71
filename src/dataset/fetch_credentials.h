/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Credentials for Kaggle, from where its own tools keep them; the first that is there:
 *
 *   $KAGGLE_API_TOKEN                     a token
 *   $KAGGLE_USERNAME and $KAGGLE_KEY      a name and a key
 *   DIR/access_token                      a token
 *   DIR/kaggle.json                       {"username": ..., "key": ...}
 *
 * DIR is $KAGGLE_CONFIG_DIR, or ~/.kaggle. Public data sets need none. */
#include "base/arena.h"
#include "base/status.h"

struct credentials {
    const char *user_password; /* "name:key" for Basic, or NULL */
    const char *bearer;        /* token, or NULL */
};

/* Both NULL when there are none. STATUS_INVALID: kaggle.json is there and cannot be used; the
 * message never quotes what stands in it. */
enum status credentials_find(struct arena *arena, struct credentials *ret_credentials,
                             struct error *err);
