/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* JSON and query parameters to profiles and options. Texts are borrowed from the parsed JSON or the
 * parameters, that is from the request. */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "profile/profile.h"
#include "runtime/engine.h"
#include "serve/own_values.h"

struct parameter;
struct request;

/* Names that nobody knows, in the order in which they came; the rest is counted. */
#define CODEC_MAX_UNKNOWN 16
struct unknown_names {
    const char *name[CODEC_MAX_UNKNOWN];
    size_t n; /* of name[] */
    size_t n_more;
};

/* What a prediction is asked with, besides the profile. From the query (?k=5&category=Music) or, in
 * a body, from members beside the profile's: "k", "explain", "strict", "exclude", "min_followers",
 * "max_followers", and "filter" with "category", "country", "tier" and the three before. */
enum codec_question {
    CODEC_PREDICTION, /* a profile: no filters, no search */
    CODEC_NEIGHBOURS, /* a profile, with filters */
    CODEC_SEARCH,     /* the catalogue: q and limit */
};
struct codec_options {
    enum codec_question question; /* parameters of another one are unknown names */
    bool strict;                  /* unknown names are an error */
    bool explain;                 /* contributions are wanted */
    const char *handle;
    const char *search; /* q */
    size_t limit;
    struct similar_query similar;
    struct unknown_names unknown;
    const struct json *body; /* whose members may be options; NULL: none */
};

void codec_options_init(struct codec_options *options, enum codec_question question);

/* STATUS_INVALID names the parameter: out of range, of the wrong type, twice, or unknown while
 * strict. */
enum status codec_read_parameters(const struct parameter *parameters, struct arena *arena,
                                  struct codec_options *options, struct error *err);

/* The options among the members of a body. */
enum status codec_read_options(const struct json *body, struct arena *arena,
                               struct codec_options *options, struct error *err);

/* The first so many bytes of the body as JSON. A long one is read in turns: *ret_body is NULL when
 * the turn is over and the request unfinished; the handler asks again in the next. */
enum status codec_read_body(struct request *request, size_t length, const struct json **ret_body,
                            struct error *err);

/* A profile from a JSON object: numbers, strings as people write them, true and false; null is
 * missing. is_body: members that codec_read_options() takes are passed over. Columns of the
 * training table's own go to `own`, unknown names to `unknown`. STATUS_INVALID names the field. */
enum status codec_read_profile(const struct json *object, bool is_body, struct own_values *own,
                               struct profile *ret_profile, struct unknown_names *unknown,
                               struct error *err);

/* Whether a body's member of that name is an option. */
bool codec_is_option(const char *name);

void codec_note_unknown(struct unknown_names *unknown, const char *name);

/* STATUS_INVALID: there are unknown names; the message tells the nearest known one. */
enum status codec_refuse_unknown(const struct unknown_names *unknown, struct error *err);

/* "imputed": the names of the number fields of the bits. */
void codec_write_imputed(struct json_writer *w, uint64_t imputed);
/* "unknown_fields", when there are any. */
void codec_write_unknown(struct json_writer *w, const struct unknown_names *unknown);
