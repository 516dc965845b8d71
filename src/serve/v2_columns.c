/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/v2_columns.h"

#include <string.h>

#define FINE 8 /* decimals, as in answers.c */

static struct v2_column number(const char *name)
{
    return (struct v2_column){.name = name, .type = TENSOR_FP64, .width = 1};
}

static struct v2_column text(const char *name)
{
    return (struct v2_column){.name = name, .type = TENSOR_BYTES, .width = 1};
}

static struct v2_column matrix(struct v2_column column, size_t width, const char *const *labels)
{
    column.width = width;
    column.labels = labels;
    column.is_matrix = true;
    return column;
}

size_t v2_columns(const struct engine *engine, const struct v2_model *model, size_t k,
                  struct v2_column *ret)
{
    size_t n = 0;
    switch (model->id) {
    case ENGINE_SCORE:
        ret[n++] = number("score");
        ret[n++] = number("interval_low");
        ret[n++] = number("interval_high");
        ret[n++] = number("percentile");
        ret[n++] = number("novelty");
        ret[n++] = number("composite");
        if (engine_has_growth(engine)) {
            ret[n++] = number("growth");
            ret[n++] = number("growth_low");
            ret[n++] = number("growth_high");
        }
        break;
    case ENGINE_TIER: {
        size_t n_tiers = 0;
        const char *const *names = engine_tier_names(engine, &n_tiers);
        ret[n++] = text("tier");
        ret[n++] = matrix(number("probabilities"), n_tiers, names);
        break;
    }
    case ENGINE_CLUSTER: {
        const struct clusters_model *clusters = clusters_model(engine_clusters(engine));
        ret[n++] = (struct v2_column){.name = "cluster", .type = TENSOR_INT64, .width = 1};
        ret[n++] = text("cluster_name");
        ret[n++] = number("distance");
        ret[n++] = matrix(number("membership"), clusters->k, clusters->names);
        break;
    }
    case ENGINE_SIMILAR:
        ret[n++] = matrix(text("handles"), k, NULL);
        ret[n++] = matrix(number("similarity"), k, NULL);
        ret[n++] = matrix(number("distance"), k, NULL);
        break;
    case ENGINE_N_MODELS:
        break;
    }
    return n;
}

enum status v2_columns_allocate(struct v2_column *columns, size_t n_columns, size_t n,
                                struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < n_columns; i++) {
        struct v2_column *column = &columns[i];
        if (column->type == TENSOR_BYTES)
            column->texts = ARENA_ARRAY(arena, const char *, n * column->width);
        else
            column->numbers = ARENA_ARRAY(arena, double, n * column->width);
        if (!column->texts && !column->numbers)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    return STATUS_OK;
}

/* Rows of similar are as wide as k; where fewer pass, an empty handle and zeros fill them up. */
static void fill_similar(struct v2_column *columns, const struct catalogue *catalogue,
                         const struct similar_answer *answer, size_t row)
{
    size_t k = columns[0].width;
    for (size_t i = 0; i < k; i++) {
        bool is_there = i < answer->n;
        columns[0].texts[row * k + i] =
            is_there ? catalogue_handle(catalogue, answer->items[i].row) : "";
        columns[1].numbers[row * k + i] = is_there ? answer->items[i].similarity : 0;
        columns[2].numbers[row * k + i] = is_there ? answer->items[i].distance : 0;
    }
}

void v2_columns_fill(struct v2_column *columns, const struct engine *engine,
                     const struct v2_model *model, const union answer *answer, size_t row)
{
    switch (model->id) {
    case ENGINE_SCORE:
        columns[0].numbers[row] = answer->score.score;
        columns[1].numbers[row] = answer->score.low;
        columns[2].numbers[row] = answer->score.high;
        columns[3].numbers[row] = answer->score.percentile;
        columns[4].numbers[row] = answer->score.novelty;
        columns[5].numbers[row] = answer->score.composite.score;
        if (answer->score.has_growth) {
            columns[6].numbers[row] = answer->score.growth.forecast;
            columns[7].numbers[row] = answer->score.growth.low;
            columns[8].numbers[row] = answer->score.growth.high;
        }
        break;
    case ENGINE_TIER:
        columns[0].texts[row] = answer->tier.names[answer->tier.tier];
        memcpy(columns[1].numbers + row * columns[1].width, answer->tier.probabilities,
               columns[1].width * sizeof(double));
        break;
    case ENGINE_CLUSTER:
        columns[0].numbers[row] = (double)answer->cluster.cluster;
        columns[1].texts[row] = answer->cluster.name;
        columns[2].numbers[row] = answer->cluster.distance;
        memcpy(columns[3].numbers + row * columns[3].width, answer->cluster.membership,
               columns[3].width * sizeof(double));
        break;
    case ENGINE_SIMILAR:
        fill_similar(columns, engine_catalogue(engine), &answer->similar, row);
        break;
    case ENGINE_N_MODELS:
        break;
    }
}

/* ---- writing ---- */

static void put_bytes(struct buffer *binary, const char *value, size_t length)
{
    uint32_t prefix = (uint32_t)length;
    buffer_put(binary, &prefix, sizeof prefix); /* little-endian, as this machine is */
    buffer_put(binary, value, length);
}

static void put_text(const struct v2_column *column, const char *value, struct json_writer *w,
                     struct buffer *binary)
{
    if (column->is_binary)
        put_bytes(binary, value, strlen(value));
    else
        json_put_string(w, value);
}

static void put_number(const struct v2_column *column, double value, struct json_writer *w,
                       struct buffer *binary)
{
    /* What may be missing (NaN) is FP64. */
    int64_t whole = column->type == TENSOR_INT64 ? (int64_t)value : 0;
    if (column->is_binary && column->type == TENSOR_INT64)
        buffer_put(binary, &whole, sizeof whole);
    else if (column->is_binary)
        buffer_put(binary, &value, sizeof value);
    else if (column->type == TENSOR_INT64)
        json_put_integer(w, whole);
    else
        json_put_fixed(w, value, FINE);
}

/* The `top` largest of a row, largest first, as "value:index:label". */
static void put_classes(const struct v2_column *column, const double *values, bool *taken,
                        struct json_writer *w, struct buffer *binary)
{
    memset(taken, 0, column->width);
    for (size_t i = 0; i < column->top; i++) {
        size_t best = column->width;
        for (size_t c = 0; c < column->width; c++)
            if (!taken[c] && (best == column->width || values[c] > values[best]))
                best = c;
        taken[best] = true;
        char value[TEXT_NUMBER_BYTES];
        text_format_number(values[best], value);
        char class[512];
        snprintf(class, sizeof class, "%s:%zu:%s", value, best, column->labels[best]);
        put_text(column, class, w, binary);
    }
}

static void put_values(const struct v2_column *column, size_t n, bool *taken, struct json_writer *w,
                       struct buffer *binary)
{
    for (size_t row = 0; column->top > 0 && row < n; row++)
        put_classes(column, column->numbers + row * column->width, taken, w, binary);
    if (column->top > 0)
        return;
    for (size_t i = 0; i < n * column->width; i++) {
        if (column->texts)
            put_text(column, column->texts[i], w, binary);
        else
            put_number(column, column->numbers[i], w, binary);
    }
}

static void put_head(const struct v2_column *column, int64_t n, struct json_writer *w)
{
    bool is_class = column->top > 0;
    json_member_string(w, "name", column->name);
    json_member_string(w, "datatype", tensor_type_name(is_class ? TENSOR_BYTES : column->type));
    json_put_key(w, "shape");
    json_begin_array(w);
    json_put_integer(w, n);
    if (column->is_matrix)
        json_put_integer(w, (int64_t)(is_class ? column->top : column->width));
    json_end_array(w);
}

void v2_column_write(const struct v2_column *column, size_t n, struct arena *arena,
                     struct json_writer *w, struct buffer *binary)
{
    bool *taken = arena_zalloc(arena, column->width + 1);
    if (!taken) {
        w->out->failed = true;
        return;
    }
    json_begin_object(w);
    put_head(column, (int64_t)n, w);
    if (column->is_binary) {
        size_t before = binary->length;
        put_values(column, n, taken, w, binary);
        json_put_key(w, "parameters");
        json_begin_object(w);
        json_member_integer(w, "binary_data_size", (int64_t)(binary->length - before));
        json_end_object(w);
    } else {
        json_put_key(w, "data");
        json_begin_array(w);
        put_values(column, n, taken, w, binary);
        json_end_array(w);
    }
    json_end_object(w);
}

void v2_column_describe(const struct v2_column *column, struct json_writer *w)
{
    json_begin_object(w);
    put_head(column, -1, w);
    json_end_object(w);
}
