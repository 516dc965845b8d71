/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What headers mean: the aliases of schemas.def, and those of the user's *.ini files, which come
 * first:
 *
 *   [table]                      [columns]
 *   name = my-agency             reach in thousands = followers thousands
 *                                kanal = handle
 *
 * A file's columns count only in a table that has all of them. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "dataset/intern.h"
#include "dataset/words.h"
#include "profile/profile.h"

enum schema_role {
    SCHEMA_NONE,     /* not known */
    SCHEMA_FIELD,    /* means `field` */
    SCHEMA_IDENTITY, /* the handle or the display name */
};

struct schema_match {
    enum schema_role role;
    const struct profile_field *field;
    enum schema_unit unit;
    bool is_user_table;
    const char *how; /* "exact", "alias", "similar", or the name of the user's table */
};

struct schema;

/* schema_dir: folder of *.ini files, or NULL. STATUS_INVALID: one of them is wrong; the message
 * names file and line. Everything lives in the arena. */
enum status schema_new(struct arena *arena, const char *schema_dir, struct schema **ret_schema,
                       struct error *err);

/* What one header means by itself. */
struct schema_match schema_match(const struct schema *schema, const char *header);

/* A header one slip of the keyboard away from exactly one field; SCHEMA_NONE otherwise. */
struct schema_match schema_match_similar(const struct schema *schema, const char *header);

/* Match all headers of a table together: aliases, and a user's table when all its columns are
 * there. ret_matches: [n]. */
void schema_match_table(const struct schema *schema, const char *const *headers, size_t n,
                        struct schema_match *ret_matches);

/* The known table with these fields: its name, and for `field` the field it means there. */
struct schema_table {
    const char *name;
    const char *needs;   /* names of fields */
    const char *renames; /* "country=audience_country" */
};
const struct schema_table *schema_find_table(const bool has_field[static PROFILE_N_FIELDS]);

/* The closest alias of `field` to a header, when it is near; else NULL. */
const char *schema_nearest_alias(const struct schema *schema, const struct profile_field *field,
                                 const char *header);
