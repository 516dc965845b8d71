/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/refuse.h"

#include <stdio.h>
#include <sys/socket.h>

#include "serve/http.h"

bool refuse_connection(int fd, unsigned status, const char *code, const char *message)
{
    char body[256];
    int body_bytes = snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                              code, message);
    char reply[512];
    int bytes =
        snprintf(reply, sizeof reply,
                 "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                 "Connection: close\r\n%s\r\n%s",
                 status, http_status_reason(status), body_bytes,
                 status == 503 ? "Retry-After: 1\r\n" : "", body);
    return send(fd, reply, (size_t)bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == bytes;
}
