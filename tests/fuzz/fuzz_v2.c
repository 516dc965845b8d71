/* SPDX-License-Identifier: Apache-2.0 */

/* A body of the Open Inference Protocol, all the way to its answer. The first byte chooses the
 * model; what stands behind a line break is the binary extension. An answer has its outputs, with
 * as many values as their shapes say, or as many bytes as follow. */
#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "base/json.h"
#include "fuzz.h"

static const char *const paths[] = {"/v2/models/score/infer", "/v2/models/tier/infer",
                                    "/v2/models/cluster/infer", "/v2/models/similar/infer"};

static size_t shape_size(const struct json *shape)
{
    size_t size = 1;
    for (const struct json *item = json_first(shape); item; item = json_next(item))
        size *= (size_t)json_number_or(item, 0);
    return size;
}

/* Returns the bytes of its binary data. */
static size_t check_output(const struct json *output)
{
    const struct json *data = json_get(output, "data");
    const struct json *bytes = json_get(json_get(output, "parameters"), "binary_data_size");
    FUZZ_REQUIRE(json_string_or(json_get(output, "name"), NULL));
    FUZZ_REQUIRE(!data != !bytes);
    FUZZ_REQUIRE(!data || json_count(data) == shape_size(json_get(output, "shape")));
    const char *type = json_string_or(json_get(output, "datatype"), "");
    size_t n_bytes = (size_t)json_number_or(bytes, 0);
    if (bytes && strcmp(type, "BYTES") != 0)
        FUZZ_REQUIRE(n_bytes == sizeof(double) * shape_size(json_get(output, "shape")));
    return n_bytes;
}

static void check_answer(const struct request *request, const struct json *answer)
{
    size_t n_bytes = 0;
    const struct json *outputs = json_get(answer, "outputs");
    FUZZ_REQUIRE(json_type(outputs) == JSON_ARRAY && json_first(outputs));
    FUZZ_REQUIRE(json_string_or(json_get(answer, "id"), NULL));
    for (const struct json *item = json_first(outputs); item; item = json_next(item))
        n_bytes += check_output(item);
    FUZZ_REQUIRE(n_bytes == request->packed.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char length[24];
    struct request request;
    const uint8_t *end = memchr(data + 1, '\n', size - 1);
    asked_init(&request, paths[data[0] % ENGINE_N_MODELS], data + 1, size - 1);
    if (end) {
        snprintf(length, sizeof length, "%zu", (size_t)(end - data));
        request.head.inference_header_length = length;
    }
    const struct json *answer = asked_answer(&request);
    if (answer)
        check_answer(&request, answer);
    asked_deinit(&request);
    return 0;
}
