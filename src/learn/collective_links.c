/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/collective_links.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* A host that has gone without a word is noticed after about KEEP_IDLE_S + KEEP_PROBES *
 * KEEP_STEP_S. */
#define KEEP_IDLE_S 15
#define KEEP_STEP_S 5
#define KEEP_PROBES 3

/* XGBoost's connections: they keep themselves alive and do not block, as no other of this process
 * do. */
static bool is_link(int fd)
{
    int on = 0;
    socklen_t length = sizeof on;
    struct sockaddr_storage peer = {0};
    socklen_t peer_length = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &length) == 0 && on &&
           (fcntl(fd, F_GETFL) & O_NONBLOCK) &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0 &&
           peer.ss_family != AF_UNIX;
}

/* XGBoost leaves it to the system's defaults, of hours. */
static void keep_alive(int fd)
{
    static const struct {
        int name, value;
    } options[] = {
        {TCP_KEEPIDLE, KEEP_IDLE_S},
        {TCP_KEEPINTVL, KEEP_STEP_S},
        {TCP_KEEPCNT, KEEP_PROBES},
        {TCP_USER_TIMEOUT, 1000 * (KEEP_IDLE_S + KEEP_PROBES * KEEP_STEP_S)},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
        setsockopt(fd, IPPROTO_TCP, options[i].name, &options[i].value, sizeof options[i].value);
}

typedef void descriptor_visitor(int fd, void *user);

static enum status visit_open(descriptor_visitor *visit, void *user, struct error *err)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return fail_errno(err, "/proc/self/fd");
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && *end == '\0' && fd < LINKS_MAX_FDS && fd != dirfd(folder))
            visit((int)fd, user);
    }
    closedir(folder);
    return STATUS_OK;
}

static void note(int fd, void *user)
{
    struct links_before *before = user;
    before->is_open[fd / 8] |= (uint8_t)(1U << (fd % 8));
}

enum status links_note(struct links_before *ret_before, struct error *err)
{
    memset(ret_before, 0, sizeof *ret_before);
    return visit_open(note, ret_before, err);
}

struct finding {
    const struct links_before *before;
    int *links;
    size_t n;
};

static void find(int fd, void *user)
{
    struct finding *finding = user;
    if (finding->before->is_open[fd / 8] & (1U << (fd % 8)) || !is_link(fd) ||
        finding->n == LINKS_MAX)
        return;
    keep_alive(fd);
    finding->links[finding->n++] = fd;
}

enum status links_find(const struct links_before *before, int *ret_links, size_t *ret_n,
                       struct error *err)
{
    struct finding finding = {.before = before, .links = ret_links};
    TRY(visit_open(find, &finding, err));
    *ret_n = finding.n;
    return STATUS_OK;
}
