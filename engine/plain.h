/* plain.h: the plain path: resting and taking out of orders without attributes.
 *
 * Commands of sessions (book.c, client.c) and direct users (direct.c) go through the same code. Which of them it is, is a
 * constant wherever these functions are used, so that the compiler makes each a copy of its own without a question asked at
 * run time. Nothing here looks at phases, rules or rights, and nothing asks sb_book.general or SB_ORDER_SPECIAL: the callers did.
 *
 * What an arrival finds by chance (is the level new?) is computed, not branched upon: in a thin book it is a coin's toss, and the
 * order has still to go elsewhere. So slot 0 stands in as the neighbour that is not there: it is written to, never read. Who leaves
 * branches: what he leaves behind is seldom the last, and nothing waits for it.
 */
#ifndef SHADOWBOOK_ENGINE_PLAIN_H
#define SHADOWBOOK_ENGINE_PLAIN_H

#include "engine/book.h"

#define SB_PLAIN static inline __attribute__((always_inline))

/* a if c, else b; not by a branch. */
SB_PLAIN uint32_t sb_plain_choose(bool c, uint32_t a, uint32_t b)
{
    return __builtin_expect_with_probability(c, 1, 0.5) ? a : b;
}

/* --- levels ------------------------------------------------------------------------------------- */

/* sb_ladder_insert() without asking whether the level is new: in a thin book that is a coin's toss. Levels are not counted. */
SB_PLAIN struct sb_level *sb_plain_level_near(struct sb_ladder *l, uint32_t key)
{
    sb_ladder_open(l, key & l->mask);
    if (__builtin_expect(key < l->best, 0))
        l->best = key;
    return &l->levels[key & l->mask];
}

/* The same, counted. */
SB_PLAIN struct sb_level *sb_plain_level_counted(struct sb_engine *e, struct sb_ladder *l,
                                                 uint32_t key)
{
    struct sb_level *level = sb_plain_level_near(l, key);
    if (__builtin_expect(e->levels.counted, 0))
        e->levels.used += level->head == 0;
    SB_ASSERT_LE(e->levels.used, e->levels.max);
    return level;
}

/* For the order that will be in this slot. */
SB_PLAIN struct sb_level *sb_plain_level(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                         uint32_t slot)
{
    return sb_ladder_in_window(l, key) ? sb_plain_level_counted(e, l, key)
                                       : sb_ladder_insert_far(l, &e->levels, key, slot);
}

/* The best level of the window went. Returns the reports of a cancel. */
static __attribute__((noinline)) uint32_t sb_plain_next_best(struct sb_engine *e,
                                                             struct sb_ladder *l)
{
    sb_ladder_next_best(l);
    /* Who trades next meets the head of the new best level: the one line that nothing else will ask for early. */
    __builtin_prefetch(&e->orders.slots[l->levels[l->best & l->mask].head], 1);
    return 1;
}

/* sb_ladder_erase(), if `emptied`, of a level of the window that is zeros then. True: the best level went, and the next
 * is to be found. */
SB_PLAIN bool sb_plain_level_left_near(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                       bool emptied)
{
    if (__builtin_expect_with_probability(!emptied, 1, 0.8))
        return false;
    sb_ladder_close(l, key & l->mask);
    if (__builtin_expect(e->levels.counted, 0))
        e->levels.used--;
    return __builtin_expect(key == l->best, 0);
}

/* --- resting ------------------------------------------------------------------------------------ */

/* Makes a slot the last of its level. Returns the one before it. */
SB_PLAIN uint32_t sb_plain_append(struct sb_order *slots, struct sb_level *level, uint32_t slot,
                                  uint32_t open)
{
    const uint32_t prev = level->tail, head = level->head;
    slots[prev].next = slot;
    sb_quad_store(level, (uint64_t)slot << 32 | sb_plain_choose(head == 0, slot, head),
                  level->quantity + open);
    return prev;
}

SB_PLAIN void sb_plain_link(struct sb_engine *e, struct sb_level *level, uint32_t slot,
                            uint32_t open)
{
    struct sb_order *slots = e->orders.slots;
    slots[slot].next = 0;
    slots[slot].prev = sb_plain_append(slots, level, slot, open);
}

/* Takes an order out of its queue: is the level without any now? The slot stays taken. */
SB_PLAIN bool sb_plain_out(struct sb_engine *e, struct sb_level *level, const struct sb_order *o)
{
    struct sb_order *slots = e->orders.slots;
    const uint32_t next = o->next, prev = o->prev;
    level->quantity -= o->open;
    if (prev != 0)
        slots[prev].next = next;
    else
        level->head = next;
    if (next != 0)
        slots[next].prev = prev;
    else
        level->tail = prev;
    return (next | prev) == 0;
}

/* The same, and its level out of use if that was the last. */
SB_PLAIN void sb_plain_unlink(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level,
                              const struct sb_order *o)
{
    const uint32_t key = sb_order_ladder_key(o);
    const bool emptied = sb_plain_out(e, level, o);
    if (sb_ladder_in_window(l, key)) {
        if (sb_plain_level_left_near(e, l, key, emptied))
            (void)sb_plain_next_best(e, l);
    } else if (emptied) {
        sb_ladder_erase_far(l, &e->levels, key, level);
    }
}

/* How many open orders its session has: one more or less. */
SB_PLAIN void sb_plain_count(struct sb_engine *e, uint64_t id, uint32_t n, bool direct)
{
    if (!direct)
        e->sessions[id >> 32].view.open_orders += n;
}

SB_PLAIN void sb_plain_drop(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level,
                            uint32_t slot, bool direct)
{
    sb_plain_count(e, e->orders.slots[slot].id, (uint32_t)-1, direct);
    sb_plain_unlink(e, l, level, &e->orders.slots[slot]);
    sb_orders_drop(&e->orders, slot);
    e->stats.open_orders = e->orders.used;
}

/* There is room (asserted). */
SB_PLAIN void sb_plain_rest(struct sb_engine *e, struct sb_book *b, const struct sb_incoming *in,
                            bool direct)
{
    const uint32_t key = sb_book_key(in->side, in->ticks);
    struct sb_level *level =
        sb_plain_level(e, sb_book_side(b, in->side), key, sb_orders_next(&e->orders));
    const uint32_t flags =
        (in->side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)) | (direct ? 0 : SB_ORDER_EXTRA);
    const uint32_t slot = sb_orders_add(&e->orders, in->id, in->open, key | in->side << 31,
                                        sb_order_meta(in->ref, b->index, flags));
    if (!direct)
        sb_orders_set_extra(&e->orders, slot, in->extra);
    if (in->executed != 0)
        sb_orders_set_executed(&e->orders, slot, in->executed);
    sb_plain_link(e, level, slot, in->open);
    sb_plain_count(e, in->id, 1, direct);
    e->stats.open_orders = e->orders.used;
    if (__builtin_expect(e->orders.used > e->stats.open_orders_peak, 0))
        e->stats.open_orders_peak = e->orders.used;
}

/* --- taking out --------------------------------------------------------------------------------- */

/* Takes q, at most what is open, off an order, as canceled; drops it at zero. */
SB_PLAIN void sb_plain_reduce(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                              bool direct)
{
    struct sb_order *o = &e->orders.slots[slot];
    struct sb_ladder *l = &b->side[sb_order_book_side(o)];
    struct sb_level *level = sb_ladder_find_of(l, &e->levels, sb_order_ladder_key(o), slot);
    SB_ASSERT(level != NULL);
    SB_ASSERT_LE(q, o->open);
    if (q == o->open) {
        sb_plain_drop(e, l, level, slot, direct);
        return;
    }
    level->quantity -= q;
    o->open -= q;
}

#endif
