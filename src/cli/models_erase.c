/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/models_erase.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "artifact/bundle.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/command.h"
#include "reqlog/mention.h"
#include "runtime/catalogue.h"

#define MOST_TEXT_BYTES ((size_t)1 << 30)

struct tally {
    const struct models_erase *erase;
    struct json_writer w;
    size_t n_removed, n_kept;
};

/* ---- what a bundle knows ---- */

static enum status find_catalogued(const char *dir, const char *handle, bool *ret_is_there,
                                   struct error *err)
{
    char path[PATH_MAX + 16];
    AUTO(artifact_close_slot) struct artifact *artifact = NULL;
    AUTO(catalogue_close_slot) struct catalogue *catalogue = NULL;
    uint32_t row = 0;
    snprintf(path, sizeof path, "%s/similar.blob", dir);
    TRY(artifact_open(path, &artifact, err));
    TRY(catalogue_open(artifact, &catalogue, err));
    *ret_is_there = catalogue_find(catalogue, handle, strlen(handle), &row);
    return STATUS_OK;
}

/* A text beside the blobs has the word: of accounts that the catalogue does not have, such as those
 * that the import refused, or it is another word than the handle. */
static enum status check_text(const char *dir, const char *file, const char *handle,
                              struct error *err)
{
    char path[PATH_MAX + 16];
    AUTO(free_slot) char *text = NULL;
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/%s", dir, file);
    if (!file_exists(path))
        return STATUS_OK;
    TRY(file_read(path, MOST_TEXT_BYTES, &text, &bytes, err));
    if (mention_find(text, bytes, handle))
        return fail(err, STATUS_INVALID,
                    "%s has the word, and the catalogue no such account: look at it, and give the "
                    "bundle's ID to erase it",
                    path);
    return STATUS_OK;
}

static enum status check_texts(const char *dir, const char *handle, struct error *err)
{
    static const char *const files[] = {"report.json", "card.md", "parity.json", "manifest.json"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        TRY(check_text(dir, files[i], handle, err));
    return STATUS_OK;
}

/* ---- what becomes of it ---- */

static void keep(struct tally *tally, const struct error *why)
{
    tally->n_kept++;
    command_failed("models", why);
}

static void remove_one(struct tally *tally, const char *id)
{
    const struct models_erase *erase = tally->erase;
    struct error problem = {0};
    if (bundle_remove(erase->dir, id, &problem) != STATUS_OK) {
        keep(tally, &problem);
        return;
    }
    tally->n_removed++;
    if (erase->as_json)
        json_put_string(&tally->w, id);
    else
        buffer_printf(erase->out, "%s removed\n", id);
}

static void search_one(struct tally *tally, const struct bundle_info *info)
{
    const char *handle = tally->erase->handle;
    char dir[PATH_MAX];
    struct error problem = {0};
    bool is_there = false;
    snprintf(dir, sizeof dir, "%s/%s", tally->erase->dir, info->id);
    if (find_catalogued(dir, handle, &is_there, &problem) != STATUS_OK ||
        (!is_there && check_texts(dir, handle, &problem) != STATUS_OK))
        keep(tally, &problem);
    else if (is_there)
        remove_one(tally, info->id);
}

static enum status search_all(struct tally *tally, struct error *err)
{
    AUTO(arena_deinit) struct arena arena;
    arena_init(&arena, 65536);
    struct bundle_info *infos = NULL;
    size_t n = 0;
    TRY(bundle_list(tally->erase->dir, &arena, &infos, &n, err));
    for (size_t i = 0; i < n; i++)
        search_one(tally, &infos[i]);
    return STATUS_OK;
}

static enum status remove_named(struct tally *tally, struct error *err)
{
    char dir[PATH_MAX];
    char id[BUNDLE_ID_BYTES];
    TRY(bundle_find(tally->erase->dir, tally->erase->id, dir, id, err));
    remove_one(tally, id);
    return STATUS_OK;
}

enum status models_erase_run(const struct models_erase *erase, struct error *err)
{
    struct tally tally = {.erase = erase, .w = json_writer(erase->out)};
    if (erase->as_json) {
        json_begin_object(&tally.w);
        json_put_key(&tally.w, "removed");
        json_begin_array(&tally.w);
    }
    enum status status = erase->id ? remove_named(&tally, err) : search_all(&tally, err);
    if (erase->as_json) {
        json_end_array(&tally.w);
        json_member_integer(&tally.w, "kept", (int64_t)tally.n_kept);
        json_end_object(&tally.w);
        buffer_put_char(erase->out, '\n');
    } else if (status == STATUS_OK && tally.n_removed + tally.n_kept == 0) {
        buffer_put_text(erase->out, "no bundle knows it\n");
    }
    TRY(status);
    if (tally.n_kept > 0)
        return fail(err, STATUS_INVALID, "%zu not removed", tally.n_kept);
    return STATUS_OK;
}
