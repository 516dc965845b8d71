/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_rows.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/log_tensors.h"
#include "dataset/csv.h"

#define MOST_ROWS ((size_t)1 << 24)

const char *const log_question_routes[N_ASKED] = {"/score", "/tier", "/cluster"};

static const char invocations[] = "/invocations";

/* The output of v2, and the column of CSV, that is compared. */
static const char *const outputs[N_ASKED] = {"score", "tier", "cluster_name"};

static bool is_inference(const char *route)
{
    return strcmp(route, "/v2/models/{model}/infer") == 0 ||
           strcmp(route, "/v2/models/{model}/versions/{version}/infer") == 0;
}

static enum log_question question_of(const char *name)
{
    enum log_question question = ASKED_SCORE;
    while (question < N_ASKED && strcmp(log_question_routes[question] + 1, name) != 0)
        question++;
    return question;
}

bool log_rows_is_prediction(const char *route)
{
    return question_of(route + 1) < N_ASKED || is_inference(route) ||
           strcmp(route, invocations) == 0;
}

/* ---- lists of JSON ---- */

/* The values of an array, those of arrays in it in their place; *ret_n: how many. NULL: too many.
 */
static const struct json **leaves_of(const struct json *array, struct arena *arena, size_t *ret_n)
{
    size_t n = 0;
    for (const struct json *item = json_first(array); item; item = json_next(item))
        n += json_type(item) == JSON_ARRAY ? json_count(item) : 1;
    const struct json **leaves = ARENA_ARRAY(arena, const struct json *, n + 1);
    *ret_n = 0;
    for (const struct json *item = json_first(array); leaves && item; item = json_next(item)) {
        bool is_nested = json_type(item) == JSON_ARRAY;
        const struct json *leaf = is_nested ? json_first(item) : item;
        for (; leaf; leaf = is_nested ? json_next(leaf) : NULL)
            leaves[(*ret_n)++] = leaf;
    }
    return leaves;
}

static bool make_table(struct log_rows *rows, size_t n, size_t n_columns)
{
    rows->n = n;
    rows->n_columns = n_columns;
    rows->names = ARENA_ARRAY(rows->arena, const char *, n_columns + 1);
    rows->cells = n < MOST_ROWS && n_columns <= GRID_MAX_COLUMNS
                      ? ARENA_ARRAY(rows->arena, struct log_cell, n * n_columns + 1)
                      : NULL;
    return rows->names && rows->cells;
}

static bool take_objects(struct log_rows *rows, const struct json *array)
{
    rows->n = json_count(array);
    rows->objects = ARENA_ARRAY(rows->arena, const struct json *, rows->n + 1);
    size_t n = 0;
    for (const struct json *item = json_first(array); rows->objects && item; item = json_next(item))
        rows->objects[n++] = item;
    return rows->objects != NULL;
}

static bool add_column(struct log_rows *rows, size_t column, const char *name,
                       const struct json *values)
{
    size_t n = 0;
    const struct json **leaves = leaves_of(values, rows->arena, &n);
    if (!leaves || n != rows->n)
        return false;
    rows->names[column] = name;
    for (size_t i = 0; i < n; i++)
        rows->cells[i * rows->n_columns + column].json = leaves[i];
    return true;
}

static bool take_split(struct log_rows *rows, const struct json *split)
{
    const struct json *columns = json_get(split, "columns");
    const struct json *data = json_get(split, "data");
    size_t column = 0;
    if (!make_table(rows, json_count(data), json_count(columns)))
        return false;
    for (const struct json *item = json_first(columns); item; item = json_next(item))
        rows->names[column++] = json_string_or(item, "");
    struct log_cell *cell = rows->cells;
    for (const struct json *row = json_first(data); row; row = json_next(row)) {
        if (json_count(row) != rows->n_columns)
            return false;
        for (const struct json *item = json_first(row); item; item = json_next(item))
            (cell++)->json = item;
    }
    return true;
}

/* {"followers": [1, 2], "posts": [3, 4]} */
static bool take_columns(struct log_rows *rows, const struct json *object)
{
    size_t column = 0;
    if (!make_table(rows, json_count(json_first(object)), json_count(object)))
        return false;
    for (const struct json *item = json_first(object); item; item = json_next(item))
        if (!add_column(rows, column++, json_key(item), item))
            return false;
    return true;
}

/* ---- the protocols ---- */

static bool read_inference(struct log_rows *rows, const struct log_tensors *asked,
                           const struct log_tensors *answered)
{
    size_t n = 0;
    rows->question = question_of(json_string_or(json_get(answered->json, "model_name"), ""));
    rows->takes_features = true;
    if (rows->question == N_ASKED || asked->n == 0 || !leaves_of(asked->data[0], rows->arena, &n) ||
        !make_table(rows, n, asked->n))
        return false;
    for (size_t i = 0; i < asked->n; i++)
        if (!add_column(rows, i, json_string_or(json_get(asked->tensors[i], "name"), ""),
                        asked->data[i]))
            return false;
    const struct json *values = log_tensors_find(answered, outputs[rows->question]);
    if (values)
        rows->values = leaves_of(values, rows->arena, &n);
    if (n != rows->n)
        rows->values = NULL;
    return true;
}

/* The model stands in the body, in the query, which is not kept beside a body, or is "score": then
 * the answer tells. */
static enum log_question question_of_predictions(const struct log_rows *rows,
                                                 const struct json *input, const struct json *first)
{
    const char *name = json_string_or(json_get(json_get(input, "params"), "model"), NULL);
    if (name)
        return question_of(name);
    if (json_type(first) == JSON_STRING)
        return ASKED_TIER;
    double number = json_number_or(first, NAN);
    const struct clusters *clusters = engine_clusters(rows->engine);
    bool may_be_cluster = number == floor(number) && number >= 0 && clusters &&
                          number < (double)clusters_model(clusters)->k;
    return isnan(number) || may_be_cluster ? N_ASKED : ASKED_SCORE;
}

static bool take_predictions(struct log_rows *rows, const struct json *input,
                             const struct json *output)
{
    size_t n = 0;
    const struct json *predictions = json_get(output, "predictions");
    rows->question = question_of_predictions(rows, input, json_first(predictions));
    /* Archetypes are answered by number. */
    if (rows->question == N_ASKED || rows->question == ASKED_CLUSTER)
        return false;
    rows->values = leaves_of(predictions, rows->arena, &n);
    return rows->values && n == rows->n;
}

static bool read_invocations(struct log_rows *rows, const struct json *input,
                             const struct json *output)
{
    const struct json *split = json_get(input, "dataframe_split");
    const struct json *records = json_get(input, "dataframe_records");
    const struct json *instances = json_get(input, "instances");
    const struct json *inputs = json_get(input, "inputs");
    bool ok = false;
    if (split)
        ok = take_split(rows, split);
    else if (inputs && json_type(inputs) == JSON_OBJECT)
        ok = take_columns(rows, inputs);
    else
        ok = take_objects(rows, records ? records : instances ? instances : inputs);
    return ok && take_predictions(rows, input, output);
}

static bool read_own(struct log_rows *rows, const struct json *input, const struct json *output)
{
    const struct json *predictions = json_get(output, "predictions");
    if (predictions) {
        size_t n = 0;
        rows->answers = leaves_of(predictions, rows->arena, &n);
        return take_objects(rows, json_get(input, "instances")) && rows->answers && n == rows->n;
    }
    rows->n = 1;
    rows->objects = ARENA_ARRAY(rows->arena, const struct json *, 1);
    rows->answers = ARENA_ARRAY(rows->arena, const struct json *, 1);
    if (!rows->objects || !rows->answers)
        return false;
    rows->objects[0] = input;
    rows->answers[0] = output;
    return true;
}

/* ---- CSV ---- */

static void grid_deinit_slot(struct grid *grid)
{
    grid_deinit(grid);
}

/* The text as a grid; of a text without a last line end the last row is not missed. */
static bool read_grid(const char *text, size_t bytes, struct arena *arena, struct grid *grid)
{
    char *whole = arena_alloc(arena, bytes + 1);
    if (!whole)
        return false;
    memcpy(whole, text, bytes);
    whole[bytes] = '\n';
    return csv_read_sample(whole, bytes + 1, (struct csv_dialect){',', '"'}, MOST_ROWS, grid,
                           NULL) == STATUS_OK &&
           grid->n_rows > 0;
}

static const char *cell_of(const struct grid *grid, size_t row, size_t column, struct arena *arena)
{
    return arena_strdup(arena, GRID_CELL_TEXT(grid, &grid->rows[row], column));
}

static bool read_questions(struct log_rows *rows, const struct reqlog_record *record)
{
    AUTO(grid_deinit_slot) struct grid grid = {0};
    if (grid_init(&grid, NULL) != STATUS_OK ||
        !read_grid(record->input, record->input_bytes, rows->arena, &grid) ||
        !make_table(rows, grid.n_rows - 1, grid.rows[0].n_cells))
        return false;
    for (size_t i = 0; i < grid.n_rows; i++)
        for (size_t c = 0; c < rows->n_columns; c++) {
            const char *text = cell_of(&grid, i, c, rows->arena);
            if (!text)
                return false;
            if (i == 0)
                rows->names[c] = text;
            else
                rows->cells[(i - 1) * rows->n_columns + c].text = text;
        }
    return true;
}

/* Rows and answers of the daemon's own CSV, which stand in the same order. */
static bool read_answers(struct log_rows *rows, const struct reqlog_record *record)
{
    AUTO(grid_deinit_slot) struct grid grid = {0};
    if (grid_init(&grid, NULL) != STATUS_OK ||
        !read_grid(record->output, record->output_bytes, rows->arena, &grid) ||
        grid.n_rows - 1 != rows->n)
        return false;
    rows->texts = ARENA_ARRAY(rows->arena, const char *, rows->n + 1);
    rows->complaints = ARENA_ARRAY(rows->arena, const char *, rows->n + 1);
    if (!rows->texts || !rows->complaints)
        return false;
    for (size_t c = 0; c < grid.rows[0].n_cells; c++) {
        const char *name = cell_of(&grid, 0, c, rows->arena);
        const char **into = !name                                        ? NULL
                            : strcmp(name, outputs[rows->question]) == 0 ? rows->texts
                            : strcmp(name, "error") == 0                 ? rows->complaints
                                                                         : NULL;
        for (size_t i = 0; into && i < rows->n; i++)
            into[i] = cell_of(&grid, i + 1, c, rows->arena);
    }
    return true;
}

static bool read_csv(struct log_rows *rows, const struct reqlog_record *record)
{
    if (!read_questions(rows, record))
        return false;
    if (strcmp(record->route, invocations) != 0)
        return read_answers(rows, record);
    const struct json *output = NULL;
    return json_parse(record->output, record->output_bytes, rows->arena, &output, NULL) ==
               STATUS_OK &&
           take_predictions(rows, NULL, output);
}

/* ---- a record ---- */

static bool is_json(const char *text)
{
    return strchr("{[/ \t\r\n", text[0]) != NULL;
}

static bool read_tensors(struct log_rows *rows, const struct reqlog_record *record,
                         enum log_passed *ret_passed)
{
    struct log_tensors asked;
    struct log_tensors answered;
    if (!log_tensors_read(record->input, record->input_bytes, "inputs", rows->arena, &asked) ||
        !log_tensors_read(record->output, record->output_bytes, "outputs", rows->arena, &answered))
        return false;
    *ret_passed = PASSED_PROTOCOL;
    return read_inference(rows, &asked, &answered);
}

static bool read_json(struct log_rows *rows, const struct reqlog_record *record,
                      enum log_passed *ret_passed)
{
    const struct json *input = NULL;
    const struct json *output = NULL;
    bool has_body = record->input[0] != '/';
    bool is_foreign = question_of(record->route + 1) == N_ASKED;
    *ret_passed = PASSED_CUT;
    if (is_inference(record->route))
        return read_tensors(rows, record, ret_passed);
    if (json_parse(record->output, record->output_bytes, rows->arena, &output, NULL) != STATUS_OK ||
        (has_body &&
         json_parse(record->input, record->input_bytes, rows->arena, &input, NULL) != STATUS_OK))
        return false;
    if (is_foreign) {
        *ret_passed = PASSED_PROTOCOL;
        return read_invocations(rows, input, output);
    }
    *ret_passed = json_get(output, "clusters") ? PASSED_LIST : PASSED_CUT;
    return *ret_passed != PASSED_LIST && read_own(rows, input, output);
}

bool log_rows_read(const struct reqlog_record *record, const struct engine *engine,
                   struct arena *arena, struct log_rows *ret_rows, enum log_passed *ret_passed)
{
    *ret_rows = (struct log_rows){
        .question = question_of(record->route + 1), .engine = engine, .arena = arena};
    *ret_passed = PASSED_CUT;
    if (!record->input || !record->output || record->input_bytes == 0 || record->output_bytes == 0)
        return false;
    return is_json(record->input) ? read_json(ret_rows, record, ret_passed)
                                  : read_csv(ret_rows, record);
}
