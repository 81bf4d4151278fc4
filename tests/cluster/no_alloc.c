#include "no_alloc.h"

#include <stdlib.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#ifdef SANITIZED

void no_alloc_begin(void) {}
void no_alloc_end(void) {}
bool no_alloc_works(void)
{
    return false;
}

#else

/* glibc's own, under the names that it keeps for replacements. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t n, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void __libc_free(void *p);

static bool forbidden;

static void check(void)
{
    static const char message[] = "an allocation where none is allowed\n";
    if (!forbidden)
        return;
    forbidden = false;
    if (write(STDERR_FILENO, message, sizeof message - 1) >= 0)
        abort();
    abort();
}

void *malloc(size_t bytes)
{
    check();
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
    check();
    return __libc_calloc(n, bytes);
}

void *realloc(void *old, size_t bytes)
{
    check();
    return __libc_realloc(old, bytes);
}

void free(void *p)
{
    if (p != NULL)
        check();
    __libc_free(p);
}

void no_alloc_begin(void)
{
    forbidden = true;
}
void no_alloc_end(void)
{
    forbidden = false;
}
bool no_alloc_works(void)
{
    return true;
}

#endif
