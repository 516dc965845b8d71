/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/handlers.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "serve/answers.h"
#include "serve/codec.h"
#include "serve/handlers_csv.h"
#include "serve/problem.h"
#include "serve/router.h"
#include "serve/service.h"
#include "serve/tile.h"
#include "serve/v2.h"

/* One profile on its way to its answer. */
struct prediction {
    struct profile profile;
    struct unknown_names unknown;
    union answer answer;
};

static enum status read_profile(const struct asker *asker, const struct json *object,
                                struct own_values own, struct profile *ret_profile,
                                struct unknown_names *unknown, struct error *err)
{
    bool is_body = object == asker->options->body;
    TRY(codec_read_profile(object, is_body, &own, ret_profile, unknown, err));
    return asker->options->strict ? codec_refuse_unknown(unknown, err) : STATUS_OK;
}

static void write_prediction(const struct asker *asker, const struct answer_kind *kind,
                             const struct profile *profile, const union answer *answer,
                             const struct unknown_names *unknown, struct json_writer *w)
{
    if (profile->text[PROFILE_handle])
        json_member_string(w, "handle", profile->text[PROFILE_handle]);
    kind->write(asker, answer, w);
    own_values_write_lacking(engine_spec(asker->engine, kind->model), profile, w);
    codec_write_unknown(w, unknown);
}

/* The reply's outermost object, with what every answer names first. */
static struct json_writer open_reply(struct request *request, const struct asker *asker)
{
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(asker->engine));
    return w;
}

/* Many instances on their way, over several turns. */
struct batch {
    struct asker asker;
    struct codec_options options;
    const struct answer_kind *kind;
    struct json_writer w;
    const struct json *next; /* to be read; NULL: all were */
    struct tile tile;
    struct profile_extra *room; /* own values of the tile's profiles */
    struct unknown_names unknown[ENGINE_ROWS];
};

static void write_instance(void *user, size_t i, const union answer *answer)
{
    struct batch *batch = user;
    if (!answer) {
        problem_write(&batch->w, &batch->tile.problems[i]);
        return;
    }
    json_begin_object(&batch->w);
    write_prediction(&batch->asker, batch->kind, &batch->tile.profiles[i], answer,
                     &batch->unknown[i], &batch->w);
    json_end_object(&batch->w);
}

static void add_instance(struct batch *batch, const struct json *item)
{
    struct tile *tile = &batch->tile;
    size_t i = tile->n++;
    batch->unknown[i] = (struct unknown_names){0};
    struct own_values own = own_values_at(batch->asker.engine, batch->asker.arena, batch->room, i);
    tile->status[i] = read_profile(&batch->asker, item, own, &tile->profiles[i], &batch->unknown[i],
                                   &tile->problems[i]);
    if (tile_is_full(&batch->asker, batch->kind, tile))
        tile_answer(&batch->asker, batch->kind, tile, write_instance, batch);
}

/* As many as the turn has time for; the reply is whole when the request is not unfinished. */
static void answer_batch(struct request *request, struct batch *batch)
{
    while (batch->next) {
        add_instance(batch, batch->next);
        batch->next = json_next(batch->next);
        if (batch->tile.n == 0 && batch->next && turn_is_over(request)) {
            request->unfinished = true;
            return;
        }
    }
    tile_answer(&batch->asker, batch->kind, &batch->tile, write_instance, batch);
    json_end_array(&batch->w);
    codec_write_unknown(&batch->w, &batch->options.unknown);
    json_end_object(&batch->w);
}

static enum status predict_instances(struct request *request, const struct asker *asker,
                                     const struct answer_kind *kind, const struct json *instances,
                                     struct error *err)
{
    size_t most = (size_t)request->service->config->predict_max_instances;
    if (json_type(instances) != JSON_ARRAY)
        return fail_field(err, STATUS_INVALID, "instances", "must be an array, got %s",
                          json_type_name(json_type(instances)));
    size_t n = json_count(instances);
    if (n == 0 || n > most)
        return fail_field(err, n == 0 ? STATUS_INVALID : STATUS_LIMIT, "instances",
                          "must hold between 1 and %zu profiles, got %zu", most, n);
    if (request->route->id == ROUTE_SIMILAR && n * asker->options->similar.k > ANSWERS_MAX_SIMILAR)
        return fail_field(err, STATUS_LIMIT, "instances",
                          "%zu profiles with k = %zu ask for more than %d neighbours in all", n,
                          asker->options->similar.k, ANSWERS_MAX_SIMILAR);
    struct batch *batch = arena_alloc(&request->arena, sizeof *batch);
    if (!batch)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    batch->options = *asker->options;
    batch->asker = *asker;
    batch->asker.options = &batch->options;
    TRY(own_values_room(asker->engine, ENGINE_ROWS, asker->arena, &batch->room, err));
    batch->kind = kind;
    batch->w = open_reply(request, asker);
    batch->next = json_first(instances);
    batch->tile.n = 0;
    json_put_key(&batch->w, "predictions");
    json_begin_array(&batch->w);
    request->work = batch;
    answer_batch(request, batch);
    return STATUS_OK;
}

/* Members that mean nothing beside "instances". */
static enum status check_batch_members(const struct json *body, struct codec_options *options,
                                       struct error *err)
{
    for (const struct json *item = json_first(body); item; item = json_next(item))
        if (strcmp(json_key(item), "instances") != 0 && !codec_is_option(json_key(item)))
            codec_note_unknown(&options->unknown, json_key(item));
    return options->strict ? codec_refuse_unknown(&options->unknown, err) : STATUS_OK;
}

static enum status predict_body(struct request *request, struct asker *asker,
                                const struct answer_kind *kind, struct codec_options *options,
                                struct error *err)
{
    const struct json *body;
    if (codec_read_body(request, request->body.length, &body, err) != STATUS_OK) {
        /* Without a field it is no JSON at all; with one (a key twice, 1e999) it is JSON that we do
         * not take. */
        if (err->status != STATUS_INVALID || err->field[0])
            return err->status;
        problem_reply_http(request, 400, "not_json", err->message);
        return STATUS_OK;
    }
    if (request->unfinished)
        return STATUS_OK;
    if (json_type(body) != JSON_OBJECT)
        return fail(err, STATUS_INVALID, "the body must be an object, got %s",
                    json_type_name(json_type(body)));
    options->body = body;
    TRY(codec_read_options(body, &request->arena, options, err));
    const struct json *instances = json_get(body, "instances");
    if (instances) {
        TRY(check_batch_members(body, options, err));
        if (!options->explain)
            TRY(answer_add_rows(request, asker, err));
        return predict_instances(request, asker, kind, instances, err);
    }
    struct prediction prediction = {.unknown = options->unknown};
    struct profile_extra *room;
    TRY(own_values_room(asker->engine, 1, asker->arena, &room, err));
    TRY(read_profile(asker, body, own_values_at(asker->engine, asker->arena, room, 0),
                     &prediction.profile, &prediction.unknown, err));
    TRY(answer_profile(asker, kind, &prediction.profile, &prediction.answer, err));
    struct json_writer w = open_reply(request, asker);
    write_prediction(asker, kind, &prediction.profile, &prediction.answer, &prediction.unknown, &w);
    json_end_object(&w);
    return STATUS_OK;
}

static enum status predict_handle(struct request *request, const struct asker *asker,
                                  const struct answer_kind *kind, struct error *err)
{
    const struct codec_options *options = asker->options;
    if (!options->handle)
        return fail_field(err, STATUS_INVALID, "handle",
                          "is needed: ?handle=NAME, or POST a profile");
    struct prediction prediction = {.unknown = options->unknown};
    TRY(answer_find_profile(engine_catalogue(asker->engine), options->handle, &prediction.profile,
                            err));
    TRY(kind->compute(asker, &prediction.profile, &prediction.answer, err));
    struct json_writer w = open_reply(request, asker);
    write_prediction(asker, kind, &prediction.profile, &prediction.answer, &prediction.unknown, &w);
    json_end_object(&w);
    return STATUS_OK;
}

/* What is asked, by whom. */
static enum status prepare(struct request *request, const struct answer_kind *kind,
                           struct codec_options *ret_options, struct asker *ret_asker,
                           struct error *err)
{
    bool has_filters = request->route->id == ROUTE_SIMILAR;
    codec_options_init(ret_options, has_filters ? CODEC_NEIGHBOURS : CODEC_PREDICTION);
    TRY(codec_read_parameters(request->parameters, &request->arena, ret_options, err));
    if (ret_options->strict)
        TRY(codec_refuse_unknown(&ret_options->unknown, err));
    TRY(v2_check_loaded(request, kind->model, err));
    return answer_asker(request, ret_options, ret_asker, err);
}

enum status handle_rows(struct request *request, const char *data, size_t bytes, struct error *err)
{
    struct codec_options options;
    struct asker asker;
    static const struct answer_kind *const kinds[] = {
        [ROUTE_SCORE] = &answer_score,
        [ROUTE_TIER] = &answer_tier,
        [ROUTE_CLUSTER] = &answer_cluster,
        [ROUTE_SIMILAR] = &answer_similar,
    };
    assert(request->route->id < ARRAY_LENGTH(kinds));
    if (!request->sheet) {
        const struct answer_kind *kind = kinds[request->route->id];
        TRY(prepare(request, kind, &options, &asker, err));
        TRY(handlers_csv_open(request, &asker, &options, kind, err));
    }
    return handlers_csv_feed(request, data, bytes, err);
}

static enum status predict(struct request *request, const struct answer_kind *kind,
                           struct error *err)
{
    struct codec_options options;
    struct asker asker;
    if (request->sheet)
        return handlers_csv_close(request, err);
    if (request->work) {
        answer_batch(request, request->work);
        return STATUS_OK;
    }
    TRY(prepare(request, kind, &options, &asker, err));
    bool is_utf8;
    if (request->method == HTTP_POST && request->head.content_type &&
        http_type_is(request->head.content_type, HTTP_CSV, &is_utf8)) {
        TRY(handlers_csv_open(request, &asker, &options, kind, err));
        TRY(handlers_csv_feed(request, request->body.at, request->body.length, err));
        bool goes_on = request->status == 0 && !request->unfinished;
        return goes_on ? handlers_csv_close(request, err) : STATUS_OK;
    }
    if (request->method == HTTP_POST)
        return predict_body(request, &asker, kind, &options, err);
    return predict_handle(request, &asker, kind, err);
}

enum status handle_score(struct request *request, struct error *err)
{
    return predict(request, &answer_score, err);
}

enum status handle_tier(struct request *request, struct error *err)
{
    return predict(request, &answer_tier, err);
}

enum status handle_similar(struct request *request, struct error *err)
{
    return predict(request, &answer_similar, err);
}

enum status handle_cluster(struct request *request, struct error *err)
{
    if (request->method == HTTP_POST || request->parameters)
        return predict(request, &answer_cluster, err);
    struct json_writer w = json_writer(&request->reply);
    json_begin_object(&w);
    json_member_string(&w, "model", engine_version(request->model->engine));
    answer_list_clusters(request->model->engine, &w);
    json_end_object(&w);
    return STATUS_OK;
}
