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

/* ---- the check before the parse ---- */

struct scan {
    const char *text;
    size_t length;
    size_t at;
    struct error *err;
};

static enum status refuse(const struct scan *scan, const char *reason)
{
    return fail(scan->err, STATUS_INVALID, "not valid JSON at byte %zu: %s", scan->at, reason);
}

static bool is_digit_at(const struct scan *scan)
{
    return scan->at < scan->length && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9';
}

static enum status scan_digits(struct scan *scan)
{
    if (!is_digit_at(scan))
        return refuse(scan, "a digit must follow");
    while (is_digit_at(scan))
        scan->at++;
    return STATUS_OK;
}

static enum status scan_number(struct scan *scan)
{
    size_t start = scan->at;
    if (scan->text[scan->at] == '-')
        scan->at++;
    bool zero = scan->at < scan->length && scan->text[scan->at] == '0';
    size_t digits = scan->at;
    TRY(scan_digits(scan));
    if (zero && scan->at - digits > 1)
        return refuse(scan, "a number must not start with 0");
    if (scan->at < scan->length && scan->text[scan->at] == '.') {
        scan->at++;
        TRY(scan_digits(scan));
    }
    if (scan->at < scan->length && (scan->text[scan->at] | 32) == 'e') {
        scan->at++;
        if (scan->at < scan->length && (scan->text[scan->at] == '+' || scan->text[scan->at] == '-'))
            scan->at++;
        TRY(scan_digits(scan));
    }
    /* cJSON copies a number into 64 bytes and cuts the rest off. */
    if (scan->at - start > 60)
        return refuse(scan, "a number has more than 60 characters");
    return STATUS_OK;
}

static enum status scan_string(struct scan *scan)
{
    for (scan->at++; scan->at < scan->length;) {
        unsigned char c = (unsigned char)scan->text[scan->at];
        if (c == '"') {
            scan->at++;
            return STATUS_OK;
        }
        if (c < 0x20)
            return refuse(scan, "a control character in a string must be escaped");
        if (c == '\\') {
            if (scan->length - scan->at >= 6 && memcmp(scan->text + scan->at, "\\u0000", 6) == 0)
                return refuse(scan, "\\u0000 is not taken");
            scan->at += 2;
            continue;
        }
        uint32_t code;
        size_t step = text_utf8_step(scan->text + scan->at, scan->length - scan->at, &code);
        if (step == 0)
            return refuse(scan, "malformed UTF-8");
        scan->at += step;
    }
    scan->at = scan->length;
    return refuse(scan, "a string is not closed");
}

static enum status scan_text(struct scan *scan)
{
    unsigned depth = 0;
    while (scan->at < scan->length) {
        char c = scan->text[scan->at];
        if (c == '"') {
            TRY(scan_string(scan));
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            TRY(scan_number(scan));
        } else {
            if ((c == '{' || c == '[') && ++depth > JSON_MAX_DEPTH)
                return fail(scan->err, STATUS_INVALID,
                            "not taken at byte %zu: nested deeper than %d levels", scan->at,
                            JSON_MAX_DEPTH);
            if ((c == '}' || c == ']') && depth > 0)
                depth--;
            if (c != '\t' && c != '\n' && c != '\r' && c != ' ' && !strchr("{}[],:", c) &&
                !(c >= 'a' && c <= 'z'))
                return refuse(scan, "unexpected character");
            if (c == '\0')
                return refuse(scan, "a NUL byte");
            scan->at++;
        }
    }
    return STATUS_OK;
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

enum status json_parse(const char *text, size_t length, struct arena *arena,
                       const struct json **ret_value, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install_hooks);

    struct scan scan = {.text = text, .length = length, .err = err};
    TRY(scan_text(&scan));
    parse_arena = arena;
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    parse_arena = NULL;
    if (!root)
        return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: %s",
                    end ? (size_t)(end - text) : 0,
                    length == 0 ? "the text is empty" : "unexpected text");
    for (; end < text + length; end++)
        if (!strchr(" \t\r\n", *end))
            return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: text behind the end",
                        (size_t)(end - text));
    TRY(check_values(root, arena, err));
    *ret_value = value_of(root);
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
