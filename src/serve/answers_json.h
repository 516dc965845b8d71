/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The engine's answers as members of JSON: the write of struct answer_kind. */
#include "serve/answers.h"

void answers_json_score(const struct asker *asker, const union answer *answer,
                        struct json_writer *w);
void answers_json_tier(const struct asker *asker, const union answer *answer,
                       struct json_writer *w);
void answers_json_cluster(const struct asker *asker, const union answer *answer,
                          struct json_writer *w);
void answers_json_similar(const struct asker *asker, const union answer *answer,
                          struct json_writer *w);
