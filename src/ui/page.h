/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The web page, bundled from app/ at build time and embedded: files for the daemon to serve, and
 * the same page as one file with its data inside. Without npm at build time there is no page:
 * page_find() finds nothing, and page_absence() says why. Everything here is constant; thread-safe.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

struct page_asset {
    const char *path; /* "/", "/app-1a2b3c4d.js" */
    const char *type; /* value of Content-Type */
    const char *etag; /* value of ETag, quotes included */
    const unsigned char *gzip;
    size_t n_gzip;
    size_t n_plain; /* bytes once inflated */
    bool immutable; /* the name changes with the content: caches may keep it for ever */
};

/* NULL: no such file. */
const struct page_asset *page_find(const char *path);

/* NULL when the page is there; otherwise one sentence on why it is not. */
const char *page_absence(void);

/* Value of Content-Security-Policy for the served page. */
const char *page_security_policy(void);

/* The plain bytes of an asset, for clients that do not take gzip. ret_plain: [n_plain]. */
enum status page_inflate(const struct page_asset *asset, unsigned char *ret_plain,
                         struct error *err);

/* Append the page as one HTML file that shows `report`, a whole report.json, and asks no server.
 * STATUS_UNSUPPORTED: built without the page. */
enum status page_put_report(struct buffer *html, const char *report, size_t n_report,
                            struct error *err);
