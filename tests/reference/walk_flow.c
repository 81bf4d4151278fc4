#include "walk_flow.h"

#include <string.h>

static uint32_t below(struct walk_flow *f, uint32_t n)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((f->random >> 33) % n);
}

static bool one_in(struct walk_flow *f, uint32_t n)
{
    return below(f, n) == 0;
}

void walk_flow_start(struct walk_flow *f, uint64_t seed)
{
    *f = (struct walk_flow){.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 7};
    below(f, 2);
    f->limits = (struct sb_engine_limits){.instruments_max = WALK_INSTRUMENTS,
                                          .sessions_max = WALK_SESSIONS,
                                          .orders_max = one_in(f, 8) ? 12 : 200,
                                          .levels_max = one_in(f, 4) ? 5 + below(f, 12) : 60,
                                          .terms_max = one_in(f, 4) ? 8 : 150,
                                          .window_levels = 64};
    f->tick = one_in(f, 2) ? 1 : 100;
    f->lot = one_in(f, 2) ? 1 : 10;
    f->bad_often = one_in(f, 4);
}

static struct sb_command2 make_session(struct walk_flow *f, uint32_t index)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = index}};
    c.c.firm = 100 + index / 2;
    c.ext.session.operator_right = index == 1;
    c.ext.session.stp = (uint8_t)below(f, 5);
    c.ext.session.stp_group = one_in(f, 3) ? 1 + below(f, 2) : 0;
    c.ext.session.orders_max = one_in(f, 10) ? 5 : 0;
    c.ext.session.quantity_max = one_in(f, 4) ? 30 * f->lot : 0;
    c.ext.session.notional_max = one_in(f, 16) ? 1 : 0;
    return c;
}

static struct sb_command2 make_instrument(struct walk_flow *f, uint32_t index)
{
    struct sb_command2 c = {
        .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = index}};
    memcpy(c.ext.instrument.symbol, index == 1 ? "ONE     " : "TWO     ", 8);
    c.ext.instrument.tick = f->tick;
    c.ext.instrument.price_min = f->tick;
    c.ext.instrument.price_max = 200 * f->tick;
    c.ext.instrument.lot = f->lot;
    c.ext.instrument.quantity_max = 1000 * f->lot;
    c.ext.instrument.phase = one_in(f, 2) ? SB_PHASE_CONTINUOUS : SB_PHASE_AUCTION;
    c.ext.instrument.matching = (uint8_t)below(f, 2);
    c.ext.instrument.tie = (uint8_t)below(f, 4);
    c.ext.instrument.band_action = (uint8_t)below(f, 2);
    c.ext.instrument.static_band = one_in(f, 3) ? 900 : one_in(f, 9) ? 12000 : 0;
    c.ext.instrument.dynamic_band = one_in(f, 2) ? 300 : 0;
    c.ext.instrument.pause_ms = below(f, 3) * 10;
    c.ext.instrument.notional_max = one_in(f, 10) ? 30 : 0;
    c.ext.instrument.reference_price = one_in(f, 2) ? (uint32_t)(100 * f->tick) : 0;
    c.ext.instrument.pro_rata_min = below(f, 3) * f->lot;
    return c;
}

static int64_t price(struct walk_flow *f)
{
    if (one_in(f, 60))
        return (int64_t)below(f, 300) * f->tick - 20;
    return (94 + (int64_t)below(f, 13)) * f->tick;
}

static uint32_t quantity(struct walk_flow *f)
{
    return one_in(f, 80) ? below(f, 2000) : f->lot * (1 + below(f, one_in(f, 3) ? 40 : 12));
}

static uint32_t some_key(struct walk_flow *f, uint32_t session)
{
    const uint32_t last = f->last_key[session];
    const uint32_t back = below(f, one_in(f, 4) ? 100 : 12);
    return back < last ? last - back : last;
}

static void make_terms(struct walk_flow *f, struct sb_command2 *c)
{
    c->c.flags = SB_CMD_F_EXT;
    const uint32_t what = below(f, 14);
    const bool sells = sb_side_sells(c->c.side);
    if (what == 0 || what == 1) {
        c->c.quantity = f->lot * (20 + below(f, 40));
        c->ext.order.display_quantity = f->lot * (4 + below(f, 6));
        c->ext.order.refresh_range = one_in(f, 2) ? f->lot * below(f, 4) : 0;
        c->c.tif = one_in(f, 8) ? SB_TIF_AT_CLOSE : c->c.tif;
    } else if (what == 2) {
        c->ext.order.attributes = SB_ATTR_HIDDEN;
    } else if (what == 3) {
        c->ext.order.attributes = SB_ATTR_POST_ONLY | (one_in(f, 4) ? SB_ATTR_HIDDEN : 0);
    } else if (what == 4) {
        c->ext.order.attributes = SB_ATTR_ALL_OR_NONE | (one_in(f, 4) ? SB_ATTR_HIDDEN : 0);
        c->c.tif = one_in(f, 3) ? SB_TIF_IOC : c->c.tif;
    } else if (what == 5) {
        c->ext.order.min_quantity = f->lot * (1 + below(f, c->c.quantity / f->lot + 1));
        c->c.tif = one_in(f, 3) ? SB_TIF_IOC : c->c.tif;
    } else if (what == 6 || what == 7) {
        c->ext.order.peg = (uint8_t)(1 + below(f, 3));
        c->c.price = one_in(f, 2) ? 0 : c->c.price;
        if (c->ext.order.peg != SB_PEG_MIDPOINT)
            c->ext.order.peg_offset = ((int32_t)below(f, 5) - 2) * (int32_t)f->tick;
        c->ext.order.min_quantity = one_in(f, 4) ? f->lot : 0;
    } else if (what == 8 || what == 9) {
        c->ext.order.type = (uint8_t)(SB_TYPE_STOP + below(f, 3));
        c->c.price = c->ext.order.type == SB_TYPE_STOP_LIMIT ? c->c.price : 0;
        c->ext.order.stop_price = (100 + (sells ? -1 : 1) * (int64_t)below(f, 5)) * f->tick;
        if (c->ext.order.type == SB_TYPE_TRAILING_STOP)
            c->ext.order.trail = (1 + below(f, 4)) * (uint32_t)f->tick;
    } else if (what == 10) {
        c->ext.order.type = (uint8_t)(SB_TYPE_MARKET + below(f, 2));
        c->c.price = 0;
        if (c->ext.order.type == SB_TYPE_MARKET)
            c->c.tif = one_in(f, 2) ? SB_TIF_FOK : SB_TIF_IOC;
    } else if (what == 11) {
        c->c.tif = SB_TIF_FOK;
        c->c.quantity = f->lot * (1 + below(f, 60));
    } else if (what == 12) {
        c->c.tif = one_in(f, 2) ? SB_TIF_AT_CLOSE : SB_TIF_AT_OPEN;
    } else {
        c->ext.order.attributes = one_in(f, 20) ? SB_ATTR_REDUCE_ONLY : 0;
    }
    if (c->c.tif == SB_TIF_GTD)
        c->ext.order.expire_ns = (f->n + below(f, 200)) * WALK_STEP_NS;
    if (one_in(f, 3))
        c->ext.order.oco_key = one_in(f, 6) ? some_key(f, c->c.session)
                                            : f->recent[c->c.session][c->c.instrument][sells];
    if (one_in(f, f->bad_often ? 3 : 40)) /* anything */
        c->ext.bytes[16 + below(f, 47)] = (uint8_t)below(f, 4);
}

static struct sb_command2 make_order(struct walk_flow *f, bool replace)
{
    static const uint8_t SIDES[] = {SB_BUY, SB_BUY, SB_SELL, SB_SELL_SHORT};
    static const uint8_t TIFS[] = {SB_TIF_DAY, SB_TIF_DAY, SB_TIF_GTC, SB_TIF_GTD};
    struct sb_command2 c = {.c = {.kind = replace ? SB_CMD_REPLACE : SB_CMD_ORDER}};
    c.c.session = 1 + below(f, WALK_SESSIONS);
    c.c.instrument = one_in(f, 60) ? 3 : 1 + below(f, WALK_INSTRUMENTS);
    c.c.side = SIDES[below(f, 4)];
    c.c.price = price(f);
    c.c.quantity = quantity(f);
    c.c.capacity = (uint8_t)'A';
    c.c.orig_key = replace ? some_key(f, c.c.session) : 0;
    if (replace) {
        c.c.price = one_in(f, 4) ? 0 : c.c.price;
        c.c.tif = one_in(f, 8) ? SB_TIF_IOC : SB_TIF_DAY;
    } else if (one_in(f, 3)) {
        c.c.tif = one_in(f, 4) ? SB_TIF_IOC : SB_TIF_DAY;
    } else {
        c.c.tif = TIFS[below(f, 4)];
        make_terms(f, &c);
    }
    c.c.key = ++f->last_key[c.c.session];
    f->recent[c.c.session][c.c.instrument][sb_side_sells(c.c.side)] = c.c.key;
    return c;
}

static struct sb_command2 make_change(struct walk_flow *f)
{
    static const uint8_t KINDS[] = {SB_CMD_CANCEL, SB_CMD_REDUCE, SB_CMD_AMEND, SB_CMD_AMEND};
    struct sb_command2 c = {.c = {.kind = KINDS[below(f, 4)]}};
    c.c.session = 1 + below(f, WALK_SESSIONS);
    c.c.key = some_key(f, c.c.session);
    c.c.quantity = one_in(f, 8) ? 0 : quantity(f);
    c.c.price = one_in(f, 4) ? 0 : price(f);
    return c;
}

static struct sb_command2 make_quote(struct walk_flow *f)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_QUOTE, .flags = SB_CMD_F_EXT}};
    c.c.session = 1 + below(f, WALK_SESSIONS);
    c.c.key = ++f->last_key[c.c.session];
    c.ext.quote.count = (uint8_t)(1 + below(f, 3));
    for (uint32_t i = 0; i < c.ext.quote.count; i++) {
        const int64_t bid = price(f);
        c.ext.quote.entry[i].instrument = one_in(f, 30) ? 3 : 1 + below(f, WALK_INSTRUMENTS);
        c.ext.quote.entry[i].bid_price = (uint32_t)(bid > 0 ? bid : 0);
        c.ext.quote.entry[i].ask_price =
            (uint32_t)((bid > 0 ? bid : 0) + (1 + (int64_t)below(f, 4)) * f->tick * !one_in(f, 12));
        c.ext.quote.entry[i].bid_quantity = one_in(f, 6) ? 0 : quantity(f);
        c.ext.quote.entry[i].ask_quantity = one_in(f, 6) ? 0 : quantity(f);
    }
    return c;
}

static struct sb_command2 make_operator(struct walk_flow *f)
{
    static const uint8_t KINDS[] = {SB_CMD_PHASE,      SB_CMD_PHASE,       SB_CMD_PHASE,
                                    SB_CMD_UNCROSS,    SB_CMD_UNCROSS,     SB_CMD_INDICATIVE,
                                    SB_CMD_INDICATIVE, SB_CMD_MASS_CANCEL, SB_CMD_KILL};
    static const uint8_t PHASES[] = {SB_PHASE_CONTINUOUS, SB_PHASE_CONTINUOUS, SB_PHASE_CONTINUOUS,
                                     SB_PHASE_CONTINUOUS, SB_PHASE_AUCTION,    SB_PHASE_AUCTION,
                                     SB_PHASE_AUCTION,    SB_PHASE_CLOSED};
    struct sb_command2 c = {.c = {.kind = KINDS[below(f, 9)]}};
    c.c.session = one_in(f, 2) ? 0 : one_in(f, 2) ? 1 : 1 + below(f, WALK_SESSIONS);
    c.c.key = below(f, 100);
    c.c.instrument = one_in(f, 6) ? SB_INSTRUMENT_ALL : 1 + below(f, 3);
    if (c.c.kind == SB_CMD_PHASE) {
        c.c.phase = one_in(f, 20) ? SB_PHASE_HALTED : PHASES[below(f, 8)];
        c.c.auction = (uint8_t)below(f, 4);
    } else if (c.c.kind == SB_CMD_MASS_CANCEL) {
        c.c.scope = one_in(f, 10) ? SB_SCOPE_ALL : (uint8_t)below(f, 2);
        c.c.flags = one_in(f, 2) ? SB_CMD_F_ONE_SIDE : 0;
        c.c.side = (uint8_t)below(f, 2);
    } else if (c.c.kind == SB_CMD_KILL) {
        c.c.scope = (uint8_t)below(f, 2);
        c.c.quantity = one_in(f, 6);
    }
    if (c.c.kind == SB_CMD_MASS_CANCEL || c.c.kind == SB_CMD_KILL)
        c.c.orig_key = c.c.scope == SB_SCOPE_FIRM ? 100 + below(f, 3) : below(f, 6);
    return c;
}

struct sb_command2 walk_flow_next(struct walk_flow *f)
{
    const uint32_t n = ++f->n;
    if (n == 1)
        return (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                    .ext.day.rules = SB_ENGINE_RULES};
    if (n <= 1 + WALK_SESSIONS)
        return make_session(f, n - 1);
    if (n <= 1 + WALK_SESSIONS + WALK_INSTRUMENTS)
        return make_instrument(f, n - 1 - WALK_SESSIONS);
    const uint32_t what = below(f, 100);
    if (what < 3)
        return make_operator(f);
    if (what < 8)
        return (struct sb_command2){
            .c = {.kind = SB_CMD_TIMER,
                  .instrument = one_in(f, 3) ? 1 + below(f, 3) : SB_INSTRUMENT_ALL}};
    if (what < 15)
        return make_quote(f);
    if (what < 27)
        return make_change(f);
    return make_order(f, what < 37);
}
