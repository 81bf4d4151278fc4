/* rest.h: open orders of every kind: coming to rest, leaving, being canceled (RULES.md 1, 4.6, 6, 7, 11.2).
 *
 *                    sb_rest_new (or _take_out)
 *                              |
 *                          underway --- sb_rest_end ---> gone
 *          sb_rest_show /  |_dark |_stop \ _aside          ^
 *                      v   v      v       v                | sb_rest_cancel (from every state)
 *                 VISIBLE DARK PARKED   PARKED ------------'
 *
 * Serves plain orders, too: they are VISIBLE, or underway. Works in every phase and asks for no right. Nothing here runs the
 * cascade: that is the caller's, once his command is done with the instrument.
 *
 * A slot stays an order's own from sb_rest_new() to its end, also while it is underway: its OCO partner, its place in the
 * lists by reference and its client key are kept meanwhile. (REPLACE changes the key, and with it the slot.)
 */
#ifndef SHADOWBOOK_ENGINE_REST_H
#define SHADOWBOOK_ENGINE_REST_H

#include "engine/book.h"
#include "engine/state.h"
#include "engine/terms.h"

/* A quote's id: no client key leads to it. One for a session, instrument and side. */
static inline uint64_t sb_rest_quote_id(uint32_t session, uint32_t instrument, uint8_t side)
{
    return UINT64_C(1) << 63 | (uint64_t)session << 32 | instrument << 1 | (side & 1u);
}

/* The key of a stop price in rare.stops[side]: smaller is triggered earlier (5.5). */
static inline uint32_t sb_rest_stop_key(uint8_t side, uint32_t ticks)
{
    return sb_book_key(side ^ 1u, ticks);
}

/* Index of its record; 0: plain. */
static inline uint32_t sb_rest_terms_index(const struct sb_engine *e, uint32_t slot)
{
    return (sb_order_flags(&e->orders.slots[slot]) & SB_ORDER_SPECIAL) != 0
               ? e->orders.beside[slot].extra
               : 0;
}
/* Its record; NULL: plain. */
static inline struct sb_terms *sb_rest_terms(const struct sb_engine *e, uint32_t slot)
{
    const uint32_t terms = sb_rest_terms_index(e, slot);
    return terms != 0 ? &e->terms.records[terms] : NULL;
}

/* What outputs say of it. Quotes have ids of their own, so ask here and not sb_order_session(), _key(). */
static inline uint32_t sb_rest_session(const struct sb_engine *e, uint32_t slot)
{
    return (uint32_t)(e->orders.slots[slot].id >> 32) & 0xffffu;
}
static inline uint32_t sb_rest_key(const struct sb_engine *e, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    return t != NULL && (t->flags & SB_TERMS_QUOTE) != 0 ? t->quote_key
                                                         : sb_order_key(&e->orders.slots[slot]);
}
static inline uint8_t sb_rest_capacity(const struct sb_engine *e, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    return t != NULL ? t->capacity : (uint8_t)sb_orders_extra(&e->orders, slot);
}

/* enum sb_order_state, or SB_TERMS_UNDERWAY. Of a plain order's underway nobody is told but who runs its arrival: it is in no
 * queue, and its key is one that no price has. */
static inline uint8_t sb_rest_state(const struct sb_engine *e, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL)
        return t->state;
    return sb_order_ladder_key(&e->orders.slots[slot]) != SB_KEY_MAX ? SB_STATE_VISIBLE
                                                                     : SB_TERMS_UNDERWAY;
}

/* Open with the reserve: "total" of RULES.md. */
static inline uint32_t sb_rest_total(const struct sb_engine *e, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    return e->orders.slots[slot].open + (t != NULL ? t->reserve : 0);
}

/* A slot for a new order, underway. There is room (checked: FULL_ORDERS, FULL_TERMS). `like`: what its record shall say, or NULL
 * for a plain order; slot, lists, state and partner in it are not looked at. Counts in the session. */
struct sb_rest_order {
    uint64_t id, ref;
    uint32_t open, executed; /* open: the total */
    uint8_t side, capacity;
};
uint32_t sb_rest_new(struct sb_engine *e, struct sb_book *b, const struct sb_rest_order *order,
                     const struct sb_terms *like);

/* Out of the queue that it is in, whatever state: underway; an iceberg's reserve joins `open`. It keeps record, partner and
 * its places in lists. No outputs. */
void sb_rest_take_out(struct sb_engine *e, struct sb_book *b, uint32_t slot);

/* A new reference: the next. It is underway or parked. */
void sb_rest_renew(struct sb_engine *e, struct sb_book *b, uint32_t slot);

/* Leaves `open` open of an order that is underway or parked, be it more or less. No outputs. */
void sb_rest_resize(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t open);

/* From underway to rest, `open` as it stands there. No outputs but those said. */
/* Displayed, at the end of its price's queue, an iceberg with its next slice; then F_ADD, or F_REPLACED if old_ref is not 0.
 * False: no price level was free, and nothing was done. */
bool sb_rest_show(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t ticks,
                  uint64_t old_ref, struct sb_outbox *box);
/* Dark, at the end of the dark queue of that price. */
void sb_rest_dark(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t ticks);
/* Parked at the end of the queue of its stop price (record's `stop`). */
void sb_rest_stop(struct sb_engine *e, struct sb_book *b, uint32_t slot);
/* Parked elsewhere: AT_CLOSE, a peg without a price. */
void sb_rest_aside(struct sb_engine *e, struct sb_book *b, uint32_t slot);

/* Ends it, from whatever state: slot, record and all. No outputs; its partner, if any, is parted from it and returned
 * (record), else 0: who ends it by a cancel or a fill passes that on to sb_rest_cancel_partner(). */
uint32_t sb_rest_end(struct sb_engine *e, struct sb_book *b, uint32_t slot);
/* Cancels a parted partner (OCO); 0: nothing. */
void sb_rest_cancel_partner(struct sb_engine *e, struct sb_book *b, uint32_t partner,
                            struct sb_outbox *box);

/* Canceled with the total, F_DELETED if it was displayed, gone; then its partner, if any (11.2). */
void sb_rest_cancel(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint8_t reason,
                    struct sb_outbox *box);
/* Takes q < total off, from the reserve first (6.4): F_REDUCED for what the displayed part lost. Keeps its place. `reason`:
 * Canceled with q comes first; SB_REASON_NONE: no Canceled. */
void sb_rest_reduce(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                    uint8_t reason, struct sb_outbox *box);

/* What a fill or a decrement leaves of a resting order. */
enum sb_rest_left {
    SB_REST_LEFT = 0,  /* it rests where it was */
    SB_REST_SPENT = 1, /* an iceberg's slice is used up: out of its queue until sb_rest_refresh() */
    SB_REST_ENDED = 2, /* gone */
};

/* Takes q, at most the slot's `open`, off a VISIBLE or DARK order, as executed or (executed false) as decremented. No outputs.
 * *partner: its partner, parted from it, if it had a fill or ended (11.2); else 0. To be passed to sb_rest_cancel_partner()
 * once the outputs are made, and after a refresh. */
enum sb_rest_left sb_rest_fill(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                               bool executed, uint32_t *partner);

/* What is said of a decrement by q beforehand: Canceled (SELF_TRADE), then F_REDUCED or F_DELETED if it is displayed (10.2). */
void sb_rest_say_decrement(struct sb_engine *e, const struct sb_book *b, uint32_t slot, uint32_t q,
                           struct sb_outbox *box);

/* The next slice of an order that is SPENT: a new reference, the end of its price's queue, F_ADD (6.3). */
void sb_rest_refresh(struct sb_engine *e, struct sb_book *b, uint32_t slot, struct sb_outbox *box);

/* Asserts what must hold between slots, records, queues and lists of a book's orders with terms. O(orders with terms).
 * Returns the number of dark and parked orders. */
uint32_t sb_rest_verify(const struct sb_engine *e, const struct sb_book *b);

#endif
