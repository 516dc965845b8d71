/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/hash.h"
#include "dataset/encoding.h"

enum encoding {
    EIGHT_BIT,
    UTF8_BOM,
    UTF16_LE,
    UTF16_BE,
};

struct source {
    const char *name;
    int fd; /* -1: from memory */
    const unsigned char *memory;
    size_t size;              /* stored bytes, as the file said when it was opened */
    size_t taken;             /* of them, read so far */
    struct hash_sha256 *hash; /* owns; of the bytes taken; NULL: the digest was handed out */
    bool is_gzip;
    bool in_member; /* within a gzip member: its end must come */
    z_stream inflate;
    enum encoding encoding;
    struct utf16_decoder utf16;
    bool has_sample; /* `chunk` holds bytes that nobody took yet */
    size_t n_chunk;
    unsigned char stored[SOURCE_CHUNK_BYTES]; /* gzip: as stored */
    unsigned char raw[SOURCE_CHUNK_BYTES];    /* UTF-16: as unpacked */
    char chunk[2 * SOURCE_CHUNK_BYTES];       /* as handed out */
};

/* Stored bytes, up to `capacity`; 0 at the end. */
static enum status read_stored(struct source *source, void *into, size_t capacity, size_t *ret_n,
                               struct error *err)
{
    size_t n = 0;
    if (source->fd < 0) {
        n = source->size - source->taken < capacity ? source->size - source->taken : capacity;
        memcpy(into, source->memory + source->taken, n);
    } else {
        ssize_t got;
        do
            got = read(source->fd, into, capacity);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return fail_errno(err, "%s: cannot read", source->name);
        n = (size_t)got;
        if (n == 0 && source->taken < source->size)
            return fail(err, STATUS_IO, "%s: shrank while it was read, from %zu to %zu bytes",
                        source->name, source->size, source->taken);
    }
    source->taken += n;
    if (source->hash)
        hash_sha256_add(source->hash, into, n);
    *ret_n = n;
    return STATUS_OK;
}

static enum status read_inflated(struct source *source, void *into, size_t capacity, size_t *ret_n,
                                 struct error *err)
{
    z_stream *z = &source->inflate;
    z->next_out = into;
    z->avail_out = (uInt)capacity;
    while (z->avail_out == capacity) {
        if (z->avail_in == 0) {
            size_t n = 0;
            TRY(read_stored(source, source->stored, sizeof source->stored, &n, err));
            if (n == 0 && source->in_member)
                return fail(err, STATUS_INVALID, "%s: its gzip data is cut off", source->name);
            if (n == 0)
                break;
            z->next_in = source->stored;
            z->avail_in = (uInt)n;
        }
        source->in_member = true;
        int result = inflate(z, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            source->in_member = false;
            result = inflateReset(z); /* gzip files may be joined end to end */
        }
        if (result == Z_MEM_ERROR)
            return fail(err, STATUS_NO_MEMORY, "%s: out of memory", source->name);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return fail(err, STATUS_INVALID, "%s: its gzip data is damaged at byte %zu",
                        source->name, source->taken - z->avail_in);
    }
    *ret_n = capacity - z->avail_out;
    return STATUS_OK;
}

static enum status read_raw(struct source *source, void *into, size_t capacity, size_t *ret_n,
                            struct error *err)
{
    return source->is_gzip ? read_inflated(source, into, capacity, ret_n, err)
                           : read_stored(source, into, capacity, ret_n, err);
}

static enum status fill_chunk(struct source *source, struct error *err)
{
    size_t n = 0;
    if (source->encoding != UTF16_LE && source->encoding != UTF16_BE)
        return read_raw(source, source->chunk, SOURCE_CHUNK_BYTES, &source->n_chunk, err);
    do {
        TRY(read_raw(source, source->raw, sizeof source->raw, &n, err));
        source->n_chunk = n == 0 ? utf16_finish(&source->utf16, source->chunk)
                                 : utf16_decode(&source->utf16, source->raw, n, source->chunk);
    } while (n > 0 && source->n_chunk == 0);
    return STATUS_OK;
}

/* UTF-16 without a mark shows as NULs on one side of nearly every pair. */
static enum encoding guess_utf16(const unsigned char *bytes, size_t n)
{
    size_t nuls[2] = {0, 0};
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == 0)
            nuls[i % 2]++;
    if (nuls[1] > n / 5 && nuls[0] < n / 50)
        return UTF16_LE;
    if (nuls[0] > n / 5 && nuls[1] < n / 50)
        return UTF16_BE;
    return EIGHT_BIT;
}

static bool begins(const unsigned char *bytes, size_t n, const char *magic)
{
    size_t length = strlen(magic);
    return n >= length && memcmp(bytes, magic, length) == 0;
}

/* Files that people take for tables. */
static enum status refuse_others(const struct source *source, struct error *err)
{
    static const struct {
        const char *magic;
        const char *what;
    } others[] = {
        {"PK\x03\x04", "a zip archive or a spreadsheet (xlsx)"},
        {"\xD0\xCF\x11\xE0", "an old spreadsheet (xls)"},
        {"%PDF", "a PDF"},
        {"<!", "a web page or XML"},
        {"<h", "a web page"},
        {"<?xml", "XML"},
        {"{", "JSON"},
        {"[{", "JSON"},
        {"PAR1", "a Parquet file"},
        {"SQLite format 3", "a database"},
        {"BZh", "bzip2 data"},
        {"\xFD"
         "7zXZ",
         "xz data"},
        {"\x28\xB5\x2F\xFD", "zstd data"},
        {"\x89PNG", "an image"},
        {"\xFF\xD8\xFF", "an image"},
        {"\x7F"
         "ELF",
         "a program"},
    };
    const unsigned char *bytes = (const unsigned char *)source->chunk;
    size_t n = source->n_chunk;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (begins(bytes, n, others[i].magic))
            return fail(err, STATUS_INVALID, "%s: is %s; a table as text (CSV) is needed",
                        source->name, others[i].what);
    return STATUS_OK;
}

static enum status detect_encoding(struct source *source, struct error *err)
{
    unsigned char *bytes = (unsigned char *)source->chunk;
    size_t n = source->n_chunk;
    size_t mark = 0;
    if (n >= 4 && memcmp(bytes, "\xFF\xFE\0\0", 4) == 0)
        return fail(err, STATUS_UNSUPPORTED, "%s: is UTF-32; save it as UTF-8", source->name);
    if (begins(bytes, n, "\xEF\xBB\xBF")) {
        source->encoding = UTF8_BOM;
        mark = 3;
    } else if (begins(bytes, n, "\xFF\xFE")) {
        source->encoding = UTF16_LE;
        mark = 2;
    } else if (begins(bytes, n, "\xFE\xFF")) {
        source->encoding = UTF16_BE;
        mark = 2;
    } else {
        source->encoding = guess_utf16(bytes, n);
    }
    memmove(bytes, bytes + mark, n - mark);
    source->n_chunk = n - mark;
    if (source->encoding == UTF16_LE || source->encoding == UTF16_BE) {
        memcpy(source->raw, bytes, source->n_chunk);
        utf16_init(&source->utf16, source->encoding == UTF16_BE);
        source->n_chunk = utf16_decode(&source->utf16, source->raw, n - mark, source->chunk);
    }
    return refuse_others(source, err);
}

static enum status start(struct source *source, struct error *err)
{
    source->hash = hash_sha256_begin();
    if (!source->hash)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", source->name);
    /* Look at the first two bytes as stored, then start over. */
    unsigned char magic[2] = {0, 0};
    size_t n = 0;
    if (source->fd >= 0) {
        ssize_t got = pread(source->fd, magic, sizeof magic, 0);
        if (got < 0)
            return fail_errno(err, "%s: cannot read", source->name);
        n = (size_t)got;
    } else if (source->memory) {
        n = source->size < 2 ? source->size : 2;
        memcpy(magic, source->memory, n);
    }
    if (n == 0)
        return fail(err, STATUS_INVALID, "%s: is empty", source->name);
    source->is_gzip = n == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
    if (source->is_gzip && inflateInit2(&source->inflate, 15 + 16) != Z_OK) {
        source->is_gzip = false;
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", source->name);
    }
    TRY(read_raw(source, source->chunk, SOURCE_CHUNK_BYTES, &source->n_chunk, err));
    TRY(detect_encoding(source, err));
    source->has_sample = source->n_chunk > 0;
    return STATUS_OK;
}

static enum status open_file(struct source *source, const char *path, struct error *err)
{
    /* O_NONBLOCK: a FIFO without a writer must be refused, not waited for. */
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->fd < 0)
        return fail_errno(err, "%s", source->name);
    struct stat info;
    if (fstat(source->fd, &info) != 0)
        return fail_errno(err, "%s", source->name);
    if (!S_ISREG(info.st_mode))
        return fail(err, STATUS_INVALID, "%s: is %s, a file is needed", source->name,
                    S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
    source->size = (size_t)info.st_size;
    return STATUS_OK;
}

enum status source_open(const char *path, const char *name, struct source **ret_source,
                        struct error *err)
{
    AUTO(source_close_slot) struct source *source = calloc(1, sizeof *source);
    if (!source)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    source->name = name;
    source->fd = -1;
    TRY(open_file(source, path, err));
    TRY(start(source, err));
    *ret_source = STEAL(source);
    return STATUS_OK;
}

enum status source_open_memory(const void *bytes, size_t n_bytes, const char *name,
                               struct source **ret_source, struct error *err)
{
    AUTO(source_close_slot) struct source *source = calloc(1, sizeof *source);
    if (!source)
        return fail(err, STATUS_NO_MEMORY, "%s: out of memory", name);
    source->name = name;
    source->fd = -1;
    source->memory = bytes;
    source->size = n_bytes;
    TRY(start(source, err));
    *ret_source = STEAL(source);
    return STATUS_OK;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    char digest[SHA256_HEX_LENGTH + 1];
    if (source->hash)
        source_digest(source, digest);
    if (source->is_gzip)
        inflateEnd(&source->inflate);
    if (source->fd >= 0)
        close(source->fd);
    free(source);
}

void source_sample(const struct source *source, const char **ret_bytes, size_t *ret_n)
{
    *ret_bytes = source->chunk;
    *ret_n = source->has_sample ? source->n_chunk : 0;
}

enum status source_next(struct source *source, const char **ret_bytes, size_t *ret_n,
                        struct error *err)
{
    if (!source->has_sample)
        TRY(fill_chunk(source, err));
    source->has_sample = false;
    *ret_bytes = source->chunk;
    *ret_n = source->n_chunk;
    return STATUS_OK;
}

const char *source_encoding(const struct source *source)
{
    switch (source->encoding) {
    case UTF8_BOM:
        return "utf-8 with BOM";
    case UTF16_LE:
        return "utf-16le";
    case UTF16_BE:
        return "utf-16be";
    case EIGHT_BIT:
        break;
    }
    return "utf-8";
}

void source_digest(struct source *source, char ret_hex[static SHA256_HEX_LENGTH + 1])
{
    hash_sha256_end(STEAL(source->hash), ret_hex);
}

bool source_is_gzip(const struct source *source)
{
    return source->is_gzip;
}

size_t source_n_bytes(const struct source *source)
{
    return source->size;
}
