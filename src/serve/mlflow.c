/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/mlflow.h"

#include <math.h>
#include <string.h>

#include "profile/from_json.h"
#include "profile/parse.h"
#include "serve/csv.h"
#include "serve/models.h"
#include "serve/request.h"
#include "serve/service.h"
#include "serve/v2.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define FINE 8 /* decimals, as in answers.c */

#define TURN_ROWS 4 /* after so many it looks at the clock */

struct table;

/* The next row. STATUS_NOT_FOUND without a message: there is none. */
typedef enum status (*next_row)(struct table *table, struct profile *ret_profile,
                                struct error *err);

/* One request on its way, over several turns: rows come in one by one and go out as predictions. */
struct table {
    struct request *request;
    next_row next;
    const struct json *item; /* the next record, or row of dataframe_split */
    size_t n_left;           /* rows of inputs in columns */
    struct csv_reader reader;
    struct csv_record *record;
    const struct v2_model *model;
    struct codec_options options;
    struct asker asker;
    struct json_writer w;
    size_t n_rows;
    /* dataframe_split and inputs: the fields of the columns; NULL: a column that is none. */
    const struct profile_field **columns;
    const struct own_column **own; /* the same of columns of the training table's own */
    struct profile_extra *room;
    const struct json **cells;
    size_t n_columns;
};

/* ---- one row ---- */

static void write_answer(struct table *table, const union answer *answer)
{
    struct json_writer *w = &table->w;
    const struct catalogue *catalogue = engine_catalogue(table->asker.engine);
    switch (table->model->id) {
    case ENGINE_SCORE:
        json_put_fixed(w, answer->score.score, FINE);
        break;
    case ENGINE_TIER:
        json_put_string(w, answer->tier.names[answer->tier.tier]);
        break;
    case ENGINE_CLUSTER:
        json_put_integer(w, (int64_t)answer->cluster.cluster);
        break;
    case ENGINE_SIMILAR:
        json_begin_array(w);
        for (size_t i = 0; i < answer->similar.n; i++)
            json_put_string(w, catalogue_handle(catalogue, answer->similar.items[i].row));
        json_end_array(w);
        break;
    case ENGINE_N_MODELS:
        break;
    }
}

static enum status answer_row(struct table *table, struct profile *profile, struct error *err)
{
    size_t most = (size_t)table->request->service->config->predict_max_instances;
    struct error problem = {0};
    union answer answer;
    if (table->n_rows == most)
        return fail(err, STATUS_LIMIT, "at most %zu rows are taken", most);
    enum status status =
        answer_profile(&table->asker, table->model->kind, profile, &answer, &problem);
    if (status != STATUS_OK)
        return fail(err, status, "row %zu: %s", table->n_rows, problem.message);
    write_answer(table, &answer);
    table->n_rows++;
    return STATUS_OK;
}

/* ---- tables ---- */

/* Own values of one row; a row is answered before the next is read. */
static struct own_values own_of(const struct table *table)
{
    return own_values_at(table->asker.engine, table->asker.arena, table->room, 0);
}

static enum status next_record(struct table *table, struct profile *ret_profile, struct error *err)
{
    struct error problem = {0};
    struct unknown_names unknown = {0};
    struct own_values own = own_of(table);
    if (!table->item)
        return STATUS_NOT_FOUND;
    if (codec_read_profile(table->item, false, &own, ret_profile, &unknown, &problem) != STATUS_OK)
        return fail(err, STATUS_INVALID, "row %zu: %s", table->n_rows, problem.message);
    table->item = json_next(table->item);
    return STATUS_OK;
}

static enum status begin_records(struct table *table, const struct json *records, struct error *err)
{
    if (json_type(records) != JSON_ARRAY)
        return fail(err, STATUS_INVALID, "the records must be an array");
    table->item = json_first(records);
    table->next = next_record;
    return STATUS_OK;
}

static enum status make_columns(struct table *table, size_t n, struct error *err)
{
    struct arena *arena = &table->request->arena;
    table->columns = ARENA_ARRAY(arena, const struct profile_field *, n + 1);
    table->cells = ARENA_ARRAY(arena, const struct json *, n + 1);
    table->own = ARENA_ARRAY(arena, const struct own_column *, n + 1);
    return table->columns && table->cells && table->own
               ? STATUS_OK
               : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status add_column(struct table *table, const char *name, struct error *err)
{
    const struct profile_field *field = profile_field_find(name, strlen(name));
    for (size_t i = 0; field && i < table->n_columns; i++)
        if (table->columns[i] == field)
            return fail(err, STATUS_INVALID, "the column %s stands twice", name);
    const struct own_columns *own = engine_own_columns(table->asker.engine);
    table->own[table->n_columns] = field ? NULL : own_columns_find(own, name);
    table->columns[table->n_columns++] = field;
    return STATUS_OK;
}

/* The row that stands in table->cells. */
static enum status read_cells(const struct table *table, struct profile *ret_profile,
                              struct error *err)
{
    struct error problem = {0};
    profile_init(ret_profile);
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i] && profile_field_from_json(table->columns[i], table->cells[i],
                                                         ret_profile, &problem) != STATUS_OK)
            return fail(err, STATUS_INVALID, "row %zu: %s", table->n_rows, problem.message);
    struct own_values own = own_of(table);
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->own[i] &&
            own_values_take_json(&own, table->own[i], table->cells[i], &problem) != STATUS_OK)
            return fail(err, STATUS_INVALID, "row %zu: %s", table->n_rows, problem.message);
    own_values_give(&own, ret_profile);
    return STATUS_OK;
}

static enum status next_split(struct table *table, struct profile *ret_profile, struct error *err)
{
    if (!table->item)
        return STATUS_NOT_FOUND;
    const struct json *cell = json_type(table->item) == JSON_ARRAY ? json_first(table->item) : NULL;
    size_t n = 0;
    for (; cell && n < table->n_columns; cell = json_next(cell))
        table->cells[n++] = cell;
    if (cell || n < table->n_columns)
        return fail(err, STATUS_INVALID, "row %zu: must have as many values as columns",
                    table->n_rows);
    table->item = json_next(table->item);
    return read_cells(table, ret_profile, err);
}

static enum status begin_split(struct table *table, const struct json *split, struct error *err)
{
    const struct json *columns = json_get(split, "columns");
    const struct json *data = json_get(split, "data");
    if (json_type(columns) != JSON_ARRAY || json_type(data) != JSON_ARRAY)
        return fail(err, STATUS_INVALID, "dataframe_split must have columns and data");
    TRY(make_columns(table, json_count(columns), err));
    for (const struct json *item = json_first(columns); item; item = json_next(item))
        TRY(add_column(table, json_string_or(item, ""), err));
    table->item = json_first(data);
    table->next = next_split;
    return STATUS_OK;
}

static enum status next_of_columns(struct table *table, struct profile *ret_profile,
                                   struct error *err)
{
    if (table->n_left == 0)
        return STATUS_NOT_FOUND;
    TRY(read_cells(table, ret_profile, err));
    for (size_t i = 0; i < table->n_columns; i++)
        table->cells[i] = json_next(table->cells[i]);
    table->n_left--;
    return STATUS_OK;
}

/* {"followers": [1, 2], "posts": [3, 4]}: each name with its column. */
static enum status begin_columns(struct table *table, const struct json *object, struct error *err)
{
    size_t n_rows = SIZE_MAX;
    TRY(make_columns(table, json_count(object), err));
    for (const struct json *item = json_first(object); item; item = json_next(item)) {
        size_t n = json_type(item) == JSON_ARRAY ? json_count(item) : 0;
        if (n == 0 || (n_rows != SIZE_MAX && n != n_rows))
            return fail(err, STATUS_INVALID, "inputs must be arrays of one length");
        n_rows = n;
        table->cells[table->n_columns] = json_first(item);
        TRY(add_column(table, json_key(item), err));
    }
    table->n_left = n_rows == SIZE_MAX ? 0 : n_rows;
    table->next = next_of_columns;
    return STATUS_OK;
}

static enum status begin_json(struct table *table, const struct json *body, struct error *err)
{
    const struct json *split = json_get(body, "dataframe_split");
    const struct json *records = json_get(body, "dataframe_records");
    const struct json *instances = json_get(body, "instances");
    const struct json *inputs = json_get(body, "inputs");
    if (!!split + !!records + !!instances + !!inputs != 1)
        return fail(err, STATUS_INVALID,
                    "the body must have one of dataframe_split, dataframe_records, instances and "
                    "inputs");
    if (split)
        return begin_split(table, split, err);
    if (inputs && json_type(inputs) == JSON_OBJECT)
        return begin_columns(table, inputs, err);
    return begin_records(table, records ? records : instances ? instances : inputs, err);
}

static enum status next_csv(struct table *table, struct profile *ret_profile, struct error *err)
{
    const struct csv_record *record = table->record;
    struct error problem = {0};
    TRY(csv_next(&table->reader, table->record, err));
    profile_init(ret_profile);
    if (record->n != table->n_columns)
        return fail(err, STATUS_INVALID, "line %zu: %zu fields, the header has %zu", record->line,
                    record->n, table->n_columns);
    for (size_t i = 0; i < record->n; i++)
        if (table->columns[i] && record->field[i][0] &&
            parse_field(table->columns[i], record->field[i], strlen(record->field[i]), ret_profile,
                        &problem) != STATUS_OK)
            return fail(err, STATUS_INVALID, "line %zu: %s", record->line, problem.message);
    struct own_values own = own_of(table);
    for (size_t i = 0; i < record->n; i++)
        if (table->own[i])
            own_values_take_text(&own, table->own[i], record->field[i]);
    own_values_give(&own, ret_profile);
    return STATUS_OK;
}

static enum status begin_csv(struct table *table, struct error *err)
{
    struct request *request = table->request;
    size_t length = request->body.length;
    char *text = arena_strndup(&request->arena, length > 0 ? request->body.at : "", length);
    struct csv_record *record = ARENA_NEW(&request->arena, struct csv_record);
    if (!text || !record)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!text_is_utf8(text, length))
        return fail(err, STATUS_INVALID, "the body is not UTF-8");
    table->reader = csv_reader(text, length);
    table->record = record;
    table->next = next_csv;
    enum status status = csv_next(&table->reader, record, err);
    if (status == STATUS_NOT_FOUND)
        return fail(err, STATUS_INVALID, "the body is empty; a header and rows are needed");
    TRY(status);
    TRY(make_columns(table, record->n, err));
    for (size_t i = 0; i < record->n; i++)
        TRY(add_column(table, record->field[i], err));
    return STATUS_OK;
}

/* ---- the request ---- */

static enum status choose_model(struct table *table, const struct json *params, struct error *err)
{
    const char *name = request_parameter(table->request, "model");
    name = json_string_or(json_get(params, "model"), name ? name : "score");
    table->model = v2_find(name, strlen(name));
    if (!table->model)
        return fail(err, STATUS_INVALID, "model must be score, tier, cluster or similar");
    double k = json_number_or(json_get(params, "k"), (double)table->options.similar.k);
    if (!(k >= 1 && k <= SIMILAR_MAX_K) || k != floor(k))
        return fail(err, STATUS_INVALID, "k must be a whole number between 1 and %d",
                    SIMILAR_MAX_K);
    table->options.similar.k = (size_t)k;
    return v2_check_loaded(table->request, table->model->id, err);
}

static enum status begin(struct table *table, struct error *err)
{
    struct request *request = table->request;
    const char *type = request->head.content_type;
    bool is_utf8;
    bool is_csv = type && http_type_is(type, HTTP_CSV, &is_utf8);
    const struct json *body = NULL;
    codec_options_init(&table->options, CODEC_NEIGHBOURS);
    if (!is_csv)
        TRY(codec_read_body(request, request->body.length, &body, err));
    if (request->unfinished)
        return STATUS_OK;
    TRY(choose_model(table, json_get(body, "params"), err));
    TRY(answer_asker(request, &table->options, &table->asker, err));
    TRY(own_values_room(table->asker.engine, 1, &request->arena, &table->room, err));
    table->w = json_writer(&request->reply);
    json_begin_object(&table->w);
    json_put_key(&table->w, "predictions");
    json_begin_array(&table->w);
    return is_csv ? begin_csv(table, err) : begin_json(table, body, err);
}

/* As many rows as the turn has time for. */
static enum status answer_rows(struct table *table, struct error *err)
{
    for (;;) {
        struct profile profile;
        enum status status = table->next(table, &profile, err);
        if (status == STATUS_NOT_FOUND)
            return STATUS_OK;
        TRY(status);
        TRY(answer_row(table, &profile, err));
        if (table->n_rows % TURN_ROWS == 0 && turn_is_over(table->request)) {
            table->request->unfinished = true;
            return STATUS_OK;
        }
    }
}

enum status handle_invocations(struct request *request, struct error *err)
{
    struct table *table = request->work;
    if (!table) {
        request->work = table = ARENA_NEW(&request->arena, struct table);
        if (!table)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        table->request = request;
    }
    if (!table->next)
        TRY(begin(table, err));
    if (request->unfinished)
        return STATUS_OK;
    TRY(answer_rows(table, err));
    if (request->unfinished)
        return STATUS_OK;
    json_end_array(&table->w);
    json_end_object(&table->w);
    request_add_header(request, "X-Model", engine_version(table->asker.engine));
    return STATUS_OK;
}

enum status handle_ping(struct request *request, struct error *err)
{
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    if (!request->model)
        return fail(err, STATUS_UNAVAILABLE, "no model is loaded");
    request->content_type = TEXT_PLAIN;
    buffer_put_char(&request->reply, '\n');
    return STATUS_OK;
}

enum status handle_version(struct request *request, struct error *err)
{
    (void)err;
    request->content_type = TEXT_PLAIN;
    buffer_put_text(&request->reply, INFLUENCE_VERSION "\n");
    return STATUS_OK;
}
