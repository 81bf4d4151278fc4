/* orders.h: resting orders: a compact pool of slots, and the table that finds a slot by the order's id (ids.h).
 *
 * A slot is half a cache line, and is the order's name for others as long as it lives. Free slots are taken last in, first
 * out, so a small book stays in the cache whatever the limits are; low ones (ids.h) before all others, so that who comes while few live
 * gets a low one, even after there were many. Slot numbers never reach an output or a digest.
 *
 * An order's id is one 64-bit number: session << 32 | client key of a session's order, anything of a direct user's.
 *
 * What is rare, or only written and hardly ever read, lies beside the pool: shares executed, and `extra`: an ordinary
 * order's capacity, or the index of what is special about a special one.
 */
#ifndef SHADOWBOOK_ENGINE_ORDERS_H
#define SHADOWBOOK_ENGINE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/ids.h"
#include "engine/order.h"
#include "engine/words.h"
#include "shadowbook/assert.h"

/* Twelve orders to a near bucket, which holds sixteen: with so many, more and more are not in theirs, and a look there first is in
 * vain. */
enum { SB_ORDERS_FEW = SB_IDS_NEAR_MAX * 12 };
_Static_assert((int)SB_ORDERS_FEW < (int)SB_IDS_NEAR_SLOTS, "few orders leave low slots");

struct sb_order_beside {
    uint32_t executed; /* holds only where SB_ORDER_EXECUTED is set */
    uint32_t extra;    /* holds only where SB_ORDER_EXTRA or SB_ORDER_SPECIAL is set */
};

struct sb_orders {
    struct sb_order *slots;         /* max + 1; 0 is never used, so that 0 can mean none */
    struct sb_order_beside *beside; /* max + 1 */
    uint32_t free, used; /* the low slot that is taken next, if there is one; open orders */
    uint32_t high, max;  /* the first of the other free slots */
    /* Fewer are open than so many: no table is full, and most ids are in their near bucket. 0 where levels are counted
     * (sb_levels.counted): then the calls that ask this leave it to those that count. */
    uint32_t few;
    struct sb_ids ids;
};

_Static_assert(offsetof(struct sb_orders, used) == offsetof(struct sb_orders, free) + 4,
               "written at once");

/* slots and beside are zeroed and as long as said above. `ids` is initialized by itself. */
void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots,
                    struct sb_order_beside *beside);

/* The slot of a live order, or 0. It is the order's until the order is dropped. */
static inline uint32_t sb_orders_find(const struct sb_orders *t, uint64_t id)
{
    return sb_ids_find(&t->ids, t->slots, id);
}

/* Is it the id of a live order? Sooner than the above where it likely is not. */
static inline bool sb_orders_live(const struct sb_orders *t, uint64_t id)
{
    return sb_ids_lives(&t->ids, t->slots, id);
}

/* The slot that an order of the pool is in. */
static inline uint32_t sb_orders_slot(const struct sb_orders *t, const struct sb_order *o)
{
    return (uint32_t)(o - t->slots);
}

/* The slot that is taken next; used < max. */
static inline uint32_t sb_orders_next(const struct sb_orders *t)
{
    return __builtin_expect(sb_ids_low(t->free), 1) ? t->free : t->high;
}

/* Takes that slot, which the caller fills; the id is his to put in the table, too. used < max (asserted). */
static inline uint32_t sb_orders_take_low(struct sb_orders *t) /* there is a low one */
{
    const uint32_t slot = t->free;
    SB_ASSERT_LT(t->used, t->max);
    sb_pair_store(&t->free, slot + 1 + t->slots[slot].next, t->used + 1);
    return slot;
}
static inline uint32_t sb_orders_take(struct sb_orders *t)
{
    if (__builtin_expect(sb_ids_low(t->free), 1))
        return sb_orders_take_low(t);
    const uint32_t slot = t->high;
    SB_ASSERT_LT(t->used, t->max);
    t->high = slot + 1 + t->slots[slot].next;
    t->used++;
    return slot;
}

/* The reverse, of an order of the pool: its id is out of the table already. */
static inline void sb_orders_give_low(struct sb_orders *t, struct sb_order *o)
{
    const uint32_t slot = sb_orders_slot(t, o);
    sb_pair_store(&o->next, t->free - slot - 1, 0); /* next, open */
    sb_pair_store(&t->free, slot, t->used - 1);
}
static inline void sb_orders_give(struct sb_orders *t, struct sb_order *o)
{
    const uint32_t slot = sb_orders_slot(t, o);
    if (__builtin_expect(sb_ids_low(slot), 1)) {
        sb_orders_give_low(t, o);
        return;
    }
    sb_pair_store(&o->next, t->high - slot - 1, 0);
    t->high = slot;
    t->used--;
}

/* How many orders were open at once at most: slots that were used before are taken first. O(log max). */
uint32_t sb_orders_most(const struct sb_orders *t);

/* Takes a slot, fills it but for next and prev, and puts the id, which is not live, in the table. open > 0. */
static inline uint32_t sb_orders_add(struct sb_orders *t, uint64_t id, uint32_t open,
                                     uint32_t level, uint64_t meta)
{
    const uint32_t slot = sb_orders_take(t);
    struct sb_order *o = &t->slots[slot];
    o->id = id;
    o->open = open;
    o->level = level;
    o->meta = meta;
    sb_ids_add(&t->ids, t->slots, id, slot);
    return slot;
}

static inline void sb_orders_drop(struct sb_orders *t, uint32_t slot)
{
    sb_ids_remove(&t->ids, t->slots, t->slots[slot].id, slot);
    sb_orders_give(t, &t->slots[slot]);
}

/* Asks for the lines by which an order is found. */
static inline void sb_orders_prefetch(const struct sb_orders *t, uint64_t id)
{
    sb_ids_prefetch(&t->ids, id);
}

/* Shares executed in the order's whole chain of replaces. Most orders have none, and touch no line for it. */
static inline uint32_t sb_orders_executed(const struct sb_orders *t, uint32_t slot)
{
    return (t->slots[slot].meta & SB_ORDER_EXECUTED) != 0 ? t->beside[slot].executed : 0;
}

static inline void sb_orders_set_executed(struct sb_orders *t, uint32_t slot, uint32_t executed)
{
    t->slots[slot].meta |= SB_ORDER_EXECUTED;
    t->beside[slot].executed = executed;
}

static inline uint32_t sb_orders_extra(const struct sb_orders *t, uint32_t slot)
{
    return (t->slots[slot].meta & (SB_ORDER_EXTRA | SB_ORDER_SPECIAL)) != 0 ? t->beside[slot].extra
                                                                            : 0;
}

/* With one of the two flags in the order's meta. */
static inline void sb_orders_set_extra(struct sb_orders *t, uint32_t slot, uint32_t extra)
{
    t->beside[slot].extra = extra;
}

#endif
