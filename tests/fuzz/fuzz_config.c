/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration files: any bytes are refused with a message or leave values within their ranges. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/config.h"
#include "fuzz.h"

struct settings {
    int64_t port;
    double share;
    bool strict;
    const char *path;
    int mode;
};

static const struct config_key keys[] = {
    {"server", "port", CONFIG_INTEGER, "", 0, 65535, NULL, "8080", "Port.",
     offsetof(struct settings, port)},
    {"server", "share", CONFIG_NUMBER, "", 0, 1, NULL, "0.5", "Share.",
     offsetof(struct settings, share)},
    {"server", "strict", CONFIG_FLAG, "", 0, 0, NULL, "off", "Strict.",
     offsetof(struct settings, strict)},
    {"log", "path", CONFIG_TEXT, "", 0, 0, NULL, "requests.db", "Path.",
     offsetof(struct settings, path)},
    {"log", "mode", CONFIG_CHOICE, "", 0, 0, "off|batched|acknowledged", "batched", "Mode.",
     offsetof(struct settings, mode)},
};
static const struct config_table table = {keys, ARRAY_LENGTH(keys)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct settings settings;
    struct error err;
    char path[64];
    AUTO(close_slot) int fd = memfd_create("fuzz-config", 0);
    FUZZ_REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    arena_init(&arena, 1024);
    FUZZ_REQUIRE(config_set_defaults(&table, &settings, &arena, &err) == STATUS_OK);
    if (config_load_file(&table, path, &settings, &arena, &err) != STATUS_OK)
        FUZZ_REQUIRE(err.message[0] && memchr(err.message, 0, sizeof err.message));
    FUZZ_REQUIRE(settings.port >= 0 && settings.port <= 65535);
    FUZZ_REQUIRE(settings.share >= 0 && settings.share <= 1);
    FUZZ_REQUIRE(settings.mode >= 0 && settings.mode <= 2);
    FUZZ_REQUIRE(settings.path != NULL);
    arena_deinit(&arena);
    return 0;
}
