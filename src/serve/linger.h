/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Closing without cutting the reply off. A socket that is closed while the client still sends is
 * reset, and the reset makes the client lose a refusal that it had not read yet. So what was
 * refused before its end (413, 503) is read and thrown away for a moment. Belongs to one event
 * loop. */
#include <stddef.h>
#include <stdint.h>

#define LINGER_MOST 64 /* at once; more are closed at once */

struct linger_socket {
    int fd; /* owns */
    uint64_t until_ns;
    size_t bytes_left;
};

struct lingerers {
    int epoll_fd; /* borrowed: where the sockets are watched */
    size_t n;
    struct linger_socket sockets[LINGER_MOST];
};

/* Takes fd, whose sending side is shut down. */
void linger_add(struct lingerers *lingerers, int fd, uint64_t now_ns);

/* fd is readable; nothing happens when it is none of ours. */
void linger_read(struct lingerers *lingerers, int fd);

/* Close those whose time is over; all with UINT64_MAX. */
void linger_expire(struct lingerers *lingerers, uint64_t now_ns);
