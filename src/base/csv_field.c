/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv_field.h"

#include <stdbool.h>

static bool needs_quotes(const char *text, size_t bytes)
{
    if (bytes > 0 && (text[0] == ' ' || text[bytes - 1] == ' '))
        return true;
    for (size_t i = 0; i < bytes; i++)
        if (text[i] == ',' || text[i] == '"' || text[i] == '\r' || text[i] == '\n')
            return true;
    return false;
}

void csv_field_put(struct buffer *buffer, const char *text, size_t bytes)
{
    if (!needs_quotes(text, bytes)) {
        buffer_put(buffer, text, bytes);
        return;
    }
    buffer_put_char(buffer, '"');
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '"')
            buffer_put_char(buffer, '"');
        buffer_put_char(buffer, text[i]);
    }
    buffer_put_char(buffer, '"');
}
