/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"

#include <string.h>

#include "base/json_node.h"
#include "base/text.h"

static enum status refuse(const struct json_scan *scan, const char *reason, struct error *err)
{
    return fail(err, STATUS_INVALID, "not valid JSON at byte %zu: %s", scan->at, reason);
}

static bool is_digit_at(const struct json_scan *scan)
{
    return scan->at < scan->length && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9';
}

static enum status scan_digits(struct json_scan *scan, struct error *err)
{
    if (!is_digit_at(scan))
        return refuse(scan, "a digit must follow", err);
    while (is_digit_at(scan))
        scan->at++;
    return STATUS_OK;
}

static enum status scan_number(struct json_scan *scan, struct error *err)
{
    size_t start = scan->at;
    if (scan->text[scan->at] == '-')
        scan->at++;
    bool zero = scan->at < scan->length && scan->text[scan->at] == '0';
    size_t digits = scan->at;
    TRY(scan_digits(scan, err));
    if (zero && scan->at - digits > 1)
        return refuse(scan, "a number must not start with 0", err);
    if (scan->at < scan->length && scan->text[scan->at] == '.') {
        scan->at++;
        TRY(scan_digits(scan, err));
    }
    if (scan->at < scan->length && (scan->text[scan->at] | 32) == 'e') {
        scan->at++;
        if (scan->at < scan->length && (scan->text[scan->at] == '+' || scan->text[scan->at] == '-'))
            scan->at++;
        TRY(scan_digits(scan, err));
    }
    if (scan->at - start > JSON_MAX_NUMBER_BYTES)
        return refuse(scan, "a number has more than 60 characters", err);
    return STATUS_OK;
}

static enum status scan_string(struct json_scan *scan, struct error *err)
{
    for (scan->at++; scan->at < scan->length;) {
        unsigned char c = (unsigned char)scan->text[scan->at];
        if (c == '"') {
            scan->at++;
            return STATUS_OK;
        }
        if (c < 0x20)
            return refuse(scan, "a control character in a string must be escaped", err);
        if (c == '\\') {
            if (scan->length - scan->at >= 6 && memcmp(scan->text + scan->at, "\\u0000", 6) == 0)
                return refuse(scan, "\\u0000 is not taken", err);
            scan->at += 2;
            continue;
        }
        uint32_t code;
        size_t step = text_utf8_step(scan->text + scan->at, scan->length - scan->at, &code);
        if (step == 0)
            return refuse(scan, "malformed UTF-8", err);
        scan->at += step;
    }
    scan->at = scan->length;
    return refuse(scan, "a string is not closed", err);
}

/* ---- where to cut ---- */

enum status json_cuts_init(struct json_cuts *cuts, size_t length, size_t slice_bytes,
                           struct arena *arena, struct error *err)
{
    size_t most = length / slice_bytes + 1;
    *cuts = (struct json_cuts){.slice_bytes = slice_bytes};
    cuts->at = ARENA_ARRAY(arena, size_t, most);
    cuts->arrays = ARENA_ARRAY(arena, struct json_cut_array, most);
    return cuts->at && cuts->arrays ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static void open_level(struct json_scan *scan, char c)
{
    scan->cuts->level[scan->depth] =
        (struct json_level){.open = scan->at, .from = scan->at, .is_array = c == '['};
}

/* A comma: its level may be cut here, if what came since the last cut is enough. Levels around one
 * that is cut are not. */
static void pass_comma(struct json_scan *scan)
{
    struct json_cuts *cuts = scan->cuts;
    struct json_level *level = &cuts->level[scan->depth];
    level->ordinal++;
    if (!level->is_array || level->is_barred || scan->at - level->from < cuts->slice_bytes)
        return;
    if (cuts->pending != scan->depth) {
        cuts->n_at = cuts->n_kept;
        cuts->pending = scan->depth;
        for (unsigned d = 1; d < scan->depth; d++)
            cuts->level[d].is_barred = true;
    }
    cuts->at[cuts->n_at++] = scan->at;
    level->from = scan->at;
}

static void close_level(struct json_scan *scan, char c)
{
    struct json_cuts *cuts = scan->cuts;
    const struct json_level *level = &cuts->level[scan->depth];
    if (scan->depth == 0 || level->is_array != (c == ']'))
        cuts->is_broken = true;
    if (cuts->pending != scan->depth || scan->depth == 0)
        return;
    struct json_cut_array *array = &cuts->arrays[cuts->n_arrays++];
    *array = (struct json_cut_array){.open = level->open,
                                     .close = scan->at,
                                     .first_cut = cuts->n_kept,
                                     .n_cuts = cuts->n_at - cuts->n_kept,
                                     .depth = scan->depth};
    for (unsigned d = 1; d < scan->depth; d++)
        array->path[d - 1] = cuts->level[d].ordinal;
    cuts->n_kept = cuts->n_at;
    cuts->pending = 0;
}

static enum status scan_mark(struct json_scan *scan, char c, struct error *err)
{
    if ((c == '{' || c == '[') && ++scan->depth > JSON_MAX_DEPTH)
        return fail(err, STATUS_INVALID, "not taken at byte %zu: nested deeper than %d levels",
                    scan->at, JSON_MAX_DEPTH);
    if (scan->cuts) {
        if (c == '{' || c == '[')
            open_level(scan, c);
        else if (c == ',')
            pass_comma(scan);
        else if (c == '}' || c == ']')
            close_level(scan, c);
    }
    if ((c == '}' || c == ']') && scan->depth > 0)
        scan->depth--;
    return STATUS_OK;
}

/* What cannot be whole JSON is not cut: cJSON then says what is wrong. */
static void finish_cuts(const struct json_scan *scan)
{
    if (scan->cuts && (scan->cuts->is_broken || scan->depth > 0))
        scan->cuts->n_arrays = 0;
}

enum status json_scan(struct json_scan *scan, size_t until, struct error *err)
{
    while (scan->at < scan->length) {
        char c = scan->text[scan->at];
        if (scan->at >= until)
            return STATUS_OK;
        if (c == '"') {
            TRY(scan_string(scan, err));
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            TRY(scan_number(scan, err));
        } else {
            TRY(scan_mark(scan, c, err));
            if (c != '\t' && c != '\n' && c != '\r' && c != ' ' && !strchr("{}[],:", c) &&
                !(c >= 'a' && c <= 'z'))
                return refuse(scan, "unexpected character", err);
            if (c == '\0')
                return refuse(scan, "a NUL byte", err);
            scan->at++;
        }
    }
    finish_cuts(scan);
    return STATUS_OK;
}
