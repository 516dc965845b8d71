/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Names of bundles and the lock on their directory, shared by bundle.c (one bundle) and
 * bundle_store.c (the models directory). */
#include <stdbool.h>

#include "artifact/bundle.h"

#define BUNDLE_MANIFEST "manifest.json"
#define BUNDLE_MANIFEST_MAX_BYTES (16u << 20)

/* Looks like "20260131T123456Z-0123456789abcdef". */
bool bundle_is_id(const char *name);

/* dir/name into a path; STATUS_INVALID: too long. */
enum status bundle_path(char ret_path[static PATH_MAX], const char *dir, const char *name,
                        struct error *err);

/* Hold the models directory against other writers until the descriptor is closed. Readers need no
 * lock: everything they see is put in place by one rename. */
enum status bundle_lock(const char *models_dir, int *ret_fd, struct error *err);

/* bundle_promote() of an existing id, for a holder of the lock. */
enum status bundle_make_current(const char *models_dir, const char *id, struct error *err);
