/* SPDX-License-Identifier: Apache-2.0 */

/* One input tensor: its JSON on the first line, the binary extension behind it. What is read has as
 * many values as it says, each within its type, and has taken no byte beyond its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/tensor.h"
#include "base/text.h"
#include "fuzz.h"

#define MAX_ROWS 1000

static void check_value(const struct tensor *tensor, double value)
{
    static const double most[TENSOR_N_TYPES] = {
        [TENSOR_BOOL] = 1,
        [TENSOR_UINT8] = UINT8_MAX,
        [TENSOR_UINT16] = UINT16_MAX,
        [TENSOR_UINT32] = UINT32_MAX,
        [TENSOR_UINT64] = 0x1p64,
        [TENSOR_INT8] = INT8_MAX,
        [TENSOR_INT16] = INT16_MAX,
        [TENSOR_INT32] = INT32_MAX,
        [TENSOR_INT64] = 0x1p63,
    };
    double bound = most[tensor->type];
    if (bound > 0 && !isnan(value)) {
        double least = tensor->type < TENSOR_INT8 ? 0 : -bound - (tensor->type < TENSOR_INT64);
        FUZZ_REQUIRE(value == floor(value) && value >= least && value <= bound);
    }
}

static void check_tensor(const struct tensor *tensor)
{
    FUZZ_REQUIRE(tensor->n >= 1 && tensor->n <= MAX_ROWS && tensor->type < TENSOR_N_TYPES);
    FUZZ_REQUIRE(!tensor->numbers == (tensor->type == TENSOR_BYTES));
    FUZZ_REQUIRE(!tensor->texts == (tensor->type != TENSOR_BYTES));
    for (size_t i = 0; i < tensor->n; i++)
        if (tensor->numbers)
            check_value(tensor, tensor->numbers[i]);
        else if (tensor->texts[i])
            FUZZ_REQUIRE(text_is_utf8(tensor->texts[i], strlen(tensor->texts[i])));
}

/* The bytes that were taken, made anew from the values. */
static void check_texts(const struct tensor *tensor, const unsigned char *at, size_t bytes)
{
    struct buffer again = {0};
    for (size_t i = 0; i < tensor->n; i++) {
        uint32_t length = (uint32_t)strlen(tensor->texts[i]);
        buffer_put(&again, &length, sizeof length);
        buffer_put(&again, tensor->texts[i], length);
    }
    FUZZ_REQUIRE(again.length == bytes && memcmp(again.at, at, bytes) == 0);
    buffer_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err = {0};
    const struct json *input;
    arena_init(&arena, 1024);
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t head = end ? (size_t)(end - data) : size;
    /* A copy of its own: a read past it is seen. */
    size_t n_bytes = end ? size - head - 1 : 0;
    unsigned char *bytes = malloc(n_bytes + !n_bytes);
    if (bytes && n_bytes > 0)
        memcpy(bytes, end + 1, n_bytes);
    if (bytes && json_parse((const char *)data, head, &arena, &input, &err) == STATUS_OK) {
        struct tensor_stream stream = {bytes, bytes + n_bytes};
        struct tensor tensor;
        if (tensor_read(input, MAX_ROWS, &stream, &arena, &tensor, &err) == STATUS_OK) {
            check_tensor(&tensor);
            size_t taken = (size_t)(stream.at - bytes);
            if (tensor.texts && taken > 0)
                check_texts(&tensor, bytes, taken);
        } else {
            FUZZ_REQUIRE(err.message[0] && memchr(err.message, 0, sizeof err.message));
        }
        FUZZ_REQUIRE(stream.at >= bytes && stream.at <= stream.end);
        FUZZ_REQUIRE(stream.end == bytes + n_bytes);
    }
    free(bytes);
    arena_deinit(&arena);
    return 0;
}
