/* orders.h: resting orders, kept in the table that finds them by (session, client key).
 *
 * A resting order is half a cache line and stays at its place in the table as long as it lives, so the place is its
 * name for others: its slot. Whoever knows the key reads one line and has the order; whoever knows the slot (a queue)
 * needs no search to take it out. Slot numbers never reach an output or a digest.
 *
 * Open addressing, at most half full. An order that does not get its first place goes to the next free one, and each
 * place that it went past counts it (`passed`); when it leaves it is uncounted. A search ends at the first place that
 * nobody went past, so nothing ever moves and there are no tombstones. A count that reaches its limit stays: such
 * a place is searched past for ever, which costs time and nothing else.
 *
 * The hash scatters blocks of four consecutive keys, and keeps the four side by side: a session's keys rise one by one,
 * so the lines of its next orders are known before they come.
 */
#ifndef SHADOWBOOK_ENGINE_ORDERS_H
#define SHADOWBOOK_ENGINE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shadowbook/assert.h"
#include "shadowbook/command.h"

struct sb_order {
    uint64_t name; /* ref << 19 | side << 16 | session */
    uint32_t next,
        prev;       /* in the level's queue, 0 = end; plain words, so that a neighbour far away is
                            written to without waiting for it */
    uint32_t key;   /* client's */
    uint32_t level; /* ladder key of its price */
    uint32_t open;  /* 0: the place is free */
    uint16_t instrument;
    uint8_t capacity;
    uint8_t
        flags; /* SB_ORDER_... of the order; from SB_ORDER_PASSED_ONE up: passed, of the place */
};
_Static_assert(sizeof(struct sb_order) == 32, "two to a cache line");

enum {
    SB_ORDER_EXECUTED = 1,  /* something was executed: how much is beside the table */
    SB_ORDER_DISPLACED = 2, /* not at the first place of its key */
    SB_ORDER_PASSED_ONE = 4,
    SB_ORDER_PASSED_MAX = 63
};

#define SB_ORDER_REF_MAX ((UINT64_C(1) << 45) - 1) /* a day at 400 million orders a second */

/* How far ahead of a session's newest order its lines are asked for, in keys. */
enum { SB_ORDERS_AHEAD = 8 };

/* Keys that are side by side: a 4 KiB page of orders. */
enum { SB_ORDERS_BLOCK = 128 };

static inline uint64_t sb_order_name(uint64_t ref, uint8_t side, uint32_t session)
{
    return ref << 19 | (uint64_t)side << 16 | session;
}
static inline uint64_t sb_order_ref(const struct sb_order *o)
{
    return o->name >> 19;
}
static inline uint8_t sb_order_side(const struct sb_order *o)
{
    return (uint8_t)(o->name >> 16 & 7u);
}
static inline uint32_t sb_order_session(const struct sb_order *o)
{
    return (uint32_t)(o->name & 0xffffu);
}
static inline uint32_t sb_order_passed(const struct sb_order *o)
{
    return o->flags / SB_ORDER_PASSED_ONE;
}

struct sb_orders {
    struct sb_order *slots; /* mask + 1; 0 is never used, so that 0 can mean none */
    uint32_t *executed;     /* mask + 1; holds only where SB_ORDER_EXECUTED is set */
    uint32_t max, used;     /* used: open orders */
    uint32_t mask;
    uint32_t shift;
};

/* Places in the table for this many orders: a power of two, at least twice as many; at most 2^28. */
static inline uint32_t sb_orders_places(uint32_t max)
{
    uint32_t places = SB_ORDERS_BLOCK;
    while (places < 2 * max)
        places *= 2;
    return places;
}

/* slots and executed: sb_orders_places(max) of each, zeroed. */
void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots, uint32_t *executed);

static inline uint64_t sb_orders_mix(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 32;
    return x * UINT64_C(0xd6e8feb86659fd93);
}

/* First place of a key: in its block's page. May be 0, where no order is ever put. */
static inline uint32_t sb_orders_home(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    const uint64_t x = sb_orders_mix((uint64_t)session << 32 | key / SB_ORDERS_BLOCK);
    return ((uint32_t)(x >> t->shift) * SB_ORDERS_BLOCK | key % SB_ORDERS_BLOCK) & t->mask;
}

/* Second place of a key: anywhere. */
static inline uint32_t sb_orders_second(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    return (uint32_t)(sb_orders_mix(~((uint64_t)session << 32 | key)) >> 32) & t->mask;
}

/* The slot of a live order that is not at its first place, or 0. */
uint32_t sb_orders_find_far(const struct sb_orders *t, uint32_t session, uint32_t key);

static inline bool sb_orders_is(const struct sb_order *o, uint32_t session, uint32_t key)
{
    return o->key == key && o->open != 0 && sb_order_session(o) == session;
}

/* The slot of a live order, or 0. It is the order's until the order is dropped. */
static inline uint32_t sb_orders_find(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    const uint32_t home = sb_orders_home(t, session, key);
    if (__builtin_expect(sb_orders_is(&t->slots[home], session, key), 1))
        return home;
    return sb_order_passed(&t->slots[home]) == 0 ? 0 : sb_orders_find_far(t, session, key);
}

/* The first free place of a key after its first one, counting the order at each place that it goes past. */
uint32_t sb_orders_displace(struct sb_orders *t, uint32_t session, uint32_t key);

/* Puts an order (open > 0, flags 0) in and returns its slot. used < max (asserted);
 * the key is not live yet (keys of a session only rise). */
static inline uint32_t sb_orders_add(struct sb_orders *t, const struct sb_order *order)
{
    uint32_t place = sb_orders_home(t, sb_order_session(order), order->key);
    SB_ASSERT_LT(t->used, t->max);
    t->used++;
    uint32_t flags = 0;
    if (__builtin_expect(place == 0 || t->slots[place].open != 0, 0)) {
        place = sb_orders_displace(t, sb_order_session(order), order->key);
        flags = SB_ORDER_DISPLACED;
    }
    struct sb_order *o = &t->slots[place];
    flags |= sb_order_passed(o) * SB_ORDER_PASSED_ONE;
    /* Field by field, from registers: a struct put together in memory is not ready to be copied as a whole. */
    o->name = order->name;
    o->next = order->next;
    o->prev = order->prev;
    o->key = order->key;
    o->level = order->level;
    o->open = order->open;
    o->instrument = order->instrument;
    o->capacity = order->capacity;
    o->flags = (uint8_t)flags;
    return place;
}

/* Asks for the places of an order that comes and of one that will come soon after it. */
static inline void sb_orders_prefetch(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    __builtin_prefetch(&t->slots[sb_orders_home(t, session, key)], 1);
    __builtin_prefetch(&t->slots[sb_orders_home(t, session, key + SB_ORDERS_AHEAD)], 1);
}

/* Uncounts an order that is not at its first place. */
void sb_orders_uncount(struct sb_orders *t, uint32_t slot);

/* Frees a live order's place. */
static inline void sb_orders_drop(struct sb_orders *t, uint32_t slot)
{
    struct sb_order *o = &t->slots[slot];
    if (__builtin_expect((o->flags & SB_ORDER_DISPLACED) != 0, 0))
        sb_orders_uncount(t, slot);
    o->open = 0;
    t->used--;
}

/* Shares executed in the order's whole chain of replaces. Most orders have none, and touch no line for it. */
static inline uint32_t sb_orders_executed(const struct sb_orders *t, uint32_t slot)
{
    return (t->slots[slot].flags & SB_ORDER_EXECUTED) != 0 ? t->executed[slot] : 0;
}

static inline void sb_orders_set_executed(struct sb_orders *t, uint32_t slot, uint32_t executed)
{
    t->slots[slot].flags |= SB_ORDER_EXECUTED;
    t->executed[slot] = executed;
}

#endif
