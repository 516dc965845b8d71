/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Ctrl-C and SIGTERM as a request to stop: long operations look at the flag, clean up and return
 * STATUS_CANCELLED. A second signal ends the process the usual way. */
#include <signal.h>

/* Catch both from now on; the flag is not 0 once one came. */
const volatile sig_atomic_t *interrupt_flag(void);
