/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include <ini.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

extern char **environ;

static const struct config_key *find_key(const struct config_table *table, const char *section,
                                         const char *name)
{
    for (size_t i = 0; i < table->n_keys; i++)
        if (strcmp(table->keys[i].section, section) == 0 && strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    return NULL;
}

/* A key before the first [section]: which one it belongs into. */
static enum status key_without_section(const struct config_table *table, const char *name,
                                       const char *place, struct error *err)
{
    for (size_t i = 0; i < table->n_keys; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return fail(err, STATUS_NOT_FOUND,
                        "%s%s: stands before any [section]; [%s] has such a key", place, name,
                        table->keys[i].section);
    return fail(err, STATUS_NOT_FOUND, "%s%s: stands before any [section]", place, name);
}

static enum status unknown_key(const struct config_table *table, const char *section,
                               const char *name, const char *place, struct error *err)
{
    if (section[0] == '\0')
        return key_without_section(table, name, place, err);
    char given[128];
    snprintf(given, sizeof given, "%s.%s", section, name);
    char best[160] = "";
    size_t best_distance = 5;
    for (size_t i = 0; i < table->n_keys; i++) {
        char known[128];
        snprintf(known, sizeof known, "%s.%s", table->keys[i].section, table->keys[i].name);
        size_t distance = text_distance(given, known);
        if (distance < best_distance) {
            best_distance = distance;
            snprintf(best, sizeof best, "; did you mean %s?", known);
        }
    }
    return fail(err, STATUS_NOT_FOUND, "%s%s: unknown key%s", place, given, best);
}

/* Position of `value` in "a|b|c", or -1. */
static int choice_index(const char *choices, const char *value)
{
    size_t length = strlen(value);
    int index = 0;
    for (const char *at = choices;; index++) {
        size_t width = strcspn(at, "|");
        if (width == length && memcmp(at, value, length) == 0)
            return index;
        if (at[width] == '\0')
            return -1;
        at += width + 1;
    }
}

static int parse_flag(const char *value)
{
    static const char *const names[] = {"off", "on", "false", "true", "no", "yes", "0", "1"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (text_equal_fold(value, names[i]))
            return (int)(i % 2);
    return -1;
}

static enum status bad_value(const struct config_key *key, const char *place, const char *value,
                             struct error *err)
{
    char allowed[256] = "";
    char low[TEXT_NUMBER_BYTES];
    char high[TEXT_NUMBER_BYTES];
    switch (key->type) {
    case CONFIG_INTEGER:
    case CONFIG_NUMBER:
        text_format_number(key->min, low);
        text_format_number(key->max, high);
        snprintf(allowed, sizeof allowed, "%s between %s and %s%s%s",
                 key->type == CONFIG_INTEGER ? "a whole number" : "a number", low, high,
                 key->unit[0] ? " " : "", key->unit);
        break;
    case CONFIG_FLAG:
        snprintf(allowed, sizeof allowed, "on or off");
        break;
    case CONFIG_CHOICE:
        snprintf(allowed, sizeof allowed, "one of %s", key->choices);
        break;
    case CONFIG_TEXT:
        snprintf(allowed, sizeof allowed, "text");
        break;
    }
    return fail(err, STATUS_INVALID, "%s%s.%s: must be %s, got '%s'", place, key->section,
                key->name, allowed, value);
}

static enum status store_value(const struct config_key *key, const char *value, const char *place,
                               void *target, struct arena *arena, struct error *err)
{
    char *member = (char *)target + key->offset;
    double number;
    int64_t integer;
    int index;
    char *text;
    switch (key->type) {
    case CONFIG_INTEGER:
        if (!text_parse_integer(value, strlen(value), &integer) || (double)integer < key->min ||
            (double)integer > key->max)
            return bad_value(key, place, value, err);
        memcpy(member, &integer, sizeof integer);
        return STATUS_OK;
    case CONFIG_NUMBER:
        if (!text_parse_number(value, strlen(value), &number) || !isfinite(number) ||
            number < key->min || number > key->max)
            return bad_value(key, place, value, err);
        memcpy(member, &number, sizeof number);
        return STATUS_OK;
    case CONFIG_FLAG:
        index = parse_flag(value);
        if (index < 0)
            return bad_value(key, place, value, err);
        *(bool *)(void *)member = index == 1;
        return STATUS_OK;
    case CONFIG_CHOICE:
        index = choice_index(key->choices, value);
        if (index < 0)
            return bad_value(key, place, value, err);
        memcpy(member, &index, sizeof index);
        return STATUS_OK;
    case CONFIG_TEXT:
        text = arena_strdup(arena, value);
        if (!text)
            return fail(err, STATUS_NO_MEMORY, "%s%s.%s: out of memory", place, key->section,
                        key->name);
        memcpy(member, &text, sizeof text);
        return STATUS_OK;
    }
    return STATUS_INTERNAL;
}

enum status config_set(const struct config_table *table, const char *section, const char *name,
                       const char *value, const char *place, void *target, struct arena *arena,
                       struct error *err)
{
    const struct config_key *key = find_key(table, section, name);
    if (!key)
        return unknown_key(table, section, name, place, err);
    return store_value(key, value, place, target, arena, err);
}

enum status config_set_defaults(const struct config_table *table, void *target, struct arena *arena,
                                struct error *err)
{
    for (size_t i = 0; i < table->n_keys; i++)
        TRY(store_value(&table->keys[i], table->keys[i].default_value, "default of ", target, arena,
                        err));
    return STATUS_OK;
}

struct pairs {
    config_pair_function take;
    void *user;
    struct error *err;
    enum status status;
};

/* inih's callback: 1 to go on, 0 for an error on this line. It goes on after an error: the first
 * one counts. */
static int on_line(void *user, const char *section, const char *name, const char *value)
{
    struct pairs *pairs = user;
    if (pairs->status == STATUS_OK)
        pairs->status = pairs->take(pairs->user, section, name, value, pairs->err);
    return pairs->status == STATUS_OK;
}

#define LONGEST_LINE (INI_MAX_LINE - 2) /* beside the line end and a NUL */

/* inih takes a longer line for several. So comments, which may well be longer, are emptied in
 * place; of the other lines the first that is too long is returned, 0: none. */
static int empty_comments(char *text)
{
    char *out = text;
    int n_lines = 0;
    int too_long = 0;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        const char *first = at + strspn(at, " \t");
        bool is_comment = *first == '#' || *first == ';';
        n_lines++;
        if (!is_comment && length > LONGEST_LINE && !too_long)
            too_long = n_lines;
        size_t kept = is_comment ? 0 : length;
        memmove(out, at, kept);
        out += kept;
        at += length;
        if (*at)
            *out++ = *at++;
    }
    *out = '\0';
    return too_long;
}

enum status config_each_pair(const char *path, config_pair_function take, void *user,
                             struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(path, 1u << 20, &text, &bytes, err));
    if (strlen(text) != bytes)
        return fail(err, STATUS_INVALID, "%s: has a NUL byte, text is needed", path);
    struct error inner = {0};
    struct pairs pairs = {take, user, &inner, STATUS_OK};
    int line = empty_comments(text);
    if (line > 0)
        return fail(err, STATUS_INVALID,
                    "%s:%d: too long: a line that is no comment may have %d bytes", path, line,
                    LONGEST_LINE);
    line = ini_parse_string(text, on_line, &pairs);
    if (pairs.status != STATUS_OK)
        return fail(err, pairs.status == STATUS_NOT_FOUND ? STATUS_INVALID : pairs.status,
                    "%s:%d: %.400s", path, line, inner.message);
    if (line != 0)
        return fail(err, STATUS_INVALID, "%s:%d: not a [section], a key = value or a # comment",
                    path, line);
    return STATUS_OK;
}

struct load {
    const struct config_table *table;
    void *target;
    struct arena *arena;
};

static enum status set_pair(void *user, const char *section, const char *name, const char *value,
                            struct error *err)
{
    const struct load *load = user;
    return config_set(load->table, section, name, value, "", load->target, load->arena, err);
}

enum status config_load_file(const struct config_table *table, const char *path, void *target,
                             struct arena *arena, struct error *err)
{
    struct load load = {table, target, arena};
    return config_each_pair(path, set_pair, &load, err);
}

static void variable_name(const struct config_key *key, const char *prefix, char *ret_name,
                          size_t size)
{
    snprintf(ret_name, size, "%s_%s_%s", prefix, key->section, key->name);
    for (char *c = ret_name; *c; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

enum status config_load_environment(const struct config_table *table, const char *prefix,
                                    void *target, struct arena *arena, struct error *err)
{
    size_t prefix_length = strlen(prefix);
    for (char **variable = environ; *variable; variable++) {
        if (strncmp(*variable, prefix, prefix_length) != 0 || (*variable)[prefix_length] != '_')
            continue;
        const char *equals = strchr(*variable, '=');
        if (!equals)
            continue;
        const struct config_key *found = NULL;
        char name[192];
        for (size_t i = 0; i < table->n_keys && !found; i++) {
            variable_name(&table->keys[i], prefix, name, sizeof name);
            size_t length = strlen(name);
            if (length == (size_t)(equals - *variable) && memcmp(name, *variable, length) == 0)
                found = &table->keys[i];
        }
        if (!found)
            return fail(err, STATUS_INVALID, "environment: %.*s: unknown key",
                        (int)(equals - *variable), *variable);
        TRY(store_value(found, equals + 1, "environment: ", target, arena, err));
    }
    return STATUS_OK;
}

enum status config_set_option(const struct config_table *table, const char *word, void *target,
                              struct arena *arena, struct error *err)
{
    const char *equals = strchr(word, '=');
    const char *dot = strchr(word, '.');
    if (strncmp(word, "--", 2) != 0 || !equals || !dot || dot > equals)
        return fail(err, STATUS_NOT_FOUND, "%s: unknown option", word);
    char section[64];
    char name[64];
    snprintf(section, sizeof section, "%.*s", (int)(dot - word - 2), word + 2);
    snprintf(name, sizeof name, "%.*s", (int)(equals - dot - 1), dot + 1);
    return config_set(table, section, name, equals + 1, "--", target, arena, err);
}

static void print_value(const struct config_key *key, const void *target, FILE *out)
{
    if (!target) {
        fputs(key->default_value, out);
        return;
    }
    const char *member = (const char *)target + key->offset;
    char text[TEXT_NUMBER_BYTES];
    int64_t integer;
    double number;
    int index;
    const char *string;
    switch (key->type) {
    case CONFIG_INTEGER:
        memcpy(&integer, member, sizeof integer);
        fprintf(out, "%lld", (long long)integer);
        break;
    case CONFIG_NUMBER:
        memcpy(&number, member, sizeof number);
        text_format_number(number, text);
        fputs(text, out);
        break;
    case CONFIG_FLAG:
        fputs(*(const bool *)(const void *)member ? "on" : "off", out);
        break;
    case CONFIG_CHOICE: {
        memcpy(&index, member, sizeof index);
        const char *at = key->choices;
        while (index-- > 0)
            at += strcspn(at, "|") + 1;
        fprintf(out, "%.*s", (int)strcspn(at, "|"), at);
        break;
    }
    case CONFIG_TEXT:
        memcpy(&string, member, sizeof string);
        fputs(string, out);
        break;
    }
}

static void print_range(const struct config_key *key, FILE *out)
{
    char low[TEXT_NUMBER_BYTES];
    char high[TEXT_NUMBER_BYTES];
    if (key->type == CONFIG_INTEGER || key->type == CONFIG_NUMBER) {
        text_format_number(key->min, low);
        text_format_number(key->max, high);
        fprintf(out, "%s to %s%s%s", low, high, key->unit[0] ? " " : "", key->unit);
    } else if (key->type == CONFIG_FLAG) {
        fputs("on or off", out);
    } else if (key->type == CONFIG_CHOICE) {
        fputs(key->choices, out);
    } else {
        fputs("text", out);
    }
}

void config_print(const struct config_table *table, const void *target, FILE *out)
{
    const char *section = "";
    for (size_t i = 0; i < table->n_keys; i++) {
        const struct config_key *key = &table->keys[i];
        if (strcmp(section, key->section) != 0) {
            section = key->section;
            fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "", section);
        }
        fprintf(out, "# %s (", key->help);
        print_range(key, out);
        fprintf(out, "; default %s)\n%s = ", key->default_value[0] ? key->default_value : "empty",
                key->name);
        print_value(key, target, out);
        fputc('\n', out);
    }
}

void config_print_help(const struct config_table *table, FILE *out)
{
    for (size_t i = 0; i < table->n_keys; i++) {
        const struct config_key *key = &table->keys[i];
        fprintf(out, "  --%s.%s=%s\n      %s (", key->section, key->name, key->default_value,
                key->help);
        print_range(key, out);
        fputs(")\n", out);
    }
}
