/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* gzip (RFC 1952) in and out. */
#include "base/status.h"
#include "base/text.h"

/* One gzip member, appended to `out`. STATUS_INVALID: it is none, is cut off, or has something
 * behind it. STATUS_LIMIT: more than max_bytes come out, which is found out before they are
 * written. STATUS_NO_MEMORY. */
enum status encoding_inflate(const void *data, size_t bytes, size_t max_bytes, struct buffer *out,
                             struct error *err);

/* Append `data` as one gzip member; false when out of memory. */
bool encoding_deflate(const void *data, size_t bytes, struct buffer *out);
