/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/calibration.h"

#include "runtime/softmax.h"

void calibration_apply(const struct calibration *calibration, const double *output,
                       double *ret_probability)
{
    for (size_t c = 0; c < calibration->n; c++)
        ret_probability[c] = output[c] * calibration->terms[2 * c] + calibration->terms[2 * c + 1];
    softmax(ret_probability, calibration->n, 1, ret_probability);
}

enum status calibration_write(struct artifact_writer *writer, const char *prefix,
                              const struct calibration *calibration, struct error *err)
{
    return artifact_add(writer, artifact_join(prefix, "calibration").text, ARTIFACT_F64,
                        calibration->n, 2, calibration->terms, err);
}

enum status calibration_read(const struct artifact *artifact, const char *prefix, size_t n,
                             struct calibration *ret_calibration, struct error *err)
{
    const struct artifact_tag tag = artifact_join(prefix, "calibration");
    struct artifact_section section;
    if (artifact_find(artifact, tag.text, &section) != STATUS_OK)
        return STATUS_NOT_FOUND;
    TRY(artifact_need(artifact, tag.text, ARTIFACT_F64, n, 2, &section, err));
    const double *terms = section.data;
    for (size_t c = 0; c < n; c++)
        if (!(terms[2 * c] > 0))
            return fail(err, STATUS_CORRUPT, "%s: section '%s': a scale is not above 0",
                        artifact_name(artifact), tag.text);
    *ret_calibration = (struct calibration){n, terms};
    return STATUS_OK;
}
