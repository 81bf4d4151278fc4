#include "random_flow.h"

#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

enum { SESSIONS = 5, INSTRUMENTS = 4, RECENT = 24 };

struct maker {
    uint64_t random;
    struct random_flow *flow;
    uint32_t recent[SESSIONS + 1][RECENT]; /* keys of late orders */
    uint32_t recent_n[SESSIONS + 1], last_key[SESSIONS + 1];
    uint64_t last_session_seq[SESSIONS + 1];
    int64_t tick[INSTRUMENTS + 1], low[INSTRUMENTS + 1], high[INSTRUMENTS + 1];
    int64_t middle[INSTRUMENTS + 1];
    uint32_t lot[INSTRUMENTS + 1], quantity_max[INSTRUMENTS + 1];
    uint32_t phase_every; /* one operator command in so many */
    uint32_t far_percent, cancel_percent, replace_percent;
    bool big_quantities;
};

static uint64_t next_random(struct maker *m) /* splitmix64 */
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(struct maker *m, uint32_t n)
{
    return (uint32_t)(next_random(m) % n);
}

static bool percent(struct maker *m, uint32_t p)
{
    return below(m, 100) < p;
}

static bool one_in(struct maker *m, uint32_t n)
{
    return below(m, n) == 0;
}

static struct sb_command2 *append(struct maker *m, uint8_t kind)
{
    struct sb_command2 *c = &m->flow->commands[m->flow->n++];
    c->c.kind = kind;
    return c;
}

static void make_session(struct maker *m, uint32_t index)
{
    struct sb_command2 *c = append(m, SB_CMD_SESSION);
    c->c.flags = SB_CMD_F_EXT;
    c->c.key = index;
    c->c.firm = 100 + index;
    c->ext.session.operator_right = index == 1 || one_in(m, 4);
}

static void make_instrument(struct maker *m, uint32_t index)
{
    static const int64_t TICKS[] = {1, 7, 100, 100, 2500};
    const uint32_t at = index <= INSTRUMENTS ? index : 0;
    struct sb_command2 *c = append(m, SB_CMD_INSTRUMENT);
    c->c.flags = SB_CMD_F_EXT;
    c->c.instrument = index;
    memcpy(c->ext.instrument.symbol, "SYM     ", 8);
    c->ext.instrument.symbol[3] = (char)('A' + index % 26);
    const int64_t tick = m->tick[at] = TICKS[below(m, 5)];
    m->low[at] = tick * (one_in(m, 2) ? 1 : 1 + (int64_t)below(m, 1000));
    m->high[at] = one_in(m, 2) ? SB_PRICE_MAX / tick * tick : m->low[at] + tick * below(m, 5000);
    m->middle[at] = m->low[at] + (m->high[at] - m->low[at]) / tick / 3 * tick;
    m->lot[at] = one_in(m, 2) ? 1 : 100;
    m->quantity_max[at] = one_in(m, 2) ? SB_QUANTITY_MAX : 5000;
    c->ext.instrument.tick = tick;
    c->ext.instrument.price_min = m->low[at];
    c->ext.instrument.price_max = m->high[at];
    c->ext.instrument.lot = m->lot[at];
    c->ext.instrument.quantity_max = m->quantity_max[at];
    c->ext.instrument.phase = one_in(m, 4) ? (uint8_t)below(m, 4) : SB_PHASE_CONTINUOUS;
}

/* A definition that must be ignored. */
static void make_bad_instrument(struct maker *m)
{
    const uint32_t index = below(m, 2) != 0 ? m->flow->limits.instruments_max + 1 : below(m, 6);
    struct sb_command2 *c = append(m, SB_CMD_INSTRUMENT);
    c->c.flags = SB_CMD_F_EXT;
    c->c.instrument = index;
    memcpy(c->ext.instrument.symbol, one_in(m, 4) ? "        " : "SYMB    ", 8);
    c->ext.instrument.tick = (int64_t)below(m, 3) * 100 - 100;
    c->ext.instrument.price_min = (int64_t)below(m, 300);
    c->ext.instrument.price_max = one_in(m, 2) ? SB_PRICE_MAX + 100 : (int64_t)below(m, 4) * 100;
    c->ext.instrument.lot = below(m, 2);
    c->ext.instrument.quantity_max = one_in(m, 2) ? SB_QUANTITY_MAX + 1 : 0;
    c->ext.instrument.phase = (uint8_t)below(m, 6);
}

static int64_t random_price(struct maker *m, uint32_t i)
{
    const int64_t tick = m->tick[i];
    if (one_in(m, 50)) { /* bad ones */
        static const int64_t BAD[] = {0, -1, INT64_MIN, INT64_MAX, SB_PRICE_MAX + 100, 1};
        return BAD[below(m, 6)];
    }
    if (one_in(m, 60))
        return m->low[i] + (int64_t)(next_random(m) % (uint64_t)(m->high[i] - m->low[i] + 1));
    if (one_in(m, 60))
        return one_in(m, 2) ? m->low[i] - tick * below(m, 2) : m->high[i] + tick * below(m, 2);
    if (one_in(m, 20))
        m->middle[i] += tick * ((int64_t)below(m, 3) - 1);
    if (one_in(m, 3000)) /* a jump, so that windows move */
        m->middle[i] =
            m->low[i] +
            (int64_t)(next_random(m) % (uint64_t)((m->high[i] - m->low[i]) / tick + 1)) * tick;
    const uint32_t reach = percent(m, m->far_percent) ? 3000 : 6;
    int64_t price = m->middle[i] + tick * ((int64_t)below(m, 2 * reach + 1) - (int64_t)reach);
    if (price < m->low[i] && !one_in(m, 20))
        price = m->low[i];
    if (price > m->high[i] && !one_in(m, 20))
        price = m->high[i];
    return price;
}

static uint32_t random_quantity(struct maker *m, uint32_t i)
{
    switch (below(m, 60)) {
    case 0:
        return 0;
    case 1:
        return below(m, 500);
    case 2:
        return m->quantity_max[i];
    case 3:
        return m->quantity_max[i] + 1;
    case 4:
        return UINT32_MAX;
    default:
        if (m->big_quantities)
            return m->quantity_max[i] / m->lot[i] * m->lot[i];
        return m->lot[i] * (1 + below(m, 20));
    }
}

static uint32_t random_session(struct maker *m)
{
    return one_in(m, 200) ? 1 + below(m, 10) : 1 + below(m, m->flow->limits.sessions_max);
}

/* An index that may be used for tables here; strangers share slot 0. */
static uint32_t own(uint32_t session)
{
    return session <= SESSIONS ? session : 0;
}

static uint32_t recent_key(struct maker *m, uint32_t session)
{
    const uint32_t s = own(one_in(m, 40) ? 1 + below(m, SESSIONS) : session);
    if (m->recent_n[s] == 0 || one_in(m, 100))
        return (uint32_t)next_random(m);
    const uint32_t n = m->recent_n[s] < RECENT ? m->recent_n[s] : RECENT;
    return m->recent[s][below(m, n)];
}

static uint32_t new_key(struct maker *m, uint32_t session)
{
    const uint32_t s = own(session);
    if (one_in(m, 60))
        return m->last_key[s] - below(m, 3); /* a resend */
    m->last_key[s] += 1 + (one_in(m, 20) ? below(m, 5) : 0);
    m->recent[s][m->recent_n[s]++ % RECENT] = m->last_key[s];
    return m->last_key[s];
}

static void number(struct maker *m, struct sb_command *c)
{
    const uint32_t s = own(c->session);
    if (one_in(m, 3))
        return; /* not numbered */
    if (one_in(m, 60))
        c->session_seq = m->last_session_seq[s] - below(m, 2);
    else
        c->session_seq = m->last_session_seq[s] += 1 + (one_in(m, 20) ? below(m, 3) : 0);
}

static void make_operator(struct maker *m)
{
    const bool uncross = one_in(m, 2);
    struct sb_command *c = &append(m, uncross ? SB_CMD_UNCROSS : SB_CMD_PHASE)->c;
    c->session = one_in(m, 2) ? 0 : random_session(m);
    c->key = below(m, 100);
    const uint32_t what = below(m, 8);
    c->instrument = what == 0   ? SB_INSTRUMENT_ALL
                    : what == 1 ? below(m, 10)
                                : 1 + below(m, m->flow->limits.instruments_max);
    if (!uncross) {
        const uint32_t p = below(m, 20);
        c->phase = p < 14   ? SB_PHASE_CONTINUOUS
                   : p < 18 ? SB_PHASE_AUCTION
                   : p < 19 ? SB_PHASE_HALTED
                            : SB_PHASE_CLOSED;
    }
    if (c->session != 0)
        number(m, c);
}

static void make_order(struct maker *m, bool replace)
{
    static const uint8_t SIDES[] = {SB_BUY,  SB_BUY,        SB_BUY,
                                    SB_SELL, SB_SELL_SHORT, SB_SELL_SHORT_EXEMPT};
    struct sb_command2 *both = append(m, replace ? SB_CMD_REPLACE : SB_CMD_ORDER);
    struct sb_command *c = &both->c;
    c->session = random_session(m);
    c->firm = 100 + c->session;
    const uint32_t i = 1 + below(m, m->flow->limits.instruments_max);
    c->instrument = one_in(m, 100) ? (uint32_t)next_random(m) % 10 : i;
    c->side = SIDES[below(m, 6)];
    c->tif = one_in(m, 6) ? SB_TIF_IOC : SB_TIF_DAY;
    c->price = random_price(m, i);
    c->quantity = random_quantity(m, i);
    c->capacity = (uint8_t) "APRO"[below(m, 4)];
    c->display = (uint8_t)'Y';
    if (replace)
        c->orig_key = recent_key(m, c->session);
    c->key = new_key(m, c->session);
    number(m, c);
    if (one_in(m, 10)) {
        c->flags = SB_CMD_F_EXT;
        memset(both->ext.order.clordid, 'x', sizeof both->ext.order.clordid);
    }
}

static void make_cancel(struct maker *m)
{
    struct sb_command *c = &append(m, one_in(m, 3) ? SB_CMD_REDUCE : SB_CMD_CANCEL)->c;
    c->session = random_session(m);
    c->key = recent_key(m, c->session);
    c->quantity = one_in(m, 2) ? 0 : one_in(m, 8) ? (uint32_t)next_random(m) : below(m, 1500);
    if (c->kind == SB_CMD_REDUCE && one_in(m, 2))
        c->quantity = UINT32_MAX;
    number(m, c);
}

static void make_rare(struct maker *m)
{
    struct sb_command2 *c;
    switch (below(m, 6)) {
    case 0:
        make_bad_instrument(m);
        break;
    case 1:
        make_session(m, below(m, 8));
        break;
    case 2:
        append(m, SB_CMD_DAY)->c.flags = SB_CMD_F_EXT;
        break;
    case 3:
        c = append(m, SB_CMD_INVALID);
        c->c.session = random_session(m);
        c->c.flags = one_in(m, 2) ? SB_CMD_F_SKIP_KEY : 0;
        c->c.key = new_key(m, c->c.session);
        c->c.reason = (uint8_t)next_random(m);
        number(m, &c->c);
        break;
    default:
        c = append(m, SB_CMD_LOGIN);
        c->c.session = random_session(m);
        c->c.flags = SB_CMD_F_EXT;
        c->c.price = one_in(m, 10) ? (int64_t)next_random(m) : (int64_t)below(m, 3);
        c->ext.login.ipv4 = (uint32_t)next_random(m);
        c->ext.login.port = (uint16_t)next_random(m);
        number(m, &c->c);
    }
}

static void make_any(struct maker *m)
{
    if (one_in(m, m->phase_every))
        make_operator(m);
    else if (one_in(m, 100))
        make_rare(m);
    else if (percent(m, m->cancel_percent))
        make_cancel(m);
    else
        make_order(m, percent(m, m->replace_percent));
}

static void choose_limits(struct maker *m)
{
    static const uint32_t ORDERS[] = {1, 4, 64, 512, 2048, 8192, 8192, 8192};
    static const uint32_t LEVELS[] = {1, 3, 16, 64, 512, 8192, 8192, 8192};
    struct sb_engine_limits *l = &m->flow->limits;
    l->instruments_max = 1 + below(m, INSTRUMENTS);
    l->sessions_max = 1 + below(m, SESSIONS);
    l->orders_max = ORDERS[below(m, 8)];
    l->levels_max = LEVELS[below(m, 8)];
    l->terms_max = 1 + l->orders_max / 8;
    l->window_levels = 64u << below(m, 4);
    m->phase_every = one_in(m, 3) ? 40 : 400;
    m->far_percent = one_in(m, 3) ? 40 : 4;
    m->cancel_percent = 10 + below(m, 40);
    m->replace_percent = 5 + below(m, 30);
    m->big_quantities = one_in(m, 10);
}

void random_flow_make(struct random_flow *flow, uint64_t seed, uint32_t n)
{
    struct maker m = {.random = seed * UINT64_C(0xd1342543de82ef95) + 1, .flow = flow};
    const uint32_t room = n + 2 + SESSIONS + INSTRUMENTS;
    *flow = (struct random_flow){.commands = calloc(room, sizeof(struct sb_command2))};
    SB_ASSERT(flow->commands != NULL);
    choose_limits(&m);
    if (one_in(&m, 4))
        make_session(&m, 1); /* before the day: ignored */
    struct sb_command2 *day = append(&m, SB_CMD_DAY);
    day->c.flags = SB_CMD_F_EXT;
    day->ext.day.midnight_ns = UINT64_C(946684800000000000);
    day->ext.day.trading_day = 20000101;
    day->ext.day.shard = 1;
    for (uint32_t s = 1; s <= flow->limits.sessions_max; s++)
        make_session(&m, s);
    for (uint32_t i = 1; i <= flow->limits.instruments_max; i++)
        make_instrument(&m, i);
    while (flow->n < n)
        make_any(&m);
}
