/* SPDX-License-Identifier: Apache-2.0 */

/* To be preloaded: counts a program's allocations by who asks for them. COUNT_ALLOCATIONS names a
 * file, where the counts stand as 64-bit numbers while the program runs: of the program itself, of
 * the C library (on somebody's behalf, strdup() say), of libmicrohttpd, of all others. */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum who {
    PROGRAM,
    C_LIBRARY,
    HTTP_LIBRARY,
    OTHERS,
    N_WHO
};

/* The C library's own, which can be named without asking the linker, which would allocate. */
void *__libc_malloc(size_t bytes);           /* NOLINT(bugprone-reserved-identifier): its name */
void *__libc_calloc(size_t n, size_t bytes); /* NOLINT(bugprone-reserved-identifier): its name */
void *__libc_realloc(void *old, size_t n);   /* NOLINT(bugprone-reserved-identifier): its name */
void *__libc_memalign(size_t to, size_t n);  /* NOLINT(bugprone-reserved-identifier): its name */

#define MAX_SEGMENTS 64

static struct segment {
    uintptr_t from, to;
    enum who who;
} segments[MAX_SEGMENTS];
static size_t n_segments;
static _Atomic uint64_t *counts; /* [N_WHO], the file's; NULL: not counting */

static int note_object(struct dl_phdr_info *object, size_t bytes, void *user)
{
    (void)bytes;
    size_t *n_objects = user;
    enum who who = OTHERS;
    if ((*n_objects)++ == 0)
        who = PROGRAM;
    else if (strstr(object->dlpi_name, "/libc.so"))
        who = C_LIBRARY;
    else if (strstr(object->dlpi_name, "/libmicrohttpd"))
        who = HTTP_LIBRARY;
    for (size_t i = 0; i < object->dlpi_phnum && n_segments < MAX_SEGMENTS; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
            continue;
        uintptr_t from = object->dlpi_addr + header->p_vaddr;
        segments[n_segments++] = (struct segment){from, from + header->p_memsz, who};
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("COUNT_ALLOCATIONS");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || ftruncate(fd, N_WHO * sizeof *counts) != 0)
        return;
    void *file = mmap(NULL, N_WHO * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    size_t n_objects = 0;
    dl_iterate_phdr(note_object, &n_objects);
    if (file != MAP_FAILED)
        counts = file;
}

static void count(const void *caller)
{
    if (!counts)
        return;
    enum who who = OTHERS;
    for (size_t i = 0; i < n_segments; i++)
        if ((uintptr_t)caller >= segments[i].from && (uintptr_t)caller < segments[i].to)
            who = segments[i].who;
    atomic_fetch_add_explicit(&counts[who], 1, memory_order_relaxed);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t bytes)
{
    count(__builtin_return_address(0));
    return __libc_malloc(bytes);
}

EXPORT void *calloc(size_t n, size_t bytes)
{
    count(__builtin_return_address(0));
    return __libc_calloc(n, bytes);
}

EXPORT void *realloc(void *old, size_t bytes)
{
    count(__builtin_return_address(0));
    return __libc_realloc(old, bytes);
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, bytes);
}

/* Else all that libmicrohttpd copies would count as the C library's. */
EXPORT char *strdup(const char *text)
{
    count(__builtin_return_address(0));
    size_t bytes = strlen(text) + 1;
    char *copy = __libc_malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}
