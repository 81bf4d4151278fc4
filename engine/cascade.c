#include "engine/cascade.h"

#include "engine/outbox.h"

/* --- stops (5.3, 5.4) ------------------------------------------------------------------------------ */

bool sb_stop_triggered(const struct sb_book *b, uint8_t side, uint32_t stop_ticks)
{
    const int64_t stop = (int64_t)stop_ticks * b->tick, last = b->view.last_price;
    if (last == 0)
        return false;
    return sb_side_sells(side) ? last <= stop : last >= stop;
}

void sb_stop_activate(struct sb_engine *e, struct sb_book *b, uint32_t slot, struct sb_outbox *box)
{
    struct sb_terms *t = sb_rest_terms(e, slot);
    const struct sb_order *o = &e->orders.slots[slot];
    const uint8_t side = sb_order_side(o);
    const bool market = t->type != SB_TYPE_STOP_LIMIT;
    const uint32_t worst =
        (uint32_t)((sb_side_sells(side) ? b->view.price_min : b->view.price_max) / b->view.tick);
    if ((t->flags & SB_TERMS_OWN) != 0)
        sb_terms_unlist_own(e, b, sb_rest_terms_index(e, slot));
    t->type = market ? SB_TYPE_MARKET : SB_TYPE_LIMIT;
    t->stop = 0;
    t->trail = 0;
    sb_outbox_session(e, box, sb_rest_session(e, slot),
                      (struct sb_output){.kind = SB_OUT_TRIGGERED,
                                         .key = sb_rest_key(e, slot),
                                         .instrument = b->index,
                                         .side = side,
                                         .quantity = sb_rest_total(e, slot),
                                         .price = market ? 0 : (int64_t)t->limit * b->tick,
                                         .ref = sb_order_ref(o)});
    struct sb_arrival a = sb_arrival_of(e, slot, market ? worst : t->limit);
    if (market)
        a.type = SB_TYPE_MARKET;
    sb_arrival_run(e, b, &a, box);
}

/* Where a trailing stop's price is now (5.4), in ticks. */
static uint32_t followed(const struct sb_book *b, uint8_t side, const struct sb_terms *t)
{
    const int64_t low = b->view.price_min / b->view.tick, high = b->view.price_max / b->view.tick;
    const int64_t last = b->view.last_price / b->view.tick, stop = t->stop;
    int64_t to;
    if (sb_side_sells(side))
        to = last - t->trail > stop ? last - t->trail : stop;
    else
        to = last + t->trail < stop ? last + t->trail : stop;
    if (to < low)
        to = low;
    return (uint32_t)(to > high ? high : to);
}

/* Every trailing stop follows the last price, by order reference; who moves goes to the end of its new price's queue. */
static void follow(struct sb_engine *e, struct sb_book *b)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    for (uint32_t terms = r->trails.first; terms != 0;) {
        struct sb_terms *t = &e->terms.records[terms];
        const uint32_t to = followed(b, sb_order_side(&e->orders.slots[t->slot]), t);
        if (to != t->stop) {
            sb_rest_take_out(e, b, t->slot);
            t->stop = to;
            sb_rest_stop(e, b, t->slot);
        }
        terms = t->next_own;
    }
}

/* The first stop of a side that is triggered, or 0. */
static uint32_t first_triggered(const struct sb_engine *e, const struct sb_book *b, uint8_t side)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    const uint32_t leaf = sb_tail_first(&r->stops[side]);
    if (leaf == 0)
        return 0;
    const uint32_t slot = e->rare_levels.leaves[leaf].level.head;
    return sb_stop_triggered(b, side, sb_rest_terms(e, slot)->stop) ? slot : 0;
}

static bool activate_first(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    uint32_t slot = first_triggered(e, b, SB_BUY);
    if (slot == 0)
        slot = first_triggered(e, b, SB_SELL);
    if (slot == 0)
        return false;
    sb_rest_take_out(e, b, slot);
    sb_stop_activate(e, b, slot, box);
    return true;
}

/* --- pegs (8) ---------------------------------------------------------------------------------------- */

/* Best displayed prices by side, in ticks; 0: none. */
struct touch {
    int64_t ticks[2];
};

static struct touch touch_of(const struct sb_book *b)
{
    struct touch touch;
    for (uint8_t side = 0; side < 2; side++) {
        const uint32_t key = b->side[side].best;
        touch.ticks[side] = key == SB_KEY_NONE ? 0 : sb_book_ticks(side, key);
    }
    return touch;
}

/* 8.1 before any limit; the result may be anywhere. False: what it refers to is not there. */
static bool refer(const struct sb_terms *t, int64_t own, int64_t other, bool sells, int64_t *p)
{
    const int64_t offset = sells ? -(int64_t)t->offset : t->offset;
    if (t->peg == SB_PEG_MIDPOINT) /* down for a buy, up for a sell */
        *p = (own + other + sells) / 2;
    else
        *p = (t->peg == SB_PEG_PRIMARY ? own : other) + offset;
    return (own != 0 || t->peg == SB_PEG_MARKET) && (other != 0 || t->peg == SB_PEG_PRIMARY);
}

static uint32_t peg_price(const struct sb_book *b, uint8_t side, const struct sb_terms *t,
                          const struct touch *touch)
{
    const bool sells = sb_side_sells(side);
    const int64_t other = touch->ticks[!sells];
    int64_t p;
    if (!refer(t, touch->ticks[sells], other, sells, &p) || b->view.phase != SB_PHASE_CONTINUOUS)
        return 0;
    if (t->limit != 0 && (sells ? p < t->limit : p > t->limit))
        p = t->limit;
    if (other != 0 && (sells ? p <= other : p >= other))
        p = sells ? other + 1 : other - 1;
    const int64_t price = p * b->tick;
    return price < b->view.price_min || price > b->view.price_max ? 0 : (uint32_t)p;
}

uint32_t sb_peg_price(const struct sb_book *b, uint8_t side, const struct sb_terms *t)
{
    const struct touch touch = touch_of(b);
    return peg_price(b, side, t, &touch);
}

/* 8.3: a peg at its price of now. */
static void reprice(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                    const struct touch *touch, bool after_pause, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms *t = sb_rest_terms(e, slot);
    const uint8_t side = sb_order_side(o);
    const bool dark = t->state == SB_STATE_DARK;
    const uint32_t to = peg_price(b, side, t, touch);
    const uint32_t at = dark ? sb_book_ticks(side, sb_order_ladder_key(o)) : 0;
    if (to == at)
        return;
    sb_rest_take_out(e, b, slot);
    if (to == 0) {
        sb_rest_aside(e, b, slot);
        return;
    }
    struct sb_arrival a = sb_arrival_of(e, slot, to);
    a.after_pause = after_pause;
    sb_arrival_run(e, b, &a, box);
}

static bool pegs_due(const struct sb_book *b, const struct sb_rare *r)
{
    return r->unpriced != 0 || r->pegged[SB_BUY] != b->side[SB_BUY].best ||
           r->pegged[SB_SELL] != b->side[SB_SELL].best;
}

/* One pass over the pegs that are open as it begins, by order reference. Ends with a pause. */
static void price_pegs(struct sb_engine *e, struct sb_book *b, bool after_pause,
                       struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    const struct touch touch = touch_of(b);
    r->unpriced = 0;
    r->pegged[SB_BUY] = b->side[SB_BUY].best;
    r->pegged[SB_SELL] = b->side[SB_SELL].best;
    for (uint32_t terms = r->pegs.first; terms != 0 && b->view.phase == SB_PHASE_CONTINUOUS;
         terms = r->walk_own) {
        r->walk_own = e->terms.records[terms].next_own;
        reprice(e, b, e->terms.records[terms].slot, &touch, after_pause, box);
    }
    r->walk_own = 0;
}

void sb_peg_park_all(struct sb_engine *e, struct sb_book *b)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    for (uint32_t terms = r->pegs.first; terms != 0;) {
        const struct sb_terms *t = &e->terms.records[terms];
        terms = t->next_own;
        if (t->state != SB_STATE_DARK)
            continue;
        sb_rest_take_out(e, b, t->slot);
        sb_rest_aside(e, b, t->slot);
    }
}

/* --- the cascade (9) ----------------------------------------------------------------------------------- */

static void cascade(struct sb_engine *e, struct sb_book *b, bool after_pause, struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    while (b->view.phase == SB_PHASE_CONTINUOUS) {
        if (r->traded != 0)
            follow(e, b);
        r->traded = 0;
        if (activate_first(e, b, box))
            continue;
        if (!pegs_due(b, r))
            return;
        price_pegs(e, b, after_pause, box);
    }
}

void sb_cascade_run(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    cascade(e, b, false, box);
}

/* Who rests dark and is no peg leaves his queue: nobody trades with him until he is back. */
static void take_out_dark(struct sb_engine *e, struct sb_book *b)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    for (uint32_t terms = r->unseen.first; terms != 0;) {
        const struct sb_terms *t = &e->terms.records[terms];
        terms = t->next;
        if (t->state == SB_STATE_DARK && t->peg == SB_PEG_NONE)
            sb_rest_take_out(e, b, t->slot);
    }
}

void sb_cascade_begin(struct sb_engine *e, struct sb_book *b, bool after_pause,
                      struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    take_out_dark(e, b);
    for (uint32_t terms = r->unseen.first; terms != 0; terms = r->walk_terms) {
        const struct sb_terms *t = &e->terms.records[terms];
        r->walk_terms = t->next;
        if (t->state != SB_TERMS_UNDERWAY)
            continue;
        struct sb_arrival a = sb_arrival_of(e, t->slot, t->limit);
        a.after_pause = after_pause;
        sb_arrival_run(e, b, &a, box);
    }
    r->walk_terms = 0;
    r->unpriced = 1;
    cascade(e, b, after_pause, box);
}
