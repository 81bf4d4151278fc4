/* auction.h: the call auction: one price for everything that can trade. */
#ifndef SHADOWBOOK_ENGINE_AUCTION_H
#define SHADOWBOOK_ENGINE_AUCTION_H

#include "engine/state.h"

/* What is open at one price. */
struct sb_auction_level {
    uint64_t quantity;
    uint32_t ticks, zero;
};

/* Uncrosses one book by the rules of engine.h. Returns the shares traded; 0: no outputs.
 * O(levels that cross + trades). */
uint64_t sb_auction_uncross(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box);

#endif
