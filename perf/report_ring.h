/* report_ring.h: reports (direct.h) from the thread that matches to one that reads them.
 *
 *     producer   next -> where to write the next report; publish: all written so far may be read
 *     consumer   ready -> how many may be read; at(i) -> the i-th of them; taken(n): their room is free again
 *
 * Lossless: next() waits while the ring is full, and publishes before it waits. No lock, no system call. Each side
 * looks at the other's position only when its own copy says full, or empty. The producer asks for the lines that it will
 * write a few reports ahead: the consumer has just read them. */
#ifndef SHADOWBOOK_PERF_REPORT_RING_H
#define SHADOWBOOK_PERF_REPORT_RING_H

#include <stdatomic.h>
#include <stdint.h>

#include "shadowbook/direct.h"

enum { SB_REPORT_RING_SLOTS = 16384, SB_REPORT_RING_AHEAD = 16 }; /* 512 KiB */

struct sb_report_ring {
    struct sb_report slots[SB_REPORT_RING_SLOTS];
    _Alignas(128) atomic_uint_least64_t head;    /* published */
    _Alignas(128) atomic_uint_least64_t tail;    /* taken */
    _Alignas(128) uint64_t head_next, tail_seen; /* the producer's own */
    _Alignas(128) uint64_t tail_at;              /* the consumer's own */
};

static inline void sb_report_ring_publish(struct sb_report_ring *r)
{
    atomic_store_explicit(&r->head, r->head_next, memory_order_release);
}

/* Asks for a line to be written. A compiler that may not count on PREFETCHW makes a prefetch for reading of
 * __builtin_prefetch(to, 1): the consumer keeps its copy, and each store waits for it to go. Processors that do not know the
 * instruction do nothing. */
static inline void sb_report_ring_want(struct sb_report *to)
{
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(*to));
#else
    __builtin_prefetch(to, 1);
#endif
}

/* Publishes, then waits for room. */
__attribute__((noinline, cold)) static void sb_report_ring_wait(struct sb_report_ring *r)
{
    sb_report_ring_publish(r);
    while (r->head_next - r->tail_seen == SB_REPORT_RING_SLOTS) {
        __builtin_ia32_pause();
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    }
}

static inline struct sb_report *sb_report_ring_next(struct sb_report_ring *r)
{
    if (__builtin_expect(r->head_next - r->tail_seen == SB_REPORT_RING_SLOTS, 0))
        sb_report_ring_wait(r);
    sb_report_ring_want(&r->slots[(r->head_next + SB_REPORT_RING_AHEAD) % SB_REPORT_RING_SLOTS]);
    return &r->slots[r->head_next++ % SB_REPORT_RING_SLOTS];
}

static inline uint64_t sb_report_ring_ready(const struct sb_report_ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_acquire) - r->tail_at;
}

static inline const struct sb_report *sb_report_ring_at(const struct sb_report_ring *r, uint64_t i)
{
    return &r->slots[(r->tail_at + i) % SB_REPORT_RING_SLOTS];
}

static inline void sb_report_ring_taken(struct sb_report_ring *r, uint64_t n)
{
    r->tail_at += n;
    atomic_store_explicit(&r->tail, r->tail_at, memory_order_release);
}

/* Has the consumer taken everything that was published? For the producer. */
static inline int sb_report_ring_drained(const struct sb_report_ring *r)
{
    return atomic_load_explicit(&r->tail, memory_order_acquire) == r->head_next;
}

#endif
