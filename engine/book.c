#include "engine/book.h"

#include "engine/outbox.h"
#include "engine/plain.h"

uint8_t sb_book_check(const struct sb_book *b, int64_t price, uint32_t quantity, uint32_t *ticks)
{
    if (__builtin_expect(price < 0 || price > SB_DIRECT_PRICE_MAX, 0))
        return price % b->tick != 0 ? SB_REASON_PRICE_TICK : SB_REASON_PRICE_BAND;
    const uint32_t p = (uint32_t)price;
    *ticks = sb_book_divide(b, p);
    if (p != *ticks * b->tick)
        return SB_REASON_PRICE_TICK;
    if ((uint64_t)price - b->price_min > b->price_range)
        return SB_REASON_PRICE_BAND;
    if (b->lot != 1 && quantity % b->lot != 0)
        return SB_REASON_LOT;
    if (quantity == 0 || quantity > b->quantity_max)
        return SB_REASON_QUANTITY;
    return SB_REASON_NONE;
}

bool sb_book_levels_full(const struct sb_engine *e, struct sb_book *b, uint32_t side,
                         uint32_t ticks)
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

SB_PLAIN void fill_best(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level,
                        uint32_t q)
{
    const uint32_t slot = level->head;
    struct sb_order *o = &e->orders.slots[slot];
    SB_ASSERT_LE(q, o->open);
    level->quantity -= q;
    if (q != o->open) {
        o->open -= q;
        sb_orders_set_executed(&e->orders, slot, sb_orders_executed(&e->orders, slot) + q);
        return;
    }
    const uint32_t next = o->next, key = sb_order_ladder_key(o);
    sb_plain_count(e, o->id, (uint32_t)-1, false);
    sb_orders_drop(&e->orders, slot);
    e->stats.open_orders = e->orders.used;
    e->orders.slots[next].prev = 0;
    level->head = next;
    if (next == 0) {
        level->tail = 0;
        sb_ladder_erase(l, &e->levels, key, level);
        __builtin_prefetch(&e->orders.slots[l->levels[l->best & l->mask].head], 1);
    }
}

void sb_book_fill_best(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level, uint32_t q)
{
    fill_best(e, l, level, q);
}

/* What a fill is said to be. */
SB_PLAIN void say_fill(struct sb_engine *e, const struct sb_book *b, const struct sb_order *o,
                       const struct sb_incoming *in, uint32_t q, struct sb_outbox *box)
{
    const uint8_t side = sb_order_side(o);
    const uint64_t ref = sb_order_ref(o), match = ++e->last_match;
    const int64_t price = sb_book_price(b, side, sb_order_ladder_key(o));
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
                                         .side = (uint8_t)in->side,
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
        b->view.last_price = sb_book_price(b, in->side ^ 1u, key);
        do {
            const struct sb_order *o = &e->orders.slots[level->head];
            const uint32_t q = in->open < o->open ? in->open : o->open;
            __builtin_prefetch(&e->orders.slots[o->next]);
            say_fill(e, b, o, in, q, box);
            in->open -= q;
            in->executed += q;
            e->stats.trades++;
            fill_best(e, l, level, q);
        } while (in->open != 0 && l->best == key);
    }
}

void sb_book_rest(struct sb_engine *e, struct sb_book *b, const struct sb_incoming *in)
{
    sb_plain_rest(e, b, in, e->direct);
}

void sb_book_reduce(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q)
{
    sb_plain_reduce(e, b, slot, q, false);
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
        SB_ASSERT(sb_ladder_find_of(&b->side[side], &e->levels, c->key, slot) == c->level);
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
    sb_state_settle(e);
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
        SB_ASSERT_EQ(dense, sb_ladder_dense(l));
    }
    return orders;
}
