/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static enum status open_regular(const char *path, int *ret_fd, size_t *ret_size, struct error *err)
{
    /* O_NONBLOCK: a FIFO without a writer must be refused, not waited for. */
    AUTO(close_slot) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, "%s", path);
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_errno(err, "%s", path);
    if (!S_ISREG(info.st_mode))
        return fail(err, STATUS_INVALID, "%s: is %s, a file is needed", path,
                    S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
    *ret_size = (size_t)info.st_size;
    *ret_fd = fd;
    fd = -1;
    return STATUS_OK;
}

enum status file_map(const char *path, struct file_map *ret_map, struct error *err)
{
    AUTO(close_slot) int fd = -1;
    size_t size;
    TRY(open_regular(path, &fd, &size, err));
    if (size == 0) {
        *ret_map = (struct file_map){0};
        return STATUS_OK;
    }
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return fail_errno(err, "%s: cannot map", path);
    *ret_map = (struct file_map){.bytes = bytes, .size = size};
    return STATUS_OK;
}

void file_unmap(struct file_map *map)
{
    if (map->bytes)
        munmap((void *)(uintptr_t)map->bytes, map->size);
    *map = (struct file_map){0};
}

enum status file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_bytes,
                      struct error *err)
{
    AUTO(close_slot) int fd = -1;
    size_t size;
    TRY(open_regular(path, &fd, &size, err));
    if (size > max_bytes)
        return fail(err, STATUS_LIMIT, "%s: has %zu bytes, at most %zu are taken", path, size,
                    max_bytes);
    AUTO(free_slot) char *text = malloc(size + 1);
    if (!text)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", path);
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, text + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "%s: cannot read", path);
        if (n == 0)
            break;
        got += (size_t)n;
    }
    text[got] = '\0';
    *ret_bytes = got;
    *ret_text = STEAL(text);
    return STATUS_OK;
}

enum status file_write_all(int fd, const char *path, const void *data, size_t bytes,
                           struct error *err)
{
    const unsigned char *at = data;
    while (bytes > 0) {
        ssize_t n = write(fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(err, "%s: cannot write", path);
        at += n;
        bytes -= (size_t)n;
    }
    return STATUS_OK;
}

/* What a rename puts into place must be on the disk before. */
static enum status write_durably(int fd, const char *path, const void *data, size_t bytes,
                                 struct error *err)
{
    TRY(file_write_all(fd, path, data, bytes, err));
    if (fsync(fd) != 0)
        return fail_errno(err, "%s: cannot sync", path);
    return STATUS_OK;
}

enum status file_write_atomic(const char *path, const void *data, size_t bytes, struct error *err)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof beside)
        return fail(err, STATUS_INVALID, "%s: path is too long", path);
    AUTO(close_slot) int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "%s: cannot create", path);
    /* mkstemp makes 0600; the daemon often runs as another user than the trainer. */
    enum status status = fchmod(fd, 0644) == 0 ? write_durably(fd, path, data, bytes, err)
                                               : fail_errno(err, "%s: cannot set mode", path);
    if (status == STATUS_OK && rename(beside, path) != 0)
        status = fail_errno(err, "%s: cannot rename into place", path);
    if (status != STATUS_OK)
        unlink(beside);
    return status;
}

enum status file_sync_directory(const char *path, struct error *err)
{
    AUTO(close_slot) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "%s", path);
    if (fsync(fd) != 0)
        return fail_errno(err, "%s: cannot sync", path);
    return STATUS_OK;
}

enum status file_make_directories(const char *path, struct error *err)
{
    char partial[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial)
        return fail(err, STATUS_INVALID, "'%s': not a usable path", path);
    memcpy(partial, path, length + 1);
    for (char *c = partial + 1;; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char end = *c;
        *c = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return fail_errno(err, "%s: cannot make directory", partial);
        if (end == '\0')
            break;
        *c = end;
    }
    struct stat info;
    if (stat(path, &info) != 0)
        return fail_errno(err, "%s", path);
    if (!S_ISDIR(info.st_mode))
        return fail(err, STATUS_INVALID, "%s: is not a directory", path);
    return STATUS_OK;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *position)
{
    (void)info;
    (void)type;
    (void)position;
    return remove(path);
}

enum status file_remove_tree(const char *path, struct error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return fail_errno(err, "%s: cannot remove", path);
    return STATUS_OK;
}

void file_hold_standard(void)
{
    /* The lowest that is free is taken, which is the one at hand. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

struct file_stamp file_stamp(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return (struct file_stamp){0};
    return (struct file_stamp){.device = info.st_dev,
                               .inode = info.st_ino,
                               .bytes = (uint64_t)info.st_size,
                               .modified = info.st_mtim,
                               .changed = info.st_ctim};
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_stamp_is_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}
