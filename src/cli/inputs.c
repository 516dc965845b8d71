/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inputs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "database/database.h"
#include "dataset/fetch.h"

/* Reading a query again after a lost connection is safe: it only reads. */
#define READ_ATTEMPTS 3

struct list {
    struct inputs *inputs;
    const char **files;
    size_t capacity;
    const struct inputs_queries *queries;
    size_t n_databases;
};

void inputs_free(struct inputs *inputs)
{
    if (!inputs)
        return;
    for (size_t i = 0; i < inputs->n_spools; i++)
        close(inputs->spools[i]);
    inputs_free(inputs->posts);
    inputs_free(inputs->edges);
    arena_deinit(&inputs->memory);
    free(inputs);
}

/* The length of the name without "@YYYY-MM" at its end. */
static size_t without_month(const char *text)
{
    static const char form[] = "@0000-00";
    size_t length = strlen(text);
    size_t suffix = sizeof form - 1;
    if (length <= suffix)
        return length;
    const char *at = text + length - suffix;
    for (size_t i = 0; i < suffix; i++)
        if (form[i] == '0' ? at[i] < '0' || at[i] > '9' : at[i] != form[i])
            return length;
    return length - suffix;
}

static enum status add(struct list *list, const char *file, struct error *err)
{
    if (!list->files || list->inputs->n_files == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        const char **files = ARENA_ARRAY(&list->inputs->memory, const char *, capacity);
        if (!files)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        if (list->files)
            memcpy(files, list->files, list->capacity * sizeof *files);
        list->files = files;
        list->capacity = capacity;
    }
    list->files[list->inputs->n_files++] = file;
    list->inputs->files = list->files;
    return STATUS_OK;
}

static enum status expand(struct list *list, const char *argument, struct error *err)
{
    struct arena *memory = &list->inputs->memory;
    size_t length = without_month(argument);
    const char *name = arena_strndup(memory, argument, length);
    if (!name)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct fetch_options options = {
        .data_dir = getenv("INFLUENCE_DATA"),
        .progress = command_progress(),
        .cancel = interrupt_flag(),
    };
    AUTO(fetched_free_slot) struct fetched *fetched = NULL;
    TRY(fetch_resolve(name, &options, &fetched, err));
    if (fetched->n_tables > 1)
        log_info("%s: has %zu tables, all are taken", name, fetched->n_tables);
    for (size_t i = 0; i < fetched->n_tables; i++) {
        const char *file = arena_printf(memory, "%s%s", fetched->tables[i], argument + length);
        if (!file)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        TRY(add(list, file, err));
    }
    return STATUS_OK;
}

/* ---- databases ---- */

void inputs_add_query(struct inputs_queries *queries, const char *text)
{
    if (queries->n < INPUTS_MAX_QUERIES)
        queries->text[queries->n] = text;
    queries->n++;
}

static const char *spool_folder(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

/* A file without a name, which goes with the process, however that ends. */
static enum status open_spool(struct inputs *inputs, FILE **ret_file, struct error *err)
{
    const char *dir = spool_folder();
    char *path = arena_printf(&inputs->memory, "%s/influence-XXXXXX", dir);
    if (!path)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (inputs->n_spools == INPUTS_MAX_DATABASES)
        return fail(err, STATUS_LIMIT, "at most %d databases are taken", INPUTS_MAX_DATABASES);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "%s: the rows of a query cannot be kept there (TMPDIR)", dir);
    unlink(path);
    inputs->spools[inputs->n_spools++] = fd;
    int other = dup(fd);
    FILE *file = other < 0 ? NULL : fdopen(other, "w");
    if (!file && other >= 0)
        close(other);
    if (!file)
        return fail_errno(err, "%s", dir);
    *ret_file = file;
    return STATUS_OK;
}

static enum status read_once(const char *uri, const char *query, FILE *out, bool *is_connected,
                             struct error *err)
{
    struct database_options options = {.cancel = interrupt_flag()};
    AUTO(database_close_slot) struct database *database = NULL;
    *is_connected = false;
    TRY(database_open(uri, &options, &database, err));
    *is_connected = true;
    uint64_t n_rows;
    TRY(database_read(database, query, out, &n_rows, err));
    return STATUS_OK;
}

/* A query's rows on the way to the file; errors of the disk name its place. */
static enum status read_attempts(const char *uri, const char *query, FILE *out, struct error *err)
{
    enum status status;
    for (int attempt = 1;; attempt++) {
        bool is_connected;
        status = read_once(uri, query, out, &is_connected, err);
        if (ferror(out))
            fail_prefix(err, status, "%s (TMPDIR)", spool_folder());
        /* Only what was lost on the way is tried again: connecting has had its own attempts. */
        if (status != STATUS_UNAVAILABLE || !is_connected)
            return status;
        if (attempt == READ_ATTEMPTS)
            return fail_prefix(err, status, "lost %d times on the way", attempt);
        log_warning("%s; reading again", err->message);
        if (fseek(out, 0, SEEK_SET) != 0 || ftruncate(fileno(out), 0) != 0)
            return fail_errno(err, "%s", spool_folder());
    }
}

/* All rows of a query into a file. */
static enum status spool_query(struct inputs *inputs, const char *uri, const char *query,
                               struct error *err)
{
    AUTO(fclose_slot) FILE *out = NULL;
    TRY(open_spool(inputs, &out, err));
    TRY(read_attempts(uri, query, out, err));
    return fclose(STEAL(out)) == 0 ? STATUS_OK : fail_errno(err, "%s (TMPDIR)", spool_folder());
}

static const char *option_of(const struct inputs_queries *queries)
{
    return queries && queries->option ? queries->option : "--query";
}

/* The query of the next database: one for each, or one for all. */
static enum status next_query(struct list *list, const char *name, const char **ret_query,
                              struct error *err)
{
    const struct inputs_queries *queries = list->queries;
    size_t i = queries && queries->n == 1 ? 0 : list->n_databases;
    if (!queries || i >= queries->n)
        return fail(err, STATUS_INVALID, "%s: a database needs a %s \"SELECT ...\"", name,
                    option_of(queries));
    *ret_query = queries->text[i];
    list->n_databases++;
    return STATUS_OK;
}

static enum status expand_database(struct list *list, const char *argument, struct error *err)
{
    struct inputs *inputs = list->inputs;
    size_t length = without_month(argument);
    const char *uri = arena_strndup(&inputs->memory, argument, length);
    if (!uri)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    char name[DATABASE_NAME_BYTES];
    database_name(uri, name);
    const char *query = NULL;
    TRY(next_query(list, name, &query, err));
    progress_show(command_progress(), "reading the database", -1);
    TRY(spool_query(inputs, uri, query, err));
    char number[32] = "";
    if (list->n_databases > 1)
        snprintf(number, sizeof number, "-%zu", list->n_databases);
    /* Messages and reports call it by its database, without who reads that. */
    const char *file =
        arena_printf(&inputs->memory, "/proc/self/fd/%d" IMPORT_NAMED "%s%s%s",
                     inputs->spools[inputs->n_spools - 1], name, number, argument + length);
    return file ? add(list, file, err) : fail(err, STATUS_NO_MEMORY, "out of memory");
}

enum status inputs_expand(char *const *arguments, size_t n_arguments,
                          const struct inputs_queries *queries, struct inputs **ret_inputs,
                          struct error *err)
{
    if (queries && queries->n > INPUTS_MAX_QUERIES)
        return fail(err, STATUS_LIMIT, "%s: at most %d are taken", option_of(queries),
                    INPUTS_MAX_QUERIES);
    AUTO(inputs_free_slot) struct inputs *inputs = calloc(1, sizeof *inputs);
    if (!inputs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    arena_init(&inputs->memory, 4096);
    struct list list = {.inputs = inputs, .queries = queries};
    for (size_t i = 0; i < n_arguments; i++) {
        if (database_is_uri(arguments[i]))
            TRY(expand_database(&list, arguments[i], err));
        else if (fetch_is_remote(arguments[i]))
            TRY(expand(&list, arguments[i], err));
        else
            TRY(add(&list, arguments[i], err));
    }
    if (queries && queries->n > 1 && queries->n != list.n_databases)
        return fail(err, STATUS_INVALID, "%zu %s for %zu postgresql:// sources", queries->n,
                    option_of(queries), list.n_databases);
    if (queries && queries->n == 1 && list.n_databases == 0)
        return fail(err, STATUS_INVALID, "%s needs a postgresql:// source", option_of(queries));
    /* From here on nobody looks at the flag: a signal ends the command at once, as it is usual. */
    if (interrupt_end())
        return fail(err, STATUS_CANCELLED, "stopped on request");
    *ret_inputs = STEAL(inputs);
    return STATUS_OK;
}

/* ---- posts and edges ---- */

bool inputs_take_join(int option, char *value, struct inputs_joined *joined)
{
    if (option == INPUTS_POSTS && joined->n_posts++ < INPUTS_MAX_JOINED)
        joined->posts[joined->n_posts - 1] = value;
    if (option == INPUTS_EDGES && joined->n_edges++ < INPUTS_MAX_JOINED)
        joined->edges[joined->n_edges - 1] = value;
    if (option == INPUTS_POSTS_QUERY)
        inputs_add_query(&joined->posts_queries, value);
    if (option == INPUTS_EDGES_QUERY)
        inputs_add_query(&joined->edges_queries, value);
    return option >= INPUTS_POSTS && option <= INPUTS_EDGES_QUERY;
}

enum status inputs_join(const struct inputs_joined *joined, struct inputs *inputs,
                        struct import_joins *ret_joins, struct error *err)
{
    struct inputs_queries posts = joined->posts_queries;
    struct inputs_queries edges = joined->edges_queries;
    posts.option = "--posts-query";
    edges.option = "--edges-query";
    if (joined->n_posts > INPUTS_MAX_JOINED || joined->n_edges > INPUTS_MAX_JOINED)
        return fail(err, STATUS_LIMIT, "--posts, --edges: at most %d are taken", INPUTS_MAX_JOINED);
    TRY(inputs_expand(joined->posts, joined->n_posts, &posts, &inputs->posts, err));
    TRY(inputs_expand(joined->edges, joined->n_edges, &edges, &inputs->edges, err));
    *ret_joins = (struct import_joins){
        .posts = inputs->posts->files,
        .n_posts = inputs->posts->n_files,
        .edges = inputs->edges->files,
        .n_edges = inputs->edges->n_files,
        .progress = command_progress(),
    };
    return STATUS_OK;
}

const char *inputs_schema_dir(void)
{
    static const char dir[] = "config/schemas";
    return file_exists(dir) ? dir : NULL;
}
