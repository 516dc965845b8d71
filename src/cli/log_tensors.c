/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_tensors.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/tensor.h"
#include "base/text.h"

#define MOST_ROWS ((size_t)1 << 24)

/* Length of the object that the text begins with; 0: it does not end. */
static size_t object_end(const char *text, size_t bytes)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < bytes; i++) {
        if (in_string && text[i] == '\\') {
            i++;
        } else if (in_string) {
            in_string = text[i] != '"';
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '{') {
            depth++;
        } else if (text[i] == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static double binary_size(const struct json *tensor)
{
    return json_number_or(json_get(json_get(tensor, "parameters"), "binary_data_size"), 0);
}

/* What was read as JSON would say it. NULL: it is not one value a row. */
static const struct json *data_of(const struct json *item, struct tensor_stream piece,
                                  struct arena *arena)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    struct tensor tensor;
    const struct json *data = NULL;
    if (tensor_read(item, MOST_ROWS, &piece, arena, &tensor, NULL) != STATUS_OK)
        return NULL;
    struct json_writer w = json_writer(&text);
    json_begin_array(&w);
    for (size_t i = 0; i < tensor.n; i++)
        if (tensor.texts)
            json_put_string(&w, tensor.texts[i]);
        else if (tensor.type == TENSOR_BOOL)
            json_put_bool(&w, tensor.numbers[i] != 0);
        else
            json_put_number(&w, tensor.numbers[i]);
    json_end_array(&w);
    char *kept = text.failed ? NULL : arena_strndup(arena, text.at, text.length);
    return kept && json_parse(kept, text.length, arena, &data, NULL) == STATUS_OK ? data : NULL;
}

/* False: less stands behind the JSON than the tensors take. */
static bool find_stream(const struct json *list, const char *text, size_t bytes, size_t json_bytes,
                        struct tensor_stream *ret_stream)
{
    double size = 0;
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        double its = binary_size(item);
        if (!(its >= 0) || its != floor(its))
            return false;
        size += its;
    }
    if (size > (double)(bytes - json_bytes))
        return false;
    ret_stream->end = (const unsigned char *)text + bytes;
    ret_stream->at = ret_stream->end - (size_t)size;
    return true;
}

bool log_tensors_read(const char *text, size_t bytes, const char *list, struct arena *arena,
                      struct log_tensors *ret_tensors)
{
    struct log_tensors tensors = {0};
    struct tensor_stream stream;
    size_t json_bytes = object_end(text, bytes);
    if (json_bytes == 0 || json_parse(text, json_bytes, arena, &tensors.json, NULL) != STATUS_OK)
        return false;
    const struct json *items = json_get(tensors.json, list);
    tensors.tensors = ARENA_ARRAY(arena, const struct json *, json_count(items) + 1);
    tensors.data = ARENA_ARRAY(arena, const struct json *, json_count(items) + 1);
    if (!tensors.tensors || !tensors.data || !find_stream(items, text, bytes, json_bytes, &stream))
        return false;
    for (const struct json *item = json_first(items); item; item = json_next(item)) {
        struct tensor_stream piece = {stream.at, stream.at + (size_t)binary_size(item)};
        tensors.tensors[tensors.n] = item;
        tensors.data[tensors.n++] =
            json_get(item, "data") ? json_get(item, "data") : data_of(item, piece, arena);
        stream.at = piece.end;
    }
    *ret_tensors = tensors;
    return true;
}

const struct json *log_tensors_find(const struct log_tensors *tensors, const char *name)
{
    for (size_t i = 0; i < tensors->n; i++)
        if (strcmp(json_string_or(json_get(tensors->tensors[i], "name"), ""), name) == 0)
            return tensors->data[i];
    return NULL;
}
