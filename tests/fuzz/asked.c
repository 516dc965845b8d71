/* SPDX-License-Identifier: Apache-2.0 */
#include "asked.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "serve/service.h"
#include "small_bundle.h"

#define FIRST_BLOCK 4096

static struct service *service_of_small_bundle(void)
{
    static struct small_bundle bundle;
    static struct serve_config config;
    static struct service service = {.config = &config, .n_lanes = 1};
    if (service.metrics.lanes)
        return &service;
    AUTO(arena_deinit) struct arena arena;
    struct model_parts parts = {.n_lanes = 1};
    arena_init(&arena, FIRST_BLOCK);
    FUZZ_REQUIRE(config_set_defaults(&serve_config_table, &config, &arena, NULL) == STATUS_OK);
    config = (struct serve_config){.predict_max_instances = config.predict_max_instances};
    FUZZ_REQUIRE(small_bundle_make(&bundle, NULL) == STATUS_OK);
    FUZZ_REQUIRE(engine_open_memory(bundle.blobs, &parts.engine, NULL) == STATUS_OK);
    FUZZ_REQUIRE(slot_exchange(&service.slots[MODEL_MAIN], &parts, NULL) == STATUS_OK);
    FUZZ_REQUIRE(metrics_init(&service.metrics, 1, NULL) == STATUS_OK);
    return &service;
}

void asked_init(struct request *request, const char *path, const void *body, size_t body_bytes)
{
    *request = (struct request){
        .service = service_of_small_bundle(),
        .path = path,
        .method = HTTP_POST,
        .id = "0123456789abcdef",
        .route = router_find(path),
    };
    guard_init(&request->head);
    arena_init(&request->arena, FIRST_BLOCK);
    request->model = slot_acquire(&request->service->slots[MODEL_MAIN]);
    if (body_bytes > 0)
        buffer_put(&request->body, body, body_bytes);
    FUZZ_REQUIRE(!request->body.failed);
}

static const char *extra_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->n_extra; i++)
        if (strcmp(request->extra[i].name, name) == 0)
            return request->extra[i].value;
    return NULL;
}

const struct json *asked_answer(struct request *request)
{
    struct error err = {0};
    const struct json *answer = NULL;
    if (request->route->handle(request, &err) != STATUS_OK) {
        FUZZ_REQUIRE(err.message[0] && memchr(err.message, 0, sizeof err.message));
        return NULL;
    }
    const char *said = extra_header(request, "Inference-Header-Content-Length");
    size_t length = said ? strtoul(said, NULL, 10) : request->reply.length;
    FUZZ_REQUIRE(length <= request->reply.length && !request->reply.failed);
    FUZZ_REQUIRE(json_parse(request->reply.at, length, &request->arena, &answer, &err) ==
                 STATUS_OK);
    return answer;
}

void asked_deinit(struct request *request)
{
    slot_release(request->model);
    buffer_deinit(&request->body);
    buffer_deinit(&request->reply);
    buffer_deinit(&request->packed);
    arena_deinit(&request->arena);
}
