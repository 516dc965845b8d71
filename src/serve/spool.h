/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The end of a long reply, which waits on disk until the request has been read: HTTP clients send
 * their whole request before they read. A file without a name in TMPDIR (default /tmp); it is gone
 * with its descriptor, whatever happens. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

struct spool {
    bool is_open; /* all zeros: nothing has been put */
    int fd;       /* owns, when open */
    uint64_t bytes;
};

/* STATUS_IO: no space, no such directory. */
enum status spool_put(struct spool *spool, const char *data, size_t bytes, struct error *err);

/* As pread(). */
ssize_t spool_read(const struct spool *spool, uint64_t offset, char *ret_data, size_t bytes);
void spool_close(struct spool *spool);
