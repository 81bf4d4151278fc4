#include "engine/auction.h"

#include "engine/book.h"
#include "engine/outbox.h"

/* The best candidates so far: all those with the same volume and the same absolute imbalance. */
struct choice {
    uint64_t volume, imbalance;
    uint32_t low, high; /* ticks */
    bool all_buy, all_sell;
};

/* Candidates come in rising price. */
static void consider(struct choice *c, uint32_t ticks, uint64_t demand, uint64_t supply)
{
    const uint64_t volume = demand < supply ? demand : supply;
    const uint64_t imbalance = demand > supply ? demand - supply : supply - demand;
    if (volume == 0 || volume < c->volume || (volume == c->volume && imbalance > c->imbalance))
        return;
    if (volume > c->volume || imbalance < c->imbalance)
        *c = (struct choice){.volume = volume,
                             .imbalance = imbalance,
                             .low = ticks,
                             .all_buy = true,
                             .all_sell = true};
    c->high = ticks;
    c->all_buy = c->all_buy && demand > supply;
    c->all_sell = c->all_sell && supply > demand;
}

static uint32_t choice_ticks(const struct choice *c)
{
    if (c->all_buy)
        return c->high;
    if (c->all_sell)
        return c->low;
    return (c->low + c->high) / 2; /* below 2^32: each is below 2^31 */
}

/* Copies the levels of one side that reach the other side's best price, best first. */
static uint32_t collect(const struct sb_engine *e, const struct sb_book *b, uint8_t side,
                        struct sb_auction_level *to)
{
    const struct sb_ladder *l = &b->side[side];
    const uint32_t limit = sb_book_key(side, sb_book_ticks(side ^ 1u, b->side[side ^ 1u].best));
    struct sb_ladder_cursor c;
    uint32_t n = 0;
    for (sb_ladder_first(l, &e->levels, &c); c.level != NULL && c.key <= limit;
         sb_ladder_next(l, &e->levels, &c))
        to[n++] = (struct sb_auction_level){.quantity = c.level->quantity,
                                            .ticks = sb_book_ticks(side, c.key)};
    return n;
}

/* Walks all prices at which someone would trade, from the lowest up. The book is crossed. */
static void choose(const struct sb_engine *e, const struct sb_book *b, struct choice *c)
{
    struct sb_auction_level *buys = e->scratch;
    uint32_t buys_left = collect(e, b, SB_BUY, buys);
    const struct sb_auction_level *sells = buys + buys_left;
    const uint32_t sells_n = collect(e, b, SB_SELL, buys + buys_left);
    uint64_t demand = 0, supply = 0;
    for (uint32_t i = 0; i < buys_left; i++)
        demand += buys[i].quantity;
    for (uint32_t i = 0; i < sells_n || buys_left > 0;) {
        /* Buys are collected from the highest down: the lowest is the last. */
        const uint32_t buy = buys_left > 0 ? buys[buys_left - 1].ticks : UINT32_MAX;
        const uint32_t sell = i < sells_n ? sells[i].ticks : UINT32_MAX;
        const uint32_t ticks = buy < sell ? buy : sell;
        if (sell == ticks)
            supply += sells[i++].quantity;
        consider(c, ticks, demand, supply);
        if (buy == ticks)
            demand -= buys[--buys_left].quantity;
    }
}

static void executed(struct sb_engine *e, const struct sb_book *b, const struct sb_order *o,
                     const struct sb_output *trade, struct sb_outbox *box)
{
    struct sb_output out = *trade;
    out.kind = SB_OUT_EXECUTED;
    out.key = sb_order_key(o);
    out.instrument = b->index;
    out.side = sb_order_side(o);
    out.ref = sb_order_ref(o);
    out.liquidity = SB_LIQ_OPENING;
    sb_outbox_session(e, box, sb_order_session(o), out);
}

static void executed_at(struct sb_engine *e, const struct sb_book *b, const struct sb_order *o,
                        const struct sb_output *trade, struct sb_outbox *box)
{
    struct sb_output out = *trade;
    out.kind = SB_OUT_F_EXECUTED_AT;
    out.instrument = b->index;
    out.side = sb_order_side(o);
    out.ref = sb_order_ref(o);
    sb_outbox_feed(e, box, out);
}

/* Trades the first buy with the first sell. */
static uint32_t pair(struct sb_engine *e, struct sb_book *b, int64_t price, struct sb_outbox *box)
{
    struct sb_ladder *buys = &b->side[SB_BUY], *sells = &b->side[SB_SELL];
    struct sb_level *buy_level = sb_ladder_find(buys, &e->levels, buys->best);
    struct sb_level *sell_level = sb_ladder_find(sells, &e->levels, sells->best);
    const struct sb_order *buy = &e->orders.slots[buy_level->head];
    const struct sb_order *sell = &e->orders.slots[sell_level->head];
    const uint32_t q = buy->open < sell->open ? buy->open : sell->open;
    const struct sb_output trade = {.quantity = q, .price = price, .match = ++e->last_match};
    executed(e, b, buy, &trade, box);
    executed(e, b, sell, &trade, box);
    executed_at(e, b, buy, &trade, box);
    executed_at(e, b, sell, &trade, box);
    e->stats.trades++;
    sb_book_fill_best(e, buys, buy_level, q);
    sb_book_fill_best(e, sells, sell_level, q);
    return q;
}

uint64_t sb_auction_uncross(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    if (!sb_book_crossed(b))
        return 0;
    struct choice c = {0};
    choose(e, b, &c);
    SB_ASSERT(c.volume != 0); /* crossed: at least the best prices trade */
    const uint32_t ticks = choice_ticks(&c);
    const int64_t price = (int64_t)ticks * b->view.tick;
    uint64_t left = c.volume;
    while (b->side[SB_BUY].best <= sb_book_key(SB_BUY, ticks) &&
           b->side[SB_SELL].best <= sb_book_key(SB_SELL, ticks))
        left -= pair(e, b, price, box);
    SB_ASSERT_EQ(left, 0); /* the volume promised was the volume traded */
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_CROSS,
                                      .instrument = b->index,
                                      .ref = c.volume,
                                      .price = price,
                                      .match = ++e->last_match});
    return c.volume;
}
