/* SPDX-License-Identifier: Apache-2.0 */
#include "reqlog/key.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

static enum status key_path(const char *log_path, char ret_path[static PATH_MAX], struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s.key", log_path);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "request log: %s: path is too long", log_path);
    return STATUS_OK;
}

/* Beside, then renamed: a key that was cut off would keep the daemon from starting. */
static enum status save(const struct key *key, const char *path, struct error *err)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof beside)
        return fail(err, STATUS_INVALID, "request log: %s: path is too long", path);
    AUTO(close_slot) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(err, "request log: %s", beside);
    if (write(fd, key->bytes[key->current], KEY_BYTES) != KEY_BYTES || fsync(fd) != 0 ||
        rename(beside, path) != 0) {
        enum status status = fail_errno(err, "request log: %s", beside);
        unlink(beside);
        return status;
    }
    return STATUS_OK;
}

enum status key_make(struct key *key, struct error *err)
{
    unsigned next = 1 - atomic_load_explicit(&key->current, memory_order_relaxed);
    if (getrandom(key->bytes[next], KEY_BYTES, 0) != KEY_BYTES)
        return fail_errno(err, "request log: getrandom");
    atomic_store_explicit(&key->current, next, memory_order_release);
    key->born_us = clock_utc_us();
    return STATUS_OK;
}

/* A new key takes effect, also when it cannot be saved yet. */
static enum status renew(struct key *key, const char *path, struct error *err)
{
    TRY(key_make(key, err));
    struct error problem = {0};
    key->is_unsaved = save(key, path, &problem) != STATUS_OK;
    if (key->is_unsaved)
        log_warning("%s; the key lives in memory until the disk takes it", problem.message);
    return STATUS_OK;
}

static enum status read_file(struct key *key, const char *path, struct error *err)
{
    AUTO(free_slot) char *text = NULL;
    size_t bytes = 0;
    struct stat info;
    TRY(file_read(path, KEY_BYTES, &text, &bytes, err));
    if (bytes != KEY_BYTES)
        return fail(err, STATUS_CORRUPT, "%s: must hold %d bytes, has %zu", path, KEY_BYTES, bytes);
    if (stat(path, &info) != 0)
        return fail_errno(err, "%s", path);
    memcpy(key->bytes[0], text, KEY_BYTES);
    key->born_us = (int64_t)info.st_mtim.tv_sec * 1000000;
    return STATUS_OK;
}

/* Such a file is replaced when the log is opened. */
static bool is_no_key(enum status status)
{
    return status == STATUS_CORRUPT || status == STATUS_LIMIT;
}

enum status key_load(struct key *key, const char *path, struct error *err)
{
    char file[PATH_MAX];
    TRY(key_path(path, file, err));
    enum status status = file_exists(file) ? read_file(key, file, err) : STATUS_NOT_FOUND;
    if (is_no_key(status))
        log_warning("%s: is no key; a new one takes its place, hashes of before are nobody's",
                    file);
    else if (status != STATUS_NOT_FOUND)
        return status;
    return renew(key, file, err);
}

bool key_exists(const char *path)
{
    char file[PATH_MAX];
    return key_path(path, file, NULL) == STATUS_OK && file_exists(file);
}

void key_tend(struct key *key, const char *path, int64_t max_age_us)
{
    char file[PATH_MAX];
    struct error err = {0};
    if (key_path(path, file, NULL) != STATUS_OK)
        return;
    if (max_age_us > 0 && clock_utc_us() - key->born_us > max_age_us) {
        if (renew(key, file, &err) == STATUS_OK)
            log_info("request log: a new key; hashes of before are nobody's any more");
        else
            log_warning("%s", err.message);
    } else if (key->is_unsaved && save(key, file, NULL) == STATUS_OK) {
        key->is_unsaved = false;
    }
}

void key_hash(const struct key *key, const char *text, size_t length,
              char ret_hex[static KEY_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    unsigned current = atomic_load_explicit(&key->current, memory_order_acquire);
    hash_hmac_sha256(key->bytes[current], KEY_BYTES, text, length, digest);
    hash_hex(digest, (KEY_HEX_BYTES - 1) / 2, ret_hex);
}

void key_hash_handle(const struct key *key, const char *handle, size_t length,
                     char ret_text[static KEY_HANDLE_BYTES])
{
    char folded[256];
    if (length > 0 && handle[0] == '@') {
        handle++;
        length--;
    }
    if (length > sizeof folded)
        length = sizeof folded;
    for (size_t i = 0; i < length; i++)
        folded[i] =
            handle[i] >= 'A' && handle[i] <= 'Z' ? (char)(handle[i] + ('a' - 'A')) : handle[i];
    ret_text[0] = '#';
    key_hash(key, folded, length, ret_text + 1);
}

enum status key_find_handle(const char *path, const char *handle,
                            char ret_text[static KEY_HANDLE_BYTES], struct error *err)
{
    char file[PATH_MAX];
    struct key key = {0};
    TRY(key_path(path, file, err));
    enum status status = read_file(&key, file, err);
    ret_text[0] = '\0';
    if (status == STATUS_NOT_FOUND || is_no_key(status))
        return STATUS_OK;
    TRY(status);
    key_hash_handle(&key, handle, strlen(handle), ret_text);
    return STATUS_OK;
}
