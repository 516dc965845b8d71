/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/refuse.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "serve/http.h"
#include "serve/request.h"
#include "serve/tls.h"

struct refusal {
    unsigned status;
    const char *request_id; /* "" when there is no request */
    char *body;
    size_t body_bytes;
};

static bool send_refusal(struct wire wire, const struct refusal *refusal)
{
    char head[512];
    char date[40];
    struct tm tm;
    time_t now = time(NULL);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    int bytes = snprintf(head, sizeof head,
                         "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: " HTTP_JSON
                         "\r\nX-Content-Type-Options: nosniff\r\n%s%s%s%s"
                         "Connection: close\r\nContent-Length: %zu\r\n\r\n",
                         refusal->status, http_status_reason(refusal->status), date,
                         refusal->request_id[0] ? "X-Request-Id: " : "", refusal->request_id,
                         refusal->request_id[0] ? "\r\n" : "",
                         refusal->status == 503 ? "Retry-After: 1\r\n" : "", refusal->body_bytes);
    if (wire.tls) {
        bool all = tls_send(wire.tls, head, (size_t)bytes) &&
                   tls_send(wire.tls, refusal->body, refusal->body_bytes);
        shutdown(wire.fd, SHUT_WR);
        return all;
    }
    struct iovec parts[] = {{head, (size_t)bytes}, {refusal->body, refusal->body_bytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent = sendmsg(wire.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(wire.fd, SHUT_WR);
    return sent == (ssize_t)((size_t)bytes + refusal->body_bytes);
}

bool refuse_connection(struct wire wire, unsigned status, const char *code, const char *message)
{
    char body[256];
    int bytes = snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                         code, message);
    return send_refusal(wire, &(struct refusal){status, "", body, (size_t)bytes});
}

bool refuse_request(struct wire wire, const struct request *request)
{
    return send_refusal(wire, &(struct refusal){request->status, request->id, request->reply.at,
                                                request->reply.length});
}
