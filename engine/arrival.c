#include "engine/arrival.h"

#include "engine/cascade.h"
#include "engine/due.h"
#include "engine/instrument.h"
#include "engine/outbox.h"

uint32_t sb_arrival_needs(uint8_t tif, uint8_t attributes, uint32_t minimum, uint32_t open)
{
    if (tif == SB_TIF_FOK || (attributes & SB_ATTR_ALL_OR_NONE) != 0)
        return open;
    return minimum < open ? minimum : open;
}

struct sb_arrival sb_arrival_of(const struct sb_engine *e, uint32_t slot, uint32_t ticks)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms *t = sb_rest_terms(e, slot);
    struct sb_arrival a = {.ref = sb_order_ref(o),
                           .slot = slot,
                           .terms = sb_rest_terms_index(e, slot),
                           .session = sb_rest_session(e, slot),
                           .key = sb_rest_key(e, slot),
                           .open = o->open,
                           .ticks = ticks,
                           .side = sb_order_side(o)};
    if (t != NULL) {
        a.tif = t->tif;
        a.needed = sb_arrival_needs(t->tif, t->attributes, t->minimum, o->open);
    }
    return a;
}

/* --- fills -------------------------------------------------------------------------------------------------------------- */

void sb_arrival_leave(struct sb_engine *e, const struct sb_book *b, struct sb_arrival *a,
                      struct sb_outbox *box)
{
    if (a->old_ref == 0)
        return;
    sb_outbox_feed(
        e, box,
        (struct sb_output){
            .kind = SB_OUT_F_DELETED, .instrument = b->index, .side = a->side, .ref = a->old_ref});
    a->old_ref = 0;
}

/* Three outputs: to both sessions and the feed. */
static void say_fill(struct sb_engine *e, const struct sb_book *b, const struct sb_arrival *a,
                     uint32_t slot, struct sb_output trade, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_output out = trade;
    out.kind = SB_OUT_EXECUTED;
    out.instrument = b->index;
    out.side = a->side;
    out.key = a->key;
    out.ref = a->ref;
    out.liquidity = SB_LIQ_REMOVED;
    struct sb_output resting = out;
    resting.side = sb_order_side(o);
    resting.key = sb_rest_key(e, slot);
    resting.ref = sb_order_ref(o);
    resting.liquidity = SB_LIQ_ADDED;
    sb_outbox_session(e, box, sb_rest_session(e, slot), resting);
    sb_outbox_session(e, box, a->session, out);
    const bool shown = sb_rest_state(e, slot) == SB_STATE_VISIBLE;
    trade.kind = shown ? SB_OUT_F_EXECUTED : SB_OUT_F_TRADE;
    trade.instrument = b->index;
    trade.side = resting.side;
    trade.ref = shown ? resting.ref : 0;
    sb_outbox_feed(e, box, trade);
}

void sb_arrival_fill(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t slot,
                     uint32_t q, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const int64_t price = sb_book_price(b, sb_order_side(o), sb_order_ladder_key(o));
    const struct sb_output trade = {.quantity = q, .price = price, .match = ++e->last_match};
    uint32_t partner;
    sb_arrival_leave(e, b, a, box);
    say_fill(e, b, a, slot, trade, box);
    e->stats.trades++;
    b->view.last_price = price;
    sb_state_rare(e, b)->traded = 1;
    a->open -= q;
    if (a->slot != 0)
        sb_orders_set_executed(&e->orders, a->slot, sb_orders_executed(&e->orders, a->slot) + q);
    if (sb_rest_fill(e, b, slot, q, true, &partner) == SB_REST_SPENT)
        sb_rest_refresh(e, b, slot, box);
    sb_rest_cancel_partner(e, b, partner, box);
    if (a->terms != 0)
        sb_rest_cancel_partner(e, b, sb_terms_part(e, a->terms), box);
}

/* The arrival has no more than what it is settled with: its slot, if any, is free. */
static void gone(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                 struct sb_outbox *box)
{
    uint32_t partner = 0;
    if (a->slot != 0)
        partner = sb_rest_end(e, b, a->slot);
    a->slot = a->terms = a->open = 0;
    a->end = SB_ARRIVAL_GONE;
    sb_rest_cancel_partner(e, b, partner, box);
}

void sb_arrival_cut(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t q,
                    uint8_t reason, struct sb_outbox *box)
{
    sb_arrival_leave(e, b, a, box);
    e->stats.canceled++;
    sb_outbox_session(e, box, a->session,
                      (struct sb_output){.kind = SB_OUT_CANCELED,
                                         .key = a->key,
                                         .instrument = b->index,
                                         .side = a->side,
                                         .quantity = q,
                                         .ref = a->ref,
                                         .reason = reason});
    a->open -= q;
    if (a->open == 0)
        gone(e, b, a, box);
}

/* --- the walk (4.1) ----------------------------------------------------------------------------------------------------- */

/* Floor and ceiling of reference +- band, in shares of 1/10000 (3.7, 13.2). */
static void set_band(const struct sb_book *b, struct sb_arrival *a)
{
    const int64_t r = b->view.last_price != 0 ? b->view.last_price : b->view.reference;
    const int64_t band = b->view.dynamic_band;
    a->band_low = a->band_high = 0;
    if (band == 0 || r == 0)
        return;
    a->band_high = r * (10000 + band) / 10000;
    a->band_low = band < 10000 ? (r * (10000 - band) + 9999) / 10000 : 0;
}

bool sb_arrival_in_band(struct sb_arrival *a, int64_t price)
{
    if (a->band_high == 0 || (price >= a->band_low && price <= a->band_high))
        return true;
    a->end = SB_ARRIVAL_BANDED;
    return false;
}

static bool runs(const struct sb_arrival *a)
{
    return a->open != 0 && a->end == SB_ARRIVAL_OPEN;
}

static uint32_t least(uint32_t x, uint32_t y)
{
    return x < y ? x : y;
}

/* The displayed queue of the best price, to its end. */
static void match_shown(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t key,
                        struct sb_outbox *box)
{
    const struct sb_ladder *l = sb_book_side(b, a->side ^ 1u);
    while (runs(a) && l->best == key) {
        if (!sb_arrival_in_band(a, sb_book_price(b, a->side ^ 1u, key)))
            return;
        if (b->view.matching == SB_MATCH_PRO_RATA) {
            sb_pro_rata_level(e, b, a, box);
            continue;
        }
        const uint32_t slot = sb_ladder_find(l, &e->levels, key)->head;
        if (!sb_self_trade_apply(e, b, a, slot, box))
            sb_arrival_fill(e, b, a, slot, least(a->open, e->orders.slots[slot].open), box);
    }
}

/* The dark queue of a price, once from its head to its end. */
static void match_dark(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t key,
                       struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    const uint32_t leaf = sb_tail_find(&r->dark[(a->side ^ 1u) & 1u], &e->rare_levels, key);
    r->walk_slot = leaf != 0 ? e->rare_levels.leaves[leaf].level.head : 0;
    while (runs(a) && r->walk_slot != 0) {
        const uint32_t slot = r->walk_slot;
        r->walk_slot = e->orders.slots[slot].next;
        if (sb_arrival_passes_over(e, slot, a->open))
            continue;
        if (!sb_arrival_in_band(a, sb_book_price(b, a->side ^ 1u, key)))
            break;
        if (!sb_self_trade_apply(e, b, a, slot, box))
            sb_arrival_fill(e, b, a, slot, least(a->open, e->orders.slots[slot].open), box);
    }
    r->walk_slot = 0;
}

static void match(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                  struct sb_outbox *box)
{
    const uint8_t other = (a->side ^ 1u) & 1u;
    const struct sb_tail *dark = &sb_state_rare(e, b)->dark[other];
    const uint32_t limit = sb_book_key(other, a->ticks);
    uint32_t walked = SB_KEY_NONE;
    while (runs(a)) {
        const uint32_t key = least(b->side[other].best, sb_arrival_dark_after(e, dark, walked));
        if (key > limit) /* SB_KEY_NONE is above all */
            return;
        match_shown(e, b, a, key, box);
        if (runs(a))
            match_dark(e, b, a, key, box);
        walked = key;
    }
}

/* --- settling (4.6) ----------------------------------------------------------------------------------------------------- */

static void rest(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                 struct sb_outbox *box)
{
    struct sb_terms *t = a->terms != 0 ? &e->terms.records[a->terms] : NULL;
    e->orders.slots[a->slot].open = a->open;
    if (t != NULL) {
        t->type = SB_TYPE_LIMIT; /* 16.4 */
        if (t->peg == SB_PEG_NONE)
            t->limit = a->ticks;
        if (sb_terms_dark(t)) {
            sb_arrival_leave(e, b, a, box);
            sb_rest_dark(e, b, a->slot, a->ticks);
            return;
        }
    }
    if (!sb_rest_show(e, b, a->slot, a->ticks, a->old_ref, box))
        sb_arrival_cut(e, b, a, a->open, SB_REASON_NO_ROOM, box);
}

/* Does what the band does not let it take pause the instrument (13.2)? */
static bool pauses(const struct sb_book *b, const struct sb_arrival *a)
{
    return a->end == SB_ARRIVAL_BANDED && b->view.band_action == SB_BAND_PAUSE && !a->after_pause;
}

static void settle(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                   struct sb_outbox *box)
{
    const bool banded = a->end == SB_ARRIVAL_BANDED;
    if (a->end == SB_ARRIVAL_GONE)
        return;
    if (a->open == 0)
        gone(e, b, a, box);
    else if (a->tif == SB_TIF_IOC || a->tif == SB_TIF_FOK || a->type == SB_TYPE_MARKET)
        sb_arrival_cut(e, b, a, a->open, banded ? SB_REASON_BAND : SB_REASON_IOC, box);
    else if (banded && !pauses(b, a))
        sb_arrival_cut(e, b, a, a->open, SB_REASON_BAND, box);
    else
        rest(e, b, a, box);
}

/* 13.2: the instrument waits in an auction of its own kind. */
static void pause(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    const uint64_t wait_ns = (uint64_t)b->view.pause_ms * 1000000;
    b->view.auction = SB_AUCTION_VOLATILITY;
    sb_due_resume(e, b, wait_ns != 0 ? e->time_ns + wait_ns : 0);
    sb_instrument_set_phase(e, b, SB_PHASE_AUCTION, box);
    sb_peg_park_all(e, b);
}

void sb_arrival_run(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                    struct sb_outbox *box)
{
    if (b->view.phase == SB_PHASE_CONTINUOUS) {
        set_band(b, a);
        const bool enough = a->needed == 0 || sb_arrival_available(e, b, a) >= a->needed;
        if (enough)
            match(e, b, a, box);
        else if (a->tif == SB_TIF_IOC || a->tif == SB_TIF_FOK)
            sb_arrival_cut(e, b, a, a->open, SB_REASON_MINIMUM, box);
    }
    const bool paused = pauses(b, a); /* settled, it may be GONE */
    settle(e, b, a, box);
    if (paused)
        pause(e, b, box);
}
