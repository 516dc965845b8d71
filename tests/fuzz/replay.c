/* SPDX-License-Identifier: Apache-2.0 */

/* Feeds each file of a directory to a fuzz target, so that what a fuzzer once found stays found
 * without one. Speaks TAP: a target that crashes has named its file before. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fuzz.h"

enum {
    MAX_INPUT_BYTES = 16 << 20
};

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay(const char *directory, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        printf("Bail out! %s: name too long\n", name);
        return EXIT_FAILURE;
    }
    AUTO(free_slot) char *text = NULL;
    size_t bytes;
    struct error err;
    if (file_read(path, MAX_INPUT_BYTES, &text, &bytes, &err) != STATUS_OK) {
        printf("Bail out! %s\n", err.message);
        return EXIT_FAILURE;
    }
    /* A copy without the NUL that file_read() adds, so that a sanitizer sees a read past the end.
     */
    AUTO(free_slot) uint8_t *input = malloc(bytes ? bytes : 1);
    if (!input) {
        printf("Bail out! out of memory\n");
        return EXIT_FAILURE;
    }
    memcpy(input, text, bytes);
    LLVMFuzzerTestOneInput(input, bytes);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    struct dirent **entries;
    int n_entries = scandir(argv[1], &entries, is_input, alphasort);
    if (n_entries <= 0) {
        printf("Bail out! %s: %s\n", argv[1], n_entries < 0 ? strerror(errno) : "no inputs");
        return EXIT_FAILURE;
    }
    int result = EXIT_SUCCESS;
    printf("1..%d\n", n_entries);
    for (int i = 0; i < n_entries; i++) {
        printf("# %s\n", entries[i]->d_name);
        fflush(stdout);
        if (result == EXIT_SUCCESS)
            result = replay(argv[1], entries[i]->d_name);
        if (result == EXIT_SUCCESS)
            printf("ok %d - %s\n", i + 1, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return result;
}
