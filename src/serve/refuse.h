/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* Answer on a socket that the library does not answer on: it was not handed over (too many
 * connections), or it waits for bytes that do not come. Never blocks; true when all was written. */
bool refuse_connection(int fd, unsigned status, const char *code, const char *message);
