/* flow_operator.c: phases and auctions, time, mass operations. */
#include "flow_maker.h"

static struct sb_command *operation(struct flow_maker *m, uint8_t kind, uint32_t session,
                                    uint32_t instrument)
{
    struct sb_command *c = &flow_append(m, kind)->c;
    c->session = session;
    c->firm = session != 0 ? flow_firm(m, session) : 0;
    c->key = flow_below(m, 100);
    c->instrument = instrument;
    if (c->session != 0)
        flow_number(m, c);
    return c;
}

/* The shard itself, or whoever may or may not. */
static uint32_t operator_(struct flow_maker *m)
{
    return flow_one_in(m, 2) ? 0 : flow_one_in(m, 2) ? 1 : flow_session(m);
}

static void phase(struct flow_maker *m, uint32_t instrument, uint8_t to, uint8_t auction)
{
    struct sb_command *c = operation(m, SB_CMD_PHASE, operator_(m), instrument);
    c->phase = to;
    c->auction = to == SB_PHASE_AUCTION ? auction : 0;
    for (uint32_t i = 1; i <= m->flow->limits.instruments_max; i++) {
        if (instrument == i || instrument == SB_INSTRUMENT_ALL) {
            m->instruments[i].phase = to;
            m->instruments[i].auction = auction;
        }
    }
}

static uint8_t some_auction(struct flow_maker *m)
{
    return flow_has(m, FLOW_BIT_AUCTIONS) ? (uint8_t)flow_below(m, SB_AUCTION_VOLATILITY + 1)
                                          : SB_AUCTION_INTRADAY;
}

static void leave_auction(struct flow_maker *m, uint32_t instrument)
{
    if (flow_one_in(m, 4))
        operation(m, SB_CMD_INDICATIVE, operator_(m), instrument);
    if (!flow_one_in(m, 12))
        operation(m, SB_CMD_UNCROSS, operator_(m), instrument);
    phase(m, instrument, SB_PHASE_CONTINUOUS, 0);
}

/* Mostly on to where trade is. The instrument may be elsewhere than is thought here. */
static void next_phase(struct flow_maker *m, uint32_t instrument, uint8_t from)
{
    const uint32_t p = flow_below(m, 20);
    switch (from) {
    case SB_PHASE_CONTINUOUS:
        if (p < 11)
            phase(m, instrument, SB_PHASE_AUCTION, some_auction(m));
        else if (p < 16)
            leave_auction(m, instrument); /* of a pause, perhaps */
        else if (p < 17)
            phase(m, instrument, SB_PHASE_HALTED, 0);
        else if (p < 18)
            phase(m, instrument, SB_PHASE_CLOSED, 0);
        else
            operation(m, p == 18 ? SB_CMD_UNCROSS : SB_CMD_INDICATIVE, operator_(m), instrument);
        break;
    case SB_PHASE_AUCTION:
        if (p < 11)
            leave_auction(m, instrument);
        else if (p < 14)
            operation(m, SB_CMD_INDICATIVE, operator_(m), instrument);
        else if (p < 16)
            phase(m, instrument, SB_PHASE_AUCTION, some_auction(m));
        else if (p < 18)
            operation(m, SB_CMD_UNCROSS, operator_(m), instrument);
        else
            phase(m, instrument, p == 18 ? SB_PHASE_HALTED : SB_PHASE_CLOSED, 0);
        break;
    default:
        if (p < 10)
            phase(m, instrument, SB_PHASE_AUCTION,
                  flow_one_in(m, 2) ? SB_AUCTION_OPENING : some_auction(m));
        else
            phase(m, instrument, p == 19 ? SB_PHASE_HALTED : SB_PHASE_CONTINUOUS, 0);
    }
}

/* As it was before auctions had a kind: phases and uncrosses without sense. */
static void any_operation(struct flow_maker *m, uint32_t instrument)
{
    const uint32_t p = flow_below(m, 20);
    if (flow_one_in(m, 2))
        operation(m, SB_CMD_UNCROSS, operator_(m), instrument);
    else
        phase(m, instrument,
              p < 14   ? SB_PHASE_CONTINUOUS
              : p < 18 ? SB_PHASE_AUCTION
              : p < 19 ? SB_PHASE_HALTED
                       : SB_PHASE_CLOSED,
              0);
}

static uint32_t one_that_rests(struct flow_maker *m)
{
    uint32_t instrument = flow_instrument(m);
    for (uint32_t tries = 0; tries < 16 && m->instruments[instrument].phase == SB_PHASE_CONTINUOUS;
         tries++)
        instrument = flow_instrument(m);
    return instrument;
}

void flow_make_operator(struct flow_maker *m)
{
    const uint32_t what = flow_below(m, 16);
    const uint32_t instrument = what < 2    ? SB_INSTRUMENT_ALL
                                : what == 2 ? flow_below(m, 20)
                                : what < 9  ? one_that_rests(m)
                                            : flow_instrument(m);
    if (m->plain) {
        any_operation(m, instrument);
        return;
    }
    next_phase(m, instrument, flow_known(m, instrument)->phase);
}

void flow_make_timer(struct flow_maker *m)
{
    const uint64_t expiry = m->expiries[flow_below(m, FLOW_TIMES)];
    const uint32_t instrument = flow_one_in(m, 3) ? flow_instrument(m) : SB_INSTRUMENT_ALL;
    const uint32_t pause_ms = flow_known(m, instrument)->pause_ms;
    uint64_t now = m->now_ns + 1;
    /* Just when an order expires, or a pause that a late command began ends. */
    if (flow_one_in(m, 3) && expiry > now)
        now = expiry;
    else if (flow_one_in(m, 2) && pause_ms != 0 && m->flow->n > 100)
        now = m->flow->commands[m->flow->n - 1 - flow_below(m, 100)].c.time_ns +
              pause_ms * UINT64_C(1000000);
    struct sb_command *c = &flow_append(m, SB_CMD_TIMER)->c;
    c->instrument = flow_one_in(m, 50) ? flow_below(m, 20) : instrument;
    if (now > c->time_ns)
        c->time_ns = m->now_ns = now;
}

static uint32_t some_target(struct flow_maker *m, uint8_t scope)
{
    if (scope == SB_SCOPE_FIRM)
        return flow_firm(m, flow_session(m)) + (flow_one_in(m, 20) ? 7 : 0);
    return flow_one_in(m, 3) ? 0 : flow_session(m);
}

void flow_make_mass_cancel(struct flow_maker *m)
{
    const uint32_t instrument = flow_one_in(m, 3)    ? SB_INSTRUMENT_ALL
                                : flow_one_in(m, 20) ? flow_below(m, 20)
                                                     : flow_instrument(m);
    struct sb_command *c = operation(
        m, SB_CMD_MASS_CANCEL, flow_one_in(m, 3) ? operator_(m) : flow_session(m), instrument);
    c->scope = (uint8_t)flow_below(m, SB_SCOPE_ALL + 1);
    c->orig_key = c->scope == SB_SCOPE_ALL ? 0 : some_target(m, c->scope);
    if (flow_one_in(m, 3)) {
        c->flags = SB_CMD_F_ONE_SIDE;
        c->side = flow_one_in(m, 2) ? SB_BUY : flow_one_in(m, 2) ? SB_SELL : SB_SELL_SHORT;
    }
}

void flow_make_sweep(struct flow_maker *m)
{
    operation(m, SB_CMD_MASS_CANCEL, 0, SB_INSTRUMENT_ALL)->scope = SB_SCOPE_ALL;
}

void flow_make_kill(struct flow_maker *m)
{
    struct sb_command *c = operation(
        m, SB_CMD_KILL, flow_one_in(m, 3) ? flow_session(m) : operator_(m), SB_INSTRUMENT_ALL);
    if (m->killed_n > 0 && !flow_one_in(m, 4)) { /* let in again, by who may */
        const struct sb_command *k = &m->killed[flow_below(m, m->killed_n)];
        c->scope = k->scope;
        c->orig_key = k->orig_key != 0 || k->scope != SB_SCOPE_SESSION ? k->orig_key : k->session;
        c->quantity = 0;
        if (!flow_one_in(m, 6)) {
            c->session = 0;
            c->session_seq = 0;
            m->killed[k - m->killed] = m->killed[--m->killed_n];
        }
        return;
    }
    c->scope = (uint8_t)flow_below(m, SB_SCOPE_FIRM + 1);
    c->orig_key = some_target(m, c->scope);
    c->instrument = flow_one_in(m, 2) ? 0 : SB_INSTRUMENT_ALL;
    c->quantity = 1;
    if (m->killed_n < FLOW_SESSIONS)
        m->killed[m->killed_n++] = *c;
}
