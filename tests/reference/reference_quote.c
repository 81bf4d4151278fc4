/* reference_quote.c: QUOTE (section 17). */
#include "reference_internal.h"

struct entry {
    uint32_t instrument;
    int64_t price[2]; /* bid, ask */
    uint32_t quantity[2];
    struct ref_order *old[2];
    uint8_t reason[2];
    bool taken[2];
};

static struct ref_order *quote_of(const struct sb_reference *r, uint32_t session,
                                  uint32_t instrument, bool sells)
{
    const struct ref_list *list = &r->instruments[instrument].shown[sells];
    for (size_t i = 0; i < list->n; i++) {
        if (list->orders[i]->quote && list->orders[i]->session == session)
            return list->orders[i];
    }
    return NULL;
}

/* 17.1: may the side's new quote be? For the ask the bid is decided already. */
static uint8_t check_side(const struct sb_reference *r, const struct sb_command *c,
                          const struct entry *e, bool ask)
{
    const struct sb_session_view *s = &r->sessions[c->session].view;
    uint8_t reason = ref_check_phase(r, e->instrument);
    if (reason != SB_REASON_NONE)
        return reason;
    const struct sb_instrument_view *v = &r->instruments[e->instrument].view;
    reason = ref_check_price(v, e->price[ask]);
    if (reason == SB_REASON_NONE)
        reason = ref_check_quantity(v, e->quantity[ask]);
    if (reason != SB_REASON_NONE)
        return reason;
    /* Orders there will be when this one comes, less those there are now. */
    uint32_t gone = e->old[ask] != NULL, come = 0;
    struct ref_if what_if = {.without = {e->old[ask], NULL}};
    if (ask) {
        gone += e->old[0] != NULL;
        come += e->taken[0];
        what_if.without[1] = e->old[0];
        what_if.bid = e->taken[0] ? e->price[0] : 0;
    }
    if (r->stats.open_orders - gone + come >= r->limits.orders_max)
        return SB_REASON_FULL_ORDERS;
    if (ref_levels_full(r, e->instrument, ask, e->price[ask], &what_if))
        return SB_REASON_FULL_LEVELS;
    reason = ref_check_limits(r, c->session, e->instrument, ask, e->price[ask], e->quantity[ask]);
    if (reason != SB_REASON_NONE)
        return reason;
    if (s->orders_max != 0 && s->open_orders - gone + come >= s->orders_max)
        return SB_REASON_MAX_ORDERS;
    return r->terms_used - gone + come >= r->limits.terms_max ? SB_REASON_FULL_TERMS
                                                              : SB_REASON_NONE;
}

static void decide(const struct sb_reference *r, const struct sb_command *c, struct entry *e)
{
    for (int s = 0; s < 2; s++) {
        if (ref_defined(r, e->instrument))
            e->old[s] = quote_of(r, c->session, e->instrument, s == 1);
        if (e->quantity[s] == 0)
            continue; /* withdrawn */
        e->reason[s] = check_side(r, c, e, s == 1);
        e->taken[s] = e->reason[s] == SB_REASON_NONE;
    }
    if (e->taken[0] && e->taken[1] && e->price[0] >= e->price[1]) { /* 17.3 */
        e->reason[0] = e->reason[1] = SB_REASON_TERMS;
        e->taken[0] = e->taken[1] = false;
    }
}

/* What becomes of the side's old quote; true: the new one is to arrive. */
static bool old_leaves(struct sb_reference *r, const struct sb_command *c, struct entry *e, int s)
{
    struct ref_order *old = e->old[s];
    if (old == NULL)
        return e->taken[s];
    if (!e->taken[s]) {
        ref_cancel(r, old, SB_REASON_QUOTE);
        return false;
    }
    if (e->price[s] == old->price && e->quantity[s] <= old->open) {
        old->key = c->key;
        ref_reduce_silently(r, old, old->open - e->quantity[s]);
        return false;
    }
    ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_DELETED, old);
    ref_order_end(r, old);
    return true;
}

static void quote_arrives(struct sb_reference *r, const struct sb_command *c, const struct entry *e,
                          int s)
{
    struct ref_order *o =
        ref_order_make(r, c->session, c->key, e->instrument, s == 1 ? SB_SELL : SB_BUY, true);
    o->limit = o->price = e->price[s];
    o->open = e->quantity[s];
    o->capacity = c->capacity;
    o->place = true; /* 3.14 */
    r->terms_used++;
    ref_arrive(r, o);
}

static void apply_entry(struct sb_reference *r, const struct sb_command *c, struct entry *e)
{
    decide(r, c, e);
    const bool bid = old_leaves(r, c, e, 0), ask = old_leaves(r, c, e, 1);
    if (bid)
        quote_arrives(r, c, e, 0);
    if (ask)
        quote_arrives(r, c, e, 1);
    if (ref_defined(r, e->instrument))
        ref_cascade(r, e->instrument);
}

void ref_apply_quote(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->key <= s->last_key) {
        r->stats.ignored_resend++;
        return;
    }
    s->last_key = c->key;
    if (s->killed) { /* 15.2 */
        ref_reject(r, SB_REASON_KILLED);
        return;
    }
    const union sb_command_ext *x = sb_command_ext(c);
    uint32_t taken = 0;
    uint8_t reason = SB_REASON_NONE;
    for (uint8_t i = 0; i < x->quote.count; i++) {
        const struct sb_quote *q = &x->quote.entry[i];
        struct entry e = {.instrument = q->instrument,
                          .price = {q->bid_price, q->ask_price},
                          .quantity = {q->bid_quantity, q->ask_quantity}};
        apply_entry(r, c, &e);
        for (int k = 0; k < 2; k++) {
            taken += e.taken[k];
            reason = reason == SB_REASON_NONE ? e.reason[k] : reason;
        }
    }
    struct sb_output *out = ref_emit(r, c->session, SB_OUT_QUOTED); /* 17.2 */
    out->key = c->key;
    out->instrument = x->quote.entry[0].instrument;
    out->quantity = taken;
    out->reason = reason;
}
