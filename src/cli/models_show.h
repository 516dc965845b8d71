/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a bundle is and how good, for a terminal: its report in short. Bundles without one are shown
 * by models_print_manifest(). */
#include <stdio.h>

#include "base/json.h"

struct models_show {
    const char *id;
    const struct json *manifest;
    const struct json *report; /* report.json of a schema that this version reads */
    int width;                 /* of the terminal, in characters */
};

void models_show_print(const struct models_show *show, FILE *out);
