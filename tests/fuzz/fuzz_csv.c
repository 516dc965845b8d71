/* SPDX-License-Identifier: Apache-2.0 */

/* The importer: any bytes are refused with a message or give a table that keeps the promises of its
 * fields; and the table, written, can be read again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataset/import.h"
#include "fuzz.h"

static void check_table(const struct table *table)
{
    FUZZ_REQUIRE(table->n_rows > 0);
    FUZZ_REQUIRE(table->number[PROFILE_followers]);
    for (size_t row = 0; row < table->n_rows; row++) {
        struct profile profile;
        table_profile(table, row, &profile);
        FUZZ_REQUIRE(profile_check(&profile, NULL) == STATUS_OK);
        FUZZ_REQUIRE(table->line[row] > 0);
        for (size_t i = 0; i < table->n_extras; i++) {
            const char *text = table->extras[i].text[row];
            FUZZ_REQUIRE(!text || text_is_utf8(text, strlen(text)));
        }
    }
}

static void check_report(const struct import_report *report)
{
    struct buffer text = {0};
    struct json_writer json = json_writer(&text);
    struct arena arena;
    const struct json *value;
    import_report_put_json(report, &json);
    arena_init(&arena, 4096);
    FUZZ_REQUIRE(json_parse(text.at, text.length, &arena, &value, NULL) == STATUS_OK);
    arena_deinit(&arena);
    buffer_deinit(&text);
}

static void check_written(const struct table *table)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct table *again = NULL;
    struct import_report *report = NULL;
    struct error err = {0};
    FUZZ_REQUIRE(out && import_write_csv(table, out, NULL) == STATUS_OK && fclose(out) == 0);
    if (import_memory(text, length, "again", NULL, &again, &report, &err) == STATUS_OK)
        check_table(again);
    table_free(again);
    import_report_free(report);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table *table = NULL;
    struct import_report *report = NULL;
    struct error err = {0};
    enum status status = import_memory(data, size, "input", NULL, &table, &report, &err);
    FUZZ_REQUIRE((status == STATUS_OK) == (table != NULL));
    if (status == STATUS_OK) {
        check_table(table);
        check_written(table);
    } else {
        FUZZ_REQUIRE(err.message[0] && memchr(err.message, 0, sizeof err.message));
    }
    if (report)
        check_report(report);
    table_free(table);
    import_report_free(report);
    return 0;
}
