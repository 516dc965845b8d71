/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "base/cleanup.h"
#include "ui/page.h"

/* Built without npm there is no page: then each test checks that this is said, and how. */

static void every_file_of_the_page_inflates(void **state)
{
    (void)state;
    const struct page_asset *index = page_find("/");
    if (page_absence()) {
        assert_null(index);
        return;
    }
    assert_non_null(index);
    AUTO(free_slot) unsigned char *plain = calloc(1, index->n_plain + 1);
    assert_int_equal(page_inflate(index, plain, NULL), STATUS_OK);
    assert_non_null(strstr((char *)plain, "<!doctype html>"));
    assert_null(strstr((char *)plain, "<script>")); /* the policy forbids inline scripts */
    assert_false(index->immutable);
}

static void an_unknown_file_is_not_found(void **state)
{
    (void)state;
    assert_null(page_find("/app.js.map"));
    assert_null(page_find(""));
}

static void a_report_cannot_break_out_of_its_script(void **state)
{
    (void)state;
    static const char json[] = "{\"name\":\"</script><script>alert(1)</script>\"}";
    AUTO(buffer_deinit) struct buffer html = {0};
    enum status status = page_put_report(&html, json, strlen(json), NULL);
    if (page_absence()) {
        assert_int_equal(status, STATUS_UNSUPPORTED);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    assert_non_null(
        strstr(html.at, "{\"name\":\"\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\"}"));
    assert_null(strstr(html.at, "</script><script>alert(1)"));
    assert_non_null(strstr(html.at, "Content-Security-Policy"));
    assert_string_equal(html.at + html.length - strlen("</html>\n"), "</html>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_the_page_inflates),
        cmocka_unit_test(an_unknown_file_is_not_found),
        cmocka_unit_test(a_report_cannot_break_out_of_its_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
