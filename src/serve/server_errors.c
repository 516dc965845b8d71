/* SPDX-License-Identifier: Apache-2.0 */

/* Replies of ours in place of libmicrohttpd's own.
 *
 * What the library refuses by itself (a line that is no header, headers that do not fit, a chunk
 * without a size) it answers with an HTML page, and there is no option for another one. It hands
 * that page to MHD_queue_response() by way of the dynamic symbol table, where a definition in the
 * program comes before the library's: the one below. It answers the same status in our shape,
 * straight on the socket, and has the library close the connection. (Not through the library,
 * because 0.9.75 sends the head of such a reply twice when Content-Length is at fault.) Were the
 * library linked statically, the definition below would not be reached from inside it, and its
 * pages would come through: nothing else breaks. */
#include <dlfcn.h>
#include <pthread.h>

#include "serve/dispatch.h"
#include "serve/problem.h"
#include "serve/refuse.h"
#include "serve/server_loop.h"

typedef enum MHD_Result (*queue_function)(struct MHD_Connection *, unsigned, struct MHD_Response *);

static queue_function library_queue; /* written once, before the first loop runs */

static void find_library_queue(void)
{
    library_queue = (queue_function)dlsym(RTLD_NEXT, "MHD_queue_response");
}

bool server_errors_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_library_queue);
    return library_queue != NULL;
}

enum MHD_Result server_queue(struct MHD_Connection *library, unsigned status,
                             struct MHD_Response *response)
{
    return library_queue(library, status, response);
}

static void write_problem(struct request *request, unsigned status)
{
    switch (status) {
    case 413:
        problem_reply_http(request, status, "too_large", "the body is too large");
        break;
    case 414:
        problem_reply_http(request, status, "target_too_long", "the request line is too long");
        break;
    case 431:
        problem_reply_http(request, status, "headers_too_large", "the headers are too large");
        break;
    case 505:
        problem_reply_http(request, status, "version", "the protocol must be HTTP/1.1 or HTTP/1.0");
        break;
    default:
        problem_reply_http(request, status, status < 500 ? "bad_request" : "internal",
                           status < 500 ? "the request is malformed" : "the request failed");
    }
}

/* Called by the library, in a loop's thread. */
__attribute__((visibility("default"))) enum MHD_Result
MHD_queue_response(struct MHD_Connection *library, unsigned status, struct MHD_Response *page)
{
    struct connection *connection = server_connection_of(library);
    if (!connection)
        return server_queue(library, status, page);
    struct loop *loop = connection->loop;
    struct request *request = connection->request;
    bool is_begun = request != NULL;
    if (!is_begun) {
        /* Not even the request line was understood: a request for the figures and the log only. */
        request = server_take_request(loop);
        if (!request)
            return server_queue(library, status, page);
        request_begin(request, rng_next(&loop->ids));
        request->caller = connection->caller;
    }
    write_problem(request, status);
    connection->lingers = true;
    request->is_sent = refuse_request((struct wire){connection->fd, connection->tls}, request);
    if (!is_begun) {
        dispatch_done(request, request->is_sent);
        server_give_request(loop, request);
    }
    return MHD_NO; /* which makes the library close the connection */
}
