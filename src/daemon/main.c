/* SPDX-License-Identifier: Apache-2.0
 *
 * influenced: parse, set up, run, one exit. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "serve/check.h"
#include "serve/config.h"
#include "serve/health.h"
#include "serve/server.h"
#include "serve/service.h"
#include "daemon/supervisor.h"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2
};

#define TEND_MS 1000

struct command_line {
    const char *config_path;
    bool check, health, print_config, help, version;
};

static void print_usage(FILE *out)
{
    fputs("usage: influenced [--config FILE] [--section.key=value ...]\n"
          "       influenced --check | --health | --print-config | --help | --version\n",
          out);
}

static void print_help(void)
{
    print_usage(stdout);
    puts("\nServes the current model bundle over HTTP until SIGTERM or SIGINT; SIGHUP reloads it.\n"
         "A key is read from --section.key=value, else from the environment "
         "(INFLUENCED_SECTION_KEY),\n"
         "else from the file, else it has its default. --check tells whether all is fit to start;\n"
         "--health asks the daemon that runs with these settings, and exits 0 when it is ready:\n");
    config_print_help(&serve_config_table, stdout);
}

/* The words that are no configuration keys; those are applied last, over file and environment. */
static enum status read_words(int argc, char **argv, struct command_line *line, struct error *err)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--config") == 0) {
            if (++i == argc)
                return fail(err, STATUS_INVALID, "--config: needs a file");
            line->config_path = argv[i];
        } else if (strncmp(word, "--config=", 9) == 0) {
            line->config_path = word + 9;
        } else if (strcmp(word, "--check") == 0) {
            line->check = true;
        } else if (strcmp(word, "--health") == 0) {
            line->health = true;
        } else if (strcmp(word, "--print-config") == 0) {
            line->print_config = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            line->help = true;
        } else if (strcmp(word, "--version") == 0) {
            line->version = true;
        } else if (strncmp(word, "--", 2) != 0 || !strchr(word, '=')) {
            return fail(err, STATUS_INVALID, "%s: unknown option", word);
        }
    }
    return STATUS_OK;
}

static enum status read_config(int argc, char **argv, const struct command_line *line,
                               struct serve_config *config, struct arena *arena, struct error *err)
{
    const struct config_table *table = &serve_config_table;
    TRY(config_set_defaults(table, config, arena, err));
    if (line->config_path)
        TRY(config_load_file(table, line->config_path, config, arena, err));
    TRY(config_load_environment(table, "INFLUENCED", config, arena, err));
    for (int i = 1; i < argc && argv[i]; i++) {
        if (strcmp(argv[i], "--config") == 0)
            i++;
        else if (strchr(argv[i], '=') && strncmp(argv[i], "--config=", 9) != 0)
            TRY(config_set_option(table, argv[i], config, arena, err));
    }
    return STATUS_OK;
}

/* Signals come through a descriptor; blocked before any thread is made, so that none takes them. */
static enum status take_signals(int *ret_fd, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    errno = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (errno != 0)
        return fail_errno(err, "signals");
    *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_fd < 0 ? fail_errno(err, "signals") : STATUS_OK;
}

/* As many descriptors as we may have: a connection takes one. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            log_warning("cannot raise the number of file descriptors: %s", strerror(errno));
    }
}

static unsigned count_loops(const struct serve_config *config)
{
    if (config->server_threads > 0)
        return (unsigned)config->server_threads;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

static void reload(struct service *service)
{
    struct error err;
    char message[64];
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)(clock_monotonic_ns() / 1000));
    supervisor_tell(message);
    if (service_reload(service, NULL, &err) != STATUS_OK)
        log_error("reload: %s; the model before stays in service", err.message);
    service_reload_access(service);
    supervisor_tell("READY=1");
}

/* Until SIGTERM or SIGINT. */
static void wait_and_tend(struct service *service, const struct server *server, int signal_fd)
{
    int64_t watchdog_ms = supervisor_watchdog_ms();
    int wait_ms = watchdog_ms > 0 && watchdog_ms < TEND_MS ? (int)watchdog_ms : TEND_MS;
    struct pollfd waits[] = {{.fd = signal_fd, .events = POLLIN},
                             {.fd = service->reload_fd, .events = POLLIN}};
    for (;;) {
        poll(waits, ARRAY_LENGTH(waits), wait_ms);
        if (watchdog_ms > 0 && server_is_alive(server))
            supervisor_tell("WATCHDOG=1");
        struct signalfd_siginfo signal;
        while (read(signal_fd, &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo != SIGHUP) {
                log_info("stopping on %s", strsignal((int)signal.ssi_signo));
                return;
            }
            reload(service);
        }
        service_tend(service);
    }
}

static enum status run(struct service *service, int signal_fd, struct error *err)
{
    AUTO(server_free_slot) struct server *server = NULL;
    TRY(server_new(service, &server, err));
    TRY(service_open_log(service, server_on_commit, server, err));
    enum status status = server_start(server, err);
    if (status == STATUS_OK) {
        printf("listening on %s://%s\n", service->tls ? "https" : "http", server_address(server));
        fflush(stdout);
        supervisor_tell("READY=1");
        wait_and_tend(service, server, signal_fd);
        supervisor_tell("STOPPING=1");
        service_stop(service);
    }
    server_stop(server);
    return status;
}

static enum status serve(const struct serve_config *config, struct error *err)
{
    AUTO(close_slot) int signal_fd = -1;
    TRY(take_signals(&signal_fd, err));
    raise_descriptors();
    struct service service;
    enum status status = service_init(&service, config, count_loops(config), err);
    if (status == STATUS_OK)
        status = run(&service, signal_fd, err);
    service_deinit(&service);
    return status;
}

static int report(const struct error *err, int code)
{
    fprintf(stderr, "influenced: %s\n", err->message);
    return code;
}

int main(int argc, char **argv)
{
    file_hold_standard();
    struct error err = {0};
    struct command_line line = {0};
    struct serve_config config;
    struct arena arena;
    arena_init(&arena, 4096);
    int code = 0;
    if (read_words(argc, argv, &line, &err) != STATUS_OK) {
        code = report(&err, EXIT_USAGE);
        print_usage(stderr);
    } else if (line.help) {
        print_help();
    } else if (line.version) {
        puts("influenced " INFLUENCE_VERSION);
    } else if (read_config(argc, argv, &line, &config, &arena, &err) != STATUS_OK) {
        code = report(&err, EXIT_USAGE);
    } else if (line.print_config) {
        config_print(&serve_config_table, &config, stdout);
    } else {
        log_set_level((enum log_level)config.server_log_level);
        enum status status =
            line.check    ? check_all(&config, line.config_path, count_loops(&config), stdout, &err)
            : line.health ? health_ask(&config, &err)
                          : serve(&config, &err);
        if (status != STATUS_OK)
            code = report(&err, EXIT_FAILED);
    }
    arena_deinit(&arena);
    return code;
}
