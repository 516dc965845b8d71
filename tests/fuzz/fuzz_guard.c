/* SPDX-License-Identifier: Apache-2.0 */

/* The strict door: a head of "name: value" lines. What passes has at most one length, and a length
 * or chunks but not both. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "serve/guard.h"
#include "serve/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct guard_head head;
    guard_init(&head);
    for (char *line = text; line < text + size;) {
        size_t length = strcspn(line, "\n");
        char *colon = memchr(line, ':', length);
        size_t name = colon ? (size_t)(colon - line) : length;
        size_t skip = colon ? strspn(colon + 1, " ") + 1 : 0;
        char *value = line + name + skip;
        size_t value_bytes = length - name - skip;
        line[length] = '\0'; /* the library's values are terminated */
        guard_header(&head, line, name, value, value_bytes);
        line += length + 1;
    }
    struct error err;
    bool is_utf8;
    if (guard_check(&head, "HTTP/1.1", "/score", &err) == STATUS_OK) {
        FUZZ_REQUIRE(head.n_host == 1 && head.n_content_length <= 1);
        FUZZ_REQUIRE(!(head.chunked && head.content_length >= 0));
        FUZZ_REQUIRE(head.content_length >= -1);
    }
    if (head.content_type)
        http_type_is(head.content_type, HTTP_JSON, &is_utf8);
    http_accepts(head.accept, HTTP_JSON);
    http_accepts_gzip(head.accept);
    free(text);
    return 0;
}
