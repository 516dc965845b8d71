/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/data_files.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

static const char profiles[] = "profiles";

static void put_source(const struct import_source *source, const char *role, struct buffer *out)
{
    /* All of it is sent: no byte of it is left to chance. */
    struct data_file file;
    memset(&file, 0, sizeof file);
    file.n_rows = source->n_rows;
    file.n_kept = source->n_kept;
    snprintf(file.name, sizeof file.name, "%s", file_name(source->path));
    snprintf(file.role, sizeof file.role, "%s", role);
    snprintf(file.schema, sizeof file.schema, "%s", source->schema);
    snprintf(file.month, sizeof file.month, "%s", source->month);
    snprintf(file.sha256, sizeof file.sha256, "%s", source->sha256);
    buffer_put(out, &file, sizeof file);
}

static enum status take_part(void *user, size_t rank, const void *bytes, size_t n_bytes,
                             struct error *err)
{
    struct buffer *all = user;
    if (n_bytes % sizeof(struct data_file) != 0)
        return fail(err, STATUS_CORRUPT, "the files of worker %zu are cut short", rank);
    buffer_put(all, bytes, n_bytes);
    return STATUS_OK;
}

bool data_file_has_profiles(const struct data_file *file)
{
    return strcmp(file->role, profiles) == 0;
}

enum status data_files_gather(struct collective *group, const struct import_report *report,
                              struct arena *memory, struct data_files *ret_files, struct error *err)
{
    AUTO(buffer_deinit) struct buffer own = {0};
    AUTO(buffer_deinit) struct buffer all = {0};
    for (size_t i = 0; i < report->n_sources; i++)
        put_source(&report->sources[i], profiles, &own);
    /* What is joined is read by a schema of its own: posts, edges. */
    for (size_t i = 0; i < report->n_joined; i++)
        put_source(&report->joined[i], report->joined[i].schema, &own);
    if (own.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    TRY(collective_gather(group, own.at, own.length, take_part, &all, err));
    ret_files->n = all.length / sizeof(struct data_file);
    ret_files->files = ARENA_ARRAY(memory, struct data_file, ret_files->n + 1);
    if (all.failed || !ret_files->files)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (ret_files->n > 0)
        memcpy(ret_files->files, all.at, all.length);
    ret_files->n_profiles = 0;
    for (size_t i = 0; i < ret_files->n; i++)
        ret_files->n_profiles += data_file_has_profiles(&ret_files->files[i]);
    return STATUS_OK;
}
