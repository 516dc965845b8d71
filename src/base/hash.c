/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#include <nettle/hmac.h>
#include <nettle/sha2.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/cleanup.h"

uint64_t hash_xxh3(const void *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}

void hash_hex(const uint8_t *digest, size_t bytes, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[2 * bytes] = '\0';
}

void hash_sha256(const void *data, size_t bytes, uint8_t ret_digest[static SHA256_BYTES])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, bytes, data);
    sha256_digest(&context, SHA256_BYTES, ret_digest);
}

bool hash_equal(const void *a, const void *b, size_t bytes)
{
    /* By words: nettle's memeql_sec() goes by bytes, for each of all tokens. */
    const unsigned char *at[2] = {a, b};
    uint64_t differs = 0;
    for (; bytes >= sizeof differs; bytes -= sizeof differs) {
        uint64_t word[2];
        for (int i = 0; i < 2; at[i++] += sizeof differs)
            memcpy(&word[i], at[i], sizeof differs);
        differs |= word[0] ^ word[1];
        __asm__("" : "+r"(differs)); /* nobody may conclude from it and leave early */
    }
    for (size_t i = 0; i < bytes; i++)
        differs |= at[0][i] ^ at[1][i];
    return differs == 0;
}

void hash_sha256_hex(const void *data, size_t bytes, char ret_hex[static SHA256_HEX_LENGTH + 1])
{
    uint8_t digest[SHA256_BYTES];
    hash_sha256(data, bytes, digest);
    hash_hex(digest, sizeof digest, ret_hex);
}

struct hash_sha256 {
    struct sha256_ctx context;
};

struct hash_sha256 *hash_sha256_begin(void)
{
    struct hash_sha256 *hash = malloc(sizeof *hash);
    if (hash)
        sha256_init(&hash->context);
    return hash;
}

void hash_sha256_add(struct hash_sha256 *hash, const void *data, size_t bytes)
{
    sha256_update(&hash->context, bytes, data);
}

void hash_sha256_end(struct hash_sha256 *hash, char ret_hex[static SHA256_HEX_LENGTH + 1])
{
    uint8_t digest[SHA256_BYTES];
    sha256_digest(&hash->context, sizeof digest, digest);
    hash_hex(digest, sizeof digest, ret_hex);
    free(hash);
}

enum status hash_sha256_file(const char *path, char ret_hex[static SHA256_HEX_LENGTH + 1],
                             struct error *err)
{
    AUTO(fclose_slot) FILE *file = fopen(path, "rbe");
    if (!file)
        return fail_errno(err, "%s", path);
    struct sha256_ctx context;
    sha256_init(&context);
    uint8_t block[16384];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        sha256_update(&context, got, block);
    if (ferror(file))
        return fail_errno(err, "%s: cannot read", path);
    uint8_t digest[SHA256_BYTES];
    sha256_digest(&context, sizeof digest, digest);
    hash_hex(digest, sizeof digest, ret_hex);
    return STATUS_OK;
}

void hash_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t bytes,
                      uint8_t ret_digest[static SHA256_BYTES])
{
    struct hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, key_bytes, key);
    hmac_sha256_update(&context, bytes, data);
    hmac_sha256_digest(&context, SHA256_BYTES, ret_digest);
}
