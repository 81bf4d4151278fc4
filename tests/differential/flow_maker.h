/* flow_maker.h: what the parts of the flow generator share: what a flow is about, what has been sent.
 *
 * The generator does not know what becomes of its commands: it keeps late keys, and the phases it has asked for.
 */
#ifndef SHADOWBOOK_TESTS_FLOW_MAKER_H
#define SHADOWBOOK_TESTS_FLOW_MAKER_H

#include "random_flow.h"

enum { FLOW_SESSIONS = 8, FLOW_INSTRUMENTS = 16, FLOW_RECENT = 24, FLOW_TIMES = 16 };

/* Families of features. */
#define FLOW_FEATURES(X)                                                                           \
    X(MARKET, "market orders")                                                                     \
    X(STOPS, "stops")                                                                              \
    X(ICEBERGS, "icebergs")                                                                        \
    X(DARK, "hidden and post-only")                                                                \
    X(MINIMUM, "minimum and all-or-none")                                                          \
    X(PEGS, "pegs")                                                                                \
    X(OCO, "oco")                                                                                  \
    X(TIFS, "times in force")                                                                      \
    X(AUCTIONS, "auctions")                                                                        \
    X(STP, "self-trade prevention")                                                                \
    X(PRO_RATA, "pro-rata")                                                                        \
    X(BANDS, "bands")                                                                              \
    X(LIMITS, "limits")                                                                            \
    X(QUOTES, "quotes")                                                                            \
    X(MASS, "mass operations")                                                                     \
    X(AMEND, "amend")                                                                              \
    X(CARRY, "orders of an earlier day")                                                           \
    X(WRONG, "wrong terms")

enum flow_feature_bit {
#define FLOW_BIT(id, words) FLOW_BIT_##id,
    FLOW_FEATURES(FLOW_BIT)
#undef FLOW_BIT
        FLOW_FEATURES_N
};
#define FLOW_ALL ((1u << FLOW_FEATURES_N) - 1)

/* What is known of an order that was sent. */
struct flow_recent {
    uint32_t key, instrument, quantity;
    int64_t price;
    uint8_t side, type;
};

struct flow_instrument {
    int64_t tick, low, high, middle;
    int64_t home; /* near which the middle stays, unless plain */
    uint32_t lot, quantity_max, pause_ms;
    uint8_t phase, auction; /* last asked for */
};

struct flow_rates { /* one in so many commands */
    uint32_t operator_, timer, mass, sweep, kill, rare, jump;
    uint32_t far_percent, cancel_percent, replace_percent, amend_percent, quote_percent;
    uint32_t terms_percent, wrong_percent, bad_percent;
};

struct flow_maker {
    uint64_t random, now_ns;
    struct random_flow *flow;
    uint32_t room; /* for commands */
    uint32_t features;
    struct flow_rates rates;
    struct flow_recent recent[FLOW_SESSIONS + 1][FLOW_RECENT];
    uint32_t recent_n[FLOW_SESSIONS + 1], last_key[FLOW_SESSIONS + 1];
    uint32_t spared_key[FLOW_SESSIONS + 1];  /* one below the last that nobody used; 0: none */
    uint32_t carried_key[FLOW_SESSIONS + 1]; /* the last one carried; 0: none */
    uint64_t last_session_seq[FLOW_SESSIONS + 1];
    struct flow_instrument instruments[FLOW_INSTRUMENTS + 1];
    uint64_t expiries[FLOW_TIMES]; /* late expire_ns */
    uint32_t expiries_n, killed_n;
    struct sb_command killed[FLOW_SESSIONS]; /* KILLs that were not lifted */
    uint32_t reach;                          /* usual distance of prices from the middle, ticks */
    uint32_t firms, lots;                    /* firms; usual quantity at most, lots */
    bool plain, big_quantities, crowd;
    bool queues; /* long ones, at few prices */
    bool waits;  /* orders mostly keep away from the other side */
};

static inline uint64_t flow_random(struct flow_maker *m) /* splitmix64 */
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t flow_below(struct flow_maker *m, uint32_t n)
{
    return (uint32_t)(flow_random(m) % n);
}

static inline bool flow_percent(struct flow_maker *m, uint32_t p)
{
    return flow_below(m, 100) < p;
}

static inline bool flow_one_in(struct flow_maker *m, uint32_t n)
{
    return flow_below(m, n) == 0;
}

static inline bool flow_has(const struct flow_maker *m, enum flow_feature_bit feature)
{
    return (m->features >> feature & 1u) != 0;
}

/* A session's slot in the tables here; strangers share slot 0. */
static inline uint32_t flow_own(uint32_t session)
{
    return session <= FLOW_SESSIONS ? session : 0;
}

/* The instrument with that index, or another: one that is defined. */
static inline struct flow_instrument *flow_known(struct flow_maker *m, uint32_t index)
{
    struct flow_instrument *i = &m->instruments[index <= FLOW_INSTRUMENTS ? index : 0];
    return i->tick != 0 ? i : &m->instruments[1];
}

static inline uint32_t flow_firm(const struct flow_maker *m, uint32_t session)
{
    return 100 + session % m->firms;
}

/* random_flow.c. The next command, empty but for its kind and time; a client's next message number; mostly one
 * that is defined. */
struct sb_command2 *flow_append(struct flow_maker *m, uint8_t kind);
void flow_number(struct flow_maker *m, struct sb_command *c);
uint32_t flow_session(struct flow_maker *m);
uint32_t flow_instrument(struct flow_maker *m);

/* flow_setup.c: definitions, and what a flow is about. */
void flow_choose(struct flow_maker *m, uint64_t seed);
void flow_make_session(struct flow_maker *m, uint32_t index);
void flow_make_instrument(struct flow_maker *m, uint32_t index);
void flow_make_bad_instrument(struct flow_maker *m);

/* flow_orders.c: what clients send. */
void flow_make_order(struct flow_maker *m);
void flow_make_replace(struct flow_maker *m);
void flow_make_amend(struct flow_maker *m);
void flow_make_cancel(struct flow_maker *m);
void flow_make_quote(struct flow_maker *m);
int64_t flow_price(struct flow_maker *m, uint32_t i);
uint32_t flow_quantity(struct flow_maker *m, uint32_t i);
uint32_t flow_new_key(struct flow_maker *m, uint32_t session);
/* A late order of the session; NULL: none. */
const struct flow_recent *flow_late(struct flow_maker *m, uint32_t session); /* the latest */
const struct flow_recent *flow_recent(struct flow_maker *m, uint32_t session);

/* flow_terms.c: gives a new order terms, out of the flow's families, and a partner, if one is meant; breaks one. */
void flow_add_terms(struct flow_maker *m, struct sb_command2 *both,
                    const struct flow_recent *other);
void flow_break_terms(struct flow_maker *m, struct sb_command2 *both);
/* Makes it an order of an earlier day, all but its key. */
void flow_make_carried(struct flow_maker *m, struct sb_command2 *both);

/* flow_operator.c */
void flow_make_operator(struct flow_maker *m);
void flow_make_timer(struct flow_maker *m);
void flow_make_mass_cancel(struct flow_maker *m);
void flow_make_sweep(struct flow_maker *m); /* of all orders, so that books stay small */
void flow_make_kill(struct flow_maker *m);

#endif
