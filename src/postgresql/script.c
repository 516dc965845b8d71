/* SPDX-License-Identifier: Apache-2.0 */

/* Prints the extension's script, influence--VERSION.sql: the named arguments are the fields of the
 * library, whatever they are in this version. */
#include <stdio.h>

#include "influence/predict.h"

struct function {
    const char *name, *returns, *comment;
};

static const struct function functions[] = {
    {"score", "double precision", "The score of a profile."},
    {"tier", "text", "The likeliest tier of a profile."},
    {"cluster", "integer",
     "The archetype of a profile, by its number; influence_predict() has its name."},
    {"predict",
     "TABLE (score double precision, low double precision, high double precision, percentile "
     "double "
     "precision, novelty double precision, tier text, tier_probability double precision, cluster "
     "integer, cluster_name text)",
     "Score with its interval, tier and archetype of a profile, as one row."},
    {"explain", "TABLE (feature text, contribution double precision)",
     "What makes up the score: the base, then the contribution of each feature."},
};

static void print_fields(const char *separator)
{
    for (int i = 0; i < (int)ifl_field_count(); i++, separator = ",\n    ")
        printf("%s%s %s DEFAULT NULL", separator, ifl_field_name(i),
               ifl_field_is_text(i) ? "text" : "double precision");
}

/* By row nothing is immutable, as columns are found by their names, which may change under an
 * index. Rows without a profile are NULL; by arguments everything may be missing. A row that holds
 * no profile at all gives none. */
static void print_function(const struct function *function, int at, int by_row)
{
    int is_row = function->returns[0] == 'T' && function->name[0] == 'p';
    printf("\nCREATE FUNCTION influence_%s%s(%s", function->name, at ? "_at" : "",
           at ? "model text" : "");
    if (by_row)
        printf("%sprofile record", at ? ", " : "");
    else
        print_fields(at ? ",\n    " : "\n    ");
    /* A row of one prediction is no set: "TABLE (" becomes the OUT columns of a record. */
    if (is_row)
        printf(",\n    OUT score double precision, OUT low double precision, OUT high double "
               "precision,\n"
               "    OUT percentile double precision, OUT novelty double precision, OUT tier text,\n"
               "    OUT tier_probability double precision, OUT cluster integer, OUT cluster_name "
               "text)\n"
               "RETURNS record");
    else
        printf(")\nRETURNS %s", function->returns);
    printf("\nLANGUAGE C %s PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'influence_%s%s_%s';\n",
           at && !by_row ? "IMMUTABLE SUPPORT influence_support" : "STABLE", function->name,
           at ? "_at" : "", by_row ? "row" : "arguments");
}

static void print_similar(const char *argument, const char *door)
{
    printf("\nCREATE FUNCTION influence_similar(%s, k integer DEFAULT 10, category text DEFAULT "
           "NULL,\n"
           "    country text DEFAULT NULL, tier text DEFAULT NULL)\n"
           "RETURNS TABLE (handle text, similarity double precision, distance double precision)\n"
           "LANGUAGE C STABLE PARALLEL SAFE ROWS 10 COST 1000 AS 'MODULE_PATHNAME', '%s';\n",
           argument, door);
}

int main(void)
{
    puts("\\echo Use \"CREATE EXTENSION influence\" to load this file. \\quit\n"
         "\n-- Called as a statement is planned, by which the module is loaded before its workers "
         "start.\n"
         "CREATE FUNCTION influence_support(internal) RETURNS internal\n"
         "LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'influence_support';");
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        printf("\n-- %s\n", functions[i].comment);
        for (int at = 0; at <= 1; at++)
            for (int by_row = 1; by_row >= 0; by_row--)
                print_function(&functions[i], at, by_row);
    }
    puts("\n-- The accounts of the catalogue that are most like another, or like a profile.");
    print_similar("handle text", "influence_similar_handle");
    print_similar("profile record", "influence_similar_row");
    puts("\n-- The version of the model that answers.\n"
         "CREATE FUNCTION influence_model() RETURNS text\n"
         "LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'influence_model';\n"
         "\n-- The version of the library.\n"
         "CREATE FUNCTION influence_version() RETURNS text\n"
         "LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'influence_library';");
    return 0;
}
