/* reference_auction.c: the call auction (section 14), by looking at every candidate price in turn. */
#include "reference_internal.h"

#include <stdlib.h>

struct candidate {
    int64_t price;
    uint64_t volume;
    int64_t imbalance; /* buy minus sell */
};

/* 14.2: an iceberg counts with its total. */
static uint64_t sum_at(const struct ref_list *side, int64_t price, bool buys)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < side->n; i++) {
        const struct ref_order *o = side->orders[i];
        if (buys ? o->price >= price : o->price <= price)
            sum += o->open;
    }
    return sum;
}

static struct candidate candidate_at(const struct ref_instrument *inst, int64_t price)
{
    const uint64_t buy = sum_at(&inst->shown[0], price, true);
    const uint64_t sell = sum_at(&inst->shown[1], price, false);
    return (struct candidate){.price = price,
                              .volume = buy < sell ? buy : sell,
                              .imbalance = (int64_t)buy - (int64_t)sell};
}

/* Is a better than b by volume, then by imbalance? 1 better, 0 tied, -1 worse. */
static int compare(const struct candidate *a, const struct candidate *b)
{
    if (a->volume != b->volume)
        return a->volume > b->volume ? 1 : -1;
    const int64_t x = llabs(a->imbalance), y = llabs(b->imbalance);
    return x == y ? 0 : x < y ? 1 : -1;
}

/* The candidates that are as good as the best, seen so far. */
struct tied {
    struct candidate best;
    int64_t low, high;
    int64_t nearest; /* to the reference, the lower of two */
    bool all_buy, all_sell;
};

static void see(struct tied *t, const struct candidate *c, int64_t reference)
{
    const int better = c->volume == 0 ? -1 : compare(c, &t->best);
    if (better < 0)
        return;
    const int64_t p = c->price;
    if (better > 0)
        *t = (struct tied){
            .best = *c, .low = p, .high = p, .nearest = p, .all_buy = true, .all_sell = true};
    t->low = p < t->low ? p : t->low;
    t->high = p > t->high ? p : t->high;
    const int64_t now = llabs(p - reference), before = llabs(t->nearest - reference);
    if (now < before || (now == before && p < t->nearest))
        t->nearest = p;
    t->all_buy = t->all_buy && c->imbalance > 0;
    t->all_sell = t->all_sell && c->imbalance < 0;
}

/* 14.3: the auction's price; false if nothing can trade. */
static bool auction_price(const struct ref_instrument *inst, int64_t *price)
{
    const struct sb_instrument_view *v = &inst->view;
    const int64_t reference = v->last_price != 0 ? v->last_price : v->reference;
    struct tied t = {0};
    for (int s = 0; s < 2; s++) {
        const struct ref_list *side = &inst->shown[s];
        for (size_t i = 0; i < side->n; i++) {
            if (i > 0 && side->orders[i - 1]->price == side->orders[i]->price)
                continue; /* the same candidate again */
            const struct candidate c = candidate_at(inst, side->orders[i]->price);
            see(&t, &c, reference);
        }
    }
    if (t.best.volume == 0)
        return false;
    const int64_t middle = (t.low + t.high) / 2;
    if (v->tie == SB_TIE_HIGHEST)
        *price = t.high;
    else if (v->tie == SB_TIE_LOWEST)
        *price = t.low;
    else if (v->tie == SB_TIE_REFERENCE && reference != 0)
        *price = t.nearest;
    else /* engine.h */
        *price = t.all_buy ? t.high : t.all_sell ? t.low : middle - middle % v->tick;
    return true;
}

static void trade_pair(struct sb_reference *r, struct ref_order *buy, struct ref_order *sell,
                       int64_t price, uint32_t quantity)
{
    const uint64_t match = r->next_match++;
    struct ref_order *pair[2] = {buy, sell};
    for (int feed = 0; feed < 2; feed++) {
        for (int s = 0; s < 2; s++) {
            struct sb_output *out =
                feed ? ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_EXECUTED_AT, pair[s])
                     : ref_emit_order(r, pair[s]->session, SB_OUT_EXECUTED, pair[s]);
            out->quantity = quantity;
            out->price = price;
            out->match = match;
            out->liquidity = feed ? 0 : SB_LIQ_OPENING;
        }
    }
    r->stats.trades++;
    for (int s = 0; s < 2; s++) {
        pair[s]->open -= quantity;
        pair[s]->executed += quantity;
        if (pair[s]->open == 0)
            ref_order_end(r, pair[s]);
        else if (pair[s]->open == pair[s]->reserve)
            ref_refresh(r, pair[s]); /* 14.2 */
    }
    for (int s = 0; s < 2; s++)
        ref_partner_ends(r, pair[s]); /* 11.2 */
}

/* 14.4: orders for this auction only. */
static void cancel_unfilled(struct sb_reference *r, uint32_t instrument)
{
    const uint8_t kind = r->instruments[instrument].view.auction;
    struct ref_list all = {0};
    ref_book_order(r, instrument, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct ref_order *o = all.orders[i];
        if (o->state != REF_ENDED && ((kind == SB_AUCTION_OPENING && o->tif == SB_TIF_AT_OPEN) ||
                                      (kind == SB_AUCTION_CLOSING && o->tif == SB_TIF_AT_CLOSE)))
            ref_cancel(r, o, SB_REASON_AUCTION);
    }
    free(all.orders);
}

static uint64_t pair_all(struct sb_reference *r, uint32_t instrument, int64_t price)
{
    uint64_t volume = 0;
    for (;;) {
        struct ref_order *buy = ref_best(r, instrument, false);
        struct ref_order *sell = ref_best(r, instrument, true);
        if (buy == NULL || sell == NULL || buy->price < price || sell->price > price)
            return volume;
        const uint32_t quantity = ref_min(buy->open - buy->reserve, sell->open - sell->reserve);
        trade_pair(r, buy, sell, price, quantity);
        volume += quantity;
    }
}

uint64_t ref_uncross(struct sb_reference *r, uint32_t instrument)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    int64_t price;
    uint64_t volume = 0;
    if (auction_price(inst, &price)) {
        volume = pair_all(r, instrument, price);
        struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_CROSS);
        out->instrument = instrument;
        out->ref = volume;
        out->price = price;
        out->match = r->next_match++;
        inst->view.reference = inst->view.last_price = price; /* 14.4 */
        inst->traded = true;
    }
    cancel_unfilled(r, instrument);
    return volume;
}

/* 14.5 */
void ref_indicative(struct sb_reference *r, uint32_t instrument)
{
    const struct ref_instrument *inst = &r->instruments[instrument];
    struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_INDICATIVE);
    out->instrument = instrument;
    int64_t price;
    if (!auction_price(inst, &price))
        return;
    const struct candidate c = candidate_at(inst, price);
    out->price = price;
    out->quantity = c.volume > UINT32_MAX ? UINT32_MAX : (uint32_t)c.volume;
    out->ref = (uint64_t)llabs(c.imbalance);
    out->side = c.imbalance >= 0 ? SB_BUY : SB_SELL;
}
