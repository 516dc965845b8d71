/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/codec.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "profile/from_json.h"
#include "profile/parse.h"
#include "serve/request.h"

#define DEFAULT_K 10
#define DEFAULT_LIMIT 20
#define MAX_LIMIT CATALOGUE_MAX_FOUND

void codec_options_init(struct codec_options *options, enum codec_question question)
{
    *options = (struct codec_options){
        .question = question,
        .limit = DEFAULT_LIMIT,
        .similar = {.k = DEFAULT_K, .min_followers = MISSING, .max_followers = MISSING},
    };
}

void codec_note_unknown(struct unknown_names *unknown, const char *name)
{
    if (unknown->n < CODEC_MAX_UNKNOWN)
        unknown->name[unknown->n++] = name;
    else
        unknown->n_more++;
}

/* ---- the body ---- */

enum status codec_read_body(struct request *request, size_t length, const struct json **ret_body,
                            struct error *err)
{
    enum {
        SLICE = 32768,
        SHORT = 2 * SLICE /* a millisecond's work */
    };
    *ret_body = NULL;
    if (length < SHORT)
        return json_parse(request->body.at ? request->body.at : "", length, &request->arena,
                          ret_body, err);
    if (!request->parser)
        TRY(json_parser_new(request->body.at, length, SLICE, &request->arena, &request->parser,
                            err));
    do
        TRY(json_parser_step(request->parser, ret_body, err));
    while (!*ret_body && !turn_is_over(request));
    request->unfinished = !*ret_body;
    return STATUS_OK;
}

/* ---- options ---- */

/* An option's value, wherever it came from: a parameter is a text, a member may be more. */
struct value {
    const char *text;        /* NULL unless it is a text */
    const struct json *json; /* NULL: a parameter */
};

static enum status read_flag(const char *name, struct value value, bool *ret, struct error *err)
{
    double flag = 0;
    if (json_type(value.json) == JSON_BOOL)
        *ret = json_bool_or(value.json, false);
    else if (value.text && parse_flag(value.text, strlen(value.text), &flag) == PARSE_OK)
        *ret = flag != 0;
    else
        return fail_field(err, STATUS_INVALID, name, "must be true or false");
    return STATUS_OK;
}

static enum status read_number(const char *name, struct value value, double *ret, struct error *err)
{
    struct quantity quantity;
    if (json_type(value.json) == JSON_NUMBER)
        *ret = json_number_or(value.json, 0);
    else if (value.text && parse_quantity(value.text, strlen(value.text), &quantity) == PARSE_OK)
        *ret = quantity.value;
    else
        return fail_field(err, STATUS_INVALID, name, "must be a number");
    return STATUS_OK;
}

static enum status read_count(const char *name, struct value value, size_t max, size_t *ret,
                              struct error *err)
{
    double number = 0;
    TRY(read_number(name, value, &number, err));
    if (!(number >= 1 && number <= (double)max) || number != floor(number)) {
        char got[TEXT_NUMBER_BYTES];
        text_format_number(number, got);
        return fail_field(err, STATUS_INVALID, name,
                          "must be a whole number between 1 and %zu, got %s", max, got);
    }
    *ret = (size_t)number;
    return STATUS_OK;
}

static enum status read_followers(const char *name, struct value value, double *ret,
                                  struct error *err)
{
    TRY(read_number(name, value, ret, err));
    if (!(*ret >= 0))
        return fail_field(err, STATUS_INVALID, name, "must not be negative");
    return STATUS_OK;
}

static enum status read_text(const char *name, struct value value, const char **ret,
                             struct error *err)
{
    if (!value.text)
        return fail_field(err, STATUS_INVALID, name, "must be a string");
    if (!text_is_utf8(value.text, strlen(value.text)))
        return fail_field(err, STATUS_INVALID, name, "must be well-formed UTF-8");
    *ret = value.text[0] ? value.text : NULL;
    return STATUS_OK;
}

/* exclude: an array of handles, or handles with commas between them. */
static enum status read_exclude(struct value value, struct arena *arena,
                                struct similar_query *query, struct error *err)
{
    size_t most = json_count(value.json);
    for (const char *c = value.text; c && *c; c++)
        most += *c == ',';
    most++;
    if (most > SIMILAR_MAX_EXCLUDE)
        return fail_field(err, STATUS_INVALID, "exclude", "must have at most %d handles",
                          SIMILAR_MAX_EXCLUDE);
    const char **handles = ARENA_ARRAY(arena, const char *, most);
    char *text = value.text ? arena_strdup(arena, value.text) : NULL;
    if (!handles || (value.text && !text))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    size_t n = 0;
    if (text) {
        char *rest = text;
        for (char *handle = strsep(&rest, ","); handle; handle = strsep(&rest, ","))
            if (*handle)
                handles[n++] = handle;
    } else if (json_type(value.json) == JSON_ARRAY) {
        for (const struct json *item = json_first(value.json); item; item = json_next(item)) {
            if (json_type(item) != JSON_STRING)
                return fail_field(err, STATUS_INVALID, "exclude", "must hold strings, got %s",
                                  json_type_name(json_type(item)));
            handles[n++] = json_string_or(item, "");
        }
    } else {
        return fail_field(err, STATUS_INVALID, "exclude", "must be an array of handles");
    }
    query->exclude = handles;
    query->n_exclude = n;
    return STATUS_OK;
}

enum option {
    OPTION_STRICT,
    OPTION_EXPLAIN,
    OPTION_K,
    OPTION_EXCLUDE,
    OPTION_MIN_FOLLOWERS,
    OPTION_MAX_FOLLOWERS,
    OPTION_FILTER, /* the first ones stand in a body, up to here */
    OPTION_CATEGORY,
    OPTION_COUNTRY,
    OPTION_TIER,
    OPTION_HANDLE, /* from here on only in a query */
    OPTION_Q,
    OPTION_LIMIT,
    N_OPTIONS
};

static const char *const option_names[N_OPTIONS] = {
    "strict",        "explain", "k",        "exclude", "min_followers",
    "max_followers", "filter",  "category", "country", "tier",
    "handle",        "q",       "limit",
};

static enum option find_option(const char *name, enum option from, enum option to)
{
    for (enum option i = from; i < to; i++)
        if (strcmp(option_names[i], name) == 0)
            return i;
    return N_OPTIONS;
}

/* Whether a question has such a parameter. One of a single profile may say k and exclude, which
 * mean nothing there; a filter that is not heeded would be believed. */
static bool has_option(enum codec_question question, enum option option)
{
    if (option == N_OPTIONS || option == OPTION_FILTER)
        return false;
    if (option == OPTION_STRICT || option == OPTION_HANDLE)
        return true;
    if (question == CODEC_SEARCH)
        return option == OPTION_Q || option == OPTION_LIMIT;
    if (option == OPTION_EXPLAIN || option == OPTION_K || option == OPTION_EXCLUDE)
        return true;
    return question == CODEC_NEIGHBOURS && option < OPTION_HANDLE;
}

bool codec_is_option(const char *name)
{
    return find_option(name, OPTION_STRICT, OPTION_CATEGORY) != N_OPTIONS;
}

static enum status read_filter(const struct json *filter, struct arena *arena,
                               struct codec_options *options, struct error *err);

static enum status set_option(enum option option, struct value value, struct arena *arena,
                              struct codec_options *options, struct error *err)
{
    const char *name = option_names[option];
    struct similar_query *similar = &options->similar;
    switch (option) {
    case OPTION_STRICT:
        return read_flag(name, value, &options->strict, err);
    case OPTION_EXPLAIN:
        return read_flag(name, value, &options->explain, err);
    case OPTION_K:
        return read_count(name, value, SIMILAR_MAX_K, &similar->k, err);
    case OPTION_EXCLUDE:
        return read_exclude(value, arena, similar, err);
    case OPTION_MIN_FOLLOWERS:
        return read_followers(name, value, &similar->min_followers, err);
    case OPTION_MAX_FOLLOWERS:
        return read_followers(name, value, &similar->max_followers, err);
    case OPTION_FILTER:
        return read_filter(value.json, arena, options, err);
    case OPTION_CATEGORY:
        return read_text(name, value, &similar->category, err);
    case OPTION_COUNTRY:
        return read_text(name, value, &similar->country, err);
    case OPTION_TIER:
        return read_text(name, value, &similar->tier, err);
    case OPTION_HANDLE:
        return read_text(name, value, &options->handle, err);
    case OPTION_Q:
        return read_text(name, value, &options->search, err);
    case OPTION_LIMIT:
        return read_count(name, value, MAX_LIMIT, &options->limit, err);
    case N_OPTIONS:
        break;
    }
    return fail(err, STATUS_INTERNAL, "option %s", name);
}

static struct value value_of(const struct json *json)
{
    return (struct value){.text = json_string_or(json, NULL), .json = json};
}

static enum status read_filter(const struct json *filter, struct arena *arena,
                               struct codec_options *options, struct error *err)
{
    if (json_type(filter) != JSON_OBJECT)
        return fail_field(err, STATUS_INVALID, "filter", "must be an object");
    for (const struct json *item = json_first(filter); item; item = json_next(item)) {
        enum option option = find_option(json_key(item), OPTION_EXCLUDE, OPTION_HANDLE);
        if (option == N_OPTIONS || option == OPTION_FILTER)
            codec_note_unknown(&options->unknown, json_key(item));
        else if (json_type(item) != JSON_NULL)
            TRY(set_option(option, value_of(item), arena, options, err));
    }
    return STATUS_OK;
}

static enum status check_options(const struct codec_options *options, struct error *err)
{
    const struct similar_query *similar = &options->similar;
    if (similar->min_followers > similar->max_followers)
        return fail_field(err, STATUS_INVALID, "min_followers", "must not be above max_followers");
    return STATUS_OK;
}

enum status codec_read_parameters(const struct parameter *parameters, struct arena *arena,
                                  struct codec_options *options, struct error *err)
{
    unsigned seen = 0;
    for (const struct parameter *p = parameters; p; p = p->next) {
        enum option option = find_option(p->name, OPTION_STRICT, N_OPTIONS);
        if (!has_option(options->question, option)) {
            codec_note_unknown(&options->unknown, p->name);
            continue;
        }
        if (seen & 1u << option)
            return fail_field(err, STATUS_INVALID, p->name, "stands twice in the query");
        seen |= 1u << option;
        TRY(set_option(option, (struct value){.text = p->value}, arena, options, err));
    }
    return check_options(options, err);
}

enum status codec_read_options(const struct json *body, struct arena *arena,
                               struct codec_options *options, struct error *err)
{
    for (const struct json *item = json_first(body); item; item = json_next(item)) {
        enum option option = find_option(json_key(item), OPTION_STRICT, OPTION_CATEGORY);
        if (option != N_OPTIONS && json_type(item) != JSON_NULL)
            TRY(set_option(option, value_of(item), arena, options, err));
    }
    return check_options(options, err);
}

/* ---- the profile ---- */

struct members {
    bool is_body; /* options stand beside the fields */
    struct own_values *own;
    struct unknown_names *unknown;
    enum status status;
    struct error *err;
};

static bool on_other(void *user, const struct json *member)
{
    struct members *members = user;
    const char *name = json_key(member);
    if (members->is_body && codec_is_option(name))
        return false;
    const struct own_column *column = own_columns_find(members->own->own, name);
    if (!column)
        codec_note_unknown(members->unknown, name);
    else if (members->status == STATUS_OK)
        members->status = own_values_take_json(members->own, column, member, members->err);
    return column != NULL;
}

enum status codec_read_profile(const struct json *object, bool is_body, struct own_values *own,
                               struct profile *ret_profile, struct unknown_names *unknown,
                               struct error *err)
{
    size_t n_known;
    struct members members = {is_body, own, unknown, STATUS_OK, err};
    TRY(profile_from_json(object, ret_profile, &n_known, on_other, &members, err));
    if (members.status != STATUS_OK)
        return members.status;
    own_values_give(own, ret_profile);
    if (n_known == 0 && unknown->n > 0)
        return codec_refuse_unknown(unknown, err);
    return STATUS_OK;
}

enum status codec_refuse_unknown(const struct unknown_names *unknown, struct error *err)
{
    if (unknown->n == 0)
        return STATUS_OK;
    const char *nearest = NULL;
    size_t least = 4;
    for (size_t i = 0; i < PROFILE_N_FIELDS; i++) {
        size_t distance = text_distance(unknown->name[0], profile_fields[i].name);
        if (distance < least) {
            least = distance;
            nearest = profile_fields[i].name;
        }
    }
    if (find_option(unknown->name[0], OPTION_STRICT, N_OPTIONS) != N_OPTIONS || least == 0)
        return fail_field(err, STATUS_INVALID, unknown->name[0],
                          "is nothing that this route takes");
    if (nearest)
        return fail_field(err, STATUS_INVALID, unknown->name[0],
                          "no field has that name; did you mean %s?", nearest);
    return fail_field(err, STATUS_INVALID, unknown->name[0], "no field has that name");
}

/* ---- lists of names ---- */

void codec_write_imputed(struct json_writer *w, uint64_t imputed)
{
    json_put_key(w, "imputed");
    json_begin_array(w);
    for (; imputed; imputed &= imputed - 1) {
        enum profile_number number = (enum profile_number)__builtin_ctzll(imputed);
        json_put_string(w, profile_number_field(number)->name);
    }
    json_end_array(w);
}

void codec_write_unknown(struct json_writer *w, const struct unknown_names *unknown)
{
    if (unknown->n == 0)
        return;
    json_put_key(w, "unknown_fields");
    json_begin_array(w);
    for (size_t i = 0; i < unknown->n; i++)
        json_put_string(w, unknown->name[i]);
    json_end_array(w);
    if (unknown->n_more > 0)
        json_member_integer(w, "unknown_fields_more", (int64_t)unknown->n_more);
}
