/* SPDX-License-Identifier: Apache-2.0 */

/* Blobs: any bytes are refused with a message or opened, and what opens answers every question. The
 * header is made right and the checksum sealed again first, so that the fuzzer gets past them. */
#include <stdlib.h>
#include <string.h>

#include "artifact/format.h"
#include "base/cleanup.h"
#include "exercise.h"
#include "fuzz.h"
#include "small_bundle.h"

static void seal(char *bytes, size_t n_bytes)
{
    struct artifact_header header;
    memcpy(&header, bytes, sizeof header);
    memcpy(header.magic, ARTIFACT_MAGIC, sizeof header.magic);
    header.total_bytes = n_bytes;
    memcpy(bytes, &header, sizeof header);
    header.checksum = artifact_checksum(bytes, n_bytes);
    memcpy(bytes, &header, sizeof header);
}

/* The kind tells which blob of a small bundle it is to replace. */
static size_t model_of(const char *bytes)
{
    struct artifact_header header;
    memcpy(&header, bytes, sizeof header);
    return (header.kind - 1) % ENGINE_N_BLOBS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct small_bundle bundle;
    if (!bundle.blobs[0].bytes)
        FUZZ_REQUIRE(small_bundle_make(&bundle, NULL) == STATUS_OK);
    if (size < sizeof(struct artifact_header))
        return 0;
    AUTO(free_slot) void *bytes = NULL;
    FUZZ_REQUIRE(posix_memalign(&bytes, ARTIFACT_ALIGNMENT, size) == 0);
    memcpy(bytes, data, size);
    seal(bytes, size);
    struct engine_blob blobs[ENGINE_N_BLOBS];
    memcpy(blobs, bundle.blobs, sizeof blobs);
    blobs[model_of(bytes)] = (struct engine_blob){bytes, size};
    AUTO(engine_close_slot) struct engine *engine = NULL;
    struct error err = {0};
    if (engine_open_memory(blobs, &engine, &err) != STATUS_OK) {
        FUZZ_REQUIRE(strstr(err.message, ".blob: ") != NULL);
        return 0;
    }
    AUTO(buffer_deinit) struct buffer answers = {0};
    exercise_engine(engine, &answers);
    FUZZ_REQUIRE(answers.length > 0);
    return 0;
}
