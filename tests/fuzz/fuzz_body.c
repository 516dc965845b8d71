/* SPDX-License-Identifier: Apache-2.0 */

/* A request's body on its way to a profile: whatever comes is refused with a message, or is a
 * profile within its ranges and options within theirs. */
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "serve/codec.h"

static void check_options(const struct codec_options *options)
{
    FUZZ_REQUIRE(options->similar.k >= 1 && options->similar.k <= SIMILAR_MAX_K);
    FUZZ_REQUIRE(options->similar.n_exclude <= SIMILAR_MAX_EXCLUDE);
    for (size_t i = 0; i < options->similar.n_exclude; i++)
        FUZZ_REQUIRE(options->similar.exclude[i]);
}

static void read_profile(const struct json *object, bool is_body)
{
    struct error err = {0};
    struct profile profile;
    struct unknown_names unknown = {0};
    static const struct own_column columns[] = {{"mood", true}, {"reel_views", false}};
    static const struct own_columns known = {columns, ARRAY_LENGTH(columns)};
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 256);
    struct profile_extra values[ARRAY_LENGTH(columns)];
    struct own_values own = {.own = &known, .arena = &arena, .values = values};
    if (codec_read_profile(object, is_body, &own, &profile, &unknown, &err) == STATUS_OK) {
        FUZZ_REQUIRE(profile_check(&profile, &err) == STATUS_OK);
        FUZZ_REQUIRE(profile.n_extras <= ARRAY_LENGTH(values));
    } else {
        FUZZ_REQUIRE(err.message[0] && memchr(err.message, 0, sizeof err.message));
    }
    FUZZ_REQUIRE(unknown.n <= CODEC_MAX_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err;
    const struct json *body;
    arena_init(&arena, 1024);
    if (json_parse((const char *)data, size, &arena, &body, &err) == STATUS_OK) {
        struct codec_options options;
        codec_options_init(&options, CODEC_NEIGHBOURS);
        if (codec_read_options(body, &arena, &options, &err) == STATUS_OK)
            check_options(&options);
        read_profile(body, true);
        const struct json *instances = json_get(body, "instances");
        if (json_type(instances) == JSON_ARRAY)
            for (const struct json *item = json_first(instances); item; item = json_next(item))
                read_profile(item, false);
    }
    arena_deinit(&arena);
    return 0;
}
