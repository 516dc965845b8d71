/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/fetch_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define BLOCK_BYTES 65536
#define HEAD_BYTES 4096
#define MAX_DEPTH 16
#define MAX_PART_BYTES 255
#define RATIO_FREE_BYTES (16u << 20) /* what any archive may become, whatever its ratio */

struct unpacker {
    const struct unpack_request *request;
    const char *shown;
    struct archive *archive; /* owns */
    uint64_t most;           /* bytes that may come out of this archive */
    uint64_t n_bytes;        /* that came out */
    size_t n_entries;
    size_t n_files;
};

enum status unpack_check_name(const char *name, struct error *err)
{
    if (!*name || *name == '/')
        return fail(err, STATUS_INVALID, "'%s': is no relative path", name);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\' || *c == ':')
            return fail(err, STATUS_INVALID,
                        "the path has a backslash, a colon or a control character");
    if (!text_is_utf8(name, strlen(name)))
        return fail(err, STATUS_INVALID, "the path is not UTF-8");
    size_t depth = 0;
    for (const char *part = name; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && memcmp(part, "..", 2) == 0)
            return fail(err, STATUS_INVALID, "'%s': the path climbs out of the folder", name);
        if (length > MAX_PART_BYTES || ++depth > MAX_DEPTH)
            return fail(err, STATUS_INVALID, "'%.64s...': the path is too long or too deep", name);
        part += length;
        part += strspn(part, "/");
    }
    return STATUS_OK;
}

/* Names that we write ourselves, beside the files. */
static bool is_reserved(const char *name)
{
    return strcasecmp(name, "SHA256SUMS") == 0 || strcasecmp(name, "source.json") == 0;
}

static enum status check_cancel(const struct unpacker *u, struct error *err)
{
    if (u->request->cancel && *u->request->cancel)
        return fail(err, STATUS_CANCELLED, "%s: stopped", u->shown);
    return STATUS_OK;
}

static enum status damaged(const struct unpacker *u, struct error *err)
{
    const char *reason = archive_error_string(u->archive);
    return fail(err, STATUS_INVALID, "%s: the archive is damaged: %s", u->shown,
                reason ? reason : "unknown reason");
}

static enum status count_bytes(struct unpacker *u, uint64_t n, struct error *err)
{
    u->n_bytes += n;
    if (u->n_bytes > u->most)
        return fail(err, STATUS_LIMIT,
                    "%s: unpacks to more than %" PRIu64 " bytes, the most that is taken for an "
                    "archive of this size",
                    u->shown, u->most);
    return STATUS_OK;
}

static enum status copy_data(struct unpacker *u, int fd, const char *path, struct error *err)
{
    AUTO(free_slot) char *block = malloc(BLOCK_BYTES);
    if (!block)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", u->shown);
    for (;;) {
        TRY(check_cancel(u, err));
        la_ssize_t n = archive_read_data(u->archive, block, BLOCK_BYTES);
        if (n == 0)
            break;
        /* A warning is about a checksum or a length: no value may be believed then. */
        if (n < 0)
            return damaged(u, err);
        TRY(count_bytes(u, (uint64_t)n, err));
        TRY(file_write_all(fd, path, block, (size_t)n, err));
    }
    if (fsync(fd) != 0)
        return fail_errno(err, "%s: cannot sync", path);
    return STATUS_OK;
}

static enum status join(const char *dir, const char *name, char ret_path[static PATH_MAX],
                        struct error *err)
{
    int length = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= PATH_MAX)
        return fail(err, STATUS_INVALID, "%s: path is too long", dir);
    return STATUS_OK;
}

/* The folders that a file stands in. */
static enum status make_parents(const char *path, struct error *err)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash)
        return STATUS_OK;
    *slash = '\0';
    return file_make_directories(parent, err);
}

static enum status unpack_file(struct unpacker *u, const char *name, struct error *err)
{
    if (is_reserved(name))
        return fail(err, STATUS_INVALID, "%s: '%s' is a name we need for ourselves", u->shown,
                    name);
    char path[PATH_MAX];
    TRY(join(u->request->dir, name, path, err));
    TRY(make_parents(path, err));
    AUTO(close_slot)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        return fail(err, STATUS_INVALID, "%s: '%s' is in the archive twice", u->shown, name);
    if (fd < 0)
        return fail_errno(err, "%s: cannot create", path);
    u->n_files++;
    return copy_data(u, fd, path, err);
}

static enum status unpack_entry(struct unpacker *u, struct archive_entry *entry, struct error *err)
{
    const char *name = archive_entry_pathname(entry);
    if (!name)
        return fail(err, STATUS_INVALID, "%s: an entry has no readable name", u->shown);
    struct error reason = {0};
    if (unpack_check_name(name, &reason) != STATUS_OK)
        return fail(err, STATUS_INVALID, "%s: the archive is refused: %s", u->shown,
                    reason.message);
    while (text_starts_with(name, "./"))
        name += 2;
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry))
        return fail(err, STATUS_INVALID, "%s: the archive is refused: '%s' is a link", u->shown,
                    name);
    mode_t type = archive_entry_filetype(entry);
    if (type == AE_IFDIR)
        return STATUS_OK; /* made when a file needs it */
    if (type != AE_IFREG)
        return fail(err, STATUS_INVALID, "%s: the archive is refused: '%s' is not a file", u->shown,
                    name);
    if (archive_entry_is_encrypted(entry))
        return fail(err, STATUS_INVALID, "%s: '%s' is encrypted", u->shown, name);
    return unpack_file(u, name, err);
}

static enum status unpack_entries(struct unpacker *u, struct archive_entry *entry,
                                  struct error *err)
{
    for (;;) {
        TRY(check_cancel(u, err));
        if (++u->n_entries > u->request->max_entries)
            return fail(err, STATUS_LIMIT, "%s: the archive has more than %zu entries", u->shown,
                        u->request->max_entries);
        TRY(unpack_entry(u, entry, err));
        int code = archive_read_next_header(u->archive, &entry);
        if (code == ARCHIVE_EOF)
            break;
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            return damaged(u, err);
    }
    if (u->n_files == 0)
        return fail(err, STATUS_INVALID, "%s: there is no file in the archive", u->shown);
    return STATUS_OK;
}

/* ---- a single table ---- */

struct head {
    unsigned char bytes[HEAD_BYTES];
    size_t n;
};

static enum status read_head(const char *path, struct head *ret_head, uint64_t *ret_size,
                             struct error *err)
{
    struct file_map map;
    TRY(file_map(path, &map, err));
    ret_head->n = map.size < HEAD_BYTES ? map.size : HEAD_BYTES;
    memcpy(ret_head->bytes, map.bytes ? map.bytes : (const unsigned char *)"", ret_head->n);
    *ret_size = map.size;
    file_unmap(&map);
    return STATUS_OK;
}

static bool begins_with(const struct head *head, const char *magic, size_t length)
{
    return head->n >= length && memcmp(head->bytes, magic, length) == 0;
}

static bool is_web_page(const struct head *head)
{
    size_t at = begins_with(head, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < head->n && strchr(" \t\r\n", head->bytes[at]) && head->bytes[at])
        at++;
    const char *text = (const char *)head->bytes + at;
    size_t left = head->n - at;
    return (left >= 9 && strncasecmp(text, "<!doctype", 9) == 0) ||
           (left >= 5 && strncasecmp(text, "<html", 5) == 0);
}

/* Text may be UTF-16, which has zero bytes but begins with a mark. */
static bool is_text(const struct head *head)
{
    if (begins_with(head, "\xff\xfe", 2) || begins_with(head, "\xfe\xff", 2))
        return true;
    return memchr(head->bytes, '\0', head->n) == NULL;
}

/* Read a compressed file to its end: one that breaks off shows only there. */
static enum status check_gzip(struct unpacker *u, struct error *err)
{
    archive_read_free(u->archive);
    u->archive = archive_read_new();
    AUTO(free_slot) char *block = malloc(BLOCK_BYTES);
    if (!u->archive || !block)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", u->shown);
    struct archive_entry *entry;
    if (archive_read_support_filter_gzip(u->archive) != ARCHIVE_OK ||
        archive_read_support_format_raw(u->archive) != ARCHIVE_OK ||
        archive_read_open_filename(u->archive, u->request->path, BLOCK_BYTES) != ARCHIVE_OK ||
        archive_read_next_header(u->archive, &entry) != ARCHIVE_OK)
        return damaged(u, err);
    la_ssize_t n;
    while ((n = archive_read_data(u->archive, block, BLOCK_BYTES)) > 0) {
        TRY(check_cancel(u, err));
        TRY(count_bytes(u, (uint64_t)n, err));
    }
    return n == 0 ? STATUS_OK : damaged(u, err);
}

static enum status store_plain(struct unpacker *u, const struct head *head, struct error *err)
{
    bool is_gzip = begins_with(head, "\x1f\x8b", 2);
    if (is_gzip)
        TRY(check_gzip(u, err));
    if (head->n == 0)
        return fail(err, STATUS_INVALID, "%s: the server sent an empty file", u->shown);
    if (is_web_page(head))
        return fail(err, STATUS_INVALID, "%s: the server sent a web page, not data", u->shown);
    if (!is_gzip && (begins_with(head, "PK", 2) || !is_text(head)))
        return fail(err, STATUS_INVALID, "%s: is neither an archive that can be read nor a table",
                    u->shown);
    const char *plain_name = u->request->plain_name;
    char name[NAME_MAX + 1];
    bool has_suffix =
        strlen(plain_name) > 3 && strcasecmp(plain_name + strlen(plain_name) - 3, ".gz") == 0;
    int length =
        snprintf(name, sizeof name, "%s%s", plain_name, is_gzip && !has_suffix ? ".gz" : "");
    if (length < 0 || (size_t)length >= sizeof name)
        return fail(err, STATUS_INVALID, "%s: the name is too long", u->shown);
    TRY(unpack_check_name(name, err));
    if (is_reserved(name) || strchr(name, '/'))
        return fail(err, STATUS_INVALID, "%s: '%s' is no usable file name", u->shown, name);
    char path[PATH_MAX];
    TRY(join(u->request->dir, name, path, err));
    /* A second name, so that the download is kept until the folder is in place; a move where the
     * file system has no such thing. */
    if (link(u->request->path, path) != 0 && rename(u->request->path, path) != 0)
        return fail_errno(err, "%s: cannot store", path);
    return STATUS_OK;
}

static enum status open_archive(struct unpacker *u, struct error *err)
{
    u->archive = archive_read_new();
    if (!u->archive)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", u->shown);
    struct archive *a = u->archive;
    /* No filter or format that would start another program or that nobody publishes tables in. */
    if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
        archive_read_support_filter_xz(a) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
        archive_read_support_format_zip(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK)
        return fail(err, STATUS_INTERNAL, "libarchive lacks a format");
    return STATUS_OK;
}

static enum status unpack_opened(struct unpacker *u, const struct head *head, struct error *err)
{
    struct archive_entry *entry;
    if (archive_read_open_filename(u->archive, u->request->path, BLOCK_BYTES) != ARCHIVE_OK)
        return store_plain(u, head, err);
    int code = archive_read_next_header(u->archive, &entry);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN)
        return unpack_entries(u, entry, err);
    if (begins_with(head, "PK", 2) && code != ARCHIVE_EOF)
        return damaged(u, err);
    return store_plain(u, head, err);
}

static enum status unpack_any(const struct unpack_request *request, struct error *err)
{
    struct unpacker u = {.request = request, .shown = request->shown};
    struct head head;
    uint64_t size;
    TRY(read_head(request->path, &head, &size, err));
    u.most = size * request->max_ratio;
    if (u.most < RATIO_FREE_BYTES)
        u.most = RATIO_FREE_BYTES;
    if (u.most > request->max_bytes)
        u.most = request->max_bytes;
    enum status status = open_archive(&u, err);
    if (status == STATUS_OK)
        status = unpack_opened(&u, &head, err);
    archive_read_free(u.archive);
    return status;
}

enum status unpack(const struct unpack_request *request, struct error *err)
{
    /* libarchive gives names in the character set of the locale, and none that do not fit it: UTF-8
     * for this thread and this call, characters only. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    enum status status = unpack_any(request, err);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return status;
}
