/* SPDX-License-Identifier: Apache-2.0 */
#include "small_bundle.h"

#include <stdlib.h>

#include "features/peers.h"

#define N SMALL_BUNDLE_ROWS
#define M MISSING

static const char *const handles[N] = {"Ada.Makes", "bake_day",  "c4rbon",    "dunes",
                                       "eddy.runs", "fern_and",  "gouache",   "harbour_ok",
                                       "ink.well",  "jam_today", "kite_fest", "@lantern"};
static const char *const names[N] = {"Ada Makes", "Bake Day", NULL,      "Dunes",
                                     "Eddy Runs", "Fern &",   "Gouache", "Harbour Caf\xc3\xa9",
                                     "Inkwell",   "Jam",      NULL,      "Lantern"};
static const char *const categories[N] = {"Art", "Food", "Tech", "Travel", "Sport", "Home",
                                          "art", "Food", "Art",  "Food",   NULL,    "Travel"};
static const char *const countries[N] = {"Norway", "France", "Chile", "Norway", NULL,     "Kenya",
                                         "France", "France", "Chile", "Kenya",  "Norway", "norway"};
static const double followers[N] = {1200,  56000, 830000, 2.1e6,  9400,  15500,
                                    70200, 3300,  128000, 4.75e8, 45000, M};
static const double posts[N] = {310, 1200, 95, 640, 77, 2050, 512, 33, 804, 7200, M, 150};
static const double likes[N] = {90, 2100, 11000, 64000, 800, M, 3900, 140, 2500, 3.2e6, 990, 12};

void small_bundle_profile(size_t row, struct profile *ret_profile)
{
    profile_init(ret_profile);
    ret_profile->text[PROFILE_handle] = handles[row];
    ret_profile->text[PROFILE_name] = names[row];
    ret_profile->text[PROFILE_category] = categories[row];
    ret_profile->text[PROFILE_country] = countries[row];
    ret_profile->number[PROFILE_followers] = followers[row];
    ret_profile->number[PROFILE_posts] = posts[row];
    ret_profile->number[PROFILE_avg_likes] = likes[row];
}

/* ---- features ---- */

#define N_COLUMNS 6
#define N_SIZE_COLUMNS 2 /* the size model must not see the followers */

static enum status make_spec(struct feature_spec **ret_spec, struct error *err)
{
    static const char *const columns[N_COLUMNS] = {"ln_followers",     "ln_posts",
                                                   "ln_avg_likes",     "category=Food",
                                                   "category=(other)", "category=(missing)"};
    static const float fill[N_COLUMNS] = {11, 6, 8, 0, 0, 0};
    static const float mean[N_COLUMNS] = {11.5F, 6.25F, 7.75F, 0.25F, 0.625F, 0.125F};
    static const float scale[N_COLUMNS] = {3, 1.5F, 3.25F, 0.5F, 0.5F, 0.375F};
    return feature_spec_new(columns, fill, mean, scale, N_COLUMNS, ret_spec, err);
}

static enum status make_size_spec(struct feature_spec **ret_spec, struct error *err)
{
    static const char *const columns[N_SIZE_COLUMNS] = {"ln_avg_likes", "ln_posts"};
    static const float fill[N_SIZE_COLUMNS] = {8, 6};
    static const float mean[N_SIZE_COLUMNS] = {7.75F, 6.25F};
    static const float scale[N_SIZE_COLUMNS] = {3.25F, 1.5F};
    return feature_spec_new(columns, fill, mean, scale, N_SIZE_COLUMNS, ret_spec, err);
}

static void ascend(float *grid, size_t n, float from, float to)
{
    for (size_t i = 0; i < n; i++)
        grid[i] = from + (to - from) * (float)i / (float)(n - 1);
}

/* ---- the blobs ---- */

static enum status write_score(struct artifact_writer *writer, const struct feature_spec *spec,
                               struct error *err)
{
    /* A stump, a tree that splits on the same feature twice, and a lonely leaf. */
    static const struct tree_node nodes[] = {
        {.feature = 0, .value = 11, .left = 1, .right = 2, .missing_left = 1, .cover = 12},
        {.feature = -1, .value = -4.5F, .cover = 5},
        {.feature = -1, .value = 6.25F, .cover = 7},
        {.feature = 2, .value = 8, .left = 1, .right = 4, .missing_left = 0, .cover = 12},
        {.feature = 3, .value = 0.5F, .left = 2, .right = 3, .missing_left = 1, .cover = 6},
        {.feature = -1, .value = -1.5F, .cover = 4},
        {.feature = -1, .value = 0.75F, .cover = 2},
        {.feature = 2, .value = 11.5F, .left = 5, .right = 6, .missing_left = 1, .cover = 6},
        {.feature = -1, .value = 1.25F, .cover = 5},
        {.feature = -1, .value = 8.1F, .cover = 1},
        {.feature = -1, .value = 0.125F, .cover = 12},
    };
    static const double base[] = {71.5};
    static const uint32_t start[] = {0, 3, 10, 11};
    static const uint32_t output[] = {0, 0, 0};
    const struct tree_model model = {N_COLUMNS, 1, 3, base, start, output, nodes};
    float score_grid[COMPOSITE_GRID];
    float novelty_grid[NOVELTY_GRID];
    float part_grid[COMPOSITE_GRID];
    ascend(score_grid, COMPOSITE_GRID, 60, 90);
    ascend(novelty_grid, NOVELTY_GRID, 0.25F, 3);
    ascend(part_grid, COMPOSITE_GRID, 4, 20);
    struct score_extra extra = {
        .target = "influence_score",
        .interval_coverage = 0.9,
        .interval_low = -5.5,
        .interval_high = 4.25,
        .clip_low = 0,
        .clip_high = 100,
        .score_grid = score_grid,
        .novelty_grid = novelty_grid,
        .composite = {.weight = {0.4, 0.3, 0.15, 0.1, 0.05}},
    };
    extra.composite.grid[COMPOSITE_reach] = part_grid;
    extra.composite.grid[COMPOSITE_activity] = part_grid;
    TRY(predictor_write(writer, "score", spec, "trees", err));
    TRY(trees_write(writer, "score", &model, err));
    return score_extra_write(writer, &extra, err);
}

static enum status write_tier(struct artifact_writer *writer, const struct feature_spec *spec,
                              struct error *err)
{
    static const double weights[3][N_COLUMNS + 1] = {{-2, 0, -1, 0.5, 0, 0, 0.25},
                                                     {0.5, 0.25, 0, 0, 0.125, 0, 1},
                                                     {3, 0, 1.5, -0.5, 0, 0.75, -1}};
    static const double size_weights[2][N_SIZE_COLUMNS + 1] = {{-2.5, 0.5, 0}, {2.5, -0.5, 0.5}};
    static const char *const tiers[] = {"low", "middle", "high"};
    static const char *const sizes[] = {"small", "large"};
    static const double cuts[] = {50000};
    const struct linear_model model = {N_COLUMNS, 3, weights[0]};
    const struct linear_model size_model = {N_SIZE_COLUMNS, 2, size_weights[0]};
    const struct tier_extra extra = {
        .target = "score_quantile",
        .n_tiers = 3,
        .names = tiers,
        .temperature = 1.25,
        .n_sizes = 2,
        .size_names = sizes,
        .size_cuts = cuts,
        .has_size_predictor = true,
        .size_temperature = 0.75,
    };
    AUTO(feature_spec_free_slot) struct feature_spec *size_spec = NULL;
    TRY(make_size_spec(&size_spec, err));
    TRY(predictor_write(writer, "tier", spec, "linear", err));
    TRY(linear_write(writer, "tier", &model, err));
    TRY(predictor_write(writer, "size", size_spec, "linear", err));
    TRY(linear_write(writer, "size", &size_model, err));
    return tier_extra_write(writer, &extra, err);
}

static enum status write_cluster(struct artifact_writer *writer, const struct feature_spec *spec,
                                 struct error *err)
{
    static const float centroids[3][N_COLUMNS] = {{-1, 0.25F, -1, 0, 0, 0},
                                                  {0.5F, 0, 0.75F, 1.5F, -1.25F, 0},
                                                  {2, 1, 2.25F, 0, 0.5F, -0.25F}};
    static const char *const cluster_names[] = {"small", "cooks", "large"};
    static const char *const traits[] = {"[]", "[{\"feature\":\"category=Food\",\"z\":1.5}]", "[]"};
    static const uint32_t sizes[] = {5, 4, 3};
    float grid[3][CLUSTERS_GRID];
    for (size_t c = 0; c < 3; c++)
        ascend(grid[c], CLUSTERS_GRID, 0.5F, 4);
    const struct clusters_model model = {3,      N_COLUMNS, centroids[0], cluster_names,
                                         traits, sizes,     grid[0],      0.375};
    return clusters_write(writer, spec, &model, err);
}

static enum status write_similar(struct artifact_writer *writer, const struct feature_spec *spec,
                                 struct error *err)
{
    float rows[N][N_COLUMNS];
    for (size_t row = 0; row < N; row++) {
        struct profile profile;
        small_bundle_profile(row, &profile);
        feature_prepare(&profile);
        feature_extract(spec, &profile, rows[row]);
        feature_scale(spec, rows[row], rows[row]);
    }
    const struct catalogue_columns columns = {
        .n = N,
        .number =
            {[PROFILE_followers] = followers, [PROFILE_posts] = posts, [PROFILE_avg_likes] = likes},
        .text = {[PROFILE_handle] = handles,
                 [PROFILE_name] = names,
                 [PROFILE_category] = categories,
                 [PROFILE_country] = countries},
    };
    TRY(similar_spec_write(writer, spec, err));
    TRY(neighbours_write(writer, rows[0], N, N_COLUMNS, 7, err));
    return catalogue_write(writer, &columns, err);
}

#define N_GROWTH_COLUMNS 3

static enum status make_growth_spec(struct feature_spec **ret_spec, struct error *err)
{
    static const char *const columns[N_GROWTH_COLUMNS] = {"ln_followers", "ln_avg_likes",
                                                          "peer:ln_avg_likes"};
    static const float fill[N_GROWTH_COLUMNS] = {11, 8, 0};
    static const float mean[N_GROWTH_COLUMNS] = {11.5F, 7.75F, 0};
    static const float scale[N_GROWTH_COLUMNS] = {3, 3.25F, 2};
    /* Small, large, not known; each Food and others. */
    static const float medians[] = {6.5F, 6, 9.5F, 9, 8.5F, 8};
    static const char *const peer_categories[] = {"Food"};
    static const struct feature_peers peers = {.n_sizes = 2,
                                               .cuts = {50000},
                                               .n_categories = 1,
                                               .categories = peer_categories,
                                               .n_columns = 1,
                                               .medians = medians};
    TRY(feature_spec_new(columns, fill, mean, scale, N_GROWTH_COLUMNS, ret_spec, err));
    return peers_set(*ret_spec, &peers, err);
}

static enum status write_growth(struct artifact_writer *writer, const struct feature_spec *spec,
                                struct error *err)
{
    /* Ten for each deviation of ln followers below the middle, two for each of ln likes above it,
     * and one for two above the peers, in 100 ln ratio. */
    static const double weights[N_GROWTH_COLUMNS + 1] = {-10, 2, 1, 3};
    static const struct linear_model model = {N_GROWTH_COLUMNS, 1, weights};
    static const struct interval_rule intervals = {
        .n_groups = 2,
        .cuts = {50000},
        .offsets = {{-8, 12}, {-4, 5}, {-6, 9}},
        .n_knots = 2,
        .knots = {{0, 1}, {10, 2}},
    };
    (void)spec;
    float grid[COMPOSITE_GRID];
    ascend(grid, COMPOSITE_GRID, -20, 30);
    const struct growth_extra extra = {
        .coverage = 0.9, .months = 2, .intervals = &intervals, .grid = grid};
    AUTO(feature_spec_free_slot) struct feature_spec *own = NULL;
    TRY(make_growth_spec(&own, err));
    TRY(predictor_write(writer, "growth", own, "linear", err));
    TRY(linear_write(writer, "growth", &model, err));
    return growth_extra_write(writer, &extra, err);
}

typedef enum status (*write_function)(struct artifact_writer *writer,
                                      const struct feature_spec *spec, struct error *err);

static enum status make_blob(enum artifact_kind kind, write_function write,
                             struct engine_blob *ret_blob, struct error *err)
{
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    AUTO(feature_spec_free_slot) struct feature_spec *spec = NULL;
    TRY(make_spec(&spec, err));
    TRY(artifact_writer_new(kind, &writer, err));
    TRY(write(writer, spec, err));
    void *bytes = NULL;
    TRY(artifact_finish(writer, &bytes, &ret_blob->n_bytes, err));
    ret_blob->bytes = bytes;
    return STATUS_OK;
}

enum status small_bundle_make(struct small_bundle *ret_bundle, struct error *err)
{
    static const struct {
        enum artifact_kind kind;
        write_function write;
    } models[ENGINE_N_BLOBS] = {
        [ENGINE_SCORE] = {ARTIFACT_SCORE, write_score},
        [ENGINE_TIER] = {ARTIFACT_TIER, write_tier},
        [ENGINE_CLUSTER] = {ARTIFACT_CLUSTER, write_cluster},
        [ENGINE_SIMILAR] = {ARTIFACT_SIMILAR, write_similar},
        [ENGINE_GROWTH] = {ARTIFACT_GROWTH, write_growth},
    };
    *ret_bundle = (struct small_bundle){0};
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++) {
        enum status status = make_blob(models[i].kind, models[i].write, &ret_bundle->blobs[i], err);
        if (status != STATUS_OK) {
            small_bundle_free(ret_bundle);
            return status;
        }
    }
    return STATUS_OK;
}

void small_bundle_free(struct small_bundle *bundle)
{
    for (size_t i = 0; i < ENGINE_N_BLOBS; i++)
        free((void *)(uintptr_t)bundle->blobs[i].bytes);
    *bundle = (struct small_bundle){0};
}
