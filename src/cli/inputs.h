/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The tables that a command is given. An argument is
 *
 *   FILE[@YYYY-MM]                    a file, as import_files() takes it
 *   kaggle:OWNER/DATASET[/FILE][@YYYY-MM], https://...[@YYYY-MM]
 *                                     a data set: downloaded into ./data unless it is there
 *   postgresql://HOST/DATABASE[@YYYY-MM]
 *                                     the rows of a query (--query), by way of a file in $TMPDIR
 *                                     that has no name, so that nothing can leave it behind;
 *                                     for --posts --posts-query, for --edges --edges-query
 *
 * and a data set with several tables becomes several files. The folder is $INFLUENCE_DATA where
 * that is set. Commands call inputs_expand() with their remaining argv and hand files and n_files
 * on. */
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/status.h"
#include "dataset/import.h"

#define INPUTS_MAX_DATABASES 32

struct inputs {
    struct arena memory;
    const char *const *files; /* [n_files]; in the memory, or the argument itself */
    size_t n_files;
    int spools[INPUTS_MAX_DATABASES]; /* files of what came out of databases; owned */
    size_t n_spools;
    struct inputs *posts, *edges; /* of inputs_join(); owned */
};

/* The values of --query, in the order of the databases that they belong to. One for all is fine. */
#define INPUTS_MAX_QUERIES INPUTS_MAX_DATABASES
struct inputs_queries {
    const char *text[INPUTS_MAX_QUERIES];
    size_t n;
    const char *option; /* what they came by; NULL: --query */
};

/* The values of --posts and --edges, which may be given several times. */
#define INPUTS_MAX_JOINED 64
struct inputs_joined {
    char *posts[INPUTS_MAX_JOINED];
    size_t n_posts;
    char *edges[INPUTS_MAX_JOINED];
    size_t n_edges;
    struct inputs_queries posts_queries, edges_queries;
};

/* Rows of a command's table of options. */
enum {
    INPUTS_POSTS = 1000,
    INPUTS_EDGES,
    INPUTS_POSTS_QUERY,
    INPUTS_EDGES_QUERY
};
/* clang-format off */
#define INPUTS_JOIN_OPTIONS \
    {"posts", required_argument, NULL, INPUTS_POSTS}, {"edges", required_argument, NULL, INPUTS_EDGES}, \
    {"posts-query", required_argument, NULL, INPUTS_POSTS_QUERY}, \
    {"edges-query", required_argument, NULL, INPUTS_EDGES_QUERY}
/* clang-format on */

/* Take the value of one of these options; false: it is another one. More than the maximum are
 * counted, and refused by inputs_join(). */
bool inputs_take_join(int option, char *value, struct inputs_joined *joined);

/* Expand the values as inputs_expand() does files; *ret_joins borrows from the inputs. */
enum status inputs_join(const struct inputs_joined *joined, struct inputs *inputs,
                        struct import_joins *ret_joins, struct error *err);

/* More than the maximum are counted, and refused by inputs_expand(). */
void inputs_add_query(struct inputs_queries *queries, const char *text);

void inputs_free(struct inputs *inputs);

DEFINE_SLOT(inputs_free, struct inputs)

/* Statuses of fetch_resolve(), database_open() and database_read(). No arguments is fine: no files.
 * queries: NULL when the command has none. STATUS_INVALID: a database without a query, or queries
 * without a database. */
enum status inputs_expand(char *const *arguments, size_t n_arguments,
                          const struct inputs_queries *queries, struct inputs **ret_inputs,
                          struct error *err);

/* The folder of the user's own schemas, config/schemas, where it exists; else NULL. */
const char *inputs_schema_dir(void);
