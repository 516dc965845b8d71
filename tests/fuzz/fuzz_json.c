/* SPDX-License-Identifier: Apache-2.0 */

/* The JSON reader: any bytes are refused or understood; what was understood, written and read again
 * is the same text; and the plain reader understands nothing that cJSON does not, or otherwise. */
#include <string.h>

#include "base/cleanup.h"
#include "base/json_node.h"
#include "fuzz.h"

static void put(const struct json *value, struct buffer *out)
{
    struct json_writer writer = json_writer(out);
    json_put_value(&writer, value);
    FUZZ_REQUIRE(!out->failed);
}

static void compare_readers(const char *text, size_t length, struct arena *arena)
{
    const struct json *plain = json_read_plain(text, length, arena);
    if (!plain)
        return;
    const struct json *any;
    FUZZ_REQUIRE(json_parse_any(text, length, arena, &any, NULL) == STATUS_OK);
    struct buffer ours = {0}, theirs = {0};
    put(plain, &ours);
    put(any, &theirs);
    FUZZ_REQUIRE(ours.length == theirs.length);
    FUZZ_REQUIRE(memcmp(ours.at, theirs.at, ours.length) == 0);
    buffer_deinit(&ours);
    buffer_deinit(&theirs);
}

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
    put(whole, &once);
    put(value, &twice);
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
    compare_readers((const char *)data, size, &arena);
    if (json_parse((const char *)data, size, &arena, &value, &err) == STATUS_OK) {
        struct buffer once = {0}, twice = {0};
        put(value, &once);
        FUZZ_REQUIRE(text_is_utf8(once.at, once.length));
        FUZZ_REQUIRE(json_parse(once.at, once.length, &arena, &value, &err) == STATUS_OK);
        put(value, &twice);
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
