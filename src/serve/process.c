/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/process.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

static void gauge(struct buffer *out, const char *name, const char *help, double value)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s ", name, help, name, name);
    buffer_put_number(out, value);
    buffer_put_char(out, '\n');
}

static void write_cpu(struct buffer *out)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    static const char name[] = "process_cpu_seconds_total";
    buffer_printf(out, "# HELP %s User and system CPU time.\n# TYPE %s counter\n%s ", name, name,
                  name);
    buffer_put_number(out, seconds);
    buffer_put_char(out, '\n');
}

static void write_memory(struct buffer *out)
{
    AUTO(fclose_slot) FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long size, resident;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers */
    if (!file || fscanf(file, "%llu %llu", &size, &resident) != 2)
        return;
    double page = (double)sysconf(_SC_PAGESIZE);
    gauge(out, "process_virtual_memory_bytes", "Virtual memory size.", (double)size * page);
    gauge(out, "process_resident_memory_bytes", "Resident memory size.", (double)resident * page);
}

static void write_descriptors(struct buffer *out)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory) {
        size_t n = 0;
        while (readdir(directory))
            n++;
        closedir(directory);
        /* Without ".", ".." and the directory's own. */
        gauge(out, "process_open_fds", "Open file descriptors.", n > 3 ? (double)(n - 3) : 0);
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        gauge(out, "process_max_fds", "Most file descriptors.", (double)limit.rlim_cur);
}

void process_write(double start_time_s, struct buffer *out)
{
    write_cpu(out);
    write_memory(out);
    write_descriptors(out);
    gauge(out, "process_start_time_seconds", "Start of the process, in seconds since 1970.",
          start_time_s);
}

/* The start of a file of the kernel's; false: there is none. */
static bool read_start(const char *path, char ret_text[static 4096])
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t n = fread(ret_text, 1, 4095, file);
    fclose(file);
    ret_text[n] = '\0';
    return n > 0;
}

/* A number of digits; "max" is none. */
static int64_t number_at(const char *text)
{
    int64_t number;
    size_t n = strspn(text, "0123456789");
    return text_parse_integer(text, n, &number) ? number : INT64_MAX;
}

static int64_t available_bytes(const char *root)
{
    static const char name[] = "MemAvailable:";
    char path[PATH_MAX];
    char text[4096];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    const char *line = read_start(path, text) ? strstr(text, name) : NULL;
    if (!line)
        return INT64_MAX;
    line += strlen(name);
    int64_t kib = number_at(line + strspn(line, " "));
    return kib < INT64_MAX / 1024 ? kib * 1024 : INT64_MAX;
}

/* From its own group up to the root's, each of which may have a bound. */
static int64_t least_bound(const char *root)
{
    char path[PATH_MAX];
    char text[4096];
    char value[4096];
    int64_t least = INT64_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    char *group = read_start(path, text) ? strstr(text, "0::/") : NULL;
    if (!group || (group != text && group[-1] != '\n'))
        return least;
    group += 3;
    group[strcspn(group, "\n")] = '\0';
    for (;;) {
        snprintf(path, sizeof path, "%s/sys/fs/cgroup%s/memory.max", root, group);
        if (read_start(path, value) && number_at(value) < least)
            least = number_at(value);
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

int64_t process_memory_bytes(const char *root)
{
    int64_t bound = least_bound(root);
    int64_t available = available_bytes(root);
    int64_t least = bound < available ? bound : available;
    return least < INT64_MAX ? least : 0;
}
