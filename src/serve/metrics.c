/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "serve/process.h"

/* Upper bounds in seconds: from the cost of one prediction to what nobody waits for. */
static const struct {
    uint64_t ns;
    const char *label;
} latency_bounds[METRICS_LATENCY_BUCKETS] = {
    {5000, "5e-06"},    {10000, "1e-05"},   {20000, "2e-05"},   {50000, "5e-05"},
    {100000, "0.0001"}, {200000, "0.0002"}, {500000, "0.0005"}, {1000000, "0.001"},
    {2000000, "0.002"}, {5000000, "0.005"}, {10000000, "0.01"}, {50000000, "0.05"},
    {100000000, "0.1"}, {500000000, "0.5"}, {1000000000, "1"},  {10000000000, "10"},
};

enum status metrics_init(struct metrics *metrics, unsigned n_lanes, struct error *err)
{
    size_t bytes = n_lanes * sizeof(struct metrics_lane);
    *metrics = (struct metrics){
        .lanes = aligned_alloc(_Alignof(struct metrics_lane), bytes),
        .n_lanes = n_lanes,
        .start_time_s = (double)clock_utc_us() / 1e6,
    };
    if (!metrics->lanes)
        return fail(err, STATUS_NO_MEMORY, "metrics: out of memory");
    memset(metrics->lanes, 0, bytes);
    return STATUS_OK;
}

void metrics_deinit(struct metrics *metrics)
{
    free(metrics->lanes);
    metrics->lanes = NULL;
}

void metrics_request(struct metrics_lane *lane, enum route_id route, unsigned status,
                     uint64_t latency_ns)
{
    counter_add(&lane->requests[route][http_status_index(status)], 1);
    size_t bucket = 0;
    while (bucket < METRICS_LATENCY_BUCKETS && latency_ns > latency_bounds[bucket].ns)
        bucket++;
    counter_add(&lane->latency[route][bucket], 1);
    counter_add(&lane->latency_sum_ns[route], latency_ns);
}

void metrics_score(struct metrics_lane *lane, double score)
{
    if (!(score >= 0))
        return;
    size_t bucket = score > 0 ? (size_t)((score - 1e-9) / 10) : 0;
    if (bucket >= METRICS_SCORE_BUCKETS)
        bucket = METRICS_SCORE_BUCKETS - 1;
    counter_add(&lane->score[bucket], 1);
    counter_add(&lane->score_sum_micro, (uint64_t)(score * 1e6));
}

void metrics_tier(struct model_tally *tally, const struct tier_answer *answer)
{
    if (answer->tier >= TIERS_MAX)
        return;
    counter_add(&tally->tier[answer->tier], 1);
    if (!atomic_load_explicit(&tally->tier_names, memory_order_relaxed)) {
        size_t n = answer->n_tiers < TIERS_MAX ? answer->n_tiers : TIERS_MAX;
        atomic_store_explicit(&tally->n_tiers, n, memory_order_relaxed);
        atomic_store_explicit(&tally->tier_names, answer->names, memory_order_release);
    }
}

void metrics_cluster(struct model_tally *tally, size_t cluster)
{
    if (cluster < CLUSTERS_MAX)
        counter_add(&tally->cluster[cluster], 1);
}

/* ---- the text format ---- */

/* Sum over the lanes of the counter at `offset` in a lane. */
static uint64_t sum_at(const struct metrics *metrics, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < metrics->n_lanes; i++) {
        const char *lane = (const char *)&metrics->lanes[i];
        sum += counter_get((const counter *)(const void *)(lane + offset));
    }
    return sum;
}

#define SUM(metrics, member) sum_at((metrics), offsetof(struct metrics_lane, member))

static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct buffer *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    head(out, name, type, help);
    buffer_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void write_requests(const struct metrics *metrics, struct buffer *out)
{
    head(out, "influenced_requests_total", "counter", "Requests answered, by route and status.");
    for (size_t r = 0; r < N_ROUTES; r++)
        for (size_t s = 0; s < HTTP_N_STATUSES; s++) {
            uint64_t n = SUM(metrics, requests[r][s]);
            if (n > 0)
                buffer_printf(out, "influenced_requests_total{route=\"%s\",status=\"%s\"} %llu\n",
                              routes[r].path, http_status_label((enum http_status_index)s),
                              (unsigned long long)n);
        }
}

static void write_latency(const struct metrics *metrics, struct buffer *out)
{
    static const char name[] = "influenced_request_duration_seconds";
    head(out, name, "histogram", "From the request line read to the reply sent.");
    for (size_t r = 0; r < N_ROUTES; r++) {
        uint64_t total = 0;
        for (size_t b = 0; b <= METRICS_LATENCY_BUCKETS; b++)
            total += SUM(metrics, latency[r][b]);
        if (total == 0)
            continue;
        uint64_t below = 0;
        for (size_t b = 0; b < METRICS_LATENCY_BUCKETS; b++) {
            below += SUM(metrics, latency[r][b]);
            buffer_printf(out, "%s_bucket{route=\"%s\",le=\"%s\"} %llu\n", name, routes[r].path,
                          latency_bounds[b].label, (unsigned long long)below);
        }
        buffer_printf(out, "%s_bucket{route=\"%s\",le=\"+Inf\"} %llu\n", name, routes[r].path,
                      (unsigned long long)total);
        buffer_printf(out, "%s_sum{route=\"%s\"} ", name, routes[r].path);
        buffer_put_number(out, (double)SUM(metrics, latency_sum_ns[r]) / 1e9);
        buffer_printf(out, "\n%s_count{route=\"%s\"} %llu\n", name, routes[r].path,
                      (unsigned long long)total);
    }
}

static void write_scores(const struct metrics *metrics, struct buffer *out)
{
    head(out, "influenced_score_points", "histogram", "Influence scores answered.");
    uint64_t below = 0;
    for (size_t b = 0; b < METRICS_SCORE_BUCKETS; b++) {
        below += SUM(metrics, score[b]);
        buffer_printf(out, "influenced_score_points_bucket{le=\"%zu\"} %llu\n", 10 * (b + 1),
                      (unsigned long long)below);
    }
    buffer_printf(out, "influenced_score_points_bucket{le=\"+Inf\"} %llu\n",
                  (unsigned long long)below);
    buffer_put_text(out, "influenced_score_points_sum ");
    buffer_put_number(out, (double)SUM(metrics, score_sum_micro) / 1e6);
    buffer_printf(out, "\ninfluenced_score_points_count %llu\n", (unsigned long long)below);
}

/* A label's value: backslash, quote and line feed escaped. */
void metrics_put_label(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buffer_put_char(out, '\\');
        if (*text == '\n')
            buffer_put_text(out, "\\n");
        else
            buffer_put_char(out, *text);
    }
}

static void write_tiers(const struct model_tally *tally, unsigned n_lanes, struct buffer *out)
{
    const char *const *names = NULL;
    size_t n_tiers = 0;
    for (unsigned lane = 0; lane < n_lanes && !names; lane++) {
        names = atomic_load_explicit(&tally[lane].tier_names, memory_order_acquire);
        n_tiers = atomic_load_explicit(&tally[lane].n_tiers, memory_order_relaxed);
    }
    if (!names)
        return;
    head(out, "influenced_tier_predictions_total", "counter",
         "Tiers answered since the model was loaded.");
    for (size_t t = 0; t < n_tiers; t++) {
        uint64_t n = 0;
        for (unsigned lane = 0; lane < n_lanes; lane++)
            n += counter_get(&tally[lane].tier[t]);
        buffer_put_text(out, "influenced_tier_predictions_total{tier=\"");
        metrics_put_label(out, names[t]);
        buffer_printf(out, "\"} %llu\n", (unsigned long long)n);
    }
}

static void write_clusters(const struct metrics_outside *outside, unsigned n_lanes,
                           struct buffer *out)
{
    head(out, "influenced_cluster_predictions_total", "counter",
         "Archetypes answered since the model was loaded.");
    const struct clusters_model *clusters = clusters_model(engine_clusters(outside->engine));
    for (size_t c = 0; c < clusters->k && c < CLUSTERS_MAX; c++) {
        uint64_t n = 0;
        for (unsigned lane = 0; lane < n_lanes; lane++)
            n += counter_get(&outside->tally[lane].cluster[c]);
        /* Two archetypes may bear the same name: the id tells them apart. */
        buffer_printf(out, "influenced_cluster_predictions_total{cluster=\"%zu\",name=\"", c);
        metrics_put_label(out, clusters->names[c]);
        buffer_printf(out, "\"} %llu\n", (unsigned long long)n);
    }
}

static void write_model(const struct metrics *metrics, const struct metrics_outside *outside,
                        struct buffer *out)
{
    single(out, "influenced_ready", "gauge", "1 when a model is loaded.", outside->engine != NULL);
    if (!outside->engine)
        return;
    head(out, "influenced_model_info", "gauge", "The model that answers.");
    buffer_printf(out,
                  "influenced_model_info{version=\"%s\",program=\"" INFLUENCE_VERSION "\"} 1\n",
                  outside->model_version);
    single(out, "influenced_catalogue_profiles", "gauge", "Influencers known by handle.",
           catalogue_n(engine_catalogue(outside->engine)));

    write_tiers(outside->tally, metrics->n_lanes, out);
    write_clusters(outside, metrics->n_lanes, out);
}

static void write_connections(const struct metrics *metrics, struct buffer *out)
{
    /* Finished is read first, so that the difference is never negative. */
    uint64_t finished = SUM(metrics, finished);
    single(out, "influenced_requests_in_flight", "gauge", "Requests begun and not yet finished.",
           SUM(metrics, started) - finished);
    single(out, "influenced_requests_aborted_total", "counter",
           "Requests whose client left before the answer.", SUM(metrics, aborted));
    single(out, "influenced_turns_total", "counter",
           "Times that the answer to a large body waited so that others were served.",
           SUM(metrics, turns));
    uint64_t closed = SUM(metrics, connections_closed);
    uint64_t opened = SUM(metrics, connections_opened);
    single(out, "influenced_connections", "gauge", "Open connections.", opened - closed);
    single(out, "influenced_connections_total", "counter", "Connections accepted.", opened);
    single(out, "influenced_connections_refused_total", "counter",
           "Connections answered 503 because there were too many.",
           SUM(metrics, connections_refused));
}

static void write_memory(const struct metrics *metrics, const struct metrics_outside *outside,
                         struct buffer *out)
{
    single(out, "influenced_body_memory_bytes", "gauge",
           "Memory of bodies and replies: server.max_body_memory bounds it.", outside->held_bytes);
    single(out, "influenced_body_memory_refused_total", "counter",
           "Requests answered 503 because bodies and replies of others filled it.",
           SUM(metrics, memory_refused));
    single(out, "influenced_spool_bytes", "gauge",
           "Disk of long replies under way: server.max_spool_bytes bounds it.",
           outside->spool_bytes);
    single(out, "influenced_spool_refused_total", "counter",
           "Requests answered 503 because long replies of others filled it.",
           SUM(metrics, spool_refused));
}

static void write_log(const struct metrics_outside *outside, struct buffer *out)
{
    if (!outside->log_enabled)
        return;
    single(out, "influenced_log_queue_rows", "gauge", "Rows that wait for the log's writer.",
           outside->log.queue_rows);
    single(out, "influenced_log_queue_bytes", "gauge", "Bytes that wait for the log's writer.",
           outside->log.queue_bytes);
    single(out, "influenced_log_rows_total", "counter", "Rows committed to the request log.",
           outside->log.rows);
    single(out, "influenced_log_dropped_rows_total", "counter",
           "Rows lost because the queue was full or the disk failed.", outside->log.dropped);
    single(out, "influenced_log_failed_commits_total", "counter",
           "Commits of the request log that failed.", outside->log.failed_commits);
    single(out, "influenced_log_failing", "gauge",
           "1 while rows of the request log cannot be written.", outside->log.is_failing);
    single(out, "influenced_log_set_aside_total", "counter",
           "Files of the request log that were damaged and set aside.", outside->log.set_aside);
    single(out, "influenced_log_file_bytes", "gauge", "Bytes in use in the request log's file.",
           outside->log.file_bytes);
    int64_t since_us = outside->log.undelivered_us;
    int64_t age_us = since_us > 0 ? clock_utc_us() - since_us : 0;
    single(out, "influenced_log_undelivered_rows", "gauge",
           "Rows of a log that is shipped (influence log ship) that wait for it, and are kept.",
           outside->log.undelivered_rows);
    single(out, "influenced_log_undelivered_seconds", "gauge", "Age of the oldest of them.",
           age_us > 0 ? (uint64_t)(age_us / 1000000) : 0);
    single(out, "influenced_log_undelivered_deleted_rows_total", "counter",
           "Rows that went before they were shipped, beyond log.max_undelivered_bytes.",
           outside->log.undelivered_deleted);
}

static void write_models(const struct metrics *metrics, const struct metrics_outside *outside,
                         struct buffer *out)
{
    head(out, "influenced_load_failures_total", "counter",
         "Bundles not taken into service in any role, by reason.");
    for (size_t i = STATUS_OK + 1; i <= STATUS_INTERNAL; i++) {
        uint64_t n = counter_get(&metrics->reload_failures[i]);
        if (n > 0)
            buffer_printf(out, "influenced_load_failures_total{reason=\"%s\"} %llu\n",
                          status_name((enum status)i), (unsigned long long)n);
    }
    head(out, "influenced_model_loaded_timestamp_seconds", "gauge",
         "When the model that answers was loaded.");
    buffer_printf(out, "influenced_model_loaded_timestamp_seconds %.3f\n",
                  atomic_load_explicit(&metrics->loaded_s, memory_order_relaxed));
    head(out, "influenced_role_info", "gauge", "The version in each role.");
    for (size_t role = 0; role < N_MODEL_ROLES; role++)
        if (outside->roles[role][0])
            buffer_printf(out, "influenced_role_info{role=\"%s\",version=\"%s\"} 1\n",
                          model_role_names[role], outside->roles[role]);
    head(out, "influenced_canary_requests_total", "counter",
         "Requests that the canary answered, by outcome.");
    buffer_printf(out, "influenced_canary_requests_total{outcome=\"ok\"} %llu\n",
                  (unsigned long long)SUM(metrics, canary[0]));
    buffer_printf(out, "influenced_canary_requests_total{outcome=\"error\"} %llu\n",
                  (unsigned long long)SUM(metrics, canary[1]));
}

void metrics_write(const struct metrics *metrics, const struct metrics_outside *outside,
                   struct buffer *out)
{
    write_requests(metrics, out);
    write_latency(metrics, out);
    write_connections(metrics, out);
    write_memory(metrics, outside, out);
    write_scores(metrics, out);
    write_model(metrics, outside, out);
    head(out, "influenced_reloads_total", "counter", "Reloads of the model, by outcome.");
    buffer_printf(out, "influenced_reloads_total{outcome=\"ok\"} %llu\n",
                  (unsigned long long)counter_get(&metrics->reloads_ok));
    buffer_printf(out, "influenced_reloads_total{outcome=\"failed\"} %llu\n",
                  (unsigned long long)counter_get(&metrics->reloads_failed));
    write_models(metrics, outside, out);
    single(out, "influenced_access_lines_dropped_total", "counter",
           "Access lines that nobody took from stderr in time.", SUM(metrics, lines_dropped));
    write_log(outside, out);
    process_write(metrics->start_time_s, out);
}
