/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The engine's answers as rows of CSV: the write_csv of struct answer_kind. */
#include "serve/answers.h"

/* The header's names for answers of the kind, by that engine. */
const char *answers_csv_columns(const struct answer_kind *kind, const struct engine *engine);

void answers_csv_score(const struct asker *asker, const struct profile *profile,
                       const union answer *answer, struct buffer *out);
void answers_csv_tier(const struct asker *asker, const struct profile *profile,
                      const union answer *answer, struct buffer *out);
void answers_csv_cluster(const struct asker *asker, const struct profile *profile,
                         const union answer *answer, struct buffer *out);
void answers_csv_similar(const struct asker *asker, const struct profile *profile,
                         const union answer *answer, struct buffer *out);
