/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A profile as JSON, in the forms that profile_from_json() reads. */
#include "base/json.h"
#include "profile/profile.h"

/* An object with the fields that are there. Reading it back gives an equal profile. */
void profile_to_json(const struct profile *profile, struct json_writer *w);
