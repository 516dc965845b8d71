/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* `influence models erase`: bundles that know an account go, or one that is named. A bundle is
 * never changed, its id and its manifest are of its bytes: it goes whole. The current one stays,
 * and so does one that only may know the account; they are named, and the command fails: nobody
 * shall take such an erasure for a whole one. */
#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

struct models_erase {
    const char *dir;
    const char *id;     /* NULL: by handle */
    const char *handle; /* NULL: by id */
    bool as_json;
    struct buffer *out; /* borrowed; what goes to stdout */
};

enum status models_erase_run(const struct models_erase *erase, struct error *err);
