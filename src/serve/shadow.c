/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/shadow.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "features/spec.h"
#include "serve/request.h"
#include "serve/service.h"

#define RING 1024 /* predictions that wait, a lane */
#define TEXT_BYTES 2048
#define MAX_EXTRAS FEATURE_N /* infer may be given all features in place of fields */
#define NAME_BYTES 96
#define WAIT_MS 20
#define TELL_NS UINT64_C(60000000000)
#define NICENESS 10
#define BUCKETS 8

static const char *const kind_names[N_SHADOW_KINDS] = {"score", "tier", "cluster"};
static const struct {
    double points;
    const char *label;
} bounds[BUCKETS] = {{0.01, "0.01"}, {0.1, "0.1"}, {0.5, "0.5"}, {1, "1"},
                     {2, "2"},       {5, "5"},     {10, "10"},   {20, "20"}};

struct item {
    enum shadow_kind kind;
    double score;
    char name[NAME_BYTES];
    char request_id[REQUEST_ID_BYTES];
    char trace_id[33];      /* "": none */
    struct profile profile; /* its texts and extras lie below */
    struct profile_extra extras[MAX_EXTRAS];
    char texts[TEXT_BYTES];
};

struct lane {
    _Alignas(64) _Atomic uint64_t head; /* the loop's, as are the two below */
    uint64_t n_offered;
    counter n_skipped;
    _Alignas(64) _Atomic uint64_t tail; /* the thread's */
    struct item *items;                 /* [RING] owns */
};

/* Written by the thread. */
struct comparisons {
    counter asked, agreed, failed;
};

struct shadow {
    struct service *service; /* borrowed */
    struct lane *lanes;      /* [n_lanes] owns */
    unsigned n_lanes;
    pthread_t thread;
    bool has_thread;
    atomic_bool stops;
    struct comparisons kinds[N_SHADOW_KINDS];
    counter difference[BUCKETS + 1]; /* not cumulative; the last is +Inf */
    counter difference_micro;        /* sum, millionths of a point */
    void *scratch;                   /* the thread's, as is what follows */
    size_t scratch_bytes;
    double largest; /* since it was last told */
    struct buffer text;
    uint64_t told_ns, told_asked;
};

/* ---- offering ---- */

/* Copy a text behind those before it. False: no room. */
static bool copy_text(struct item *item, size_t *used, const char **text)
{
    if (!*text)
        return true;
    size_t bytes = strlen(*text) + 1;
    if (bytes > TEXT_BYTES - *used)
        return false;
    *text = memcpy(item->texts + *used, *text, bytes);
    *used += bytes;
    return true;
}

static bool copy_profile(struct item *item, const struct profile *profile)
{
    size_t used = 0;
    struct profile *copy = &item->profile;
    *copy = *profile;
    copy->text[PROFILE_handle] = copy->text[PROFILE_name] = NULL; /* no model reads them */
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
        if (!copy_text(item, &used, &copy->text[i]))
            return false;
    if (profile->n_extras > MAX_EXTRAS)
        return false;
    for (size_t i = 0; i < profile->n_extras; i++) {
        item->extras[i] = profile->extras[i];
        if (!copy_text(item, &used, &item->extras[i].name) ||
            !copy_text(item, &used, &item->extras[i].text))
            return false;
    }
    copy->extras = item->extras;
    return true;
}

static bool put(struct lane *lane, const struct request *request,
                const struct shadow_question *question)
{
    uint64_t head = atomic_load_explicit(&lane->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&lane->tail, memory_order_acquire) == RING)
        return false;
    struct item *item = &lane->items[head % RING];
    if (!copy_profile(item, question->profile))
        return false;
    item->kind = question->kind;
    item->score = question->score;
    snprintf(item->name, sizeof item->name, "%s", question->name ? question->name : "");
    memcpy(item->request_id, request->id, sizeof item->request_id);
    snprintf(item->trace_id, sizeof item->trace_id, "%s",
             request->trace_id ? request->trace_id : "");
    atomic_store_explicit(&lane->head, head + 1, memory_order_release);
    return true;
}

void shadow_offer(struct shadow *shadow, const struct request *request,
                  const struct shadow_question *question)
{
    struct lane *lane = &shadow->lanes[request->lane];
    double share = shadow->service->config->models_shadow_share;
    /* Every so-many-th: the golden ratio's multiples fall evenly into [0, 1). */
    uint64_t at = lane->n_offered++ * UINT64_C(0x9E3779B97F4A7C15) >> 32;
    if ((double)at < share * 0x1p32 && !put(lane, request, question))
        counter_add(&lane->n_skipped, 1);
}

/* ---- asking ---- */

static bool has_scratch(struct shadow *shadow, const struct engine *engine)
{
    size_t bytes = (engine_scratch_bytes(engine) + 64) & ~(size_t)63;
    if (bytes <= shadow->scratch_bytes)
        return true;
    free(shadow->scratch);
    shadow->scratch = aligned_alloc(64, bytes);
    shadow->scratch_bytes = shadow->scratch ? bytes : 0;
    return shadow->scratch != NULL;
}

/* The shadow's answer in place of the main one's. */
static enum status ask(struct shadow *shadow, const struct engine *engine, const struct item *item,
                       double *ret_score, const char **ret_name)
{
    struct score_answer score;
    struct tier_answer tier;
    struct cluster_answer cluster;
    const struct profile *profile = &item->profile;
    switch (item->kind) {
    case SHADOW_SCORE:
        TRY(engine_score(engine, profile, false, shadow->scratch, &score, NULL));
        *ret_score = score.score;
        return STATUS_OK;
    case SHADOW_TIER:
        TRY(engine_tier(engine, profile, shadow->scratch, &tier, NULL));
        *ret_name = tier.names[tier.tier];
        return STATUS_OK;
    case SHADOW_CLUSTER:
        TRY(engine_cluster(engine, profile, shadow->scratch, &cluster, NULL));
        *ret_name = cluster.name;
        return STATUS_OK;
    case N_SHADOW_KINDS:
        break;
    }
    return STATUS_INTERNAL;
}

static void count_difference(struct shadow *shadow, double difference)
{
    size_t bucket = 0;
    while (bucket < BUCKETS && difference > bounds[bucket].points)
        bucket++;
    counter_add(&shadow->difference[bucket], 1);
    counter_add(&shadow->difference_micro, (uint64_t)(difference * 1e6));
    shadow->largest = fmax(shadow->largest, difference);
}

/* A row of the request log, in the lane behind those of the loops. */
static void log_difference(struct shadow *shadow, const struct engine *engine,
                           const struct item *item, double score, const char *name)
{
    struct service *service = shadow->service;
    if (!service->log)
        return;
    buffer_clear(&shadow->text);
    struct json_writer w = json_writer(&shadow->text);
    json_begin_object(&w);
    json_member_string(&w, "question", kind_names[item->kind]);
    if (item->kind == SHADOW_SCORE) {
        json_member_number(&w, "main", item->score);
        json_member_number(&w, "shadow", score);
    } else {
        json_member_string(&w, "main", item->name);
        json_member_string(&w, "shadow", name);
    }
    json_end_object(&w);
    struct reqlog_row row = {
        .time_us = clock_utc_us(),
        .request_id = item->request_id,
        .trace_id = item->trace_id[0] ? item->trace_id : NULL,
        .route = SHADOW_ROUTE,
        .model = engine_version(engine),
        .caller = "",
        .status = 200,
        .output = shadow->text.at,
        .output_bytes = shadow->text.length,
    };
    if (shadow->text.failed)
        return;
    reqlog_put(service->log, service->n_lanes, &row, NULL);
    reqlog_flush(service->log, service->n_lanes);
}

static void compare(struct shadow *shadow, const struct engine *engine, const struct item *item)
{
    struct comparisons *kind = &shadow->kinds[item->kind];
    double score = 0;
    const char *name = "";
    counter_add(&kind->asked, 1);
    if (ask(shadow, engine, item, &score, &name) != STATUS_OK) {
        counter_add(&kind->failed, 1);
        return;
    }
    double difference = fabs(score - item->score);
    if (item->kind == SHADOW_SCORE)
        count_difference(shadow, difference);
    bool agrees = item->kind == SHADOW_SCORE ? difference <= SHADOW_SAME_POINTS
                                             : strncmp(name, item->name, NAME_BYTES - 1) == 0;
    if (agrees)
        counter_add(&kind->agreed, 1);
    else
        log_difference(shadow, engine, item, score, name);
}

static void drain(struct shadow *shadow, const struct engine *engine, struct lane *lane)
{
    uint64_t tail = atomic_load_explicit(&lane->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&lane->head, memory_order_acquire);
    for (; tail < head; tail++) {
        if (engine)
            compare(shadow, engine, &lane->items[tail % RING]);
        else
            counter_add(&shadow->kinds[lane->items[tail % RING].kind].failed, 1);
        atomic_store_explicit(&lane->tail, tail + 1, memory_order_release);
    }
}

/* "0.9871", or "-" where nobody has asked. */
static void put_agreed(const struct shadow *shadow, enum shadow_kind kind, char ret_text[static 8])
{
    double asked = (double)counter_get(&shadow->kinds[kind].asked);
    if (asked > 0)
        snprintf(ret_text, 8, "%.4f", (double)counter_get(&shadow->kinds[kind].agreed) / asked);
    else
        snprintf(ret_text, 8, "-");
}

/* Once a minute, when there is news. */
static void tell(struct shadow *shadow, const struct engine *engine)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t asked = 0;
    for (size_t kind = 0; kind < N_SHADOW_KINDS; kind++)
        asked += counter_get(&shadow->kinds[kind].asked);
    if (!engine || asked == shadow->told_asked || now_ns - shadow->told_ns < TELL_NS)
        return;
    char agreed[N_SHADOW_KINDS][8];
    for (size_t kind = 0; kind < N_SHADOW_KINDS; kind++)
        put_agreed(shadow, (enum shadow_kind)kind, agreed[kind]);
    log_info("shadow %s: %llu compared; agree: score %s, tier %s, cluster %s; largest difference "
             "since last told %.3g points",
             engine_version(engine), (unsigned long long)asked, agreed[SHADOW_SCORE],
             agreed[SHADOW_TIER], agreed[SHADOW_CLUSTER], shadow->largest);
    shadow->largest = 0;
    shadow->told_asked = asked;
    shadow->told_ns = now_ns;
}

static void *run(void *user)
{
    struct shadow *shadow = user;
    if (setpriority(PRIO_PROCESS, 0, NICENESS) != 0) /* of this thread, on Linux */
        log_debug("shadow: %s", strerror(errno));
    bool stops = false;
    while (!stops) {
        stops = atomic_load_explicit(&shadow->stops, memory_order_acquire);
        struct model *model = slot_acquire(&shadow->service->slots[MODEL_SHADOW]);
        const struct engine *engine = model ? model->engine : NULL;
        if (engine && !has_scratch(shadow, engine))
            engine = NULL;
        for (unsigned i = 0; i < shadow->n_lanes; i++)
            drain(shadow, engine, &shadow->lanes[i]);
        tell(shadow, engine);
        slot_release(model);
        if (!stops)
            poll(NULL, 0, WAIT_MS);
    }
    return NULL;
}

/* ---- making and ending ---- */

static enum status make_lanes(struct shadow *shadow, struct error *err)
{
    size_t bytes = shadow->n_lanes * sizeof *shadow->lanes;
    shadow->lanes = aligned_alloc(_Alignof(struct lane), bytes);
    if (!shadow->lanes)
        return fail(err, STATUS_NO_MEMORY, "shadow: out of memory");
    memset(shadow->lanes, 0, bytes);
    for (unsigned i = 0; i < shadow->n_lanes; i++) {
        shadow->lanes[i].items = calloc(RING, sizeof *shadow->lanes[i].items);
        if (!shadow->lanes[i].items)
            return fail(err, STATUS_NO_MEMORY, "shadow: out of memory");
    }
    return STATUS_OK;
}

enum status shadow_new(struct service *service, struct shadow **ret_shadow, struct error *err)
{
    AUTO(shadow_free_slot) struct shadow *shadow = calloc(1, sizeof *shadow);
    if (!shadow)
        return fail(err, STATUS_NO_MEMORY, "shadow: out of memory");
    shadow->service = service;
    shadow->n_lanes = service->n_lanes;
    shadow->told_ns = clock_monotonic_ns();
    TRY(make_lanes(shadow, err));
    errno = pthread_create(&shadow->thread, NULL, run, shadow);
    if (errno != 0)
        return fail_errno(err, "shadow: thread");
    shadow->has_thread = true;
    *ret_shadow = STEAL(shadow);
    return STATUS_OK;
}

void shadow_free(struct shadow *shadow)
{
    if (!shadow)
        return;
    if (shadow->has_thread) {
        atomic_store_explicit(&shadow->stops, true, memory_order_release);
        pthread_join(shadow->thread, NULL);
    }
    for (unsigned i = 0; shadow->lanes && i < shadow->n_lanes; i++)
        free(shadow->lanes[i].items);
    free(shadow->lanes);
    free(shadow->scratch);
    buffer_deinit(&shadow->text);
    free(shadow);
}

/* ---- figures ---- */

static void write_kind(const struct comparisons *kind, const char *name, struct buffer *out)
{
    uint64_t agreed = counter_get(&kind->agreed); /* read first: never more than were asked */
    uint64_t failed = counter_get(&kind->failed);
    buffer_printf(out,
                  "influenced_shadow_predictions_total{question=\"%s\",outcome=\"agrees\"} %llu\n"
                  "influenced_shadow_predictions_total{question=\"%s\",outcome=\"differs\"} %llu\n"
                  "influenced_shadow_predictions_total{question=\"%s\",outcome=\"failed\"} %llu\n",
                  name, (unsigned long long)agreed, name,
                  (unsigned long long)(counter_get(&kind->asked) - agreed - failed), name,
                  (unsigned long long)failed);
}

void shadow_write_metrics(const struct shadow *shadow, struct buffer *out)
{
    buffer_put_text(out,
                    "# HELP influenced_shadow_predictions_total Predictions that the shadow was "
                    "asked as well, by what came of it.\n"
                    "# TYPE influenced_shadow_predictions_total counter\n");
    for (size_t kind = 0; kind < N_SHADOW_KINDS; kind++)
        write_kind(&shadow->kinds[kind], kind_names[kind], out);
    uint64_t skipped = 0;
    for (unsigned i = 0; i < shadow->n_lanes; i++)
        skipped += counter_get(&shadow->lanes[i].n_skipped);
    buffer_printf(out,
                  "# HELP influenced_shadow_skipped_total Predictions not compared, because the "
                  "shadow was behind.\n"
                  "# TYPE influenced_shadow_skipped_total counter\n"
                  "influenced_shadow_skipped_total %llu\n"
                  "# HELP influenced_shadow_score_difference_points Distance between the two "
                  "scores.\n"
                  "# TYPE influenced_shadow_score_difference_points histogram\n",
                  (unsigned long long)skipped);
    uint64_t sum = 0;
    for (size_t i = 0; i <= BUCKETS; i++) {
        sum += counter_get(&shadow->difference[i]);
        buffer_printf(out, "influenced_shadow_score_difference_points_bucket{le=\"%s\"} %llu\n",
                      i < BUCKETS ? bounds[i].label : "+Inf", (unsigned long long)sum);
    }
    buffer_printf(out,
                  "influenced_shadow_score_difference_points_sum %.6f\n"
                  "influenced_shadow_score_difference_points_count %llu\n",
                  (double)counter_get(&shadow->difference_micro) / 1e6, (unsigned long long)sum);
}
