/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The scoring protocol of MLflow's model server: POST /invocations with a table of profiles as
 * dataframe_split, dataframe_records, instances, inputs or CSV, and its probes. `model` in the
 * query or in "params" tells which model answers (score unless told). */
#include "base/status.h"

struct request;

enum status handle_invocations(struct request *request, struct error *err);
enum status handle_ping(struct request *request, struct error *err);
enum status handle_version(struct request *request, struct error *err);
