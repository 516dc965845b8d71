/* SPDX-License-Identifier: Apache-2.0 */

/* bench-library MODELS: what a row costs through the public API, for SQL to be held against it.
 *
 * Rows come on stdin as PostgreSQL's COPY writes them (CSV without quotes): handle, followers,
 * following, posts, avg_likes, category. They are parsed once; what is timed is what any caller has
 * to do for a row: forget the last one, set the fields, ask. Prints "score NS" and so on, CPU
 * nanoseconds a row; "predict" is score, tier and cluster. Whoever measures calls it several times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "influence/predict.h"

#define N_NUMBERS 4

struct row {
    char handle[24];
    double numbers[N_NUMBERS];
    char category[16];
};

static const char *const numbers[N_NUMBERS] = {"followers", "following", "posts", "avg_likes"};
static int fields[N_NUMBERS];

static void must(enum ifl_status status, const struct ifl_error *err)
{
    if (status == IFL_OK)
        return;
    fprintf(stderr, "bench-library: %s\n", err->message);
    exit(1);
}

/* "acct_1,1200,30,40,56.5,food": false when it is something else. */
static int read_row(char *line, struct row *row)
{
    char *rest = line;
    char *end;
    const char *handle = strsep(&rest, ",");
    snprintf(row->handle, sizeof row->handle, "%s", handle);
    for (int i = 0; i < N_NUMBERS; i++) {
        const char *number = strsep(&rest, ",");
        if (!number)
            return 0;
        row->numbers[i] = strtod(number, &end);
        if (end == number)
            return 0;
    }
    if (!rest)
        return 0;
    snprintf(row->category, sizeof row->category, "%.*s", (int)strcspn(rest, "\n"), rest);
    return 1;
}

static struct row *read_rows(size_t *ret_n)
{
    struct row *rows = NULL;
    struct row row;
    char line[256];
    size_t n = 0;
    size_t room = 0;
    while (fgets(line, sizeof line, stdin) && read_row(line, &row)) {
        if (n == room) {
            room = room ? 2 * room : 4096;
            struct row *more = realloc(rows, room * sizeof *rows);
            if (!more)
                abort();
            rows = more;
        }
        rows[n++] = row;
    }
    *ret_n = n;
    return rows;
}

static void set(struct ifl_session *session, const struct row *row)
{
    struct ifl_error err;
    ifl_clear(session);
    must(ifl_set(session, "handle", row->handle, &err), &err);
    for (int i = 0; i < N_NUMBERS; i++)
        must(ifl_set_number(session, fields[i], row->numbers[i], &err), &err);
    must(ifl_set(session, "category", row->category, &err), &err);
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double ask_score(struct ifl_session *session)
{
    struct ifl_error err;
    struct ifl_score score;
    must(ifl_score_only(session, &score, &err), &err);
    return score.score;
}

static double ask_tier(struct ifl_session *session)
{
    struct ifl_error err;
    struct ifl_tier tier;
    must(ifl_tier(session, &tier, &err), &err);
    return tier.probabilities[0];
}

static double ask_cluster(struct ifl_session *session)
{
    struct ifl_error err;
    struct ifl_cluster cluster;
    must(ifl_cluster(session, &cluster, &err), &err);
    return (double)cluster.cluster;
}

static double ask_everything(struct ifl_session *session)
{
    return ask_score(session) + ask_tier(session) + ask_cluster(session);
}

static double ask_contributions(struct ifl_session *session)
{
    struct ifl_error err;
    struct ifl_score score;
    must(ifl_score(session, &score, &err), &err);
    return score.base * score.base + (double)score.n_contributions;
}

static double ask_similar(struct ifl_session *session)
{
    struct ifl_error err;
    struct ifl_similar similar;
    const struct ifl_similar_query query = {.k = 10};
    must(ifl_similar(session, &query, &similar, &err), &err);
    return (double)similar.n;
}

static const struct {
    const char *name;
    double (*ask)(struct ifl_session *session);
    size_t one_of; /* so many rows: those that take long are asked of fewer */
} questions[] = {
    {"score", ask_score, 1},
    {"tier", ask_tier, 1},
    {"cluster", ask_cluster, 1},
    {"predict", ask_everything, 1},
    {"explain", ask_contributions, 10},
    {"similar", ask_similar, 10},
};

/* The sum keeps the work from being left out. */
static void measure(struct ifl_session *session, const struct row *rows, size_t n, size_t question)
{
    double sum = 0;
    size_t n_asked = 0;
    double begin = cpu_ns();
    for (size_t i = 0; i < n; i += questions[question].one_of, n_asked++) {
        set(session, &rows[i]);
        sum += questions[question].ask(session);
    }
    double taken = (cpu_ns() - begin) / (double)n_asked;
    printf("%s %.1f\n", questions[question].name, sum < 0 ? 0 : taken);
}

int main(int argc, char **argv)
{
    struct ifl_error err;
    struct ifl_engine *engine;
    struct ifl_session *session;
    size_t n;
    struct row *rows = read_rows(&n);
    if (argc != 2 || n == 0) {
        fprintf(stderr, "bench-library: give MODELS, and rows on stdin\n");
        return 2;
    }
    for (int i = 0; i < N_NUMBERS; i++)
        fields[i] = ifl_field_find(numbers[i]);
    must(ifl_engine_open(argv[1], &engine, &err), &err);
    must(ifl_session_new(engine, &session, &err), &err);
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        measure(session, rows, n, i);
    ifl_session_free(session);
    ifl_engine_close(engine);
    free(rows);
    return 0;
}
