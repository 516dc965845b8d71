/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "dataset/work.h"

#define SAMPLE_ROWS 4000
/* Of the cells, so many must be possible handles: where the header says so, and where it may as
 * well mean the display name. */
#define SURE_SHARE 0.6
#define CELLS_SHARE 0.9

/* What a character means in a handle; each row's is looked at three times. */
enum handle_char {
    NO_HANDLE_CHAR = 0,
    HANDLE_MARK,       /* a point, a dash */
    HANDLE_UNDERSCORE, /* may be all there is */
    HANDLE_LETTER,     /* or a digit */
};

static const unsigned char handle_chars[256] = {
    ['a' ... 'z'] = HANDLE_LETTER, ['A' ... 'Z'] = HANDLE_LETTER, ['0' ... '9'] = HANDLE_LETTER,
    ['.'] = HANDLE_MARK,           ['-'] = HANDLE_MARK,           ['_'] = HANDLE_UNDERSCORE,
};

/* An apostrophe in front is how spreadsheets keep a text from being read as a formula. */
static const char *behind_marks(const char *text)
{
    text += *text == '\'';
    return text + (*text == '@');
}

/* Behind "https://www.instagram.com/" and the like; the text itself when it is no link. */
static const char *behind_host(const char *text)
{
    static const char *const hosts[] = {"instagram.com/", "tiktok.com/", "twitter.com/",
                                        "youtube.com/", "x.com/"};
    if (!strchr(text, '/'))
        return text;
    for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++) {
        const char *host = strstr(text, hosts[i]);
        if (host)
            return host + strlen(hosts[i]);
    }
    return text;
}

size_t identity_handle(const char *cell, const char **ret_handle)
{
    const char *at = behind_host(cell);
    bool is_link = at != cell;
    at = behind_marks(at);
    size_t length = 0;
    unsigned highest = NO_HANDLE_CHAR;
    for (unsigned is; (is = handle_chars[(unsigned char)at[length]]) != NO_HANDLE_CHAR; length++)
        highest = is > highest ? is : highest;
    bool has_letter_or_digit = highest == HANDLE_LETTER;
    bool ends = at[length] == '\0' || (is_link && (at[length] == '/' || at[length] == '?'));
    if (!ends || length == 0 || length > 64 || (!has_letter_or_digit && at[0] != '_'))
        return 0;
    *ret_handle = at;
    return length;
}

const char *identity_text(const char *cell, size_t *ret_length)
{
    const char *text = behind_host(cell);
    text = behind_marks(text);
    *ret_length = strlen(text);
    if (text != cell && *ret_length > 0 && text[*ret_length - 1] == '/')
        --*ret_length;
    return text;
}

/* Share of the cells that could be handles; -1 for columns of bare numbers. */
static double handle_share(const struct work *work, size_t column)
{
    size_t step = work->n_rows / SAMPLE_ROWS + 1;
    size_t n = 0;
    size_t n_handles = 0;
    size_t n_numbers = 0;
    for (size_t row = 0; row < work->n_rows; row += step) {
        if (work_cell(work, row, column) == GRID_EMPTY)
            continue;
        const char *cell = WORK_TEXT(work, row, column);
        const char *handle;
        n++;
        n_handles += identity_handle(cell, &handle) > 0;
        n_numbers += cell[strspn(cell, "0123456789.")] == '\0';
    }
    /* One account called 433 among three is fine; a column of numbers is an index. */
    if (n_numbers > 2 && n_numbers * 2 > n)
        return -1;
    if (n == 0)
        return 0;
    return (double)n_handles / (double)n;
}

static void take(struct column *column, enum profile_text field, const char *how)
{
    column->field = &profile_fields[field];
    column->how = how;
}

void identity_settle(struct work *work)
{
    const struct profile_field *handle_field = &profile_fields[PROFILE_handle];
    const struct profile_field *name_field = &profile_fields[PROFILE_name];
    struct column *best = NULL;
    double best_share = 0;
    size_t n_candidates = 0;
    bool best_is_sure = false;
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        bool is_sure = column->match.role == SCHEMA_FIELD && column->field == handle_field;
        if (!is_sure && column->match.role != SCHEMA_IDENTITY)
            continue;
        n_candidates++;
        double share = handle_share(work, i);
        bool better =
            share >= (is_sure ? SURE_SHARE : CELLS_SHARE) &&
            (!best || is_sure > best_is_sure || (is_sure == best_is_sure && share > best_share));
        if (is_sure) {
            column->field = NULL;
            column->how = "extra";
        }
        if (!better)
            continue;
        best = column;
        best_share = share;
        best_is_sure = is_sure;
    }
    if (best)
        take(best, PROFILE_handle, best_is_sure ? best->match.how : "cells");
    for (size_t i = 0; i < work->n_columns; i++) {
        struct column *column = &work->columns[i];
        bool was_handle = column->match.role == SCHEMA_FIELD && column->match.field == handle_field;
        if (!column->field && (was_handle || column->match.role == SCHEMA_IDENTITY) &&
            !work_column(work, name_field) && handle_share(work, i) >= 0)
            take(column, PROFILE_name, "cells");
    }
    if (best && n_candidates > 1)
        events_explain(&work->events, RULE_handle_decided, best->header,
                       "of %zu columns that could hold the handle this one was taken: %.0f %% of "
                       "its cells are possible handles",
                       n_candidates, floor(100 * best_share));
}
