/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A feature spec in a blob, under "<prefix>.spec...": shared by all models. */
#include "artifact/artifact.h"
#include "features/spec.h"

enum status spec_write(struct artifact_writer *writer, const char *prefix,
                       const struct feature_spec *spec, struct error *err);

/* STATUS_NOT_FOUND without a message: nothing under that prefix. */
enum status spec_open(const struct artifact *artifact, const char *prefix,
                      struct feature_spec **ret_spec, struct error *err);
