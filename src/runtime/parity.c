/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/parity.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "profile/from_json.h"
#include "profile/to_json.h"
#include "runtime/scratch.h"

#define SCHEMA 1
#define NEIGHBOURS 2 /* a profile of the catalogue is its own first one */

/* What a vector holds. The tier points into the engine, or into the parsed file. */
struct answers {
    double score, low, high;
    double growth; /* NaN: the bundle forecasts none */
    const char *tier;
    double probability; /* of that tier */
    double cluster, cluster_distance;
    double neighbour_distance; /* of the last of NEIGHBOURS; NaN: there are fewer */
};

static enum status ask(const struct engine *engine, const struct profile *profile, void *scratch,
                       struct answers *ret_answers, struct error *err)
{
    struct score_answer score;
    struct tier_answer tier;
    struct cluster_answer cluster;
    struct similar_answer similar;
    const struct similar_query query = {
        .k = NEIGHBOURS, .min_followers = MISSING, .max_followers = MISSING};
    struct answers answers = {.neighbour_distance = MISSING};
    TRY(engine_score(engine, profile, false, scratch, &score, err));
    answers.score = score.score;
    answers.low = score.low;
    answers.high = score.high;
    answers.growth = score.has_growth ? score.growth.forecast : MISSING;
    TRY(engine_tier(engine, profile, scratch, &tier, err));
    answers.tier = tier.names[tier.tier];
    answers.probability = tier.probabilities[tier.tier];
    TRY(engine_cluster(engine, profile, scratch, &cluster, err));
    answers.cluster = (double)cluster.cluster;
    answers.cluster_distance = cluster.distance;
    TRY(engine_similar(engine, profile, &query, scratch, &similar, err));
    if (similar.n == NEIGHBOURS)
        answers.neighbour_distance = similar.items[NEIGHBOURS - 1].distance;
    *ret_answers = answers;
    return STATUS_OK;
}

static enum status take_scratch(const struct engine *engine, void **ret_scratch, struct error *err)
{
    void *scratch = aligned_alloc(64, scratch_align(engine_scratch_bytes(engine) + 1));
    if (!scratch)
        return fail(err, STATUS_NO_MEMORY, "parity: out of memory");
    *ret_scratch = scratch;
    return STATUS_OK;
}

/* ---- writing ---- */

static void write_case(const struct profile *profile, const struct answers *answers,
                       struct json_writer *w)
{
    json_begin_object(w);
    json_put_key(w, "profile");
    profile_to_json(profile, w);
    json_member_number(w, "score", answers->score);
    json_member_number(w, "low", answers->low);
    json_member_number(w, "high", answers->high);
    if (!isnan(answers->growth))
        json_member_number(w, "growth", answers->growth);
    json_member_string(w, "tier", answers->tier);
    json_member_number(w, "probability", answers->probability);
    json_member_number(w, "cluster", answers->cluster);
    json_member_number(w, "cluster_distance", answers->cluster_distance);
    json_member_number(w, "neighbour_distance", answers->neighbour_distance);
    json_end_object(w);
}

enum status parity_write(const struct engine *engine, const struct profile *profiles, size_t n,
                         struct buffer *out, struct error *err)
{
    AUTO(free_slot) void *scratch = NULL;
    TRY(take_scratch(engine, &scratch, err));
    struct json_writer w = json_writer(out);
    w.pretty = true;
    json_begin_object(&w);
    json_member_integer(&w, "schema", SCHEMA);
    json_put_key(&w, "cases");
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++) {
        struct profile profile = profiles[i];
        struct answers answers;
        profile.text[PROFILE_handle] = profile.text[PROFILE_name] = NULL;
        profile.extras = NULL; /* of the table's own: not among what profile_to_json() writes */
        profile.n_extras = 0;
        TRY(ask(engine, &profile, scratch, &answers, err));
        write_case(&profile, &answers, &w);
    }
    json_end_array(&w);
    json_end_object(&w);
    buffer_put_char(out, '\n');
    return out->failed ? fail(err, STATUS_NO_MEMORY, "parity: out of memory") : STATUS_OK;
}

/* ---- replaying ---- */

static bool ignore_name(void *user, const struct json *member)
{
    (void)user;
    (void)member;
    return false;
}

static enum status compare_number(const struct json *expected, const char *key, double got,
                                  struct error *err)
{
    double want = json_number_or(json_get(expected, key), MISSING);
    if ((isnan(want) && isnan(got)) || fabs(want - got) <= PARITY_TOLERANCE)
        return STATUS_OK;
    return fail(err, STATUS_CORRUPT, "%s is %.9g, was %.9g when the bundle was made", key, got,
                want);
}

static enum status replay_case(const struct engine *engine, const struct json *expected,
                               void *scratch, struct error *err)
{
    struct profile profile;
    struct answers got;
    size_t n_known = 0;
    TRY(profile_from_json(json_get(expected, "profile"), &profile, &n_known, ignore_name, NULL,
                          err));
    TRY(ask(engine, &profile, scratch, &got, err));
    TRY(compare_number(expected, "score", got.score, err));
    TRY(compare_number(expected, "low", got.low, err));
    TRY(compare_number(expected, "high", got.high, err));
    TRY(compare_number(expected, "growth", got.growth, err));
    const char *tier = json_string_or(json_get(expected, "tier"), "");
    if (strcmp(tier, got.tier) != 0)
        return fail(err, STATUS_CORRUPT, "tier is '%s', was '%s' when the bundle was made",
                    got.tier, tier);
    TRY(compare_number(expected, "probability", got.probability, err));
    TRY(compare_number(expected, "cluster", got.cluster, err));
    TRY(compare_number(expected, "cluster_distance", got.cluster_distance, err));
    return compare_number(expected, "neighbour_distance", got.neighbour_distance, err);
}

static enum status replay_cases(const struct engine *engine, const struct json *file, size_t *ret_n,
                                struct error *err)
{
    AUTO(free_slot) void *scratch = NULL;
    const struct json *cases = json_get(file, "cases");
    if (json_number_or(json_get(file, "schema"), 0) != SCHEMA || json_count(cases) == 0)
        return fail(err, STATUS_CORRUPT, "holds no vectors of version %d", SCHEMA);
    TRY(take_scratch(engine, &scratch, err));
    size_t n = 0;
    for (const struct json *one = json_first(cases); one; one = json_next(one), n++) {
        enum status status = replay_case(engine, one, scratch, err);
        if (status != STATUS_OK)
            return fail_prefix(err, status, "vector %zu", n + 1);
    }
    *ret_n = n;
    return STATUS_OK;
}

enum status parity_replay(const struct engine *engine, const char *dir, size_t *ret_n,
                          struct error *err)
{
    char path[PATH_MAX + sizeof "/" PARITY_FILE];
    snprintf(path, sizeof path, "%s/" PARITY_FILE, dir);
    if (!file_exists(path)) {
        *ret_n = 0;
        return STATUS_OK;
    }
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 16384);
    const struct json *file = NULL;
    enum status status = json_parse_file(path, &arena, &file, err);
    if (status == STATUS_OK)
        status = replay_cases(engine, file, ret_n, err);
    if (status == STATUS_OK)
        return STATUS_OK;
    return fail_prefix(err, status == STATUS_INVALID ? STATUS_CORRUPT : status, "%s", path);
}
