/* reference_cascade.c: types of orders as they come in (5), pegs (8), stops, and what follows a command (9). */
#include "reference_internal.h"

#include <stdlib.h>

/* ---- pegs: section 8 ---- */

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t higher(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* 8.1: its price, or 0 if it has none now. bid, ask: best displayed prices, 0: none. */
static int64_t peg_price(const struct sb_instrument_view *v, const struct ref_order *o, int64_t bid,
                         int64_t ask)
{
    const bool sells = sb_side_sells(o->side);
    if (v->phase != SB_PHASE_CONTINUOUS)
        return 0;
    int64_t price;
    if (o->peg == SB_PEG_MIDPOINT) {
        if (bid == 0 || ask == 0)
            return 0;
        price = (bid + ask) / 2 / v->tick * v->tick;
        if (sells && 2 * price < bid + ask)
            price += v->tick;
    } else {
        const bool own = o->peg == SB_PEG_PRIMARY;
        const int64_t from = own == sells ? ask : bid;
        if (from == 0)
            return 0;
        price = sells ? from - o->peg_offset : from + o->peg_offset;
    }
    if (o->limit != 0)
        price = sells ? higher(price, o->limit) : lower(price, o->limit);
    if (!sells && ask != 0)
        price = lower(price, ask - v->tick);
    if (sells && bid != 0)
        price = higher(price, bid + v->tick);
    return price < v->price_min || price > v->price_max ? 0 : price;
}

/* 8.2, 8.3: o is in no list. */
static void place_peg(struct sb_reference *r, struct ref_order *o, int64_t bid, int64_t ask)
{
    o->price = peg_price(&ref_instrument_of(r, o)->view, o, bid, ask);
    if (o->price == 0)
        ref_order_insert(r, o, REF_PARKED);
    else
        ref_arrive(r, o);
}

/* 8.4 */
void ref_park_pegs(struct sb_reference *r, uint32_t instrument)
{
    for (int s = 0; s < 2; s++) {
        struct ref_list *dark = &r->instruments[instrument].dark[s];
        for (size_t i = 0; i < dark->n;) {
            struct ref_order *o = dark->orders[i];
            if (o->peg == SB_PEG_NONE) {
                i++;
                continue;
            }
            ref_order_take_out(r, o);
            ref_order_insert(r, o, REF_PARKED);
        }
    }
}

/* ---- stops: 5.3 to 5.5 ---- */

static bool is_stop(const struct ref_order *o)
{
    return o->type == SB_TYPE_STOP || o->type == SB_TYPE_STOP_LIMIT ||
           o->type == SB_TYPE_TRAILING_STOP;
}

static bool is_triggered(const struct sb_instrument_view *v, const struct ref_order *o)
{
    if (v->last_price == 0)
        return false;
    return sb_side_sells(o->side) ? v->last_price <= o->stop_price : v->last_price >= o->stop_price;
}

static void go_to_market(struct sb_reference *r, struct ref_order *o)
{
    const struct sb_instrument_view *v = &ref_instrument_of(r, o)->view;
    o->price = sb_side_sells(o->side) ? v->price_min : v->price_max; /* 4.1 */
    ref_arrive(r, o);
}

static void activate(struct sb_reference *r, struct ref_order *o)
{
    ref_order_take_out(r, o);
    struct sb_output *out = ref_emit_order(r, o->session, SB_OUT_TRIGGERED, o);
    out->quantity = o->open;
    out->price = o->limit;
    if (o->type == SB_TYPE_STOP_LIMIT) {
        o->type = SB_TYPE_LIMIT;
        o->price = o->limit;
        ref_arrive(r, o);
    } else {
        o->type = SB_TYPE_MARKET;
        go_to_market(r, o);
    }
}

/* 5.5: does a go before b? */
static bool is_before(const struct ref_order *a, const struct ref_order *b)
{
    const bool sells = sb_side_sells(a->side);
    if (sells != sb_side_sells(b->side))
        return !sells;
    if (a->stop_price != b->stop_price)
        return sells ? a->stop_price > b->stop_price : a->stop_price < b->stop_price;
    return a->parked_number < b->parked_number;
}

static struct ref_order *first_triggered(const struct ref_instrument *inst)
{
    struct ref_order *first = NULL;
    for (size_t i = 0; i < inst->parked.n; i++) {
        struct ref_order *o = inst->parked.orders[i];
        if (is_stop(o) && is_triggered(&inst->view, o) && (first == NULL || is_before(o, first)))
            first = o;
    }
    return first;
}

/* 5.4, 9.1 */
static void follow(struct sb_reference *r, struct ref_instrument *inst)
{
    struct ref_list list = {0};
    for (size_t i = 0; i < inst->parked.n; i++) {
        if (inst->parked.orders[i]->type == SB_TYPE_TRAILING_STOP)
            ref_list_push(&list, inst->parked.orders[i]);
    }
    ref_list_sort_by_ref(&list);
    const struct sb_instrument_view *v = &inst->view;
    for (size_t i = 0; i < list.n; i++) {
        struct ref_order *o = list.orders[i];
        const int64_t stop = sb_side_sells(o->side)
                                 ? higher(o->stop_price, v->last_price - (int64_t)o->trail)
                                 : lower(o->stop_price, v->last_price + (int64_t)o->trail);
        if (stop == o->stop_price)
            continue;
        o->stop_price = lower(higher(stop, v->price_min), v->price_max);
        o->parked_number = ++r->parkings;
    }
    free(list.orders);
}

/* ---- a new order ---- */

static void enter_market_to_limit(struct sb_reference *r, struct ref_order *o)
{
    const int64_t price = ref_best_price(r, o->instrument, !sb_side_sells(o->side));
    if (price == 0) {
        ref_cancel(r, o, SB_REASON_IOC);
        return;
    }
    o->type = SB_TYPE_LIMIT; /* 5.2, 16.4 */
    o->limit = o->price = price;
    ref_arrive(r, o);
}

static void enter_limit(struct sb_reference *r, struct ref_order *o)
{
    const struct sb_instrument_view *v = &ref_instrument_of(r, o)->view;
    const bool closing = v->phase == SB_PHASE_AUCTION && v->auction == SB_AUCTION_CLOSING;
    o->price = o->limit;
    if (o->tif == SB_TIF_AT_CLOSE && !closing) /* 14.1 */
        ref_order_insert(r, o, REF_PARKED);
    else
        ref_place_again(r, o);
}

void ref_enter(struct sb_reference *r, struct ref_order *o)
{
    const struct sb_instrument_view *v = &ref_instrument_of(r, o)->view;
    if (o->type == SB_TYPE_LIMIT)
        enter_limit(r, o);
    else if (o->type == SB_TYPE_MARKET)
        go_to_market(r, o);
    else if (o->type == SB_TYPE_MARKET_TO_LIMIT)
        enter_market_to_limit(r, o);
    else if (v->phase == SB_PHASE_CONTINUOUS && is_triggered(v, o)) /* 5.3 */
        activate(r, o);
    else
        ref_order_insert(r, o, REF_PARKED);
}

void ref_place_again(struct sb_reference *r, struct ref_order *o)
{
    if (o->peg != SB_PEG_NONE) {
        place_peg(r, o, ref_best_price(r, o->instrument, false),
                  ref_best_price(r, o->instrument, true));
    } else {
        o->price = o->limit;
        ref_arrive(r, o);
    }
}

/* ---- section 9 ---- */

/* 9.3, 8.3 */
static void price_pegs(struct sb_reference *r, uint32_t instrument, int64_t bid, int64_t ask)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    struct ref_list all = {0};
    ref_book_order(r, instrument, &all);
    ref_list_sort_by_ref(&all);
    for (size_t i = 0; i < all.n && inst->view.phase == SB_PHASE_CONTINUOUS; i++) {
        struct ref_order *o = all.orders[i];
        if (o->state == REF_ENDED || o->peg == SB_PEG_NONE)
            continue;
        const int64_t price = peg_price(&inst->view, o, bid, ask);
        if (price == (o->state == REF_PARKED ? 0 : o->price))
            continue;
        ref_order_take_out(r, o);
        place_peg(r, o, bid, ask);
    }
    free(all.orders);
}

static bool has_pegs(const struct ref_instrument *inst)
{
    return inst->dark[0].n + inst->dark[1].n + inst->parked.n > 0; /* perhaps */
}

void ref_cascade(struct sb_reference *r, uint32_t instrument)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    while (inst->view.phase == SB_PHASE_CONTINUOUS) {
        if (inst->traded) /* 1 */
            follow(r, inst);
        inst->traded = false;
        struct ref_order *stop = first_triggered(inst); /* 2 */
        if (stop != NULL) {
            activate(r, stop);
            continue;
        }
        const int64_t bid = ref_best_price(r, instrument, false);
        const int64_t ask = ref_best_price(r, instrument, true);
        if (inst->pegs_priced && bid == inst->priced_bid && ask == inst->priced_ask)
            return;               /* 4 */
        inst->pegs_priced = true; /* 3 */
        inst->priced_bid = bid;
        inst->priced_ask = ask;
        if (has_pegs(inst))
            price_pegs(r, instrument, bid, ask);
    }
}
