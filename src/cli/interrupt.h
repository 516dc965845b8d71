/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ctrl-C and SIGTERM as a request to stop: long operations look at the flag, clean up and return
 * STATUS_CANCELLED. A second signal ends the process the usual way. */
#include <signal.h>
#include <stdbool.h>

/* Catch both from now on; the flag is not 0 once one came. */
const volatile sig_atomic_t *interrupt_flag(void);

/* What comes after this does not look at the flag: signals do again what they did before. True:
 * one came in the meantime. */
bool interrupt_end(void);
