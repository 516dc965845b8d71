/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_part.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

static enum status validator_path(const char *path, char ret_path[static PATH_MAX],
                                  struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s.validator", path);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "%s: path is too long", path);
    return STATUS_OK;
}

/* A validator that is not there or not one line is no reason to fail: then it begins anew. */
static enum status read_validator(struct part *part, struct error *err)
{
    char path[PATH_MAX];
    TRY(validator_path(part->path, path, err));
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    if (file_read(path, VALIDATOR_BYTES - 1, &text, &bytes, NULL) == STATUS_OK &&
        strlen(text) == bytes && strpbrk(text, "\r\n") == NULL)
        snprintf(part->validator, sizeof part->validator, "%s", text);
    return STATUS_OK;
}

enum status part_open(const char *path, struct part *ret_part, struct error *err)
{
    struct part part = {.path = path, .fd = -1};
    TRY(read_validator(&part, err));
    AUTO(close_slot) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fail_errno(err, "%s: cannot create", path);
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_errno(err, "%s", path);
    part.n_bytes = part.validator[0] ? (uint64_t)info.st_size : 0;
    part.fd = fd;
    fd = -1;
    *ret_part = part;
    return STATUS_OK;
}

void part_close(struct part *part)
{
    close_slot(&part->fd);
    part->fd = -1;
}

enum status part_restart(struct part *part, const char *validator, struct error *err)
{
    part->n_bytes = 0;
    if (ftruncate(part->fd, 0) != 0)
        return fail_errno(err, "%s: cannot truncate", part->path);
    snprintf(part->validator, sizeof part->validator, "%s", validator);
    char path[PATH_MAX];
    TRY(validator_path(part->path, path, err));
    return file_write_atomic(path, part->validator, strlen(part->validator), err);
}

enum status part_append(struct part *part, const char *data, size_t bytes, struct error *err)
{
    while (bytes > 0) {
        ssize_t n = pwrite(part->fd, data, bytes, (off_t)part->n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "%s: cannot write", part->path);
        data += n;
        bytes -= (size_t)n;
        part->n_bytes += (uint64_t)n;
    }
    return STATUS_OK;
}

enum status part_sync(struct part *part, struct error *err)
{
    if (fsync(part->fd) != 0)
        return fail_errno(err, "%s: cannot sync", part->path);
    return STATUS_OK;
}

void part_remove(const char *path)
{
    char validator[PATH_MAX];
    if (validator_path(path, validator, NULL) == STATUS_OK)
        unlink(validator);
    unlink(path);
}
