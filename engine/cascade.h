/* cascade.h: what follows a command: stops, trailing stops, pegs (RULES.md 5.3-5.5, 8, 9).
 *
 * Who takes part in it: orders of rare.stops, rare.trails, rare.pegs (terms.h).
 */
#ifndef SHADOWBOOK_ENGINE_CASCADE_H
#define SHADOWBOOK_ENGINE_CASCADE_H

#include "engine/arrival.h"

/* Section 9 for one instrument, to its end; nothing while it is not in CONTINUOUS. To be called once after each command that
 * may have changed the book or its last price, after all other outputs for the instrument but before an operator's answer. Only the
 * plain path does not: a book that is not `general` has nobody to follow, and sb_rare.traded is not set there. */
void sb_cascade_run(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box);

/* Entering CONTINUOUS, after F_PHASE: the dark orders that are no pegs arrive again, then the cascade, in which pegs count as not
 * priced yet. A pause on the way: who is not back yet comes to rest. `after_pause`: a pause ends, and only stops begin another
 * (13.3). */
void sb_cascade_begin(struct sb_engine *e, struct sb_book *b, bool after_pause,
                      struct sb_outbox *box);

/* Is a stop at this price triggered by the present last price (5.3)? */
bool sb_stop_triggered(const struct sb_book *b, uint8_t side, uint32_t stop_ticks);

/* TRIGGERED, and the arrival (5.3) of a stop that is underway. It is no stop any more. */
void sb_stop_activate(struct sb_engine *e, struct sb_book *b, uint32_t slot, struct sb_outbox *box);

/* The price of a peg now, in ticks (8.1); 0: none, it is to be parked. The phase is looked at. */
uint32_t sb_peg_price(const struct sb_book *b, uint8_t side, const struct sb_terms *t);

/* 8.4: parks every peg. */
void sb_peg_park_all(struct sb_engine *e, struct sb_book *b);

#endif
