/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The end of a long reply, which waits on disk until the request has been read: HTTP clients send
 * their whole request before they read. A file without a name in TMPDIR (default /tmp); it is gone
 * with its descriptor, whatever happens. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

/* What all spools of a service hold, over all loops, and its bound: server.max_spool_bytes. */
struct spool_room {
    _Atomic uint64_t held;
    uint64_t most;
};

struct spool {
    bool is_open; /* all zeros: nothing has been put */
    int fd;       /* owns, when open */
    uint64_t bytes;
    struct spool_room *room; /* borrows, when open */
};

/* STATUS_IO: no space, no such directory; STATUS_UNAVAILABLE: others hold the room. */
enum status spool_put(struct spool *spool, struct spool_room *room, const char *data, size_t bytes,
                      struct error *err);

/* Where they lie: TMPDIR, or /tmp. */
const char *spool_directory(void);

/* As pread(). */
ssize_t spool_read(const struct spool *spool, uint64_t offset, char *ret_data, size_t bytes);
void spool_close(struct spool *spool);
