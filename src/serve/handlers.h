/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the routes do. Each is a `handler` (router.h): it reads the request, writes the reply, and
 * never logs, times or frees. */
#include <stddef.h>

#include "base/status.h"

struct buffer;
struct model;
struct request;

enum status handle_score(struct request *request, struct error *err);
enum status handle_tier(struct request *request, struct error *err);
enum status handle_cluster(struct request *request, struct error *err);
enum status handle_similar(struct request *request, struct error *err);

/* A piece of a CSV body for one of these, before the handler is called: its rows are answered. The
 * first piece begins it. */
enum status handle_rows(struct request *request, const char *data, size_t bytes, struct error *err);

enum status handle_influencers(struct request *request, struct error *err);

enum status handle_index(struct request *request, struct error *err);
enum status handle_healthy(struct request *request, struct error *err);
enum status handle_ready(struct request *request, struct error *err);
enum status handle_reload(struct request *request, struct error *err);
enum status handle_models(struct request *request, struct error *err);
enum status handle_metrics(struct request *request, struct error *err);
enum status handle_drift(struct request *request, struct error *err);

/* The figures of /drift, in Prometheus' format. */
void drift_write_metrics(const struct model *model, struct buffer *out);
void drift_write_bins(const struct model *model, struct buffer *out);
