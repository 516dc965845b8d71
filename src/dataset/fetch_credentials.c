/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_credentials.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"

#define MAX_FILE_BYTES 65536

/* The value of a variable that is set and not empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* A line break in a header would begin another one. */
static enum status check_secret(const char *secret, const char *place, struct error *err)
{
    for (const char *c = secret; *c; c++)
        if ((unsigned char)*c < 0x21 || (unsigned char)*c == 0x7f)
            return fail(err, STATUS_INVALID, "%s: has a space or a control character in it", place);
    return STATUS_OK;
}

static enum status take_token(const char *token, const char *place, struct arena *arena,
                              struct credentials *ret_credentials, struct error *err)
{
    TRY(check_secret(token, place, err));
    const char *bearer = arena_strdup(arena, token);
    if (!bearer)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", place);
    *ret_credentials = (struct credentials){.bearer = bearer};
    return STATUS_OK;
}

static enum status take_pair(const char *user, const char *key, const char *place,
                             struct arena *arena, struct credentials *ret_credentials,
                             struct error *err)
{
    TRY(check_secret(user, place, err));
    TRY(check_secret(key, place, err));
    if (strchr(user, ':'))
        return fail(err, STATUS_INVALID, "%s: a user name has no colon", place);
    const char *pair = arena_printf(arena, "%s:%s", user, key);
    if (!pair)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", place);
    *ret_credentials = (struct credentials){.user_password = pair};
    return STATUS_OK;
}

static enum status read_token_file(const char *path, struct arena *arena,
                                   struct credentials *ret_credentials, struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(path, MAX_FILE_BYTES, &text, &bytes, err));
    text[strcspn(text, "\r\n")] = '\0';
    if (!*text)
        return fail(err, STATUS_INVALID, "%s: is empty", path);
    return take_token(text, path, arena, ret_credentials, err);
}

static enum status read_json_file(const char *path, struct arena *arena,
                                  struct credentials *ret_credentials, struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(path, MAX_FILE_BYTES, &text, &bytes, err));
    /* The parser's own message may quote the text. */
    const struct json *json;
    if (json_parse(text, bytes, arena, &json, NULL) != STATUS_OK)
        return fail(err, STATUS_INVALID, "%s: is not JSON", path);
    const char *user = json_string_or(json_get(json, "username"), "");
    const char *key = json_string_or(json_get(json, "key"), "");
    if (!*user || !*key)
        return fail(err, STATUS_INVALID, "%s: must hold {\"username\": ..., \"key\": ...}", path);
    return take_pair(user, key, path, arena, ret_credentials, err);
}

static const char *config_path(struct arena *arena, const char *name)
{
    const char *dir = variable("KAGGLE_CONFIG_DIR");
    if (dir)
        return arena_printf(arena, "%s/%s", dir, name);
    const char *home = variable("HOME");
    return home ? arena_printf(arena, "%s/.kaggle/%s", home, name) : NULL;
}

enum status credentials_find(struct arena *arena, struct credentials *ret_credentials,
                             struct error *err)
{
    const char *token = variable("KAGGLE_API_TOKEN");
    if (token)
        return take_token(token, "KAGGLE_API_TOKEN", arena, ret_credentials, err);
    const char *user = variable("KAGGLE_USERNAME");
    const char *key = variable("KAGGLE_KEY");
    if (user && key)
        return take_pair(user, key, "KAGGLE_USERNAME and KAGGLE_KEY", arena, ret_credentials, err);
    const char *path = config_path(arena, "access_token");
    if (path && file_exists(path))
        return read_token_file(path, arena, ret_credentials, err);
    path = config_path(arena, "kaggle.json");
    if (path && file_exists(path))
        return read_json_file(path, arena, ret_credentials, err);
    *ret_credentials = (struct credentials){0};
    return STATUS_OK;
}
