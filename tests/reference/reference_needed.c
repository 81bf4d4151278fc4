/* reference_needed.c: could an arrival have the quantity that it needs (4.5)? Summed up, nothing is changed.
 *
 * What is counted of one order is noted in the order itself, for its OCO partner's turn. */
#include "reference_internal.h"

struct walk {
    struct sb_reference *r;
    const struct ref_order *arrival;
    uint64_t sum;
    bool ended;
};

/* Self-trade prevention at `rest`: is it left out? May end the walk. */
static bool left_out(struct walk *w, const struct ref_order *rest)
{
    if (!ref_same_group(w->r, w->arrival, rest))
        return false;
    w->ended = w->r->sessions[w->arrival->session].view.stp != SB_STP_CANCEL_OLDEST;
    return true;
}

/* By this walk: a note on who is in no queue now (parked, or not yet back, section 9) is one of an earlier walk. */
static bool partner_counted(const struct ref_order *o)
{
    const struct ref_order *p = o->partner;
    return p != NULL && p->counted && (p->state == REF_VISIBLE || p->state == REF_DARK);
}

/* The displayed queue at `price`. */
static void walk_shown(struct walk *w, const struct ref_list *list, int64_t price)
{
    const struct sb_instrument_view *v = &ref_instrument_of(w->r, w->arrival)->view;
    const bool pro_rata = v->matching == SB_MATCH_PRO_RATA;
    uint64_t totals = 0, displayed = 0; /* in front of an order that ends the walk */
    for (size_t i = 0; i < list->n && !w->ended; i++) {
        struct ref_order *o = list->orders[i];
        if (o->price != price || left_out(w, o) || partner_counted(o))
            continue;
        o->counted = true;
        totals += o->open;
        displayed += o->open - o->reserve;
    }
    if (!w->ended)
        w->sum += totals;
    else if (!pro_rata)
        w->sum += displayed;
}

/* The dark queue at `price`. */
static void walk_dark(struct walk *w, const struct ref_list *list, int64_t price)
{
    for (size_t i = 0; i < list->n && !w->ended && w->sum < w->arrival->open; i++) {
        struct ref_order *o = list->orders[i];
        const uint32_t wanted = w->arrival->open - (uint32_t)w->sum;
        if (o->price != price || partner_counted(o) || ref_passes_over(wanted, o) || left_out(w, o))
            continue;
        o->counted = true;
        w->sum += ref_min(o->open, wanted);
    }
}

/* The best price in a list that is worse than `than` for an arrival that sells or buys; 0: none. */
static int64_t next_price(const struct ref_list *list, bool sells, int64_t than)
{
    for (size_t i = 0; i < list->n; i++) {
        const int64_t p = list->orders[i]->price;
        if (sells ? p < than : p > than)
            return p;
    }
    return 0;
}

static uint32_t needed(const struct ref_order *o)
{
    if (o->tif == SB_TIF_FOK || (o->attributes & SB_ATTR_ALL_OR_NONE) != 0)
        return o->open;
    return ref_min(o->min_quantity, o->open);
}

bool ref_needed_there(struct sb_reference *r, const struct ref_order *arrival, int64_t low,
                      int64_t high)
{
    if (needed(arrival) == 0)
        return true;
    const bool sells = sb_side_sells(arrival->side);
    struct ref_list *shown = &ref_instrument_of(r, arrival)->shown[!sells];
    struct ref_list *dark = &ref_instrument_of(r, arrival)->dark[!sells];
    for (size_t i = 0; i < shown->n; i++)
        shown->orders[i]->counted = false;
    for (size_t i = 0; i < dark->n; i++)
        dark->orders[i]->counted = false;
    struct walk w = {.r = r, .arrival = arrival};
    int64_t price = sells ? INT64_MAX : 0;
    while (!w.ended && w.sum < arrival->open) {
        const int64_t a = next_price(shown, sells, price), b = next_price(dark, sells, price);
        price = a == 0 ? b : b == 0 ? a : (sells ? a > b : a < b) ? a : b;
        if (price == 0 || !ref_within(arrival, price) || price < low || price > high)
            break;
        walk_shown(&w, shown, price);
        walk_dark(&w, dark, price);
    }
    return w.sum >= needed(arrival);
}
