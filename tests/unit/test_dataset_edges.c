/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "dataset/edges.h"

/* All accounts are invented: ada 0, bob 1, cy 2. */
static const char profiles[] = "username,followers\nada,1000\nbob,2000\ncy,300\n";

struct fixture {
    struct table *table;
    struct import_report *report;
    struct arena memory;
    struct handles handles;
    struct edges *edges;
    enum status status;
    struct error err;
};

static void load(struct fixture *f, const char *text, struct edges_options options)
{
    *f = (struct fixture){0};
    char path[] = "edges-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(
        import_memory(profiles, strlen(profiles), "profiles", NULL, &f->table, &f->report, &f->err),
        STATUS_OK);
    arena_init(&f->memory, 4096);
    assert_int_equal(handles_init(&f->handles, f->table, &f->memory, &f->err), STATUS_OK);
    const char *files[] = {path};
    struct edges_input input = {.files = files, .n_files = 1, .handles = &f->handles};
    f->status = edges_load(&input, &options, f->report, &f->edges, &f->err);
    unlink(path);
}

static void release(struct fixture *f)
{
    table_free(f->table);
    import_report_free(f->report);
    edges_free(f->edges);
    arena_deinit(&f->memory);
}

static size_t count_of(const struct fixture *f, const char *rule)
{
    const struct import_source *source = &f->report->joined[0];
    size_t n = 0;
    for (size_t i = 0; i < source->n_events; i++)
        if (strcmp(source->events[i].rule, rule) == 0)
            n += source->events[i].count;
    return n;
}

static void assert_edge(const struct fixture *f, size_t i, struct edge expected)
{
    assert_true(i < f->edges->n);
    const struct edge *edge = &f->edges->list[i];
    assert_int_equal(edge->source, expected.source);
    assert_int_equal(edge->target, expected.target);
    assert_int_equal(edge->kind, expected.kind);
    assert_near((double)edge->weight, (double)expected.weight, 0);
}

static void edges_of_equal_ends_and_kind_are_added_up(void **state)
{
    (void)state;
    struct fixture f;
    load(&f,
         "kind,source,target,posts\ntag,bob,ADA,2\ncomment,ada,bob,\ntag,@bob,ada,3\n"
         "mentions,bob,ada,1\n",
         (struct edges_options){0});
    assert_int_equal(f.status, STATUS_OK);
    assert_int_equal(f.edges->n, 3);
    assert_edge(&f, 0, (struct edge){0, 1, 1, EDGE_COMMENT});
    assert_edge(&f, 1, (struct edge){1, 0, 5, EDGE_TAG});
    assert_edge(&f, 2, (struct edge){1, 0, 1, EDGE_MENTION});
    release(&f);
}

static void headers_say_what_edges_without_a_kind_are(void **state)
{
    (void)state;
    struct fixture f;
    load(&f, "follower;followed\nada;cy\n", (struct edges_options){0});
    assert_edge(&f, 0, (struct edge){0, 2, 1, EDGE_FOLLOW});
    release(&f);
    load(&f, "influencer,tagged_account,posts\nada,Shop,4\n",
         (struct edges_options){.max_outside = 10});
    assert_edge(&f, 0, (struct edge){0, 3, 4, EDGE_BRAND});
    assert_string_equal(f.edges->outside[0], "shop");
    release(&f);
    load(&f, "from\tto\nada\tcy\n", (struct edges_options){0});
    assert_edge(&f, 0, (struct edge){0, 2, 1, EDGE_OTHER});
    release(&f);
}

static void accounts_outside_are_kept_only_when_asked_for(void **state)
{
    (void)state;
    static const char text[] = "source,target\nada,dee\neve,bob\neve,dee\nfay,bob\n";
    struct fixture f;
    load(&f, text, (struct edges_options){0});
    assert_int_equal(f.edges->n, 0);
    assert_int_equal(count_of(&f, "edge_outside"), 1);
    release(&f);
    load(&f, text, (struct edges_options){.max_outside = 2});
    assert_int_equal(f.edges->n_outside, 2);
    assert_int_equal(f.edges->n, 3);
    assert_edge(&f, 0, (struct edge){0, 3, 1, EDGE_OTHER});
    assert_edge(&f, 1, (struct edge){4, 1, 1, EDGE_OTHER});
    assert_edge(&f, 2, (struct edge){4, 3, 1, EDGE_OTHER});
    release(&f);
}

static void dirt_in_edges_is_counted(void **state)
{
    (void)state;
    struct fixture f;
    load(&f,
         "kind,source,target,weight\nlikes,ada,bob,1\ntag,ada,ada,1\ntag,ada,bob,0\n"
         "tag,no one,bob,1\ntag,ada,,1\ntag,ada,bob,-3\ntag,ada\n",
         (struct edges_options){0});
    assert_int_equal(f.status, STATUS_OK);
    assert_int_equal(f.edges->n, 2);
    assert_edge(&f, 0, (struct edge){0, 1, 1, EDGE_TAG});
    assert_edge(&f, 1, (struct edge){0, 1, 1, EDGE_OTHER});
    assert_int_equal(count_of(&f, "kind_unknown"), 1);
    assert_int_equal(count_of(&f, "edge_to_itself"), 1);
    assert_int_equal(count_of(&f, "edge_without_weight"), 1);
    assert_int_equal(count_of(&f, "row_without_account"), 2);
    assert_int_equal(count_of(&f, "negative"), 1);
    assert_int_equal(count_of(&f, "row_too_short"), 1);
    assert_int_equal(f.report->joined[0].n_refused, 5);
    release(&f);
}

static void more_edges_than_wanted_are_refused(void **state)
{
    (void)state;
    char text[65536] = "source,target\n";
    size_t length = strlen(text);
    for (size_t i = 0; i < 1500; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "ada,x%zu\n", i);
    struct fixture f;
    load(&f, text, (struct edges_options){.max_edges = 1000, .max_outside = 5000});
    assert_int_equal(f.status, STATUS_LIMIT);
    release(&f);
    load(&f, text, (struct edges_options){.max_edges = 2000, .max_outside = 5000});
    assert_int_equal(f.status, STATUS_OK);
    assert_int_equal(f.edges->n, 1500);
    release(&f);
}

static void a_file_with_one_column_of_accounts_is_no_table_of_edges(void **state)
{
    (void)state;
    struct fixture f;
    load(&f, "source,kind\nada,tag\n", (struct edges_options){0});
    assert_int_equal(f.status, STATUS_INVALID);
    assert_non_null(strstr(f.err.message, "two columns of accounts"));
    release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_of_equal_ends_and_kind_are_added_up),
        cmocka_unit_test(headers_say_what_edges_without_a_kind_are),
        cmocka_unit_test(accounts_outside_are_kept_only_when_asked_for),
        cmocka_unit_test(dirt_in_edges_is_counted),
        cmocka_unit_test(more_edges_than_wanted_are_refused),
        cmocka_unit_test(a_file_with_one_column_of_accounts_is_no_table_of_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
