/* flow_orders.c: what clients send: orders, and what becomes of them. */
#include <string.h>

#include "flow_maker.h"

/* --- prices, quantities, keys ------------------------------------------------------------------ */

static int64_t clamp(struct flow_maker *m, int64_t price, const struct flow_instrument *i)
{
    if (price < i->low && !flow_one_in(m, 20))
        return i->low;
    if (price > i->high && !flow_one_in(m, 20))
        return i->high;
    return price;
}

static void drift(struct flow_maker *m, struct flow_instrument *i)
{
    const int64_t far = 8 * i->tick;
    if (!m->plain && i->middle > i->home + far)
        i->middle -= i->tick;
    else if (!m->plain && i->middle < i->home - far)
        i->middle += i->tick;
    else
        i->middle += i->tick * ((int64_t)flow_below(m, 3) - 1);
}

int64_t flow_price(struct flow_maker *m, uint32_t index)
{
    struct flow_instrument *i = flow_known(m, index);
    const int64_t tick = i->tick;
    const uint32_t seldom = m->plain ? 60 : 300;
    if (flow_one_in(m, seldom)) { /* bad ones */
        static const int64_t BAD[] = {0, -1, INT64_MIN, INT64_MAX, SB_PRICE_MAX + 100, 1};
        return BAD[flow_below(m, 6)];
    }
    if (flow_one_in(m, seldom))
        return i->low + (int64_t)(flow_random(m) % (uint64_t)(i->high - i->low + 1));
    if (flow_one_in(m, seldom))
        return flow_one_in(m, 2) ? i->low - tick * flow_below(m, 2)
                                 : i->high + tick * flow_below(m, 2);
    if (flow_one_in(m, 20))
        drift(m, i);
    if (m->plain && flow_one_in(m, 3000)) /* a jump, so that windows move */
        i->middle =
            i->low + (int64_t)(flow_random(m) % (uint64_t)((i->high - i->low) / tick + 1)) * tick;
    const uint32_t reach = flow_percent(m, m->rates.far_percent) ? m->plain ? 3000 : 30 : m->reach;
    return clamp(m, i->middle + tick * ((int64_t)flow_below(m, 2 * reach + 1) - (int64_t)reach), i);
}

uint32_t flow_quantity(struct flow_maker *m, uint32_t index)
{
    const struct flow_instrument *i = flow_known(m, index);
    if (flow_one_in(m, m->plain ? 12 : 100)) {
        const uint32_t odd[] = {0, flow_below(m, 500), i->quantity_max, i->quantity_max + 1,
                                UINT32_MAX};
        return odd[flow_below(m, 5)];
    }
    if (m->big_quantities)
        return i->quantity_max / i->lot * i->lot;
    return i->lot * (1 + flow_below(m, m->lots));
}

const struct flow_recent *flow_recent(struct flow_maker *m, uint32_t session)
{
    const uint32_t s = flow_own(flow_one_in(m, 40) ? 1 + flow_below(m, FLOW_SESSIONS) : session);
    if (m->recent_n[s] == 0)
        return NULL;
    const uint32_t n = m->recent_n[s] < FLOW_RECENT ? m->recent_n[s] : FLOW_RECENT;
    return &m->recent[s][flow_below(m, n)];
}

const struct flow_recent *flow_late(struct flow_maker *m, uint32_t session)
{
    const uint32_t s = flow_own(session), back = 1 + flow_below(m, 4);
    if (m->recent_n[s] < back)
        return NULL;
    return &m->recent[s][(m->recent_n[s] - back) % FLOW_RECENT];
}

static struct flow_recent a_recent(struct flow_maker *m, uint32_t session)
{
    const struct flow_recent *r = flow_one_in(m, 100) ? NULL : flow_recent(m, session);
    return r != NULL ? *r : (struct flow_recent){.key = (uint32_t)flow_random(m), .instrument = 1};
}

uint32_t flow_new_key(struct flow_maker *m, uint32_t session)
{
    const uint32_t s = flow_own(session);
    if (flow_one_in(m, m->plain ? 60 : 300))
        return m->last_key[s] - flow_below(m, 3); /* a resend */
    return m->last_key[s] += 1 + (flow_one_in(m, 20) ? flow_below(m, 5) : 0);
}

static const struct flow_recent *remember(struct flow_maker *m, const struct sb_command *c,
                                          uint8_t type)
{
    const uint32_t s = flow_own(c->session);
    struct flow_recent *r = &m->recent[s][m->recent_n[s]++ % FLOW_RECENT];
    *r = (struct flow_recent){.key = c->key,
                              .instrument = c->instrument,
                              .quantity = c->quantity,
                              .price = c->price,
                              .side = c->side,
                              .type = type};
    return r;
}

/* A market to limit order has one when it rests. */
static bool has_limit(struct flow_maker *m, uint8_t type)
{
    return type == SB_TYPE_LIMIT || type == SB_TYPE_STOP_LIMIT ||
           (type == SB_TYPE_MARKET_TO_LIMIT && flow_one_in(m, 2));
}

/* --- orders ------------------------------------------------------------------------------------ */

static struct sb_command2 *client(struct flow_maker *m, uint8_t kind)
{
    struct sb_command2 *both = flow_append(m, kind);
    both->c.session = flow_session(m);
    both->c.firm = flow_firm(m, both->c.session);
    return both;
}

static void echo(struct flow_maker *m, struct sb_command2 *both)
{
    both->c.capacity = (uint8_t) "APRO"[flow_below(m, 4)];
    both->c.display = (uint8_t)'Y';
    if (!flow_one_in(m, 10))
        return;
    both->c.flags |= SB_CMD_F_EXT;
    memset(both->ext.order.clordid, 'x', sizeof both->ext.order.clordid);
    both->ext.order.account = flow_one_in(m, 4) ? (uint32_t)flow_random(m) : 0;
}

/* Of an earlier day: not in the order of keys; one that was carried before, too, but that of no quote: what is said of both
 * could not be told apart. */
static uint32_t carried_key(struct flow_maker *m, uint32_t session)
{
    const uint32_t s = flow_own(session), spared = m->spared_key[s];
    if (flow_one_in(m, 4) && m->carried_key[s] != 0)
        return m->carried_key[s];
    if (spared != 0 && flow_one_in(m, 2)) {
        m->spared_key[s] = 0;
        return m->carried_key[s] = spared;
    }
    m->spared_key[s] = ++m->last_key[s];
    return m->carried_key[s] = ++m->last_key[s];
}

/* What an order is made for: nothing, or to be partners with another. */
struct purpose {
    bool waits; /* away from the middle, so that it is still there when its partner comes */
    uint32_t session;
    const struct flow_recent *partner;
};

/* Small ones at one price a side, seldom one that takes a part of a pass, or some passes. */
static void queue_up(struct flow_maker *m, struct sb_command *c)
{
    const struct flow_instrument *i = flow_known(m, c->instrument);
    const bool takes = flow_one_in(m, 60), sells = sb_side_sells(c->side);
    if (flow_one_in(m, 20))
        return;
    c->price = i->home + (sells != takes ? i->tick : -i->tick);
    c->quantity =
        i->lot * (takes ? 1 + flow_below(m, flow_one_in(m, 2) ? 40 : 700) : 1 + flow_below(m, 3));
    c->tif = takes ? SB_TIF_IOC : SB_TIF_DAY;
}

static const struct flow_recent *make_order(struct flow_maker *m, const struct purpose *why)
{
    static const uint8_t SIDES[] = {SB_BUY,  SB_BUY,        SB_BUY,
                                    SB_SELL, SB_SELL_SHORT, SB_SELL_SHORT_EXEMPT};
    struct sb_command2 *both = client(m, SB_CMD_ORDER);
    struct sb_command *c = &both->c;
    if (why->session != 0) {
        c->session = why->session;
        c->firm = flow_firm(m, c->session);
    }
    c->instrument = flow_one_in(m, m->plain ? 100 : 1000) ? flow_below(m, 20) : flow_instrument(m);
    c->side = SIDES[flow_below(m, 6)];
    c->tif = flow_one_in(m, m->plain ? 6 : 12) ? SB_TIF_IOC : SB_TIF_DAY;
    c->price = flow_price(m, c->instrument);
    c->quantity = flow_quantity(m, c->instrument);
    if (why->waits || (m->waits && !flow_one_in(m, 8))) {
        const struct flow_instrument *i = flow_known(m, c->instrument);
        const int64_t away = i->tick * (1 + flow_below(m, 4));
        c->tif = SB_TIF_DAY;
        c->price = i->middle + (sb_side_sells(c->side) ? away : -away);
    }
    if (m->queues) {
        c->side = why->partner != NULL ? why->partner->side : c->side;
        queue_up(m, c);
    }
    const bool meant = m->queues && why->partner != NULL;
    if (!m->plain && (meant || flow_percent(m, m->rates.terms_percent)))
        flow_add_terms(m, both, why->partner);
    if (!m->plain && flow_percent(m, m->rates.wrong_percent))
        flow_break_terms(m, both);
    echo(m, both);
    if (flow_has(m, FLOW_BIT_CARRY) && flow_one_in(m, 4)) {
        flow_make_carried(m, both);
        c->key = carried_key(m, c->session);
        return remember(m, c, both->ext.order.type);
    }
    c->key = flow_new_key(m, c->session);
    flow_number(m, c);
    return remember(m, c, both->ext.order.type);
}

void flow_make_order(struct flow_maker *m)
{
    struct purpose why = {0};
    if (flow_has(m, FLOW_BIT_OCO) && flow_one_in(m, 8)) {
        why.waits = true;
        why.session = flow_session(m);
        why.partner = make_order(m, &why);
        why.waits = flow_one_in(m, 3);
    }
    make_order(m, &why);
}

void flow_make_replace(struct flow_maker *m)
{
    struct sb_command2 *both = client(m, SB_CMD_REPLACE);
    struct sb_command *c = &both->c;
    const struct flow_recent r = a_recent(m, c->session);
    c->orig_key = r.key;
    c->instrument = r.instrument;
    c->side = r.side;
    c->tif = flow_one_in(m, 8) ? SB_TIF_IOC : SB_TIF_DAY;
    if (!m->plain && flow_one_in(m, 40))
        c->tif = (uint8_t)flow_below(m, SB_TIF_AT_CLOSE + 1);
    c->price = flow_price(m, r.instrument);
    if (!has_limit(m, r.type) && !flow_one_in(m, 20))
        c->price = 0;
    c->quantity = flow_one_in(m, 4) ? r.quantity : flow_quantity(m, r.instrument);
    echo(m, both);
    if (!m->plain && flow_one_in(m, 60)) {
        c->flags |= SB_CMD_F_EXT;
        flow_break_terms(m, both);
    }
    c->key = flow_new_key(m, c->session);
    flow_number(m, c);
    remember(m, c, r.type);
}

void flow_make_amend(struct flow_maker *m)
{
    struct sb_command2 *both = client(m, SB_CMD_AMEND);
    struct sb_command *c = &both->c;
    const uint32_t s = flow_own(c->session);
    const struct flow_recent r = a_recent(m, c->session);
    const uint32_t lot = flow_known(m, r.instrument)->lot;
    c->key = r.key;
    c->price = flow_one_in(m, 2) ? r.price : flow_price(m, r.instrument);
    if (!has_limit(m, r.type) && !flow_one_in(m, 20))
        c->price = 0;
    switch (flow_below(m, 6)) {
    case 0:
        c->quantity = r.quantity;
        break;
    case 1:
        c->quantity = r.quantity + lot * (1 + flow_below(m, 3));
        break;
    case 2:
        c->quantity = flow_quantity(m, r.instrument);
        break;
    default:
        c->quantity = r.quantity > lot ? r.quantity - lot * (1 + flow_below(m, 3)) : r.quantity;
    }
    if (c->quantity > r.quantity && c->quantity - r.quantity > SB_QUANTITY_MAX)
        c->quantity = lot; /* it ran below nothing */
    flow_number(m, c);
    for (uint32_t k = 0; k < FLOW_RECENT; k++) { /* mostly it was done */
        if (m->recent[s][k].key == c->key) {
            m->recent[s][k].price = c->price;
            m->recent[s][k].quantity = c->quantity;
        }
    }
}

void flow_make_cancel(struct flow_maker *m)
{
    struct sb_command *c = &client(m, flow_one_in(m, 3) ? SB_CMD_REDUCE : SB_CMD_CANCEL)->c;
    const struct flow_recent r = a_recent(m, c->session);
    const uint32_t lot = flow_known(m, r.instrument)->lot;
    c->key = r.key;
    c->quantity = flow_one_in(m, 2)   ? 0
                  : flow_one_in(m, 8) ? (uint32_t)flow_random(m)
                  : m->plain          ? flow_below(m, 1500)
                                      : lot * flow_below(m, m->lots);
    if (c->kind == SB_CMD_REDUCE && flow_one_in(m, 2))
        c->quantity = flow_one_in(m, 2) ? UINT32_MAX : lot;
    flow_number(m, c);
}

/* --- quotes ------------------------------------------------------------------------------------ */

static void add_entry(struct flow_maker *m, struct sb_quote *q)
{
    q->instrument = flow_one_in(m, 100) ? flow_below(m, 20) : flow_instrument(m);
    const struct flow_instrument *i = flow_known(m, q->instrument);
    const int64_t tick = i->tick;
    int64_t bid = i->middle - tick * (int64_t)flow_below(m, m->reach + 1);
    int64_t ask = i->middle + tick * (int64_t)(1 + flow_below(m, m->reach));
    if (flow_one_in(m, 30))
        bid = ask + tick * ((int64_t)flow_below(m, 3) - 1);
    if (flow_one_in(m, 60))
        bid = flow_price(m, q->instrument);
    if (flow_one_in(m, 60))
        ask = flow_price(m, q->instrument);
    q->bid_price = (uint32_t)bid;
    q->ask_price = (uint32_t)ask;
    q->bid_quantity = flow_one_in(m, 8) ? 0 : flow_quantity(m, q->instrument);
    q->ask_quantity = flow_one_in(m, 8) ? 0 : flow_quantity(m, q->instrument);
}

void flow_make_quote(struct flow_maker *m)
{
    struct sb_command2 *both = client(m, SB_CMD_QUOTE);
    both->c.flags = SB_CMD_F_EXT;
    both->c.key = flow_new_key(m, both->c.session);
    both->ext.quote.count = (uint8_t)(flow_one_in(m, 2) ? 1 : 1 + flow_below(m, 3));
    for (uint32_t k = 0; k < both->ext.quote.count; k++)
        add_entry(m, &both->ext.quote.entry[k]);
    flow_number(m, &both->c);
    if (flow_one_in(m, 12)) /* no key to name a quote by: somebody tries */
        remember(m, &both->c, SB_TYPE_LIMIT);
}
