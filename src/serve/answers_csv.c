/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answers_csv.h"

#include "serve/csv.h"

#define FINE 8
#define COARSE 4

static void put_imputed(struct buffer *out, uint64_t imputed)
{
    for (bool first = true; imputed; imputed &= imputed - 1, first = false) {
        enum profile_number number = (enum profile_number)__builtin_ctzll(imputed);
        if (!first)
            buffer_put_char(out, ' ');
        buffer_put_text(out, profile_number_field(number)->name);
    }
}

static void put_comma_fixed(struct buffer *out, double value, unsigned decimals)
{
    buffer_put_char(out, ',');
    csv_put_fixed(out, value, decimals);
}

static void put_comma_text(struct buffer *out, const char *text)
{
    buffer_put_char(out, ',');
    csv_put(out, text);
}

/* The imputed fields and columns, and no error. */
static void end_row(const struct asker *asker, enum engine_model model,
                    const struct profile *profile, uint64_t imputed, struct buffer *out)
{
    buffer_put_char(out, ',');
    put_imputed(out, imputed);
    size_t at = 0;
    const struct feature_spec *spec = engine_spec(asker->engine, model);
    for (const char *name; (name = own_values_lacking(spec, profile, &at)); imputed = 1) {
        if (imputed)
            buffer_put_char(out, ' ');
        buffer_put_text(out, name);
    }
    buffer_put_text(out, ",\r\n");
}

const char *answers_csv_columns(const struct answer_kind *kind, const struct engine *engine)
{
    return kind->csv_columns_growth && engine_has_growth(engine) ? kind->csv_columns_growth
                                                                 : kind->csv_columns;
}

void answers_csv_score(const struct asker *asker, const struct profile *profile,
                       const union answer *answer, struct buffer *out)
{
    const struct score_answer *score = &answer->score;
    csv_put(out, profile->text[PROFILE_handle]);
    put_comma_fixed(out, score->score, FINE);
    put_comma_fixed(out, score->low, FINE);
    put_comma_fixed(out, score->high, FINE);
    put_comma_fixed(out, score->percentile, COARSE);
    put_comma_fixed(out, score->novelty, COARSE);
    put_comma_fixed(out, score->composite.score, COARSE);
    if (score->has_growth) {
        put_comma_fixed(out, score->growth.forecast, FINE);
        put_comma_fixed(out, score->growth.low, FINE);
        put_comma_fixed(out, score->growth.high, FINE);
    }
    end_row(asker, ENGINE_SCORE, profile, score->imputed, out);
}

void answers_csv_tier(const struct asker *asker, const struct profile *profile,
                      const union answer *answer, struct buffer *out)
{
    const struct tier_answer *tier = &answer->tier;
    csv_put(out, profile->text[PROFILE_handle]);
    put_comma_text(out, tier->names[tier->tier]);
    put_comma_fixed(out, tier->probabilities[tier->tier], FINE);
    put_comma_text(out, tier->size_claimed);
    put_comma_text(out, tier->size_predicted);
    put_comma_fixed(out, tier->has_audience ? tier->audience.score : MISSING, COARSE);
    end_row(asker, ENGINE_TIER, profile, tier->imputed, out);
}

void answers_csv_cluster(const struct asker *asker, const struct profile *profile,
                         const union answer *answer, struct buffer *out)
{
    const struct cluster_answer *cluster = &answer->cluster;
    csv_put(out, profile->text[PROFILE_handle]);
    buffer_printf(out, ",%zu", cluster->cluster);
    put_comma_text(out, cluster->name);
    put_comma_fixed(out, cluster->distance, FINE);
    end_row(asker, ENGINE_CLUSTER, profile, cluster->imputed, out);
}

void answers_csv_similar(const struct asker *asker, const struct profile *profile,
                         const union answer *answer, struct buffer *out)
{
    const struct catalogue *catalogue = engine_catalogue(asker->engine);
    for (size_t i = 0; i < answer->similar.n; i++) {
        const struct similar_item *item = &answer->similar.items[i];
        csv_put(out, profile->text[PROFILE_handle]);
        buffer_printf(out, ",%zu", i + 1);
        put_comma_text(out, catalogue_handle(catalogue, item->row));
        put_comma_fixed(out, item->similarity, FINE);
        put_comma_fixed(out, item->distance, FINE);
        end_row(asker, ENGINE_SIMILAR, profile, answer->similar.imputed, out);
    }
}
