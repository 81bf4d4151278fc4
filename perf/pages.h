/* pages.h: zeroed memory for whoever measures: at the start of a huge page, in huge pages where the kernel gives them. */
#ifndef SHADOWBOOK_PERF_PAGES_H
#define SHADOWBOOK_PERF_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { SB_HUGE_PAGE_BYTES = 1 << 21 };

/* The mapping is cut to size. NULL: there is no memory. munmap() gives it back. */
static inline void *sb_pages_map(size_t bytes)
{
    const size_t all = bytes + SB_HUGE_PAGE_BYTES;
    uint8_t *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    const size_t before = -(uintptr_t)p & (SB_HUGE_PAGE_BYTES - 1);
    if (before != 0)
        (void)munmap(p, before);
    p += before;
    const size_t end = (bytes + 4095u) & ~(size_t)4095u;
    if (end < all - before)
        (void)munmap(p + end, all - before - end);
    (void)madvise(p, bytes, MADV_HUGEPAGE); /* only speed */
    return p;
}

/* Page faults belong to the start. */
static inline void sb_pages_touch(void *memory, size_t bytes)
{
    volatile uint8_t *at = memory;
    for (size_t i = 0; i < bytes; i += 4096)
        at[i] = 0;
}

#endif
