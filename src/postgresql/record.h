/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Values of PostgreSQL's into the profile of a session. NULL is missing. */
#include <postgres.h>

#include <fmgr.h>

#include "influence/predict.h"

/* Set the fields of a row whose columns are named like them, and the columns of the training
 * table's own that the bundle reads; others are not looked at. The match of fields is kept with the
 * call site, so that a row costs no search. Raises an error when no column is known.
 * False: a value cannot be, and influence.invalid_as_null is on. */
bool record_set_row(struct ifl_session *session, FunctionCallInfo fcinfo, int argument);

/* Set all fields from arguments, one each from `first` on, in the library's order: numbers are
 * float8, texts text. They bring no columns of the table's own, which a NOTICE tells. */
bool record_set_arguments(struct ifl_session *session, FunctionCallInfo fcinfo, int first);
