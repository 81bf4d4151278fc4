/* coverage.h: what has occurred in the flows that were compared: outputs, reasons, and what became of orders of each shape.
 * Counted by the ledger. A differential test says nothing about what never occurs. */
#ifndef SHADOWBOOK_TESTS_COVERAGE_H
#define SHADOWBOOK_TESTS_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shadowbook/engine.h"

/* An order is counted under the first shape that fits it; with an OCO partner under that, too. */
#define COVERAGE_SHAPES(X)                                                                         \
    X(QUOTE, "quote")                                                                              \
    X(PRIMARY, "peg primary")                                                                      \
    X(MARKET_PEG, "peg market")                                                                    \
    X(MIDPOINT, "peg midpoint")                                                                    \
    X(STOP, "stop")                                                                                \
    X(STOP_LIMIT, "stop limit")                                                                    \
    X(TRAILING, "trailing stop")                                                                   \
    X(MARKET_TO_LIMIT, "market to limit")                                                          \
    X(MARKET, "market")                                                                            \
    X(RANDOM_ICEBERG, "iceberg, random")                                                           \
    X(ICEBERG, "iceberg")                                                                          \
    X(ALL_OR_NONE, "all or none")                                                                  \
    X(MINIMUM, "minimum quantity")                                                                 \
    X(HIDDEN, "hidden")                                                                            \
    X(POST_ONLY, "post-only")                                                                      \
    X(FOK, "fill or kill")                                                                         \
    X(AT_OPEN, "at the open")                                                                      \
    X(AT_CLOSE, "at the close")                                                                    \
    X(GTC, "good till canceled")                                                                   \
    X(GTD, "good till date")                                                                       \
    X(IOC, "immediate or cancel")                                                                  \
    X(PLAIN, "limit, day")                                                                         \
    X(OCO, "with a partner")

enum coverage_shape {
#define COVERAGE_ID(id, words) SHAPE_##id,
    COVERAGE_SHAPES(COVERAGE_ID)
#undef COVERAGE_ID
        SHAPES
};

/* What happens to orders. Cancels follow by their reason: EVENT_CANCELED + reason. */
#define COVERAGE_EVENTS(X)                                                                         \
    X(ACCEPTED, "accepted")                                                                        \
    X(REJECTED, "rejected")                                                                        \
    X(ADDED, "added")                                                                              \
    X(REMOVED, "removed")                                                                          \
    X(UNCROSSED, "auction")                                                                        \
    X(REPLACED, "replaced")                                                                        \
    X(AMENDED, "amended")                                                                          \
    X(MOVED, "moved") /* amended, and lost its place */                                            \
    X(TRIGGERED, "triggered")                                                                      \
    X(REFRESHED, "refreshed")                                                                      \
    X(REPRICED, "repriced")                                                                        \
    X(PARKED, "parked")

enum coverage_event {
#define COVERAGE_ID(id, words) EVENT_##id,
    COVERAGE_EVENTS(COVERAGE_ID)
#undef COVERAGE_ID
        EVENT_CANCELED,
    EVENTS = EVENT_CANCELED + SB_REASON_KILL + 1
};

/* What happens to instruments, and how far a command reaches. */
#define COVERAGE_MOMENTS(X)                                                                        \
    X(PAUSED, "paused by the dynamic band")                                                        \
    X(RESUMED, "resumed by TIMER")                                                                 \
    X(RESUMED_CROSSED, "... with an uncross")                                                      \
    X(ENDED_DARK, "a dark order that would pause again")                                           \
    X(ENDED_PEG, "a peg that would pause again")                                                   \
    X(TRIGGERS_2, "two stops triggered by one command")                                            \
    X(TRIGGERS_4, "four or more")                                                                  \
    X(REPRICED_TRADE, "a peg traded in a cascade")                                                 \
    X(STP_NEWEST, "self-trade prevention: newest")                                                 \
    X(STP_OLDEST, "self-trade prevention: oldest")                                                 \
    X(STP_BOTH, "self-trade prevention: both")                                                     \
    X(STP_DECREMENT, "self-trade prevention: decrement")                                           \
    X(PRO_RATA, "pro-rata fills of two orders or more")                                            \
    X(PRO_RATA_PASSES, "pro-rata fills of more orders than a pass has")                            \
    X(PRO_RATA_PASSED, "pro-rata fills of one pass of a longer queue")                             \
    X(FULL_PEGS, "no room for a peg, though for terms")                                            \
    X(FULL_MINIMUMS, "no room for a minimum, though for terms")                                    \
    X(UNCROSS_PRESSURE, "auction price by pressure")                                               \
    X(UNCROSS_REFERENCE, "auction price by reference")                                             \
    X(UNCROSS_HIGHEST, "auction price: highest")                                                   \
    X(UNCROSS_LOWEST, "auction price: lowest")                                                     \
    X(INDICATIVE_NOTHING, "indicative: nothing would trade")                                       \
    X(INDICATIVE_BUYS, "indicative: more buys")                                                    \
    X(INDICATIVE_SELLS, "indicative: more sells")                                                  \
    X(INDICATIVE_EVEN, "indicative: even")                                                         \
    X(MASS_SESSION, "mass cancel of a session")                                                    \
    X(MASS_FIRM, "mass cancel of a firm")                                                          \
    X(MASS_ALL, "mass cancel of all")                                                              \
    X(MASS_ONE_SIDE, "mass cancel of one side")                                                    \
    X(KILL_ON, "kill switch on")                                                                   \
    X(KILL_OFF, "kill switch off")                                                                 \
    X(QUOTED_ALL, "quote taken whole")                                                             \
    X(QUOTED_SOME, "quote taken in part")                                                          \
    X(QUOTED_NONE, "quote refused or withdrawn")                                                   \
    X(CASCADE_OCO, "an OCO cancel without a command of its session")                               \
    X(CARRIED_SHUT, "an order of an earlier day, CLOSED or HALTED")                                \
    X(CARRIED_OPEN, "... CONTINUOUS")                                                              \
    X(CARRIED_BELOW, "... under a key below the last")                                             \
    X(CARRIED_SLICE, "... with a slice in use")

enum coverage_moment {
#define COVERAGE_ID(id, words) MOMENT_##id,
    COVERAGE_MOMENTS(COVERAGE_ID)
#undef COVERAGE_ID
        MOMENTS
};

struct coverage {
    uint64_t outputs[64];
    uint64_t rejected[64], canceled[64],
        answered[64]; /* by reason: J, C, operator's, quotes' answers */
    uint64_t orders[SHAPES][EVENTS];
    uint64_t moments[MOMENTS];
};

void coverage_add(struct coverage *to, const struct coverage *c);
void coverage_print(const struct coverage *c, FILE *to);
/* How much of what must occur (is not 0 in `wanted`) has not; each is named. */
uint32_t coverage_lacks(const struct coverage *c, const struct coverage *wanted, FILE *to);
void coverage_want_outputs(struct coverage *wanted); /* of every kind */
/* ... of what must occur in the flows of the differential test. */
uint32_t coverage_missing(const struct coverage *c, FILE *to);

#endif
