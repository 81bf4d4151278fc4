/* arrival.h: a quantity that goes through matching, by all rules (RULES.md 4, with 6, 7, 10, 12, 13).
 *
 *     sb_arrival_run:   needed quantity there?  ->  match, price by price  ->  settle: rest, park or cancel  ->  pause, if due
 *                          (4.5)                    displayed, then dark       (4.6)                            (13.2)
 *
 * The plain half (book.c) gives the same outputs for plain orders where no rare rule is in force.
 *
 * Whoever makes an arrival of an open order takes it out of its queue first (sb_rest_take_out()), and runs the cascade
 * (cascade.h) after the command; an arrival that is part of the cascade is followed by the cascade's next round.
 */
#ifndef SHADOWBOOK_ENGINE_ARRIVAL_H
#define SHADOWBOOK_ENGINE_ARRIVAL_H

#include "engine/rest.h"

enum sb_arrival_end {
    SB_ARRIVAL_OPEN = 0,   /* still matching, or to be settled */
    SB_ARRIVAL_BANDED = 1, /* stopped by the dynamic band */
    SB_ARRIVAL_GONE = 2,   /* nothing is left of it */
};

struct sb_arrival {
    uint64_t ref;
    /* Not 0: it was displayed with this reference until now, and the feed was not told yet (a replace): F_DELETED before the
     * first output, or F_REPLACED when it rests without one. */
    uint64_t old_ref;
    uint32_t slot;  /* underway; 0: it cannot rest and has none */
    uint32_t terms; /* its record; 0: none */
    uint32_t session, key;
    uint32_t open;   /* the total */
    uint32_t ticks;  /* limit. Any price: price_max (buy) or price_min */
    uint32_t needed; /* least that must be had at once (4.5); 0: any */
    uint8_t side;
    uint8_t tif;                 /* IOC, FOK: what is left is canceled */
    uint8_t type;                /* enum sb_order_type. MARKET: the same */
    uint8_t end;                 /* enum sb_arrival_end */
    bool after_pause;            /* it arrives because a pause ended: it begins none (13.3) */
    int64_t band_low, band_high; /* the dynamic band, set by sb_arrival_run(). high 0: none */
};

/* The least that an order with these terms must have at once of what is open (4.5): `needed`. */
uint32_t sb_arrival_needs(uint8_t tif, uint8_t attributes, uint32_t minimum, uint32_t open);

/* The arrival of an open order that is underway, as the LIMIT order at `ticks` that it is now. */
struct sb_arrival sb_arrival_of(const struct sb_engine *e, uint32_t slot, uint32_t ticks);

/* Puts it through the book, and settles it. Only CONTINUOUS matches; in other phases it comes to rest at once. A slot that
 * is left with nothing is ended. May end with the instrument in AUCTION (a pause). */
void sb_arrival_run(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                    struct sb_outbox *box);

/* --- the parts, for arrival.c, look.c, pro_rata.c, self_trade.c ------------------------------------------------------------- */

/* look.c: what could be had at once, as far as `a->needed` needs it (4.5). Changes nothing but marks. */
uint64_t sb_arrival_available(struct sb_engine *e, const struct sb_book *b,
                              const struct sb_arrival *a);

/* Would the fill be less than what the dark order in `slot` takes, while the arrival has `open` (4.2)? */
bool sb_arrival_passes_over(const struct sb_engine *e, uint32_t slot, uint32_t open);

/* Key of the best dark price that is worse than `above` (SB_KEY_NONE: of all). SB_KEY_NONE: there is none. */
uint32_t sb_arrival_dark_after(const struct sb_engine *e, const struct sb_tail *dark,
                               uint32_t above);

/* May a fill happen at this price of the other side (13.2)? No: the arrival is BANDED. */
bool sb_arrival_in_band(struct sb_arrival *a, int64_t price);

/* The feed learns that the arrival's old order is gone, if it was not told yet. Before each output of a running arrival. */
void sb_arrival_leave(struct sb_engine *e, const struct sb_book *b, struct sb_arrival *a,
                      struct sb_outbox *box);

/* A fill of q with the resting order in `slot` at its price, with outputs and what follows (4.4). q: at most what either has
 * open. */
void sb_arrival_fill(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t slot,
                     uint32_t q, struct sb_outbox *box);

/* Cancels q of the arrival, at most what it has open. At zero it is GONE, its slot ended, its partner canceled. */
void sb_arrival_cut(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t q,
                    uint8_t reason, struct sb_outbox *box);

/* self_trade.c: is it of the arrival's group, and does the arrival's session mind (10.1)? */
bool sb_self_trade_meets(const struct sb_engine *e, const struct sb_arrival *a, uint32_t slot);
/* The same, and what follows (10.2). True: something was done: the resting order is gone, or changed, or the arrival is. */
bool sb_self_trade_apply(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                         uint32_t slot, struct sb_outbox *box);

/* pro_rata.c: the displayed queue of the best price, shared out until it is empty or the arrival ends (12). */
void sb_pro_rata_level(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                       struct sb_outbox *box);

#endif
