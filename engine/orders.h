/* orders.h: resting orders: a pool of slots and the table of live orders by (session, client key).
 *
 * A resting order is half a cache line and named by its slot, 1..max; slots are reused last in, first
 * out, so a quiet book stays in few lines. Slot numbers never reach an output or a digest.
 *
 * The table holds live orders only: open addressing, at most half full, deletion by shifting back, so it
 * never fills with tombstones. The hash scatters blocks of four consecutive keys, and keeps the four side by
 * side in one cache line: a session's keys rise one by one, so its recent orders share lines.
 */
#ifndef SHADOWBOOK_ENGINE_ORDERS_H
#define SHADOWBOOK_ENGINE_ORDERS_H

#include <stddef.h>
#include <stdint.h>

#include "shadowbook/command.h"

struct sb_order {
    uint32_t next, prev; /* in the level's queue, 0 = end; `next` also chains free slots */
    uint32_t open, executed;
    uint32_t key;   /* client's */
    uint32_t level; /* ladder key of its price */
    uint64_t name;  /* ref << 19 | side << 16 | session */
};
_Static_assert(sizeof(struct sb_order) == 32, "two to a cache line");

#define SB_ORDER_REF_MAX ((UINT64_C(1) << 45) - 1) /* a day at 400 million orders a second */

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

struct sb_order_entry {
    uint32_t key;
    uint32_t slot; /* 0 = empty place */
    uint16_t session, instrument;
    uint8_t capacity; /* wanted only by a replace, so it is here and not in the order */
    uint8_t zero[3];
};
_Static_assert(sizeof(struct sb_order_entry) == 16, "four to a cache line");

struct sb_orders {
    struct sb_order *slots;
    struct sb_order_entry *table;
    uint32_t max, used; /* used: open orders */
    uint32_t free, fresh;
    uint32_t mask; /* places in the table - 1 */
    uint32_t shift;
};

/* Places in the table for this many orders: a power of two, at least twice as many. */
static inline uint32_t sb_orders_places(uint32_t max)
{
    uint32_t places = 8;
    while (places < 2 * max)
        places *= 2;
    return places;
}

/* slots: max + 1, table: sb_orders_places(max), both zeroed. */
void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots,
                    struct sb_order_entry *table);

/* First place to look for a key. */
static inline uint32_t sb_orders_home(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    uint64_t x = ((uint64_t)session << 32 | key >> 2) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return ((uint32_t)(x >> t->shift) << 2 | (key & 3u)) & t->mask;
}

/* The entry of a live order, or NULL. Valid until the table changes. */
static inline struct sb_order_entry *sb_orders_find(const struct sb_orders *t, uint32_t session,
                                                    uint32_t key)
{
    uint32_t place = sb_orders_home(t, session, key);
    while (t->table[place].slot != 0) {
        if (t->table[place].key == key && t->table[place].session == session)
            return &t->table[place];
        place = (place + 1) & t->mask;
    }
    return NULL;
}

/* Takes a slot and enters it in the table; the caller fills in the order. used < max (asserted); the
 * key is not live yet (keys of a session only rise). */
uint32_t sb_orders_add(struct sb_orders *t, uint32_t session, uint32_t key, uint32_t instrument,
                       uint8_t capacity);

/* Gives a slot back, and its place in the table. The order's key and session must still be there. */
void sb_orders_drop(struct sb_orders *t, uint32_t slot);

#endif
