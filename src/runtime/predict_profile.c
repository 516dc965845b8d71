/* SPDX-License-Identifier: Apache-2.0 */

/* The public interface's profile: fields, and columns of the table's own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "profile/extra.h"
#include "profile/parse.h"
#include "runtime/predict_session.h"

size_t ifl_field_count(void)
{
    return PROFILE_N_FIELDS;
}

const char *ifl_field_name(int field)
{
    return field >= 0 && (size_t)field < PROFILE_N_FIELDS ? profile_fields[field].name : NULL;
}

int ifl_field_find(const char *name)
{
    const struct profile_field *field = profile_field_find(name, strlen(name));
    return field ? (int)(field - profile_fields) : -1;
}

int ifl_field_is_text(int field)
{
    return ifl_field_name(field) && profile_fields[field].kind == PROFILE_TEXT;
}

/* Takes `text`, which the value may borrow. */
static void put_column(struct ifl_session *session, size_t column,
                       const struct profile_extra *value, char *text)
{
    free(session->own_texts[column]);
    session->own_texts[column] = text;
    session->own[column].number = value->number;
    session->own[column].text = value->text;
}

void ifl_clear(struct ifl_session *session)
{
    for (size_t i = 0; i < PROFILE_N_TEXTS; i++) {
        free(session->texts[i]);
        session->texts[i] = NULL;
    }
    profile_init(&session->profile);
    for (size_t i = 0; i < session->n_own; i++)
        put_column(session, i, &(struct profile_extra){.number = MISSING}, NULL);
    session->profile.extras = session->own;
    session->profile.n_extras = session->n_own;
}

/* ---- columns of the table's own ---- */

size_t ifl_column_count(const struct ifl_session *session)
{
    return session->n_own;
}

const char *ifl_column_name(const struct ifl_session *session, int column)
{
    return column >= 0 && (size_t)column < session->n_own ? session->own[column].name : NULL;
}

int ifl_column_find(const struct ifl_session *session, const char *name)
{
    for (size_t i = 0; i < session->n_own; i++)
        if (strcmp(session->own[i].name, name) == 0)
            return (int)i;
    return -1;
}

int ifl_column_is_text(const struct ifl_session *session, int column)
{
    return ifl_column_name(session, column) &&
           engine_own_columns(session->engine)->columns[column].is_text;
}

static enum status set_column(struct ifl_session *session, int column, const char *text,
                              double value, struct error *err)
{
    struct profile_extra extra = {.number = value};
    char number[TEXT_NUMBER_BYTES];
    if (!ifl_column_name(session, column))
        return fail(err, STATUS_INVALID, "column %d: there is none of that number", column);
    if (isinf(value))
        return fail_field(err, STATUS_INVALID, session->own[column].name, "must be finite");
    if (!text && !isnan(value)) {
        text_format_number(value, number);
        text = number;
    }
    AUTO(free_slot) char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", session->own[column].name);
    if (copy && isnan(value))
        profile_extra_from_text(copy, &extra);
    else
        extra.text = copy;
    put_column(session, (size_t)column, &extra, STEAL(copy));
    return STATUS_OK;
}

enum ifl_status ifl_set_column(struct ifl_session *session, int column, const char *text,
                               struct ifl_error *err)
{
    struct error error = {0};
    return predict_give(set_column(session, column, text, MISSING, &error), &error, err);
}

enum ifl_status ifl_set_column_number(struct ifl_session *session, int column, double value,
                                      struct ifl_error *err)
{
    struct error error = {0};
    return predict_give(set_column(session, column, NULL, value, &error), &error, err);
}

static enum status set_number(struct ifl_session *session, int field, double value,
                              struct error *err)
{
    if (!ifl_field_name(field))
        return fail(err, STATUS_INVALID, "field %d: there is none of that number", field);
    const struct profile_field *known = &profile_fields[field];
    if (known->kind == PROFILE_TEXT)
        return fail_field(err, STATUS_INVALID, known->name, "is a text");
    TRY(profile_check_number(known, value, err));
    session->profile.number[known->index] = value;
    return STATUS_OK;
}

enum ifl_status ifl_set_number(struct ifl_session *session, int field, double value,
                               struct ifl_error *err)
{
    struct error error = {0};
    return predict_give(set_number(session, field, value, &error), &error, err);
}

static enum status set_text(struct ifl_session *session, const char *name, const char *text,
                            struct error *err)
{
    const struct profile_field *field = profile_field_find(name, strlen(name));
    if (!field && ifl_column_find(session, name) >= 0)
        return set_column(session, ifl_column_find(session, name), text, MISSING, err);
    if (!field)
        return fail(err, STATUS_INVALID, "'%s' is no field of a profile", name);
    AUTO(free_slot) char *copy = strdup(text);
    if (!copy)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    /* On a copy of the profile: what is refused changes nothing. */
    struct profile changed = session->profile;
    if (field->kind == PROFILE_TEXT)
        changed.text[field->index] = NULL;
    else
        changed.number[field->index] = MISSING;
    size_t length = strlen(copy);
    while (length > 0 && copy[length - 1] == ' ')
        copy[--length] = '\0';
    TRY(parse_field(field, copy, length, &changed, err));
    TRY(profile_check(&changed, err));
    session->profile = changed;
    if (field->kind == PROFILE_TEXT) {
        free(session->texts[field->index]);
        session->texts[field->index] = STEAL(copy);
    }
    return STATUS_OK;
}

enum ifl_status ifl_set(struct ifl_session *session, const char *name, const char *text,
                        struct ifl_error *err)
{
    struct error error = {0};
    return predict_give(set_text(session, name, text, &error), &error, err);
}

/* The catalogue's into the session's own, which may be changed. */
static void take_columns(struct ifl_session *session)
{
    for (size_t i = 0; i < session->profile.n_extras; i++) {
        const struct profile_extra *extra = &session->profile.extras[i];
        int column = ifl_column_find(session, extra->name);
        if (column >= 0)
            put_column(session, (size_t)column, extra, NULL);
    }
    session->profile.extras = session->own;
    session->profile.n_extras = session->n_own;
}

enum ifl_status ifl_set_handle(struct ifl_session *session, const char *handle,
                               struct ifl_error *err)
{
    struct error error = {0};
    const struct catalogue *catalogue = engine_catalogue(session->engine);
    uint32_t row;
    if (!catalogue_find(catalogue, handle, strlen(handle), &row))
        return predict_give(
            fail_field(&error, STATUS_NOT_FOUND, "handle", "'%s' is not in the catalogue", handle),
            &error, err);
    ifl_clear(session);
    catalogue_profile(catalogue, row, &session->profile); /* its texts live as long as the engine */
    take_columns(session);
    return IFL_OK;
}
