/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The models of a backend: which bundle answers, and a session of libinfluence for it.
 *
 * Bundles are mapped, so that all backends of a host share one copy of each. What is opened stays
 * open until the backend ends or its place is needed: nothing of the library's is held across an
 * error of PostgreSQL's, which may jump. No function of the library calls back into PostgreSQL. */
#include <postgres.h>

#include "influence/predict.h"

#define MODELS_VERSION_BYTES 64

/* Define the settings influence.models, influence.version and influence.invalid_as_null. */
void models_init(void);

/* A session with an empty profile: of the version that influence.version names, else of the one
 * that is current at the beginning of the statement. Raises an error when there is none. */
struct ifl_session *models_session(void);

/* Of the version of that name, whatever is current: an id, not the word "current". */
struct ifl_session *models_session_of(const char *version);

/* The version that models_session() answers with. */
const char *models_version(void);

/* What `current` of the models directory points to now; false, with errno 0 or why, when it is no
 * bundle. Raises nothing. */
bool models_read_current(char ret_version[static MODELS_VERSION_BYTES]);

/* influence.models; empty when it is not set. */
const char *models_setting(void);

/* Raise what the library reports. Does not return. */
void models_fail(enum ifl_status status, const struct ifl_error *err) pg_attribute_noreturn();

/* Whether a value that cannot be makes the answer NULL instead of an error. */
bool models_invalid_as_null(void);
