/* SPDX-License-Identifier: Apache-2.0 */
#include "postgresql/statement.h"

#include <access/parallel.h>
#include <access/xact.h>
#include <executor/executor.h>
#include <utils/guc.h>
#include <utils/memutils.h>

#include <string.h>

/* A statement that has run, or runs; it lives in the memory of its execution. */
struct statement {
    EState *state;
    char version[MODELS_VERSION_BYTES];
    struct statement *next;
};

static struct statement *statements; /* of open portals: few */
static struct statement *running;    /* the one the client asked for; NULL: none */
static char *setting_of_leader;
static ExecutorRun_hook_type previous_hook;

char *statement_version(void)
{
    return running ? running->version : NULL;
}

/* The execution's memory is given back: at its end, or as its transaction is given up. */
static void forget(void *user)
{
    for (struct statement **at = &statements; *at; at = &(*at)->next)
        if (*at == user) {
            *at = (*at)->next;
            break;
        }
    if (running == user)
        running = NULL;
}

static struct statement *make_statement(EState *state)
{
    MemoryContext memory = state->es_query_cxt;
    struct statement *statement = MemoryContextAllocZero(memory, sizeof *statement);
    MemoryContextCallback *callback = MemoryContextAllocZero(memory, sizeof *callback);
    statement->state = state;
    callback->func = forget;
    callback->arg = statement;
    statement->next = statements;
    statements = statement;
    MemoryContextRegisterResetCallback(memory, callback);
    return statement;
}

static struct statement *statement_of(EState *state)
{
    for (struct statement *one = statements; one; one = one->next)
        if (one->state == state)
            return one;
    /* What a statement calls answers as the statement does, and a worker as its leader. */
    if (running)
        return running;
    struct statement *statement = make_statement(state);
    if (IsParallelWorker())
        strlcpy(statement->version, setting_of_leader, sizeof statement->version);
    return statement;
}

/* Settings are sent to workers as they start. */
static void tell_workers(struct statement *statement)
{
    if (statement->version[0] == '\0' && models_setting()[0] != '\0' &&
        !models_read_current(statement->version))
        statement->version[0] = '\0'; /* whoever needs it raises the error */
    if (strcmp(setting_of_leader, statement->version) != 0)
        SetConfigOption("influence.version_of_leader", statement->version, PGC_USERSET,
                        PGC_S_SESSION);
}

static void run(QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once)
{
    struct statement *outer = running;
    struct statement *statement = statement_of(query->estate);
    if (query->plannedstmt->parallelModeNeeded && !IsInParallelMode())
        tell_workers(statement);
    running = statement;
    PG_TRY();
    {
        if (previous_hook)
            previous_hook(query, direction, count, execute_once);
        else
            standard_ExecutorRun(query, direction, count, execute_once);
    }
    PG_FINALLY();
    {
        running = outer;
    }
    PG_END_TRY();
}

void statement_init(void)
{
    DefineCustomStringVariable(
        "influence.version_of_leader", "What a parallel worker is told by whoever started it.",
        NULL, &setting_of_leader, "", PGC_USERSET,
        GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, NULL, NULL, NULL);
    previous_hook = ExecutorRun_hook;
    ExecutorRun_hook = run;
}
