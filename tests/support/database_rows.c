/* SPDX-License-Identifier: Apache-2.0 */

/* database-rows URI QUERY [copy]: the rows of a query on stdout, read without COPY, as from a
 * server that does not know it; or by COPY, to be measured. */
#include <stdio.h>
#include <string.h>

#include "database/database.h"

int main(int argc, char **argv)
{
    struct error err = {0};
    struct database_options options = {.by_rows = argc == 3};
    AUTO(database_close_slot) struct database *database = NULL;
    uint64_t n_rows;
    bool is_asked = argc == 3 || (argc == 4 && strcmp(argv[3], "copy") == 0);
    if (is_asked && database_open(argv[1], &options, &database, &err) == STATUS_OK &&
        database_read(database, argv[2], stdout, &n_rows, &err) == STATUS_OK)
        return 0;
    fprintf(stderr, "database-rows: %s\n", is_asked ? err.message : "give URI and QUERY");
    return 1;
}
