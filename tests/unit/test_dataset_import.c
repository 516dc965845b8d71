/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "dataset/import.h"
#include "profile/parse.h"

/* What came of one text. All accounts are invented. */
struct outcome {
    enum status status;
    struct error err;
    struct table *table;
    struct import_report *report;
};

static struct outcome import_bytes(const void *bytes, size_t n)
{
    struct outcome o = {0};
    o.status = import_memory(bytes, n, "table.csv", NULL, &o.table, &o.report, &o.err);
    return o;
}

static struct outcome import_text(const char *text)
{
    struct outcome o = import_bytes(text, strlen(text));
    if (o.status != STATUS_OK)
        fail_msg("refused: %s", o.err.message);
    return o;
}

static void release(struct outcome *o)
{
    table_free(o->table);
    import_report_free(o->report);
}

static void assert_refused(const char *text, const char *part)
{
    struct outcome o = import_bytes(text, strlen(text));
    if (o.status == STATUS_OK || !strstr(o.err.message, part))
        fail_msg("wanted a refusal with '%s', got '%s'", part, o.err.message);
    assert_non_null(o.report);
    release(&o);
}

static size_t count_of(const struct outcome *o, const char *rule)
{
    size_t n = 0;
    for (size_t s = 0; s < o->report->n_sources; s++)
        for (size_t i = 0; i < o->report->sources[s].n_events; i++)
            if (strcmp(o->report->sources[s].events[i].rule, rule) == 0)
                n += o->report->sources[s].events[i].count;
    for (size_t i = 0; i < o->report->n_events; i++)
        if (strcmp(o->report->events[i].rule, rule) == 0)
            n += o->report->events[i].count;
    return n;
}

static double number(const struct outcome *o, enum profile_number field, size_t row)
{
    assert_true(row < o->table->n_rows);
    assert_non_null(o->table->number[field]);
    return o->table->number[field][row];
}

static const char *text(const struct outcome *o, enum profile_text field, size_t row)
{
    assert_true(row < o->table->n_rows);
    assert_non_null(o->table->text[field]);
    return o->table->text[field][row];
}

static const char *extra(const struct outcome *o, const char *name, size_t row)
{
    for (size_t i = 0; i < o->table->n_extras; i++)
        if (strcmp(o->table->extras[i].name, name) == 0)
            return o->table->extras[i].text[row];
    fail_msg("no column %s", name);
    return NULL;
}

/* Three accounts as every case below should read them. */
static void assert_garden(const struct outcome *o)
{
    assert_int_equal(o->table->n_rows, 3);
    assert_string_equal(text(o, PROFILE_handle, 0), "tea.garden");
    assert_string_equal(text(o, PROFILE_handle, 2), "moss_and_fern");
    assert_true(number(o, PROFILE_followers, 0) == 1200000);
    assert_true(number(o, PROFILE_followers, 1) == 34500);
    assert_true(number(o, PROFILE_followers, 2) == 8000);
    assert_true(number(o, PROFILE_engagement_rate, 0) == 0.0139);
    assert_true(number(o, PROFILE_engagement_rate, 2) == 0.05);
    assert_string_equal(text(o, PROFILE_country, 0), "C\xC3\xB4te d'Ivoire");
    assert_null(text(o, PROFILE_country, 1));
}

static void the_same_table_in_many_dresses_reads_the_same(void **state)
{
    (void)state;
    static const char *const dresses[] = {
        "handle,followers,engagement_rate,country\n"
        "tea.garden,1200000,1.39%,C\xC3\xB4te d'Ivoire\npine.cone,34500,2%,\n"
        "moss_and_fern,8000,5%,Peru\n",
        /* BOM, CRLF, quotes, other names and order, suffixes */
        "\xEF\xBB\xBF\"Country\",\"# Followers\",\"User Name\",\"Eng. Rate\"\r\n"
        "\"C\xC3\xB4te d'Ivoire\",\"1.2M\",\"@tea.garden\",\"1.39%\"\r\n"
        "\"N/A\",\"34.5k\",\"pine.cone\",\"2.00%\"\r\n\"Peru\",\"8 K\",\"moss_and_fern\",\"5%\"",
        /* CR only, tabs, a ruled line */
        "Username\tSubscribers\tER (%)\tPa\xC3\xADs\r=====\r"
        "tea.garden\t1,200,000\t1.39\tC\xC3\xB4te d'Ivoire\rpine.cone\t34,500\t2\t-\r"
        "moss_and_fern\t8,000\t5\tPeru\r",
        /* semicolons and decimal commas, an empty line, a repeated header */
        "sep=;\nkanal;follower;engagement rate;land\ntea.garden;1,2 Mio.;1,39 %;C\xC3\xB4te "
        "d'Ivoire\n"
        "\npine.cone;34,5 Tsd;2,0 %;unknown\nkanal;follower;engagement rate;land\n"
        "moss_and_fern;8.000;5,0 %;Peru\n",
        /* pipes, a title, latin-1 text, header with line breaks, a total */
        "Our accounts\n\nprofile url|\"Followers\r\n\"|Engagement rate|\"\r\nCountry\"\n"
        "https://www.instagram.com/tea.garden/|1.2m|1.39%|C\xF4te d'Ivoire\n"
        "instagram.com/pine.cone|34.5k|2%|NaN\nhttps://instagram.com/moss_and_fern|8k|5%|Peru\n"
        "Total|1.24m||\n",
        /* encoded twice, trailing delimiters, an index without a header, header (thousands) */
        ",channel_info,followers (thousands),60_day_eng_rate,country\n"
        "0,tea.garden,1200,1.39%,C\xC3\x83\xC2\xB4te d'Ivoire,,\n1,pine.cone,34.5,2%,,,\n"
        "2,moss_and_fern,8,5%,Peru,,\n",
    };
    for (size_t i = 0; i < sizeof dresses / sizeof dresses[0]; i++) {
        print_message("dress %zu\n", i);
        struct outcome o = import_text(dresses[i]);
        assert_garden(&o);
        release(&o);
    }
}

static void utf16_reads_like_utf8(void **state)
{
    (void)state;
    static const char plain[] = "handle,followers,name\ntea.garden,1.2m,\xC3\xA9t\xC3\xA9\n";
    for (int big = 0; big < 2; big++) {
        for (int bom = 0; bom < 2; bom++) {
            unsigned char wide[256];
            size_t n = 0;
            if (bom) {
                wide[n++] = big ? 0xFE : 0xFF;
                wide[n++] = big ? 0xFF : 0xFE;
            }
            for (size_t i = 0; i + 1 < sizeof plain; i++) {
                unsigned char c = (unsigned char)plain[i];
                unsigned char unit = c == 0xC3 ? (unsigned char)(plain[++i] | 0xC0) : c;
                wide[n++] = big ? 0 : unit;
                wide[n++] = big ? unit : 0;
            }
            struct outcome o = import_bytes(wide, n);
            assert_int_equal(o.status, STATUS_OK);
            assert_true(number(&o, PROFILE_followers, 0) == 1200000);
            assert_string_equal(text(&o, PROFILE_name, 0), "\xC3\xA9t\xC3\xA9");
            assert_string_equal(o.report->sources[0].encoding, big ? "utf-16be" : "utf-16le");
            release(&o);
        }
    }
}

static void cells_decide_which_column_is_the_handle(void **state)
{
    (void)state;
    struct outcome o = import_text("instagram name,Name,Followers\nTea Garden \xF0\x9F\x8D\xB5,"
                                   "tea.garden,10k\nPine Cone,pine.cone,20k\nMoss,433,30k\n");
    assert_string_equal(text(&o, PROFILE_handle, 2), "433");
    assert_string_equal(text(&o, PROFILE_name, 1), "Pine Cone");
    release(&o);
}

static void bare_rates_are_read_by_what_fits_the_likes(void **state)
{
    (void)state;
    static const char header[] = "handle,followers,avg_likes,engagement_rate\n";
    struct buffer percent = {0}, fraction = {0};
    buffer_put_text(&percent, header);
    buffer_put_text(&fraction, header);
    for (int i = 1; i <= 10; i++) {
        int likes = i * (i * 10 + 5);
        buffer_printf(&percent, "acc%d,%d,%d,%d.5\n", i, i * 1000, likes, i);
        buffer_printf(&fraction, "acc%d,%d,%d,0.%02d5\n", i, i * 1000, likes, i);
    }
    struct outcome a = import_text(percent.at);
    struct outcome b = import_text(fraction.at);
    buffer_deinit(&percent);
    buffer_deinit(&fraction);
    for (size_t i = 0; i < 10; i++)
        assert_true(fabs(number(&a, PROFILE_engagement_rate, i) -
                         number(&b, PROFILE_engagement_rate, i)) < 1e-15);
    assert_true(number(&a, PROFILE_engagement_rate, 0) == 0.015);
    assert_int_equal(count_of(&a, "unit_decided"), 1);
    release(&a);
    release(&b);
}

static void a_rate_without_any_hint_is_set_aside(void **state)
{
    (void)state;
    struct outcome o = import_text("handle,followers,engagement_rate\na1,1000,0.2\nb2,2000,0.3\n"
                                   "c3,3000,0.1\n");
    assert_null(o.table->number[PROFILE_engagement_rate]);
    assert_int_equal(count_of(&o, "unit_unknown"), 1);
    release(&o);
}

static void columns_whose_suffixes_were_stripped_are_not_believed(void **state)
{
    (void)state;
    assert_refused("handle,followers,posts\na1,475.8,3\nb2,366.2,6\nc3,12,7\n", "scale");
    struct outcome o = import_text("handle,followers,posts,avg_likes\na1,475.8m,3.3,8.7\n"
                                   "b2,366.2m,6.9,665.3\nc3,12m,0.89,1.8\n");
    assert_null(o.table->number[PROFILE_posts]);
    assert_null(o.table->number[PROFILE_avg_likes]);
    assert_int_equal(count_of(&o, "scale_lost"), 2);
    assert_true(number(&o, PROFILE_followers, 0) == 475800000);
    release(&o);
}

static void a_shifted_row_is_moved_back_where_only_one_place_fits(void **state)
{
    (void)state;
    struct outcome o =
        import_text("handle,category,followers,country,likes avg\n"
                    "a1,Food,1.5m,Peru,10k\nb2,Food,2.5m,20k,\nc3,Art,3m,Chile,30k\n"
                    "d4,Art,4m,Chile,40k\ne5,Art,5m,Chile,50k\nf6,Art,6m,Chile,60k\n");
    assert_int_equal(count_of(&o, "row_shifted"), 1);
    assert_null(text(&o, PROFILE_country, 1));
    assert_true(number(&o, PROFILE_avg_likes, 1) == 20000);
    release(&o);
}

static void ragged_rows_are_mended_only_where_it_is_certain(void **state)
{
    (void)state;
    struct outcome o =
        import_text("handle,name,followers,posts,country\n"
                    "a1,Ann,1000,10,Peru\nb2,Ben,2000,20\nc3,Cleo,3000,Chile\n"
                    "d4,Dee, Jr,4000,40,Peru\ne5,Eve,5000,50,Peru\nf6,Flo,6000,60,Peru\n");
    /* b2 lacks the country, d4's name has a comma; c3 lacks followers or posts: nobody knows. */
    assert_int_equal(count_of(&o, "row_completed"), 1);
    assert_int_equal(count_of(&o, "row_too_short"), 1);
    assert_int_equal(count_of(&o, "row_joined"), 1);
    assert_int_equal(o.table->n_rows, 5);
    assert_string_equal(text(&o, PROFILE_name, 2), "Dee, Jr");
    assert_true(number(&o, PROFILE_followers, 2) == 4000);
    assert_int_equal(o.report->sources[0].n_refused, 1);
    release(&o);
}

static void values_that_cannot_be_are_missing_and_counted(void **state)
{
    (void)state;
    struct outcome o =
        import_text("handle,followers,following,avg_likes,posts\n"
                    "a1,50000,1838511,0,10\nb2,60000,20,-1,20\nc3,70000,-5,700,many\n"
                    "d4,80000,40,800,40\ne5,2e10,40,800,40\n");
    assert_true(isnan(number(&o, PROFILE_following, 0)));
    assert_true(isnan(number(&o, PROFILE_avg_likes, 0)));
    assert_true(isnan(number(&o, PROFILE_avg_likes, 1)));
    assert_true(isnan(number(&o, PROFILE_following, 2)));
    assert_true(isnan(number(&o, PROFILE_posts, 2)));
    assert_true(isnan(number(&o, PROFILE_followers, 4)));
    static const char *const rules[] = {"implausible", "zero_is_missing", "hidden",
                                        "negative",    "not_a_number",    "out_of_range"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        assert_int_equal(count_of(&o, rules[i]), 1);
    release(&o);
}

static void the_most_complete_of_two_rows_is_kept(void **state)
{
    (void)state;
    struct outcome o = import_text("handle,followers,posts\nTwin,1000,\ntwin,2000,5\nother,5,5\n"
                                   "other,5,5\nTHIRD,1,1\nthird,2,2\n");
    assert_int_equal(o.table->n_rows, 3);
    assert_true(number(&o, PROFILE_followers, 0) == 2000);
    assert_true(number(&o, PROFILE_followers, 2) == 1);
    assert_int_equal(count_of(&o, "duplicate_handle"), 2);
    assert_int_equal(count_of(&o, "duplicate_row"), 1);
    release(&o);
}

static void categories_that_run_together_are_split(void **state)
{
    (void)state;
    struct outcome o =
        import_text("handle,followers,category\na,1,Music\nb,2,Fashion\n"
                    "c,3,MusicFashion\nd,4,FashionMusic\ne,5,MusicFashionArt & Craft\n"
                    "f,6,Art & Craft\ng,7,Cars & BikesLuxury\n");
    assert_string_equal(text(&o, PROFILE_category, 2), "Music");
    assert_string_equal(extra(&o, "category_more", 4), "Fashion; Art & Craft");
    assert_string_equal(text(&o, PROFILE_category, 6), "Cars & Bikes");
    assert_int_equal(count_of(&o, "category_fused"), 4);
    release(&o);
}

static void camel_case_alone_splits_no_category(void **state)
{
    (void)state;
    struct outcome o = import_text("handle,followers,category\na,1,YouTube\nb,2,TikTok\nc,3,Art\n");
    assert_string_equal(text(&o, PROFILE_category, 0), "YouTube");
    release(&o);
}

static void rare_spellings_next_to_frequent_ones_are_corrected(void **state)
{
    (void)state;
    enum {
        ROWS = 1200
    };
    struct buffer csv = {0};
    buffer_put_text(&csv, "handle,followers,category\n");
    static const char *const names[] = {"fashion", "travel", "food"};
    for (int i = 0; i < ROWS; i++)
        buffer_printf(&csv, "acc%d,%d,%s\n", i, i + 1, names[i % 3]);
    buffer_put_text(&csv, "x1,1,fasion\nx2,2,fashion 0.5\nx3,3,by\nx4,4,Travel\n");
    struct outcome o = import_text(csv.at);
    assert_string_equal(text(&o, PROFILE_category, ROWS), "fashion");
    assert_string_equal(text(&o, PROFILE_category, ROWS + 1), "fashion");
    assert_null(text(&o, PROFILE_category, ROWS + 2));
    assert_string_equal(text(&o, PROFILE_category, ROWS + 3), "travel");
    assert_int_equal(count_of(&o, "category_typo"), 2);
    assert_int_equal(count_of(&o, "category_unknown"), 1);
    assert_int_equal(count_of(&o, "spelling"), 1);
    release(&o);
    buffer_deinit(&csv);
}

static void a_column_of_months_joins_into_growth(void **state)
{
    (void)state;
    struct outcome o = import_text("handle,followers,avg_engagement,snapshot\n"
                                   "a,1000,10,2024-01\na,1100,11,2024-03\nb,500,5,2024-01\n"
                                   "c,9000,90,2024-01\nc,4000,40,2024-03\na,900,9,2023-12\n");
    assert_int_equal(o.table->n_rows, 3);
    assert_string_equal(text(&o, PROFILE_handle, 0), "a");
    assert_true(number(&o, PROFILE_followers, 0) == 1100);
    assert_true(number(&o, PROFILE_previous_followers, 0) == 1000);
    assert_true(number(&o, PROFILE_previous_engagement, 0) == 10);
    assert_true(number(&o, PROFILE_previous_months, 0) == 2);
    assert_true(isnan(number(&o, PROFILE_previous_followers, 1)));
    assert_true(isnan(number(&o, PROFILE_previous_followers, 2)));
    assert_int_equal(count_of(&o, "handle_reassigned"), 1);
    release(&o);
}

/* The newest month is what became of them; with one skipped, the month before it is. */
static void growth_can_be_seen_with_the_eyes_of_an_earlier_month(void **state)
{
    (void)state;
    const char *csv = "handle,followers,avg_engagement,snapshot\n"
                      "a,1000,10,2024-01\nb,500,5,2024-01\na,1100,11,2024-03\nb,600,6,2024-03\n"
                      "a,1300,13,2024-04\nb,610,6,2024-04\nc,70,7,2024-03\nc,77,7,2024-04\n";
    const struct {
        size_t n_rows;
        double after[2];
    } expected[] = {{3, {1300, 610}}, {2, {1100, 600}}};
    for (size_t skipped = 0; skipped < 2; skipped++) {
        struct import_options options = {.growth = true, .growth_skipped = skipped};
        struct outcome o = {0};
        o.status =
            import_memory(csv, strlen(csv), "table.csv", &options, &o.table, &o.report, NULL);
        assert_int_equal(o.status, STATUS_OK);
        assert_int_equal(o.table->n_rows, expected[skipped].n_rows);
        for (size_t row = 0; row < 2; row++) {
            double now = number(&o, PROFILE_followers, row);
            assert_near(strtod(extra(&o, "growth", row), NULL),
                        100 * log((1 + expected[skipped].after[row]) / (1 + now)), 1e-6);
        }
        if (skipped == 0) {
            assert_near(number(&o, PROFILE_previous_followers, 0), 1000, 0);
            assert_null(extra(&o, "growth", 2)); /* c was not there before */
        } else {
            assert_null(o.table->number[PROFILE_previous_followers]);
        }
        release(&o);
    }
    struct import_options options = {.growth = true, .growth_skipped = 2};
    struct outcome o = {0};
    o.status = import_memory(csv, strlen(csv), "table.csv", &options, &o.table, &o.report, NULL);
    assert_int_equal(o.status, STATUS_INVALID);
    release(&o);
}

static void columns_that_nobody_knows_are_kept_as_text(void **state)
{
    (void)state;
    struct outcome o = import_text("handle,followers,Fake?,Fake?\na,1,0,x\nb,2,1,\n");
    assert_string_equal(extra(&o, "fake", 1), "1");
    assert_null(extra(&o, "fake_4", 1));
    release(&o);
}

static void lines_are_those_of_the_file(void **state)
{
    (void)state;
    struct outcome o =
        import_text("name,handle,followers\r\n\r\n\"two\r\nlines\",a1,10\r\nB b,b2,20\r\n");
    assert_int_equal(o.table->line[0], 3);
    assert_int_equal(o.table->line[1], 5);
    assert_string_equal(text(&o, PROFILE_name, 0), "two lines");
    release(&o);
}

static void what_is_no_table_of_profiles_is_refused_with_the_reason(void **state)
{
    (void)state;
    assert_refused("", "empty");
    assert_refused("\n\n\n", "blank");
    assert_refused("handle,followers\n", "no rows");
    assert_refused("tea.garden,1000,5\npine.cone,2000,6\n", "needs a column of followers");
    assert_refused("handle,likes\na,1\n", "needs a column of followers");
    assert_refused("handle,folwoers_x\na,1\n", "is 'folwoers_x' meant to be");
    assert_refused("follower,followed\nann,ben\nben,cleo\n", "holds no numbers");
    assert_refused("handle,followers\nann,\"10\nben,20\n", "never closed");
    assert_refused("<!doctype html><html>", "web page");
    assert_refused("{\"followers\": 3}", "JSON");
    assert_refused("PK\x03\x04zip", "spreadsheet");
}

static void a_field_beyond_the_bound_is_refused_by_line(void **state)
{
    (void)state;
    struct buffer csv = {0};
    buffer_put_text(&csv, "handle,followers\na,1\n");
    for (int i = 0; i < 3 << 20; i++)
        buffer_put_char(&csv, 'x');
    struct outcome o = import_bytes(csv.at, csv.length);
    assert_int_equal(o.status, STATUS_LIMIT);
    assert_non_null(strstr(o.err.message, "line 3"));
    release(&o);
    buffer_clear(&csv);
    for (int i = 0; i < 100000; i++)
        buffer_put_char(&csv, ',');
    o = import_bytes(csv.at, csv.length);
    assert_int_equal(o.status, STATUS_LIMIT);
    release(&o);
    buffer_deinit(&csv);
}

static void a_quote_that_swallowed_rows_is_refused(void **state)
{
    (void)state;
    assert_refused("handle,followers,posts,country\n\"a,1,2,Peru\nb,2,3,Peru\nc,\"3\",4,Peru\n",
                   "closing quote");
}

/* ---- in pieces ---- */

struct collected {
    const struct table *whole;
    size_t n_pieces, n_rows;
};

/* Every row of a piece is the same row of the whole table. */
static enum status compare_piece(void *user, const struct table *piece, struct error *err)
{
    struct collected *c = user;
    (void)err;
    for (size_t row = 0; row < piece->n_rows; row++, c->n_rows++) {
        struct profile a;
        struct profile b;
        table_profile(piece, row, &a);
        table_profile(c->whole, c->n_rows, &b);
        assert_int_equal(piece->line[row], c->whole->line[c->n_rows]);
        for (size_t i = 0; i < PROFILE_N_NUMBERS; i++)
            if (a.number[i] != b.number[i] && !(isnan(a.number[i]) && isnan(b.number[i])))
                fail_msg("row %zu, %s: %.17g in a piece, %.17g in the whole", c->n_rows,
                         profile_number_field((enum profile_number)i)->name, a.number[i],
                         b.number[i]);
        for (size_t i = 0; i < PROFILE_N_TEXTS; i++)
            if (a.text[i] != b.text[i]) /* which spelling is the usual one, each piece decides */
                assert_true(a.text[i] && b.text[i] && text_equal_fold(a.text[i], b.text[i]));
    }
    c->n_pieces++;
    return STATUS_OK;
}

static void put_dirty_row(struct buffer *text, size_t i)
{
    static const char *const categories[] = {"fashion", "Music", "N/A", "music", "food"};
    buffer_printf(text, "made.up_%05zu;%s;", i, categories[i * 7 % 5]);
    buffer_printf(text, i % 3 ? "%zu;" : "%zu,%zuk;", 1000 + i * 37 % 900, i % 10);
    buffer_printf(text, i % 11 ? "%zu,%02zu%%;" : "-;", i % 7, i * 13 % 100);
    buffer_printf(text, "%zu;%zu,%zu\n", 12 + i * 31 % 500, i * 17 % 300, i % 9 + 1);
}

static void pieces_are_the_whole_cut_up(void **state)
{
    (void)state;
    struct buffer text = {0};
    buffer_put_text(&text, "Account;Category;Followers;Eng. rate;Posts;Avg. likes\n");
    for (size_t i = 0; i < 3000; i++)
        put_dirty_row(&text, i);
    put_dirty_row(&text, 7); /* an account that stood there already */
    char path[] = "/tmp/test-pieces-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.at, text.length), text.length);
    close(fd);
    struct outcome whole = import_bytes(text.at, text.length);
    assert_int_equal(whole.status, STATUS_OK);
    struct outcome pieces = {0};
    struct collected collected = {.whole = whole.table};
    const struct import_options options = {.first_piece_rows = 1000, .piece_rows = 128};
    pieces.status =
        import_pieces(path, &options, compare_piece, &collected, &pieces.report, &pieces.err);
    if (pieces.status != STATUS_OK)
        fail_msg("%s", pieces.err.message);
    const struct import_source *a = &whole.report->sources[0];
    const struct import_source *b = &pieces.report->sources[0];
    assert_int_equal(collected.n_rows, whole.table->n_rows);
    assert_int_equal(collected.n_pieces, 1 + (3001 - 1000 + 127) / 128);
    assert_int_equal(count_of(&pieces, "duplicate_further_up"), 1);
    assert_int_equal(count_of(&whole, "spelling") > 0, count_of(&pieces, "spelling") > 0);
    assert_int_equal(a->n_lines, b->n_lines);
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_kept, b->n_kept);
    assert_string_equal(a->sha256, b->sha256);
    for (size_t i = 0; i < a->n_columns; i++) {
        assert_int_equal(a->columns[i].n_present, b->columns[i].n_present);
        assert_string_equal(a->columns[i].unit, b->columns[i].unit);
        assert_string_equal(a->columns[i].how, b->columns[i].how);
    }
    release(&whole);
    release(&pieces);
    buffer_deinit(&text);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_table_in_many_dresses_reads_the_same),
        cmocka_unit_test(utf16_reads_like_utf8),
        cmocka_unit_test(cells_decide_which_column_is_the_handle),
        cmocka_unit_test(bare_rates_are_read_by_what_fits_the_likes),
        cmocka_unit_test(a_rate_without_any_hint_is_set_aside),
        cmocka_unit_test(columns_whose_suffixes_were_stripped_are_not_believed),
        cmocka_unit_test(a_shifted_row_is_moved_back_where_only_one_place_fits),
        cmocka_unit_test(ragged_rows_are_mended_only_where_it_is_certain),
        cmocka_unit_test(values_that_cannot_be_are_missing_and_counted),
        cmocka_unit_test(the_most_complete_of_two_rows_is_kept),
        cmocka_unit_test(categories_that_run_together_are_split),
        cmocka_unit_test(camel_case_alone_splits_no_category),
        cmocka_unit_test(rare_spellings_next_to_frequent_ones_are_corrected),
        cmocka_unit_test(a_column_of_months_joins_into_growth),
        cmocka_unit_test(growth_can_be_seen_with_the_eyes_of_an_earlier_month),
        cmocka_unit_test(columns_that_nobody_knows_are_kept_as_text),
        cmocka_unit_test(lines_are_those_of_the_file),
        cmocka_unit_test(what_is_no_table_of_profiles_is_refused_with_the_reason),
        cmocka_unit_test(a_field_beyond_the_bound_is_refused_by_line),
        cmocka_unit_test(a_quote_that_swallowed_rows_is_refused),
        cmocka_unit_test(pieces_are_the_whole_cut_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
