/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tensor.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *name;
    size_t bytes;    /* of a value; 0: its length stands before it */
    double min, max; /* of a whole number; equal: any number */
} types[TENSOR_N_TYPES] = {
    [TENSOR_BOOL] = {"BOOL", 1, 0, 1},
    [TENSOR_UINT8] = {"UINT8", 1, 0, UINT8_MAX},
    [TENSOR_UINT16] = {"UINT16", 2, 0, UINT16_MAX},
    [TENSOR_UINT32] = {"UINT32", 4, 0, UINT32_MAX},
    [TENSOR_UINT64] = {"UINT64", 8, 0, 0x1p64},
    [TENSOR_INT8] = {"INT8", 1, INT8_MIN, INT8_MAX},
    [TENSOR_INT16] = {"INT16", 2, INT16_MIN, INT16_MAX},
    [TENSOR_INT32] = {"INT32", 4, INT32_MIN, INT32_MAX},
    [TENSOR_INT64] = {"INT64", 8, -0x1p63, 0x1p63},
    [TENSOR_FP32] = {"FP32", 4, 0, 0},
    [TENSOR_FP64] = {"FP64", 8, 0, 0},
    [TENSOR_BYTES] = {"BYTES", 0, 0, 0},
};

const char *tensor_type_name(enum tensor_type type)
{
    return types[type].name;
}

/* What is being read, and where it goes. */
struct reader {
    struct tensor *tensor;
    struct arena *arena;
    double *numbers;
    const char **texts;
    size_t n; /* so far */
};

static enum status find_type(const struct json *input, struct tensor *tensor, struct error *err)
{
    const char *name = json_string_or(json_get(input, "datatype"), NULL);
    if (!name)
        return fail(err, STATUS_INVALID, "input '%s': datatype must be a string", tensor->name);
    for (size_t i = 0; i < TENSOR_N_TYPES; i++)
        if (strcmp(types[i].name, name) == 0) {
            tensor->type = (enum tensor_type)i;
            return STATUS_OK;
        }
    return fail(err, STATUS_UNSUPPORTED, "input '%s': the datatype %.16s is not read", tensor->name,
                name);
}

static enum status read_shape(const struct json *input, size_t max_rows, struct tensor *tensor,
                              struct error *err)
{
    const struct json *shape = json_get(input, "shape");
    size_t rank = json_type(shape) == JSON_ARRAY ? json_count(shape) : 0;
    double n = json_number_or(json_first(shape), -1);
    bool is_column =
        rank == 1 || (rank == 2 && json_number_or(json_next(json_first(shape)), 0) == 1);
    if (!is_column || !(n >= 1) || n != floor(n))
        return fail(err, STATUS_INVALID, "input '%s': shape must be [n] or [n, 1] with n >= 1",
                    tensor->name);
    if (n > (double)max_rows)
        return fail(err, STATUS_LIMIT, "input '%s': at most %zu rows are taken", tensor->name,
                    max_rows);
    tensor->n = (size_t)n;
    return STATUS_OK;
}

static enum status make_room(struct reader *reader, struct error *err)
{
    struct tensor *tensor = reader->tensor;
    if (tensor->type == TENSOR_BYTES)
        tensor->texts = reader->texts = ARENA_ARRAY(reader->arena, const char *, tensor->n);
    else
        tensor->numbers = reader->numbers = ARENA_ARRAY(reader->arena, double, tensor->n);
    return reader->texts || reader->numbers ? STATUS_OK
                                            : fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- JSON ---- */

static enum status take_value(struct reader *reader, const struct json *value, struct error *err)
{
    struct tensor *tensor = reader->tensor;
    enum tensor_type type = tensor->type;
    enum json_type kind = json_type(value);
    if (reader->n == tensor->n)
        return fail(err, STATUS_INVALID, "input '%s': data has more values than shape says",
                    tensor->name);
    double number = NAN;
    if (type == TENSOR_BYTES) {
        if (kind != JSON_STRING && kind != JSON_NULL)
            return fail(err, STATUS_INVALID, "input '%s': BYTES must be strings, got %s",
                        tensor->name, json_type_name(kind));
        reader->texts[reader->n++] = json_string_or(value, NULL);
        return STATUS_OK;
    }
    if (kind == JSON_BOOL && type == TENSOR_BOOL)
        number = json_bool_or(value, false);
    else if (kind == JSON_NUMBER && type != TENSOR_BOOL)
        number = json_number_or(value, NAN);
    else if (kind != JSON_NULL)
        return fail(err, STATUS_INVALID, "input '%s': %s must be %s, got %s", tensor->name,
                    types[type].name, type == TENSOR_BOOL ? "true or false" : "numbers",
                    json_type_name(kind));
    bool is_whole = types[type].min < types[type].max;
    if (is_whole && !isnan(number) &&
        (number != floor(number) || number < types[type].min || number > types[type].max))
        return fail(err, STATUS_INVALID, "input '%s': a value is no %s", tensor->name,
                    types[type].name);
    reader->numbers[reader->n++] = number;
    return STATUS_OK;
}

/* Flat, or nested once as shape is: [[1], [2]]. */
static enum status read_json(struct reader *reader, const struct json *data, struct error *err)
{
    if (json_type(data) != JSON_ARRAY)
        return fail(err, STATUS_INVALID, "input '%s': data must be an array", reader->tensor->name);
    for (const struct json *item = json_first(data); item; item = json_next(item)) {
        const struct json *value = item;
        if (json_type(item) == JSON_ARRAY) {
            if (json_count(item) != 1)
                return fail(err, STATUS_INVALID, "input '%s': a row of data must have one value",
                            reader->tensor->name);
            value = json_first(item);
        }
        TRY(take_value(reader, value, err));
    }
    return STATUS_OK;
}

/* ---- binary ---- */

static uint64_t little_endian(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

static double number_of(const unsigned char *at, enum tensor_type type)
{
    float f;
    double d;
    uint64_t bits = little_endian(at, types[type].bytes);
    switch (type) {
    case TENSOR_FP32:
        memcpy(&f, at, sizeof f);
        return (double)f;
    case TENSOR_FP64:
        memcpy(&d, at, sizeof d);
        return d;
    case TENSOR_INT8:
        return (double)(int8_t)bits;
    case TENSOR_INT16:
        return (double)(int16_t)bits;
    case TENSOR_INT32:
        return (double)(int32_t)bits;
    case TENSOR_INT64:
        return (double)(int64_t)bits;
    case TENSOR_BOOL:
        return bits != 0;
    case TENSOR_UINT8:
    case TENSOR_UINT16:
    case TENSOR_UINT32:
    case TENSOR_UINT64:
    case TENSOR_BYTES:
    case TENSOR_N_TYPES:
        break;
    }
    return (double)bits;
}

static enum status take_text(struct reader *reader, struct tensor_stream *piece, struct error *err)
{
    const char *name = reader->tensor->name;
    if (piece->end - piece->at < 4)
        return fail(err, STATUS_INVALID, "input '%s': its binary data is cut off", name);
    size_t length = (size_t)little_endian(piece->at, 4);
    piece->at += 4;
    if (length > (size_t)(piece->end - piece->at))
        return fail(err, STATUS_INVALID, "input '%s': its binary data is cut off", name);
    const char *text = (const char *)piece->at;
    if (!text_is_utf8(text, length) || memchr(text, '\0', length))
        return fail(err, STATUS_INVALID, "input '%s': BYTES must be UTF-8 without NUL", name);
    reader->texts[reader->n] = arena_strndup(reader->arena, text, length);
    if (!reader->texts[reader->n++])
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    piece->at += length;
    return STATUS_OK;
}

static enum status read_binary(struct reader *reader, double size, struct tensor_stream *stream,
                               struct error *err)
{
    const struct tensor *tensor = reader->tensor;
    if (!(size >= 0 && size <= (double)(stream->end - stream->at)) || size != floor(size))
        return fail(err, STATUS_INVALID,
                    "input '%s': binary_data_size is not what follows the JSON", tensor->name);
    struct tensor_stream piece = {stream->at, stream->at + (size_t)size};
    stream->at = piece.end;
    size_t width = types[tensor->type].bytes;
    if (width > 0 && (size_t)size != width * tensor->n)
        return fail(err, STATUS_INVALID, "input '%s': %zu values of %s are %zu bytes, not %zu",
                    tensor->name, tensor->n, types[tensor->type].name, width * tensor->n,
                    (size_t)size);
    while (piece.at < piece.end && reader->n < tensor->n) {
        if (width == 0) {
            TRY(take_text(reader, &piece, err));
        } else {
            reader->numbers[reader->n++] = number_of(piece.at, tensor->type);
            piece.at += width;
        }
    }
    return piece.at == piece.end ? STATUS_OK
                                 : fail(err, STATUS_INVALID,
                                        "input '%s': its binary data has more values than shape "
                                        "says",
                                        tensor->name);
}

enum status tensor_read(const struct json *input, size_t max_rows, struct tensor_stream *stream,
                        struct arena *arena, struct tensor *ret_tensor, struct error *err)
{
    *ret_tensor = (struct tensor){.name = json_string_or(json_get(input, "name"), NULL)};
    if (!ret_tensor->name)
        return fail(err, STATUS_INVALID, "an input must have a name");
    TRY(find_type(input, ret_tensor, err));
    TRY(read_shape(input, max_rows, ret_tensor, err));
    const struct json *size = json_get(json_get(input, "parameters"), "binary_data_size");
    const struct json *data = json_get(input, "data");
    if (!size && !data)
        return fail(err, STATUS_INVALID, "input '%s': there is no data", ret_tensor->name);
    if (size && data)
        return fail(err, STATUS_INVALID, "input '%s': data and binary_data_size stand together",
                    ret_tensor->name);
    /* Every value takes a byte at least: room is made for what can be there. */
    if (size && ret_tensor->n > (size_t)(stream->end - stream->at))
        return fail(err, STATUS_INVALID, "input '%s': its binary data is cut off",
                    ret_tensor->name);
    struct reader reader = {.tensor = ret_tensor, .arena = arena};
    TRY(make_room(&reader, err));
    TRY(size ? read_binary(&reader, json_number_or(size, -1), stream, err)
             : read_json(&reader, data, err));
    if (reader.n < ret_tensor->n)
        return fail(err, STATUS_INVALID, "input '%s': %zu values for a shape of %zu",
                    ret_tensor->name, reader.n, ret_tensor->n);
    return STATUS_OK;
}
