/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/check.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "reqlog/key.h"
#include "reqlog/reader.h"
#include "serve/access.h"
#include "serve/health.h"
#include "serve/listen.h"
#include "serve/models.h"
#include "serve/process.h"
#include "serve/service.h"
#include "serve/spool.h"
#include "serve/tls.h"

#define SPARE_DESCRIPTORS 64
#define LITTLE_SPACE (INT64_C(100) << 20)
#define DAY_S INT64_C(86400)
#define EXPIRES_SOON_S (14 * DAY_S)

struct check {
    const struct serve_config *config;
    unsigned n_loops;
    FILE *out;
    struct buffer main; /* what was found of the main bundle */
    struct error *err;  /* the first failure */
    enum status status; /* its status */
};

static void tell(const struct check *check, const char *what, const char *verdict,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static void tell(const struct check *check, const char *what, const char *verdict,
                 const char *format, ...)
{
    va_list args;
    fprintf(check->out, "%-14s %s: ", what, verdict);
    va_start(args, format);
    vfprintf(check->out, format, args);
    va_end(args);
    fputc('\n', check->out);
}

/* A reason not to start. */
static void tell_failure(struct check *check, const char *what, const struct error *problem)
{
    tell(check, what, "FAILED", "%s", problem->message);
    if (check->status != STATUS_OK)
        return;
    check->status = problem->status;
    *check->err = *problem;
}

/* As whoever reads it would find it, wherever he stands. */
static const char *absolute(const char *path, char ret_path[static PATH_MAX])
{
    char here[PATH_MAX];
    if (path[0] == '/' || !getcwd(here, sizeof here) ||
        snprintf(ret_path, PATH_MAX, "%s/%s", here, path) >= PATH_MAX)
        return path;
    return ret_path;
}

/* Run by root in some other folder, it would tell of other files than the daemon's. */
static void check_setting(const struct check *check, const char *config_path)
{
    char path[PATH_MAX];
    char here[PATH_MAX];
    const struct passwd *user = getpwuid(geteuid());
    tell(check, "configuration", "ok", "%s, %u event loops, %lld connections at most",
         config_path ? absolute(config_path, path) : "no file", check->n_loops,
         (long long)check->config->server_max_connections);
    tell(check, "user", "ok", "%s; relative paths are meant from %s",
         user ? user->pw_name : "without a name", getcwd(here, sizeof here) ? here : "?");
}

/* ---- bundles ---- */

static const char *text_of(const struct buffer *buffer)
{
    return buffer->failed || !buffer->at ? "" : buffer->at;
}

static void check_bundle(struct check *check)
{
    char path[PATH_MAX];
    struct error problem = {0};
    const char *models = absolute(check->config->models_path, path);
    if (models_check(models, &check->main, &problem) != STATUS_OK)
        tell_failure(check, "bundle", &problem);
    else
        tell(check, "bundle", "ok", "%s, in %s", text_of(&check->main), models);
}

static void check_beside(struct check *check, const char *role, const char *version)
{
    struct error problem = {0};
    AUTO(buffer_deinit) struct buffer found = {0};
    AUTO(buffer_deinit) struct buffer path = {0};
    if (version[0] == '\0')
        return;
    if (strchr(version, '/'))
        buffer_put_text(&path, version);
    else if (models_path(check->config->models_path, version, &path, &problem) != STATUS_OK)
        tell(check, role, "warning", "%s; the main model serves without it", problem.message);
    if (path.length == 0)
        return;
    if (models_check(path.at, &found, &problem) != STATUS_OK)
        tell(check, role, "warning", "%s; the main model serves without it", problem.message);
    else if (strcmp(text_of(&found), text_of(&check->main)) == 0)
        tell(check, role, "warning", "%s: the main model itself, with which nothing is compared",
             text_of(&found));
    else
        tell(check, role, "ok", "%s", text_of(&found));
}

/* ---- the log ---- */

/* The directory of a path, or the nearest one above that is there. */
static void existing_directory(const char *path, char ret_dir[static PATH_MAX])
{
    snprintf(ret_dir, PATH_MAX, "%s", path);
    do {
        char *slash = strrchr(ret_dir, '/');
        if (!slash)
            snprintf(ret_dir, PATH_MAX, ".");
        else if (slash == ret_dir)
            ret_dir[1] = '\0';
        else
            *slash = '\0';
    } while (!file_exists(ret_dir));
}

static void check_space(struct check *check, const char *path, const char *dir)
{
    struct statvfs space;
    if (statvfs(dir, &space) != 0)
        return;
    int64_t free_bytes = (int64_t)space.f_bavail * (int64_t)space.f_frsize;
    int64_t most = check->config->log_max_bytes;
    double free_gb = (double)free_bytes / 1e9;
    if (free_bytes < LITTLE_SPACE)
        tell(check, "log", "warning",
             "%s: %.2f GB are free: rows will be dropped once they are full; make room", path,
             free_gb);
    else if (most == 0 || free_bytes < most)
        tell(check, "log", "warning",
             "%s: %.1f GB are free, and it may grow %s; set log.max_bytes below what is free", path,
             free_gb, most == 0 ? "without bound" : "to log.max_bytes");
    else
        tell(check, "log", "ok", "%s, %.1f GB free", path, free_gb);
}

/* What of a log cannot be written, and errno; NULL: all can, or is made by the start. */
static const char *closed_to_us(const char *path, const char *dir, char ret_key[static PATH_MAX])
{
    struct stat info;
    errno = ENOTDIR;
    if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode) || access(dir, W_OK | X_OK) != 0 ||
        (file_exists(path) && access(path, R_OK | W_OK) != 0))
        return path;
    bool is_whole = snprintf(ret_key, PATH_MAX, "%s.key", path) < PATH_MAX;
    return is_whole && file_exists(ret_key) && access(ret_key, R_OK) != 0 ? ret_key : NULL;
}

static void check_log(struct check *check)
{
    char dir[PATH_MAX];
    char written[PATH_MAX];
    char whole[PATH_MAX];
    char key[PATH_MAX];
    struct error problem = {0};
    if (check->config->log_durability == DURABILITY_OFF) {
        tell(check, "log", "off", "log.durability is off: nothing is kept of requests");
        return;
    }
    service_log_path(check->config, written);
    const char *path = absolute(written, whole);
    existing_directory(path, dir);
    const char *closed = closed_to_us(path, dir, key);
    if (closed) {
        fail(&problem, STATUS_DENIED,
             "log.path: %s cannot be written: %s; make it the daemon's user's, or choose another",
             closed, strerror(errno));
        tell_failure(check, "log", &problem);
    } else if (file_exists(path) && reqlog_probe(path, &problem) != STATUS_OK) {
        if (problem.status == STATUS_CORRUPT && key_exists(path))
            tell(
                check, "log", "warning",
                "%s; the start sets it aside as %s.damaged-TIME and begins another; `influence log "
                "export --db FILE` prints what can be read of it",
                problem.message, path);
        else
            tell_failure(check, "log", &problem);
    } else {
        check_space(check, path, dir);
    }
}

/* Only long replies want it, so that it keeps nothing from starting. */
static void check_spools(struct check *check)
{
    struct statvfs space;
    const char *dir = spool_directory();
    double most_gb = (double)check->config->server_max_spool_bytes / 1e9;
    if (access(dir, W_OK | X_OK) != 0 || statvfs(dir, &space) != 0) {
        tell(check, "long replies", "warning",
             "%s cannot be written: %s; CSV replies beyond 512 KiB get 500: set TMPDIR", dir,
             strerror(errno));
        return;
    }
    double free_gb = (double)space.f_bavail * (double)space.f_frsize / 1e9;
    tell(check, "long replies", free_gb < most_gb ? "warning" : "ok",
         "%s, %.1f GB free, %.1f GB at worst%s", dir, free_gb, most_gb,
         free_gb < most_gb ? "; lower server.max_spool_bytes, or set TMPDIR to where there is room"
                           : "");
}

/* ---- the door ---- */

/* A daemon that runs with these settings has the address: that is no reason not to restart it. */
static void check_address(struct check *check)
{
    struct listen_address address;
    struct error problem = {0};
    enum status status = listen_parse(check->config->server_listen, &address, &problem);
    if (status == STATUS_OK)
        status = listen_probe(&address, &problem);
    if (status == STATUS_EXISTS && health_ask(check->config, NULL) == STATUS_OK)
        tell(check, "address", "warning",
             "%s is taken by what answers as this daemon: restart that one, a second cannot start",
             address.text);
    else if (status != STATUS_OK)
        tell_failure(check, "address", &problem);
    else
        tell(check, "address", "ok", "%s is free%s", address.text,
             listen_is_loopback(&address) ? ", for this machine alone" : "");
}

/* The same failure, with what to do. */
static void tell_remedy(struct check *check, const char *what, const struct error *problem,
                        const char *remedy)
{
    struct error advised = {0};
    fail(&advised, problem->status, "%s; %s", problem->message,
         problem->status == STATUS_DENIED ? "let the daemon's user read it" : remedy);
    tell_failure(check, what, &advised);
}

static void check_tokens(struct check *check)
{
    const struct serve_config *config = check->config;
    struct listen_address address;
    struct error problem = {0};
    struct access tokens = {0};
    if (access_init(&tokens, config->access_tokens, &problem) != STATUS_OK) {
        tell_remedy(check, "access", &problem,
                    "`influence token new --scope predict` prints a line for it");
        access_deinit(&tokens);
        return;
    }
    bool is_open = listen_parse(config->server_listen, &address, NULL) == STATUS_OK &&
                   !listen_is_loopback(&address);
    if (access_is_on(&tokens))
        tell(check, "access", tokens.n > 0 ? "ok" : "warning", "%zu tokens%s", tokens.n,
             tokens.n > 0 ? "" : ": nobody is let in; make one with influence token new");
    else
        tell(
            check, "access", is_open ? "warning" : "ok",
            is_open
                ? "no tokens are asked for, and other machines can reach it: set access.tokens, or "
                  "let a proxy ask who it is"
                : "no tokens are asked for");
    access_deinit(&tokens);
}

/* A certificate that clients will refuse, or a key that others can read, keeps nothing from
 * starting. */
static void check_validity(struct check *check, const struct tls *tls)
{
    const char *path = check->config->access_tls_certificate;
    const char *key_path = check->config->access_tls_key;
    struct error problem = {0};
    struct stat info;
    int64_t from_s = 0;
    int64_t until_s = 0;
    char day[2][28];
    if (tls_validity(tls, &from_s, &until_s, &problem) != STATUS_OK) {
        tell_failure(check, "tls", &problem);
        return;
    }
    int64_t now_s = clock_utc_us() / 1000000;
    clock_format_utc(from_s * 1000000, day[0]);
    clock_format_utc(until_s * 1000000, day[1]);
    if (now_s < from_s)
        tell(check, "tls", "warning",
             "%s holds from %.10s on: clients refuse it until then; look at this machine's clock",
             path, day[0]);
    else if (now_s >= until_s)
        tell(check, "tls", "warning",
             "%s expired on %.10s: clients refuse it; renew it, the daemon reads it when the file "
             "changes",
             path, day[1]);
    else if (until_s - now_s < EXPIRES_SOON_S)
        tell(check, "tls", "warning", "%s expires on %.10s, in %lld days: renew it", path, day[1],
             (long long)(until_s - now_s) / DAY_S);
    else if (stat(key_path, &info) == 0 && (info.st_mode & S_IROTH))
        tell(check, "tls", "warning", "%s can be read by everybody: chmod o= it", key_path);
    else
        tell(check, "tls", "ok", "%s, until %.10s, and its key", path, day[1]);
}

static void check_tls(struct check *check)
{
    const struct serve_config *config = check->config;
    struct error problem = {0};
    AUTO(tls_free_slot) struct tls *tls = NULL;
    bool has_certificate = config->access_tls_certificate[0] != '\0';
    if (has_certificate != (config->access_tls_key[0] != '\0')) {
        fail(&problem, STATUS_INVALID,
             "access.tls_certificate and access.tls_key: one needs the other; set both, or none");
        tell_failure(check, "tls", &problem);
    } else if (has_certificate && tls_new(config->access_tls_certificate, config->access_tls_key,
                                          &tls, &problem) != STATUS_OK) {
        tell_remedy(check, "tls", &problem,
                    "needed are PEM files: the server's certificate with its chain behind it, and "
                    "the key it was made for, without a password");
    } else if (has_certificate) {
        check_validity(check, tls);
    }
}

/* ---- limits ---- */

static void check_descriptors(struct check *check)
{
    struct rlimit limit;
    int64_t wanted = check->config->server_max_connections + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_max != RLIM_INFINITY && (int64_t)limit.rlim_max < wanted)
        tell(check, "descriptors", "warning",
             "at most %lld, and server.max_connections wants %lld: raise LimitNOFILE (systemd), "
             "ulimits (Docker), or lower it",
             (long long)limit.rlim_max, (long long)wanted);
    else
        tell(check, "descriptors", "ok", "%lld wanted, %lld allowed", (long long)wanted,
             (long long)limit.rlim_max);
}

/* Bounded memory: connections with full heads, bodies and replies, and lanes full of rows. */
static void check_memory(struct check *check)
{
    const struct serve_config *config = check->config;
    int64_t rows = config->log_durability == DURABILITY_OFF
                       ? 0
                       : (int64_t)(check->n_loops + 1) * config->log_queue_bytes;
    int64_t worst = config->server_max_connections * config->server_max_header_bytes +
                    config->server_max_body_memory + rows;
    int64_t there = process_memory_bytes("");
    const char *verdict = there > 0 && worst > there ? "warning" : "ok";
    tell(check, "memory", verdict,
         "%.0f MB at worst for connections, bodies with replies and rows that wait, %.0f MB are "
         "there%s",
         (double)worst / 1e6, (double)there / 1e6,
         verdict[0] == 'w'
             ? "; lower server.max_connections, server.max_body_memory or log.queue_bytes"
             : "");
    if (config->server_max_body_memory < 3 * config->server_max_body_bytes)
        tell(check, "memory", "warning",
             "server.max_body_memory has no room for three bodies of server.max_body_bytes: large "
             "ones may get 503 without any others; raise the one, or lower the other");
}

enum status check_all(const struct serve_config *config, const char *config_path, unsigned n_loops,
                      FILE *out, struct error *err)
{
    struct check check = {.config = config, .n_loops = n_loops, .out = out, .err = err};
    check_setting(&check, config_path);
    check_bundle(&check);
    check_beside(&check, "canary", config->models_canary);
    check_beside(&check, "shadow", config->models_shadow);
    check_log(&check);
    check_spools(&check);
    check_address(&check);
    check_tokens(&check);
    check_tls(&check);
    check_descriptors(&check);
    check_memory(&check);
    buffer_deinit(&check.main);
    return check.status;
}
