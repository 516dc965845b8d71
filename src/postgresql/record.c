/* SPDX-License-Identifier: Apache-2.0 */
#include "postgresql/record.h"

#include <access/htup_details.h>
#include <access/parallel.h>
#include <catalog/pg_proc.h>
#include <catalog/pg_type.h>
#include <funcapi.h>
#include <lib/stringinfo.h>
#include <utils/builtins.h>
#include <utils/date.h>
#include <utils/datetime.h>
#include <utils/lsyscache.h>
#include <utils/syscache.h>
#include <utils/timestamp.h>
#include <utils/typcache.h>

#include "postgresql/call_site.h"
#include "postgresql/encoding.h"
#include "postgresql/models.h"

struct column {
    int field; /* of the library, or -1 */
    int own;   /* of the table's own that the bundle reads, or -1: as of the row at hand */
    bool is_text;
    const char *name; /* in the library's encoding; NULL: not asked for yet */
    Oid type;
    FmgrInfo output; /* of types that are read as text */
};

/* What the columns of a row type mean. ALTER TABLE changes a type under its name and its place in
 * memory: the identifier is another one then. */
struct row_map {
    MemoryContext memory; /* of all that is here */
    uint64 identifier;    /* of the type, as it was looked at */
    TupleDesc row;        /* owns */
    Datum *values;
    bool *nulls;
    struct column columns[FLEXIBLE_ARRAY_MEMBER];
};

/* False: not a value that can be, and that is to give NULL. */
static bool accept(enum ifl_status status, const struct ifl_error *err)
{
    if (status == IFL_OK)
        return true;
    if (status == IFL_INVALID && models_invalid_as_null())
        return false;
    models_fail(status, err);
}

static bool set_number(struct ifl_session *session, int field, double value)
{
    struct ifl_error err;
    return accept(ifl_set_number(session, field, value, &err), &err);
}

/* Takes `text` from PostgreSQL's memory, where it stays until the call ends. */
static bool set_text(struct ifl_session *session, int field, const char *text)
{
    struct ifl_error err;
    return accept(ifl_set(session, ifl_field_name(field), encoding_in(text), &err), &err);
}

/* ---- one value ---- */

/* Before 2000 they are negative: downwards, not towards zero. */
static int64 day_of(Timestamp time)
{
    return time / USECS_PER_DAY - (time % USECS_PER_DAY < 0);
}

/* A day as the library counts months: 12 * year + month - 1. */
static double month_of(int64 day)
{
    int year;
    int month;
    int ignored;
    j2date((int)day + POSTGRES_EPOCH_JDATE, &year, &month, &ignored);
    return 12.0 * year + month - 1;
}

/* False: no number of the types that are read as one. */
static bool number_of(Oid type, Datum value, double *ret)
{
    switch (type) {
    case INT2OID:
        *ret = DatumGetInt16(value);
        return true;
    case INT4OID:
        *ret = DatumGetInt32(value);
        return true;
    case INT8OID:
        *ret = (double)DatumGetInt64(value);
        return true;
    case FLOAT4OID:
        *ret = (double)DatumGetFloat4(value);
        return true;
    case FLOAT8OID:
        *ret = DatumGetFloat8(value);
        return true;
    case BOOLOID:
        *ret = DatumGetBool(value) ? 1 : 0;
        return true;
    case NUMERICOID:
        *ret = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
        return true;
    default:
        return false;
    }
}

static const char *text_of(struct column *column, Datum value)
{
    switch (column->type) {
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
        return TextDatumGetCString(value);
    default:
        return OutputFunctionCall(&column->output, value);
    }
}

static bool set_field(struct ifl_session *session, struct column *column, Datum value)
{
    double number;
    if (number_of(column->type, value, &number))
        return set_number(session, column->field, number);
    switch (column->type) {
    case DATEOID:
        return DATE_NOT_FINITE(DatumGetDateADT(value)) ||
               set_number(session, column->field, month_of(DatumGetDateADT(value)));
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ||
               set_number(session, column->field, month_of(day_of(DatumGetTimestamp(value))));
    default:
        return set_text(session, column->field, text_of(column, value));
    }
}

/* As it would have come to the training: a number, or a text, whatever the column was there. */
static bool set_own(struct ifl_session *session, struct column *column, Datum value)
{
    struct ifl_error err;
    double number;
    if (number_of(column->type, value, &number))
        return accept(ifl_set_column_number(session, column->own, number, &err), &err);
    const char *text = encoding_in(text_of(column, value));
    return accept(ifl_set_column(session, column->own, text, &err), &err);
}

static bool set_value(struct ifl_session *session, struct column *column, Datum value)
{
    return column->field >= 0 ? set_field(session, column, value) : set_own(session, column, value);
}

/* Texts take only texts: a number in a column named country is no country. */
static bool is_text_type(Oid type)
{
    char category;
    bool ignored;
    get_type_category_preferred(type, &category, &ignored);
    return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM ||
           category == TYPCATEGORY_UNKNOWN;
}

/* ---- a row ---- */

/* `influence import` writes a rate as "engagement_rate (fraction)": in the field's own unit. */
static int field_of_column(const char *name)
{
    static const char unit[] = " (fraction)";
    char plain[NAMEDATALEN];
    size_t length = strlen(name);
    strlcpy(plain, name, sizeof plain);
    if (length > sizeof unit - 1 && strcmp(name + length - (sizeof unit - 1), unit) == 0)
        plain[length - (sizeof unit - 1)] = '\0';
    return ifl_field_find(plain);
}

static void prepare_output(struct row_map *map, struct column *column, Oid type)
{
    Oid output;
    bool ignored;
    getTypeOutputInfo(type, &output, &ignored);
    fmgr_info_cxt(output, &column->output, map->memory);
}

static void map_column(struct row_map *map, int i, const char *name, Oid type)
{
    struct column *column = &map->columns[i];
    column->field = field_of_column(name);
    column->type = getBaseType(type);
    if (column->field < 0)
        return;
    column->is_text = ifl_field_is_text(column->field);
    if (column->is_text && !is_text_type(column->type))
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("influence: column \"%s\" must be a text, not %s", name,
                               format_type_be(type))));
    prepare_output(map, column, type);
}

static struct row_map *new_map(FunctionCallInfo fcinfo, HeapTupleHeader row)
{
    MemoryContext memory =
        AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "influence row", ALLOCSET_SMALL_SIZES);
    TupleDesc columns =
        lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    Size n = (Size)columns->natts;
    struct row_map *map = MemoryContextAllocZero(memory, offsetof(struct row_map, columns) +
                                                             n * sizeof(struct column));
    MemoryContext before = MemoryContextSwitchTo(memory);
    map->row = CreateTupleDescCopy(columns);
    MemoryContextSwitchTo(before);
    ReleaseTupleDesc(columns);
    map->memory = memory;
    map->values = MemoryContextAlloc(memory, n * sizeof(Datum));
    map->nulls = MemoryContextAlloc(memory, n * sizeof(bool));
    return map;
}

/* One of the table's own that the session's bundle reads, which is another's from row to row where
 * versions are named. */
static bool find_own(struct row_map *map, int i, struct ifl_session *session)
{
    struct column *column = &map->columns[i];
    column->own = -1;
    if (column->field >= 0 || ifl_column_count(session) == 0)
        return false;
    Form_pg_attribute attribute = TupleDescAttr(map->row, i);
    if (!column->name)
        column->name = MemoryContextStrdup(map->memory, encoding_in(NameStr(attribute->attname)));
    column->own = ifl_column_find(session, column->name);
    if (column->own >= 0 && !OidIsValid(column->output.fn_oid))
        prepare_output(map, column, attribute->atttypid);
    return column->own >= 0;
}

/* A number whose name says that it may be meant for a field, by which it is not known here. */
static bool sounds_like_field(const char *name, Oid type)
{
    static const char *const words[] = {"follow",  "subscriber", "fans", "like",
                                        "comment", "view",       "post", "engagement"};
    static const char key[] = "_id";
    char category;
    bool ignored;
    size_t length = strlen(name);
    get_type_category_preferred(getBaseType(type), &category, &ignored);
    if (category != TYPCATEGORY_NUMERIC ||
        (length >= sizeof key - 1 && strcasecmp(name + length - (sizeof key - 1), key) == 0))
        return false;
    for (size_t i = 0; i < lengthof(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

static void add_name(StringInfo names, const char *name)
{
    appendStringInfo(names, "%s\"%s\"", names->len > 0 ? ", " : "", name);
}

static void tell_unheard(const struct row_map *map)
{
    StringInfoData names;
    initStringInfo(&names);
    for (int i = 0; i < map->row->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(map->row, i);
        const char *name = NameStr(attribute->attname);
        if (!attribute->attisdropped && map->columns[i].field < 0 && map->columns[i].own < 0 &&
            sounds_like_field(name, attribute->atttypid))
            add_name(&names, name);
    }
    if (names.len > 0)
        ereport(NOTICE, (errmsg("influence: not looked at: %s", names.data),
                         errhint("Fields go by their own names, as influence_score's arguments. "
                                 "Name a column by AS, or use the table that influence import "
                                 "writes.")));
    pfree(names.data);
}

/* map: NULL of arguments, which bring none. */
static void tell_lacking(struct ifl_session *session, const struct row_map *map)
{
    StringInfoData names;
    initStringInfo(&names);
    for (int own = 0; own < (int)ifl_column_count(session); own++) {
        int i = 0;
        while (map && i < map->row->natts && map->columns[i].own != own)
            i++;
        if (!map || i == map->row->natts)
            add_name(&names, encoding_plain(ifl_column_name(session, own)));
    }
    if (names.len > 0)
        ereport(NOTICE, (errmsg("influence: counted as missing: %s", names.data),
                         errhint("The models of this bundle read these columns of the table that "
                                 "they were trained on. A row brings them by these names.")));
    pfree(names.data);
}

/* By HTTP a handle alone stands for the catalogued account; here it never did, and a score that is
 * the same for everybody looks like one that is somebody's. */
static void tell_no_figures(void)
{
    ereport(NOTICE, (errmsg("influence: nothing but a name is given: all figures count as missing"),
                     errhint("A handle is not looked up: give the row of the account, or its "
                             "figures. influence_similar(handle) looks it up.")));
}

/* Fields that say who it is, and nothing that a model reads. */
static bool is_name(int field)
{
    return field == ifl_field_find("handle") || field == ifl_field_find("name");
}

static struct row_map *make_map(FunctionCallInfo fcinfo, HeapTupleHeader row, uint64 identifier,
                                struct ifl_session *session)
{
    int n_known = 0;
    int n_names = 0;
    struct row_map *map = new_map(fcinfo, row);
    for (int i = 0; i < map->row->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(map->row, i);
        map->columns[i].field = -1;
        map->columns[i].own = -1;
        if (attribute->attisdropped)
            continue;
        map_column(map, i, NameStr(attribute->attname), attribute->atttypid);
        n_known += map->columns[i].field >= 0 || find_own(map, i, session);
        n_names += is_name(map->columns[i].field);
    }
    if (n_known == 0)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_COLUMN),
                 errmsg("influence: no column of the row is a field of a profile"),
                 errhint("Columns are matched by name: handle, followers, posts, avg_likes, ...; "
                         "rename others with AS.")));
    if (!IsParallelWorker()) { /* once a call site, and not again by each of them */
        tell_unheard(map);
        tell_lacking(session, map);
        if (n_names == n_known)
            tell_no_figures();
    }
    map->identifier = identifier;
    return map;
}

static struct row_map *map_of(FunctionCallInfo fcinfo, HeapTupleHeader row,
                              struct ifl_session *session)
{
    struct call_site *site = call_site(fcinfo);
    uint64 identifier =
        assign_record_type_identifier(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    if (site->row && site->row->identifier == identifier)
        return site->row;
    if (site->row)
        MemoryContextDelete(site->row->memory);
    site->row = NULL; /* also when making the next one raises an error */
    return site->row = make_map(fcinfo, row, identifier, session);
}

bool record_set_row(struct ifl_session *session, FunctionCallInfo fcinfo, int argument)
{
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(argument);
    struct row_map *map = map_of(fcinfo, row, session);
    HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
    ItemPointerSetInvalid(&tuple.t_self);
    heap_deform_tuple(&tuple, map->row, map->values, map->nulls);
    for (int i = 0; i < map->row->natts; i++)
        if (!map->nulls[i] && (map->columns[i].field >= 0 || find_own(map, i, session)) &&
            !set_value(session, &map->columns[i], map->values[i]))
            return false;
    return true;
}

/* Arguments go by their place. A function that another version of the extension made may have
 * others: what is taken for a text could be a number, and bring the server down. */
static void check_arguments(FunctionCallInfo fcinfo, int first, struct ifl_session *session)
{
    Oid *types;
    char **names = NULL;
    char *modes;
    int n_fields = (int)ifl_field_count();
    HeapTuple function = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
    bool fits = HeapTupleIsValid(function) && PG_NARGS() - first == n_fields &&
                get_func_arg_info(function, &types, &names, &modes) >= PG_NARGS() && names;
    for (int field = 0; fits && field < n_fields; field++)
        fits = strcmp(names[first + field], ifl_field_name(field)) == 0 &&
               types[first + field] == (Oid)(ifl_field_is_text(field) ? TEXTOID : FLOAT8OID);
    if (HeapTupleIsValid(function))
        ReleaseSysCache(function);
    if (!fits)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("influence: this function was made by another version of the extension"),
                 errhint("DROP EXTENSION influence CASCADE; CREATE EXTENSION influence;")));
    if (!IsParallelWorker())
        tell_lacking(session, NULL);
}

bool record_set_arguments(struct ifl_session *session, FunctionCallInfo fcinfo, int first)
{
    struct call_site *site = call_site(fcinfo);
    bool is_first = !site->is_checked;
    int n_figures = 0;
    if (is_first)
        check_arguments(fcinfo, first, session);
    site->is_checked = true;
    for (int field = 0; first + field < PG_NARGS(); field++) {
        if (PG_ARGISNULL(first + field))
            continue;
        n_figures += is_first && !is_name(field);
        bool set = ifl_field_is_text(field)
                       ? set_text(session, field, text_to_cstring(PG_GETARG_TEXT_PP(first + field)))
                       : set_number(session, field, PG_GETARG_FLOAT8(first + field));
        if (!set)
            return false;
    }
    if (is_first && n_figures == 0 && !IsParallelWorker())
        tell_no_figures();
    return true;
}
