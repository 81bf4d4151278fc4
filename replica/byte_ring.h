/* byte_ring.h: a bounded queue of byte entries from one thread to one other, without lock or system call.
 *
 *     producer   reserve(bytes) -> where to write them, or NULL: full; commit
 *     consumer   peek(&bytes) -> the oldest entry, or NULL: empty; release
 *
 * An entry stands together, 8-byte aligned, behind a word with its length; where the end of the memory has no room for it,
 * that is skipped. Each side looks at the other's position only when its own copy of it says full, or empty. Wait-free.
 */
#ifndef SHADOWBOOK_REPLICA_BYTE_RING_H
#define SHADOWBOOK_REPLICA_BYTE_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "shadowbook/assert.h"

struct sb_byte_ring {
    uint8_t *bytes;
    uint64_t cap;                            /* a power of two */
    _Alignas(64) atomic_uint_least64_t head; /* bytes committed, for ever rising */
    uint64_t head_next, tail_seen;           /* the producer's own */
    _Alignas(64) atomic_uint_least64_t tail; /* bytes released */
    uint64_t tail_at, tail_next, head_seen;  /* the consumer's own */
};

enum { SB_BYTE_RING_WORD = 8 };
#define SB_BYTE_RING_SKIP UINT64_MAX

static inline uint64_t sb_byte_ring_entry(uint32_t bytes)
{
    return SB_BYTE_RING_WORD + (((uint64_t)bytes + 7) & ~UINT64_C(7));
}

/* bytes: cap of them, 8-byte aligned, the caller's. */
static inline void sb_byte_ring_init(struct sb_byte_ring *r, uint8_t *bytes, uint64_t cap)
{
    SB_ASSERT(cap >= 64 && (cap & (cap - 1)) == 0);
    memset(r, 0, sizeof *r);
    r->bytes = bytes;
    r->cap = cap;
}

static inline void *sb_byte_ring_reserve(struct sb_byte_ring *r, uint32_t bytes)
{
    const uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    const uint64_t need = sb_byte_ring_entry(bytes), left = r->cap - (head & (r->cap - 1));
    const uint64_t skip = need > left ? left : 0;
    if (head + skip + need - r->tail_seen > r->cap) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head + skip + need - r->tail_seen > r->cap)
            return NULL;
    }
    uint64_t word = SB_BYTE_RING_SKIP;
    if (skip != 0)
        memcpy(r->bytes + (head & (r->cap - 1)), &word, sizeof word);
    word = bytes;
    uint8_t *at = r->bytes + ((head + skip) & (r->cap - 1));
    memcpy(at, &word, sizeof word);
    r->head_next = head + skip + need;
    return at + SB_BYTE_RING_WORD;
}

static inline void sb_byte_ring_commit(struct sb_byte_ring *r)
{
    atomic_store_explicit(&r->head, r->head_next, memory_order_release);
}

static inline const void *sb_byte_ring_peek(struct sb_byte_ring *r, uint32_t *bytes)
{
    if (r->tail_at == r->head_seen) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (r->tail_at == r->head_seen)
            return NULL;
    }
    uint64_t at = r->tail_at, word;
    memcpy(&word, r->bytes + (at & (r->cap - 1)), sizeof word);
    if (word == SB_BYTE_RING_SKIP) {
        at += r->cap - (at & (r->cap - 1));
        memcpy(&word, r->bytes, sizeof word);
    }
    *bytes = (uint32_t)word;
    r->tail_next = at + sb_byte_ring_entry(*bytes);
    return r->bytes + (at & (r->cap - 1)) + SB_BYTE_RING_WORD;
}

/* Bytes in use, as the producer sees it. */
static inline uint64_t sb_byte_ring_used(const struct sb_byte_ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_relaxed) -
           atomic_load_explicit(&r->tail, memory_order_acquire);
}

static inline void sb_byte_ring_release(struct sb_byte_ring *r)
{
    r->tail_at = r->tail_next;
    atomic_store_explicit(&r->tail, r->tail_at, memory_order_release);
}

#endif
