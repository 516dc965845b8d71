/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise.h"

#include <stdlib.h>
#include <string.h>

#include "small_bundle.h"

struct asking {
    const struct engine *engine;
    void *scratch;
    struct buffer *out;
};

static void put(struct asking *to, const char *name, double value)
{
    buffer_printf(to->out, " %s=%.6g", name, value);
}

static void put_text(struct asking *to, const char *name, const char *text)
{
    buffer_printf(to->out, " %s=%s", name, text ? text : "-");
}

static void put_failure(struct asking *to, enum status status, const struct error *err)
{
    buffer_printf(to->out, " %s: %s", status_name(status), err->message);
}

static void ask_score(struct asking *to, const struct profile *profile)
{
    struct score_answer answer;
    struct error err = {0};
    enum status status = engine_score(to->engine, profile, true, to->scratch, &answer, &err);
    buffer_put_text(to->out, "score:");
    if (status != STATUS_OK) {
        put_failure(to, status, &err);
        return;
    }
    put_text(to, "target", answer.target);
    put(to, "score", answer.score);
    put(to, "low", answer.low);
    put(to, "high", answer.high);
    put(to, "percentile", answer.percentile);
    put(to, "novelty", answer.novelty);
    put(to, "composite", answer.composite.score);
    put(to, "base", answer.base);
    for (size_t i = 0; i < answer.n_contributions; i++)
        put(to, "c", answer.contributions[i]);
    buffer_printf(to->out, " imputed=%llx", (unsigned long long)answer.imputed);
    if (!answer.has_growth)
        return;
    put(to, "growth", answer.growth.forecast);
    put(to, "growth_low", answer.growth.low);
    put(to, "growth_high", answer.growth.high);
    put(to, "growth_percentile", answer.growth.percentile);
}

static void ask_growth(struct asking *to, const struct profile *profile)
{
    struct growth_answer answer;
    struct error err = {0};
    if (!engine_has_growth(to->engine))
        return;
    enum status status = engine_growth(to->engine, profile, to->scratch, &answer, &err);
    buffer_put_text(to->out, "growth:");
    if (status != STATUS_OK)
        put_failure(to, status, &err);
    else
        put(to, "forecast", answer.forecast);
    buffer_put_char(to->out, '\n');
}

static void ask_tier(struct asking *to, const struct profile *profile)
{
    struct tier_answer answer;
    struct error err = {0};
    enum status status = engine_tier(to->engine, profile, to->scratch, &answer, &err);
    buffer_put_text(to->out, "tier:");
    if (status != STATUS_OK) {
        put_failure(to, status, &err);
        return;
    }
    put_text(to, "target", answer.target);
    put_text(to, "tier", answer.names[answer.tier]);
    for (size_t i = 0; i < answer.n_tiers; i++)
        put(to, answer.names[i], answer.probabilities[i]);
    put_text(to, "claimed", answer.size_claimed);
    put_text(to, "predicted", answer.size_predicted);
    put(to, "confidence", answer.size_predicted ? answer.size_confidence : 0);
}

static void ask_cluster(struct asking *to, const struct profile *profile)
{
    struct cluster_answer answer;
    struct error err = {0};
    enum status status = engine_cluster(to->engine, profile, to->scratch, &answer, &err);
    buffer_put_text(to->out, "cluster:");
    if (status != STATUS_OK) {
        put_failure(to, status, &err);
        return;
    }
    put_text(to, "name", answer.name);
    put_text(to, "traits", answer.traits);
    put(to, "distance", answer.distance);
    put(to, "percentile", answer.distance_percentile);
    for (size_t c = 0; c < answer.k; c++)
        put(to, "m", answer.membership[c]);
}

static void ask_similar(struct asking *to, const struct profile *profile,
                        const struct similar_query *query)
{
    struct similar_answer answer;
    struct error err = {0};
    enum status status = engine_similar(to->engine, profile, query, to->scratch, &answer, &err);
    buffer_put_text(to->out, "similar:");
    if (status != STATUS_OK) {
        put_failure(to, status, &err);
        return;
    }
    for (size_t i = 0; i < answer.n; i++) {
        const char *handle = catalogue_handle(engine_catalogue(to->engine), answer.items[i].row);
        put(to, handle ? handle : "-", answer.items[i].distance);
    }
}

static void ask_everything(struct asking *to, const struct profile *profile)
{
    static const char *const exclude[] = {"dunes", "nobody"};
    struct similar_query query = {.k = 3, .min_followers = MISSING, .max_followers = MISSING};
    ask_score(to, profile);
    buffer_put_char(to->out, '\n');
    ask_growth(to, profile);
    ask_tier(to, profile);
    buffer_put_char(to->out, '\n');
    ask_cluster(to, profile);
    buffer_put_char(to->out, '\n');
    ask_similar(to, profile, &query);
    buffer_put_char(to->out, '\n');
    query.k = 5;
    query.category = "food";
    query.country = "France";
    query.tier = "large";
    query.max_followers = 1e9;
    query.exclude = exclude;
    query.n_exclude = 2;
    ask_similar(to, profile, &query);
    buffer_put_char(to->out, '\n');
}

static void search_catalogue(struct asking *to)
{
    static const char *const words[] = {"", "da", "caf\xc3\xa9", "dunez", "@INK.WELL"};
    const struct catalogue *catalogue = engine_catalogue(to->engine);
    for (size_t i = 0; catalogue && i < ARRAY_LENGTH(words); i++) {
        uint32_t rows[4];
        uint32_t row;
        buffer_printf(to->out, "word '%s':", words[i]);
        if (catalogue_find(catalogue, words[i], strlen(words[i]), &row))
            put(to, "found", row);
        for (size_t n = catalogue_search(catalogue, words[i], 4, rows), r = 0; r < n; r++)
            put_text(to, "search", catalogue_handle(catalogue, rows[r]));
        for (size_t n = catalogue_closest(catalogue, words[i], 4, rows), r = 0; r < n; r++)
            put_text(to, "closest", catalogue_handle(catalogue, rows[r]));
        buffer_put_char(to->out, '\n');
    }
}

void exercise_engine(const struct engine *engine, struct buffer *out)
{
    size_t bytes = (engine_scratch_bytes(engine) + 127) / 64 * 64;
    AUTO(free_slot) void *scratch = aligned_alloc(64, bytes);
    struct asking to = {engine, scratch, out};
    struct profile profile;
    if (!scratch)
        abort();
    for (size_t row = 0; row < SMALL_BUNDLE_ROWS; row += 4) {
        small_bundle_profile(row, &profile);
        ask_everything(&to, &profile);
    }
    profile_init(&profile);
    ask_everything(&to, &profile);
    const struct catalogue *catalogue = engine_catalogue(engine);
    if (catalogue && catalogue_n(catalogue) > 0) {
        catalogue_profile(catalogue, (uint32_t)catalogue_n(catalogue) - 1, &profile);
        ask_everything(&to, &profile);
    }
    search_catalogue(&to);
}
