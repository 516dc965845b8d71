/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "profile/extra.h"
#include "profile/parse.h"
#include "serve/router.h"
#include "serve/service.h"
#include "serve/v2_columns.h"

#define MAX_INPUTS 256
#define TURN_ROWS 4 /* after so many it looks at the clock */
#define OCTETS "application/octet-stream"
#define MAX_FEATURE 1e12 /* either side of 0: the engine squares floats and adds them up */

/* An input tensor, and what of a profile it fills. */
struct input {
    struct tensor tensor;
    const struct profile_field *field; /* NULL: a column of the training table's own, */
    const struct own_column *own;      /* or, NULL too, a feature, whose name this is: */
    const char *feature;               /* "=ln_followers", see FEATURE_GIVEN */
};

/* One request on its way, over several turns. */
struct inference {
    struct request *request;
    const struct v2_model *model;
    struct asker asker;
    struct codec_options options;
    struct tensor_stream stream; /* what follows the JSON */
    const struct json *body;
    struct input *inputs; /* [n_inputs] */
    size_t n_inputs, n_features;
    size_t n_rows, n_answered;
    struct profile_extra *extras; /* of one row; NULL: the request was not read yet */
    uint64_t start_ns;
    struct v2_column columns[V2_MAX_COLUMNS];
    size_t n_columns;
};

/* ---- the request ---- */

static enum status parse_body(struct inference *inference, struct error *err)
{
    struct request *request = inference->request;
    size_t length = request->body.length;
    const char *text = request->body.at ? request->body.at : "";
    const char *said = request->head.inference_header_length;
    if (said) {
        int64_t bytes = -1;
        if (!text_parse_integer(said, strlen(said), &bytes) || bytes < 0 || (size_t)bytes > length)
            return fail(err, STATUS_INVALID,
                        "Inference-Header-Content-Length must be at most the body's length");
        inference->stream.at = (const unsigned char *)text + bytes;
        inference->stream.end = (const unsigned char *)text + length;
        length = (size_t)bytes;
    } else {
        inference->stream.at = inference->stream.end = (const unsigned char *)text + length;
    }
    TRY(codec_read_body(request, length, &inference->body, err));
    if (!request->unfinished && json_type(inference->body) != JSON_OBJECT)
        return fail(err, STATUS_INVALID, "the body must be an object");
    return STATUS_OK;
}

/* A field of the profile or a feature that the model reads. */
static enum status find_target(const struct inference *inference, struct input *input,
                               struct error *err)
{
    const char *name = input->tensor.name;
    input->field = profile_field_find(name, strlen(name));
    if (input->field)
        return STATUS_OK;
    input->own = own_columns_find(engine_own_columns(inference->asker.engine), name);
    if (input->own)
        return STATUS_OK;
    const struct feature_spec *spec = engine_spec(inference->asker.engine, inference->model->id);
    for (size_t i = 0; spec && i < spec->n_columns; i++)
        if (spec->columns[i].feature != FEATURE_N && strcmp(spec->columns[i].name, name) == 0) {
            if (input->tensor.type == TENSOR_BYTES)
                return fail(err, STATUS_INVALID, "input '%s': a feature is a number", name);
            input->feature = arena_printf(inference->asker.arena, "%c%s", FEATURE_GIVEN, name);
            return input->feature ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
        }
    return fail(err, STATUS_INVALID, "input '%.64s': neither a field nor a feature of the model",
                name);
}

static enum status check_twice(const struct inference *inference, const char *name,
                               struct error *err)
{
    for (size_t i = 0; i < inference->n_inputs; i++)
        if (strcmp(inference->inputs[i].tensor.name, name) == 0)
            return fail(err, STATUS_INVALID, "input '%s': stands twice", name);
    return STATUS_OK;
}

static enum status read_inputs(struct inference *inference, struct error *err)
{
    struct request *request = inference->request;
    const struct json *inputs = json_get(inference->body, "inputs");
    size_t n = json_type(inputs) == JSON_ARRAY ? json_count(inputs) : 0;
    if (n == 0 || n > MAX_INPUTS)
        return fail(err, STATUS_INVALID, "inputs must be an array of 1 to %d tensors", MAX_INPUTS);
    inference->inputs = ARENA_ARRAY(&request->arena, struct input, n);
    if (!inference->inputs)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t max_rows = (size_t)request->service->config->predict_max_instances;
    for (const struct json *item = json_first(inputs); item; item = json_next(item)) {
        struct input *input = &inference->inputs[inference->n_inputs];
        TRY(tensor_read(item, max_rows, &inference->stream, &request->arena, &input->tensor, err));
        TRY(check_twice(inference, input->tensor.name, err));
        TRY(find_target(inference, input, err));
        if (inference->n_inputs++ == 0)
            inference->n_rows = input->tensor.n;
        else if (input->tensor.n != inference->n_rows)
            return fail(err, STATUS_INVALID, "input '%s': %zu rows, the inputs before have %zu",
                        input->tensor.name, input->tensor.n, inference->n_rows);
        inference->n_features += !input->field;
    }
    if (inference->stream.at != inference->stream.end)
        return fail(err, STATUS_INVALID, "there is binary data that no input takes");
    return STATUS_OK;
}

static enum status read_count(const struct json *value, const char *name, size_t max, size_t *ret,
                              struct error *err)
{
    double number = json_number_or(value, -1);
    if (!(number >= 1 && number <= (double)max) || number != floor(number))
        return fail(err, STATUS_INVALID, "%s must be a whole number between 1 and %zu", name, max);
    *ret = (size_t)number;
    return STATUS_OK;
}

static enum status want_output(struct inference *inference, const struct json *output,
                               struct error *err)
{
    const char *name = json_string_or(json_get(output, "name"), "");
    struct v2_column *column = NULL;
    for (size_t i = 0; i < inference->n_columns; i++)
        if (strcmp(inference->columns[i].name, name) == 0)
            column = &inference->columns[i];
    if (!column)
        return fail(err, STATUS_INVALID, "output '%.64s': %s has none of that name", name,
                    inference->model->name);
    const struct json *parameters = json_get(output, "parameters");
    const struct json *top = json_get(parameters, "classification");
    column->wanted = true;
    column->is_binary = json_bool_or(json_get(parameters, "binary_data"), column->is_binary);
    if (!top)
        return STATUS_OK;
    if (!column->labels)
        return fail(err, STATUS_INVALID, "output '%s': has no classes to classify into", name);
    return read_count(top, "classification", column->width, &column->top, err);
}

static enum status read_outputs(struct inference *inference, struct error *err)
{
    const struct json *parameters = json_get(inference->body, "parameters");
    const struct json *outputs = json_get(inference->body, "outputs");
    bool is_binary = json_bool_or(json_get(parameters, "binary_data_output"), false);
    size_t *k = &inference->options.similar.k;
    if (json_get(parameters, "k"))
        TRY(read_count(json_get(parameters, "k"), "k", SIMILAR_MAX_K, k, err));
    if (inference->model->id == ENGINE_SIMILAR && inference->n_rows * *k > ANSWERS_MAX_SIMILAR)
        return fail(err, STATUS_LIMIT, "more than %d neighbours in all", ANSWERS_MAX_SIMILAR);
    inference->n_columns =
        v2_columns(inference->asker.engine, inference->model, *k, inference->columns);
    for (size_t i = 0; i < inference->n_columns; i++) {
        inference->columns[i].is_binary = is_binary;
        inference->columns[i].wanted = !json_first(outputs);
    }
    if (outputs && json_type(outputs) != JSON_ARRAY)
        return fail(err, STATUS_INVALID, "outputs must be an array");
    for (const struct json *item = json_first(outputs); item; item = json_next(item))
        TRY(want_output(inference, item, err));
    return STATUS_OK;
}

/* ---- the rows ---- */

static enum status set_field(const struct input *input, size_t row, struct profile *profile,
                             struct error *err)
{
    const struct profile_field *field = input->field;
    const struct tensor *tensor = &input->tensor;
    if (tensor->texts)
        return tensor->texts[row] ? parse_field(field, tensor->texts[row],
                                                strlen(tensor->texts[row]), profile, err)
                                  : STATUS_OK;
    if (field->kind == PROFILE_TEXT || field->kind == PROFILE_MONTH)
        return fail(err, STATUS_INVALID, "%s: must be BYTES", field->name);
    TRY(profile_check_number(field, tensor->numbers[row], err));
    profile->number[field->index] = tensor->numbers[row];
    return STATUS_OK;
}

/* A feature that the client computed itself. Infinity would be near to nobody and far from all. */
static enum status add_feature(const struct input *input, size_t row, struct profile_extra *extras,
                               struct profile *profile, struct error *err)
{
    double number = input->tensor.numbers[row];
    if (!(fabs(number) <= MAX_FEATURE)) {
        char got[TEXT_NUMBER_BYTES];
        text_format_number(number, got);
        return fail(err, STATUS_INVALID, "%s: must be between -1e12 and 1e12, got %s",
                    input->tensor.name, got);
    }
    extras[profile->n_extras++] = (struct profile_extra){.name = input->feature, .number = number};
    return STATUS_OK;
}

static enum status add_own(const struct inference *inference, const struct input *input, size_t row,
                           struct profile_extra *extras, struct profile *profile, struct error *err)
{
    struct profile_extra *extra = &extras[profile->n_extras++];
    *extra = (struct profile_extra){.name = input->own->name, .number = MISSING};
    if (input->tensor.texts) {
        profile_extra_from_text(input->tensor.texts[row], extra);
        return STATUS_OK;
    }
    char number[TEXT_NUMBER_BYTES];
    extra->number = input->tensor.numbers[row];
    text_format_number(extra->number, number);
    extra->text = input->own->is_text ? arena_strdup(inference->asker.arena, number) : NULL;
    return extra->text || !input->own->is_text ? STATUS_OK
                                               : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status read_row(const struct inference *inference, size_t row,
                            struct profile_extra *extras, struct profile *ret_profile,
                            struct error *err)
{
    size_t n_values = 0;
    profile_init(ret_profile);
    for (size_t i = 0; i < inference->n_inputs; i++) {
        const struct input *input = &inference->inputs[i];
        const char *text = input->tensor.texts ? input->tensor.texts[row] : NULL;
        bool has_value = input->tensor.texts ? text && text[0] : !isnan(input->tensor.numbers[row]);
        n_values += has_value;
        if (input->field)
            TRY(set_field(input, row, ret_profile, err));
        else if (has_value && input->own)
            TRY(add_own(inference, input, row, extras, ret_profile, err));
        else if (has_value)
            TRY(add_feature(input, row, extras, ret_profile, err));
    }
    ret_profile->extras = extras;
    return n_values > 0 ? STATUS_OK : fail(err, STATUS_INVALID, "every value is missing");
}

static enum status make_room(struct inference *inference, struct error *err)
{
    struct arena *arena = inference->asker.arena;
    TRY(v2_columns_allocate(inference->columns, inference->n_columns, inference->n_rows, arena,
                            err));
    inference->extras = ARENA_ARRAY(arena, struct profile_extra, inference->n_features + 1);
    return inference->extras ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status answer_row(struct inference *inference, size_t row, struct error *err)
{
    struct profile profile;
    union answer answer;
    struct error problem = {0};
    enum status status = read_row(inference, row, inference->extras, &profile, &problem);
    if (status == STATUS_OK)
        status =
            answer_profile(&inference->asker, inference->model->kind, &profile, &answer, &problem);
    if (status != STATUS_OK)
        return fail(err, status, "row %zu: %s", row, problem.message);
    v2_columns_fill(inference->columns, inference->asker.engine, inference->model, &answer, row);
    return STATUS_OK;
}

/* As many as the turn has time for. */
static enum status answer_rows(struct inference *inference, struct error *err)
{
    while (inference->n_answered < inference->n_rows) {
        TRY(answer_row(inference, inference->n_answered++, err));
        if (inference->n_answered % TURN_ROWS == 0 && inference->n_answered < inference->n_rows &&
            turn_is_over(inference->request)) {
            inference->request->unfinished = true;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

/* ---- the reply ---- */

static enum status write_reply(struct inference *inference, struct error *err)
{
    struct request *request = inference->request;
    struct buffer *binary = &request->packed; /* not yet needed for anything else */
    buffer_clear(binary);
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "model_name", inference->model->name);
    json_member_string(&w, "model_version", engine_version(inference->asker.engine));
    json_member_string(&w, "id", json_string_or(json_get(inference->body, "id"), request->id));
    json_put_key(&w, "outputs");
    json_begin_array(&w);
    for (size_t i = 0; i < inference->n_columns; i++)
        if (inference->columns[i].wanted)
            v2_column_write(&inference->columns[i], inference->n_rows, &request->arena, &w, binary);
    json_end_array(&w);
    json_end_object(&w);
    if (binary->length == 0)
        return STATUS_OK;
    char *length = arena_printf(&request->arena, "%zu", request->reply.length);
    if (!length || binary->failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    request_add_header(request, "Inference-Header-Content-Length", length);
    request->content_type = OCTETS;
    buffer_put(&request->reply, binary->at, binary->length);
    return STATUS_OK;
}

static enum status read_request(struct inference *inference, struct error *err)
{
    TRY(v2_check_loaded(inference->request, inference->model->id, err));
    TRY(parse_body(inference, err));
    if (inference->request->unfinished)
        return STATUS_OK;
    TRY(read_inputs(inference, err));
    TRY(read_outputs(inference, err));
    return make_room(inference, err);
}

static enum status infer(struct inference *inference, struct error *err)
{
    if (!inference->extras)
        TRY(read_request(inference, err));
    if (inference->request->unfinished)
        return STATUS_OK;
    TRY(answer_rows(inference, err));
    return inference->request->unfinished ? STATUS_OK : write_reply(inference, err);
}

static enum status begin(struct inference *inference, struct request *request, struct error *err)
{
    inference->request = request;
    TRY(v2_of_path(request, &inference->model, err));
    codec_options_init(&inference->options, CODEC_NEIGHBOURS);
    TRY(answer_asker(request, &inference->options, &inference->asker, err));
    inference->start_ns = clock_monotonic_ns();
    request->work = inference;
    return STATUS_OK;
}

enum status handle_v2_infer(struct request *request, struct error *err)
{
    struct inference *inference = request->work;
    if (!inference) {
        inference = ARENA_NEW(&request->arena, struct inference);
        if (!inference)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        TRY(begin(inference, request, err));
    }
    enum status status = infer(inference, err);
    if (request->unfinished)
        return STATUS_OK;
    struct metrics_inference *figures =
        &request->service->metrics.lanes[request->lane].inference[inference->model->id];
    bool failed = status != STATUS_OK;
    counter_add(&figures->requests[failed], 1);
    counter_add(&figures->ns[failed], clock_monotonic_ns() - inference->start_ns);
    if (!failed)
        counter_add(&figures->rows, inference->n_rows);
    return status;
}
