/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

#include "base/hash.h"
#include "base/json_node.h"

/* ---- keys ---- */

/* Large objects are hashed: pairwise comparison of 100,000 keys would take minutes. */
static bool find_duplicate_hashed(const struct json *object, struct arena *arena,
                                  const char **ret_key)
{
    size_t n = json_count(object);
    size_t size = 64;
    while (size < 2 * n)
        size *= 2;
    const char **slots = ARENA_ARRAY(arena, const char *, size);
    if (!slots)
        return false;
    for (const struct json *child = object->first; child; child = child->next) {
        size_t slot = hash_xxh3(child->key, strlen(child->key)) & (size - 1);
        for (; slots[slot]; slot = (slot + 1) & (size - 1))
            if (strcmp(slots[slot], child->key) == 0) {
                *ret_key = child->key;
                return true;
            }
        slots[slot] = child->key;
    }
    return true;
}

bool json_find_duplicate(const struct json *object, struct arena *arena, const char **ret_key)
{
    enum {
        FEW = 24
    };
    size_t n = 0;
    *ret_key = NULL;
    for (const struct json *child = object->first; child; child = child->next)
        if (++n > FEW)
            return find_duplicate_hashed(object, arena, ret_key);
    for (const struct json *a = object->first; a; a = a->next)
        for (const struct json *b = a->next; b; b = b->next)
            if (a->key[0] == b->key[0] && strcmp(a->key, b->key) == 0) {
                *ret_key = a->key;
                return true;
            }
    return true;
}

/* ---- access ---- */

enum json_type json_type(const struct json *value)
{
    return value ? value->type : JSON_ABSENT;
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
    return json_type(value) == JSON_ARRAY || json_type(value) == JSON_OBJECT ? value->first : NULL;
}

const struct json *json_next(const struct json *value)
{
    return value->next;
}

const char *json_key(const struct json *value)
{
    return value->key;
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
    return json_type(value) == JSON_NUMBER ? value->number : otherwise;
}

bool json_bool_or(const struct json *value, bool otherwise)
{
    return json_type(value) == JSON_BOOL ? value->flag : otherwise;
}

const char *json_string_or(const struct json *value, const char *otherwise)
{
    return json_type(value) == JSON_STRING ? value->text : otherwise;
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
