/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Configuration as one documented table. The owner of a configuration writes a `.def` file of keys;
 * from it come the members of its struct, the parser, the help and the documented default file.
 * Values come from, in rising order: the defaults, an INI file (inih; this is its only user), the
 * environment (PREFIX_SECTION_KEY), the command line (--section.key=value). An unknown key or a
 * value out of range is an error that names where it stands. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/status.h"

enum config_type {
    CONFIG_INTEGER, /* int64_t member */
    CONFIG_NUMBER,  /* double member */
    CONFIG_FLAG,    /* bool member: on, off, true, false, yes, no, 1, 0 */
    CONFIG_TEXT,    /* const char * member, owned by the arena given to the setters */
    CONFIG_CHOICE,  /* int member: index of one of `choices` */
};

struct config_key {
    const char *section;
    const char *name;
    enum config_type type;
    const char *unit;          /* "ms", "bytes", "" */
    double min, max;           /* INTEGER and NUMBER: the allowed range, both ends included */
    const char *choices;       /* CHOICE: "off|batched|acknowledged" */
    const char *default_value; /* as it would stand in the file */
    const char *help;          /* one or more sentences */
    size_t offset;             /* of the member in the target struct */
};

struct config_table {
    const struct config_key *keys;
    size_t n_keys;
};

enum status config_set_defaults(const struct config_table *table, void *target, struct arena *arena,
                                struct error *err);

/* STATUS_INVALID: "FILE:LINE: section.key: must be ..., got ...". */
enum status config_load_file(const struct config_table *table, const char *path, void *target,
                             struct arena *arena, struct error *err);

/* Hand every key of an INI file to `take`, in order, for what is no fixed table of keys. The first
 * status that is not OK ends it; its message gets "FILE:LINE: " in front. */
typedef enum status (*config_pair_function)(void *user, const char *section, const char *name,
                                            const char *value, struct error *err);
enum status config_each_pair(const char *path, config_pair_function take, void *user,
                             struct error *err);

/* Every variable that starts with `prefix`_ (upper case); an unknown one is an error. */
enum status config_load_environment(const struct config_table *table, const char *prefix,
                                    void *target, struct arena *arena, struct error *err);

/* One command-line word "--section.key=value". STATUS_NOT_FOUND: not of that form, or no such key.
 */
enum status config_set_option(const struct config_table *table, const char *word, void *target,
                              struct arena *arena, struct error *err);

/* One value by "section" and "key"; `place` stands before messages ("" for none). */
enum status config_set(const struct config_table *table, const char *section, const char *name,
                       const char *value, const char *place, void *target, struct arena *arena,
                       struct error *err);

/* The documented file, with the target's values (NULL: the defaults). */
void config_print(const struct config_table *table, const void *target, FILE *out);

/* One line a key, for --help. */
void config_print_help(const struct config_table *table, FILE *out);
