/* auction.h: the call auction: one price for everything that can trade (engine.h, RULES.md 14). */
#ifndef SHADOWBOOK_ENGINE_AUCTION_H
#define SHADOWBOOK_ENGINE_AUCTION_H

#include "engine/state.h"

/* What is open at one price, reserves included. */
struct sb_auction_level {
    uint64_t quantity;
    uint32_t ticks, zero;
};

/* What an uncross would do now. */
struct sb_auction_result {
    uint64_t volume, demand,
        supply;    /* shares that would be paired, could be bought, sold at the price */
    int64_t price; /* 0: nothing would trade, all is 0 */
};

/* Changes nothing (but scratch). O(levels that cross; where icebergs are, orders there). */
struct sb_auction_result sb_auction_indicate(const struct sb_engine *e, const struct sb_book *b);

/* F_INDICATIVE (14.5). */
void sb_auction_publish(struct sb_engine *e, const struct sb_book *b, struct sb_outbox *box);

/* Uncrosses one book, sets last price and static reference. Returns the shares traded; 0: no outputs. O(levels that cross + trades).
 */
uint64_t sb_auction_uncross(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box);

#endif
