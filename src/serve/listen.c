/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"

#define BACKLOG 1024

static void set_port(struct listen_address *address, uint16_t port)
{
    if (address->socket.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&address->socket)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)&address->socket)->sin_port = htons(port);
}

static uint16_t get_port(const struct sockaddr_storage *socket)
{
    size_t offset = socket->ss_family == AF_INET6 ? offsetof(struct sockaddr_in6, sin6_port)
                                                  : offsetof(struct sockaddr_in, sin_port);
    in_port_t port;
    memcpy(&port, (const char *)socket + offset, sizeof port);
    return ntohs(port);
}

void listen_format_peer(const struct sockaddr *peer, char *ret_text, size_t size)
{
    const void *address =
        peer->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)(const void *)peer)->sin_addr;
    if (!inet_ntop(peer->sa_family, address, ret_text, (socklen_t)size))
        snprintf(ret_text, size, "?");
}

uint64_t listen_peer_key(const struct sockaddr *peer)
{
    const struct sockaddr_in6 *v6 = (const void *)peer;
    const struct sockaddr_in *v4 = (const void *)peer;
    return peer->sa_family == AF_INET6 ? hash_xxh3(&v6->sin6_addr, 8)
                                       : hash_xxh3(&v4->sin_addr, sizeof v4->sin_addr);
}

static void format(struct listen_address *address)
{
    char host[INET6_ADDRSTRLEN];
    listen_format_peer((const struct sockaddr *)&address->socket, host, sizeof host);
    bool is_v6 = address->socket.ss_family == AF_INET6;
    snprintf(address->text, sizeof address->text, is_v6 ? "[%s]:%u" : "%s:%u", host,
             get_port(&address->socket));
}

enum status listen_parse(const char *text, struct listen_address *ret_address, struct error *err)
{
    const char *colon = strrchr(text, ':');
    int64_t port = -1;
    if (!colon || !text_parse_integer(colon + 1, strlen(colon + 1), &port) || port < 0 ||
        port > 65535 || colon[1] == '+' || colon[1] == '-')
        return fail(err, STATUS_INVALID,
                    "server.listen: must be ADDRESS:PORT such as 127.0.0.1:8080, got '%s'", text);
    char host[64];
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    *ret_address = (struct listen_address){0};
    struct sockaddr_in *v4 = (void *)&ret_address->socket;
    struct sockaddr_in6 *v6 = (void *)&ret_address->socket;
    size_t length = strlen(host);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    else if (strcmp(host, "*") == 0 || length == 0)
        snprintf(host, sizeof host, "0.0.0.0");
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        ret_address->bytes = sizeof *v4;
    } else if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1)
            v6->sin6_family = AF_INET6;
        ret_address->bytes = sizeof *v6;
    }
    if (ret_address->socket.ss_family == AF_UNSPEC)
        return fail(
            err, STATUS_INVALID,
            "server.listen: must have a numeric address such as 127.0.0.1 or [::1], got '%s'",
            text);
    set_port(ret_address, (uint16_t)port);
    format(ret_address);
    return STATUS_OK;
}

static enum status bind_to(const struct listen_address *address, int option, int *ret_fd,
                           struct error *err)
{
    AUTO(close_slot)
    int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail_errno(err, "server.listen: %s", address->text);
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (option && setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) != 0))
        return fail_errno(err, "server.listen: %s", address->text);
    if (bind(fd, (const struct sockaddr *)&address->socket, address->bytes) != 0) {
        if (errno == EADDRINUSE)
            return fail(err, STATUS_EXISTS,
                        "server.listen: %s is taken by another program; choose another port with "
                        "--server.listen=ADDRESS:PORT",
                        address->text);
        return fail_errno(err, "server.listen: %s", address->text);
    }
    *ret_fd = fd;
    fd = -1;
    return STATUS_OK;
}

enum status listen_probe(const struct listen_address *address, struct error *err)
{
    AUTO(close_slot) int fd = -1;
    return bind_to(address, 0, &fd, err);
}

bool listen_is_loopback(const struct listen_address *address)
{
    const struct sockaddr_in6 *v6 = (const void *)&address->socket;
    const struct sockaddr_in *v4 = (const void *)&address->socket;
    return address->socket.ss_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)
                                                 : ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */

static bool environment_is(const char *name, int64_t wanted)
{
    const char *text = getenv(name);
    int64_t value = 0;
    return text && text_parse_integer(text, strlen(text), &value) && value == wanted;
}

enum status listen_inherit(struct listen_address *ret_address, int *ret_fd, struct error *err)
{
    *ret_fd = -1;
    if (!environment_is("LISTEN_PID", getpid()))
        return STATUS_OK;
    if (!environment_is("LISTEN_FDS", 1))
        return fail(err, STATUS_INVALID, "LISTEN_FDS: one socket is taken, not %s",
                    getenv("LISTEN_FDS") ? getenv("LISTEN_FDS") : "none");
    struct listen_address address = {.bytes = sizeof address.socket};
    int listens = 0;
    socklen_t bytes = sizeof listens;
    if (getsockopt(FIRST_INHERITED, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) != 0 || !listens ||
        getsockname(FIRST_INHERITED, (struct sockaddr *)&address.socket, &address.bytes) != 0 ||
        (address.socket.ss_family != AF_INET && address.socket.ss_family != AF_INET6))
        return fail(err, STATUS_INVALID, "LISTEN_FDS: descriptor %d is no listening TCP socket",
                    FIRST_INHERITED);
    if (fcntl(FIRST_INHERITED, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(FIRST_INHERITED, F_SETFD, FD_CLOEXEC) != 0)
        return fail_errno(err, "LISTEN_FDS");
    format(&address);
    *ret_address = address;
    *ret_fd = FIRST_INHERITED;
    return STATUS_OK;
}

enum status listen_open(struct listen_address *address, int *ret_fd, struct error *err)
{
    AUTO(close_slot) int fd = -1;
    TRY(bind_to(address, SO_REUSEPORT, &fd, err));
    if (listen(fd, BACKLOG) != 0)
        return fail_errno(err, "server.listen: %s", address->text);
    struct sockaddr_storage bound = {0};
    socklen_t bytes = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &bytes) != 0)
        return fail_errno(err, "server.listen: %s", address->text);
    set_port(address, get_port(&bound));
    format(address);
    *ret_fd = fd;
    fd = -1;
    return STATUS_OK;
}

uint64_t listen_received_bytes(int fd)
{
    struct tcp_info info = {0};
    socklen_t bytes = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0 ? info.tcpi_bytes_received : 0;
}
