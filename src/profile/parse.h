/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reading numbers as people write them: "475.8m", "1,234,567", "1.39%", "N/A", "yes", "2022-03". */
#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"

enum parse_result {
    PARSE_OK,
    PARSE_MISSING, /* empty, or a word for "not known": N/A, NA, NaN, NaN%, null, unknown, -, ? */
    PARSE_BAD,     /* something else */
};

struct quantity {
    double value;    /* with the suffix applied and percent divided by 100; may be negative */
    bool is_percent; /* "%" was written */
    bool has_suffix; /* k, m, b, mn, million, ... was written: the value is rounded */
    /* What the number shows of the column's way of writing: ',' or '.' when that mark must be the
     * decimal one; 0 when it has none, or one that could as well group thousands ("1.234"). */
    char decimal;
    bool could_group; /* its only mark has exactly three digits behind it: "1.234" */
};

/* One number with an optional sign, grouping, suffix and percent mark; spaces around it are fine,
 * and so are "~" before it, "+" and a word for the unit ("followers") behind. "32.8m" is exactly
 * 32800000. Grouping is read where it is certain ("1,234,567", "1.234.567", "1 234 567",
 * "12,34,567"); a single comma with one, two or more than three digits behind it is a decimal comma
 * ("1,39 %"), and with exactly three digits a thousands separator. */
enum parse_result parse_quantity(const char *text, size_t length, struct quantity *ret_quantity);

/* The same where the decimal mark of the column is known: '.' or ',' (0: not known). */
enum parse_result parse_quantity_decimal(const char *text, size_t length, char decimal,
                                         struct quantity *ret_quantity);

/* Empty but for spaces, or a word for "not known". */
bool parse_is_missing(const char *text, size_t length);

/* Yes, no, true, false, 1, 0, 1.0, 0.0, y, n, t, f. */
enum parse_result parse_flag(const char *text, size_t length, double *ret_value);

/* YYYY-MM, YYYY-MM-DD (and a time behind T or a space), YYYY/MM, YYYY/MM/DD: 12 * year + month - 1.
 * PARSE_BAD outside of years 1900 to 2999. */
enum parse_result parse_month(const char *text, size_t length, double *ret_value);

/* "YYYY-MM". */
void parse_format_month(double month, char ret_text[static 8]);

/* Read `text` as the kind of `field` demands, into the profile. A text field is borrowed, not
 * copied: text[length] must be NUL; spaces before it, and the @ of a handle, are skipped. For RATE
 * a percent mark divides by 100 and a bare number is a fraction; a COUNT written with a suffix is
 * rounded to a whole number. STATUS_INVALID: not of the field's kind, or out of its range. A
 * missing word leaves the field missing (of a handle only the empty text: accounts have odd names).
 */
enum status parse_field(const struct profile_field *field, const char *text, size_t length,
                        struct profile *profile, struct error *err);
