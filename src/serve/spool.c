/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whatever the reason: it is ours, not the client's. */
static enum status fail_keeping(struct error *err)
{
    return fail(err, STATUS_IO, "cannot keep a long reply in TMPDIR: %s", strerror(errno));
}

const char *spool_directory(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && dir[0] ? dir : "/tmp";
}

/* Not every file system makes files without a name. */
static int open_named(const char *dir)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/influenced-XXXXXX", dir) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Counted before it is written: what could not be is given back with all the rest. */
static enum status take_room(struct spool *spool, size_t bytes, struct error *err)
{
    struct spool_room *room = spool->room;
    uint64_t held = atomic_fetch_add_explicit(&room->held, bytes, memory_order_relaxed) + bytes;
    spool->bytes += bytes;
    return held <= room->most ? STATUS_OK
                              : fail(err, STATUS_UNAVAILABLE,
                                     "the long replies of other requests fill "
                                     "server.max_spool_bytes");
}

static enum status open_spool(struct spool *spool, struct spool_room *room, struct error *err)
{
    const char *dir = spool_directory();
    spool->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (spool->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        spool->fd = open_named(dir);
    if (spool->fd < 0)
        return fail_keeping(err);
    spool->is_open = true;
    spool->room = room;
    return STATUS_OK;
}

enum status spool_put(struct spool *spool, struct spool_room *room, const char *data, size_t bytes,
                      struct error *err)
{
    if (!spool->is_open)
        TRY(open_spool(spool, room, err));
    TRY(take_room(spool, bytes, err));
    while (bytes > 0) {
        ssize_t n = write(spool->fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_keeping(err);
        data += n;
        bytes -= (size_t)n;
    }
    return STATUS_OK;
}

ssize_t spool_read(const struct spool *spool, uint64_t offset, char *ret_data, size_t bytes)
{
    ssize_t n;
    do
        n = pread(spool->fd, ret_data, bytes, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n;
}

void spool_close(struct spool *spool)
{
    if (spool->is_open) {
        close(spool->fd);
        atomic_fetch_sub_explicit(&spool->room->held, spool->bytes, memory_order_relaxed);
    }
    *spool = (struct spool){0};
}
