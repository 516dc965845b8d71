/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Asking the daemon that this configuration describes how it is, as a container's or a cluster's
 * health check does. */
#include "base/status.h"
#include "serve/config.h"

/* STATUS_OK: it answers /-/ready with 200. Behind TLS it is enough that it takes a connection.
 * STATUS_UNAVAILABLE: it does not; the message tells. */
enum status health_ask(const struct serve_config *config, struct error *err);
