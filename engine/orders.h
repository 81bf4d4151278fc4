/* orders.h: resting orders: a compact pool of slots, and the table that finds a slot by the order's id (ids.h).
 *
 * A slot is half a cache line, and is the order's name for others as long as it lives. Free slots are taken last in, first
 * out, so a small book stays in the cache whatever the limits are. Slot numbers never reach an output or a digest.
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
#include "shadowbook/assert.h"

struct sb_order_beside {
    uint32_t executed; /* holds only where SB_ORDER_EXECUTED is set */
    uint32_t extra;    /* holds only where SB_ORDER_EXTRA or SB_ORDER_SPECIAL is set */
};

struct sb_orders {
    struct sb_order *slots;         /* max + 1; 0 is never used, so that 0 can mean none */
    struct sb_order_beside *beside; /* max + 1 */
    uint32_t free;                  /* the slot that is taken next */
    uint32_t max, used;             /* used: open orders */
    struct sb_ids ids;
};

/* slots and beside are zeroed and as long as said above. `ids` is initialized by itself. */
void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots,
                    struct sb_order_beside *beside);

/* The slot of a live order, or 0. It is the order's until the order is dropped. */
static inline uint32_t sb_orders_find(const struct sb_orders *t, uint64_t id)
{
    return sb_ids_find(&t->ids, t->slots, id);
}

/* Fills a free slot and returns it; next and prev are the caller's to set, and the id to put in the table. used < max
 * (asserted), open > 0. */
static inline uint32_t sb_orders_take(struct sb_orders *t, uint64_t id, uint32_t open,
                                      uint32_t level, uint64_t meta)
{
    const uint32_t slot = t->free;
    struct sb_order *o = &t->slots[slot];
    SB_ASSERT_LT(t->used, t->max);
    t->used++;
    t->free = slot + 1 + o->next;
    o->id = id;
    o->open = open;
    o->level = level;
    o->meta = meta;
    return slot;
}

/* The reverse: the id is out of the table already. */
static inline void sb_orders_give(struct sb_orders *t, uint32_t slot)
{
    struct sb_order *o = &t->slots[slot];
    o->open = 0;
    o->next = t->free - slot - 1;
    t->free = slot;
    t->used--;
}

/* Both at once, for an order whose id is not live. */
static inline uint32_t sb_orders_add(struct sb_orders *t, uint64_t id, uint32_t open,
                                     uint32_t level, uint64_t meta)
{
    const uint32_t slot = sb_orders_take(t, id, open, level, meta);
    sb_ids_add(&t->ids, t->slots, id, slot);
    return slot;
}

static inline void sb_orders_drop(struct sb_orders *t, uint32_t slot)
{
    sb_ids_remove(&t->ids, t->slots[slot].id, slot);
    sb_orders_give(t, slot);
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
