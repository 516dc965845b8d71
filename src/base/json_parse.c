/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json_node.h"
#include "base/json_scan.h"

#define MAX_FILE_BYTES (64u << 20)

/* cJSON takes its allocator from a process-wide hook without an argument; the arena of the parse
 * under way in this thread therefore travels in a thread-local variable. */
static _Thread_local struct arena *parse_arena;

static void *hook_allocate(size_t bytes)
{
    return parse_arena ? arena_alloc(parse_arena, bytes) : NULL;
}

static void hook_free(void *memory)
{
    (void)memory; /* the arena's reset frees everything */
}

static void install_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = hook_allocate, .free_fn = hook_free};
    cJSON_InitHooks(&hooks);
}

/* ---- from cJSON's nodes to ours ---- */

static enum json_type type_of(const cJSON *item)
{
    switch (item->type & 0xFF) {
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

/* Texts stay where cJSON put them, which is the arena too. Recursion is bounded by JSON_MAX_DEPTH,
 * which scan_text() has enforced. */
static enum status convert(const cJSON *item, struct arena *arena, struct json *ret_value,
                           struct error *err)
{
    *ret_value = (struct json){.key = item->string, .type = type_of(item)};
    if (ret_value->type == JSON_BOOL)
        ret_value->flag = (item->type & 0xFF) == cJSON_True;
    else if (ret_value->type == JSON_NUMBER)
        ret_value->number = item->valuedouble;
    else if (ret_value->type == JSON_STRING)
        ret_value->text = item->valuestring;
    if (ret_value->type == JSON_NUMBER && !isfinite(ret_value->number))
        return fail_field(err, STATUS_INVALID, ret_value->key ? ret_value->key : "value",
                          "the number is too large");
    struct json **link = &ret_value->first;
    for (const cJSON *item_child = item->child; item_child; item_child = item_child->next) {
        struct json *child = ARENA_NEW(arena, struct json);
        if (!child)
            return fail(err, STATUS_NO_MEMORY, "out of memory");
        TRY(convert(item_child, arena, child, err));
        *link = child;
        link = &child->next;
    }
    const char *twice = NULL;
    if (ret_value->type == JSON_OBJECT && !json_find_duplicate(ret_value, arena, &twice))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (twice)
        return fail_field(err, STATUS_INVALID, twice, "the key stands twice in one object");
    return STATUS_OK;
}

/* Bytes of text from here on, which the scan has passed: parsed, and whole. What is refused is told
 * by its place in `all`. */
static enum status parse_scanned(const char *all, const char *text, size_t length,
                                 struct arena *arena, struct json **ret_root, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_hooks);
    struct json *value = ARENA_NEW(arena, struct json);
    if (!value)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    parse_arena = arena;
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    parse_arena = NULL;
    if (!root)
        return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: %s",
                    end ? (size_t)(end - all) : 0,
                    length == 0 ? "the text is empty" : "unexpected text");
    for (; end < text + length; end++)
        if (!strchr(" \t\r\n", *end))
            return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: text behind the end",
                        (size_t)(end - all));
    TRY(convert(root, arena, value, err));
    *ret_root = value;
    return STATUS_OK;
}

static enum status parse_text(const char *all, const char *text, size_t length, struct arena *arena,
                              struct json **ret_root, struct error *err)
{
    *ret_root = json_read_plain(text, length, arena);
    return *ret_root ? STATUS_OK : parse_scanned(all, text, length, arena, ret_root, err);
}

enum status json_parse_any(const char *text, size_t length, struct arena *arena,
                           const struct json **ret_value, struct error *err)
{
    struct json_scan scan = {.text = text, .length = length};
    struct json *root = NULL;
    TRY(json_scan(&scan, length, err));
    TRY(parse_scanned(text, text, length, arena, &root, err));
    *ret_value = root;
    return STATUS_OK;
}

enum status json_parse(const char *text, size_t length, struct arena *arena,
                       const struct json **ret_value, struct error *err)
{
    *ret_value = json_read_plain(text, length, arena);
    return *ret_value ? STATUS_OK : json_parse_any(text, length, arena, ret_value, err);
}

/* ---- in steps ---- */

struct json_parser {
    char *text;
    size_t length;
    struct arena *arena;
    struct json_scan scan;
    struct json_cuts cuts;
    struct json *root; /* NULL: the text is being checked */
    size_t array;      /* whose slices are parsed */
    size_t slice;      /* the next one */
    struct json *into; /* that array */
    struct json *last; /* of its elements; NULL: none yet */
};

enum status json_parser_new(char *text, size_t length, size_t slice_bytes, struct arena *arena,
                            struct json_parser **ret_parser, struct error *err)
{
    struct json_parser *parser = ARENA_NEW(arena, struct json_parser);
    if (!parser)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *parser = (struct json_parser){.text = text, .length = length, .arena = arena};
    TRY(json_cuts_init(&parser->cuts, length, slice_bytes, arena, err));
    parser->scan = (struct json_scan){.text = text, .length = length, .cuts = &parser->cuts};
    *ret_parser = parser;
    return STATUS_OK;
}

/* The text without the elements of arrays that were cut. */
static enum status parse_skeleton(struct json_parser *parser, struct error *err)
{
    const struct json_cuts *cuts = &parser->cuts;
    char *text = arena_alloc(parser->arena, parser->length);
    if (!text)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t from = 0;
    size_t n = 0;
    for (size_t i = 0; i < cuts->n_arrays; i++) {
        memcpy(text + n, parser->text + from, cuts->arrays[i].open + 1 - from);
        n += cuts->arrays[i].open + 1 - from;
        from = cuts->arrays[i].close;
    }
    memcpy(text + n, parser->text + from, parser->length - from);
    n += parser->length - from;
    if (parse_text(text, text, n, parser->arena, &parser->root, err) == STATUS_OK)
        return STATUS_OK;
    /* The place of what is wrong is found by parsing the whole. */
    parser->cuts.n_arrays = 0;
    return parse_text(parser->text, parser->text, parser->length, parser->arena, &parser->root,
                      err);
}

static struct json *find_array(struct json *root, const struct json_cut_array *array)
{
    struct json *item = root;
    for (unsigned d = 0; d + 1 < array->depth; d++) {
        item = item->first;
        for (uint32_t i = 0; i < array->path[d]; i++)
            item = item->next;
    }
    return item;
}

/* Some elements of an array, in place: the comma or bracket on either side of them becomes a
 * bracket for as long as it takes. */
static enum status parse_slice(struct json_parser *parser, struct error *err)
{
    const struct json_cut_array *array = &parser->cuts.arrays[parser->array];
    const size_t *at = parser->cuts.at + array->first_cut;
    if (parser->slice == 0) {
        parser->into = find_array(parser->root, array);
        parser->last = NULL;
    }
    char *begin = parser->text + (parser->slice == 0 ? array->open : at[parser->slice - 1]);
    char *end = parser->text + (parser->slice == array->n_cuts ? array->close : at[parser->slice]);
    char before = *begin;
    char behind = *end;
    *begin = '[';
    *end = ']';
    struct json *some = NULL;
    enum status status =
        parse_text(parser->text, begin, (size_t)(end - begin) + 1, parser->arena, &some, err);
    *begin = before;
    *end = behind;
    if (status != STATUS_OK)
        return status;
    if (!some->first)
        return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: unexpected text",
                    (size_t)(end - parser->text));
    if (parser->last)
        parser->last->next = some->first;
    else
        parser->into->first = some->first;
    for (parser->last = some->first; parser->last->next;)
        parser->last = parser->last->next;
    if (++parser->slice > array->n_cuts) {
        parser->slice = 0;
        parser->array++;
    }
    return STATUS_OK;
}

enum status json_parser_step(struct json_parser *parser, const struct json **ret_value,
                             struct error *err)
{
    *ret_value = NULL;
    if (parser->scan.at < parser->length)
        return json_scan(&parser->scan, parser->scan.at + parser->cuts.slice_bytes, err);
    if (!parser->root)
        TRY(parse_skeleton(parser, err));
    else
        TRY(parse_slice(parser, err));
    if (parser->array == parser->cuts.n_arrays)
        *ret_value = parser->root;
    return STATUS_OK;
}

enum status json_parse_file(const char *path, struct arena *arena, const struct json **ret_value,
                            struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(path, MAX_FILE_BYTES, &text, &bytes, err));
    enum status status = json_parse(text, bytes, arena, ret_value, err);
    return status == STATUS_OK ? status : fail_prefix(err, status, "%s", path);
}
