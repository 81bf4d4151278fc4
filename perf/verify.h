/* verify.h: is what the client was told what a venue without any trouble would have said?
 *
 * Every answer carries the time of its command, strictly rising over the whole shard: sorted by it, the acknowledged
 * messages are the order in which the engine took them, whatever was lost, sent again or answered twice on the way.
 * The slow reference matcher is given the same configuration and those commands, and must say the same: every message of every
 * session's stream and of the feed (by hash), every trade, the final books.
 *
 * TIMER has no answer. It shows where it ends a pause: the feed then changes a phase at a time that no answer has. So one came then,
 * and what it did must be what the reference makes of it.
 *
 * Not checked: that the order of the messages was fair; latency; how soon a TIMER comes. A cancel without an answer changes nothing; whether it had
 * nothing to cancel is checked against what the client knows of its order.
 */
#ifndef SHADOWBOOK_PERF_VERIFY_H
#define SHADOWBOOK_PERF_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/client.h"

struct sb_verify_trade {
    uint64_t buy_order_id, sell_order_id;
    int64_t price;
    uint64_t quantity;
    char aggressor; /* 'b', 's', 'a' auction */
};

struct sb_verify_trades { /* start from {0}; grows; aborts without memory */
    struct sb_verify_trade *at;
    uint64_t n, cap;
};

struct sb_verify {
    uint64_t missing;      /* messages taken, that should have an answer and have none */
    uint64_t superfluous;  /* cancels without an answer that had nothing to cancel */
    uint64_t half_trades;  /* match numbers of which only one side was seen */
    uint64_t clock_errors; /* two commands with one time */
    uint64_t timers;       /* that ended pauses */
    struct sb_verify_trades seen, reference;
    bool trades_equal;   /* seen = expected */
    bool sessions_equal; /* each session's stream = the reference's */
    bool feed_equal;
    bool books_equal;
    char trades_difference[200]; /* the first one, in words; empty = none */
    char sessions_difference[200];
    char books_difference[200];
};

/* `expected`: the trades that must have been made, or NULL: those of the reference. Takes as long as the reference needs
 * (it is slow). False only without memory. */
bool sb_verify_run(struct sb_verify *v, const struct sb_client *client,
                   const struct sb_verify_trades *expected);
void sb_verify_free(struct sb_verify *v);

void sb_verify_trades_add(struct sb_verify_trades *trades, const struct sb_verify_trade *trade);

#endif
