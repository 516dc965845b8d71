/* SPDX-License-Identifier: Apache-2.0 */

/* The JSON reader: any bytes are refused or understood; and what was understood, written and read
 * again is the same text. */
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "fuzz.h"

/* Cut as short as can be, it is the same JSON, or none; the text is left as it was. */
static void check_steps(const uint8_t *data, size_t size, struct arena *arena,
                        const struct json *whole)
{
    struct error err;
    struct json_parser *parser;
    const struct json *value = NULL;
    char *text = arena_alloc(arena, size + 1);
    FUZZ_REQUIRE(text);
    memcpy(text, data, size);
    FUZZ_REQUIRE(json_parser_new(text, size, 1, arena, &parser, &err) == STATUS_OK);
    enum status status;
    do
        status = json_parser_step(parser, &value, &err);
    while (status == STATUS_OK && !value);
    FUZZ_REQUIRE((status == STATUS_OK) == (whole != NULL));
    FUZZ_REQUIRE(memcmp(text, data, size) == 0);
    if (!whole)
        return;
    struct buffer once = {0}, twice = {0};
    struct json_writer writer = json_writer(&once);
    json_put_value(&writer, whole);
    writer = json_writer(&twice);
    json_put_value(&writer, value);
    FUZZ_REQUIRE(once.length == twice.length);
    FUZZ_REQUIRE(memcmp(once.at, twice.at, once.length) == 0);
    buffer_deinit(&once);
    buffer_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err;
    const struct json *value = NULL;
    arena_init(&arena, 1024);
    if (json_parse((const char *)data, size, &arena, &value, &err) == STATUS_OK) {
        struct buffer once = {0}, twice = {0};
        struct json_writer writer = json_writer(&once);
        json_put_value(&writer, value);
        FUZZ_REQUIRE(!once.failed);
        FUZZ_REQUIRE(text_is_utf8(once.at, once.length));
        FUZZ_REQUIRE(json_parse(once.at, once.length, &arena, &value, &err) == STATUS_OK);
        writer = json_writer(&twice);
        json_put_value(&writer, value);
        FUZZ_REQUIRE(once.length == twice.length);
        FUZZ_REQUIRE(memcmp(once.at, twice.at, once.length) == 0);
        buffer_deinit(&once);
        buffer_deinit(&twice);
    } else {
        FUZZ_REQUIRE(err.message[0] && memchr(err.message, 0, sizeof err.message));
    }
    check_steps(data, size, &arena, value);
    arena_deinit(&arena);
    return 0;
}
