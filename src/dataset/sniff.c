/* SPDX-License-Identifier: Apache-2.0 */
#include "dataset/sniff.h"

#define HEADER_SEARCH_ROWS 25
#define SAMPLE_ROWS 60

static size_t count_known(const void *user, const struct grid *grid, const struct grid_row *row)
{
    const struct schema *schema = user;
    bool has_field[PROFILE_N_FIELDS] = {false};
    size_t n = 0;
    for (size_t i = 0; i < row->n_cells; i++) {
        const char *cell = GRID_CELL_TEXT(grid, row, i);
        if (cell[0] == '\0')
            continue;
        struct schema_match match = schema_match(schema, cell);
        if (match.role == SCHEMA_FIELD && !has_field[match.field - profile_fields]) {
            has_field[match.field - profile_fields] = true;
            n++;
        } else if (match.role == SCHEMA_IDENTITY) {
            n++;
        }
    }
    return n;
}

struct sniff_words sniff_words_of_schema(const struct schema *schema)
{
    return (struct sniff_words){count_known, schema};
}

size_t sniff_header(const struct grid *grid, struct sniff_words words, size_t *ret_n_known)
{
    size_t best = 0;
    size_t best_known = 0;
    for (size_t i = 0; i < grid->n_rows && i < HEADER_SEARCH_ROWS; i++) {
        size_t known = words.count_known(words.user, grid, &grid->rows[i]);
        if (known > best_known) {
            best_known = known;
            best = i;
        }
    }
    *ret_n_known = best_known;
    return best;
}

/* How evenly the rows are split: the share of rows with as many cells as the first, of those with
 * more than one. */
static double evenness(const struct grid *grid)
{
    if (grid->n_rows == 0 || grid->rows[0].n_cells < 2)
        return 0;
    size_t same = 0;
    for (size_t i = 0; i < grid->n_rows; i++)
        same += grid->rows[i].n_cells == grid->rows[0].n_cells;
    return (double)same / (double)grid->n_rows;
}

static enum status try_dialect(const char *sample, size_t n, struct csv_dialect dialect,
                               struct sniff_words words, size_t *ret_known, double *ret_evenness,
                               struct error *err)
{
    struct grid grid;
    TRY(grid_init(&grid, err));
    enum status status = csv_read_sample(sample, n, dialect, SAMPLE_ROWS, &grid, err);
    if (status == STATUS_OK) {
        sniff_header(&grid, words, ret_known);
        *ret_evenness = evenness(&grid);
    }
    grid_deinit(&grid);
    return status;
}

enum status sniff_dialect(const char *sample, size_t n, struct sniff_words words,
                          struct sniffed *ret_sniffed, struct error *err)
{
    static const char delimiters[] = {',', '\t', ';', '|'};
    static const char quotes[] = {'"', '\''};
    struct sniffed best = {{',', '"'}, 0};
    double best_evenness = -1;
    /* Single quotes only where the very first field has them. */
    size_t n_quotes = n > 0 && sample[0] == '\'' ? 2 : 1;
    for (size_t q = 0; q < n_quotes; q++) {
        for (size_t d = 0; d < ARRAY_LENGTH(delimiters); d++) {
            struct csv_dialect dialect = {delimiters[d], quotes[q]};
            size_t known = 0;
            double even = 0;
            TRY(try_dialect(sample, n, dialect, words, &known, &even, err));
            /* A quote that only wraps makes no header better known, but every cell cleaner. */
            bool better = known > best.n_known || (known == best.n_known && even > best_evenness) ||
                          (known == best.n_known && q == 1 && even >= best_evenness);
            if (better) {
                best = (struct sniffed){dialect, known};
                best_evenness = even;
            }
        }
    }
    *ret_sniffed = best;
    return STATUS_OK;
}

const char *sniff_delimiter_name(char delimiter)
{
    switch (delimiter) {
    case '\t':
        return "tab";
    case ';':
        return "semicolon";
    case '|':
        return "pipe";
    default:
        return "comma";
    }
}
