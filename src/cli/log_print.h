/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What `influence log` shows: a row as JSON, as CSV or as a line for people, and the summary of
 * them. */
#include "base/text.h"
#include "reqlog/reader.h"

/* The columns of log_print_csv(), with the end of the line. */
#define LOG_PRINT_CSV_HEADER \
    "id,time,request_id,route,status,model,latency_us,caller,input,output,trace_id\r\n"

/* One row, with the end of its line. */
void log_print_json(const struct reqlog_record *record, struct buffer *out);
void log_print_csv(const struct reqlog_record *record, struct buffer *out);
void log_print_line(const struct reqlog_record *record, struct buffer *out);

/* On stdout. */
void log_print_summary(const struct reqlog_summary *summary);
void log_print_summary_json(const struct reqlog_summary *summary);
