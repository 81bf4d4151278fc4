/* book.h: one instrument: continuous matching, resting, taking out.
 *
 * No function here looks at phases or at who may do what: that is the state machine's (engine.c,
 * client.c). Ladder keys: a sell at tick number t has key t, a buy SB_KEY_MAX - t, so that on both sides
 * a better price is a smaller key.
 */
#ifndef SHADOWBOOK_ENGINE_BOOK_H
#define SHADOWBOOK_ENGINE_BOOK_H

#include "engine/state.h"

/* An order on its way through the book. */
struct sb_incoming {
    uint64_t ref, id;
    uint32_t open, executed; /* executed: of the whole chain of replaces */
    uint32_t ticks;          /* limit price / tick */
    uint32_t extra;          /* the capacity */
    uint32_t side;           /* enum sb_side */
};

static inline uint32_t sb_book_key(uint32_t side, uint32_t ticks)
{
    return ticks ^ (SB_KEY_MAX & ((side & 1u) - 1u)); /* a buy: SB_KEY_MAX - ticks */
}

/* The same function both ways. */
static inline uint32_t sb_book_ticks(uint32_t side, uint32_t key)
{
    return sb_book_key(side, key);
}

static inline int64_t sb_book_price(const struct sb_book *b, uint32_t side, uint32_t key)
{
    return (int64_t)sb_book_ticks(side, key) * (int64_t)b->tick;
}

/* price / tick for prices below 2^31: a multiplication is several times faster than a division. It is exact: per_tick is at
 * most 1 above 2^63 / tick, so the product over 2^63 is at most 2^-32 above price / tick, and what that lacks to the next
 * whole number is at least 1 / tick, more than 2^-31. Twice the price, so that the quotient is the upper half of the product. */
static inline uint32_t sb_book_divide(const struct sb_book *b, uint64_t price)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint32_t)((wide)(price * 2) * b->per_tick >> 64);
}

static inline struct sb_ladder *sb_book_side(struct sb_book *b, uint32_t side)
{
    return &b->side[side & 1u];
}

/* Price and quantity against the instrument's limits: a reason, or SB_REASON_NONE and the price in
 * ticks. The reason with the lowest number wins. */
uint8_t sb_book_check(const struct sb_book *b, int64_t price, uint32_t quantity, uint32_t *ticks);

/* Would an order at this price need a price level that there is no room for? */
bool sb_book_levels_full(const struct sb_engine *e, struct sb_book *b, uint32_t side,
                         uint32_t ticks);

/* Would this order trade now? */
static inline bool sb_book_crosses(struct sb_book *b, uint32_t side, uint32_t ticks)
{
    return sb_book_side(b, side ^ 1u)->best <= sb_book_key(side ^ 1u, ticks);
}

/* Where an order at this price rests, if that is in the window (else any line of it). */
static inline const struct sb_level *sb_book_level_guess(const struct sb_book *b, uint8_t side,
                                                         uint32_t key)
{
    const struct sb_ladder *l = &b->side[side & 1u];
    return &l->levels[key & l->mask];
}

/* Is the best buy at or above the best sell? */
bool sb_book_crossed(const struct sb_book *b);

/* Trades in against the other side as far as both go; three outputs a fill. */
void sb_book_match(struct sb_engine *e, struct sb_book *b, struct sb_incoming *in,
                   struct sb_outbox *box);

/* Puts what is open of `in` at the end of its level. There is room (checked by the caller). No outputs. */
void sb_book_rest(struct sb_engine *e, struct sb_book *b, const struct sb_incoming *in);

/* Takes q, at most what is open, off the order at the head of this side's best level, as executed. */
void sb_book_fill_best(struct sb_engine *e, struct sb_ladder *l, struct sb_level *level,
                       uint32_t q);

/* Takes q, at most what is open, off an order, as canceled; drops it at zero. No outputs. */
void sb_book_reduce(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q);

/* The same with its outputs: Canceled, then F_DELETED or F_REDUCED. q > 0. */
void sb_book_cancel(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                    uint8_t reason, struct sb_outbox *box);

/* Walks everything and asserts what must hold between levels, queues, bitmaps, slots and table. O(book).
 * Returns the number of open orders. */
uint32_t sb_book_verify(const struct sb_engine *e, struct sb_book *b);

#endif
