/* ledger.h: every order as its session's outputs tell it, and what must hold of them by the rules alone.
 *
 * Knows nothing of engine and reference: it reads commands and outputs. Held to be true:
 *   numbers of streams and of matches have no holes; both sides of a match are told the same;
 *   accepted = executed + canceled + open, for each order, through replace and amend; nobody hears of an order that is over;
 *   no trade beyond a limit, none within a group that prevents it; a resting order trades at its price;
 *   FOK all or nothing; ALL_OR_NONE whole; a resting minimum is kept; POST_ONLY takes nothing;
 *   an order's OCO partner is gone behind a command in which the order traded or ended.
 * Quotes, which nobody accepts: no more than was quoted.
 */
#ifndef SHADOWBOOK_TESTS_LEDGER_H
#define SHADOWBOOK_TESTS_LEDGER_H

#include "coverage.h"

struct ledger_order {
    uint64_t ref, executed, open;
    int64_t limit, seen_price;    /* 0: none; the price at which it rested when last seen */
    uint64_t filled;              /* by this command */
    uint32_t session, key, where; /* where: quotes: 1 + 2 x instrument + side */
    uint32_t instrument, minimum;
    uint32_t partner;          /* 1 + index, 0: none */
    uint64_t touched, entered; /* the command, counted from 1 */
    uint8_t side, tif, shape, attributes, peg, state;
    bool sliced, was_partner; /* an iceberg; once */
};

struct ledger_session {
    uint64_t next_seq;
    uint32_t stp_group, firm;
    uint32_t accepted_key; /* the highest */
    uint8_t stp;
    bool defined;
};

struct ledger {
    struct coverage *coverage;
    struct ledger_session *sessions; /* [0]: the feed */
    uint8_t *tie, *matching, *phase; /* of instruments */
    uint32_t sessions_max, instruments_max, terms_max;
    struct ledger_order *orders; /* all of the day */
    uint32_t orders_n, orders_cap, open_n;
    uint32_t *buckets, buckets_mask; /* 1 + index */
    uint32_t *touched, touched_n, touched_cap;
    uint64_t next_match, crossed, commands;
    char text[160];
};

/* coverage: counts are added to it. */
void ledger_open(struct ledger *l, const struct sb_engine_limits *limits,
                 struct coverage *coverage);
void ledger_close(struct ledger *l);

/* One command's outputs. NULL, or what is wrong; *at is the output. */
const char *ledger_apply(struct ledger *l, const struct sb_command2 *c,
                         const struct sb_output *outputs, uint32_t n, uint32_t *at);

/* An order that a view shows; *open_orders is raised where it is one that was accepted. */
const char *ledger_view(struct ledger *l, uint32_t instrument, const struct sb_order_view *v,
                        uint32_t *accepted_n);
/* How many accepted orders are open. */
static inline uint32_t ledger_open_orders(const struct ledger *l)
{
    return l->open_n;
}

#endif
