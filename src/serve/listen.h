/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Listening sockets: one for each event loop, all on one address (SO_REUSEPORT), so that the kernel
 * deals the connections out. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/status.h"

struct listen_address {
    struct sockaddr_storage socket;
    socklen_t bytes;
    char text[64]; /* "127.0.0.1:8080", for people */
};

/* "127.0.0.1:8080", "[::1]:8080", "*:8080". STATUS_INVALID: not of that form. */
enum status listen_parse(const char *text, struct listen_address *ret_address, struct error *err);

/* Whether nobody listens there. STATUS_EXISTS: somebody does. With SO_REUSEPORT a second daemon
 * would silently share the port, so that this is asked first. */
enum status listen_probe(const struct listen_address *address, struct error *err);

/* Whether only this machine can reach it. */
bool listen_is_loopback(const struct listen_address *address);

/* A listening socket that the service manager opened for us (systemd's LISTEN_FDS), and its
 * address; -1: there is none. Loops share it. */
enum status listen_inherit(struct listen_address *ret_address, int *ret_fd, struct error *err);

/* A listening socket. Port 0 in `address` is replaced by the port that was taken. */
enum status listen_open(struct listen_address *address, int *ret_fd, struct error *err);

/* A number for the peer: its IPv4 address, or the network (/64) of its IPv6 address. */
/* Bytes that came over a connection so far; 0: not known. */
uint64_t listen_received_bytes(int fd);

uint64_t listen_peer_key(const struct sockaddr *peer);

/* The numeric address of a peer, without the port. */
void listen_format_peer(const struct sockaddr *peer, char *ret_text, size_t size);
