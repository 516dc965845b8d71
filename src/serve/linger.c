/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/linger.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_NS UINT64_C(2000000000)
#define LINGER_BYTES ((size_t)64 << 20)

void linger_add(struct lingerers *lingerers, int fd, uint64_t now_ns)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (lingerers->n == LINGER_MOST ||
        epoll_ctl(lingerers->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        close(fd);
        return;
    }
    lingerers->sockets[lingerers->n++] = (struct linger_socket){
        .fd = fd, .until_ns = now_ns + LINGER_NS, .bytes_left = LINGER_BYTES};
}

static void end(struct lingerers *lingerers, size_t i)
{
    close(lingerers->sockets[i].fd); /* leaves the epoll set by that */
    lingerers->sockets[i] = lingerers->sockets[--lingerers->n];
}

void linger_read(struct lingerers *lingerers, int fd)
{
    enum {
        PIECES = 16, /* then others get their turn */
        PIECE_BYTES = 16 << 10
    };
    size_t i = 0;
    while (i < lingerers->n && lingerers->sockets[i].fd != fd)
        i++;
    if (i == lingerers->n)
        return;
    char piece[PIECE_BYTES];
    for (int n = 0; n < PIECES; n++) {
        ssize_t got = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0 || (size_t)got > lingerers->sockets[i].bytes_left) {
            end(lingerers, i);
            return;
        }
        lingerers->sockets[i].bytes_left -= (size_t)got;
    }
}

void linger_expire(struct lingerers *lingerers, uint64_t now_ns)
{
    for (size_t i = lingerers->n; i > 0; i--)
        if (now_ns >= lingerers->sockets[i - 1].until_ns)
            end(lingerers, i - 1);
}
