/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Telling the service manager (systemd's sd_notify protocol: one datagram a message to the socket
 * in NOTIFY_SOCKET). Without such a manager nothing happens. One thread. */
#include <stdbool.h>
#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."; lines in one message are separated by line
 * breaks.
 */
void supervisor_tell(const char *message);

/* How often the manager wants to hear "WATCHDOG=1", in milliseconds; 0: never. */
int64_t supervisor_watchdog_ms(void);
