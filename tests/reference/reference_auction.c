/* reference_auction.c: the call auction, by looking at every candidate price in turn. */
#include "reference_internal.h"

#include <stdlib.h>

struct candidate {
    int64_t price;
    uint64_t volume;
    int64_t imbalance; /* buy minus sell */
};

static uint64_t sum_at(const struct ref_side *side, int64_t price, bool buys)
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
    const uint64_t buy = sum_at(&inst->sides[0], price, true);
    const uint64_t sell = sum_at(&inst->sides[1], price, false);
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

/* The auction's price and volume; false if nothing can trade. */
static bool auction_price(const struct ref_instrument *inst, int64_t *price, uint64_t *volume)
{
    struct candidate best = {0};
    int64_t low = 0, high = 0;
    bool all_buy = false, all_sell = false;
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < inst->sides[s].n; i++) {
            const int64_t p = inst->sides[s].orders[i]->price;
            if (i > 0 && inst->sides[s].orders[i - 1]->price == p)
                continue; /* the same candidate again */
            const struct candidate c = candidate_at(inst, p);
            const int better = c.volume == 0 ? -1 : compare(&c, &best);
            if (better < 0)
                continue;
            if (better > 0) {
                best = c;
                low = high = p;
                all_buy = all_sell = true;
            }
            low = p < low ? p : low;
            high = p > high ? p : high;
            all_buy = all_buy && c.imbalance > 0;
            all_sell = all_sell && c.imbalance < 0;
        }
    }
    if (best.volume == 0)
        return false;
    const int64_t middle = (low + high) / 2;
    *volume = best.volume;
    *price = all_buy ? high : all_sell ? low : middle - middle % inst->view.tick;
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
            ref_order_remove(r, pair[s]);
    }
}

uint64_t ref_uncross(struct sb_reference *r, uint32_t instrument)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    int64_t price;
    uint64_t volume;
    if (!auction_price(inst, &price, &volume))
        return 0;
    for (uint64_t left = volume; left > 0;) {
        struct ref_order *buy = inst->sides[0].orders[0], *sell = inst->sides[1].orders[0];
        const uint32_t quantity = buy->open < sell->open ? buy->open : sell->open;
        trade_pair(r, buy, sell, price, quantity);
        left -= quantity;
    }
    struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_CROSS);
    out->instrument = instrument;
    out->ref = volume;
    out->price = price;
    out->match = r->next_match++;
    return volume;
}
