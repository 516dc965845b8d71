/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "base/json.h"
#include "runtime/spec_section.h"

/* An order of rank 0 is a JSON text: what to do, and what the others must know to do it; and, as a
 * blob, the columns that they shall see their rows by. */
#define ORDER_FIT "fit"
#define ORDER_ARCHETYPES "archetypes"
#define ORDER_END "end"
#define SPEC_PREFIX "columns"

static enum status out_of_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* ---- orders out ---- */

struct spec_bytes {
    void *at;
    size_t n;
};

static void spec_bytes_deinit(struct spec_bytes *bytes)
{
    free(bytes->at);
}

/* As it ships. */
static enum status pack_spec(const struct feature_spec *spec, struct spec_bytes *ret_bytes,
                             struct error *err)
{
    AUTO(artifact_writer_free_slot) struct artifact_writer *writer = NULL;
    TRY(artifact_writer_new(ARTIFACT_SIMILAR, &writer, err));
    TRY(spec_write(writer, SPEC_PREFIX, spec, err));
    return artifact_finish(writer, &ret_bytes->at, &ret_bytes->n, err);
}

/* spec: NULL, when there is none to tell. */
static enum status give(const struct together *together, struct buffer *order,
                        const struct feature_spec *spec, struct error *err)
{
    if (order->failed)
        return out_of_memory(err);
    AUTO(spec_bytes_deinit) struct spec_bytes bytes = {0};
    if (spec)
        TRY(pack_spec(spec, &bytes, err));
    uint64_t lengths[] = {order->length, bytes.n};
    TRY(collective_broadcast(together->group, lengths, sizeof lengths, 0, err));
    TRY(collective_broadcast(together->group, order->at, order->length, 0, err));
    return collective_broadcast(together->group, bytes.at, bytes.n, 0, err);
}

/* Whole 64 bits, which a JSON number does not hold. */
static void put_seed(struct json_writer *w, uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    json_member_string(w, "seed", text);
}

/* ---- orders in ---- */

struct order {
    struct arena memory;
    char *text;
    const struct json *json;
    const char *what;
    void *bytes; /* of the spec */
    struct artifact *artifact;
    struct feature_spec *spec; /* NULL: none was told */
};

static void order_deinit(struct order *order)
{
    feature_spec_free(order->spec);
    artifact_close(order->artifact);
    free(order->bytes);
    arena_deinit(&order->memory);
    free(order->text);
}

static enum status hear_spec(const struct together *together, size_t n_bytes, struct order *order,
                             struct error *err)
{
    order->bytes = aligned_alloc(64, (n_bytes + 63) / 64 * 64);
    if (!order->bytes)
        return out_of_memory(err);
    TRY(collective_broadcast(together->group, order->bytes, n_bytes, 0, err));
    TRY(artifact_open_memory(order->bytes, n_bytes, "what rank 0 sent", &order->artifact, err));
    return spec_open(order->artifact, SPEC_PREFIX, &order->spec, err);
}

static enum status hear(const struct together *together, struct order *order, struct error *err)
{
    arena_init(&order->memory, 65536);
    uint64_t lengths[2] = {0};
    TRY(collective_broadcast(together->group, lengths, sizeof lengths, 0, err));
    order->text = malloc(lengths[0] + 1);
    if (!order->text)
        return out_of_memory(err);
    TRY(collective_broadcast(together->group, order->text, lengths[0], 0, err));
    TRY(json_parse(order->text, lengths[0], &order->memory, &order->json, err));
    TRY(json_need_string(order->json, "order", &order->what, err));
    return lengths[1] > 0 ? hear_spec(together, lengths[1], order, err) : STATUS_OK;
}

static uint64_t take_seed(const struct json *order)
{
    return strtoull(json_string_or(json_get(order, "seed"), "0"), NULL, 10);
}

static size_t take_size(const struct json *order, const char *key)
{
    double value = json_number_or(json_get(order, key), 0);
    return value > 0 ? (size_t)value : 0;
}

/* ---- a trainer ---- */

/* The same answer in all processes: they go on, or end, together. */
static enum status count_rows(const struct together *together, size_t n, size_t *ret_n_all,
                              struct error *err)
{
    double n_all = (double)n;
    double minus_least = -(double)n;
    TRY(collective_sum(together->group, &n_all, 1, err));
    TRY(collective_max(together->group, &minus_least, 1, err));
    if (-minus_least < TOGETHER_MIN_ROWS)
        return fail(err, STATUS_INVALID,
                    "a worker has only %.0f rows to learn from, of %.0f: at least %d, so fewer "
                    "workers, or more even parts",
                    -minus_least, n_all, TOGETHER_MIN_ROWS);
    *ret_n_all = (size_t)n_all;
    return STATUS_OK;
}

/* problem: all but the rows. */
static enum status fit_own(const struct together *together, const struct trainer *trainer,
                           const struct json *form, struct problem *problem,
                           struct fitted **ret_fitted, struct error *err)
{
    AUTO(target_free_slot) struct target *target = NULL;
    AUTO(matrix_deinit) struct matrix matrix = {0};
    TRY(target_of_form(form, together->own, &target, err));
    TRY(count_rows(together, target->n, &problem->n_all, err));
    TRY(matrix_make(problem->spec, together->own, target->rows, target->n, &matrix, err));
    problem->n = matrix.n;
    problem->p = matrix.p;
    problem->raw = matrix.raw;
    problem->scaled = matrix.scaled;
    problem->y = target->y;
    problem->label = target->label;
    problem->group = together->group;
    return trainer->fit(problem, ret_fitted, err);
}

static void put_monotone(const struct problem *problem, struct json_writer *w)
{
    json_put_key(w, "monotone");
    json_begin_array(w);
    for (size_t c = 0; problem->monotone && c < problem->p; c++)
        json_put_integer(w, problem->monotone[c]);
    json_end_array(w);
}

static void put_fit(const struct trainer *trainer, const struct target *target,
                    const struct problem *problem, struct json_writer *w)
{
    json_begin_object(w);
    json_member_string(w, "order", ORDER_FIT);
    json_member_string(w, "trainer", trainer->name);
    json_member_integer(w, "task", trainer->task);
    json_member_integer(w, "loss", problem->loss);
    json_member_integer(w, "n_classes", (int64_t)problem->n_classes);
    json_member_bool(w, "is_ordered", problem->is_ordered);
    json_member_integer(w, "n_fits", (int64_t)problem->n_fits);
    json_member_integer(w, "n_threads", problem->n_threads);
    put_seed(w, problem->seed);
    put_monotone(problem, w);
    json_put_key(w, "target");
    target_put_form(target, w);
    json_end_object(w);
}

enum status together_fit(const struct together *together, const struct trainer *trainer,
                         const struct target *target, const struct problem *deciding,
                         struct fitted **ret_fitted, struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    put_fit(trainer, target, deciding, &w);
    TRY(give(together, &text, deciding->spec, err));
    AUTO(arena_deinit) struct arena memory;
    arena_init(&memory, 65536);
    const struct json *order;
    TRY(json_parse(text.at, text.length, &memory, &order, err));
    struct problem problem = *deciding;
    problem.words = NULL;
    problem.deciding = deciding;
    return fit_own(together, trainer, json_get(order, "target"), &problem, ret_fitted, err);
}

/* NULL: there are no constraints. */
static enum status take_monotone(struct order *order, const signed char **ret_monotone,
                                 struct error *err)
{
    const struct json *signs = json_get(order->json, "monotone");
    *ret_monotone = NULL;
    if (json_count(signs) == 0)
        return STATUS_OK;
    signed char *monotone = ARENA_ARRAY(&order->memory, signed char, order->spec->n_columns + 1);
    if (!monotone)
        return out_of_memory(err);
    size_t column = 0;
    for (const struct json *sign = json_first(signs); sign && column < order->spec->n_columns;
         sign = json_next(sign))
        monotone[column++] = (signed char)json_number_or(sign, 0);
    *ret_monotone = monotone;
    return STATUS_OK;
}

static enum status follow_fit(const struct together *together, struct order *order,
                              struct error *err)
{
    const struct json *json = order->json;
    enum task task =
        take_size(json, "task") == TASK_REGRESSION ? TASK_REGRESSION : TASK_CLASSIFICATION;
    const char *name = json_string_or(json_get(json, "trainer"), "");
    const struct trainer *trainer = trainer_find(name, task);
    if (!trainer || !trainer->joins_groups)
        return fail(err, STATUS_UNSUPPORTED, "rank 0 asks for a model that is not known: '%s'",
                    name);
    AUTO(fitted_free_slot) struct fitted *fitted = NULL;
    struct problem problem = {
        .task = task,
        .loss = take_size(json, "loss") == LOSS_ABSOLUTE ? LOSS_ABSOLUTE : LOSS_SQUARED,
        .n_classes = take_size(json, "n_classes"),
        .is_ordered = json_bool_or(json_get(json, "is_ordered"), false),
        .spec = order->spec,
        .n_fits = take_size(json, "n_fits"),
        .seed = take_seed(json),
        .n_threads = (int)take_size(json, "n_threads"),
    };
    TRY(take_monotone(order, &problem.monotone, err));
    return fit_own(together, trainer, json_get(json, "target"), &problem, &fitted, err);
}

/* ---- archetypes ---- */

static enum status make_own(const struct together *together, const struct feature_spec *spec,
                            struct matrix *ret_matrix, struct error *err)
{
    size_t n = together->own->n_rows;
    AUTO(free_slot) size_t *rows = calloc(n + 1, sizeof *rows);
    if (!rows)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    return matrix_make(spec, together->own, rows, n, ret_matrix, err);
}

enum status together_archetypes(const struct together *together, const struct feature_spec *spec,
                                const struct matrix *matrix,
                                const struct archetypes_options *options,
                                struct archetypes **ret_archetypes, struct error *err)
{
    if (!together->group)
        return archetypes_fit(spec, matrix, options, ret_archetypes, err);
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    json_begin_object(&w);
    json_member_string(&w, "order", ORDER_ARCHETYPES);
    put_seed(&w, options->seed);
    json_end_object(&w);
    TRY(give(together, &text, spec, err));
    AUTO(matrix_deinit) struct matrix own = {0};
    TRY(make_own(together, spec, &own, err));
    struct archetypes_options of_all = *options;
    of_all.group = together->group;
    of_all.own = &own;
    return archetypes_fit(spec, matrix, &of_all, ret_archetypes, err);
}

static enum status follow_archetypes(const struct together *together, const struct order *order,
                                     struct error *err)
{
    AUTO(matrix_deinit) struct matrix own = {0};
    TRY(make_own(together, order->spec, &own, err));
    return archetypes_join(together->group, &own, take_seed(order->json), err);
}

/* ---- */

enum status together_end(const struct together *together, struct error *err)
{
    AUTO(buffer_deinit) struct buffer text = {0};
    struct json_writer w = json_writer(&text);
    if (!together->group)
        return STATUS_OK;
    json_begin_object(&w);
    json_member_string(&w, "order", ORDER_END);
    json_end_object(&w);
    return give(together, &text, NULL, err);
}

enum status together_follow(const struct together *together, struct error *err)
{
    for (;;) {
        AUTO(order_deinit) struct order order = {0};
        TRY(hear(together, &order, err));
        if (strcmp(order.what, ORDER_END) == 0)
            return STATUS_OK;
        if (!order.spec)
            return fail(err, STATUS_CORRUPT, "rank 0 says '%s', but not by which columns",
                        order.what);
        TRY(strcmp(order.what, ORDER_FIT) == 0 ? follow_fit(together, &order, err)
                                               : follow_archetypes(together, &order, err));
    }
}
