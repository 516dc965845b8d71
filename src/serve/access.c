/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/access.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"

#define MAX_FILE_BYTES ((size_t)1 << 20)

enum status access_init(struct access *access, const char *path, struct error *err)
{
    *access = (struct access){.path = path};
    pthread_rwlock_init(&access->lock, NULL);
    return access_reload(access, err);
}

void access_deinit(struct access *access)
{
    if (!access->path)
        return;
    free(access->tokens);
    pthread_rwlock_destroy(&access->lock);
}

static size_t count_lines(const char *text)
{
    size_t n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static enum status read_tokens(const char *path, const char *text, struct token *tokens,
                               size_t *ret_n, struct error *err)
{
    size_t n = 0;
    size_t line = 1;
    for (const char *at = text; *at; line++) {
        size_t length = strcspn(at, "\n");
        struct error problem = {0};
        enum status status = token_parse_line(at, length, &tokens[n], &problem);
        if (status == STATUS_OK)
            n++;
        else if (status != STATUS_NOT_FOUND)
            return fail(err, status, "access.tokens: %s:%zu: %s", path, line, problem.message);
        at += length + (at[length] == '\n');
    }
    *ret_n = n;
    return STATUS_OK;
}

static enum status read_again(struct access *access, bool may_be_empty, struct error *err)
{
    access->stamp = file_stamp(access->path);
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    TRY(file_read(access->path, MAX_FILE_BYTES, &text, &bytes, err));
    /* What a machine that went down left of a file: the lines behind would be nobody's. */
    if (strlen(text) != bytes)
        return fail(err, STATUS_INVALID, "access.tokens: %s: has a NUL at byte %zu", access->path,
                    strlen(text));
    AUTO(free_slot) struct token *tokens = calloc(count_lines(text), sizeof *tokens);
    if (!tokens)
        return fail(err, STATUS_NO_MEMORY, "access.tokens: out of memory");
    size_t n = 0;
    TRY(read_tokens(access->path, text, tokens, &n, err));
    if (n == 0 && access->n > 0 && !may_be_empty)
        return fail(err, STATUS_INVALID,
                    "access.tokens: %s: has no token any more; SIGHUP lets nobody in",
                    access->path);
    pthread_rwlock_wrlock(&access->lock);
    struct token *before = access->tokens;
    access->tokens = STEAL(tokens);
    access->n = n;
    pthread_rwlock_unlock(&access->lock);
    free(before);
    log_info("access: %zu tokens", n);
    return STATUS_OK;
}

enum status access_reload(struct access *access, struct error *err)
{
    return access_is_on(access) ? read_again(access, true, err) : STATUS_OK;
}

void access_tend(struct access *access)
{
    if (!access_is_on(access) || !file_exists(access->path))
        return;
    struct file_stamp stamp = file_stamp(access->path);
    if (file_stamp_is_same(&stamp, &access->stamp))
        return;
    struct error err;
    if (read_again(access, false, &err) != STATUS_OK)
        log_error("%s; the tokens before stay in force", err.message);
}

unsigned access_scopes(struct access *access, const char *authorization, uint64_t *ret_key)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return 0;
    const char *shown = authorization + 7;
    shown += strspn(shown, " ");
    size_t length = strnlen(shown, TOKEN_LENGTH + 1);
    if (length != TOKEN_LENGTH)
        return 0;
    uint8_t digest[SHA256_BYTES];
    hash_sha256(shown, length, digest);
    unsigned found = 0;
    pthread_rwlock_rdlock(&access->lock);
    for (size_t i = 0; i < access->n; i++)
        if (hash_equal(digest, access->tokens[i].digest, sizeof digest))
            found |= access->tokens[i].scopes;
    pthread_rwlock_unlock(&access->lock);
    if (found)
        memcpy(ret_key, digest, sizeof *ret_key);
    return found;
}
