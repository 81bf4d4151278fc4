/* The way of most direct calls: orders that rest in the window, and cancels and modifies of such. */
#include "shadowbook/direct.h"

#include "engine/direct_general.h"
#include "engine/direct_parts.h"

/* The second half of sb_direct_order(): an order that rests in the window, and whose acknowledgement stands in `out`. */
SB_APART static uint32_t order_in_window(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                         struct sb_report *out, uint64_t hash)
{
    struct sb_ids_spot spot;
    if (__builtin_expect(e->orders.used >= e->orders.few, 0) ||
        !sb_ids_spot_near(&e->orders.ids, hash, &spot))
        return sb_direct_order_of_report(e, l, key, out);
    const uint32_t slot = sb_orders_take_low(&e->orders); /* few orders leave one */
    sb_ids_put_there(slot, &spot);
    struct sb_order *o = &e->orders.slots[slot];
    sb_order_write_front(o, out->id, out->quantity);
    struct sb_level *level = sb_plain_level_near(l, key);
    const uint32_t side = out->side;
    sb_order_write_back(
        o, level->tail, key | side << 31,
        sb_order_meta(++e->last_ref, out->instrument, side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)));
    (void)sb_plain_append(e->orders.slots, level, slot, out->quantity);
    return 1;
}

/* Most orders come to rest in the window: they go through here and order_in_window() without a call, which at the end of a
 * function is a jump, and so few registers are saved. The others leave this way before anything has changed but `out`, which is
 * written early: their details stand in it from then on. */
uint32_t sb_direct_order(struct sb_engine *e, uint32_t instrument, uint64_t id, uint32_t flags,
                         int64_t price, uint32_t quantity, struct sb_report *out)
{
    uint32_t ticks;
    const uint64_t hash = sb_ids_hash(&e->orders.ids, id);
    __builtin_prefetch(sb_ids_near(&e->orders.ids, hash), 1); /* a new id's is seldom at hand */
    if (sb_direct_many(e))
        sb_ids_prefetch_mark(&e->orders.ids, hash); /* the bucket is likely to be full */
    if (__builtin_expect(instrument > e->limits.instruments_max, 0))
        return sb_direct_order_of_any_kind(e, instrument, id, flags, price, quantity, out);
    struct sb_book *b = &e->books[instrument];
    if (__builtin_expect(b->direct != SB_DIRECT_PLAIN, 0))
        return sb_direct_order_of_any_kind(e, instrument, id, flags, price, quantity, out);
    if (!sb_direct_good_details(b, price, quantity, &ticks))
        return sb_direct_order_of_any_kind(e, b->index, id, flags, price, quantity, out);
    const uint64_t key = sb_book_key(flags, ticks);
    if (__builtin_expect((flags & SB_DIRECT_IOC) != 0, 0) ||
        __builtin_expect(sb_direct_crosses(b, flags, key), 0))
        return sb_direct_order_that_takes(e, b, id, flags, (uint32_t)key, quantity, out);

    struct sb_report *next = out;
    sb_direct_report(&next, SB_REPORT_ORDER_ACK, id, 0, (uint32_t)price, quantity, b->index,
                     flags & SB_DIRECT_SIDE_BITS, 0);
    struct sb_ladder *l = sb_book_side(b, flags);
    if (!sb_ladder_in_window(l, (uint32_t)key))
        return sb_direct_order_of_report(e, l, (uint32_t)key, out);
    return order_in_window(e, l, (uint32_t)key, out, hash);
}

/* As sb_direct_order(): the way of an order in the window. */
uint32_t sb_direct_cancel(struct sb_engine *e, uint64_t id, struct sb_report *out)
{
    uint32_t slot;
    if (__builtin_expect(e->orders.used >= e->orders.few, 0))
        return sb_direct_cancel_of_any_kind(e, id, out);
    uint16_t *tag = sb_ids_look_near(&e->orders.ids, e->orders.slots, id, &slot);
    if (__builtin_expect(tag == NULL, 0))
        return sb_direct_cancel_of_any_kind(e, id, out);
    struct sb_order *o = &e->orders.slots[slot];
    struct sb_ladder *l = &e->books[sb_order_instrument(o)].side[sb_order_book_side(o)];
    if (!sb_ladder_in_window(l, sb_order_ladder_key(o)))
        return sb_direct_cancel_of_any_kind(e, id, out);

    struct sb_report *next = out;
    *tag = 0;
    e->stats.canceled++;
    sb_direct_report(&next, SB_REPORT_CANCEL_ACK, o->id, 0, 0, o->open, sb_order_instrument(o),
                     sb_order_side(o), SB_REASON_USER);
    const bool emptied = sb_plain_out(e, &l->levels[o->level & l->mask], o);
    const uint32_t key = sb_order_ladder_key(o);
    sb_orders_give_low(&e->orders, o); /* a near bucket holds no other */
    return sb_plain_level_left_near(e, l, key, emptied) ? sb_plain_next_best(e, l) : 1;
}

/* The second half of sb_direct_modify(): from one price in the window to another. The acknowledgement stands in `out`. */
SB_APART static uint32_t modify_in_window(struct sb_engine *e, struct sb_ladder *l,
                                          struct sb_order *o, uint32_t key,
                                          const struct sb_report *out)
{
    e->stats.replaced++;
    const bool emptied = sb_plain_out(e, &l->levels[o->level & l->mask], o);
    const bool best_left = sb_plain_level_left_near(e, l, sb_order_ladder_key(o), emptied);
    struct sb_level *level = sb_plain_level_near(l, key);
    sb_order_write_front(o, out->id, out->quantity);
    sb_order_write_back(o, level->tail, key | (o->level & SB_ORDER_SELLS),
                        sb_order_meta(++e->last_ref, 0, 0) | (o->meta & SB_ORDER_LASTING));
    (void)sb_plain_append(e->orders.slots, level, sb_orders_slot(&e->orders, o), o->open);
    return best_left ? sb_plain_next_best(e, l) : 1; /* looked for with the new level there */
}

/* As sb_direct_order(): the way of an order that nobody traded with and that trades with nobody. */
uint32_t sb_direct_modify(struct sb_engine *e, uint64_t id, uint32_t flags, int64_t price,
                          uint32_t quantity, struct sb_report *out)
{
    uint32_t slot, ticks;
    if (__builtin_expect(e->orders.used >= e->orders.few, 0) ||
        __builtin_expect(sb_ids_look_near(&e->orders.ids, e->orders.slots, id, &slot) == NULL, 0))
        return sb_direct_modify_of_any_kind(e, id, flags, price, quantity, out);
    struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    if (__builtin_expect(b->direct != SB_DIRECT_PLAIN, 0) ||
        !sb_direct_good_details(b, price, quantity, &ticks) ||
        __builtin_expect((flags & SB_DIRECT_IOC) | (o->meta & SB_ORDER_EXECUTED), 0))
        return sb_direct_modify_of_any_kind(e, id, flags, price, quantity, out);
    const uint32_t side = sb_order_book_side(o), key = sb_book_key(side, ticks);
    struct sb_ladder *l = sb_book_side(b, side);
    if (__builtin_expect(sb_direct_crosses(b, side, key), 0) ||
        !sb_ladder_in_window(l, sb_order_ladder_key(o)) || !sb_ladder_in_window(l, key))
        return sb_direct_modify_of_any_kind(e, id, flags, price, quantity, out);

    struct sb_report *next = out;
    sb_direct_report(&next, SB_REPORT_MODIFY_ACK, id, 0, (uint32_t)price, quantity,
                     sb_order_instrument(o), sb_order_side(o), 0);
    return modify_in_window(e, l, o, key, out);
}
