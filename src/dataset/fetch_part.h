/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What has come of a download, on disk, and under which condition the rest may be added: a file,
 * and beside it the validator (a strong ETag, or the date of last change) of the answer it is from.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define VALIDATOR_BYTES 256

struct part {
    const char *path; /* borrowed; the validator is in "<path>.validator" */
    int fd;           /* owns; -1: not open */
    uint64_t n_bytes;
    char validator[VALIDATOR_BYTES]; /* "": it cannot be continued */
};

/* Open or make it. Bytes without a validator count as none. */
enum status part_open(const char *path, struct part *ret_part, struct error *err);
void part_close(struct part *part);

/* Empty it, for an answer with this validator ("" for none). */
enum status part_restart(struct part *part, const char *validator, struct error *err);
enum status part_append(struct part *part, const char *data, size_t bytes, struct error *err);
enum status part_sync(struct part *part, struct error *err);

/* Remove the file and its validator. */
void part_remove(const char *path);
