/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/config.h"

#include "base/cleanup.h"

static const struct config_key keys[] = {
#define KEY(section_, name_, type_, unit_, min_, max_, choices_, default_, help_) \
    {.section = #section_,                                                        \
     .name = #name_,                                                              \
     .type = CONFIG_##type_,                                                      \
     .unit = (unit_),                                                             \
     .min = (min_),                                                               \
     .max = (max_),                                                               \
     .choices = (choices_),                                                       \
     .default_value = (default_),                                                 \
     .help = (help_),                                                             \
     .offset = offsetof(struct serve_config, section_##_##name_)},
#include "serve/config.def"
#undef KEY
};

const struct config_table serve_config_table = {.keys = keys, .n_keys = ARRAY_LENGTH(keys)};
