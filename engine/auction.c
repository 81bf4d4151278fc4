#include "engine/auction.h"

#include "engine/outbox.h"
#include "engine/rest.h"

/* --- the price (14.3) -------------------------------------------------------------------------------- */

/* The best candidates so far: all those with the same volume and the same absolute imbalance. */
struct choice {
    int64_t wanted; /* REFERENCE: the price to be near to; 0: none */
    uint64_t volume, imbalance;
    uint32_t low, high, nearest; /* ticks */
    bool all_buy, all_sell;
};

static uint64_t distance(const struct sb_book *b, const struct choice *c, uint32_t ticks)
{
    const int64_t price = (int64_t)ticks * b->tick;
    return (uint64_t)(price < c->wanted ? c->wanted - price : price - c->wanted);
}

/* Candidates come in rising price. */
static void consider(const struct sb_book *b, struct choice *c, uint32_t ticks, uint64_t demand,
                     uint64_t supply)
{
    const uint64_t volume = demand < supply ? demand : supply;
    const uint64_t imbalance = demand > supply ? demand - supply : supply - demand;
    if (volume == 0 || volume < c->volume || (volume == c->volume && imbalance > c->imbalance))
        return;
    if (volume > c->volume || imbalance < c->imbalance)
        *c = (struct choice){.wanted = c->wanted,
                             .volume = volume,
                             .imbalance = imbalance,
                             .low = ticks,
                             .nearest = ticks,
                             .all_buy = true,
                             .all_sell = true};
    c->high = ticks;
    if (distance(b, c, ticks) < distance(b, c, c->nearest))
        c->nearest = ticks;
    c->all_buy = c->all_buy && demand > supply;
    c->all_sell = c->all_sell && supply > demand;
}

static uint32_t choice_ticks(const struct sb_book *b, const struct choice *c)
{
    if (b->view.tie == SB_TIE_HIGHEST)
        return c->high;
    if (b->view.tie == SB_TIE_LOWEST)
        return c->low;
    if (b->view.tie == SB_TIE_REFERENCE && c->wanted != 0)
        return c->nearest;
    if (c->all_buy)
        return c->high;
    if (c->all_sell)
        return c->low;
    return (c->low + c->high) / 2; /* below 2^32: each is below 2^31 */
}

/* Reserves of the icebergs in a queue. */
static uint64_t reserves(const struct sb_engine *e, const struct sb_level *level)
{
    uint64_t sum = 0;
    for (uint32_t slot = level->head; slot != 0; slot = e->orders.slots[slot].next) {
        const struct sb_terms *t = sb_rest_terms(e, slot);
        sum += t != NULL ? t->reserve : 0;
    }
    return sum;
}

/* Copies the levels of one side that reach the other side's best price, best first. */
static uint32_t collect(const struct sb_engine *e, const struct sb_book *b, uint8_t side,
                        struct sb_auction_level *to)
{
    const struct sb_ladder *l = &b->side[side];
    const uint32_t limit = sb_book_key(side, sb_book_ticks(side ^ 1u, b->side[side ^ 1u].best));
    const bool special = sb_state_rare(e, b)->terms != 0;
    struct sb_ladder_cursor c;
    uint32_t n = 0;
    for (sb_ladder_first(l, &e->levels, &c); c.level != NULL && c.key <= limit;
         sb_ladder_next(l, &e->levels, &c))
        to[n++] = (struct sb_auction_level){.quantity = c.level->quantity +
                                                        (special ? reserves(e, c.level) : 0),
                                            .ticks = sb_book_ticks(side, c.key)};
    return n;
}

/* Levels of both sides that cross, in scratch. */
struct crossing {
    const struct sb_auction_level *buys, *sells; /* best first */
    uint32_t buys_n, sells_n;
};

/* Walks all prices at which someone would trade, from the lowest up. The book is crossed. */
static void choose(const struct sb_book *b, const struct crossing *x, struct choice *c)
{
    uint64_t demand = 0, supply = 0;
    uint32_t buys_left = x->buys_n;
    for (uint32_t i = 0; i < x->buys_n; i++)
        demand += x->buys[i].quantity;
    for (uint32_t i = 0; i < x->sells_n || buys_left > 0;) {
        /* Buys are collected from the highest down: the lowest is the last. */
        const uint32_t buy = buys_left > 0 ? x->buys[buys_left - 1].ticks : UINT32_MAX;
        const uint32_t sell = i < x->sells_n ? x->sells[i].ticks : UINT32_MAX;
        const uint32_t ticks = buy < sell ? buy : sell;
        if (sell == ticks)
            supply += x->sells[i++].quantity;
        consider(b, c, ticks, demand, supply);
        if (buy == ticks)
            demand -= x->buys[--buys_left].quantity;
    }
}

struct sb_auction_result sb_auction_indicate(const struct sb_engine *e, const struct sb_book *b)
{
    struct sb_auction_result r = {0};
    if (!sb_book_crossed(b))
        return r;
    const uint32_t buys_n = collect(e, b, SB_BUY, e->scratch);
    const struct crossing x = {.buys = e->scratch,
                               .buys_n = buys_n,
                               .sells = e->scratch + buys_n,
                               .sells_n = collect(e, b, SB_SELL, e->scratch + buys_n)};
    struct choice c = {.wanted = b->view.last_price != 0 ? b->view.last_price : b->view.reference};
    choose(b, &x, &c);
    SB_ASSERT(c.volume != 0); /* crossed: at least the best prices trade */
    const uint32_t ticks = choice_ticks(b, &c);
    for (uint32_t i = 0; i < x.buys_n && x.buys[i].ticks >= ticks; i++)
        r.demand += x.buys[i].quantity;
    for (uint32_t i = 0; i < x.sells_n && x.sells[i].ticks <= ticks; i++)
        r.supply += x.sells[i].quantity;
    r.volume = r.demand < r.supply ? r.demand : r.supply;
    r.price = (int64_t)ticks * b->view.tick;
    SB_ASSERT_EQ(r.volume, c.volume);
    return r;
}

void sb_auction_publish(struct sb_engine *e, const struct sb_book *b, struct sb_outbox *box)
{
    const struct sb_auction_result r = sb_auction_indicate(e, b);
    const bool buy = r.demand >= r.supply;
    sb_outbox_feed(
        e, box,
        (struct sb_output){.kind = SB_OUT_F_INDICATIVE,
                           .instrument = b->index,
                           .side = buy ? SB_BUY : SB_SELL,
                           .quantity = r.volume < UINT32_MAX ? (uint32_t)r.volume : UINT32_MAX,
                           .price = r.price,
                           .ref = buy ? r.demand - r.supply : r.supply - r.demand});
}

/* --- the trades (14.2, 14.4) ---------------------------------------------------------------------------- */

static void executed(struct sb_engine *e, const struct sb_book *b, uint32_t slot,
                     const struct sb_output *trade, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_output out = *trade;
    out.kind = SB_OUT_EXECUTED;
    out.key = sb_rest_key(e, slot);
    out.instrument = b->index;
    out.side = sb_order_side(o);
    out.ref = sb_order_ref(o);
    out.liquidity = SB_LIQ_OPENING;
    sb_outbox_session(e, box, sb_rest_session(e, slot), out);
}

static void executed_at(struct sb_engine *e, const struct sb_book *b, uint32_t slot,
                        const struct sb_output *trade, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_output out = *trade;
    out.kind = SB_OUT_F_EXECUTED_AT;
    out.instrument = b->index;
    out.side = sb_order_side(o);
    out.ref = sb_order_ref(o);
    sb_outbox_feed(e, box, out);
}

static uint32_t first_of(const struct sb_engine *e, const struct sb_book *b, uint8_t side)
{
    const struct sb_ladder *l = &b->side[side];
    return sb_ladder_find(l, &e->levels, l->best)->head;
}

/* Takes the fill off both: then the next slices, buy before sell, then the partners (11.2). */
static void settle(struct sb_engine *e, struct sb_book *b, const uint32_t slots[2], uint32_t q,
                   struct sb_outbox *box)
{
    enum sb_rest_left left[2];
    uint32_t partners[2];
    for (uint32_t side = 0; side < 2; side++)
        left[side] = sb_rest_fill(e, b, slots[side], q, true, &partners[side]);
    for (uint32_t side = 0; side < 2; side++)
        if (left[side] == SB_REST_SPENT)
            sb_rest_refresh(e, b, slots[side], box);
    for (uint32_t side = 0; side < 2; side++)
        sb_rest_cancel_partner(e, b, partners[side], box);
}

/* Trades the first buy with the first sell. */
static uint32_t pair(struct sb_engine *e, struct sb_book *b, int64_t price, struct sb_outbox *box)
{
    const uint32_t slots[2] = {first_of(e, b, SB_BUY), first_of(e, b, SB_SELL)};
    const uint32_t buy = e->orders.slots[slots[0]].open, sell = e->orders.slots[slots[1]].open;
    const uint32_t q = buy < sell ? buy : sell;
    const struct sb_output trade = {.quantity = q, .price = price, .match = ++e->last_match};
    for (uint32_t side = 0; side < 2; side++)
        executed(e, b, slots[side], &trade, box);
    for (uint32_t side = 0; side < 2; side++)
        executed_at(e, b, slots[side], &trade, box);
    e->stats.trades++;
    settle(e, b, slots, q, box);
    return q;
}

uint64_t sb_auction_uncross(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    const struct sb_auction_result r = sb_auction_indicate(e, b);
    if (r.volume == 0)
        return 0;
    const uint32_t ticks = (uint32_t)(r.price / b->view.tick);
    const bool special = sb_state_rare(e, b)->terms != 0;
    uint64_t shares = 0;
    while (b->side[SB_BUY].best <= sb_book_key(SB_BUY, ticks) &&
           b->side[SB_SELL].best <= sb_book_key(SB_SELL, ticks))
        shares += pair(e, b, r.price, box);
    /* The volume promised was the volume traded, but for partners that went. */
    SB_ASSERT(shares == r.volume || (special && shares < r.volume));
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_CROSS,
                                      .instrument = b->index,
                                      .ref = shares,
                                      .price = r.price,
                                      .match = ++e->last_match});
    b->view.reference = b->view.last_price = r.price;
    sb_state_rare(e, b)->traded = 1;
    return shares;
}
