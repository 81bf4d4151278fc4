/* phase.h: an instrument's phases: entering one with all that follows from it (RULES.md 8.4, 9, 14), and what time brings (13.3, 15.3). */
#ifndef SHADOWBOOK_ENGINE_PHASE_H
#define SHADOWBOOK_ENGINE_PHASE_H

#include "engine/state.h"

/* PHASE for one instrument. `auction`: enum sb_auction, for AUCTION. Runs the cascade where it is due. Returns why not, or
 * SB_REASON_NONE. */
uint8_t sb_phase_command(struct sb_engine *e, struct sb_book *b, uint8_t phase, uint8_t auction,
                         struct sb_outbox *box);

/* UNCROSS for one instrument: the auction, then the end of the orders that were only for it (14.4). *shares grows by what traded. */
uint8_t sb_phase_uncross(struct sb_engine *e, struct sb_book *b, uint64_t *shares,
                         struct sb_outbox *box);

/* SB_CMD_TIMER. No answer; an instrument that is not defined: nothing. */
void sb_phase_timer(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
