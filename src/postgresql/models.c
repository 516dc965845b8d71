/* SPDX-License-Identifier: Apache-2.0 */
#include "postgresql/models.h"

#include <access/xact.h>
#include <storage/fd.h>
#include <utils/guc.h>
#include <utils/timestamp.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "postgresql/encoding.h"
#include "postgresql/statement.h"

#define MAX_OPEN 4 /* versions that a backend keeps open */

struct open_model {
    char path[MAXPGPATH];
    struct ifl_engine *engine; /* owns; NULL: free */
    struct ifl_session *session;
    uint64 used; /* the clock of the last use */
};

/* A backend is one thread and one process; these are its own. */
static char *setting_models;
static char *setting_version;
static bool setting_invalid_as_null;
static struct open_model open_models[MAX_OPEN];
static uint64 use_clock;
static char current_version[MODELS_VERSION_BYTES];
static char current_models[MAXPGPATH]; /* the setting then */
static TimestampTz current_since;      /* the statement that current_version was read in */

void models_init(void)
{
    DefineCustomStringVariable("influence.models",
                               "The models directory, as `influence train` writes it.", NULL,
                               &setting_models, "", PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomStringVariable("influence.version",
                               "The bundle that answers; empty: the current one of the directory.",
                               NULL, &setting_version, "", PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("influence.invalid_as_null",
                             "Whether a value out of its range gives NULL instead of an error.",
                             NULL, &setting_invalid_as_null, false, PGC_USERSET, 0, NULL, NULL,
                             NULL);
    statement_init();
    MarkGUCPrefixReserved("influence");
}

bool models_invalid_as_null(void)
{
    return setting_invalid_as_null;
}

void models_fail(enum ifl_status status, const struct ifl_error *err)
{
    static const int codes[] = {
        [IFL_INVALID] = ERRCODE_INVALID_PARAMETER_VALUE,
        [IFL_NOT_FOUND] = ERRCODE_UNDEFINED_OBJECT,
        [IFL_UNSUPPORTED] = ERRCODE_FEATURE_NOT_SUPPORTED,
        [IFL_CORRUPT] = ERRCODE_DATA_CORRUPTED,
        [IFL_NO_MEMORY] = ERRCODE_OUT_OF_MEMORY,
        [IFL_FAILED] = ERRCODE_IO_ERROR,
    };
    ereport(ERROR, (errcode(codes[status]), errmsg("influence: %s", encoding_plain(err->message))));
}

/* "20260131T123456Z-0123456789abcdef" and nothing else: what is named so never changes, which
 * `current` does. */
static bool is_version(const char *text)
{
    static const char form[] = "ddddddddTddddddZ-xxxxxxxxxxxxxxxx";
    size_t i;
    for (i = 0; form[i]; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        bool is_hex = is_digit || (text[i] >= 'a' && text[i] <= 'f');
        if (form[i] == 'd' ? !is_digit : form[i] == 'x' ? !is_hex : text[i] != form[i])
            return false;
    }
    return text[i] == '\0';
}

static void check_version(const char *version)
{
    if (!is_version(version))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("influence: '%s' is no version of a model", version),
                        errhint("SELECT influence_model() tells the one in use.")));
}

static void check_models(void)
{
    if (setting_models[0] == '\0')
        ereport(ERROR,
                (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("influence.models is not set"),
                 errhint("ALTER DATABASE ... SET influence.models = '/path/to/models'; and connect "
                         "again.")));
}

bool models_read_current(char ret_version[static MODELS_VERSION_BYTES])
{
    char path[MAXPGPATH];
    char target[PATH_MAX] = "";
    snprintf(path, sizeof path, "%s/current", setting_models);
    if (readlink(path, target, sizeof target - 1) < 0)
        return false;
    size_t length = strlen(target);
    while (length > 1 && target[length - 1] == '/')
        target[--length] = '\0';
    const char *slash = strrchr(target, '/');
    strlcpy(ret_version, slash ? slash + 1 : target, MODELS_VERSION_BYTES);
    return is_version(ret_version);
}

const char *models_setting(void)
{
    return setting_models;
}

/* Which version `current` points to, into `version` unless it is there already. */
static const char *current_into(char version[static MODELS_VERSION_BYTES])
{
    if (version[0] != '\0')
        return version;
    char found[MODELS_VERSION_BYTES] = "";
    errno = 0;
    if (!models_read_current(found)) {
        if (errno == 0)
            check_version(found);
        ereport(
            ERROR,
            (errcode_for_file_access(),
             errmsg("influence: no current model at \"%s/current\": %m", setting_models),
             errhint("influence train writes one; the server's user must be able to read it.")));
    }
    strlcpy(version, found, MODELS_VERSION_BYTES);
    return version;
}

/* Looked at once a statement, so that all its rows are answered by one model. */
static const char *read_current(void)
{
    char *of_statement = statement_version();
    if (of_statement)
        return current_into(of_statement);
    /* Outside the executor: expressions of PL/pgSQL, of utility commands. */
    TimestampTz now = GetCurrentStatementStartTimestamp();
    if (current_since != now || strcmp(current_models, setting_models) != 0)
        current_version[0] = '\0';
    strlcpy(current_models, setting_models, sizeof current_models);
    current_since = now;
    return current_into(current_version);
}

const char *models_version(void)
{
    check_models();
    if (setting_version[0] == '\0')
        return read_current();
    check_version(setting_version);
    return setting_version;
}

static void close_model(struct open_model *model)
{
    ifl_session_free(model->session);
    ifl_engine_close(model->engine);
    memset(model, 0, sizeof *model);
}

/* The place of a path: its own, a free one, or the one that was not used for longest. */
static struct open_model *place_of(const char *path)
{
    struct open_model *oldest = &open_models[0];
    for (int i = 0; i < MAX_OPEN; i++) {
        if (open_models[i].engine && strcmp(open_models[i].path, path) == 0)
            return &open_models[i];
        if (open_models[i].used < oldest->used)
            oldest = &open_models[i];
    }
    if (oldest->engine)
        close_model(oldest);
    return oldest;
}

static void open_model(struct open_model *model, const char *path)
{
    struct ifl_error err = {0};
    enum ifl_status status = ifl_engine_open(path, &model->engine, &err);
    if (status == IFL_OK)
        status = ifl_session_new(model->engine, &model->session, &err);
    if (status != IFL_OK) {
        close_model(model);
        models_fail(status, &err);
    }
    strlcpy(model->path, path, sizeof model->path);
}

struct ifl_session *models_session_of(const char *version)
{
    char path[MAXPGPATH];
    check_models();
    check_version(version);
    snprintf(path, sizeof path, "%s/%s", setting_models, version);
    struct open_model *model = place_of(path);
    if (!model->engine)
        open_model(model, path);
    model->used = ++use_clock;
    ifl_clear(model->session);
    return model->session;
}

struct ifl_session *models_session(void)
{
    return models_session_of(models_version());
}
