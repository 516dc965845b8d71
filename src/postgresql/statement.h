/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One version for all rows of a statement: also where a cursor fetches them one by one while a new
 * model becomes current, and where parallel workers compute them, which are processes of their own.
 */
#include <postgres.h>

#include "postgresql/models.h"

/* Put the hook in the executor's way, and define the setting that parallel workers are told by. */
void statement_init(void);

/* The place of the version that answers the running statement, [MODELS_VERSION_BYTES]; an empty
 * text until the first look. NULL: nothing runs in the executor. */
char *statement_version(void);
