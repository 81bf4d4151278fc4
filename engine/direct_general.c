#include "engine/direct_general.h"

#include "engine/direct_parts.h"
#include "engine/tail_walk.h"

/* --- refusals: rare, so out of the way -------------------------------------------------------- */

#define SB_COLD __attribute__((noinline, cold)) static

SB_COLD uint32_t refuse(struct sb_engine *e, uint8_t kind, uint64_t id, uint32_t instrument,
                        uint32_t side, uint32_t reason, struct sb_report *out)
{
    struct sb_report *next = out;
    e->stats.rejected++;
    sb_direct_report(&next, kind, id, 0, 0, 0, instrument, side, reason);
    return (uint32_t)(next - out);
}

/* Which of the reasons it was. */
SB_COLD uint32_t refuse_order(struct sb_engine *e, uint32_t instrument, uint64_t id, uint32_t flags,
                              int64_t price, uint32_t quantity, struct sb_report *out)
{
    const uint32_t side = flags & SB_DIRECT_SIDE_BITS;
    struct sb_book *b = sb_state_book(e, instrument);
    uint32_t ticks = 0;
    uint8_t reason = SB_REASON_SYMBOL;
    if (b != NULL)
        reason = sb_book_check(b, price, quantity, &ticks);
    if (reason == SB_REASON_NONE && (flags & SB_DIRECT_IOC) == 0) {
        if (e->orders.used == e->orders.max)
            reason = SB_REASON_FULL_ORDERS;
        else if (sb_book_levels_full(e, b, side, ticks))
            reason = SB_REASON_FULL_LEVELS;
    }
    if (reason == SB_REASON_NONE)
        reason = SB_REASON_DUPLICATE;
    return refuse(e, SB_REPORT_ORDER_REJECT, id, instrument, side, reason, out);
}

SB_COLD uint32_t refuse_modify(struct sb_engine *e, uint64_t id, int64_t price, uint32_t quantity,
                               struct sb_report *out)
{
    const uint32_t slot = sb_orders_find(&e->orders, id);
    if (slot == 0)
        return refuse(e, SB_REPORT_MODIFY_REJECT, id, 0, 0, SB_REASON_UNKNOWN, out);
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_book *b = &e->books[sb_order_instrument(o)];
    uint32_t ticks = 0;
    const uint8_t reason = sb_book_check(b, price, quantity, &ticks);
    return refuse(e, SB_REPORT_MODIFY_REJECT, id, b->index, sb_order_side(o),
                  reason != SB_REASON_NONE ? reason : SB_REASON_FULL_LEVELS, out);
}

/* --- what is common --------------------------------------------------------------------------- */

SB_PLAIN bool good_lot(const struct sb_book *b, uint32_t quantity)
{
    return __builtin_expect(b->direct == SB_DIRECT_PLAIN, 1) || quantity % b->lot == 0;
}

/* May a price level be opened for it, or is there one? `alone`: its own becomes free. Nothing is left behind while all are in use:
 * where they are counted, every way that opens one catches up first (orders.h: few). */
SB_PLAIN bool level_to_be_had(const struct sb_engine *e, struct sb_book *b, uint32_t side,
                              uint32_t ticks, bool alone)
{
    return __builtin_expect(e->levels.used != e->levels.max, 1) || alone ||
           !sb_book_levels_full(e, b, side, ticks);
}

/* For an order that would rest, in the order table and on its level. */
SB_PLAIN bool room_to_rest(const struct sb_engine *e, struct sb_book *b, uint32_t side,
                           uint32_t ticks)
{
    return __builtin_expect(e->orders.used != e->orders.max, 1) &&
           level_to_be_had(e, b, side, ticks, false);
}

SB_PLAIN void canceled(struct sb_engine *e, const struct sb_book *b, uint64_t id, uint32_t side,
                       uint32_t quantity, uint32_t reason, struct sb_report **next)
{
    e->stats.canceled++;
    sb_direct_report(next, SB_REPORT_CANCEL_ACK, id, 0, 0, quantity, b->index, side, reason);
}

/* What an order or a modify with SB_DIRECT_IOC did not trade. */
SB_PLAIN void rest_canceled(struct sb_engine *e, const struct sb_book *b, uint64_t id,
                            uint32_t side, uint32_t quantity, struct sb_report **next)
{
    e->iocs++;
    canceled(e, b, id, side, quantity, SB_REASON_IOC, next);
}

/* --- orders that trade ------------------------------------------------------------------------ */

/* The best level; any other if there is none. No walk. */
SB_PLAIN const struct sb_level *best_level(const struct sb_engine *e, const struct sb_ladder *l)
{
    return sb_ladder_in_window(l, l->best) ? &l->levels[l->best & l->mask]
                                           : &e->levels.pool.leaves[sb_tail_first(&l->tail)].level;
}

/* Trades with the best level of l, oldest first, until `open` is used up or the level is; returns what is left of `open`. The level
 * itself is written once, at the end. */
SB_PLAIN uint32_t trade_at_best(struct sb_engine *e, const struct sb_book *b, struct sb_ladder *l,
                                uint64_t id, uint32_t open, struct sb_report **next)
{
    const uint32_t key = l->best, wanted = open;
    struct sb_level *level = sb_ladder_find(l, &e->levels, key);
    SB_ASSERT(level != NULL);
    uint32_t slot = level->head;
    do {
        struct sb_order *o = &e->orders.slots[slot];
        __builtin_prefetch(&e->orders.slots[o->next]);
        const uint32_t q = open < o->open ? open : o->open;
        sb_direct_report(next, SB_REPORT_TRADE, o->id, id,
                         sb_book_ticks(sb_order_book_side(o), key) * b->tick, q, b->index,
                         sb_order_side(o), 0);
        open -= q;
        if (q != o->open) {
            o->open -= q;
            sb_orders_set_executed(&e->orders, slot, sb_orders_executed(&e->orders, slot) + q);
            break;
        }
        sb_ids_remove(&e->orders.ids, e->orders.slots, o->id, slot);
        slot = o->next;
        sb_orders_give(&e->orders, o);
    } while (slot != 0 && open != 0);
    if (slot != 0) {
        e->orders.slots[slot].prev = 0;
        sb_quad_store(level, (uint64_t)level->tail << 32 | slot, level->quantity - (wanted - open));
    } else {
        sb_ladder_erase(l, &e->levels, key, level);
        __builtin_prefetch(&e->orders.slots[best_level(e, l)->head], 1);
    }
    return open;
}

/* Trades with the other side as far as both go: one at `key` that crosses. Returns what is left of `open`. */
SB_PLAIN uint32_t trade(struct sb_engine *e, struct sb_book *b, uint64_t id, uint32_t side,
                        uint32_t key, uint32_t open, struct sb_report **next)
{
    struct sb_ladder *l = sb_book_side(b, side ^ 1u);
    const struct sb_report *first = *next;
    do
        open = trade_at_best(e, b, l, id, open, next);
    while (open != 0 && l->best <= (key ^ SB_KEY_MAX));
    e->last_match += (uint64_t)(*next - first);
    e->stats.trades += (uint64_t)(*next - first);
    return open;
}

/* An order that crosses, and is not to rest or has room to. Its acknowledgement stands in `out`. */
SB_APART static uint32_t order_that_trades(struct sb_engine *e, struct sb_book *b, uint64_t id,
                                           uint32_t flags, uint32_t key, uint32_t quantity,
                                           struct sb_report *out)
{
    struct sb_report *next = out + 1;
    const uint32_t side = flags & SB_DIRECT_SIDE_BITS;
    const uint32_t open = trade(e, b, id, side, key, quantity, &next);
    if (open != 0 && (flags & SB_DIRECT_IOC) != 0)
        rest_canceled(e, b, id, side, open, &next);
    else if (open != 0)
        sb_book_rest(e, b,
                     &(struct sb_incoming){.ref = e->last_ref,
                                           .id = id,
                                           .open = open,
                                           .executed = quantity - open,
                                           .ticks = sb_book_ticks(side, key),
                                           .side = side});
    return (uint32_t)(next - out);
}

uint32_t sb_direct_order_that_takes(struct sb_engine *e, struct sb_book *b, uint64_t id,
                                    uint32_t flags, uint32_t key, uint32_t quantity,
                                    struct sb_report *out)
{
    struct sb_report *next = out;
    const uint32_t side = flags & SB_DIRECT_SIDE_BITS, ticks = sb_book_ticks(side, key);
    sb_state_settle(e);
    if (__builtin_expect(sb_orders_live(&e->orders, id), 0) ||
        ((flags & SB_DIRECT_IOC) == 0 && !room_to_rest(e, b, side, ticks)))
        return refuse_order(e, b->index, id, flags, ticks * b->tick, quantity, out);
    e->last_ref++;
    sb_direct_report(&next, SB_REPORT_ORDER_ACK, id, 0, ticks * b->tick, quantity, b->index, side,
                     0);
    if (sb_direct_crosses(b, side, key))
        return order_that_trades(e, b, id, flags, key, quantity, out);
    rest_canceled(e, b, id, side, quantity, &next); /* who neither crosses nor rests */
    return 2;
}

/* --- levels of orders that rest ---------------------------------------------------------------- */

/* The level of an order that is written already, outside the window: a new one, or one that it joins. */
SB_PLAIN void rest_far(struct sb_engine *e, struct sb_ladder *l, uint32_t key, uint32_t slot,
                       uint32_t quantity)
{
    bool made;
    const uint32_t leaf = sb_tail_reach(&l->tail, &e->levels.pool, key, slot, &made);
    struct sb_level *level = &e->levels.pool.leaves[leaf].level;
    if (!made) {
        e->orders.slots[slot].prev = sb_plain_append(e->orders.slots, level, slot, quantity);
        return;
    }
    sb_quad_store(level, (uint64_t)slot << 32 | slot, quantity);
    (void)sb_ladder_opened_far(l, &e->levels, key, level);
}

SB_PLAIN void rest_near(struct sb_engine *e, struct sb_ladder *l, uint32_t key, uint32_t slot,
                        uint32_t quantity)
{
    struct sb_level *level = sb_plain_level_counted(e, l, key);
    e->orders.slots[slot].prev = sb_plain_append(e->orders.slots, level, slot, quantity);
}

/* --- what is left for later (direct_general.h) ------------------------------------------------ */

SB_PLAIN void come(struct sb_engine *e, const struct sb_behind *behind)
{
    for (uint32_t i = 0; i < behind->n; i++) {
        const uint32_t key = behind->of[i].key, slot = behind->of[i].slot;
        struct sb_ladder *l = behind->of[i].ladder;
        if (__builtin_expect(key - l->base <= l->mask, 0)) /* one of them moved the window */
            rest_near(e, l, key, slot, e->orders.slots[slot].open);
        else
            rest_far(e, l, key, slot, e->orders.slots[slot].open);
    }
}

SB_PLAIN void go(struct sb_tail_pool *pool, const struct sb_behind *behind)
{
    for (uint32_t i = 0; i < behind->n; i++)
        sb_tail_ask_node(pool, behind->of[i].slot);
    for (uint32_t i = 0; i < behind->n; i++)
        sb_tail_leave(&behind->of[i].ladder->tail, pool, behind->of[i].key, behind->of[i].slot);
}

SB_APART void sb_direct_catch_up(struct sb_engine *e)
{
    if (e->behind.going)
        go(&e->levels.pool, &e->behind);
    else
        come(e, &e->behind);
    e->behind.n = 0;
}

/* With many orders, levels are far from the cache; and nobody can tell from a tail's best. */
SB_PLAIN bool may_be_late(const struct sb_engine *e, const struct sb_ladder *l, uint32_t key)
{
    return sb_direct_many(e) && key > sb_tail_least(&l->tail);
}

SB_PLAIN void later(struct sb_engine *e, struct sb_ladder *l, uint32_t key, uint32_t slot,
                    bool going)
{
    const uint32_t n = e->behind.n;
    e->behind.of[n].ladder = l;
    e->behind.of[n].key = key;
    e->behind.of[n].slot = slot;
    e->behind.n = n + 1;
    e->behind.going = going;
    if (n + 1 == SB_BEHIND_MOST)
        sb_direct_catch_up(e);
}

/* An order comes to its level. */
SB_PLAIN void comes_later(struct sb_engine *e, struct sb_ladder *l, uint32_t key, uint32_t slot)
{
    sb_tail_ask(&l->tail, &e->levels.pool, key);
    later(e, l, key, slot, false);
}

/* A level goes. */
SB_PLAIN void goes_later(struct sb_engine *e, struct sb_ladder *l, uint32_t key, uint32_t slot)
{
    sb_tail_ask_leaf(&e->levels.pool, slot);
    sb_ladder_closed_far(l, &e->levels, key);
    later(e, l, key, slot, true);
}

/* --- orders that rest ------------------------------------------------------------------------- */

/* An order that rests, wherever its id and its level are; there is room for both (asserted). Its acknowledgement stands in `out`. */
SB_APART static uint32_t rest_anywhere(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                       struct sb_report *out)
{
    const uint32_t side = out->side, slot = sb_orders_next(&e->orders);
    if (!__builtin_expect(sb_ids_enter_soon(&e->orders.ids, e->orders.slots, out->id, slot), 1) &&
        !sb_ids_enter(&e->orders.ids, e->orders.slots, out->id, slot))
        return refuse_order(e, out->instrument, out->id, side, out->price, out->quantity, out);
    struct sb_order *o = &e->orders.slots[sb_orders_take(&e->orders)];
    sb_order_write_front(o, out->id, out->quantity);
    sb_order_write_back(
        o, 0, key | side << 31,
        sb_order_meta(++e->last_ref, out->instrument, side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)));
    const bool late = may_be_late(e, l, key) && !e->levels.counted;
    if (e->behind.n != 0 && (e->behind.going || !late))
        sb_direct_catch_up(e);
    if (sb_ladder_in_window(l, key))
        rest_near(e, l, key, slot, out->quantity);
    else if (late)
        comes_later(e, l, key, slot);
    else /* its walk is the last of all, with the least to be kept */
        rest_far(e, l, key, slot, out->quantity);
    return 1;
}

uint32_t sb_direct_order_of_any_kind(struct sb_engine *e, uint32_t instrument, uint64_t id,
                                     uint32_t flags, int64_t price, uint32_t quantity,
                                     struct sb_report *out)
{
    const uint32_t side = flags & SB_DIRECT_SIDE_BITS;
    struct sb_book *b = sb_state_book(e, instrument);
    struct sb_report *next = out;
    uint32_t ticks = 0;
    if (b == NULL || !sb_direct_good_details(b, price, quantity, &ticks) || !good_lot(b, quantity))
        return refuse_order(e, instrument, id, flags, price, quantity, out);
    const uint32_t key = sb_book_key(side, ticks);
    if ((flags & SB_DIRECT_IOC) != 0 || sb_direct_crosses(b, side, key) ||
        !room_to_rest(e, b, side, ticks))
        return sb_direct_order_that_takes(e, b, id, flags, key, quantity, out);
    sb_direct_report(&next, SB_REPORT_ORDER_ACK, id, 0, (uint32_t)price, quantity, instrument, side,
                     0);
    return rest_anywhere(e, sb_book_side(b, side), key, out);
}

uint32_t sb_direct_order_of_report(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                   struct sb_report *out)
{
    if (e->orders.used < e->orders.max && e->levels.used < e->levels.max)
        return rest_anywhere(e, l, key, out);
    return sb_direct_order_of_any_kind(e, out->instrument, out->id, out->side, out->price,
                                       out->quantity, out);
}

/* --- taking out ------------------------------------------------------------------------------- */

SB_APART static uint32_t take_off(struct sb_engine *e, uint32_t slot, uint32_t q,
                                  struct sb_report *out)
{
    struct sb_report *next = out;
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    canceled(e, b, o->id, sb_order_side(o), q, SB_REASON_USER, &next);
    sb_plain_reduce(e, b, slot, q, true);
    return (uint32_t)(next - out);
}

uint32_t sb_direct_cancel_of_any_kind(struct sb_engine *e, uint64_t id, struct sb_report *out)
{
    sb_direct_ask_ahead(e, id);
    const uint32_t slot = sb_ids_leave(&e->orders.ids, e->orders.slots, id);
    if (__builtin_expect(slot == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, 0, 0, SB_REASON_UNKNOWN, out);
    struct sb_order *o = &e->orders.slots[slot];
    const uint32_t key = sb_order_ladder_key(o), instrument = sb_order_instrument(o);
    struct sb_ladder *l = &e->books[instrument].side[sb_order_book_side(o)];
    struct sb_report *next = out;
    e->stats.canceled++;
    sb_direct_report(&next, SB_REPORT_CANCEL_ACK, id, 0, 0, o->open, instrument, sb_order_side(o),
                     SB_REASON_USER);
    if (e->behind.n != 0 && !e->behind.going)
        sb_direct_catch_up(e);
    if (sb_ladder_in_window(l, key)) {
        const bool emptied = sb_plain_out(e, &l->levels[key & l->mask], o);
        sb_orders_give(&e->orders, o);
        return sb_plain_level_left_near(e, l, key, emptied) ? sb_plain_next_best(e, l) : 1;
    }
    if ((o->next | o->prev) != 0) {
        struct sb_level *level = sb_ladder_find_of(l, &e->levels, key, slot);
        SB_ASSERT(level != NULL);
        (void)sb_plain_out(e, level, o);
        sb_orders_give(&e->orders, o);
        return 1;
    }
    sb_orders_give(&e->orders, o);
    if (may_be_late(e, l, key)) {
        goes_later(e, l, key, slot);
        return 1;
    }
    sb_state_settle(e);
    sb_tail_leave(&l->tail, &e->levels.pool, key, slot); /* nobody asks what the level was */
    sb_ladder_closed_far(l, &e->levels, key);
    return 1;
}

uint32_t sb_direct_reduce(struct sb_engine *e, uint64_t id, uint32_t quantity,
                          struct sb_report *out)
{
    sb_direct_ask_ahead(e, id);
    const uint32_t slot = sb_orders_find(&e->orders, id);
    sb_state_settle(e);
    if (__builtin_expect(slot == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, 0, 0, SB_REASON_UNKNOWN, out);
    const struct sb_order *o = &e->orders.slots[slot];
    if (__builtin_expect(quantity == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, sb_order_instrument(o), sb_order_side(o),
                      SB_REASON_QUANTITY, out);
    return take_off(e, slot, quantity < o->open ? quantity : o->open, out);
}

/* --- modifies --------------------------------------------------------------------------------- */

/* The order leaves its queue, trades under its new details, and what is left goes to the end of the queue of its new price. */
SB_PLAIN uint32_t modify(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t flags,
                         uint32_t ticks, uint32_t quantity, uint32_t executed, bool takes,
                         struct sb_report *out)
{
    struct sb_report *next = out;
    struct sb_order *o = &e->orders.slots[slot];
    const uint32_t side = sb_order_side(o), key = sb_book_key(side, ticks);
    const uint64_t ref = ++e->last_ref;
    struct sb_ladder *l = sb_book_side(b, side);
    struct sb_level *level = sb_ladder_find_of(l, &e->levels, sb_order_ladder_key(o), slot);
    uint32_t open = quantity;
    SB_ASSERT(level != NULL);
    e->stats.replaced++;
    sb_direct_report(&next, SB_REPORT_MODIFY_ACK, o->id, 0, ticks * b->tick, open, b->index, side,
                     0);
    sb_plain_unlink(e, l, level, o);
    if (takes) {
        if (sb_direct_crosses(b, side, key))
            open = trade(e, b, o->id, side, key, quantity, &next);
        if (open == 0 || (flags & SB_DIRECT_IOC) != 0) {
            if (open != 0)
                rest_canceled(e, b, o->id, side, open, &next);
            sb_orders_drop(&e->orders, slot);
            return (uint32_t)(next - out);
        }
    }
    executed += quantity - open;
    o->open = open;
    o->level = key | side << 31;
    o->meta = sb_order_meta(ref, b->index, side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT));
    if (__builtin_expect(executed != 0, 0))
        sb_orders_set_executed(&e->orders, slot, executed);
    sb_plain_link(e, sb_plain_level(e, l, key, slot), slot, open);
    return (uint32_t)(next - out);
}

SB_APART static uint32_t modify_that_takes(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                                           uint32_t flags, uint32_t ticks, uint32_t open,
                                           uint32_t executed, struct sb_report *out)
{
    return modify(e, b, slot, flags, ticks, open, executed, true, out);
}

uint32_t sb_direct_modify_of_any_kind(struct sb_engine *e, uint64_t id, uint32_t flags,
                                      int64_t price, uint32_t quantity, struct sb_report *out)
{
    sb_direct_ask_ahead(e, id);
    const uint32_t slot = sb_orders_find(&e->orders, id);
    uint32_t ticks = 0;
    sb_state_settle(e);
    if (__builtin_expect(slot == 0, 0))
        return refuse_modify(e, id, price, quantity, out);
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    if (!sb_direct_good_details(b, price, quantity, &ticks) || !good_lot(b, quantity) ||
        ((flags & SB_DIRECT_IOC) == 0 &&
         !level_to_be_had(e, b, sb_order_side(o), ticks, (o->next | o->prev) == 0)))
        return refuse_modify(e, id, price, quantity, out);
    const uint32_t executed =
        (flags & SB_DIRECT_CHAIN) != 0 ? sb_orders_executed(&e->orders, slot) : 0;
    if (__builtin_expect(quantity <= executed, 0))
        return take_off(e, slot, o->open, out);
    if (__builtin_expect(flags / SB_DIRECT_IOC % 2 | sb_book_crosses(b, sb_order_side(o), ticks),
                         0))
        return modify_that_takes(e, b, slot, flags, ticks, quantity - executed, executed, out);
    return modify(e, b, slot, flags, ticks, quantity - executed, executed, false, out);
}

uint32_t sb_direct_amend(struct sb_engine *e, uint64_t id, uint32_t flags, int64_t price,
                         uint32_t quantity, struct sb_report *out)
{
    sb_direct_ask_ahead(e, id);
    const uint32_t slot = sb_orders_find(&e->orders, id);
    uint32_t ticks = 0;
    sb_state_settle(e);
    if (slot == 0)
        return sb_direct_modify(e, id, flags, price, quantity, out);
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    const uint32_t executed =
        (flags & SB_DIRECT_CHAIN) != 0 ? sb_orders_executed(&e->orders, slot) : 0;
    const uint32_t side = sb_order_side(o);
    if ((flags & SB_DIRECT_IOC) != 0 || !sb_direct_good_details(b, price, quantity, &ticks) ||
        !good_lot(b, quantity) || quantity <= executed || quantity - executed > o->open ||
        sb_book_key(side, ticks) != sb_order_ladder_key(o))
        return sb_direct_modify(e, id, flags, price, quantity, out);
    struct sb_report *next = out;
    e->stats.replaced++;
    e->kept++;
    sb_direct_report(&next, SB_REPORT_MODIFY_ACK, id, 0, (uint32_t)price, quantity - executed,
                     b->index, side, 0);
    if (quantity - executed != o->open)
        sb_plain_reduce(e, b, slot, o->open - (quantity - executed), true);
    return (uint32_t)(next - out);
}
