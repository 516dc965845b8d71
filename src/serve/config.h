/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The daemon's configuration: one member a row of config.def, named section_key. */
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"

#define SERVE_MEMBER_INTEGER int64_t
#define SERVE_MEMBER_NUMBER double
#define SERVE_MEMBER_FLAG bool
#define SERVE_MEMBER_TEXT const char *
#define SERVE_MEMBER_CHOICE int

struct serve_config {
#define KEY(section, name, type, unit, min, max, choices, default_, help) \
    SERVE_MEMBER_##type section##_##name;
#include "serve/config.def"
#undef KEY
};

/* log.durability, in the order of its choices in config.def. */
enum durability {
    DURABILITY_OFF,
    DURABILITY_BATCHED,
    DURABILITY_ACKNOWLEDGED,
};

/* log.access, in the order of its choices. */
enum access_format {
    ACCESS_OFF,
    ACCESS_LOGFMT,
    ACCESS_JSON,
};

/* models.canary_by, in the order of its choices. */
enum canary_by {
    CANARY_BY_REQUEST,
    CANARY_BY_CLIENT,
};

extern const struct config_table serve_config_table;
