/* reference_arrival.c: an arrival meets the other side (sections 4 and 10) and comes to rest. */
#include "reference_internal.h"

#include "shadowbook/assert.h"

bool ref_is_dark(const struct ref_order *o)
{
    return (o->attributes & (SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE)) != 0 || o->min_quantity != 0 ||
           o->peg != SB_PEG_NONE;
}

bool ref_within(const struct ref_order *o, int64_t price)
{
    return sb_side_sells(o->side) ? price >= o->price : price <= o->price;
}

/* 10.1 */
bool ref_same_group(const struct sb_reference *r, const struct ref_order *arrival,
                    const struct ref_order *rest)
{
    const struct sb_session_view *a = &r->sessions[arrival->session].view;
    const struct sb_session_view *b = &r->sessions[rest->session].view;
    if (a->stp == SB_STP_NONE || a->stp_group != b->stp_group)
        return false;
    return a->stp_group != 0 || a->firm == b->firm;
}

/* 4.2: would the fill be less than the resting order's minimum? */
bool ref_passes_over(uint32_t arrival_open, const struct ref_order *o)
{
    const uint32_t minimum =
        (o->attributes & SB_ATTR_ALL_OR_NONE) != 0 ? o->open : ref_min(o->min_quantity, o->open);
    return ref_min(arrival_open, o->open) < minimum;
}

/* ---- fills: 4.4 ---- */

void ref_fill(struct sb_reference *r, struct ref_order *rest, struct ref_order *arrival,
              uint32_t quantity)
{
    struct ref_instrument *inst = ref_instrument_of(r, rest);
    SB_ASSERT(quantity > 0 && ref_within(arrival, rest->price));
    SB_ASSERT(!ref_same_group(r, arrival, rest));
    SB_ASSERT(rest->state == REF_VISIBLE || !ref_passes_over(quantity, rest));
    const uint64_t match = r->next_match++;
    ref_leave_feed(r, arrival);
    struct sb_output *out = ref_emit_order(r, rest->session, SB_OUT_EXECUTED, rest);
    out->quantity = quantity;
    out->price = rest->price;
    out->match = match;
    out->liquidity = SB_LIQ_ADDED;
    out = ref_emit_order(r, arrival->session, SB_OUT_EXECUTED, arrival);
    out->quantity = quantity;
    out->price = rest->price;
    out->match = match;
    out->liquidity = SB_LIQ_REMOVED;
    const bool displayed = rest->state == REF_VISIBLE;
    out = ref_emit_order(r, SB_STREAM_FEED, displayed ? SB_OUT_F_EXECUTED : SB_OUT_F_TRADE, rest);
    out->ref = displayed ? rest->ref : 0;
    out->quantity = quantity;
    out->price = rest->price;
    out->match = match;
    r->stats.trades++;
    inst->view.last_price = rest->price;
    inst->traded = true;
    rest->open -= quantity;
    rest->executed += quantity;
    arrival->open -= quantity;
    arrival->executed += quantity;
    if (rest->open == 0)
        ref_order_end(r, rest);
    else if (rest->open == rest->reserve)
        ref_refresh(r, rest);
    if (arrival->open == 0)
        ref_order_end(r, arrival);
    ref_partner_ends(r, rest);
    ref_partner_ends(r, arrival);
}

/* ---- self-trade prevention: 10.2 ---- */

static void decrement(struct sb_reference *r, struct ref_order *rest, struct ref_order *arrival)
{
    const uint32_t quantity = ref_min(arrival->open, rest->open - rest->reserve);
    SB_ASSERT(quantity > 0);
    struct sb_output *out = ref_emit_order(r, rest->session, SB_OUT_CANCELED, rest);
    out->quantity = quantity;
    out->reason = SB_REASON_SELF_TRADE;
    rest->open -= quantity;
    const bool used_up = rest->open == rest->reserve; /* slice or all */
    if (rest->state == REF_VISIBLE) {
        out =
            ref_emit_order(r, SB_STREAM_FEED, used_up ? SB_OUT_F_DELETED : SB_OUT_F_REDUCED, rest);
        out->quantity = used_up ? 0 : quantity;
    }
    if (rest->open == 0) {
        ref_order_end(r, rest);
        ref_partner_ends(r, rest);
    }
    out = ref_emit_order(r, arrival->session, SB_OUT_CANCELED, arrival);
    out->quantity = quantity;
    out->reason = SB_REASON_SELF_TRADE;
    arrival->open -= quantity;
    if (arrival->open == 0) { /* 10.3 */
        ref_order_end(r, arrival);
        ref_partner_ends(r, arrival);
    }
    if (rest->open > 0 && used_up)
        ref_refresh(r, rest);
}

void ref_self_trade(struct sb_reference *r, struct ref_order *rest, struct ref_order *arrival)
{
    ref_leave_feed(r, arrival);
    switch (r->sessions[arrival->session].view.stp) {
    case SB_STP_CANCEL_NEWEST:
        ref_cancel(r, arrival, SB_REASON_SELF_TRADE);
        break;
    case SB_STP_CANCEL_OLDEST:
        ref_cancel(r, rest, SB_REASON_SELF_TRADE);
        break;
    case SB_STP_CANCEL_BOTH:
        ref_cancel(r, rest, SB_REASON_SELF_TRADE);
        ref_cancel(r, arrival, SB_REASON_SELF_TRADE);
        break;
    case SB_STP_DECREMENT:
        decrement(r, rest, arrival);
        break;
    default:
        SB_ASSERT(false);
    }
}

/* ---- matching ---- */

/* 4.1, 4.2: the order on the other side that comes next, or NULL. */
static struct ref_order *next_to_meet(const struct sb_reference *r, const struct ref_order *o,
                                      uint64_t arrival)
{
    const bool sells = sb_side_sells(o->side);
    struct ref_order *shown = ref_best(r, o->instrument, !sells);
    if (shown != NULL && !ref_within(o, shown->price))
        shown = NULL;
    const struct ref_list *dark = &ref_instrument_of(r, o)->dark[!sells];
    for (size_t i = 0; i < dark->n; i++) {
        struct ref_order *rest = dark->orders[i];
        if (!ref_within(o, rest->price))
            break;
        if (shown != NULL && (sells ? rest->price <= shown->price : rest->price >= shown->price))
            break; /* the displayed one is better, or as good */
        if (rest->passed_over == arrival)
            continue;
        if (ref_passes_over(o->open, rest))
            rest->passed_over = arrival;
        else
            return rest;
    }
    return shown;
}

/* Until nothing is left or nothing can be had; true: stopped at a price outside low..high (13.2). */
static bool match(struct sb_reference *r, struct ref_order *o, int64_t low, int64_t high)
{
    const struct sb_instrument_view *v = &ref_instrument_of(r, o)->view;
    const uint64_t arrival = ++r->arrivals;
    while (o->state != REF_ENDED) {
        struct ref_order *rest = next_to_meet(r, o, arrival);
        if (rest == NULL)
            return false;
        if (rest->price < low || rest->price > high) /* 4.3: band, self-trade prevention, fill */
            return true;
        if (v->matching == SB_MATCH_PRO_RATA && rest->state == REF_VISIBLE)
            ref_pro_rata(r, o, rest->price);
        else if (ref_same_group(r, o, rest))
            ref_self_trade(r, rest, o);
        else
            ref_fill(r, rest, o, ref_min(o->open, rest->open - rest->reserve));
    }
    return false;
}

/* ---- rest ---- */

/* 12.5: is o better than every other displayed order of its side? */
static bool is_better_than_all(const struct sb_reference *r, const struct ref_order *o)
{
    const struct ref_list *list = &ref_instrument_of(r, o)->shown[sb_side_sells(o->side)];
    return list->orders[0] == o && (list->n == 1 || list->orders[1]->price != o->price);
}

/* 4.6, last part */
void ref_rest(struct sb_reference *r, struct ref_order *o)
{
    struct ref_instrument *inst = ref_instrument_of(r, o);
    const bool sells = sb_side_sells(o->side);
    if (ref_is_dark(o)) {
        const bool parks =
            o->peg != SB_PEG_NONE && inst->view.phase != SB_PHASE_CONTINUOUS; /* 8.1 */
        ref_order_insert(r, o, parks ? REF_PARKED : REF_DARK);
        return;
    }
    const struct ref_if now = {0};
    if (ref_levels_full(r, o->instrument, sells, o->price, &now)) {
        ref_cancel(r, o, SB_REASON_NO_ROOM);
        return;
    }
    ref_slice(r, o);
    ref_order_insert(r, o, REF_VISIBLE);
    if (is_better_than_all(r, o))
        inst->top_ref[sells] = o->ref;
    struct sb_output *out =
        ref_emit_order(r, SB_STREAM_FEED, o->old_ref != 0 ? SB_OUT_F_REPLACED : SB_OUT_F_ADD, o);
    out->quantity = o->open - o->reserve;
    out->price = o->price;
    out->match = o->old_ref;
    o->old_ref = 0;
}

void ref_arrive(struct sb_reference *r, struct ref_order *o)
{
    SB_ASSERT(o->state == REF_MOVING);
    const struct ref_instrument *inst = ref_instrument_of(r, o);
    const struct sb_instrument_view *v = &inst->view;
    if (v->phase != SB_PHASE_CONTINUOUS) { /* 14.2 */
        ref_rest(r, o);
        return;
    }
    const bool rests = ref_can_rest(o->type, o->tif);
    const int64_t around = v->last_price != 0 ? v->last_price : v->reference; /* 13.2 */
    const bool band = v->dynamic_band != 0 && around != 0;
    const int64_t low = band ? ref_band_low(around, v->dynamic_band) : 0;
    const int64_t high = band ? ref_band_high(around, v->dynamic_band) : INT64_MAX;
    if (!ref_needed_there(r, o, low, high)) { /* 4.5 */
        if (rests)
            ref_rest(r, o);
        else
            ref_cancel(r, o, SB_REASON_MINIMUM);
        return;
    }
    const bool outside = match(r, o, low, high);
    const bool had_its_pause = inst->pause_ends && ref_is_dark(o); /* 13.3: not stops */
    const bool pause = outside && v->band_action == SB_BAND_PAUSE && !had_its_pause;
    if (o->state == REF_MOVING) {
        if (outside && !(pause && rests))
            ref_cancel(r, o, SB_REASON_BAND); /* 13.2 */
        else if (!rests)
            ref_cancel(r, o, SB_REASON_IOC); /* 4.6 */
        else
            ref_rest(r, o);
    }
    if (pause)
        ref_pause(r, o->instrument);
}
