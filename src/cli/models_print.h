/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How `influence models` shows bundles: what they were made of, and how good they are. */
#include "artifact/bundle.h"
#include "base/json.h"
#include "base/text.h"

/* One bundle of a list: as a JSON object, as a line. */
void models_put_info(struct json_writer *w, const struct bundle_info *info);
void models_print_info(struct buffer *out, const struct bundle_info *info);

/* A manifest in some lines; models show --json has all of it. */
void models_print_manifest(struct buffer *out, const struct json *manifest);
