/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/openapi_schemas.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/tensor.h"
#include "serve/config.h"
#include "serve/v2.h"

/* A row of openapi.def. */
struct shape {
    const char *name, *members, *help;
};

#define OPTIONS                                                                     \
    "strict?:Flag explain?:Flag k?:Count exclude?:Handles min_followers?:Quantity " \
    "max_followers?:Quantity filter?:Filter"
#define LACKING " imputed_columns?:string[] " /* of the table's own */
#define UNKNOWN "unknown_fields?:string[] unknown_fields_more?:integer"

static const struct shape shapes[] = {
#define SHAPE(name, members, help) {#name, members, help},
#define PREDICTION(name, members, help)                                                            \
    {#name "Reply", "model:string handle?:string " members LACKING UNKNOWN, help},                 \
        {#name "Item", "handle?:string " members LACKING UNKNOWN, help " of one instance"},        \
        {#name "Prediction", "=" #name "Item Error", help ", or what is wrong with the instance"}, \
        {#name "Batch", "model:string predictions:" #name "Prediction[] " UNKNOWN,                 \
         "in the order of the instances"},
#include "serve/openapi.def"
#undef SHAPE
#undef PREDICTION
};

/* ---- types ---- */

static bool ends_with(const char *type, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length > n && memcmp(type + length - n, end, n) == 0;
}

static void put_union(struct json_writer *w, const char *types, size_t length);

static void put_base(struct json_writer *w, const char *type, size_t length)
{
    if (type[0] >= 'A' && type[0] <= 'Z' && !memchr(type, '|', length)) {
        char reference[96];
        snprintf(reference, sizeof reference, "#/components/schemas/%.*s", (int)length, type);
        json_member_string(w, "$ref", reference);
    } else if (memchr(type, '|', length)) {
        json_member_string(w, "type", "string");
        json_put_key(w, "enum");
        json_begin_array(w);
        for (const char *end = type + length; type < end;) {
            const char *bar = memchr(type, '|', (size_t)(end - type));
            size_t n = (size_t)((bar ? bar : end) - type);
            json_put_string_n(w, type, n);
            type += n + 1;
        }
        json_end_array(w);
    } else if (length != 3 || memcmp(type, "any", 3) != 0) {
        json_put_key(w, "type");
        json_put_string_n(w, type, length);
    }
}

static void put_type(struct json_writer *w, const char *type, size_t length)
{
    json_begin_object(w);
    if (type[0] == '=') {
        put_union(w, type + 1, length - 1);
    } else if (ends_with(type, length, "[]")) {
        json_member_string(w, "type", "array");
        json_put_key(w, "items");
        put_type(w, type, length - 2);
    } else if (ends_with(type, length, "{}")) {
        json_member_string(w, "type", "object");
        json_put_key(w, "additionalProperties");
        put_type(w, type, length - 2);
    } else if (ends_with(type, length, "~")) {
        json_put_key(w, "anyOf");
        json_begin_array(w);
        put_type(w, type, length - 1);
        put_type(w, "null", 4);
        json_end_array(w);
    } else {
        put_base(w, type, length);
    }
    json_end_object(w);
}

/* The next word, with the spaces before it passed over; length 0: there is none. */
static size_t next_word(const char **text, const char *end)
{
    while (*text < end && **text == ' ')
        ++*text;
    const char *space = memchr(*text, ' ', (size_t)(end - *text));
    return (size_t)((space ? space : end) - *text);
}

static void put_union(struct json_writer *w, const char *types, size_t length)
{
    const char *end = types + length;
    json_put_key(w, "anyOf");
    json_begin_array(w);
    for (size_t n; (n = next_word(&types, end)) > 0; types += n)
        put_type(w, types, n);
    json_end_array(w);
}

void openapi_put_type(struct json_writer *w, const char *type)
{
    put_type(w, type, strlen(type));
}

/* ---- objects ---- */

static void put_properties(struct json_writer *w, const char *members)
{
    const char *end = members + strlen(members);
    for (size_t n; (n = next_word(&members, end)) > 0; members += n) {
        const char *colon = memchr(members, ':', n);
        size_t name = (size_t)(colon - members);
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)(name - (colon[-1] == '?')), members);
        json_put_key(w, key);
        put_type(w, colon + 1, n - name - 1);
    }
}

static void put_required(struct json_writer *w, const char *members)
{
    const char *end = members + strlen(members);
    json_put_key(w, "required");
    json_begin_array(w);
    for (size_t n; (n = next_word(&members, end)) > 0; members += n) {
        const char *colon = memchr(members, ':', n);
        if (colon[-1] != '?')
            json_put_string_n(w, members, (size_t)(colon - members));
    }
    json_end_array(w);
}

static void put_shape(struct json_writer *w, const struct shape *shape)
{
    json_put_key(w, shape->name);
    json_begin_object(w);
    if (shape->help[0])
        json_member_string(w, "description", shape->help);
    if (shape->members[0] == '=') {
        put_union(w, shape->members + 1, strlen(shape->members + 1));
    } else {
        json_member_string(w, "type", "object");
        put_required(w, shape->members);
        json_put_key(w, "properties");
        json_begin_object(w);
        put_properties(w, shape->members);
        json_end_object(w);
    }
    json_end_object(w);
}

/* ---- fields ---- */

static void put_types(struct json_writer *w, const char *const *types)
{
    json_put_key(w, "type");
    json_begin_array(w);
    for (; *types; types++)
        json_put_string(w, *types);
    json_end_array(w);
}

/* As profile/from_json.c reads it: numbers, texts as people write them, null for missing. */
static void put_asked_type(struct json_writer *w, const struct profile_field *field)
{
    bool is_text = field->kind == PROFILE_TEXT || field->kind == PROFILE_MONTH;
    if (is_text)
        put_types(w, (const char *const[]){"string", "null", NULL});
    else if (field->kind == PROFILE_FLAG)
        put_types(w, (const char *const[]){"boolean", "number", "string", "null", NULL});
    else
        put_types(w, (const char *const[]){"number", "string", "null", NULL});
    if (is_text)
        return;
    json_member_number(w, "minimum", field->min);
    json_member_number(w, "maximum", field->max);
}

/* As profile/to_json.c writes it. */
static void put_answered_type(struct json_writer *w, const struct profile_field *field)
{
    json_member_string(w, "type",
                       field->kind == PROFILE_FLAG                                   ? "boolean"
                       : field->kind == PROFILE_TEXT || field->kind == PROFILE_MONTH ? "string"
                                                                                     : "number");
}

static void put_fields(struct json_writer *w,
                       void (*put)(struct json_writer *w, const struct profile_field *field))
{
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        const struct profile_field *field = &profile_fields[i];
        char help[256];
        bool has_unit = field->unit[0] && field->kind != PROFILE_MONTH;
        snprintf(help, sizeof help, "%s%s%s%s", field->help, has_unit ? " (" : "",
                 has_unit ? field->unit : "", has_unit ? ")" : "");
        json_put_key(w, field->name);
        json_begin_object(w);
        json_member_string(w, "description", help);
        put(w, field);
        if (field->kind == PROFILE_TEXT)
            json_member_integer(w, "maxLength", (int64_t)field->max_bytes);
        json_end_object(w);
    }
}

/* Columns of the training table's own that the model reads. */
static void put_own(struct json_writer *w, const struct engine *engine)
{
    const struct own_columns *own = engine_own_columns(engine);
    for (size_t i = 0; i < own->n; i++) {
        if (own_columns_is_reserved(own->columns[i].name))
            continue;
        json_put_key(w, own->columns[i].name);
        json_begin_object(w);
        json_member_string(w, "description",
                           own->columns[i].is_text
                               ? "a text of the training table's own, which the model reads"
                               : "a number of the training table's own, which the model reads");
        put_types(w, (const char *const[]){"number", "string", "boolean", "null", NULL});
        json_end_object(w);
    }
}

static void put_profiles(struct json_writer *w, const struct engine *engine)
{
    json_put_key(w, "Profile");
    json_begin_object(w);
    json_member_string(w, "description",
                       "every field is optional; a handle alone means the catalogued influencer");
    json_member_string(w, "type", "object");
    json_put_key(w, "properties");
    json_begin_object(w);
    put_fields(w, put_asked_type);
    put_own(w, engine);
    json_end_object(w);
    json_end_object(w);

    json_put_key(w, "CataloguedProfile");
    json_begin_object(w);
    json_member_string(w, "type", "object");
    json_put_key(w, "properties");
    json_begin_object(w);
    put_fields(w, put_answered_type);
    json_end_object(w);
    json_end_object(w);
}

static void put_count(struct json_writer *w)
{
    json_put_key(w, "Count");
    json_begin_object(w);
    put_types(w, (const char *const[]){"integer", "string", "null", NULL});
    json_member_integer(w, "minimum", 1);
    json_member_integer(w, "maximum", SIMILAR_MAX_K);
    json_end_object(w);
}

/* One profile with options beside its fields, and many of them. */
static void put_questions(struct json_writer *w, const struct engine *engine,
                          const struct serve_config *config)
{
    json_put_key(w, "Question");
    json_begin_object(w);
    json_member_string(w, "description", "a profile, and options beside its fields");
    json_member_string(w, "type", "object");
    json_member_integer(w, "minProperties", 1);
    json_put_key(w, "not");
    json_put_raw(w, "{\"required\":[\"instances\"]}", strlen("{\"required\":[\"instances\"]}"));
    json_put_key(w, "properties");
    json_begin_object(w);
    put_fields(w, put_asked_type);
    put_own(w, engine);
    put_properties(w, OPTIONS);
    json_end_object(w);
    json_end_object(w);

    json_put_key(w, "Questions");
    json_begin_object(w);
    json_member_string(w, "description", "profiles; a bad one is answered in its place");
    json_member_string(w, "type", "object");
    put_required(w, "instances:Profile[]");
    json_put_key(w, "properties");
    json_begin_object(w);
    json_put_key(w, "instances");
    json_begin_object(w);
    json_member_string(w, "type", "array");
    json_member_integer(w, "minItems", 1);
    json_member_integer(w, "maxItems", config->predict_max_instances);
    json_put_key(w, "items");
    openapi_put_type(w, "Profile");
    json_end_object(w);
    put_properties(w, OPTIONS);
    json_end_object(w);
    json_end_object(w);
}

/* ---- names ---- */

static void begin_names(struct json_writer *w, const char *name)
{
    json_put_key(w, name);
    json_begin_object(w);
    json_member_string(w, "type", "string");
    json_put_key(w, "enum");
    json_begin_array(w);
}

static void end_names(struct json_writer *w)
{
    json_end_array(w);
    json_end_object(w);
}

static bool spec_has(const struct feature_spec *spec, const char *name)
{
    for (size_t i = 0; spec && i < spec->n_columns; i++)
        if (strcmp(spec->columns[i].name, name) == 0)
            return true;
    return false;
}

static bool was_before(const struct engine *engine, size_t model, const char *name)
{
    for (size_t i = 0; i < model; i++)
        if (spec_has(engine_spec(engine, (enum engine_model)i), name))
            return true;
    return false;
}

/* What a model reads: its features, or those alone that a tensor may bring. */
static void put_features(struct json_writer *w, const struct engine *engine, bool for_tensors)
{
    size_t n_models = for_tensors ? ENGINE_N_MODELS : ENGINE_SCORE + 1;
    begin_names(w, for_tensors ? "V2FeatureName" : "FeatureName");
    for (size_t m = 0; m < n_models; m++) {
        const struct feature_spec *spec = engine_spec(engine, (enum engine_model)m);
        for (size_t i = 0; spec && i < spec->n_columns; i++)
            if ((!for_tensors || spec->columns[i].feature != FEATURE_N) &&
                !was_before(engine, m, spec->columns[i].name))
                json_put_string(w, spec->columns[i].name);
    }
    end_names(w);
}

static void put_tiers(struct json_writer *w, const struct engine *engine)
{
    size_t n = 0;
    const char *const *names = engine_tier_names(engine, &n);
    begin_names(w, "TierName");
    for (size_t i = 0; i < n; i++)
        json_put_string(w, names[i]);
    end_names(w);
    json_put_key(w, "Probabilities");
    json_begin_object(w);
    json_member_string(w, "type", "object");
    json_put_key(w, "required");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_put_string(w, names[i]);
    json_end_array(w);
    json_put_key(w, "properties");
    json_begin_object(w);
    for (size_t i = 0; i < n; i++) {
        json_put_key(w, names[i]);
        openapi_put_type(w, "number");
    }
    json_end_object(w);
    json_end_object(w);
}

static void put_fixed_names(struct json_writer *w)
{
    begin_names(w, "FieldName");
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++)
        json_put_string(w, profile_fields[i].name);
    end_names(w);
    begin_names(w, "ModelName");
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        json_put_string(w, v2_models[i].name);
    end_names(w);
    begin_names(w, "Datatype");
    for (size_t i = 0; i < TENSOR_N_TYPES; i++)
        json_put_string(w, tensor_type_name((enum tensor_type)i));
    end_names(w);
}

void openapi_put_schemas(struct json_writer *w, const struct engine *engine,
                         const struct serve_config *config)
{
    json_begin_object(w);
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++)
        put_shape(w, &shapes[i]);
    put_profiles(w, engine);
    put_count(w);
    put_questions(w, engine, config);
    put_fixed_names(w);
    put_features(w, engine, false);
    put_features(w, engine, true);
    put_tiers(w, engine);
    json_end_object(w);
}
