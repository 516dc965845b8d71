/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_scan.h"

#define MAX_FILE_BYTES (64u << 20)

/* `struct json` is cJSON's node under our name, so that nobody else sees cJSON. */
static const cJSON *node(const struct json *value)
{
    return (const cJSON *)(const void *)value;
}

static const struct json *value_of(const cJSON *item)
{
    return (const struct json *)(const void *)item;
}

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

/* ---- the check after the parse ---- */

static enum status refuse_duplicate(const char *key, struct error *err)
{
    return fail_field(err, STATUS_INVALID, key, "the key stands twice in one object");
}

/* Large objects are hashed: pairwise comparison of 100,000 keys would take minutes. */
static enum status check_keys_hashed(const cJSON *object, size_t n, struct arena *arena,
                                     struct error *err)
{
    size_t size = 64;
    while (size < 2 * n)
        size *= 2;
    const char **slots = ARENA_ARRAY(arena, const char *, size);
    if (!slots)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    for (const cJSON *child = object->child; child; child = child->next) {
        size_t slot = hash_xxh3(child->string, strlen(child->string)) & (size - 1);
        for (; slots[slot]; slot = (slot + 1) & (size - 1))
            if (strcmp(slots[slot], child->string) == 0)
                return refuse_duplicate(child->string, err);
        slots[slot] = child->string;
    }
    return STATUS_OK;
}

static enum status check_keys(const cJSON *object, struct arena *arena, struct error *err)
{
    enum {
        FEW = 24
    };
    size_t n = 0;
    for (const cJSON *child = object->child; child; child = child->next)
        if (++n > FEW)
            return check_keys_hashed(object, json_count(value_of(object)), arena, err);
    for (const cJSON *a = object->child; a; a = a->next)
        for (const cJSON *b = a->next; b; b = b->next)
            if (a->string[0] == b->string[0] && strcmp(a->string, b->string) == 0)
                return refuse_duplicate(a->string, err);
    return STATUS_OK;
}

/* Recursion is bounded by JSON_MAX_DEPTH, which scan_text() has enforced. */
static enum status check_values(const cJSON *item, struct arena *arena, struct error *err)
{
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
        return fail_field(err, STATUS_INVALID, item->string ? item->string : "value",
                          "the number is too large");
    if (cJSON_IsObject(item))
        TRY(check_keys(item, arena, err));
    for (const cJSON *child = item->child; child; child = child->next)
        TRY(check_values(child, arena, err));
    return STATUS_OK;
}

/* Bytes of text from here on: parsed, and whole. What is refused is told by its place in `all`. */
static enum status parse_text(const char *all, const char *text, size_t length, struct arena *arena,
                              cJSON **ret_root, struct error *err)
{
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
    TRY(check_values(root, arena, err));
    *ret_root = root;
    return STATUS_OK;
}

static void install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_hooks);
}

enum status json_parse(const char *text, size_t length, struct arena *arena,
                       const struct json **ret_value, struct error *err)
{
    install();
    struct json_scan scan = {.text = text, .length = length};
    cJSON *root = NULL;
    TRY(json_scan(&scan, length, err));
    TRY(parse_text(text, text, length, arena, &root, err));
    *ret_value = value_of(root);
    return STATUS_OK;
}

/* ---- in steps ---- */

struct json_parser {
    char *text;
    size_t length;
    struct arena *arena;
    struct json_scan scan;
    struct json_cuts cuts;
    cJSON *root;  /* NULL: the text is being checked */
    size_t array; /* whose slices are parsed */
    size_t slice; /* the next one */
    cJSON *into;  /* that array */
    cJSON *last;  /* of its elements; NULL: none yet */
};

enum status json_parser_new(char *text, size_t length, size_t slice_bytes, struct arena *arena,
                            struct json_parser **ret_parser, struct error *err)
{
    install();
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

static cJSON *find_array(cJSON *root, const struct json_cut_array *array)
{
    cJSON *item = root;
    for (unsigned d = 0; d + 1 < array->depth; d++) {
        item = item->child;
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
    cJSON *some = NULL;
    enum status status =
        parse_text(parser->text, begin, (size_t)(end - begin) + 1, parser->arena, &some, err);
    *begin = before;
    *end = behind;
    if (status != STATUS_OK)
        return status;
    if (!some->child)
        return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: unexpected text",
                    (size_t)(end - parser->text));
    if (parser->last)
        parser->last->next = some->child;
    else
        parser->into->child = some->child;
    some->child->prev = parser->last;
    for (parser->last = some->child; parser->last->next;)
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
        *ret_value = value_of(parser->root);
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

/* ---- access ---- */

enum json_type json_type(const struct json *value)
{
    const cJSON *item = node(value);
    if (!item)
        return JSON_ABSENT;
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

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"nothing",  "null",     "true or false", "a number",
                                        "a string", "an array", "an object"};
    return names[type];
}

size_t json_count(const struct json *value)
{
    size_t n = 0;
    for (const struct json *child = json_first(value); child; child = json_next(child))
        n++;
    return n;
}

const struct json *json_first(const struct json *value)
{
    return value ? value_of(node(value)->child) : NULL;
}

const struct json *json_next(const struct json *value)
{
    return value_of(node(value)->next);
}

const char *json_key(const struct json *value)
{
    return node(value)->string;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (json_type(object) != JSON_OBJECT)
        return NULL;
    for (const struct json *child = json_first(object); child; child = json_next(child))
        if (strcmp(json_key(child), key) == 0)
            return child;
    return NULL;
}

double json_number_or(const struct json *value, double otherwise)
{
    return json_type(value) == JSON_NUMBER ? node(value)->valuedouble : otherwise;
}

bool json_bool_or(const struct json *value, bool otherwise)
{
    return json_type(value) == JSON_BOOL ? (node(value)->type & 0xFF) == cJSON_True : otherwise;
}

const char *json_string_or(const struct json *value, const char *otherwise)
{
    return json_type(value) == JSON_STRING ? node(value)->valuestring : otherwise;
}

static enum status need(const struct json *object, const char *key, enum json_type type,
                        const struct json **ret_value, struct error *err)
{
    const struct json *value = json_get(object, key);
    if (json_type(value) != type)
        return fail_field(err, STATUS_INVALID, key, "must be %s, got %s", json_type_name(type),
                          json_type_name(json_type(value)));
    *ret_value = value;
    return STATUS_OK;
}

enum status json_need_number(const struct json *object, const char *key, double *ret_value,
                             struct error *err)
{
    const struct json *value = NULL;
    TRY(need(object, key, JSON_NUMBER, &value, err));
    *ret_value = json_number_or(value, 0);
    return STATUS_OK;
}

enum status json_need_string(const struct json *object, const char *key, const char **ret_value,
                             struct error *err)
{
    const struct json *value = NULL;
    TRY(need(object, key, JSON_STRING, &value, err));
    *ret_value = json_string_or(value, "");
    return STATUS_OK;
}
