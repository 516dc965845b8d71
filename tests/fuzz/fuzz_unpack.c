/* SPDX-License-Identifier: Apache-2.0 */

/* A download of any bytes: refused, or files and folders inside the one folder it was given, within
 * the limits, and never a link. */
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "dataset/fetch_unpack.h"
#include "fuzz.h"

#define MAX_BYTES (1u << 20)
#define MAX_ENTRIES 64

static char base[] = "/tmp/fuzz-unpack-XXXXXX";
static uint64_t n_bytes;
static size_t n_entries;

static int look_at(const char *path, const struct stat *info, int type, struct FTW *position)
{
    (void)path;
    (void)type;
    (void)position;
    FUZZ_REQUIRE(S_ISREG(info->st_mode) || S_ISDIR(info->st_mode));
    if (S_ISREG(info->st_mode))
        n_bytes += (uint64_t)info->st_size;
    n_entries++;
    return 0;
}

static void remove_base(void)
{
    file_remove_tree(base, NULL);
}

static void prepare(void)
{
    if (strstr(base, "XXXXXX")) {
        FUZZ_REQUIRE(mkdtemp(base));
        atexit(remove_base);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX], dir[PATH_MAX];
    struct error err = {0};
    prepare();
    snprintf(path, sizeof path, "%s/download", base);
    snprintf(dir, sizeof dir, "%s/dir", base);
    FUZZ_REQUIRE(file_write_atomic(path, data, size, NULL) == STATUS_OK);
    FUZZ_REQUIRE(file_make_directories(dir, NULL) == STATUS_OK);
    struct unpack_request request = {
        .path = path,
        .dir = dir,
        .plain_name = "plain.csv",
        .shown = "it",
        .max_bytes = MAX_BYTES,
        .max_ratio = 200,
        .max_entries = MAX_ENTRIES,
    };
    enum status status = unpack(&request, &err);
    FUZZ_REQUIRE(status == STATUS_OK || err.message[0]);
    n_bytes = 0;
    n_entries = 0;
    /* The base holds itself, the download and the folder: anything more climbed out. */
    FUZZ_REQUIRE(nftw(base, look_at, 16, FTW_PHYS) == 0);
    size_t n_all = n_entries;
    n_bytes = 0;
    n_entries = 0;
    FUZZ_REQUIRE(nftw(dir, look_at, 16, FTW_PHYS) == 0);
    FUZZ_REQUIRE(n_all == n_entries + 2);
    FUZZ_REQUIRE(status != STATUS_OK || n_entries > 1);
    FUZZ_REQUIRE(n_bytes <= MAX_BYTES + size);
    FUZZ_REQUIRE(file_remove_tree(dir, NULL) == STATUS_OK);
    return 0;
}
