/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A bundle: the directory that one training run leaves.
 *
 *   models/<UTC time>-<hash>/   manifest.json  score.blob  tier.blob  cluster.blob  similar.blob
 *                               report.json  card.md  parity.json, and growth.blob where snapshots
 *                               gave one
 *   models/current              a symlink to one of them, replaced by rename
 *   models/previous             the one before, for rollback
 *
 * Written beside (".new-..."), synced, renamed: a crash at any point leaves the old one whole. The
 * hash in the name is taken over the blobs, so that equal models have equal hashes. Writers lock
 * the models directory (flock) against each other; readers need no lock. */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

#define BUNDLE_ID_BYTES 40 /* "20260131T123456Z-0123456789abcdef" and a NUL, with room */

struct bundle_file {
    const char *name; /* "score.blob" */
    const void *bytes;
    size_t n_bytes;
};

/* Whether a bundle can be written there, as far as can be said without writing one. */
enum status bundle_check_place(const char *models_dir, struct error *err);

/* Write a bundle and make it current. manifest_members: the members of manifest.json that the
 * trainer knows, as JSON text without the outer braces ("\"seed\":0,..."); "id", "created",
 * "influence" (version) and "files" (name, bytes, sha256) are added. */
enum status bundle_write(const char *models_dir, const struct bundle_file *files, size_t n_files,
                         const char *manifest_members, int64_t created_utc_us,
                         char ret_id[static BUNDLE_ID_BYTES], struct error *err);

/* The directory of a bundle: `path` is a bundle (it holds manifest.json), or a models directory,
 * whose current one is taken. STATUS_NOT_FOUND: neither; the message says how to make one. */
enum status bundle_resolve(const char *path, char ret_dir[static PATH_MAX],
                           char ret_id[static BUNDLE_ID_BYTES], struct error *err);

struct bundle_info {
    char id[BUNDLE_ID_BYTES];
    bool is_current;
    bool is_previous;
    const struct json *manifest; /* in the arena; NULL when it cannot be read */
    char problem[256];           /* why not */
};

/* All bundles, oldest first; the list and the manifests live in the arena. */
enum status bundle_list(const char *models_dir, struct arena *arena, struct bundle_info **ret_list,
                        size_t *ret_n, struct error *err);

/* The directory and whole id of the bundle `id`: an unambiguous prefix of one, "current" or
 * "previous". */
enum status bundle_find(const char *models_dir, const char *id, char ret_dir[static PATH_MAX],
                        char ret_id[static BUNDLE_ID_BYTES], struct error *err);

/* Sizes and SHA-256 of all files against the manifest. STATUS_CORRUPT names the first that differs.
 */
enum status bundle_verify(const char *dir, struct error *err);

/* Whether all files are there that the manifest lists, of the sizes it says, which what was copied
 * by half has not. Nothing is read but the manifest. STATUS_CORRUPT names the first. */
enum status bundle_check_whole(const char *dir, struct error *err);

/* Make `id` (or an unambiguous prefix of it) current. */
enum status bundle_promote(const char *models_dir, const char *id, struct error *err);

/* Make the previous one current again; what was current becomes the previous one.
 * STATUS_NOT_FOUND: there is none. */
enum status bundle_rollback(const char *models_dir, char ret_id[static BUNDLE_ID_BYTES],
                            struct error *err);

/* Remove the bundle `id` (whole), and the link "previous" where it names it, and what crashes left
 * behind. STATUS_INVALID: it is the current one. */
enum status bundle_remove(const char *models_dir, const char *id, struct error *err);

/* Remove all but the newest `keep`, never the current or the previous, and what crashes left
 * behind. ret_removed: how many bundles went. */
enum status bundle_prune(const char *models_dir, size_t keep, size_t *ret_removed,
                         struct error *err);
