/* SPDX-License-Identifier: Apache-2.0 */
#include "base/token.h"

#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"

static const struct {
    const char *name;
    unsigned bit;
} scopes[] = {{"predict", TOKEN_PREDICT}, {"metrics", TOKEN_METRICS}, {"admin", TOKEN_ADMIN}};

enum status token_make(char ret_text[static TOKEN_LENGTH + 1], struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[SHA256_BYTES + 1] = {0}; /* and one for the last group */
    if (getrandom(bytes, SHA256_BYTES, 0) != SHA256_BYTES)
        return fail_errno(err, "getrandom");
    memcpy(ret_text, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
    char *to = ret_text + sizeof TOKEN_PREFIX - 1;
    size_t n = TOKEN_LENGTH - (sizeof TOKEN_PREFIX - 1);
    for (size_t i = 0; i < n; i++) {
        /* Digit i has the bits 6 i to 6 i + 5. */
        size_t bit = 6 * i;
        unsigned pair =
            (unsigned)bytes[bit / 8] << 8 | (bit / 8 < SHA256_BYTES ? bytes[bit / 8 + 1] : 0);
        *to++ = digits[pair >> (10 - bit % 8) & 63];
    }
    *to = '\0';
    return STATUS_OK;
}

static enum status parse_scopes(const char *text, size_t length, unsigned *ret_scopes,
                                struct error *err)
{
    unsigned found = 0;
    for (size_t at = 0; at <= length;) {
        const char *comma = memchr(text + at, ',', length - at);
        size_t n = comma ? (size_t)(comma - text) - at : length - at;
        size_t i = 0;
        while (i < ARRAY_LENGTH(scopes) &&
               (strlen(scopes[i].name) != n || memcmp(scopes[i].name, text + at, n) != 0))
            i++;
        if (i == ARRAY_LENGTH(scopes))
            return fail(err, STATUS_INVALID, "a scope must be predict, metrics or admin");
        found |= scopes[i].bit;
        at += n + 1;
    }
    *ret_scopes = found;
    return STATUS_OK;
}

enum status token_parse_scopes(const char *text, unsigned *ret_scopes, struct error *err)
{
    return parse_scopes(text, strlen(text), ret_scopes, err);
}

static bool is_name(const char *name, size_t length)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (size_t i = 0; i < length; i++)
        if (!memchr(allowed, name[i], sizeof allowed - 1))
            return false;
    return length > 0 && length <= TOKEN_NAME_MAX;
}

bool token_is_name(const char *name)
{
    return is_name(name, strlen(name));
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(const char *text, size_t length, uint8_t *ret_digest)
{
    if (length != SHA256_HEX_LENGTH)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

struct word {
    const char *at;
    size_t length;
};

/* The next word of the line; length 0: there is none. */
static struct word next_word(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
        ++*at;
    struct word word = {.at = *at};
    while (*at < end && **at != ' ' && **at != '\t' && **at != '\r')
        ++*at;
    word.length = (size_t)(*at - word.at);
    return word;
}

enum status token_parse_line(const char *line, size_t length, struct token *ret_token,
                             struct error *err)
{
    const char *end = line + length;
    struct word name = next_word(&line, end);
    if (name.length == 0 || name.at[0] == '#')
        return STATUS_NOT_FOUND;
    struct word scope = next_word(&line, end);
    struct word digest = next_word(&line, end);
    struct word more = next_word(&line, end);
    if (digest.length == 0 || more.length > 0)
        return fail(err, STATUS_INVALID, "must be NAME SCOPES SHA256");
    if (!is_name(name.at, name.length))
        return fail(err, STATUS_INVALID,
                    "a name must be 1 to %d letters, digits, dots, dashes or underscores",
                    TOKEN_NAME_MAX);
    struct token token = {0};
    memcpy(token.name, name.at, name.length);
    TRY(parse_scopes(scope.at, scope.length, &token.scopes, err));
    if (!read_digest(digest.at, digest.length, token.digest))
        return fail(err, STATUS_INVALID,
                    "%s: the SHA-256 must be %d small hexadecimal digits; `influence token new` "
                    "makes them",
                    token.name, SHA256_HEX_LENGTH);
    *ret_token = token;
    return STATUS_OK;
}
