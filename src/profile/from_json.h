/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A profile from JSON: numbers, strings as people write them, true and false; null is missing. */
#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "profile/profile.h"

/* One value as the kind of `field` demands; null leaves it missing. Texts are borrowed. */
enum status profile_field_from_json(const struct profile_field *field, const struct json *value,
                                    struct profile *profile, struct error *err);

/* Told of each member that is no field; true: it is known all the same. */
typedef bool (*profile_other)(void *user, const struct json *member);

/* Texts are borrowed from the object; the outputs are written also when it fails. *ret_n_known: how
 * many members were fields, or known to `other`. STATUS_INVALID: not an object, or a value that is
 * not of its field's kind or range; the message names the field.
 */
enum status profile_from_json(const struct json *object, struct profile *ret_profile,
                              size_t *ret_n_known, profile_other other, void *user,
                              struct error *err);
