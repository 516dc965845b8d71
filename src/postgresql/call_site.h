/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is found out once where a function is called, and holds for all rows of it: kept with the
 * call (fn_extra), in memory that lives as long. */
#include <postgres.h>

#include <access/tupdesc.h>
#include <fmgr.h>

struct row_map;

struct call_site {
    struct row_map *row; /* record.c's; NULL: no row was seen yet, or another type of row */
    bool is_checked;     /* the arguments are what this version of the extension takes */
    TupleDesc answer;    /* of a function that gives a row; NULL: not looked up yet */
};

static inline struct call_site *call_site(FunctionCallInfo fcinfo)
{
    FmgrInfo *function = fcinfo->flinfo;
    if (!function->fn_extra)
        function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(struct call_site));
    return function->fn_extra;
}
