/* SPDX-License-Identifier: Apache-2.0 */

/* A table for MLflow's /invocations, all the way to its predictions. A first byte 'c' makes it CSV.
 * An answer has predictions, and as many as a table of records has. */
#include <string.h>

#include "asked.h"
#include "base/json.h"
#include "fuzz.h"

static void check_answer(const struct request *request, const struct json *answer, bool is_csv)
{
    const struct json *predictions = json_get(answer, "predictions");
    FUZZ_REQUIRE(json_type(predictions) == JSON_ARRAY);
    const struct json *body = NULL;
    if (is_csv)
        return;
    struct arena arena;
    arena_init(&arena, 1024);
    FUZZ_REQUIRE(json_parse(request->body.at, request->body.length, &arena, &body, NULL) ==
                 STATUS_OK);
    const struct json *rows = json_get(body, "dataframe_records");
    if (!rows)
        rows = json_get(json_get(body, "dataframe_split"), "data");
    if (rows)
        FUZZ_REQUIRE(json_count(predictions) == json_count(rows));
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct request request;
    bool is_csv = data[0] == 'c';
    asked_init(&request, "/invocations", data + 1, size - 1);
    request.head.content_type = is_csv ? "text/csv" : "application/json";
    const struct json *answer = asked_answer(&request);
    if (answer)
        check_answer(&request, answer, is_csv);
    asked_deinit(&request);
    return 0;
}
