/* SPDX-License-Identifier: Apache-2.0 */

/* make-bundle DIR [SEED]: a bundle of hand-made models over invented profiles, for tests of the
 * daemon that must not wait for a training. Nothing about it is learned.
 *
 * make-bundle --boosted DIR [SEED]: the same in the size of a large trained one, to measure: 33,935
 * accounts, 16 features, and 300 trees of depth 6 for the score as for the tier. Their splits are
 * drawn; an answer costs what one of a trained model of that shape costs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/bundle.h"
#include "base/clock.h"
#include "base/rng.h"
#include "runtime/engine.h"
#include "runtime/parity.h"
#include "runtime/spec_section.h"

#define N_ROWS 500
#define N_COLUMNS 6
#define BOOSTED_ROWS 33935
#define BOOSTED_COLUMNS 16 /* the first N_COLUMNS are those of a small bundle */
#define N_TIERS 5
#define N_CLUSTERS 3

static const char *const columns[BOOSTED_COLUMNS] = {
    "ln_followers",          "ln_posts",
    "ln_likes_per_follower", "ln_engagement_rate",
    "country=Norway",        "country=(missing)",
    "ln_following",          "ln_avg_likes",
    "ln_avg_engagement",     "ln_following_ratio",
    "ln_posts_per_follower", "ln_engagement_per_follower",
    "category=music",        "category=sports",
    "category=food",         "category=travel",
};
static const char *const categories[] = {"music", "sports", "food", "travel"};
static const char *const countries[] = {"Norway", "Chile", "Ghana"};
static const char *const tiers[N_TIERS] = {"nano", "micro", "mid", "macro", "mega"};
static const double cuts[N_TIERS - 1] = {1e4, 5e4, 5e5, 1e6};

struct world {
    uint64_t seed;
    bool is_boosted;
    size_t n_rows, n_columns;
    struct rng rng;
    struct feature_spec *spec;
    struct profile profiles[BOOSTED_ROWS];
    char handles[BOOSTED_ROWS][32];
    float raw[BOOSTED_ROWS * BOOSTED_COLUMNS];    /* [n_rows][n_columns] */
    float scaled[BOOSTED_ROWS * BOOSTED_COLUMNS]; /* [n_rows][n_columns] */
};

static void make_profile(struct world *world, size_t i)
{
    struct profile *p = &world->profiles[i];
    struct rng *rng = &world->rng;
    profile_init(p);
    snprintf(world->handles[i], sizeof world->handles[i], "demo_%04zu", i);
    p->text[PROFILE_handle] = world->handles[i];
    p->text[PROFILE_category] = categories[rng_below(rng, ARRAY_LENGTH(categories))];
    p->text[PROFILE_country] = countries[rng_below(rng, ARRAY_LENGTH(countries))];
    p->number[PROFILE_followers] = floor(exp(11 + 2 * rng_normal(rng)));
    p->number[PROFILE_posts] = floor(exp(6 + rng_normal(rng)));
    p->number[PROFILE_avg_likes] =
        floor(p->number[PROFILE_followers] * exp(-4 + 0.7 * rng_normal(rng)));
    if (world->is_boosted)
        p->number[PROFILE_following] = floor(exp(6 + rng_normal(rng)));
}

static enum status make_world(struct world *world, struct error *err)
{
    static const float fill[BOOSTED_COLUMNS] = {11, 6, -4, 0.5F, 0, 0, 6, 7, 7, -5, -5, -4};
    static const float mean[BOOSTED_COLUMNS] = {11, 6,  -4, 0.5F, 0.3F,  0.1F,  6,     7,
                                                7,  -5, -5, -4,   0.25F, 0.25F, 0.25F, 0.25F};
    static const float scale[BOOSTED_COLUMNS] = {2, 1, 0.7F, 0.7F, 0.5F, 0.5F, 1,    2,
                                                 2, 2, 2,    0.7F, 0.4F, 0.4F, 0.4F, 0.4F};
    TRY(feature_spec_new(columns, fill, mean, scale, world->n_columns, &world->spec, err));
    for (size_t i = 0; i < world->n_rows; i++) {
        float *raw = world->raw + i * world->n_columns;
        make_profile(world, i);
        struct profile prepared = world->profiles[i];
        feature_prepare(&prepared);
        feature_extract(world->spec, &prepared, raw);
        feature_scale(world->spec, raw, world->scaled + i * world->n_columns);
    }
    return STATUS_OK;
}

#define N_TREES 300
#define DEPTH 6
#define N_NODES ((1 << (DEPTH + 1)) - 1)

static void fill_tree(struct world *world, struct tree_node *nodes)
{
    struct rng *rng = &world->rng;
    for (uint32_t i = 0; i < N_NODES; i++) {
        bool is_leaf = i >= N_NODES / 2;
        size_t c = rng_below(rng, world->n_columns);
        const struct feature_column *column = &world->spec->columns[c];
        double value = is_leaf ? 0.3 * rng_normal(rng)
                               : (double)column->mean + (double)column->scale * rng_normal(rng);
        nodes[i] = (struct tree_node){
            .feature = is_leaf ? -1 : (int32_t)c,
            .value = (float)value,
            .left = is_leaf ? 0 : 2 * i + 1,
            .right = is_leaf ? 0 : 2 * i + 2,
            .missing_left = (uint8_t)rng_below(rng, 2),
            .cover = (float)N_NODES / (float)(i + 1),
        };
    }
}

/* Full trees, drawn; of several outputs, each gets its share of them in turn. */
static enum status write_trees(struct world *world, struct artifact_writer *writer,
                               const char *prefix, const double *base, size_t n_outputs,
                               struct error *err)
{
    static struct tree_node nodes[N_TREES * N_NODES];
    static uint32_t start[N_TREES + 1], output[N_TREES];
    for (size_t tree = 0; tree < N_TREES; tree++) {
        fill_tree(world, nodes + tree * N_NODES);
        start[tree + 1] = (uint32_t)((tree + 1) * N_NODES);
        output[tree] = (uint32_t)(tree % n_outputs);
    }
    const struct tree_model model = {world->n_columns, n_outputs, N_TREES, base, start,
                                     output,           nodes};
    TRY(predictor_write(writer, prefix, world->spec, "trees", err));
    return trees_write(writer, prefix, &model, err);
}

static enum status write_score_model(struct world *world, struct artifact_writer *writer,
                                     struct error *err)
{
    /* Another seed is another model, and not only another catalogue. */
    const double weights[N_COLUMNS + 1] = {6, 1, 4, 2, 0.5, -0.5, 60 + (double)(world->seed % 3)};
    struct linear_model model = {.n_inputs = N_COLUMNS, .n_outputs = 1, .weights = weights};
    if (world->is_boosted)
        return write_trees(world, writer, "score", weights + N_COLUMNS, 1, err);
    TRY(predictor_write(writer, "score", world->spec, "linear", err));
    return linear_write(writer, "score", &model, err);
}

static enum status write_score(struct world *world, struct artifact_writer *writer,
                               struct error *err)
{
    static double sample[BOOSTED_ROWS];
    TRY(write_score_model(world, writer, err));
    float score_grid[COMPOSITE_GRID];
    float novelty_grid[101];
    size_t n_rows = world->n_rows;
    size_t n_columns = world->n_columns;
    for (size_t i = 0; i < n_rows; i++)
        sample[i] = 60 + 6 * (double)world->scaled[i * n_columns] +
                    4 * (double)world->scaled[i * n_columns + 2];
    composite_make_grid(sample, n_rows, score_grid, COMPOSITE_GRID);
    for (size_t i = 0; i < n_rows; i++)
        sample[i] = engine_novelty_distance(world->spec, world->raw + i * n_columns);
    composite_make_grid(sample, n_rows, novelty_grid, 101);
    struct score_extra extra = {
        .target = "influence_score",
        .interval_coverage = 0.9,
        .interval_low = -5,
        .interval_high = 6,
        .clip_low = 0,
        .clip_high = 100,
        .score_grid = score_grid,
        .novelty_grid = novelty_grid,
    };
    float grids[COMPOSITE_N_PARTS][COMPOSITE_GRID];
    for (size_t part = 0; part < COMPOSITE_N_PARTS; part++) {
        size_t n = 0;
        for (size_t i = 0; i < n_rows; i++) {
            double figure = composite_figure(&world->profiles[i], (enum composite_part)part);
            if (!isnan(figure))
                sample[n++] = figure;
        }
        extra.composite.weight[part] = 1;
        if (n == 0)
            continue;
        composite_make_grid(sample, n, grids[part], COMPOSITE_GRID);
        extra.composite.grid[part] = grids[part];
    }
    return score_extra_write(writer, &extra, err);
}

static enum status write_tier(struct world *world, struct artifact_writer *writer,
                              struct error *err)
{
    /* Five lines over ln followers, whose largest changes about at the cuts. */
    double weights[N_TIERS][N_COLUMNS + 1] = {0};
    for (size_t t = 0; t < N_TIERS; t++) {
        double slope = 4 * ((double)t - 2);
        double middle = ((t > 0 ? log(cuts[t - 1]) : log(1e3)) - 11) / 2;
        weights[t][0] = slope;
        weights[t][N_COLUMNS] = (t > 0 ? weights[t - 1][N_COLUMNS] - 4 * middle : 0);
    }
    struct linear_model model = {
        .n_inputs = N_COLUMNS, .n_outputs = N_TIERS, .weights = weights[0]};
    struct tier_extra extra = {
        .target = "size",
        .n_tiers = N_TIERS,
        .names = tiers,
        .temperature = 1,
        .n_sizes = N_TIERS,
        .size_names = tiers,
        .size_cuts = cuts,
    };
    if (world->is_boosted) {
        static const double base[N_TIERS];
        TRY(write_trees(world, writer, "tier", base, N_TIERS, err));
    } else {
        TRY(predictor_write(writer, "tier", world->spec, "linear", err));
        TRY(linear_write(writer, "tier", &model, err));
    }
    return tier_extra_write(writer, &extra, err);
}

static enum status write_cluster(struct world *world, struct artifact_writer *writer,
                                 struct error *err)
{
    static const float middles[N_CLUSTERS][3] = {{-1, 0, 0.5F}, {0, 0, 0}, {1.5F, 0.5F, -0.5F}};
    float centroids[N_CLUSTERS * BOOSTED_COLUMNS] = {0};
    for (size_t c = 0; c < N_CLUSTERS; c++)
        memcpy(centroids + c * world->n_columns, middles[c], sizeof middles[c]);
    static const char *const names[] = {"small, liked", "middling", "large, \"known\""};
    static const char *const traits[] = {"[]", "[]", "[{\"feature\":\"ln_followers\",\"z\":1.5}]"};
    static const uint32_t sizes[] = {100, 250, 150};
    float grid[N_CLUSTERS][101];
    for (size_t c = 0; c < N_CLUSTERS; c++)
        for (size_t i = 0; i < 101; i++)
            grid[c][i] = (float)i / 25;
    struct clusters_model model = {
        .k = N_CLUSTERS,
        .n_inputs = world->n_columns,
        .centroids = centroids,
        .names = names,
        .traits = traits,
        .sizes = sizes,
        .distance_grid = grid[0],
        .silhouette = 0.25,
    };
    return clusters_write(writer, world->spec, &model, err);
}

static enum status write_similar(struct world *world, struct artifact_writer *writer,
                                 struct error *err)
{
    static double numbers[PROFILE_N_NUMBERS][BOOSTED_ROWS];
    static const char *texts[PROFILE_N_TEXTS][BOOSTED_ROWS];
    struct catalogue_columns catalogue = {.n = world->n_rows};
    for (size_t i = 0; i < world->n_rows; i++) {
        for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
            numbers[f][i] = world->profiles[i].number[f];
        for (size_t f = 0; f < PROFILE_N_TEXTS; f++)
            texts[f][i] = world->profiles[i].text[f];
    }
    for (size_t f = 0; f < PROFILE_N_NUMBERS; f++)
        catalogue.number[f] = isnan(numbers[f][0]) ? NULL : numbers[f];
    for (size_t f = 0; f < PROFILE_N_TEXTS; f++)
        catalogue.text[f] = texts[f][0] ? texts[f] : NULL;
    TRY(catalogue_write(writer, &catalogue, err));
    TRY(similar_spec_write(writer, world->spec, err));
    const struct neighbour_rows rows = {world->scaled, world->n_rows, world->n_columns};
    AUTO(own_neighbours_deinit) struct own_neighbours own = {0};
    TRY(own_neighbours_init(&own, &rows, 0, err));
    TRY(isolation_write(writer, &own, &rows, err));
    return own_neighbours_write(&own, writer, err);
}

static enum status put_parity(const struct world *world, const struct bundle_file *files,
                              struct buffer *out, struct error *err)
{
    struct engine_blob blobs[ENGINE_N_BLOBS] = {0};
    AUTO(engine_close_slot) struct engine *engine = NULL;
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        blobs[i] = (struct engine_blob){files[i].bytes, files[i].n_bytes};
    TRY(engine_open_memory(blobs, &engine, err));
    return parity_write(engine, world->profiles, 5, out, err);
}

static enum status write_bundle(const char *dir, uint64_t seed, bool is_boosted, struct error *err)
{
    static enum status (*const write[ENGINE_N_MODELS])(struct world *, struct artifact_writer *,
                                                       struct error *) = {
        [ENGINE_SCORE] = write_score,
        [ENGINE_TIER] = write_tier,
        [ENGINE_CLUSTER] = write_cluster,
        [ENGINE_SIMILAR] = write_similar,
    };
    static const enum artifact_kind kinds[ENGINE_N_MODELS] = {ARTIFACT_SCORE, ARTIFACT_TIER,
                                                              ARTIFACT_CLUSTER, ARTIFACT_SIMILAR};
    static struct world world;
    world.seed = seed;
    world.is_boosted = is_boosted;
    world.n_rows = is_boosted ? BOOSTED_ROWS : N_ROWS;
    world.n_columns = is_boosted ? BOOSTED_COLUMNS : N_COLUMNS;
    world.rng = rng_seed(seed);
    TRY(make_world(&world, err));
    struct bundle_file files[ENGINE_N_MODELS + 1];
    for (size_t i = 0; i < ENGINE_N_MODELS; i++) {
        AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
        void *bytes = NULL;
        TRY(artifact_writer_new(kinds[i], &writer, err));
        TRY(write[i](&world, writer, err));
        TRY(artifact_finish(writer, &bytes, &files[i].n_bytes, err));
        files[i].name = engine_file_names[i];
        files[i].bytes = bytes;
    }
    feature_spec_free(world.spec);
    AUTO(buffer_deinit) struct buffer parity = {0};
    TRY(put_parity(&world, files, &parity, err));
    files[ENGINE_N_MODELS] = (struct bundle_file){PARITY_FILE, parity.at, parity.length};
    char id[BUNDLE_ID_BYTES];
    enum status status = bundle_write(dir, files, ARRAY_LENGTH(files), "\"synthetic\":true",
                                      clock_utc_us(), id, err);
    for (size_t i = 0; i < ENGINE_N_MODELS; i++)
        free((void *)(uintptr_t)files[i].bytes);
    if (status == STATUS_OK)
        puts(id);
    return status;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    bool is_boosted = argc > 1 && strcmp(argv[1], "--boosted") == 0;
    argc -= is_boosted;
    argv += is_boosted;
    if (argc < 2 || argc > 3) {
        fputs("usage: make-bundle [--boosted] DIR [SEED]\n", stderr);
        return 2;
    }
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    if (write_bundle(argv[1], seed, is_boosted, &err) != STATUS_OK) {
        fprintf(stderr, "make-bundle: %s\n", err.message);
        return 1;
    }
    return 0;
}
