/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/process.h"

#include <dirent.h>
#include <stdio.h>
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
