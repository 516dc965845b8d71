/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/arguments.h"

#include <stdlib.h>
#include <string.h>

static void blank(char *from, const char *to)
{
    while (from < to)
        *from++ = 'x';
}

/* scheme://user:PASSWORD@host/path?OPTIONS, anywhere in the word: `--to=postgresql://...` too. The
 * options of a database may hold a password, those of an address to fetch a signature. */
static void hide_secrets(char *word)
{
    char *authority = strstr(word, "://");
    if (!authority)
        return;
    authority += 3;
    char *end = authority + strcspn(authority, "/?");
    char *colon = memchr(authority, ':', (size_t)(end - authority));
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    if (colon && at && colon < at)
        blank(colon + 1, at);
    char *mark = strchr(end, '?');
    if (mark)
        blank(mark + 1, mark + strlen(mark));
}

char **arguments_take(int argc, char **argv)
{
    size_t bytes = ((size_t)argc + 1) * sizeof *argv;
    size_t at = bytes;
    for (int i = 0; i < argc; i++)
        bytes += strlen(argv[i]) + 1;
    char **copy = malloc(bytes);
    if (!copy)
        return NULL;
    for (int i = 0; i < argc; i++) {
        size_t length = strlen(argv[i]) + 1;
        copy[i] = memcpy((char *)copy + at, argv[i], length);
        at += length;
        hide_secrets(argv[i]);
    }
    copy[argc] = NULL;
    return copy;
}
