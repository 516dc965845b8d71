/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/supervisor.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

void supervisor_tell(const char *message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* in the abstract name space */
    AUTO(close_slot) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd < 0 || sendto(fd, message, strlen(message), MSG_NOSIGNAL,
                         (const struct sockaddr *)&address, bytes) < 0)
        log_warning("NOTIFY_SOCKET %s: %s", path, strerror(errno));
}

int64_t supervisor_watchdog_ms(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    int64_t us = 0;
    int64_t for_pid = 0;
    if (!text || !text_parse_integer(text, strlen(text), &us) || us <= 0)
        return 0;
    if (pid && text_parse_integer(pid, strlen(pid), &for_pid) && for_pid != getpid())
        return 0;
    return us / 2000 > 0 ? us / 2000 : 1; /* twice as often as it must be */
}
