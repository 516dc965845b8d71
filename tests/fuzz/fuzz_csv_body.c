/* SPDX-License-Identifier: Apache-2.0 */

/* CSV bodies: any text is refused with a message or read; and what was read, written and read again
 * is the same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "serve/csv.h"

/* Reads everything and writes it; gives whether it was all read. */
static bool copy_out(char *text, size_t length, struct buffer *out)
{
    static struct csv_record record; /* large; the target runs in one thread */
    struct csv_reader reader = csv_reader(text, length);
    struct error err = {0};
    enum status status;
    while ((status = csv_next(&reader, &record, &err)) == STATUS_OK) {
        FUZZ_REQUIRE(record.n >= 1 && record.n <= CSV_MAX_FIELDS);
        for (size_t i = 0; i < record.n; i++) {
            if (i > 0)
                buffer_put_char(out, ',');
            /* A lone empty field would be an empty line. */
            if (record.n == 1 && !record.field[i][0])
                buffer_put_text(out, "\"\"");
            csv_put(out, record.field[i]);
        }
        buffer_put_text(out, "\r\n");
    }
    if (status != STATUS_NOT_FOUND)
        FUZZ_REQUIRE(err.message[0]);
    return status == STATUS_NOT_FOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    struct buffer once = {0}, again = {0}, twice = {0};
    if (copy_out(text, size, &once) && once.length > 0) {
        /* Or a first field that begins with the mark would lose it. */
        buffer_put_text(&again, "\xEF\xBB\xBF");
        buffer_put(&again, once.at, once.length);
        FUZZ_REQUIRE(copy_out(again.at, again.length, &twice));
        FUZZ_REQUIRE(once.length == twice.length && memcmp(once.at, twice.at, once.length) == 0);
    }
    buffer_deinit(&once);
    buffer_deinit(&again);
    buffer_deinit(&twice);
    free(text);
    return 0;
}
