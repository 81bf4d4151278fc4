#include "shadowbook/direct.h"

#include "engine/instrument.h"
#include "engine/plain.h"
#include "engine/tail_walk.h"

enum { SIDE_BITS = 7 };

/* --- start -------------------------------------------------------------------------------------- */

bool sb_direct_define(struct sb_engine *e, uint32_t instrument,
                      const struct sb_direct_instrument *definition)
{
    struct sb_instrument_view view = {.symbol = "D0000000",
                                      .tick = definition->tick,
                                      .price_min = definition->price_min,
                                      .price_max = definition->price_max,
                                      .lot = definition->lot,
                                      .quantity_max = definition->quantity_max,
                                      .phase = SB_PHASE_CONTINUOUS};
    for (uint32_t rest = instrument, at = 7; rest != 0 && at != 0; rest /= 10, at--)
        view.symbol[at] = (char)('0' + rest % 10);
    SB_ASSERT(e->direct);
    return sb_instrument_put(e, instrument, &view);
}

bool sb_direct_open(struct sb_engine *e, uint32_t n, const struct sb_direct_instrument *definition)
{
    SB_ASSERT(!e->open && e->stats.commands == 0);
    e->open = true;
    e->direct = true;
    bool good = true;
    for (uint32_t i = 1; good && i <= n; i++)
        good = sb_direct_define(e, i, definition);
    return good;
}

uint32_t sb_direct_reports_max(const struct sb_engine *e)
{
    return e->limits.orders_max + 2; /* an ack, a trade with everybody, the rest of an IOC */
}

void sb_direct_stats(struct sb_engine *e)
{
    struct sb_engine_stats *s = &e->stats;
    const uint32_t most = sb_orders_most(&e->orders);
    s->commands = e->last_ref + e->kept + s->canceled - e->iocs + s->rejected;
    s->open_orders = e->orders.used;
    s->open_orders_peak = most > s->open_orders_peak ? most : s->open_orders_peak;
    s->accepted = e->last_ref + e->kept - s->replaced;
    s->outputs = s->accepted + s->replaced + s->canceled + s->rejected + s->trades;
}

/* --- refusals: rare, so out of the way --------------------------------------------------------------- */

#define SB_COLD __attribute__((noinline, cold)) static

static uint32_t said(const struct sb_sink *sink, const struct sb_report *out)
{
    return (uint32_t)(sink->report - out);
}

SB_COLD uint32_t refuse(struct sb_engine *e, uint8_t kind, uint64_t id, uint32_t instrument,
                        uint32_t side, uint32_t reason, struct sb_report *out)
{
    struct sb_sink sink = {.direct = true, .report = out};
    e->stats.rejected++;
    sb_sink_report(&sink, kind, id, 0, 0, 0, instrument, side, reason);
    return said(&sink, out);
}

/* Which of the reasons it was. */
SB_COLD uint32_t refuse_order(struct sb_engine *e, uint32_t instrument, uint64_t id, uint32_t flags,
                              int64_t price, uint32_t quantity, struct sb_report *out)
{
    const uint32_t side = flags & SIDE_BITS;
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

/* --- what is common ----------------------------------------------------------------------------- */

/* Price and quantity against the instrument's limits, lots excepted, without a word of why not. */
SB_PLAIN bool good_details(const struct sb_book *b, int64_t price, uint32_t quantity,
                           uint32_t *ticks)
{
    if (__builtin_expect((uint64_t)price - b->price_min > b->price_range, 0))
        return false;
    *ticks = sb_book_divide(b, (uint32_t)price);
    return __builtin_expect((uint32_t)price == *ticks * b->tick, 1) &&
           __builtin_expect(quantity - 1 < b->quantity_max, 1);
}

/* sb_book_crosses() of a ladder key. */
SB_PLAIN bool crosses_at(const struct sb_book *b, uint32_t side, uint32_t key)
{
    return b->side[~side & 1u].best <= (key ^ SB_KEY_MAX);
}

SB_PLAIN bool good_lot(const struct sb_book *b, uint32_t quantity)
{
    return __builtin_expect(b->direct == SB_DIRECT_PLAIN, 1) || quantity % b->lot == 0;
}

/* May a price level be opened for it, or is there one? `alone`: its own becomes free. */
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
                       uint32_t quantity, uint32_t reason, struct sb_sink *sink)
{
    e->stats.canceled++;
    sb_sink_report(sink, SB_REPORT_CANCEL_ACK, id, 0, 0, quantity, b->index, side, reason);
}

/* What an order or a modify with SB_DIRECT_IOC did not trade. */
SB_PLAIN void rest_canceled(struct sb_engine *e, const struct sb_book *b, uint64_t id,
                            uint32_t side, uint32_t quantity, struct sb_sink *sink)
{
    e->iocs++;
    canceled(e, b, id, side, quantity, SB_REASON_IOC, sink);
}

/* --- calls -------------------------------------------------------------------------------------- */

#define SB_APART __attribute__((noinline)) static

/* An order that may trade now, or is not to rest: one in six. Price and quantity are checked. */
SB_APART uint32_t order_that_takes(struct sb_engine *e, struct sb_book *b, uint64_t id,
                                   uint32_t flags, uint32_t ticks, uint32_t quantity,
                                   struct sb_report *out)
{
    struct sb_sink sink = {.direct = true, .report = out};
    const uint32_t side = flags & SIDE_BITS;
    const uint32_t price = ticks * b->tick;
    if (__builtin_expect(sb_orders_find(&e->orders, id) != 0, 0) ||
        ((flags & SB_DIRECT_IOC) == 0 && !room_to_rest(e, b, side, ticks)))
        return refuse_order(e, b->index, id, flags, price, quantity, out);
    struct sb_incoming in = {
        .ref = ++e->last_ref, .id = id, .open = quantity, .ticks = ticks, .side = side};
    sb_sink_report(&sink, SB_REPORT_ORDER_ACK, id, 0, price, quantity, b->index, side, 0);
    sb_plain_match(e, b, &in, &sink);
    if (in.open != 0) {
        if ((flags & SB_DIRECT_IOC) != 0)
            rest_canceled(e, b, id, side, in.open, &sink);
        else
            sb_plain_rest(e, b, &in, true);
    }
    return said(&sink, out);
}

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

/* A checked order that rests, wherever its id and its level are; there is room for it. */
SB_PLAIN uint32_t rest_anywhere(struct sb_engine *e, struct sb_book *b, uint32_t instrument,
                                uint64_t id, uint32_t side, uint32_t key, uint32_t price,
                                uint32_t quantity, struct sb_report *out)
{
    const uint32_t slot = e->orders.free;
    if (!__builtin_expect(sb_ids_enter_soon(&e->orders.ids, id, slot), 1) &&
        !sb_ids_enter(&e->orders.ids, e->orders.slots, id, slot))
        return refuse_order(e, instrument, id, side, price, quantity, out);
    /* As each step is the last that needs what it uses (sb_direct_order()), the walk is the last of all. */
    struct sb_sink sink = {.direct = true, .report = out};
    sb_sink_report(&sink, SB_REPORT_ORDER_ACK, id, 0, price, quantity, instrument, side, 0);
    SB_KEEP_APART(quantity);
    (void)sb_orders_take(&e->orders);
    sb_order_write(
        &e->orders.slots[slot], id, quantity, 0, key | side << 31,
        sb_order_meta(++e->last_ref, instrument, side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)));
    struct sb_ladder *l = sb_book_side(b, side);
    SB_KEEP_APART(l);
    if (__builtin_expect(key - l->base > l->mask, 1)) {
        rest_far(e, l, key, slot, quantity);
        return 1;
    }
    struct sb_level *level = sb_plain_level_near(e, l, key);
    SB_ASSERT_LE(e->levels.used, e->levels.max);
    e->orders.slots[slot].prev = sb_plain_append(e->orders.slots, level, slot, quantity);
    return 1;
}

SB_APART uint32_t order_that_rests(struct sb_engine *e, struct sb_book *b, uint64_t id,
                                   uint32_t side, uint32_t ticks, uint32_t quantity,
                                   struct sb_report *out)
{
    return rest_anywhere(e, b, b->index, id, side, sb_book_key(side, ticks), ticks * b->tick,
                         quantity, out);
}

/* sb_direct_order() where levels or orders may be full, or there is no such instrument. */
SB_APART uint32_t order_of_rare_kind(struct sb_engine *e, uint32_t instrument, uint64_t id,
                                     uint32_t flags, int64_t price, uint32_t quantity,
                                     struct sb_report *out)
{
    const uint32_t side = flags & SIDE_BITS;
    struct sb_book *b = sb_state_book(e, instrument);
    uint32_t ticks = 0;
    if (b == NULL || !good_details(b, price, quantity, &ticks) || !good_lot(b, quantity))
        return refuse_order(e, instrument, id, flags, price, quantity, out);
    if ((flags & SB_DIRECT_IOC) != 0 || sb_book_crosses(b, side, ticks) ||
        !room_to_rest(e, b, side, ticks))
        return order_that_takes(e, b, id, flags, ticks, quantity, out);
    return order_that_rests(e, b, id, side, ticks, quantity, out);
}

/* Any order: what sb_direct_order() does, for those that are not as most are. */
SB_APART uint32_t order_of_any_kind(struct sb_engine *e, uint32_t instrument, uint64_t id,
                                    uint32_t flags, int64_t price, uint32_t quantity,
                                    struct sb_report *out)
{
    const uint32_t side = flags & SIDE_BITS;
    struct sb_book *b = &e->books[instrument];
    uint32_t ticks;
    if (__builtin_expect(instrument > e->limits.instruments_max, 0) ||
        __builtin_expect(b->direct != SB_DIRECT_PLAIN, 0) ||
        !good_details(b, price, quantity, &ticks) ||
        __builtin_expect((flags & SB_DIRECT_IOC) != 0, 0) ||
        __builtin_expect(crosses_at(b, side, sb_book_key(side, ticks)), 0) ||
        __builtin_expect(e->orders.used >= e->orders.max, 0) ||
        __builtin_expect(e->levels.used >= e->levels.max, 0))
        return order_of_rare_kind(e, instrument, id, flags, price, quantity, out);
    return rest_anywhere(e, b, instrument, id, side, sb_book_key(side, ticks), (uint32_t)price,
                         quantity, out);
}

/* With so many orders most are beyond the near buckets: the line where they are is asked for before the near one has come. */
SB_PLAIN void ask_ahead(const struct sb_engine *e, uint64_t id)
{
    if (__builtin_expect(e->orders.used > SB_IDS_NEAR_MAX * 4, 0))
        sb_ids_prefetch_far(&e->orders.ids, id);
}

/* Most orders come to rest in the window: this is their whole way, in one piece and without a call. The others leave it
 * before anything has changed. */
uint32_t sb_direct_order(struct sb_engine *e, uint32_t instrument, uint64_t id, uint32_t flags,
                         int64_t price, uint32_t quantity, struct sb_report *out)
{
    const uint32_t side = flags & SIDE_BITS;
    struct sb_ids_spot spot;
    uint32_t ticks;
    ask_ahead(e, id);
    if (__builtin_expect(instrument > e->limits.instruments_max, 0))
        return order_of_any_kind(e, instrument, id, flags, price, quantity, out);
    struct sb_book *b = &e->books[instrument];
    if (__builtin_expect(b->direct != SB_DIRECT_PLAIN, 0) ||
        !good_details(b, price, quantity, &ticks))
        return order_of_any_kind(e, instrument, id, flags, price, quantity, out);
    const uint32_t key = sb_book_key(side, ticks);
    struct sb_ladder *l = sb_book_side(b, side);
    SB_KEEP_APART(l);
    if (__builtin_expect((flags & SB_DIRECT_IOC) != 0, 0) ||
        __builtin_expect(crosses_at(b, side, key), 0))
        return order_that_takes(e, b, id, flags, ticks, quantity, out);
    if (__builtin_expect(e->orders.used >= e->orders.max, 0) ||
        __builtin_expect(e->levels.used >= e->levels.max, 0) ||
        !sb_ids_spot_near(&e->orders.ids, id, &spot))
        return order_of_any_kind(e, instrument, id, flags, price, quantity, out);
    if (!sb_ladder_in_window(l, key))
        return order_that_rests(e, b, id, side, ticks, quantity, out);

    /* Each step is the last that needs what it uses: what must be kept is stored, and stores are dear (words.h). */
    const uint32_t slot = sb_orders_take(&e->orders);
    sb_ids_put_near(slot, &spot);
    SB_KEEP_APART(l);
    struct sb_level *level = sb_plain_level_near(e, l, key);
    sb_order_write(
        &e->orders.slots[slot], id, quantity, level->tail, key | side << 31,
        sb_order_meta(++e->last_ref, instrument, side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)));
    SB_KEEP_APART(quantity);
    struct sb_sink sink = {.direct = true, .report = out};
    sb_sink_report(&sink, SB_REPORT_ORDER_ACK, id, 0, (uint32_t)price, quantity, instrument, side,
                   0);
    SB_KEEP_APART(level);
    (void)sb_plain_append(e->orders.slots, level, slot, quantity);
    return 1;
}

SB_APART uint32_t take_off(struct sb_engine *e, uint32_t slot, uint32_t q, struct sb_report *out)
{
    struct sb_sink sink = {.direct = true, .report = out};
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    canceled(e, b, o->id, sb_order_side(o), q, SB_REASON_USER, &sink);
    sb_plain_reduce(e, b, slot, q, true);
    return said(&sink, out);
}

/* An order whose id is beyond its near bucket, or whose level is outside the window; or there is none. */
SB_APART uint32_t cancel_of_any_kind(struct sb_engine *e, uint64_t id, struct sb_report *out)
{
    const uint32_t slot = sb_ids_leave(&e->orders.ids, e->orders.slots, id);
    if (__builtin_expect(slot == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, 0, 0, SB_REASON_UNKNOWN, out);
    const struct sb_order *o = &e->orders.slots[slot];
    const uint32_t key = sb_order_ladder_key(o), instrument = sb_order_instrument(o);
    struct sb_ladder *l = &e->books[instrument].side[sb_order_book_side(o)];
    SB_KEEP_APART(l);
    struct sb_sink sink = {.direct = true, .report = out};
    e->stats.canceled++;
    sb_sink_report(&sink, SB_REPORT_CANCEL_ACK, id, 0, 0, o->open, instrument, sb_order_side(o),
                   SB_REASON_USER);
    SB_KEEP_APART(o);
    if (sb_ladder_in_window(l, key)) {
        const bool emptied = sb_plain_out(e, &l->levels[key & l->mask], o);
        sb_orders_give(&e->orders, slot);
        return sb_plain_level_left_near(e, l, key, emptied) ? sb_plain_next_best(e, l) : 1;
    }
    if ((o->next | o->prev) != 0) {
        struct sb_level *level = sb_ladder_find_of(l, &e->levels, key, slot);
        SB_ASSERT(level != NULL);
        (void)sb_plain_out(e, level, o);
        sb_orders_give(&e->orders, slot);
        return 1;
    }
    sb_orders_give(&e->orders, slot);
    sb_tail_leave(&l->tail, &e->levels.pool, key, slot); /* nobody asks what the level was */
    sb_ladder_closed_far(l, &e->levels, key);
    return 1;
}

/* The same for who knows the slot; 0: there is none. */
SB_APART uint32_t cancel_far(struct sb_engine *e, uint64_t id, uint32_t slot, struct sb_report *out)
{
    if (__builtin_expect(slot == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, 0, 0, SB_REASON_UNKNOWN, out);
    return cancel_of_any_kind(e, id, out);
}

/* As sb_direct_order(): the way of an order in the window. */
uint32_t sb_direct_cancel(struct sb_engine *e, uint64_t id, struct sb_report *out)
{
    struct sb_order *slots = e->orders.slots;
    uint32_t slot;
    ask_ahead(e, id);
    uint16_t *tag = sb_ids_look_near(&e->orders.ids, slots, id, &slot);
    if (__builtin_expect(tag == NULL, 0))
        return cancel_far(e, id, sb_ids_find_far(&e->orders.ids, slots, id), out);
    const struct sb_order *o = &slots[slot];
    const uint32_t key = sb_order_ladder_key(o), instrument = sb_order_instrument(o);
    struct sb_ladder *l = &e->books[instrument].side[sb_order_book_side(o)];
    SB_KEEP_APART(l);
    if (!sb_ladder_in_window(l, key))
        return cancel_far(e, id, slot, out);

    struct sb_sink sink = {.direct = true, .report = out};
    *tag = 0;
    e->stats.canceled++;
    sb_sink_report(&sink, SB_REPORT_CANCEL_ACK, id, 0, 0, o->open, instrument, sb_order_side(o),
                   SB_REASON_USER);
    SB_KEEP_APART(o);
    const bool emptied = sb_plain_out(e, &l->levels[key & l->mask], o);
    SB_KEEP_APART(l);
    sb_orders_give(&e->orders, slot);
    return sb_plain_level_left_near(e, l, key, emptied) ? sb_plain_next_best(e, l) : 1;
}

uint32_t sb_direct_reduce(struct sb_engine *e, uint64_t id, uint32_t quantity,
                          struct sb_report *out)
{
    const uint32_t slot = sb_orders_find(&e->orders, id);
    if (__builtin_expect(slot == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, 0, 0, SB_REASON_UNKNOWN, out);
    const struct sb_order *o = &e->orders.slots[slot];
    if (__builtin_expect(quantity == 0, 0))
        return refuse(e, SB_REPORT_CANCEL_REJECT, id, sb_order_instrument(o), sb_order_side(o),
                      SB_REASON_QUANTITY, out);
    return take_off(e, slot, quantity < o->open ? quantity : o->open, out);
}

/* The order leaves its queue, trades under its new details, and what is left goes to the end of the queue of its new price. */
SB_PLAIN uint32_t modify(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t flags,
                         uint32_t ticks, uint32_t open, uint32_t executed, bool takes,
                         struct sb_report *out)
{
    struct sb_sink sink = {.direct = true, .report = out};
    struct sb_order *o = &e->orders.slots[slot];
    const uint32_t side = sb_order_side(o);
    struct sb_ladder *l = sb_book_side(b, side);
    struct sb_level *level = sb_ladder_find_of(l, &e->levels, sb_order_ladder_key(o), slot);
    struct sb_incoming in = {.ref = ++e->last_ref,
                             .id = o->id,
                             .open = open,
                             .executed = executed,
                             .ticks = ticks,
                             .side = side};
    SB_ASSERT(level != NULL);
    e->stats.replaced++;
    sb_sink_report(&sink, SB_REPORT_MODIFY_ACK, in.id, 0, ticks * b->tick, open, b->index, side, 0);
    sb_plain_unlink(e, l, level, o);
    if (takes) {
        sb_plain_match(e, b, &in, &sink);
        if (in.open == 0 || (flags & SB_DIRECT_IOC) != 0) {
            if (in.open != 0)
                rest_canceled(e, b, in.id, side, in.open, &sink);
            sb_orders_drop(&e->orders, slot);
            return said(&sink, out);
        }
    }
    const uint32_t key = sb_book_key(side, ticks);
    o->open = in.open;
    o->level = key | side << 31;
    o->meta = sb_order_meta(in.ref, b->index, side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT));
    if (__builtin_expect(in.executed != 0, 0))
        sb_orders_set_executed(&e->orders, slot, in.executed);
    sb_plain_link(e, sb_plain_level(e, l, key, slot), slot, in.open);
    return said(&sink, out);
}

SB_APART uint32_t modify_that_takes(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                                    uint32_t flags, uint32_t ticks, uint32_t open,
                                    uint32_t executed, struct sb_report *out)
{
    return modify(e, b, slot, flags, ticks, open, executed, true, out);
}

/* Any modify: what sb_direct_modify() does, for those that are not as most are. */
SB_APART uint32_t modify_of_any_kind(struct sb_engine *e, uint64_t id, uint32_t flags,
                                     int64_t price, uint32_t quantity, struct sb_report *out)
{
    const uint32_t slot = sb_orders_find(&e->orders, id);
    uint32_t ticks = 0;
    if (__builtin_expect(slot == 0, 0))
        return refuse_modify(e, id, price, quantity, out);
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    if (!good_details(b, price, quantity, &ticks) || !good_lot(b, quantity) ||
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

/* As sb_direct_order(): the way of an order that nobody traded with, from one price in the window to another. */
uint32_t sb_direct_modify(struct sb_engine *e, uint64_t id, uint32_t flags, int64_t price,
                          uint32_t quantity, struct sb_report *out)
{
    struct sb_order *slots = e->orders.slots;
    uint32_t slot, ticks;
    ask_ahead(e, id);
    if (__builtin_expect(sb_ids_look_near(&e->orders.ids, slots, id, &slot) == NULL, 0))
        return modify_of_any_kind(e, id, flags, price, quantity, out);
    struct sb_order *o = &slots[slot];
    const uint32_t was = sb_order_ladder_key(o), side = sb_order_book_side(o);
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    if (__builtin_expect(b->direct != SB_DIRECT_PLAIN, 0) ||
        !good_details(b, price, quantity, &ticks) ||
        __builtin_expect((flags & SB_DIRECT_IOC) | (o->meta & SB_ORDER_EXECUTED), 0))
        return modify_of_any_kind(e, id, flags, price, quantity, out);
    const uint32_t key = sb_book_key(side, ticks);
    struct sb_ladder *l = sb_book_side(b, side);
    if (__builtin_expect(crosses_at(b, side, key), 0) || !sb_ladder_in_window(l, was) ||
        !sb_ladder_in_window(l, key) || __builtin_expect(e->levels.used >= e->levels.max, 0))
        return modify_of_any_kind(e, id, flags, price, quantity, out);

    struct sb_sink sink = {.direct = true, .report = out};
    sb_sink_report(&sink, SB_REPORT_MODIFY_ACK, id, 0, (uint32_t)price, quantity, b->index,
                   sb_order_side(o), 0);
    SB_KEEP_APART(l);
    SB_KEEP_APART(o);
    e->stats.replaced++;
    if (sb_plain_level_left_near(e, l, was, sb_plain_out(e, &l->levels[was & l->mask], o)))
        (void)sb_plain_next_best(e, l);
    SB_KEEP_APART(o);
    struct sb_level *level = sb_plain_level_near(e, l, key);
    sb_order_write(o, id, quantity, level->tail, key | side << 31,
                   sb_order_meta(++e->last_ref, 0, 0) | (o->meta & SB_ORDER_LASTING));
    SB_KEEP_APART(level);
    (void)sb_plain_append(e->orders.slots, level, slot, quantity);
    return 1;
}

uint32_t sb_direct_amend(struct sb_engine *e, uint64_t id, uint32_t flags, int64_t price,
                         uint32_t quantity, struct sb_report *out)
{
    const uint32_t slot = sb_orders_find(&e->orders, id);
    uint32_t ticks = 0;
    if (slot == 0)
        return sb_direct_modify(e, id, flags, price, quantity, out);
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    const uint32_t executed =
        (flags & SB_DIRECT_CHAIN) != 0 ? sb_orders_executed(&e->orders, slot) : 0;
    const uint32_t side = sb_order_side(o);
    if ((flags & SB_DIRECT_IOC) != 0 || !good_details(b, price, quantity, &ticks) ||
        !good_lot(b, quantity) || quantity <= executed || quantity - executed > o->open ||
        sb_book_key(side, ticks) != sb_order_ladder_key(o))
        return sb_direct_modify(e, id, flags, price, quantity, out);
    struct sb_sink sink = {.direct = true, .report = out};
    e->stats.replaced++;
    e->kept++;
    sb_sink_report(&sink, SB_REPORT_MODIFY_ACK, id, 0, (uint32_t)price, quantity - executed,
                   b->index, side, 0);
    if (quantity - executed != o->open)
        sb_plain_reduce(e, b, slot, o->open - (quantity - executed), true);
    return said(&sink, out);
}
