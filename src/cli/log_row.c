/* SPDX-License-Identifier: Apache-2.0 */

/* One of the accounts of log_rows.h: its profile and its answer, out of whichever form they came
 * in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/log_rows.h"
#include "profile/extra.h"
#include "profile/from_json.h"
#include "profile/parse.h"

struct filling {
    const struct log_rows *rows;
    struct profile *profile;
    struct profile_extra *extras;
    size_t n_values; /* that are there, besides the handle */
    bool is_bad;
};

static bool is_missing(const struct log_cell *cell)
{
    return cell->json ? json_type(cell->json) == JSON_NULL : !cell->text || !cell->text[0];
}

static bool fill_field(struct filling *filling, const struct profile_field *field,
                       const struct log_cell *cell)
{
    enum status status =
        cell->json ? profile_field_from_json(field, cell->json, filling->profile, NULL)
                   : parse_field(field, cell->text, strlen(cell->text), filling->profile, NULL);
    return status == STATUS_OK;
}

/* A column of the training table's own, or a feature that the client computed. */
static bool fill_extra(struct filling *filling, const char *name, const struct log_cell *cell)
{
    static const enum engine_model models[N_ASKED] = {ENGINE_SCORE, ENGINE_TIER, ENGINE_CLUSTER};
    const struct log_rows *rows = filling->rows;
    struct profile_extra *extra = &filling->extras[filling->profile->n_extras];
    const struct own_column *own = own_columns_find(engine_own_columns(rows->engine), name);
    if (own) {
        *extra = (struct profile_extra){.name = own->name, .number = MISSING};
        if (cell->json &&
            profile_extra_from_json(cell->json, rows->arena, extra, NULL) != STATUS_OK)
            return false;
        if (!cell->json)
            profile_extra_from_text(cell->text, extra);
    } else {
        const struct feature_spec *spec = engine_spec(rows->engine, models[rows->question]);
        size_t at = 0;
        while (spec && at < spec->n_columns && strcmp(spec->columns[at].name, name) != 0)
            at++;
        if (!rows->takes_features || !spec || at == spec->n_columns ||
            json_type(cell->json) != JSON_NUMBER)
            return true; /* the daemon passed it over as well */
        extra->name = arena_printf(rows->arena, "%c%s", FEATURE_GIVEN, name);
        extra->number = json_number_or(cell->json, NAN);
    }
    filling->n_values++;
    filling->profile->n_extras++;
    return extra->name != NULL;
}

static void fill(struct filling *filling, const char *name, const struct log_cell *cell)
{
    if (is_missing(cell))
        return;
    const struct profile_field *field = profile_field_find(name, strlen(name));
    if (!field) {
        filling->is_bad |= !fill_extra(filling, name, cell);
        return;
    }
    filling->n_values += strcmp(field->name, "handle") != 0;
    filling->is_bad |= !fill_field(filling, field, cell);
}

bool log_rows_profile(const struct log_rows *rows, size_t i, struct profile *ret_profile,
                      const char **ret_handle_alone)
{
    const struct json *object = rows->objects ? rows->objects[i] : NULL;
    size_t n = rows->objects ? json_count(object) : rows->n_columns;
    struct filling filling = {.rows = rows, .profile = ret_profile};
    filling.extras = ARENA_ARRAY(rows->arena, struct profile_extra, n + 1);
    profile_init(ret_profile);
    if (!filling.extras)
        return false;
    if (json_type(object) == JSON_OBJECT)
        for (const struct json *item = json_first(object); item; item = json_next(item))
            fill(&filling, json_key(item), &(struct log_cell){.json = item});
    for (size_t c = 0; !rows->objects && c < rows->n_columns; c++)
        fill(&filling, rows->names[c], &rows->cells[i * rows->n_columns + c]);
    ret_profile->extras = filling.extras;
    /* Of a GET the answer alone names the handle. */
    const char *answered =
        rows->answers ? json_string_or(json_get(rows->answers[i], "handle"), NULL) : NULL;
    const char *asked = ret_profile->text[PROFILE_handle];
    *ret_handle_alone = filling.n_values > 0 ? NULL : answered ? answered : asked ? asked : "";
    return !filling.is_bad;
}

struct log_answer log_rows_answer(const struct log_rows *rows, size_t i)
{
    static const char *const members[N_ASKED] = {"score", "tier", "name"};
    struct log_answer answer = {.score = NAN};
    const struct json *value = rows->values ? rows->values[i] : NULL;
    if (rows->answers) {
        answer.is_refused = json_get(rows->answers[i], "error") != NULL;
        value = json_get(rows->answers[i], members[rows->question]);
    } else if (rows->texts) {
        answer.is_refused = rows->complaints[i] && rows->complaints[i][0];
        answer.name = rows->texts[i];
        if (answer.name && answer.name[0])
            answer.score = strtod(answer.name, NULL);
        return answer;
    }
    answer.score = json_number_or(value, NAN);
    answer.name = json_string_or(value, NULL);
    return answer;
}
