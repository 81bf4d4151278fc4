/* flow_setup.c: what a flow is about, its tables, sessions and instruments. */
#include <stdio.h>
#include <string.h>

#include "flow_maker.h"

/* --- profiles --------------------------------------------------------------------------------- */

static const char *const feature_words[] = {
#define FLOW_WORDS(id, words) words,
    FLOW_FEATURES(FLOW_WORDS)
#undef FLOW_WORDS
};

static void say_about(struct flow_maker *m, const char *profile)
{
    char *about = m->flow->about;
    const size_t cap = sizeof m->flow->about;
    size_t at = (size_t)snprintf(about, cap, "%s", profile);
    if (m->features == FLOW_ALL)
        return;
    for (uint32_t f = 0; f < FLOW_FEATURES_N && at < cap; f++)
        if (flow_has(m, f))
            at += (size_t)snprintf(about + at, cap - at, ", %s", feature_words[f]);
}

/* As it was before there were terms: limit orders, books that may become large. */
static void choose_plain(struct flow_maker *m)
{
    static const uint32_t ORDERS[] = {1, 4, 64, 512, 2048, 8192, 8192, 8192};
    static const uint32_t LEVELS[] = {1, 3, 16, 64, 512, 8192, 8192, 8192};
    struct sb_engine_limits *l = &m->flow->limits;
    l->instruments_max = 1 + flow_below(m, 4);
    l->sessions_max = 1 + flow_below(m, 5);
    l->orders_max = ORDERS[flow_below(m, 8)];
    l->levels_max = LEVELS[flow_below(m, 8)];
    l->terms_max = 4;
    m->plain = true;
    m->firms = 8;
    m->reach = 6;
    m->lots = 20;
    m->rates = (struct flow_rates){.operator_ = flow_one_in(m, 3) ? 40 : 400,
                                   .timer = 5000,
                                   .rare = 100,
                                   .far_percent = flow_one_in(m, 3) ? 40 : 4,
                                   .cancel_percent = 10 + flow_below(m, 40),
                                   .replace_percent = 5 + flow_below(m, 20),
                                   .bad_percent = 4};
    m->big_quantities = flow_one_in(m, 10);
}

static void choose_rates(struct flow_maker *m, bool small)
{
    const bool tifs = flow_has(m, FLOW_BIT_TIFS), bands = flow_has(m, FLOW_BIT_BANDS),
               auctions = flow_has(m, FLOW_BIT_AUCTIONS), mass = flow_has(m, FLOW_BIT_MASS);
    m->rates = (struct flow_rates){
        .operator_ = auctions || bands ? 20 + flow_below(m, 60) : 100 + flow_below(m, 300),
        .timer = tifs || bands ? 15 + flow_below(m, 50) : 1000,
        .mass = mass ? 40 + flow_below(m, 200) : 0,
        .sweep = small ? 60 : 250,
        .kill = mass ? 100 + flow_below(m, 300) : 0,
        .rare = 300,
        .jump = 30 + flow_below(m, 200),
        .far_percent = 2,
        .cancel_percent = 6 + flow_below(m, 14),
        .replace_percent = 3 + flow_below(m, 8),
        .amend_percent = flow_has(m, FLOW_BIT_AMEND) ? 5 + flow_below(m, 12) : 0,
        .quote_percent = flow_has(m, FLOW_BIT_QUOTES) ? 5 + flow_below(m, 15) : 0,
        .terms_percent = 40 + flow_below(m, 55),
        .wrong_percent = flow_has(m, FLOW_BIT_WRONG) ? 5 + flow_below(m, 25) : 0,
        .bad_percent = 1};
}

/* Tables in which there is room; in some flows one that is always full, or all: then true. */
static bool choose_tables(struct flow_maker *m)
{
    static const uint32_t ORDERS[] = {200, 200, 200, 100}, SMALL_ORDERS[] = {1, 5, 12, 20};
    static const uint32_t LEVELS[] = {256, 256, 128, 64}, SMALL_LEVELS[] = {1, 2, 4, 8};
    static const uint32_t TERMS[] = {256, 256, 128, 64}, SMALL_TERMS[] = {1, 2, 4, 9};
    struct sb_engine_limits *l = &m->flow->limits;
    l->orders_max = ORDERS[flow_below(m, 4)];
    l->levels_max = LEVELS[flow_below(m, 4)];
    l->terms_max = TERMS[flow_below(m, 4)];
    switch (flow_below(m, 24)) { /* one table small, seldom all */
    case 0:
        l->orders_max = SMALL_ORDERS[flow_below(m, 4)];
        break;
    case 1:
        l->levels_max = SMALL_LEVELS[flow_below(m, 4)];
        break;
    case 2:
        l->terms_max = SMALL_TERMS[flow_below(m, 4)];
        break;
    case 3:
        l->orders_max = SMALL_ORDERS[flow_below(m, 4)];
        l->levels_max = SMALL_LEVELS[flow_below(m, 4)];
        l->terms_max = SMALL_TERMS[flow_below(m, 4)];
        break;
    default:
        return false;
    }
    return true;
}

static uint32_t some_features(struct flow_maker *m)
{
    uint32_t features = 0;
    const uint32_t n = 2 + flow_below(m, 5);
    for (uint32_t i = 0; i < n; i++)
        features |= 1u << flow_below(m, FLOW_FEATURES_N);
    return features;
}

/* Nothing that keeps queues short. */
static uint32_t features_of_queues(struct flow_maker *m)
{
    static const enum flow_feature_bit BITS[] = {FLOW_BIT_MARKET, FLOW_BIT_STOPS, FLOW_BIT_ICEBERGS,
                                                 FLOW_BIT_DARK,   FLOW_BIT_OCO,   FLOW_BIT_TIFS,
                                                 FLOW_BIT_STP,    FLOW_BIT_AMEND};
    uint32_t features = 1u << FLOW_BIT_PRO_RATA;
    for (uint32_t k = 0; k < sizeof BITS / sizeof BITS[0]; k++)
        features |= flow_one_in(m, 2) ? 1u << BITS[k] : 0;
    return features;
}

static void choose_featured(struct flow_maker *m, uint64_t seed)
{
    struct sb_engine_limits *l = &m->flow->limits;
    const uint32_t profile = (uint32_t)(seed % 16);
    const bool hostile = profile == 13 || profile == 14;
    m->features = profile <= 5   ? 1u << (seed / 16 * 5 + profile - 1) % FLOW_FEATURES_N
                  : profile <= 9 ? some_features(m)
                                 : FLOW_ALL;
    m->crowd = seed % 128 == 127;
    if (m->crowd) {
        m->waits = seed / 128 % 2 == 1;
        m->features = m->waits ? 1u << FLOW_BIT_MINIMUM | 1u << FLOW_BIT_DARK
                               : 1u << FLOW_BIT_PEGS | 1u << FLOW_BIT_STOPS;
    }
    m->queues = seed % 32 == 31 && !m->crowd;
    if (m->queues)
        m->features = features_of_queues(m);
    l->instruments_max = profile == 15 ? 6 + flow_below(m, 11) : hostile ? 1 : 1 + flow_below(m, 3);
    l->sessions_max = hostile ? 2 + flow_below(m, 2) : 3 + flow_below(m, 4);
    m->firms = 1 + flow_below(m, 3);
    m->reach = hostile ? 1 + flow_below(m, 3) : 2 + flow_below(m, 6);
    m->lots = flow_one_in(m, 3) ? 3 : 20;
    choose_rates(m, choose_tables(m));
    if (m->crowd) {
        l->instruments_max = 1;
        l->orders_max = l->levels_max = l->terms_max = 1024;
        m->rates.sweep = 4000;
        m->rates.operator_ = 2000;
        m->rates.cancel_percent = 3;
        m->rates.terms_percent = 95;
    }
    if (m->queues) {
        l->instruments_max = 1;
        l->orders_max = l->levels_max = l->terms_max = 1024;
        m->rates.sweep = 4000;
        m->rates.operator_ = 2000;
        m->rates.terms_percent = 30;
    }
    m->big_quantities = !m->queues && flow_one_in(m, 40);
    static const char *const WORDS[] = {
        "plain",      "one family", "one family", "one family",      "one family", "one family",
        "mixture",    "mixture",    "mixture",    "mixture",         "everything", "everything",
        "everything", "hostile",    "hostile",    "many instruments"};
    say_about(m, m->crowd ? "crowd" : m->queues ? "long queues" : WORDS[profile]);
}

void flow_choose(struct flow_maker *m, uint64_t seed)
{
    if (seed % 16 == 0) {
        choose_plain(m);
        say_about(m, "plain");
    } else {
        choose_featured(m, seed);
    }
    m->flow->limits.window_levels = 64u << flow_below(m, 4);
}

/* --- sessions --------------------------------------------------------------------------------- */

/* Mostly none; mostly such that most orders pass. */
static uint32_t some_limit(struct flow_maker *m, uint32_t usual)
{
    const uint32_t p = flow_below(m, 12);
    return p < 7    ? 0
           : p < 11 ? usual / 2 + 1 + flow_below(m, usual)
                    : 1 + flow_below(m, usual / 4 + 1);
}

void flow_make_session(struct flow_maker *m, uint32_t index)
{
    struct sb_command2 *c = flow_append(m, SB_CMD_SESSION);
    c->c.flags = SB_CMD_F_EXT;
    c->c.key = index;
    c->c.firm = flow_firm(m, index);
    c->ext.session.operator_right = index == 1 || flow_one_in(m, 4);
    if (flow_has(m, FLOW_BIT_STP)) {
        c->ext.session.stp = (uint8_t)flow_below(m, SB_STP_DECREMENT + 1);
        c->ext.session.stp_group = flow_below(m, 3);
    }
    if (flow_has(m, FLOW_BIT_LIMITS)) {
        const uint32_t quantity = m->lots * 100; /* of the largest lot */
        c->ext.session.orders_max = some_limit(m, 16);
        c->ext.session.quantity_max = some_limit(m, quantity);
        c->ext.session.notional_max = some_limit(m, quantity * 3);
    }
}

/* --- instruments ------------------------------------------------------------------------------ */

static void plain_prices(struct flow_maker *m, struct flow_instrument *i)
{
    static const int64_t TICKS[] = {1, 7, 100, 100, 2500};
    const int64_t tick = i->tick = TICKS[flow_below(m, 5)];
    i->low = tick * (flow_one_in(m, 2) ? 1 : 1 + (int64_t)flow_below(m, 1000));
    i->high = flow_one_in(m, 2) ? SB_PRICE_MAX / tick * tick : i->low + tick * flow_below(m, 5000);
    i->middle = i->low + (i->high - i->low) / tick / 3 * tick;
    i->lot = flow_one_in(m, 2) ? 1 : 100;
    i->quantity_max = flow_one_in(m, 2) ? SB_QUANTITY_MAX : 5000;
}

static void featured_prices(struct flow_maker *m, struct flow_instrument *i)
{
    static const int64_t TICKS[] = {1, 100, 100, 25};
    static const uint32_t LOTS[] = {1, 1, 10, 100};
    const int64_t tick = i->tick = TICKS[flow_below(m, 4)], middle = 30 + flow_below(m, 1500),
                  span = flow_one_in(m, 4) ? 2 + flow_below(m, 8) : 20 + flow_below(m, 2000);
    i->middle = tick * middle;
    i->low = tick * (middle > span ? middle - span : 1);
    i->high = tick * (middle + span);
    i->lot = LOTS[flow_below(m, 4)];
    i->quantity_max = flow_one_in(m, 3) && !m->queues ? i->lot * 40 : SB_QUANTITY_MAX;
}

/* A band of `ticks` ticks at the instrument's middle; seldom one so wide that it has no lower limit. */
static uint16_t band(struct flow_maker *m, const struct flow_instrument *i, uint32_t ticks)
{
    if (flow_one_in(m, 12))
        return flow_one_in(m, 2) ? 10000 : (uint16_t)(9990 + flow_below(m, 50000));
    const int64_t ratio = (int64_t)ticks * 10000 / (i->middle / i->tick);
    return (uint16_t)(ratio < 1 ? 1 : ratio > 9999 ? 9999 : ratio);
}

static void add_rules(struct flow_maker *m, struct flow_instrument *i, struct sb_command2 *c)
{
    static const uint32_t PAUSES[] = {0, 1, 2, 5};
    if (m->queues || (flow_has(m, FLOW_BIT_PRO_RATA) && !flow_one_in(m, 4))) {
        const uint32_t least[] = {0, i->lot, 2 * i->lot, 3};
        c->ext.instrument.matching = SB_MATCH_PRO_RATA;
        c->ext.instrument.pro_rata_min = least[flow_below(m, 4)];
    }
    if (flow_has(m, FLOW_BIT_AUCTIONS))
        c->ext.instrument.tie = (uint8_t)flow_below(m, SB_TIE_LOWEST + 1);
    if (flow_has(m, FLOW_BIT_BANDS)) {
        c->ext.instrument.band_action = (uint8_t)flow_below(m, SB_BAND_PAUSE + 1);
        if (!flow_one_in(m, 3))
            c->ext.instrument.static_band = band(m, i, m->reach + 2 + flow_below(m, 9));
        if (!flow_one_in(m, 4))
            c->ext.instrument.dynamic_band = band(m, i, 1 + flow_below(m, 5));
        c->ext.instrument.pause_ms = i->pause_ms = PAUSES[flow_below(m, 4)];
    }
    if (flow_has(m, FLOW_BIT_BANDS) || flow_has(m, FLOW_BIT_AUCTIONS)) {
        const int64_t reference = i->middle + i->tick * ((int64_t)flow_below(m, 7) - 3);
        if (!flow_one_in(m, 3))
            c->ext.instrument.reference_price = (uint32_t)(reference < i->low    ? i->low
                                                           : reference > i->high ? i->high
                                                                                 : reference);
        if (flow_one_in(m, 60)) /* off tick: it is not defined then */
            c->ext.instrument.reference_price++;
    }
    if (flow_has(m, FLOW_BIT_LIMITS) && flow_one_in(m, 3)) {
        const uint64_t usual = (uint64_t)i->middle * i->lot * m->lots / 10000;
        c->ext.instrument.notional_max = (uint32_t)(usual / 2 + 1 + flow_random(m) % (usual + 1));
    }
}

void flow_make_instrument(struct flow_maker *m, uint32_t index)
{
    struct flow_instrument *i = &m->instruments[index <= FLOW_INSTRUMENTS ? index : 0];
    struct sb_command2 *c = flow_append(m, SB_CMD_INSTRUMENT);
    c->c.flags = SB_CMD_F_EXT;
    c->c.instrument = index;
    memcpy(c->ext.instrument.symbol, "SYM     ", 8);
    c->ext.instrument.symbol[3] = (char)('A' + index % 26);
    if (m->plain)
        plain_prices(m, i);
    else
        featured_prices(m, i);
    i->phase = flow_one_in(m, m->plain ? 4 : 8) ? (uint8_t)flow_below(m, 4) : SB_PHASE_CONTINUOUS;
    c->ext.instrument.tick = i->tick;
    c->ext.instrument.price_min = i->low;
    c->ext.instrument.price_max = i->high;
    c->ext.instrument.lot = i->lot;
    c->ext.instrument.quantity_max = i->quantity_max;
    c->ext.instrument.phase = i->phase;
    i->home = i->middle;
    add_rules(m, i, c);
}

/* A definition that must be ignored. */
void flow_make_bad_instrument(struct flow_maker *m)
{
    const uint32_t index =
        flow_below(m, 2) != 0 ? m->flow->limits.instruments_max + 1 : flow_below(m, 6);
    struct sb_command2 *c = flow_append(m, SB_CMD_INSTRUMENT);
    c->c.flags = SB_CMD_F_EXT;
    c->c.instrument = index;
    memcpy(c->ext.instrument.symbol, flow_one_in(m, 4) ? "        " : "SYMB    ", 8);
    c->ext.instrument.tick = (int64_t)flow_below(m, 3) * 100 - 100;
    c->ext.instrument.price_min = (int64_t)flow_below(m, 300);
    c->ext.instrument.price_max =
        flow_one_in(m, 2) ? SB_PRICE_MAX + 100 : (int64_t)flow_below(m, 4) * 100;
    c->ext.instrument.lot = flow_below(m, 2);
    c->ext.instrument.quantity_max = flow_one_in(m, 2) ? SB_QUANTITY_MAX + 1 : 0;
    c->ext.instrument.phase = (uint8_t)flow_below(m, 6);
}
