/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/health.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "serve/listen.h"

#define WAIT_S 3

/* 0.0.0.0 is where it listens, not where it can be reached. */
static void to_loopback(struct listen_address *address)
{
    struct sockaddr_in *v4 = (void *)&address->socket;
    struct sockaddr_in6 *v6 = (void *)&address->socket;
    if (address->socket.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (address->socket.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
}

static enum status unavailable(const struct listen_address *address, struct error *err)
{
    return fail(err, STATUS_UNAVAILABLE, "%s: %s", address->text, strerror(errno));
}

enum status health_ask(const struct serve_config *config, struct error *err)
{
    static const char request[] =
        "GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct listen_address address;
    TRY(listen_parse(config->server_listen, &address, err));
    to_loopback(&address);
    AUTO(close_slot) int fd = socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval wait = {.tv_sec = WAIT_S};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        connect(fd, (const struct sockaddr *)&address.socket, address.bytes) != 0)
        return unavailable(&address, err);
    if (config->access_tls_certificate[0])
        return STATUS_OK;
    char reply[64] = "";
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        return unavailable(&address, err);
    ssize_t n = recv(fd, reply, sizeof reply - 1, MSG_WAITALL);
    if (n < 0)
        return unavailable(&address, err);
    reply[n] = '\0';
    char *end = strpbrk(reply, "\r\n");
    if (end)
        *end = '\0';
    if (strncmp(reply, "HTTP/1.1 200", 12) == 0)
        return STATUS_OK;
    return fail(err, STATUS_UNAVAILABLE, "%s: answers '%s'", address.text, reply);
}
