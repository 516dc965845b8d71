/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/html.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "ui/page.h"

enum status html_write_report(const char *path, const char *report, size_t n_report,
                              size_t *ret_bytes, struct error *err)
{
    AUTO(buffer_deinit) struct buffer html = {0};
    TRY(page_put_report(&html, report, n_report, err));
    if (strcmp(path, "-") != 0)
        TRY(file_write_atomic(path, html.at, html.length, err));
    else if (fwrite(html.at, 1, html.length, stdout) != html.length)
        return fail_errno(err, "stdout");
    *ret_bytes = html.length;
    return STATUS_OK;
}
