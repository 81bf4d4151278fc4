/* compare.h: one flow through the engine and the reference, side by side.
 *
 * After each command: outputs, byte for byte, and what the ledger and the feed's books hold to be true of them (ledger.h,
 * feed_book.h). Now and then and at the end: all open orders, best prices, sessions, instruments, counts, and that the engine is
 * whole (engine/verify.h: asserted). At the end a second engine replays, from an image from the middle on, and with every book on the general path: its digests must equal the first's.
 */
#ifndef SHADOWBOOK_TESTS_COMPARE_H
#define SHADOWBOOK_TESTS_COMPARE_H

#include <stdio.h>

#include "coverage.h"

enum { COMPARE_EQUAL = -1, COMPARE_VIEWS_EVERY = 64 };

/* What can differ. */
enum compare_what {
    COMPARE_CRASH, /* nothing yet: what ends before anything differs */
    COMPARE_OUTPUTS,
    COMPARE_RULES, /* both do what the ledger or the feed's books do not allow */
    COMPARE_ORDERS,
    COMPARE_VIEWS, /* sessions, instruments, counts, best prices */
    COMPARE_IMAGE, /* a second engine, loaded from an image of the first */
};

struct compare_totals {
    uint64_t commands, outputs, trades, accepted, rejected, replaced;
};

struct compare {
    const struct sb_engine_limits *limits;
    const struct sb_command2 *commands; /* with times; numbered from 1 here */
    uint32_t n;
    uint32_t
        views_every; /* commands; 0: COMPARE_VIEWS_EVERY; 1: closely, with images behind each */
    FILE *say;       /* words about the difference; NULL: none */
    bool story;      /* ... and about every command before it */
    /* Where it is at, and what differs, for whoever looks in from outside; NULL: nobody. */
    volatile uint32_t *at;
    _Atomic(enum compare_what) *what;
    struct compare_totals *totals; /* added to; may be NULL */
    struct coverage *coverage;     /* added to; may be NULL */
};

/* Index of the command after which something differed, or COMPARE_EQUAL. */
int64_t compare_run(const struct compare *c);

#endif
