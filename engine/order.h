/* order.h: a resting order. */
#ifndef SHADOWBOOK_ENGINE_ORDER_H
#define SHADOWBOOK_ENGINE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/words.h"
#include "shadowbook/command.h"

struct sb_order {
    uint64_t id;
    uint32_t
        next; /* in the level's queue, 0 = end. Free: how far after slot + 1 the next free one is, so that
                      zeroed memory is a list of all slots (which orders.h divides) */
    uint32_t open; /* 0: free */
    uint32_t prev;
    uint32_t level; /* ladder key of its price; the highest bit is the side of the book */
    uint64_t meta;  /* ref << 24 | instrument << 7 | SB_ORDER_... */
};
_Static_assert(sizeof(struct sb_order) == 32, "two to a cache line");
_Static_assert(offsetof(struct sb_order, open) == offsetof(struct sb_order, next) + 4 &&
                   offsetof(struct sb_order, next) == 8 && offsetof(struct sb_order, prev) == 16 &&
                   offsetof(struct sb_order, level) == 20 && offsetof(struct sb_order, meta) == 24,
               "written 8 and 16 bytes at once");

enum {
    SB_ORDER_EXECUTED = 1, /* something was executed: how much is beside the pool */
    SB_ORDER_SHORT = 2,    /* with the side of the book: enum sb_side */
    SB_ORDER_EXEMPT = 4,
    SB_ORDER_EXTRA = 8, /* `extra` beside the pool holds something: the capacity */
    SB_ORDER_SPECIAL =
        16, /* it has attributes: `extra` is the index of their record. Whoever cancels, reduces, replaces
                              or fills a resting order tests this one bit; without it the order is plain */
    SB_ORDER_FLAGS = 127
};
_Static_assert(SB_ORDER_SHORT == (SB_SELL_SHORT & ~1) &&
                   SB_ORDER_EXEMPT == (SB_SELL_SHORT_EXEMPT & ~1),
               "the bits of a side");

/* Of meta, what a new reference leaves as it is: instrument and side. */
#define SB_ORDER_LASTING                                                                           \
    ((UINT64_C(1) << 24) - 1 - (SB_ORDER_FLAGS & ~(SB_ORDER_SHORT | SB_ORDER_EXEMPT)))

#define SB_ORDER_REF_MAX ((UINT64_C(1) << 40) - 1) /* a day at 12 million orders a second */
enum { SB_ORDER_INSTRUMENT_MAX = (1 << 17) - 1 };

#define SB_ORDER_SELLS (1u << 31) /* in `level` */

static inline uint64_t sb_order_id(uint32_t session, uint32_t key)
{
    return (uint64_t)session << 32 | key;
}
static inline uint64_t sb_order_ref(const struct sb_order *o)
{
    return o->meta >> 24;
}
static inline uint32_t sb_order_instrument(const struct sb_order *o)
{
    return (uint32_t)o->meta >> 7 & SB_ORDER_INSTRUMENT_MAX;
}
static inline uint8_t sb_order_flags(const struct sb_order *o)
{
    return (uint8_t)(o->meta & SB_ORDER_FLAGS);
}
static inline uint32_t sb_order_ladder_key(const struct sb_order *o)
{
    return o->level & ~SB_ORDER_SELLS;
}
/* The side of the book, 0 or 1. */
static inline uint32_t sb_order_book_side(const struct sb_order *o)
{
    return o->level >> 31;
}
/* enum sb_side, as it was entered. */
static inline uint8_t sb_order_side(const struct sb_order *o)
{
    return (uint8_t)((o->meta & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)) | o->level >> 31);
}
static inline uint32_t sb_order_session(const struct sb_order *o)
{
    return (uint32_t)(o->id >> 32);
}
static inline uint32_t sb_order_key(const struct sb_order *o)
{
    return (uint32_t)o->id;
}

/* The id in two parts, as digest and image have it: what a session is in, below reference and side; and the rest. */
static inline uint64_t sb_order_name(const struct sb_order *o)
{
    return sb_order_ref(o) << 19 | (uint64_t)sb_order_side(o) << 16 | (o->id >> 32 & 0xffffu);
}
static inline uint64_t sb_order_rest(const struct sb_order *o)
{
    return (o->id & UINT32_MAX) | o->id >> 48 << 32;
}

/* A whole order, the last of its queue, in two halves. */
static inline void sb_order_write_front(struct sb_order *o, uint64_t id, uint32_t open)
{
    sb_quad_store(o, id, (uint64_t)open << 32); /* next is 0 */
}
static inline void sb_order_write_back(struct sb_order *o, uint32_t prev, uint32_t level,
                                       uint64_t meta)
{
    sb_quad_store(&o->prev, (uint64_t)level << 32 | prev, meta);
}

static inline uint64_t sb_order_meta(uint64_t ref, uint32_t instrument, uint32_t flags)
{
    return ref << 24 | (uint64_t)instrument << 7 | flags;
}

#endif
