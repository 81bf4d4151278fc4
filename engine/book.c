#include "engine/book.h"

#include "engine/outbox.h"

uint8_t sb_book_check(const struct sb_book *b, int64_t price, uint32_t quantity, uint32_t *ticks)
{
    if (__builtin_expect(price <= 0 || price > SB_PRICE_MAX, 0))
        return price % b->view.tick != 0 ? SB_REASON_PRICE_TICK : SB_REASON_PRICE_BAND;
    const uint32_t p = (uint32_t)price;
    *ticks = sb_book_divide(b, p);
    if (p != *ticks * b->tick)
        return SB_REASON_PRICE_TICK;
    if (price < b->view.price_min || price > b->view.price_max)
        return SB_REASON_PRICE_BAND;
    if (b->view.lot != 1 && quantity % b->view.lot != 0)
        return SB_REASON_LOT;
    if (quantity == 0 || quantity > b->view.quantity_max)
        return SB_REASON_QUANTITY;
    return SB_REASON_NONE;
}

bool sb_book_levels_full(const struct sb_engine *e, struct sb_book *b, uint8_t side, uint32_t ticks)
{
    return e->levels.used == e->levels.max &&
           sb_ladder_find(sb_book_side(b, side), &e->levels, sb_book_key(side, ticks)) == NULL;
}

bool sb_book_crossed(const struct sb_book *b)
{
    const uint32_t buy = b->side[SB_BUY].best, sell = b->side[SB_SELL].best;
    return buy != SB_KEY_NONE && sell != SB_KEY_NONE &&
           sb_book_ticks(SB_BUY, buy) >= sb_book_ticks(SB_SELL, sell);
}

/* Takes an order out of its queue, its level if that was the last, and the table. */
static void drop(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level, uint32_t slot)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const uint32_t next = o->next, prev = o->prev;
    if (prev != 0)
        e->orders.slots[prev].next = next;
    else
        level->head = next;
    if (next != 0)
        e->orders.slots[next].prev = prev;
    else
        level->tail = prev;
    const uint32_t key = sb_order_ladder_key(o);
    sb_orders_drop(&e->orders, slot);
    if (level->head == 0) {
        sb_ladder_erase(l, &e->levels, key);
        /* Who trades next meets the head of the new best level: the one line that nothing else will ask for early. */
        __builtin_prefetch(&e->orders.slots[l->levels[l->best & l->mask].head], 1);
    }
}

void sb_book_fill_best(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level, uint32_t q)
{
    const uint32_t slot = level->head;
    struct sb_order *o = &e->orders.slots[slot];
    SB_ASSERT_LE(q, o->open);
    level->quantity -= q;
    if (q == o->open) {
        drop(e, l, level, slot);
        return;
    }
    o->open -= q;
    sb_orders_set_executed(&e->orders, slot, sb_orders_executed(&e->orders, slot) + q);
}

/* One trade between the order at the head of the best level and the incoming one. */
static void fill(struct sb_engine *e, struct sb_book *b, struct sb_ladder *l,
                 struct sb_level *level, struct sb_incoming *in, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[level->head];
    const uint32_t q = in->open < o->open ? in->open : o->open;
    const uint8_t side = sb_order_side(o);
    const uint64_t ref = sb_order_ref(o), match = ++e->last_match;
    const int64_t price = sb_book_price(b, side, sb_order_ladder_key(o));
    __builtin_prefetch(&e->orders.slots[o->next]);
    sb_outbox_session(e, box, sb_order_session(o),
                      (struct sb_output){.kind = SB_OUT_EXECUTED,
                                         .key = sb_order_key(o),
                                         .instrument = b->index,
                                         .side = side,
                                         .quantity = q,
                                         .price = price,
                                         .ref = ref,
                                         .match = match,
                                         .liquidity = SB_LIQ_ADDED});
    sb_outbox_session(e, box, (uint32_t)(in->id >> 32),
                      (struct sb_output){.kind = SB_OUT_EXECUTED,
                                         .key = (uint32_t)in->id,
                                         .instrument = b->index,
                                         .side = in->side,
                                         .quantity = q,
                                         .price = price,
                                         .ref = in->ref,
                                         .match = match,
                                         .liquidity = SB_LIQ_REMOVED});
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_EXECUTED,
                                      .instrument = b->index,
                                      .side = side,
                                      .quantity = q,
                                      .price = price,
                                      .ref = ref,
                                      .match = match});
    in->open -= q;
    in->executed += q;
    e->stats.trades++;
    sb_book_fill_best(e, l, level, q);
}

void sb_book_match(struct sb_engine *e, struct sb_book *b, struct sb_incoming *in,
                   struct sb_outbox *box)
{
    struct sb_ladder *l = sb_book_side(b, in->side ^ 1u);
    const uint32_t limit = sb_book_key(in->side ^ 1u, in->ticks);
    while (in->open != 0 && l->best <= limit) {
        const uint32_t key = l->best;
        struct sb_level *level = sb_ladder_find(l, &e->levels, key);
        SB_ASSERT(level != NULL);
        do
            fill(e, b, l, level, in, box);
        while (in->open != 0 && l->best == key);
    }
}

void sb_book_rest(struct sb_engine *e, struct sb_book *b, const struct sb_incoming *in)
{
    const uint32_t key = sb_book_key(in->side, in->ticks);
    struct sb_level *level = sb_ladder_insert(sb_book_side(b, in->side), &e->levels, key);
    const uint32_t prev = level->tail;
    const uint32_t flags = (in->side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)) | SB_ORDER_EXTRA;
    const uint32_t slot =
        sb_orders_add(&e->orders, in->id, in->open, key | (uint32_t)(in->side & 1u) << 31,
                      sb_order_meta(in->ref, b->index, flags));
    e->orders.slots[slot].prev = prev;
    e->orders.slots[slot].next = 0;
    sb_orders_set_extra(&e->orders, slot, in->extra);
    if (in->executed != 0)
        sb_orders_set_executed(&e->orders, slot, in->executed);
    if (prev != 0)
        e->orders.slots[prev].next = slot;
    else
        level->head = slot;
    level->tail = slot;
    level->quantity += in->open;
    e->stats.open_orders = e->orders.used;
    if (e->orders.used > e->stats.open_orders_peak)
        e->stats.open_orders_peak = e->orders.used;
}

void sb_book_reduce(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q)
{
    struct sb_order *o = &e->orders.slots[slot];
    struct sb_ladder *l = sb_book_side(b, sb_order_side(o));
    struct sb_level *level = sb_ladder_find(l, &e->levels, sb_order_ladder_key(o));
    SB_ASSERT(level != NULL);
    SB_ASSERT_LE(q, o->open);
    level->quantity -= q;
    if (q == o->open)
        drop(e, l, level, slot);
    else
        o->open -= q;
}

void sb_book_cancel(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                    uint8_t reason, struct sb_outbox *box)
{
    const struct sb_order o = e->orders.slots[slot];
    sb_outbox_session(e, box, sb_order_session(&o),
                      (struct sb_output){.kind = SB_OUT_CANCELED,
                                         .key = sb_order_key(&o),
                                         .instrument = b->index,
                                         .side = sb_order_side(&o),
                                         .quantity = q,
                                         .ref = sb_order_ref(&o),
                                         .reason = reason});
    const bool dead = q == o.open;
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = dead ? SB_OUT_F_DELETED : SB_OUT_F_REDUCED,
                                      .instrument = b->index,
                                      .side = sb_order_side(&o),
                                      .quantity = dead ? 0 : q,
                                      .ref = sb_order_ref(&o)});
    e->stats.canceled++;
    sb_book_reduce(e, b, slot, q);
}

void sb_book_cancel_all(struct sb_engine *e, struct sb_book *b, uint8_t reason,
                        struct sb_outbox *box)
{
    for (uint32_t side = 0; side < 2; side++) {
        const struct sb_ladder *l = &b->side[side];
        while (l->best != SB_KEY_NONE) {
            const uint32_t slot = sb_ladder_find(l, &e->levels, l->best)->head;
            sb_book_cancel(e, b, slot, e->orders.slots[slot].open, reason, box);
        }
    }
}

static uint32_t verify_level(const struct sb_engine *e, struct sb_book *b, uint32_t side,
                             const struct sb_ladder_cursor *c)
{
    uint32_t n = 0, prev = 0;
    uint64_t quantity = 0;
    SB_ASSERT(c->level->head != 0);
    for (uint32_t slot = c->level->head; slot != 0; slot = e->orders.slots[slot].next) {
        const struct sb_order *o = &e->orders.slots[slot];
        SB_ASSERT_EQ(o->prev, prev);
        SB_ASSERT_EQ(sb_order_ladder_key(o), c->key);
        SB_ASSERT_EQ(sb_order_book_side(o), side);
        SB_ASSERT(o->open != 0);
        SB_ASSERT_EQ(sb_orders_find(&e->orders, o->id), slot);
        SB_ASSERT_EQ(sb_order_instrument(o), b->index);
        quantity += o->open;
        prev = slot;
        n++;
    }
    SB_ASSERT_EQ(c->level->tail, prev);
    SB_ASSERT(c->level->quantity == quantity);
    return n;
}

uint32_t sb_book_verify(const struct sb_engine *e, struct sb_book *b)
{
    uint32_t orders = 0;
    for (uint32_t side = 0; side < 2; side++) {
        const struct sb_ladder *l = &b->side[side];
        struct sb_ladder_cursor c;
        uint32_t dense = 0, last = SB_KEY_NONE;
        sb_ladder_first(l, &e->levels, &c);
        SB_ASSERT_EQ(c.key, l->best);
        for (; c.level != NULL; sb_ladder_next(l, &e->levels, &c)) {
            SB_ASSERT(last == SB_KEY_NONE || last < c.key);
            last = c.key;
            dense += sb_ladder_in_window(l, c.key);
            SB_ASSERT(sb_ladder_find(l, &e->levels, c.key) == c.level);
            orders += verify_level(e, b, side, &c);
        }
        SB_ASSERT_EQ(dense, l->dense);
    }
    return orders;
}
