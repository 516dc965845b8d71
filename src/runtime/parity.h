/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Parity vectors: parity.json of a bundle holds a few profiles with what the models said of them
 * where they were trained. Whoever takes the bundle into service asks again first: another
 * compiler, another machine or a damaged file must not answer differently and in silence. Texts
 * that name a person (handle, name) are not among the vectors. */
#include "base/text.h"
#include "runtime/engine.h"

#define PARITY_FILE "parity.json"
#define PARITY_TOLERANCE 1e-6 /* of scores, probabilities and distances */

/* The file's text: the engine's answers to n profiles. */
enum status parity_write(const struct engine *engine, const struct profile *profiles, size_t n,
                         struct buffer *out, struct error *err);

/* Ask the engine what the vectors of the bundle in `dir` ask. STATUS_CORRUPT: an answer differs by
 * more than PARITY_TOLERANCE, or the file is none; the message tells which answer. A bundle of an
 * earlier version has no vectors: *ret_n is 0. */
enum status parity_replay(const struct engine *engine, const char *dir, size_t *ret_n,
                          struct error *err);
