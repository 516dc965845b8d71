/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answers_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Decimals: enough that a reader gets back what the engine said, for a fraction of the cost of the
 * shortest exact form. */
#define FINE 8   /* scores, probabilities */
#define COARSE 4 /* percentiles, distances to people */

/* ---- score ---- */

static void write_composite(const struct composite_score *composite, struct json_writer *w)
{
    json_put_key(w, "composite");
    json_begin_object(w);
    json_member_fixed(w, "score", composite->score, COARSE);
    json_put_key(w, "parts");
    json_begin_object(w);
    for (size_t i = 0; i < COMPOSITE_N_PARTS; i++) {
        if (isnan(composite->part[i]))
            continue;
        json_put_key(w, composite_part_names[i]);
        json_begin_object(w);
        json_member_fixed(w, "percentile", composite->part[i], COARSE);
        json_member_fixed(w, "weight", composite->share[i], COARSE);
        json_end_object(w);
    }
    json_end_object(w);
    json_end_object(w);
}

struct contribution {
    const char *feature;
    double points;
};

static int by_size_falling(const void *a, const void *b)
{
    double x = fabs(((const struct contribution *)a)->points);
    double y = fabs(((const struct contribution *)b)->points);
    return (x < y) - (x > y);
}

static void write_contributions(const struct asker *asker, const struct score_answer *answer,
                                struct json_writer *w)
{
    const struct predictor *predictor = engine_predictor(asker->engine, ENGINE_SCORE);
    const struct feature_spec *spec = predictor_spec(predictor);
    struct contribution *items =
        ARENA_ARRAY(asker->arena, struct contribution, answer->n_contributions);
    if (!items) {
        w->out->failed = true;
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < answer->n_contributions && i < spec->n_columns; i++)
        if (answer->contributions[i] != 0)
            items[n++] = (struct contribution){spec->columns[i].name, answer->contributions[i]};
    qsort(items, n, sizeof *items, by_size_falling);
    json_put_key(w, "explanation");
    json_begin_object(w);
    json_member_fixed(w, "base", answer->base, FINE);
    json_put_key(w, "contributions");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_member_string(w, "feature", items[i].feature);
        json_member_fixed(w, "points", items[i].points, FINE);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static void write_novelty(double novelty, bool is_formula, struct json_writer *w)
{
    json_member_fixed(w, "novelty", novelty, COARSE);
    if (!(novelty > NOVELTY_BEYOND))
        return;
    json_member_bool(w, "beyond", true);
    json_member_string(w, "caution",
                       is_formula ? "unlike nearly every account in training: the formula holds, "
                                    "tier and archetype are guesses"
                                  : "unlike nearly every account in training: take it as a guess");
}

static void write_isolation(const struct isolation *isolation, struct json_writer *w)
{
    json_put_key(w, "isolation");
    json_begin_object(w);
    json_member_fixed(w, "distance", isolation->distance, FINE);
    json_member_fixed(w, "percentile", isolation->percentile, COARSE);
    if (isolation->percentile > NOVELTY_BEYOND)
        json_member_bool(w, "beyond", true);
    json_end_object(w);
}

static void write_growth(const struct growth_answer *growth, struct json_writer *w)
{
    json_put_key(w, "growth");
    json_begin_object(w);
    json_member_fixed(w, "forecast", growth->forecast, FINE);
    json_member_fixed(w, "low", growth->low, FINE);
    json_member_fixed(w, "high", growth->high, FINE);
    json_member_fixed(w, "coverage", growth->coverage, COARSE);
    json_member_fixed(w, "months", growth->months, COARSE);
    json_member_fixed(w, "percentile", growth->percentile, COARSE);
    codec_write_imputed(w, growth->imputed);
    json_end_object(w);
}

void answers_json_score(const struct asker *asker, const union answer *answer,
                        struct json_writer *w)
{
    const struct score_answer *score = &answer->score;
    json_member_fixed(w, "score", score->score, FINE);
    json_put_key(w, "interval");
    json_begin_object(w);
    json_member_fixed(w, "low", score->low, FINE);
    json_member_fixed(w, "high", score->high, FINE);
    json_member_fixed(w, "coverage", score->coverage, COARSE);
    json_end_object(w);
    json_member_fixed(w, "percentile", score->percentile, COARSE);
    json_member_string(w, "target", score->target);
    write_composite(&score->composite, w);
    write_novelty(score->novelty, strcmp(score->target, "composite") == 0, w);
    if (score->has_growth)
        write_growth(&score->growth, w);
    codec_write_imputed(w, score->imputed);
    if (score->has_isolation)
        write_isolation(&score->isolation, w);
    if (asker->options->explain)
        write_contributions(asker, score, w);
}

/* ---- tier ---- */

/* What is unlike its peers, the strongest doubt first. */
static void write_reasons(const struct tier_answer *tier, struct json_writer *w)
{
    bool told[AUDIENCE_N_PARTS] = {false};
    json_put_key(w, "reasons");
    json_begin_array(w);
    for (;;) {
        size_t next = AUDIENCE_N_PARTS;
        for (size_t p = 0; p < AUDIENCE_N_PARTS; p++)
            if (!told[p] && tier->audience.sign[p].doubt >= AUDIENCE_REASON &&
                (next == AUDIENCE_N_PARTS ||
                 tier->audience.sign[p].doubt > tier->audience.sign[next].doubt))
                next = p;
        if (next == AUDIENCE_N_PARTS)
            break;
        told[next] = true;
        char text[AUDIENCE_TEXT_BYTES];
        audience_reason((enum audience_part)next, &tier->audience.sign[next], tier->size_claimed,
                        text);
        json_begin_object(w);
        json_member_string(w, "part", audience_part_names[next]);
        json_member_fixed(w, "doubt", tier->audience.sign[next].doubt, COARSE);
        json_member_string(w, "text", text);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_audience(const struct tier_answer *tier, struct json_writer *w)
{
    if (!tier->has_audience)
        return;
    json_put_key(w, "audience");
    json_begin_object(w);
    json_member_fixed(w, "score", tier->audience.score, COARSE);
    write_reasons(tier, w);
    json_end_object(w);
}

void answers_json_tier(const struct asker *asker, const union answer *answer, struct json_writer *w)
{
    (void)asker;
    const struct tier_answer *tier = &answer->tier;
    json_member_string(w, "tier", tier->names[tier->tier]);
    json_put_key(w, "probabilities");
    json_begin_object(w);
    for (size_t i = 0; i < tier->n_tiers; i++)
        json_member_fixed(w, tier->names[i], tier->probabilities[i], FINE);
    json_end_object(w);
    json_member_string(w, "target", tier->target);
    json_put_key(w, "size");
    json_begin_object(w);
    json_member_string(w, "claimed", tier->size_claimed);
    json_member_string(w, "predicted", tier->size_predicted);
    if (tier->size_predicted) {
        json_member_fixed(w, "confidence", tier->size_confidence, FINE);
        json_member_bool(w, "disagrees", tier->size_disagrees);
    }
    json_end_object(w);
    write_audience(tier, w);
    codec_write_imputed(w, tier->imputed);
}

/* ---- cluster ---- */

void answers_json_cluster(const struct asker *asker, const union answer *answer,
                          struct json_writer *w)
{
    (void)asker;
    const struct cluster_answer *cluster = &answer->cluster;
    json_member_integer(w, "cluster", (int64_t)cluster->cluster);
    json_member_string(w, "name", cluster->name);
    json_member_fixed(w, "distance", cluster->distance, FINE);
    json_member_fixed(w, "distance_percentile", cluster->distance_percentile, COARSE);
    json_put_key(w, "membership");
    json_begin_array(w);
    for (size_t i = 0; i < cluster->k; i++)
        json_put_fixed(w, cluster->membership[i], FINE);
    json_end_array(w);
    json_put_key(w, "traits");
    json_put_raw(w, cluster->traits, strlen(cluster->traits));
    codec_write_imputed(w, cluster->imputed);
}

void answer_list_clusters(const struct engine *engine, struct json_writer *w)
{
    const struct clusters_model *model = clusters_model(engine_clusters(engine));
    json_member_fixed(w, "silhouette", model->silhouette, COARSE);
    json_put_key(w, "clusters");
    json_begin_array(w);
    for (size_t i = 0; i < model->k; i++) {
        json_begin_object(w);
        json_member_integer(w, "cluster", (int64_t)i);
        json_member_string(w, "name", model->names[i]);
        json_member_integer(w, "size", model->sizes[i]);
        json_put_key(w, "traits");
        json_put_raw(w, model->traits[i], strlen(model->traits[i]));
        json_end_object(w);
    }
    json_end_array(w);
}

/* ---- similar ---- */

void answer_write_influencer(const struct catalogue *catalogue, uint32_t row, struct json_writer *w)
{
    json_member_string(w, "handle", catalogue_handle(catalogue, row));
    json_member_string(w, "name", catalogue_text(catalogue, row, PROFILE_name));
    json_member_string(w, "category", catalogue_text(catalogue, row, PROFILE_category));
    json_member_string(w, "country", catalogue_text(catalogue, row, PROFILE_country));
    json_member_string(w, "audience_country",
                       catalogue_text(catalogue, row, PROFILE_audience_country));
    json_member_number(w, "followers", catalogue_number(catalogue, row, PROFILE_followers));
}

void answers_json_similar(const struct asker *asker, const union answer *answer,
                          struct json_writer *w)
{
    const struct similar_answer *similar = &answer->similar;
    json_put_key(w, "similar");
    json_begin_array(w);
    for (size_t i = 0; i < similar->n; i++) {
        json_begin_object(w);
        answer_write_influencer(engine_catalogue(asker->engine), similar->items[i].row, w);
        json_member_fixed(w, "similarity", similar->items[i].similarity, FINE);
        json_member_fixed(w, "distance", similar->items[i].distance, FINE);
        json_end_object(w);
    }
    json_end_array(w);
    json_member_integer(w, "k", (int64_t)asker->options->similar.k);
    json_member_integer(w, "found", (int64_t)similar->n);
    json_member_integer(w, "candidates", (int64_t)similar->n_candidates);
    json_member_bool(w, "exact", similar->exact);
    if (similar->has_isolation)
        write_isolation(&similar->isolation, w);
    codec_write_imputed(w, similar->imputed);
}
