/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/schema.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/config.h"
#include "base/text.h"

/* What a header's key means. Keys are numbered by the intern; meanings stand at the same index. */
struct meaning {
    enum schema_role role;
    const struct profile_field *field;
    enum schema_unit unit;
    bool is_exact; /* the field's own name */
};

struct user_column {
    const char *key;
    struct meaning meaning;
};

struct user_table {
    const char *name;
    struct user_column *columns;
    size_t n_columns, max_columns;
    struct user_table *next;
};

struct schema {
    struct arena *arena;
    struct intern keys;
    struct meaning *meanings; /* [capacity] */
    size_t capacity;
    struct user_table *tables; /* by file name */
};

static const struct {
    const char *field; /* "": handle or name */
    enum schema_unit unit;
    const char *headers;
} alias_rows[] = {
#define ALIAS(field_, unit_, headers_) {#field_, UNIT_##unit_, (headers_)},
#define IDENTITY(headers_) {"", UNIT_AUTO, (headers_)},
#define SCHEMA(name_, needs_, renames_, help_)
#include "dataset/schemas.def"
#undef ALIAS
#undef IDENTITY
#undef SCHEMA
};

static const struct schema_table tables[] = {
#define ALIAS(field_, unit_, headers_)
#define IDENTITY(headers_)
#define SCHEMA(name_, needs_, renames_, help_) \
    {.name = (name_), .needs = (needs_), .renames = (renames_)},
#include "dataset/schemas.def"
#undef ALIAS
#undef IDENTITY
#undef SCHEMA
};

static void key_of(const char *header, char ret_key[static WORDS_KEY_BYTES])
{
    struct words words;
    words_split(header, &words);
    words_join(&words, ret_key);
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory for the schemas");
}

static enum status add_meaning(struct schema *schema, const char *header, struct meaning meaning,
                               struct error *err)
{
    char key[WORDS_KEY_BYTES];
    key_of(header, key);
    uint32_t number = intern_put(&schema->keys, key, strlen(key));
    if (number == INTERN_NONE)
        return no_memory(err);
    if (number >= schema->capacity) {
        size_t capacity = schema->capacity ? schema->capacity * 2 : 512;
        struct meaning *meanings = ARENA_ARRAY(schema->arena, struct meaning, capacity);
        if (!meanings)
            return no_memory(err);
        if (schema->capacity > 0)
            memcpy(meanings, schema->meanings, schema->capacity * sizeof *meanings);
        schema->meanings = meanings;
        schema->capacity = capacity;
    }
    if (schema->meanings[number].role == SCHEMA_NONE) /* the first row counts */
        schema->meanings[number] = meaning;
    return STATUS_OK;
}

static enum status add_aliases(struct schema *schema, const char *headers, struct meaning meaning,
                               struct error *err)
{
    for (const char *at = headers;;) {
        size_t length = strcspn(at, "|");
        char header[WORDS_KEY_BYTES];
        snprintf(header, sizeof header, "%.*s", (int)length, at);
        TRY(add_meaning(schema, header, meaning, err));
        if (at[length] == '\0')
            return STATUS_OK;
        at += length + 1;
    }
}

static enum status add_builtin(struct schema *schema, struct error *err)
{
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        struct meaning meaning = {SCHEMA_FIELD, &profile_fields[i], UNIT_AUTO, true};
        if (profile_fields[i].index == PROFILE_name && profile_fields[i].kind == PROFILE_TEXT)
            meaning = (struct meaning){.role = SCHEMA_IDENTITY};
        TRY(add_meaning(schema, profile_fields[i].name, meaning, err));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(alias_rows); i++) {
        const char *name = alias_rows[i].field;
        struct meaning meaning = {SCHEMA_IDENTITY, NULL, alias_rows[i].unit, false};
        if (name[0] != '\0') {
            meaning.role = SCHEMA_FIELD;
            meaning.field = profile_field_find(name, strlen(name));
        }
        TRY(add_aliases(schema, alias_rows[i].headers, meaning, err));
    }
    return STATUS_OK;
}

/* ---- the user's tables ---- */

struct ini {
    struct schema *schema;
    struct user_table *table;
};

static enum status parse_meaning(const char *value, struct meaning *ret_meaning, struct error *err)
{
    static const char *const units[] = {"auto",     "percent",  "fraction", "thousands",
                                        "millions", "billions", "length",   "presence"};
    size_t length = strcspn(value, " \t,");
    const char *unit = value + length + strspn(value + length, " \t,");
    const struct profile_field *field = profile_field_find(value, length);
    if (!field || length == 0)
        return fail(err, STATUS_INVALID, "'%.*s' is no field of a profile", (int)length, value);
    *ret_meaning = (struct meaning){.role = SCHEMA_FIELD, .field = field};
    if (unit[0] == '\0')
        return STATUS_OK;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (strcmp(unit, units[i]) == 0) {
            ret_meaning->unit = (enum schema_unit)i;
            return STATUS_OK;
        }
    }
    return fail(
        err, STATUS_INVALID,
        "'%s' is no unit: percent, fraction, thousands, millions, billions, length, presence",
        unit);
}

static enum status on_pair(void *user, const char *section, const char *name, const char *value,
                           struct error *err)
{
    struct ini *ini = user;
    struct user_table *table = ini->table;
    struct arena *arena = ini->schema->arena;
    if (strcmp(section, "table") == 0 && strcmp(name, "name") == 0) {
        table->name = arena_strdup(arena, value);
        return table->name ? STATUS_OK : no_memory(err);
    }
    if (strcmp(section, "columns") != 0)
        return fail(err, STATUS_INVALID, "[%s] %s: only [table] name and [columns] are known",
                    section, name);
    if (table->n_columns == table->max_columns) {
        size_t wanted = table->max_columns ? table->max_columns * 2 : 16;
        struct user_column *columns = ARENA_ARRAY(arena, struct user_column, wanted);
        if (!columns)
            return no_memory(err);
        if (table->n_columns > 0)
            memcpy(columns, table->columns, table->n_columns * sizeof *columns);
        table->columns = columns;
        table->max_columns = wanted;
    }
    struct user_column *column = &table->columns[table->n_columns];
    TRY(parse_meaning(value, &column->meaning, err));
    char key[WORDS_KEY_BYTES];
    key_of(name, key);
    column->key = arena_strdup(arena, key);
    if (!column->key)
        return no_memory(err);
    table->n_columns++;
    return STATUS_OK;
}

static enum status load_table(struct schema *schema, const char *dir, const char *file,
                              struct error *err)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", dir, file);
    if (length < 0 || (size_t)length >= sizeof path)
        return fail(err, STATUS_INVALID, "%s: path is too long", dir);
    struct ini ini = {schema, ARENA_NEW(schema->arena, struct user_table)};
    if (!ini.table)
        return no_memory(err);
    ini.table->name = arena_strndup(schema->arena, file, strlen(file) - strlen(".ini"));
    if (!ini.table->name)
        return no_memory(err);
    TRY(config_each_pair(path, on_pair, &ini, err));
    if (ini.table->n_columns == 0)
        return fail(err, STATUS_INVALID, "%s: has no [columns]", path);
    struct user_table **end = &schema->tables;
    while (*end)
        end = &(*end)->next;
    *end = ini.table;
    return STATUS_OK;
}

static int is_ini(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".ini") == 0;
}

static enum status load_tables(struct schema *schema, const char *dir, struct error *err)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, is_ini, alphasort);
    if (n < 0)
        return fail_errno(err, "%s", dir);
    enum status status = STATUS_OK;
    for (int i = 0; i < n; i++) {
        if (status == STATUS_OK)
            status = load_table(schema, dir, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum status schema_new(struct arena *arena, const char *schema_dir, struct schema **ret_schema,
                       struct error *err)
{
    struct schema *schema = ARENA_NEW(arena, struct schema);
    if (!schema)
        return no_memory(err);
    schema->arena = arena;
    intern_init(&schema->keys, arena);
    TRY(add_builtin(schema, err));
    if (schema_dir)
        TRY(load_tables(schema, schema_dir, err));
    *ret_schema = schema;
    return STATUS_OK;
}

/* ---- matching ---- */

static const struct meaning *find_meaning(const struct schema *schema, const struct words *words)
{
    char key[WORDS_KEY_BYTES];
    words_join(words, key);
    uint32_t number = intern_find(&schema->keys, key, strlen(key));
    return number == INTERN_NONE ? NULL : &schema->meanings[number];
}

static struct schema_match to_match(const struct meaning *meaning, enum schema_unit unit,
                                    const char *how)
{
    return (struct schema_match){
        .role = meaning->role,
        .field = meaning->field,
        .unit = unit != UNIT_AUTO ? unit : meaning->unit,
        .how = how,
    };
}

struct schema_match schema_match(const struct schema *schema, const char *header)
{
    struct words words;
    words_split(header, &words);
    const struct meaning *meaning = words.n > 0 ? find_meaning(schema, &words) : NULL;
    if (meaning)
        return to_match(meaning, UNIT_AUTO, meaning->is_exact ? "exact" : "alias");
    enum schema_unit unit = words_take_unit(&words);
    if (unit != UNIT_AUTO)
        meaning = find_meaning(schema, &words);
    if (!meaning) {
        words_drop_noise(&words);
        meaning = words.n > 0 ? find_meaning(schema, &words) : NULL;
    }
    return meaning ? to_match(meaning, unit, "alias") : (struct schema_match){0};
}

/* One letter wrong, missing, superfluous, or two neighbours swapped. O(n). */
static bool is_one_slip(const char *a, size_t n_a, const char *b, size_t n_b)
{
    if (n_a > n_b + 1 || n_b > n_a + 1)
        return false;
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i])
        i++;
    if (n_a != n_b)
        return strcmp(a + i + (n_a > n_b), b + i + (n_b > n_a)) == 0;
    if (i == n_a)
        return false;
    bool swapped = i + 1 < n_a && a[i] == b[i + 1] && a[i + 1] == b[i];
    return strcmp(a + i + 1, b + i + 1) == 0 || (swapped && strcmp(a + i + 2, b + i + 2) == 0);
}

struct schema_match schema_match_similar(const struct schema *schema, const char *header)
{
    enum {
        MIN_LETTERS = 7 /* shorter words have neighbours that mean something else */
    };
    struct words words;
    words_split(header, &words);
    enum schema_unit unit = words_take_unit(&words);
    words_drop_noise(&words);
    char key[WORDS_KEY_BYTES];
    words_join(&words, key);
    struct schema_match match = {0};
    size_t length = strlen(key);
    if (length < MIN_LETTERS)
        return match;
    for (size_t i = 0; i < schema->keys.n; i++) {
        const struct meaning *meaning = &schema->meanings[i];
        const char *known = schema->keys.texts[i];
        if (meaning->role != SCHEMA_FIELD || !is_one_slip(key, length, known, strlen(known)))
            continue;
        if (match.role != SCHEMA_NONE && match.field != meaning->field)
            return (struct schema_match){0};
        match = to_match(meaning, unit, "similar");
    }
    return match;
}

static const struct user_column *find_user_column(const struct user_table *table, const char *key)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].key, key) == 0)
            return &table->columns[i];
    return NULL;
}

/* Overlay a user's table whose columns are all there. */
static bool match_user_table(const struct user_table *table, const char *const *headers, size_t n,
                             struct schema_match *ret_matches)
{
    for (int pass = 0; pass < 2; pass++) {
        size_t n_found = 0;
        for (size_t i = 0; i < n; i++) {
            char key[WORDS_KEY_BYTES];
            key_of(headers[i], key);
            const struct user_column *column = find_user_column(table, key);
            n_found += column != NULL;
            if (column && pass == 1) {
                ret_matches[i] = to_match(&column->meaning, UNIT_AUTO, table->name);
                ret_matches[i].is_user_table = true;
            }
        }
        if (n_found < table->n_columns)
            return false;
    }
    return true;
}

void schema_match_table(const struct schema *schema, const char *const *headers, size_t n,
                        struct schema_match *ret_matches)
{
    for (size_t i = 0; i < n; i++)
        ret_matches[i] = schema_match(schema, headers[i]);
    for (const struct user_table *table = schema->tables; table; table = table->next)
        if (match_user_table(table, headers, n, ret_matches))
            break;
    for (size_t i = 0; i < n; i++) {
        if (ret_matches[i].role != SCHEMA_NONE)
            continue;
        struct schema_match match = schema_match_similar(schema, headers[i]);
        bool is_taken = match.role == SCHEMA_NONE;
        for (size_t k = 0; k < n && !is_taken; k++)
            is_taken = ret_matches[k].role == SCHEMA_FIELD && ret_matches[k].field == match.field;
        if (!is_taken)
            ret_matches[i] = match;
    }
}

const struct schema_table *schema_find_table(const bool has_field[static PROFILE_N_FIELDS])
{
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        bool fits = true;
        for (const char *at = tables[i].needs; *at && fits;) {
            size_t length = strcspn(at, " ");
            const struct profile_field *field = profile_field_find(at, length);
            fits = field && has_field[field - profile_fields];
            at += length + strspn(at + length, " ");
        }
        if (fits)
            return &tables[i];
    }
    return NULL;
}

const char *schema_nearest_alias(const struct schema *schema, const struct profile_field *field,
                                 const char *header)
{
    char key[WORDS_KEY_BYTES];
    key_of(header, key);
    const char *nearest = NULL;
    size_t best = strlen(key) / 3 + 1;
    for (size_t i = 0; i < schema->keys.n; i++) {
        size_t length = strlen(schema->keys.texts[i]);
        if (schema->meanings[i].field != field || length > strlen(key) + best ||
            length + best < strlen(key))
            continue;
        size_t distance = text_distance(key, schema->keys.texts[i]);
        if (distance < best) {
            best = distance;
            nearest = schema->keys.texts[i];
        }
    }
    return nearest;
}
