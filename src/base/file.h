/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files: mapping, whole reads with a bound, atomic writes, directories. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/status.h"

struct file_map {
    const unsigned char *bytes; /* owns the mapping; NULL when empty or unmapped */
    size_t size;
};

/* Map a regular file read-only. STATUS_NOT_FOUND: no such file. STATUS_INVALID: not a regular file.
 */
enum status file_map(const char *path, struct file_map *ret_map, struct error *err);
void file_unmap(struct file_map *map);

/* Read a whole file of at most max_bytes; the caller frees *ret_text, which has a NUL added.
 * STATUS_LIMIT: larger. */
enum status file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_bytes,
                      struct error *err);

/* All of it, however many writes it takes; `path` stands in messages. */
enum status file_write_all(int fd, const char *path, const void *data, size_t bytes,
                           struct error *err);

/* Write beside, fsync, rename into place: a crash leaves the old file or the new one, whole. */
enum status file_write_atomic(const char *path, const void *data, size_t bytes, struct error *err);

/* fsync of a directory, which makes renames in it durable. */
enum status file_sync_directory(const char *path, struct error *err);

/* mkdir -p. */
enum status file_make_directories(const char *path, struct error *err);

/* Remove a directory and everything in it; a missing one is fine. Never follows symlinks. */
enum status file_remove_tree(const char *path, struct error *err);

/* Files that are opened must not become the standard ones, where whoever started the program has
 * closed those: what is said would be written into them. First of all in main(). In place of input
 * or output that was closed stands what cannot be read or written, so that its use still fails. */
void file_hold_standard(void);

bool file_exists(const char *path);

/* The name without its folder: what stands behind the last slash of the path, which it borrows. */
const char *file_name(const char *path);

/* What tells a file from the one that was of the same name: another file, another size, a change of
 * content or of its names and rights. All 0: there is none. */
struct file_stamp {
    uint64_t device, inode, bytes;
    struct timespec modified, changed;
};
struct file_stamp file_stamp(const char *path);
bool file_stamp_is_same(const struct file_stamp *a, const struct file_stamp *b);
