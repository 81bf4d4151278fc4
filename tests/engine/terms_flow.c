#include "tests/engine/terms_flow.h"

#include <string.h>

enum { SESSIONS = 6, OPERATOR = 6, INSTRUMENTS = 3, TICK = 10, LOT = 10, LOW = 1000, HIGH = 2000 };
enum { HEAD = 1 + SESSIONS + INSTRUMENTS };

struct maker {
    uint64_t x;
    uint32_t i;
    uint32_t keys[SESSIONS + 1];
    bool pro_rata[INSTRUMENTS + 1];
    uint32_t aggressive; /* percent of prices that cross */
};

static uint32_t below(struct maker *m, uint32_t n)
{
    m->x ^= m->x << 13;
    m->x ^= m->x >> 7;
    m->x ^= m->x << 17;
    return (uint32_t)(m->x >> 33) % n;
}

static bool percent(struct maker *m, uint32_t n)
{
    return below(m, 100) < n;
}

/* --- what there is -------------------------------------------------------------------------------- */

static void put_session(struct maker *m, struct sb_command2 *c, uint32_t index)
{
    *c = (struct sb_command2){
        .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = index, .firm = 1 + below(m, 3)},
        .ext.session = {.operator_right = index == OPERATOR,
                        .stp = (uint8_t)below(m, 5),
                        .stp_group = below(m, 2),
                        .orders_max = percent(m, 20) ? 20 : 0,
                        .quantity_max = percent(m, 20) ? 300 : 0,
                        .notional_max = percent(m, 20) ? 50 : 0}};
}

static void put_instrument(struct maker *m, struct sb_command2 *c, uint32_t index)
{
    *c = (struct sb_command2){
        .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = index},
        .ext.instrument = {.symbol = {'A', (char)('0' + index), ' ', ' ', ' ', ' ', ' ', ' '},
                           .tick = TICK,
                           .price_min = LOW,
                           .price_max = HIGH,
                           .lot = LOT,
                           .quantity_max = 5000,
                           .phase = SB_PHASE_CONTINUOUS,
                           .matching = (uint8_t)below(m, 2),
                           .tie = (uint8_t)below(m, 4),
                           .band_action = (uint8_t)below(m, 2),
                           .static_band = (uint16_t)(percent(m, 30) ? 3000 : 0),
                           .dynamic_band = (uint16_t)(percent(m, 50) ? 300 : 0),
                           .pause_ms = below(m, 4),
                           .reference_price = percent(m, 50) ? 1500 : 0,
                           .pro_rata_min = 10 * below(m, 3)}};
}

/* --- orders ---------------------------------------------------------------------------------------- */

static int64_t price_of(struct maker *m, uint8_t side)
{
    const int64_t away = TICK * (int64_t)below(m, 12);
    const bool crosses = percent(m, m->aggressive);
    return (side & 1u) != crosses ? 1500 + away : 1500 - away;
}

static uint32_t quantity_of(struct maker *m)
{
    return LOT * (1 + below(m, 30));
}

static uint8_t waiting_tif(struct maker *m, struct sb_command2 *c)
{
    static const uint8_t tifs[] = {SB_TIF_DAY, SB_TIF_DAY, SB_TIF_GTC, SB_TIF_GTD};
    const uint8_t tif = tifs[below(m, 4)];
    if (tif == SB_TIF_GTD)
        c->ext.order.expire_ns = terms_flow_time_ns(m->i) + UINT64_C(100000) * below(m, 200);
    return tif;
}

static void put_stop(struct maker *m, struct sb_command2 *c)
{
    c->ext.order.type = (uint8_t)(SB_TYPE_STOP + below(m, 3));
    c->ext.order.stop_price = price_of(m, c->c.side ^ 1u);
    c->c.tif = waiting_tif(m, c);
    if (c->ext.order.type != SB_TYPE_STOP_LIMIT)
        c->c.price = 0;
    if (c->ext.order.type == SB_TYPE_TRAILING_STOP)
        c->ext.order.trail = TICK * (1 + below(m, 8));
}

static void put_peg(struct maker *m, struct sb_command2 *c)
{
    c->ext.order.peg = (uint8_t)(1 + below(m, 3));
    c->c.tif = waiting_tif(m, c);
    if (percent(m, 60))
        c->c.price = 0;
    if (c->ext.order.peg != SB_PEG_MIDPOINT)
        c->ext.order.peg_offset = TICK * ((int32_t)below(m, 7) - 3);
    if (percent(m, 20))
        c->ext.order.min_quantity = LOT * (1 + below(m, c->c.quantity / LOT));
}

static void put_iceberg(struct maker *m, struct sb_command2 *c)
{
    c->ext.order.display_quantity = LOT * (1 + below(m, c->c.quantity / LOT));
    if (percent(m, 50))
        c->ext.order.refresh_range = LOT * below(m, c->ext.order.display_quantity / LOT);
    c->c.tif = waiting_tif(m, c);
}

static void put_dark(struct maker *m, struct sb_command2 *c)
{
    c->c.tif = waiting_tif(m, c);
    switch (below(m, 4)) {
    case 0:
        c->ext.order.attributes = SB_ATTR_HIDDEN;
        break;
    case 1:
        c->ext.order.attributes = SB_ATTR_ALL_OR_NONE;
        break;
    case 2:
        c->ext.order.attributes = SB_ATTR_HIDDEN;
        __attribute__((fallthrough));
    default:
        c->ext.order.min_quantity = LOT * (1 + below(m, c->c.quantity / LOT));
        break;
    }
}

static void put_at_once(struct maker *m, struct sb_command2 *c)
{
    static const uint8_t tifs[] = {SB_TIF_IOC, SB_TIF_FOK, SB_TIF_DAY};
    c->c.tif = tifs[below(m, 3)];
    if (percent(m, 50)) {
        c->ext.order.type =
            c->c.tif == SB_TIF_DAY && percent(m, 70) ? SB_TYPE_MARKET_TO_LIMIT : SB_TYPE_MARKET;
        c->c.price = 0;
    }
}

static void put_terms(struct maker *m, struct sb_command2 *c)
{
    switch (below(m, 9)) {
    case 0:
    case 1:
        put_stop(m, c);
        break;
    case 2:
        put_peg(m, c);
        break;
    case 3:
        put_iceberg(m, c);
        break;
    case 4:
    case 5:
        put_dark(m, c);
        break;
    case 6:
        put_at_once(m, c);
        break;
    case 7:
        c->c.tif = percent(m, 50) ? SB_TIF_AT_CLOSE : SB_TIF_AT_OPEN;
        return;
    default:
        c->ext.order.attributes = SB_ATTR_POST_ONLY;
        c->c.tif = waiting_tif(m, c);
        break;
    }
}

static uint32_t recent(struct maker *m, uint32_t session)
{
    const uint32_t last = m->keys[session], back = below(m, 25);
    return last > back ? last - back : 1;
}

static void put_order(struct maker *m, struct sb_command2 *c)
{
    static const uint8_t sides[] = {SB_BUY, SB_BUY, SB_SELL, SB_SELL_SHORT};
    c->c.kind = SB_CMD_ORDER;
    c->c.flags = SB_CMD_F_EXT;
    c->c.side = sides[below(m, 4)];
    c->c.quantity = quantity_of(m);
    c->c.price = price_of(m, c->c.side);
    c->c.capacity = 'A';
    if (percent(m, 50))
        put_terms(m, c);
    const bool waits = c->c.tif == SB_TIF_DAY || c->c.tif == SB_TIF_GTC || c->c.tif == SB_TIF_GTD;
    if (waits && c->ext.order.type != SB_TYPE_MARKET && percent(m, 15))
        c->ext.order.oco_key = recent(m, c->c.session);
    if (percent(m, 1)) /* whatever */
        c->ext.order.min_quantity = below(m, 100);
    c->c.key = ++m->keys[c->c.session];
}

static void put_change(struct maker *m, struct sb_command2 *c)
{
    static const uint8_t kinds[] = {SB_CMD_CANCEL, SB_CMD_REDUCE, SB_CMD_REPLACE, SB_CMD_AMEND,
                                    SB_CMD_AMEND};
    const uint32_t key = recent(m, c->c.session);
    c->c.kind = kinds[below(m, 5)];
    c->c.key = key;
    c->c.quantity = percent(m, 20) ? 0 : quantity_of(m);
    c->c.price = percent(m, 15) ? 0 : price_of(m, (uint8_t)below(m, 2));
    if (c->c.kind != SB_CMD_REPLACE)
        return;
    c->c.orig_key = key;
    c->c.key = ++m->keys[c->c.session];
    c->c.tif = percent(m, 15) ? SB_TIF_IOC : SB_TIF_DAY;
}

static void put_quote(struct maker *m, struct sb_command2 *c)
{
    c->c.kind = SB_CMD_QUOTE;
    c->c.flags = SB_CMD_F_EXT;
    c->c.key = ++m->keys[c->c.session];
    c->ext.quote.count = (uint8_t)(1 + below(m, 3));
    for (uint32_t i = 0; i < c->ext.quote.count; i++)
        c->ext.quote.entry[i] =
            (struct sb_quote){.instrument = 1 + below(m, INSTRUMENTS),
                              .bid_price = 1500 - TICK * below(m, 6),
                              .bid_quantity = percent(m, 80) ? quantity_of(m) : 0,
                              .ask_price = 1510 + TICK * below(m, 6) - (percent(m, 5) ? 100 : 0),
                              .ask_quantity = percent(m, 80) ? quantity_of(m) : 0};
}

/* --- the rest -------------------------------------------------------------------------------------- */

static void put_operator(struct maker *m, struct sb_command2 *c)
{
    static const uint8_t phases[] = {SB_PHASE_CONTINUOUS, SB_PHASE_CONTINUOUS, SB_PHASE_AUCTION,
                                     SB_PHASE_AUCTION,    SB_PHASE_HALTED,     SB_PHASE_CLOSED};
    c->c.session = percent(m, 30) ? 0 : OPERATOR;
    if (percent(m, 20))
        c->c.instrument = SB_INSTRUMENT_ALL;
    switch (below(m, 5)) {
    case 0:
        c->c.kind = SB_CMD_UNCROSS;
        break;
    case 1:
        c->c.kind = SB_CMD_INDICATIVE;
        break;
    default:
        c->c.kind = SB_CMD_PHASE;
        c->c.phase = phases[percent(m, 4) ? 5 : percent(m, 4) ? 4 : below(m, 4)];
        c->c.auction = (uint8_t)below(m, 4);
        break;
    }
}

static void put_mass(struct maker *m, struct sb_command2 *c)
{
    c->c.kind = percent(m, 50) ? SB_CMD_MASS_CANCEL : SB_CMD_KILL;
    c->c.scope = (uint8_t)below(m, 2);
    c->c.orig_key = percent(m, 50) ? 0 : 1 + below(m, SESSIONS);
    c->c.quantity = c->c.kind == SB_CMD_KILL && percent(m, 30);
    c->c.side = (uint8_t)below(m, 2);
    if (c->c.kind == SB_CMD_MASS_CANCEL && percent(m, 50))
        c->c.flags = SB_CMD_F_ONE_SIDE;
    if (percent(m, 40))
        c->c.instrument = SB_INSTRUMENT_ALL;
}

static void put_any(struct maker *m, struct sb_command2 *c)
{
    const uint32_t dice = below(m, 1000);
    c->c.session = 1 + below(m, SESSIONS);
    c->c.instrument = 1 + below(m, INSTRUMENTS);
    if (dice < 600)
        put_order(m, c);
    else if (dice < 850)
        put_change(m, c);
    else if (dice < 930)
        put_quote(m, c);
    else if (dice < 965)
        put_operator(m, c);
    else if (dice < 970)
        put_mass(m, c);
    else
        c->c = (struct sb_command){.kind = SB_CMD_TIMER, .instrument = SB_INSTRUMENT_ALL};
    if (dice >= 600 && dice < 850 && percent(m, 1))
        c->c.session_seq = m->i;
}

void terms_flow_make(uint64_t seed, struct sb_command2 *c, uint32_t n,
                     struct sb_engine_limits *limits)
{
    struct maker m = {.x = seed * UINT64_C(0x9e3779b97f4a7c15) | 1};
    memset(c, 0, n * sizeof *c);
    m.aggressive = 10 + below(&m, 30);
    *limits = (struct sb_engine_limits){.instruments_max = INSTRUMENTS,
                                        .sessions_max = SESSIONS,
                                        .orders_max = percent(&m, 30) ? 40 : 400,
                                        .levels_max = percent(&m, 20) ? 12 : 400,
                                        .terms_max = percent(&m, 30) ? 15 : 300,
                                        .window_levels = 64};
    c[0] = (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                .ext.day = {.trading_day = 20261124, .shard = 1}};
    for (uint32_t i = 1; i <= SESSIONS; i++)
        put_session(&m, &c[i], i);
    for (uint32_t i = 1; i <= INSTRUMENTS; i++)
        put_instrument(&m, &c[SESSIONS + i], i);
    for (m.i = HEAD; m.i < n; m.i++)
        put_any(&m, &c[m.i]);
}
