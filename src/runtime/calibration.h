/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From a classifier's outputs to probabilities that mean what they say: a softmax of scaled and
 * shifted outputs. One scale and no shifts is temperature scaling; a scale and a shift a class is
 * vector scaling (Guo et al. 2017). */
#include <stddef.h>

#include "artifact/artifact.h"

struct calibration {
    size_t n;            /* classes */
    const double *terms; /* [n][2] scale, shift */
};

/* output: [n]; ret_probability: [n], may be `output`. Finite outputs only. */
void calibration_apply(const struct calibration *calibration, const double *output,
                       double *ret_probability);

/* Section "<prefix>.calibration" f64 [n][2]. */
enum status calibration_write(struct artifact_writer *writer, const char *prefix,
                              const struct calibration *calibration, struct error *err);

/* As a view into the artifact. STATUS_NOT_FOUND without a message: a blob from before there was
 * one, which has a temperature instead. */
enum status calibration_read(const struct artifact *artifact, const char *prefix, size_t n,
                             struct calibration *ret_calibration, struct error *err);
