#include "random_flow.h"

#include <stdlib.h>
#include <string.h>

#include "flow_maker.h"
#include "shadowbook/assert.h"

enum { STEP_NS = 1000, SLACK = 128 }; /* slack: definitions, and what one turn may append */

struct sb_command2 *flow_append(struct flow_maker *m, uint8_t kind)
{
    SB_ASSERT_LT(m->flow->n, m->room);
    struct sb_command2 *c = &m->flow->commands[m->flow->n++];
    c->c.kind = kind;
    c->c.time_ns = m->now_ns += STEP_NS;
    return c;
}

void flow_number(struct flow_maker *m, struct sb_command *c)
{
    const uint32_t s = flow_own(c->session);
    if (flow_one_in(m, 3))
        return; /* not numbered */
    if (flow_one_in(m, m->plain ? 60 : 300))
        c->session_seq = m->last_session_seq[s] - flow_below(m, 2);
    else
        c->session_seq = m->last_session_seq[s] += 1 + (flow_one_in(m, 20) ? flow_below(m, 3) : 0);
}

uint32_t flow_session(struct flow_maker *m)
{
    return flow_one_in(m, 300) ? 1 + flow_below(m, 10)
                               : 1 + flow_below(m, m->flow->limits.sessions_max);
}

uint32_t flow_instrument(struct flow_maker *m)
{
    return 1 + flow_below(m, m->flow->limits.instruments_max);
}

static void make_login(struct flow_maker *m)
{
    struct sb_command2 *c = flow_append(m, SB_CMD_LOGIN);
    c->c.session = flow_session(m);
    c->c.flags = SB_CMD_F_EXT;
    c->c.price = flow_one_in(m, 10) ? (int64_t)flow_random(m) : (int64_t)flow_below(m, 3);
    c->ext.login.ipv4 = (uint32_t)flow_random(m);
    c->ext.login.port = (uint16_t)flow_random(m);
    flow_number(m, &c->c);
}

static void make_invalid(struct flow_maker *m)
{
    struct sb_command2 *c = flow_append(m, SB_CMD_INVALID);
    c->c.session = flow_session(m);
    c->c.flags = flow_one_in(m, 2) ? SB_CMD_F_SKIP_KEY : 0;
    c->c.key = flow_new_key(m, c->c.session);
    c->c.reason = (uint8_t)flow_random(m);
    flow_number(m, &c->c);
}

static void make_day(struct flow_maker *m)
{
    struct sb_command2 *c = flow_append(m, SB_CMD_DAY);
    c->c.flags = SB_CMD_F_EXT;
    c->ext.day.midnight_ns = RANDOM_FLOW_START_NS;
    c->ext.day.trading_day = 20000101;
    c->ext.day.shard = 1;
    c->ext.day.rules = SB_ENGINE_RULES;
}

static void make_rare(struct flow_maker *m)
{
    switch (flow_below(m, 6)) {
    case 0:
        flow_make_bad_instrument(m);
        break;
    case 1:
        flow_make_session(m, flow_below(m, FLOW_SESSIONS));
        break;
    case 2:
        make_day(m);
        break;
    case 3:
        make_invalid(m);
        break;
    default:
        make_login(m);
    }
}

static void make_client(struct flow_maker *m)
{
    const struct flow_rates *r = &m->rates;
    uint32_t p = flow_below(m, 100);
    if (p < r->cancel_percent) {
        flow_make_cancel(m);
        return;
    }
    p -= r->cancel_percent;
    if (p < r->replace_percent) {
        flow_make_replace(m);
        return;
    }
    p -= r->replace_percent;
    if (p < r->amend_percent) {
        flow_make_amend(m);
        return;
    }
    p -= r->amend_percent;
    if (p < r->quote_percent)
        flow_make_quote(m);
    else
        flow_make_order(m);
}

static bool due(struct flow_maker *m, uint32_t one_in_so_many)
{
    return one_in_so_many != 0 && flow_one_in(m, one_in_so_many);
}

/* How often the operator acts: an instrument that does not trade should soon again. */
static uint32_t operator_pace(const struct flow_maker *m)
{
    uint32_t pace = m->rates.operator_;
    for (uint32_t i = 1; !m->plain && i <= m->flow->limits.instruments_max; i++) {
        const uint8_t phase = m->instruments[i].phase;
        const uint32_t wanted = phase == SB_PHASE_CONTINUOUS ? pace
                                : phase == SB_PHASE_AUCTION  ? 25
                                                             : 10;
        pace = wanted < pace ? wanted : pace;
    }
    return pace;
}

static void make_any(struct flow_maker *m)
{
    const struct flow_rates *r = &m->rates;
    if (due(m, r->jump)) /* up to 4 ms, in whole STEP_NS */
        m->now_ns += UINT64_C(1000) * (1 + flow_below(m, 4000));
    if (due(m, operator_pace(m)))
        flow_make_operator(m);
    else if (due(m, r->timer))
        flow_make_timer(m);
    else if (due(m, r->mass))
        flow_make_mass_cancel(m);
    else if (due(m, r->sweep))
        flow_make_sweep(m);
    else if (due(m, m->killed_n > 0 ? 12 : r->kill))
        flow_make_kill(m);
    else if (due(m, r->rare))
        make_rare(m);
    else
        make_client(m);
}

void random_flow_make(struct random_flow *flow, uint64_t seed, uint32_t n)
{
    struct flow_maker m = {.random = seed * UINT64_C(0xd1342543de82ef95) + 1,
                           .now_ns = RANDOM_FLOW_START_NS,
                           .flow = flow,
                           .room = n + SLACK};
    *flow = (struct random_flow){.commands = calloc(m.room, sizeof(struct sb_command2))};
    SB_ASSERT(flow->commands != NULL);
    flow_choose(&m, seed);
    if (flow_one_in(&m, 4))
        flow_make_session(&m, 1); /* before the day: ignored */
    make_day(&m);
    for (uint32_t s = 1; s <= flow->limits.sessions_max; s++)
        flow_make_session(&m, s);
    for (uint32_t i = 1; i <= flow->limits.instruments_max; i++)
        flow_make_instrument(&m, i);
    while (flow->n < n)
        make_any(&m);
}
