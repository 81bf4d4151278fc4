/* desk.c: what the desk sends: see member.h. Its prices are about those of the real client's flow. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "tests/sim/member.h"

enum { TICK = 100, LOT = 5, FROM_TICKS = 98, TICKS = 16 };

static bool one_in(struct sim_member *x, uint32_t n)
{
    return sim_pick(x, n) == 0;
}

static uint64_t price(struct sim_member *x)
{
    return TICK * (FROM_TICKS + (uint64_t)sim_pick(x, TICKS));
}

static uint32_t quantity(struct sim_member *x, uint32_t lots)
{
    return LOT * (1 + sim_pick(x, lots));
}

/* --- orders ----------------------------------------------------------------------------------- */

static void iceberg(struct sim_member *x, struct sb_entry_new *m)
{
    m->quantity = 100 + quantity(x, 40);
    m->display_quantity = 15 + quantity(x, 8);
    m->refresh_range = one_in(x, 2) ? quantity(x, 3) : 0;
    if (one_in(x, 8))
        m->tif = '7';
}

static void peg(struct sim_member *x, struct sb_entry_new *m)
{
    m->peg = "RPM"[sim_pick(x, 3)];
    m->price = one_in(x, 2) ? 0 : m->price;
    m->peg_offset = m->peg == 'M' ? 0 : TICK * ((int32_t)sim_pick(x, 5) - 2);
    m->min_quantity = one_in(x, 4) ? LOT : 0;
}

static void stop(struct sim_member *x, struct sb_entry_new *m)
{
    m->type = "STR"[sim_pick(x, 3)];
    m->stop_price = price(x);
    m->price = m->type != 'T' ? 0
               : one_in(x, 4) ? TICK * (90 + sim_pick(x, 30)) /* the same */
                              : m->price;
    m->trail = m->type == 'R' ? TICK * (1 + sim_pick(x, 4)) : 0;
}

static void market(struct sim_member *x, struct sb_entry_new *m)
{
    m->type = "MK"[sim_pick(x, 2)];
    m->tif = m->type == 'M' ? "034"[sim_pick(x, 3)] : "016"[sim_pick(x, 3)];
    m->price = 0;
}

static void some_terms(struct sim_member *x, struct sb_entry_new *m)
{
    switch (sim_pick(x, 19)) {
    case 0:
    case 1:
    case 2:
        iceberg(x, m);
        break;
    case 3:
        m->attributes = SB_ATTR_HIDDEN;
        break;
    case 4:
        m->attributes = SB_ATTR_POST_ONLY | (one_in(x, 4) ? SB_ATTR_HIDDEN : 0);
        break;
    case 5:
        m->attributes = SB_ATTR_ALL_OR_NONE;
        m->tif = one_in(x, 3) ? '3' : m->tif;
        break;
    case 6:
        m->min_quantity = quantity(x, m->quantity / LOT);
        m->tif = one_in(x, 3) ? '3' : m->tif;
        break;
    case 7:
    case 8:
    case 16:
    case 17:
        peg(x, m);
        break;
    case 9:
    case 10:
    case 11:
        stop(x, m);
        break;
    case 12:
        market(x, m);
        break;
    case 13:
        m->tif = '4';
        m->quantity = quantity(x, 60);
        break;
    case 14:
    case 15:
        m->tif = "27"[sim_pick(x, 2)];
        if (m->tif == '7' && one_in(x, 3)) /* where nobody else is: it needs a level of its own */
            m->price = TICK * (m->side == 'B' ? 60 + sim_pick(x, 30) : 120 + sim_pick(x, 30));
        break;
    default:
        m->attributes = one_in(x, 8) ? SB_ATTR_REDUCE_ONLY : 0;
    }
}

/* Few are wrong, each in one thing. */
static void one_thing_wrong(struct sim_member *x, struct sb_entry_new *m)
{
    switch (sim_pick(x, 8)) {
    case 0:
        m->price++;
        break;
    case 1:
        m->quantity++;
        break;
    case 2:
        m->symbol[0] = 'N';
        break;
    case 3:
        m->oco_key = m->key;
        break;
    case 4:
        m->stop_price = price(x);
        break;
    case 5:
        m->type = '?';
        break;
    case 6:
        m->expire_ns = 1;
        m->tif = '6';
        break;
    default:
        m->quantity = 0;
    }
}

/* The partner of one of the last orders, which is perhaps still open. */
static void link_partner(struct sim_member *x, struct sb_entry_new *m)
{
    const struct sim_recent *r = &x->recent[(m->key - 1 - sim_pick(x, 3)) % SIM_MEMBER_RECENT];
    if (r->key == 0 || (m->tif != '0' && m->tif != '1' && m->tif != '6'))
        return;
    m->oco_key = r->key;
    m->side = r->side;
    memcpy(m->symbol, x->config->instruments[r->instrument].symbol, 8);
}

static void remember(struct sim_member *x, const struct sb_entry_new *m)
{
    const bool first = memcmp(m->symbol, x->config->instruments[1].symbol, 8) == 0;
    x->recent[m->key % SIM_MEMBER_RECENT] =
        (struct sim_recent){.key = m->key, .instrument = first ? 1 : 2, .side = m->side};
}

/* Expiries are whole steps of the simulated time away: TIMER may come at the very moment. */
static uint32_t new_order(struct sim_member *x, uint64_t now_ns, uint8_t *p)
{
    struct sb_entry_new m = {.key = ++x->key,
                             .side = "BBBSSSTE"[sim_pick(x, 8)],
                             .type = 'L',
                             .tif = "00166"[sim_pick(x, 5)],
                             .quantity = quantity(x, 30),
                             .price = price(x),
                             .peg = 'N',
                             .capacity = "APR"[sim_pick(x, 3)],
                             .clordid = "              "};
    memcpy(m.symbol, x->config->instruments[one_in(x, 3) ? 2 : 1].symbol, 8);
    if (one_in(x, 4))
        memcpy(m.clordid, "DESK", 4);
    some_terms(x, &m);
    if (m.tif == '6' && m.type == 'L' && one_in(x, 2)) /* where nobody trades with it */
        m.price = m.side == 'B' ? 90 * TICK : 120 * TICK;
    if (m.tif == '6')
        m.expire_ns = now_ns + SIM_STEP_NS * (25 + sim_pick(x, one_in(x, 2) ? 500 : 5000));
    if (one_in(x, 4))
        link_partner(x, &m);
    if (one_in(x, 16))
        one_thing_wrong(x, &m);
    remember(x, &m);
    return sb_entry_write_new(p, &m);
}

/* By OUCH: until a time, or at market. */
static uint32_t enter(struct sim_member *x, uint8_t *p)
{
    static const uint64_t market_prices[] = {0x7FFFFFFF, 2000000000, UINT64_MAX};
    const bool until = one_in(x, 2);
    struct sb_ouch_enter m = {.ref = ++x->key,
                              .quantity = quantity(x, 30),
                              .price = until ? price(x) : market_prices[sim_pick(x, 3)],
                              .side = "BS"[sim_pick(x, 2)],
                              .tif = until ? '6' : "03"[sim_pick(x, 2)],
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N',
                              .symbol = "TEST    ",
                              .clordid = "              "};
    if (until) {
        m.app_bytes = 6;
        memcpy(m.app, "\5\17\0\0\0", 5);
        m.app[5] = (uint8_t)sim_pick(x, 3);
    }
    return sb_ouch_write_enter(p, &m);
}

/* --- what becomes of them ------------------------------------------------------------------------ */

static uint32_t some_key(struct sim_member *x)
{
    const struct sim_recent *r = &x->recent[sim_pick(x, SIM_MEMBER_RECENT)];
    return r->key != 0 && !one_in(x, 8) ? r->key : sim_pick(x, x->key + 2);
}

static uint32_t replace(struct sim_member *x, uint8_t *p)
{
    const struct sb_ouch_replace m = {.orig_ref = some_key(x),
                                      .ref = ++x->key,
                                      .quantity = quantity(x, 30),
                                      .price = one_in(x, 4) ? 0 : price(x),
                                      .tif = "00003"[sim_pick(x, 5)],
                                      .display = 'Y',
                                      .iso = 'N',
                                      .clordid = "              "};
    return sb_ouch_write_replace(p, &m);
}

static uint32_t amend(struct sim_member *x, uint8_t *p)
{
    const uint32_t key = some_key(x);
    const uint32_t size = quantity(x, 30);
    return sb_entry_write_amend(p, key, size, one_in(x, 4) ? 0 : price(x));
}

static uint32_t cancel(struct sim_member *x, uint8_t *p)
{
    struct sb_ouch_cancel m = {.ref = some_key(x)};
    m.quantity = one_in(x, 2) ? 0 : quantity(x, 10);
    return sb_ouch_write_cancel(p, &m);
}

static uint32_t quote(struct sim_member *x, uint8_t *p)
{
    const uint32_t bid = (uint32_t)price(x);
    struct sb_entry_quote q = {.key = ++x->key, .bid_price = bid, .capacity = 'P'};
    memcpy(q.symbol, x->config->instruments[one_in(x, 3) ? 2 : 1].symbol, 8);
    q.ask_price = bid + TICK * (one_in(x, 12) ? 0 : 1 + sim_pick(x, 4)) + one_in(x, 12);
    q.bid_quantity = one_in(x, 6) ? 0 : quantity(x, 30);
    q.ask_quantity = one_in(x, 6) ? 0 : quantity(x, 30);
    return sb_entry_write_quote(p, &q);
}

uint32_t sim_desk_make(struct sim_member *x, uint64_t now_ns, uint8_t *p)
{
    const uint32_t what = sim_pick(x, 100);
    if (what < 56)
        return new_order(x, now_ns, p);
    if (what < 64)
        return enter(x, p);
    if (what < 71)
        return replace(x, p);
    if (what < 79)
        return amend(x, p);
    if (what < 85)
        return cancel(x, p);
    if (what < 97)
        return quote(x, p);
    if (what < 99 || !one_in(x, 3))
        return sb_entry_write_mass_cancel(p, x->key, one_in(x, 2) ? "TEST    " : "        ", 'S', 0,
                                          "BS "[sim_pick(x, 3)]);
    return sb_entry_write_kill(p, x->key, 'S', 0, 'B'); /* the supervisor lets it in again */
}
