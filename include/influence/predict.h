/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* libinfluence: the answers of the daemon, in a program of one's own.
 *
 *     struct ifl_engine *engine;
 *     struct ifl_session *session;
 *     struct ifl_score score;
 *     ifl_engine_open("models", &engine, &err);
 *     ifl_session_new(engine, &session, &err);
 *     ifl_set(session, "followers", "475.8m", &err);
 *     ifl_set_number(session, ifl_field_find("avg_likes"), 8.7e6, &err);
 *     ifl_score(session, &score, &err);
 *
 * An engine never changes once open and serves any number of threads. A session holds one profile
 * and the memory of the answers: one thread at a time; what an answer points to is valid until the
 * session's next call. Close sessions before their engine. */
#include <stddef.h>

#include "influence/artifact.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ifl_engine;
struct ifl_session;

/* path: a bundle, or a models directory, whose current one is taken. */
IFL_API enum ifl_status ifl_engine_open(const char *path, struct ifl_engine **ret_engine,
                                        struct ifl_error *err);
IFL_API void ifl_engine_close(struct ifl_engine *engine); /* NULL is fine */
/* The bundle's id: "20260131T123456Z-0123456789abcdef". */
IFL_API const char *ifl_engine_version(const struct ifl_engine *engine);

IFL_API enum ifl_status ifl_session_new(const struct ifl_engine *engine,
                                        struct ifl_session **ret_session, struct ifl_error *err);
IFL_API void ifl_session_free(struct ifl_session *session); /* NULL is fine */

/* ---- the profile ---- */

/* Fields are numbered from 0. NULL: there is no such field. */
IFL_API size_t ifl_field_count(void);
IFL_API const char *ifl_field_name(int field);
IFL_API int ifl_field_find(const char *name); /* -1: there is none */
IFL_API int ifl_field_is_text(int field);     /* 1: a text, 0: a number, or no field */

/* Forget everything that was set: all fields are missing. */
IFL_API void ifl_clear(struct ifl_session *session);

/* Set a number; NaN makes it missing. IFL_INVALID: out of the field's range, or a text field. */
IFL_API enum ifl_status ifl_set_number(struct ifl_session *session, int field, double value,
                                       struct ifl_error *err);

/* Set any field as people write it ("475.8m", "1.39%", "N/A"); the text is copied. A name that is
 * no field's may be a column's, below. */
IFL_API enum ifl_status ifl_set(struct ifl_session *session, const char *name, const char *text,
                                struct ifl_error *err);

/* Columns of the training table's own that the bundle's models read (`influence train --extras`),
 * by the table's folded names, numbered from 0; most bundles have none. What a profile lacks of
 * them counts as missing. */
IFL_API size_t ifl_column_count(const struct ifl_session *session);
IFL_API const char *ifl_column_name(const struct ifl_session *session, int column); /* or NULL */
IFL_API int ifl_column_find(const struct ifl_session *session, const char *name);   /* or -1 */
IFL_API int ifl_column_is_text(const struct ifl_session *session, int column);

/* Set a column: a text as people write it, copied, or a number; NULL and NaN make it missing.
 * Either may be given to either kind: a column of texts takes a number by how it is written. */
IFL_API enum ifl_status ifl_set_column(struct ifl_session *session, int column, const char *text,
                                       struct ifl_error *err);
IFL_API enum ifl_status ifl_set_column_number(struct ifl_session *session, int column, double value,
                                              struct ifl_error *err);

/* Take the profile of a catalogued handle, with its columns. IFL_NOT_FOUND: there is none. */
IFL_API enum ifl_status ifl_set_handle(struct ifl_session *session, const char *handle,
                                       struct ifl_error *err);

/* ---- the answers: what they mean stands in the daemon's documentation ---- */

struct ifl_score {
    const char *target; /* what is scored: "influence_score", "composite" */
    double score;
    double low, high, coverage; /* the interval, and the share of profiles it holds for */
    double percentile;          /* 0..100 among the training profiles */
    double novelty;             /* 0..100; NaN when nothing is known */
    double composite;           /* the open formula; NaN when nothing is known */
    /* Contributions add up: base + sum = score. None for a composite. */
    size_t n_contributions;
    const char *const *features; /* [n_contributions] */
    const double *contributions; /* [n_contributions] */
    double base;
};
IFL_API enum ifl_status ifl_score(struct ifl_session *session, struct ifl_score *ret_score,
                                  struct ifl_error *err);
/* The same without contributions (n_contributions is 0), which cost several times the score. */
IFL_API enum ifl_status ifl_score_only(struct ifl_session *session, struct ifl_score *ret_score,
                                       struct ifl_error *err);

/* Followers gained or lost in the next `months`, as a fraction of them. */
struct ifl_growth {
    double forecast;
    double low, high, coverage; /* the interval, and the share of accounts it holds for */
    double months;
    double percentile; /* 0..100 of the forecast among the training accounts' own */
};
/* IFL_UNSUPPORTED: the bundle forecasts none; it takes two snapshots in training. */
IFL_API enum ifl_status ifl_growth(struct ifl_session *session, struct ifl_growth *ret_growth,
                                   struct ifl_error *err);

struct ifl_tier {
    const char *target;
    const char *name; /* of the likeliest tier */
    size_t n_tiers;
    const char *const *names;    /* [n_tiers] */
    const double *probabilities; /* [n_tiers], calibrated, sum to 1 */
    const char *size_claimed;    /* by followers; NULL when they are missing */
    const char *size_predicted;  /* by behaviour; NULL when the bundle has no such model */
    double size_confidence;
};
IFL_API enum ifl_status ifl_tier(struct ifl_session *session, struct ifl_tier *ret_tier,
                                 struct ifl_error *err);

struct ifl_cluster {
    size_t cluster, n_clusters;
    const char *name;
    double distance;
    double distance_percentile; /* 0..100 among the members in training */
    const double *membership;   /* [n_clusters], sums to 1 */
};
IFL_API enum ifl_status ifl_cluster(struct ifl_session *session, struct ifl_cluster *ret_cluster,
                                    struct ifl_error *err);

/* All members but k may be left 0 or NULL: no such filter. max_followers 0: no bound. */
struct ifl_similar_query {
    size_t k; /* 1..1000 */
    const char *category, *country, *tier;
    double min_followers, max_followers;
};
struct ifl_similar_item {
    const char *handle; /* NULL when the catalogue has none for it */
    double distance;
    double similarity; /* 1 / (1 + distance) */
};
struct ifl_similar {
    size_t n;                             /* fewer than k only when fewer pass the filters */
    const struct ifl_similar_item *items; /* [n], nearest first */
};
IFL_API enum ifl_status ifl_similar(struct ifl_session *session,
                                    const struct ifl_similar_query *query,
                                    struct ifl_similar *ret_similar, struct ifl_error *err);

#ifdef __cplusplus
}
#endif
