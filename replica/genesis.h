/* genesis.h: what of the configuration goes into the log: the commands that define sessions and instruments, and those that
 * enter the orders of an earlier day (carry.h).
 *
 * The first owner sequences them behind DAY, and whoever judges its outputs makes the same ones. Who becomes the owner before all
 * are there sequences the rest: the log's length says which. From then on the log says what
 * sessions, instruments and earlier orders are, all day long: a node whose configuration says otherwise of them does not go on with it,
 * neither as an owner nor as a shadow (sb_node_differs()). A token is not among them: the door knows it. DAY says under which
 * rules of the engine the log was made (engine.h): a node of others takes nothing of it. */
#ifndef SHADOWBOOK_REPLICA_GENESIS_H
#define SHADOWBOOK_REPLICA_GENESIS_H

#include <string.h>

#include "shadowbook/command.h"
#include "shadowbook/config.h"
#include "shadowbook/engine.h"

static inline void sb_genesis_session(const struct sb_session_config *s, uint32_t index,
                                      struct sb_command2 *c)
{
    memset(c, 0, sizeof *c);
    c->c.kind = SB_CMD_SESSION;
    c->c.flags = SB_CMD_F_EXT;
    c->c.key = index;
    c->c.firm = s->firm;
    c->ext.session.operator_right = s->operator_right;
    c->ext.session.stp = s->stp;
    c->ext.session.stp_group = s->stp_group;
    c->ext.session.orders_max = s->orders_max;
    c->ext.session.quantity_max = s->quantity_max;
    c->ext.session.notional_max = s->notional_max;
}

static inline void sb_genesis_instrument(const struct sb_instrument_config *in, uint32_t index,
                                         struct sb_command2 *c)
{
    memset(c, 0, sizeof *c);
    c->c.kind = SB_CMD_INSTRUMENT;
    c->c.flags = SB_CMD_F_EXT;
    c->c.instrument = index;
    memcpy(c->ext.instrument.symbol, in->symbol, sizeof c->ext.instrument.symbol);
    c->ext.instrument.tick = in->tick;
    c->ext.instrument.price_min = in->price_min;
    c->ext.instrument.price_max = in->price_max;
    c->ext.instrument.lot = in->lot;
    c->ext.instrument.quantity_max = in->quantity_max;
    c->ext.instrument.phase = in->phase;
    c->ext.instrument.matching = in->matching;
    c->ext.instrument.tie = in->tie;
    c->ext.instrument.band_action = in->band_action;
    c->ext.instrument.static_band = in->static_band;
    c->ext.instrument.dynamic_band = in->dynamic_band;
    c->ext.instrument.pause_ms = in->pause_ms;
    c->ext.instrument.notional_max = in->notional_max;
    c->ext.instrument.reference_price = in->reference_price;
    c->ext.instrument.pro_rata_min = in->pro_rata_min;
}

/* The last input of the log that defines; the first is 2, behind DAY. */
static inline uint64_t sb_genesis_defined(const struct sb_config *cfg)
{
    return UINT64_C(1) + cfg->sessions_n + cfg->instruments_n;
}

/* The last input that is the configuration's: an order of an earlier day, if there are such. */
static inline uint64_t sb_genesis_last(const struct sb_config *cfg)
{
    return sb_genesis_defined(cfg) + cfg->carry_n;
}

/* Input n of the log, 2 up to the last of the configuration's. */
void sb_genesis_command(const struct sb_config *cfg, uint64_t n, struct sb_command2 *c);

/* Of the orders of an earlier day; 0: there are none. Two engines begin a day only if theirs are equal, and its DAY has it: so
 * whoever goes on with a log or a state in which they are not all yet has those that are missing. O(carry_n). */
uint64_t sb_genesis_carry_hash(const struct sb_config *cfg);

/* Is c, from a log, what this configuration has at its place? Behind the last: everything but what would be the configuration's. */
bool sb_genesis_agrees(const struct sb_config *cfg, const struct sb_command *c);

/* The same of a state that a log led to: the first input that must have been another one, 0: none. Not looked at: an instrument's
 * phase and reference price, which the day changes. Orders of an earlier day come and go: DAY (1) says which. O(sessions_n +
 * instruments_n + carry_n). */
uint64_t sb_genesis_differs(const struct sb_config *cfg, const struct sb_engine *e);

#endif
