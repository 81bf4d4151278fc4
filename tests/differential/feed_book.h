/* feed_book.h: the displayed books as the feed tells them, and what must hold of them by the rules alone.
 *
 * Knows nothing of engine and reference: it reads outputs. Held to be true: references name displayed orders; who trades is
 * the first of its side (pro-rata: one of a pass at the best price); a dark order trades only when nothing is displayed at its price or
 * better; pro-rata, an arrival leaves at most a pass of orders with a part of what they showed; in CONTINUOUS no book is crossed behind a command.
 * Not checked: who is allotted how much pro rata, order of dark queues.
 */
#ifndef SHADOWBOOK_TESTS_FEED_BOOK_H
#define SHADOWBOOK_TESTS_FEED_BOOK_H

#include <stddef.h>

#include "coverage.h"

struct feed_order {
    uint64_t ref;
    int64_t rank; /* price; sells: less than nothing of it: the higher, the better */
    uint32_t quantity;
    uint8_t side;
};

struct feed_side {
    struct feed_order *orders; /* the worst and newest first: the last is the next to trade */
    size_t n, cap;
};

struct feed_instrument {
    struct feed_side sides[2];
    uint8_t phase, matching;
    bool touched;
};

struct feed_place { /* of a reference that is displayed */
    uint32_t instrument;
    uint8_t side;
    int64_t rank;
};

struct feed_book {
    struct coverage *coverage;
    struct feed_instrument *instruments; /* by index */
    uint32_t instruments_max;
    struct feed_place *places; /* by reference; instrument 0: not displayed */
    size_t places_n;
    uint64_t taker, parter; /* references: whose fill this is; who last left an order with a part */
    uint32_t parts;         /* that `parter` left */
};

/* coverage: counts are added to it. */
void feed_book_open(struct feed_book *f, const struct sb_engine_limits *limits,
                    struct coverage *coverage);
void feed_book_close(struct feed_book *f);

/* The outputs of one command. NULL, or what is wrong; *at is the output. */
const char *feed_book_apply(struct feed_book *f, const struct sb_command2 *c,
                            const struct sb_output *outputs, uint32_t n, uint32_t *at);

static inline int64_t feed_rank(int64_t price, uint8_t side)
{
    return sb_side_sells(side) ? -price : price;
}

#endif
