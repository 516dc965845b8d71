/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Fast checksums (XXH3) and cryptographic digests (SHA-256, HMAC). The only user of xxHash and
 * Nettle. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define SHA256_BYTES 32
#define SHA256_HEX_LENGTH 64

uint64_t hash_xxh3(const void *data, size_t bytes);

/* SHA-256 of memory or of a file, as 64 lower-case hex digits and a NUL. */
void hash_sha256_hex(const void *data, size_t bytes, char ret_hex[static SHA256_HEX_LENGTH + 1]);
enum status hash_sha256_file(const char *path, char ret_hex[static SHA256_HEX_LENGTH + 1],
                             struct error *err);

/* SHA-256 of what comes in pieces. NULL: out of memory. Ending writes the digest and frees. */
struct hash_sha256;
struct hash_sha256 *hash_sha256_begin(void);
void hash_sha256_add(struct hash_sha256 *hash, const void *data, size_t bytes);
void hash_sha256_end(struct hash_sha256 *hash, char ret_hex[static SHA256_HEX_LENGTH + 1]);

void hash_sha256(const void *data, size_t bytes, uint8_t ret_digest[static SHA256_BYTES]);

/* Whether two memories are equal, in a time that does not tell where they differ. */
bool hash_equal(const void *a, const void *b, size_t bytes);

/* HMAC-SHA-256 (RFC 2104) of `data` under `key`. */
void hash_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t bytes,
                      uint8_t ret_digest[static SHA256_BYTES]);

void hash_hex(const uint8_t *digest, size_t bytes, char *ret_hex); /* writes 2 * bytes + 1 */
