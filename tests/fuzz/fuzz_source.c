/* SPDX-License-Identifier: Apache-2.0 */

/* Names of data sets and redirects: what is accepted leads to https or to this machine, lives below
 * the data folder, and shows neither user nor query. Input: a name, a line break, a redirect. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dataset/fetch_source.h"
#include "dataset/fetch_unpack.h"
#include "dataset/fetch_url.h"
#include "fuzz.h"

static void check_url(const struct url *url)
{
    FUZZ_REQUIRE(text_starts_with(url->text, url->is_plain ? "http://" : "https://"));
    FUZZ_REQUIRE(!strpbrk(url->shown, "?#"));
    FUZZ_REQUIRE(text_starts_with(url->origin, url->is_plain ? "http://" : "https://"));
    FUZZ_REQUIRE(!url->is_plain || strcmp(url->host, "localhost") == 0 ||
                 strcmp(url->host, "[::1]") == 0 || text_starts_with(url->host, "127."));
    FUZZ_REQUIRE(!strchr(url->base, '/'));
}

static void check_source(const struct fetch_source *source)
{
    struct error err = {0};
    FUZZ_REQUIRE(unpack_check_name(source->folder, &err) == STATUS_OK);
    FUZZ_REQUIRE(text_starts_with(source->folder, source->is_kaggle ? "kaggle/" : "url/"));
    FUZZ_REQUIRE(!strchr(source->plain_name, '/') && source->plain_name[0]);
    FUZZ_REQUIRE(!strpbrk(source->shown, "?#"));
    FUZZ_REQUIRE(!source->file || unpack_check_name(source->file, &err) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error err = {0};
    arena_init(&arena, 1024);
    char *name = arena_strndup(&arena, (const char *)data, size);
    FUZZ_REQUIRE(name);
    char *location = strchr(name, '\n');
    if (location)
        *location++ = '\0';
    struct fetch_source source;
    struct url url, next;
    if (fetch_source_parse(name, "https://kaggle.example", &arena, &source, &err) == STATUS_OK)
        check_source(&source);
    else
        FUZZ_REQUIRE(err.message[0]);
    if (url_parse(name, &arena, &url, &err) == STATUS_OK) {
        check_url(&url);
        if (location && url_follow(&url, location, &arena, &next, &err) == STATUS_OK) {
            check_url(&next);
            FUZZ_REQUIRE(url.is_plain || !next.is_plain);
        }
    }
    arena_deinit(&arena);
    return 0;
}
