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

#include "postgresql/encoding.h"
#include "postgresql/models.h"

struct column {
    int field; /* of the library, or -1: not looked at */
    bool is_text;
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

static bool set_value(struct ifl_session *session, struct column *column, Datum value)
{
    switch (column->type) {
    case INT2OID:
        return set_number(session, column->field, DatumGetInt16(value));
    case INT4OID:
        return set_number(session, column->field, DatumGetInt32(value));
    case INT8OID:
        return set_number(session, column->field, (double)DatumGetInt64(value));
    case FLOAT4OID:
        return set_number(session, column->field, (double)DatumGetFloat4(value));
    case FLOAT8OID:
        return set_number(session, column->field, DatumGetFloat8(value));
    case BOOLOID:
        return set_number(session, column->field, DatumGetBool(value) ? 1 : 0);
    case NUMERICOID:
        return set_number(session, column->field,
                          DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)));
    case DATEOID:
        return DATE_NOT_FINITE(DatumGetDateADT(value)) ||
               set_number(session, column->field, month_of(DatumGetDateADT(value)));
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ||
               set_number(session, column->field, month_of(day_of(DatumGetTimestamp(value))));
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
        return set_text(session, column->field, TextDatumGetCString(value));
    default:
        return set_text(session, column->field, OutputFunctionCall(&column->output, value));
    }
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
    Oid output;
    bool ignored;
    getTypeOutputInfo(type, &output, &ignored);
    fmgr_info_cxt(output, &column->output, map->memory);
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

/* Once a call site, and not again by each parallel worker. */
static void tell_unheard(const struct row_map *map)
{
    StringInfoData names;
    if (IsParallelWorker())
        return;
    initStringInfo(&names);
    for (int i = 0; i < map->row->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(map->row, i);
        const char *name = NameStr(attribute->attname);
        if (!attribute->attisdropped && map->columns[i].field < 0 &&
            sounds_like_field(name, attribute->atttypid))
            appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", name);
    }
    if (names.len > 0)
        ereport(NOTICE, (errmsg("influence: not looked at: %s", names.data),
                         errhint("Fields go by their own names, as influence_score's arguments. "
                                 "Name a column by AS, or use the table that influence import "
                                 "writes.")));
    pfree(names.data);
}

static struct row_map *make_map(FunctionCallInfo fcinfo, HeapTupleHeader row, uint64 identifier)
{
    int n_fields = 0;
    struct row_map *map = new_map(fcinfo, row);
    for (int i = 0; i < map->row->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(map->row, i);
        map->columns[i].field = -1;
        if (!attribute->attisdropped)
            map_column(map, i, NameStr(attribute->attname), attribute->atttypid);
        n_fields += map->columns[i].field >= 0;
    }
    if (n_fields == 0)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_COLUMN),
                 errmsg("influence: no column of the row is a field of a profile"),
                 errhint("Columns are matched by name: handle, followers, posts, avg_likes, ...; "
                         "rename others with AS.")));
    tell_unheard(map);
    map->identifier = identifier;
    fcinfo->flinfo->fn_extra = map;
    return map;
}

static struct row_map *map_of(FunctionCallInfo fcinfo, HeapTupleHeader row)
{
    struct row_map *map = fcinfo->flinfo->fn_extra;
    uint64 identifier =
        assign_record_type_identifier(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
    if (map && map->identifier == identifier)
        return map;
    fcinfo->flinfo->fn_extra = NULL;
    if (map)
        MemoryContextDelete(map->memory);
    return make_map(fcinfo, row, identifier);
}

bool record_set_row(struct ifl_session *session, FunctionCallInfo fcinfo, int argument)
{
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(argument);
    struct row_map *map = map_of(fcinfo, row);
    HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
    ItemPointerSetInvalid(&tuple.t_self);
    heap_deform_tuple(&tuple, map->row, map->values, map->nulls);
    for (int i = 0; i < map->row->natts; i++)
        if (map->columns[i].field >= 0 && !map->nulls[i] &&
            !set_value(session, &map->columns[i], map->values[i]))
            return false;
    return true;
}

/* Arguments go by their place. A function that another version of the extension made may have
 * others: what is taken for a text could be a number, and bring the server down. */
static void check_arguments(FunctionCallInfo fcinfo, int first)
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
    fcinfo->flinfo->fn_extra = fcinfo->flinfo; /* looked at: anything but NULL */
}

bool record_set_arguments(struct ifl_session *session, FunctionCallInfo fcinfo, int first)
{
    if (!fcinfo->flinfo->fn_extra)
        check_arguments(fcinfo, first);
    for (int field = 0; first + field < PG_NARGS(); field++) {
        if (PG_ARGISNULL(first + field))
            continue;
        bool set = ifl_field_is_text(field)
                       ? set_text(session, field, text_to_cstring(PG_GETARG_TEXT_PP(first + field)))
                       : set_number(session, field, PG_GETARG_FLOAT8(first + field));
        if (!set)
            return false;
    }
    return true;
}
