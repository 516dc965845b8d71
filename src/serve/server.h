/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The HTTP server: event loops over libmicrohttpd (its only user). Each loop is a thread with a
 * listening socket, a libmicrohttpd daemon without threads, and an epoll set of its own; what runs
 * in it never blocks. What libmicrohttpd does not do is done here: total deadlines for headers and
 * body, a bound for connections that answers, a drain that finishes what was accepted. */
#include "serve/listen.h"
#include "serve/service.h"

struct server;

/* Sockets are bound and loops prepared, but nothing is accepted. The service is borrowed; its
 * n_lanes is the number of loops. */
enum status server_new(struct service *service, struct server **ret_server, struct error *err);
/* The loops have been stopped. */
void server_free(struct server *server);
DEFINE_SLOT(server_free, struct server)

/* "127.0.0.1:8080", with the port that was taken. */
const char *server_address(const struct server *server);

enum status server_start(struct server *server, struct error *err);

/* Whether every loop has turned of late. */
bool server_is_alive(const struct server *server);

/* Stop accepting, finish the requests under way (for server.drain_timeout_ms at most), end the
 * threads. */
void server_stop(struct server *server);

/* For reqlog_options.on_commit: user is the server. */
void server_on_commit(void *user, unsigned lane);
