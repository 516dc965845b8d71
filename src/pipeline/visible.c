/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/visible.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "learn/leakage.h"
#include "pipeline/train_config.h"
#include "runtime/own_columns.h"

#define EXTRA_GROUP "extra"
#define EXTRA_PREFIX "extra:"
#define BY_DEFINITION "it defines the target, together with others or alone"

/* What a list of names stands for. */
struct named {
    bool features[FEATURE_N];
    uint64_t fields;
    bool texts[PROFILE_N_TEXTS];
    bool *extras; /* [n_extras] */
};

struct choosing {
    const struct table *table;
    const struct target *target;
    const struct visible_names *names;
    struct arena *arena;
    uint64_t allowed; /* fields */
    bool *allowed_extras;
    bool allowed_texts[PROFILE_N_TEXTS];
    struct visible *visible;
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- names ---- */

static bool name_group(const struct choosing *choosing, const char *name, struct named *named)
{
    bool found = false;
    for (size_t f = 0; f < FEATURE_N; f++) {
        if (strcmp(feature_definitions[f].group, name) != 0)
            continue;
        named->features[f] = true;
        found = true;
    }
    if (strcmp(name, EXTRA_GROUP) != 0)
        return found;
    for (size_t e = 0; e < choosing->table->n_extras; e++)
        named->extras[e] = true;
    return true;
}

static const char *without_prefix(const char *name)
{
    return text_starts_with(name, EXTRA_PREFIX) ? name + strlen(EXTRA_PREFIX) : name;
}

static enum status take_name(const struct choosing *choosing, const char *option, const char *name,
                             struct named *named, struct error *err)
{
    enum feature_id feature = feature_find(name);
    const struct profile_field *field = profile_field_find(name, strlen(name));
    if (feature != FEATURE_N) {
        named->features[feature] = true;
        return STATUS_OK;
    }
    if (field && field->kind == PROFILE_TEXT)
        named->texts[field->index] = true;
    else if (field)
        named->fields |= UINT64_C(1) << field->index;
    if (field || name_group(choosing, name, named))
        return STATUS_OK;
    size_t extra = table_find_extra(choosing->table, without_prefix(name));
    if (extra == SIZE_MAX)
        return fail(err, STATUS_NOT_FOUND, "%s: there is no feature, field, group or column '%s'",
                    option, name);
    named->extras[extra] = true;
    return STATUS_OK;
}

static enum status take_names(const struct choosing *choosing, const char *option, const char *list,
                              struct named *ret_named, struct error *err)
{
    *ret_named =
        (struct named){.extras = ARENA_ARRAY(choosing->arena, bool, choosing->table->n_extras + 1)};
    if (!ret_named->extras)
        return no_memory(err);
    char *name;
    while (list && (name = train_config_word(&list, ", ", choosing->arena)))
        TRY(take_name(choosing, option, name, ret_named, err));
    return STATUS_OK;
}

/* The group of features that are computed when the names have been read. */
#define PLACES "network"

static enum status nowhere(const char *name, struct error *err)
{
    return fail(err, STATUS_NOT_FOUND, "--features: '%s' is known in no row of the table", name);
}

/* The numbers that any row has, computed ones among them. */
static uint64_t fields_present(const struct table *table)
{
    uint64_t present = 0;
    for (size_t row = 0; row < table->n_rows; row++) {
        struct profile profile;
        design_profile(table, row, &profile);
        for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
            if (!isnan(profile.number[f]))
                present |= UINT64_C(1) << f;
    }
    for (size_t f = 0; f < FEATURE_N; f++)
        if (strcmp(feature_definitions[f].group, PLACES) == 0)
            present |= feature_definitions[f].inputs;
    return present;
}

static bool has_text(const struct table *table, enum profile_text field)
{
    if (field == PROFILE_community)
        return true; /* one of the places */
    for (size_t row = 0; table->text[field] && row < table->n_rows; row++)
        if (table->text[field][row])
            return true;
    return false;
}

/* What is named one by one has to be there; of a group, what is there is taken. */
static enum status check_filled(const struct choosing *choosing, struct error *err)
{
    const char *list = choosing->names->features;
    if (!list)
        return STATUS_OK;
    uint64_t present = fields_present(choosing->table);
    char *name;
    while ((name = train_config_word(&list, ", ", choosing->arena))) {
        enum feature_id feature = feature_find(name);
        const struct profile_field *field = profile_field_find(name, strlen(name));
        if (feature != FEATURE_N) {
            if (feature_definitions[feature].inputs & ~present)
                return nowhere(name, err);
            continue;
        }
        if (!field)
            continue;
        bool is_there = field->kind == PROFILE_TEXT
                            ? has_text(choosing->table, (enum profile_text)field->index)
                            : present >> field->index & 1;
        if (!is_there)
            return nowhere(name, err);
    }
    return STATUS_OK;
}

enum status visible_check_names(const struct table *table, const struct visible_names *names,
                                struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 1024);
    struct choosing choosing = {.table = table, .names = names, .arena = &arena};
    struct named named;
    TRY(take_names(&choosing, "--allow-leakage", names->allow, &named, err));
    TRY(take_names(&choosing, "--exclude", names->exclude, &named, err));
    TRY(take_names(&choosing, "--features", names->features, &named, err));
    return check_filled(&choosing, err);
}

/* ---- options ---- */

static void include(const struct named *named, const struct table *table,
                    struct design_options *options, bool *hidden_extra)
{
    for (size_t f = 0; f < FEATURE_N; f++)
        options->excluded[f] =
            !named->features[f] && (feature_definitions[f].inputs & ~named->fields) != 0;
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        options->hidden_text[t] |= !named->texts[t];
    for (size_t e = 0; e < table->n_extras; e++)
        hidden_extra[e] |= !named->extras[e];
}

static void exclude(const struct named *named, const struct table *table,
                    struct design_options *options, bool *hidden_extra)
{
    for (size_t f = 0; f < FEATURE_N; f++)
        options->excluded[f] |= named->features[f];
    options->hidden |= named->fields;
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        options->hidden_text[t] |= named->texts[t];
    for (size_t e = 0; e < table->n_extras; e++)
        hidden_extra[e] |= named->extras[e];
}

/* ---- leakage ---- */

static enum status leaks_of_names(const struct choosing *choosing, const struct named *named,
                                  struct error *err)
{
    const struct target *target = choosing->target;
    uint64_t hidden = target->hidden & ~choosing->allowed;
    const char *name = NULL;
    for (size_t f = 0; f < FEATURE_N && !name; f++)
        if (named->features[f] && leakage_hides(hidden, (enum feature_id)f))
            name = feature_definitions[f].name;
    for (size_t f = 0; f < PROFILE_N_NUMBERS && !name; f++)
        if (named->fields >> f & hidden >> f & 1)
            name = profile_number_field((enum profile_number)f)->name;
    for (size_t t = 0; t < PROFILE_N_TEXTS && !name; t++)
        if (named->texts[t] && target->hidden_text[t] && !choosing->allowed_texts[t])
            name = profile_fields[t].name;
    if (!name && target->extra != SIZE_MAX && named->extras[target->extra])
        name = choosing->table->extras[target->extra].name;
    if (!name)
        return STATUS_OK;
    return fail(err, STATUS_INVALID, "--features: '%s' gives '%s' away: %s (--allow-leakage %s)",
                name, target->name, BY_DEFINITION, name);
}

/* By its own name, not as one of the group. */
static bool is_asked_for(const struct choosing *choosing, const char *column)
{
    const char *list = choosing->names->features;
    char *name;
    while (list && (name = train_config_word(&list, ", ", choosing->arena)))
        if (strcmp(without_prefix(name), column) == 0)
            return true;
    return false;
}

/* Columns that a request cannot bring, because their name means something else there. */
static enum status hide_reserved(const struct choosing *choosing, bool *hidden_extra,
                                 struct error *err)
{
    for (size_t e = 0; choosing->names->served && e < choosing->table->n_extras; e++) {
        const char *name = choosing->table->extras[e].name;
        if (!own_columns_is_reserved(name))
            continue;
        if (is_asked_for(choosing, name))
            return fail(err, STATUS_INVALID,
                        "--features: a request to a bundle cannot bring a column of the name '%s', "
                        "which is an option there; `influence evaluate` takes it",
                        name);
        hidden_extra[e] = true;
    }
    return STATUS_OK;
}

/* The columns that the features chosen so far read. */
static struct leakage_columns columns_seen(const struct choosing *choosing,
                                           const bool *hidden_extra, bool *extras,
                                           bool texts[static PROFILE_N_TEXTS])
{
    const struct design_options *options = &choosing->visible->options;
    struct leakage_columns columns = {.extras = extras, .texts = texts};
    for (size_t f = 0; f < FEATURE_N; f++)
        if (!options->excluded[f] && !leakage_hides(options->hidden, (enum feature_id)f))
            columns.fields |= feature_definitions[f].inputs;
    for (size_t e = 0; e < choosing->table->n_extras; e++)
        extras[e] = options->extras && !hidden_extra[e] && !choosing->allowed_extras[e];
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
        if (!choosing->table->number[f])
            columns.fields &= ~(UINT64_C(1) << f) | (UINT64_C(1) << PROFILE_avg_likes) |
                              (UINT64_C(1) << PROFILE_avg_engagement) |
                              (UINT64_C(1) << PROFILE_engagement_rate);
    columns.fields &= ~choosing->allowed;
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        texts[t] = design_takes_text((enum profile_text)t) && choosing->table->text[t] &&
                   !options->hidden_text[t] && !choosing->allowed_texts[t];
    return columns;
}

/* Fields that are hidden by name and that the table has. */
static enum status list_definitions(struct choosing *choosing, struct error *err)
{
    struct visible *visible = choosing->visible;
    const struct table *table = choosing->table;
    visible->leaks =
        ARENA_ARRAY(choosing->arena, struct leak, PROFILE_N_FIELDS + table->n_extras + 1);
    if (!visible->leaks)
        return no_memory(err);
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++) {
        const char *name = profile_number_field((enum profile_number)f)->name;
        if (!choosing->names->features && table->number[f] && visible->options.hidden >> f & 1 &&
            strcmp(name, choosing->target->name) != 0)
            visible->leaks[visible->n_leaks++] = (struct leak){.column = name,
                                                               .kind = LEAK_NUMBER,
                                                               .index = f,
                                                               .is_known = true,
                                                               .reason = BY_DEFINITION};
    }
    return STATUS_OK;
}

static enum status hide_leaks(struct choosing *choosing, bool *hidden_extra, struct error *err)
{
    struct visible *visible = choosing->visible;
    bool *extras = ARENA_ARRAY(choosing->arena, bool, choosing->table->n_extras + 1);
    if (!extras)
        return no_memory(err);
    bool texts[PROFILE_N_TEXTS];
    struct leakage_columns columns = columns_seen(choosing, hidden_extra, extras, texts);
    struct leak *found = NULL;
    size_t n_found = 0;
    TRY(leakage_scan(choosing->table, choosing->target, &columns, choosing->arena, &found, &n_found,
                     err));
    for (size_t i = 0; i < n_found; i++) {
        if (choosing->names->features)
            return fail(err, STATUS_INVALID,
                        "--features: '%s' gives '%s' away: %s (--allow-leakage %s)",
                        found[i].column, choosing->target->name, found[i].reason, found[i].column);
        if (found[i].kind == LEAK_NUMBER)
            visible->options.hidden |= UINT64_C(1) << found[i].index;
        else if (found[i].kind == LEAK_TEXT)
            visible->options.hidden_text[found[i].index] = true;
        else
            hidden_extra[found[i].index] = true;
        visible->leaks[visible->n_leaks++] = found[i];
    }
    return STATUS_OK;
}

static enum status take_allowed(struct choosing *choosing, struct error *err)
{
    struct named named;
    TRY(take_names(choosing, "--allow-leakage", choosing->names->allow, &named, err));
    for (size_t f = 0; f < FEATURE_N; f++)
        if (named.features[f])
            named.fields |= feature_definitions[f].inputs;
    choosing->allowed = named.fields;
    choosing->allowed_extras = named.extras;
    memcpy(choosing->allowed_texts, named.texts, sizeof named.texts);
    return STATUS_OK;
}

enum status visible_choose(const struct table *table, const struct target *target,
                           const struct visible_names *names, struct arena *arena,
                           struct visible *ret_visible, struct error *err)
{
    bool extras = names->extras || names->features;
    struct visible visible = {.options = {.extras = extras, .peers = names->peers}};
    struct choosing choosing = {
        .table = table, .target = target, .names = names, .arena = arena, .visible = &visible};
    bool *hidden_extra = ARENA_ARRAY(arena, bool, table->n_extras + 1);
    if (!hidden_extra)
        return no_memory(err);
    TRY(take_allowed(&choosing, err));
    /* The target itself is never allowed. */
    const struct profile_field *own = profile_field_find(target->name, strlen(target->name));
    uint64_t self = own && own->kind != PROFILE_TEXT && target->extra == SIZE_MAX
                        ? UINT64_C(1) << own->index
                        : 0;
    choosing.allowed &= ~self;
    visible.options.hidden = target->hidden & ~choosing.allowed;
    for (size_t t = 0; t < PROFILE_N_TEXTS; t++)
        visible.options.hidden_text[t] = target->hidden_text[t] && !choosing.allowed_texts[t];
    if (target->extra != SIZE_MAX)
        hidden_extra[target->extra] = true;
    TRY(list_definitions(&choosing, err));
    struct named named;
    if (names->features) {
        TRY(take_names(&choosing, "--features", names->features, &named, err));
        TRY(leaks_of_names(&choosing, &named, err));
        include(&named, table, &visible.options, hidden_extra);
    }
    TRY(hide_reserved(&choosing, hidden_extra, err));
    TRY(take_names(&choosing, "--exclude", names->exclude, &named, err));
    exclude(&named, table, &visible.options, hidden_extra);
    TRY(hide_leaks(&choosing, hidden_extra, err));
    visible.options.hidden_extra = hidden_extra;
    *ret_visible = visible;
    return STATUS_OK;
}

void visible_put_leaks(const struct leak *leaks, size_t n, struct json_writer *w)
{
    json_put_key(w, "leakage");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_member_string(w, "column", leaks[i].column);
        json_member_string(w, "reason", leaks[i].reason);
        json_end_object(w);
    }
    json_end_array(w);
}
