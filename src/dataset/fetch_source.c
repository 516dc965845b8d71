/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_source.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "dataset/fetch_unpack.h"
#include "dataset/fetch_url.h"

#define SLUG_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
#define NAME_HASH_LENGTH 12

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

static bool is_slug(const char *text, size_t length)
{
    return length > 0 && length <= 128 && text[0] != '.' && strspn(text, SLUG_CHARACTERS) >= length;
}

static enum status parse_kaggle(const char *name, const char *base_url, struct arena *arena,
                                struct fetch_source *source, struct error *err)
{
    const char *owner = name + strlen("kaggle:");
    size_t owner_length = strcspn(owner, "/");
    const char *dataset = owner + owner_length + (owner[owner_length] == '/');
    size_t dataset_length = strcspn(dataset, "/");
    const char *file = dataset + dataset_length + (dataset[dataset_length] == '/');
    if (!is_slug(owner, owner_length) || !is_slug(dataset, dataset_length))
        return fail(err, STATUS_INVALID,
                    "'%s': must be kaggle:OWNER/DATASET, as in the address of its page", name);
    source->file = *file ? arena_strdup(arena, file) : NULL;
    if (source->file)
        TRY(unpack_check_name(source->file, err));
    source->is_kaggle = true;
    source->name = arena_printf(arena, "kaggle:%.*s/%.*s", (int)owner_length, owner,
                                (int)dataset_length, dataset);
    source->folder = arena_printf(arena, "kaggle/%.*s/%.*s", (int)owner_length, owner,
                                  (int)dataset_length, dataset);
    source->plain_name = arena_printf(arena, "%.*s.csv", (int)dataset_length, dataset);
    size_t base_length = strlen(base_url);
    while (base_length > 0 && base_url[base_length - 1] == '/')
        base_length--;
    source->url = arena_printf(arena, "%.*s/api/v1/datasets/download/%.*s/%.*s", (int)base_length,
                               base_url, (int)owner_length, owner, (int)dataset_length, dataset);
    if (!source->name || !source->folder || !source->plain_name || !source->url)
        return no_memory(err);
    struct url url;
    TRY(url_parse(source->url, arena, &url, err));
    source->shown = url.shown;
    return STATUS_OK;
}

/* `text` with everything that is not in SLUG_CHARACTERS made an underscore. */
static const char *slug(const char *text, struct arena *arena)
{
    char *copy = arena_strndup(arena, text, strnlen(text, 80));
    if (!copy)
        return NULL;
    for (char *c = copy; *c; c++)
        if (!strchr(SLUG_CHARACTERS, *c))
            *c = '_';
    if (copy[0] == '.')
        copy[0] = '_';
    return copy;
}

static enum status parse_address(const char *name, struct arena *arena, struct fetch_source *source,
                                 struct error *err)
{
    struct url url;
    TRY(url_parse(name, arena, &url, err));
    const char *host = slug(url.host, arena);
    const char *base = slug(url.base[0] ? url.base : "data", arena);
    if (!host || !base)
        return no_memory(err);
    /* Two addresses may end alike. */
    char hash[SHA256_HEX_LENGTH + 1];
    hash_sha256_hex(url.text, strlen(url.text), hash);
    source->folder = arena_printf(arena, "url/%s/%s-%.*s", host, base, NAME_HASH_LENGTH, hash);
    source->plain_name = strchr(base, '.') ? base : arena_printf(arena, "%s.csv", base);
    source->name = source->shown = url.shown;
    source->url = url.text;
    return source->folder && source->plain_name ? STATUS_OK : no_memory(err);
}

enum status fetch_source_parse(const char *name, const char *base_url, struct arena *arena,
                               struct fetch_source *ret_source, struct error *err)
{
    struct fetch_source source = {0};
    if (text_starts_with(name, "kaggle:"))
        TRY(parse_kaggle(name, base_url, arena, &source, err));
    else
        TRY(parse_address(name, arena, &source, err));
    *ret_source = source;
    return STATUS_OK;
}
