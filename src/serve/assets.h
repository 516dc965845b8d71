/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The web page: its embedded files, and the report that it draws. */
#include <stdbool.h>

#include "base/status.h"

struct request;

/* The path that stands for all files of the page in metrics and log: their names change. */
#define ROUTE_PAGE_PATH "/app-*"

/* Whether the page has a file under that path. */
bool assets_has(const char *path);

/* Names the reply by its ETag. True: the client has it already, and 304 says so. */
bool assets_unchanged(struct request *request, const char *etag);

/* A browser asks: Accept names text/html. */
bool assets_wants_page(const struct request *request);

enum status handle_page(struct request *request, struct error *err);
enum status handle_report(struct request *request, struct error *err);
