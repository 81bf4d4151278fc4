#include "replica/genesis.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void sb_genesis_command(const struct sb_config *cfg, uint64_t n, struct sb_command2 *c)
{
    const uint32_t index = (uint32_t)(n - 1);
    if (index <= cfg->sessions_n)
        sb_genesis_session(&cfg->sessions[index], index, c);
    else if (n <= sb_genesis_defined(cfg))
        sb_genesis_instrument(&cfg->instruments[index - cfg->sessions_n], index - cfg->sessions_n,
                              c);
    else
        *c = cfg->carry[n - sb_genesis_defined(cfg) - 1];
}

uint64_t sb_genesis_carry_hash(const struct sb_config *cfg)
{
    if (cfg->carry_n == 0)
        return 0;
    const uint64_t hash = XXH3_64bits(cfg->carry, (size_t)cfg->carry_n * sizeof *cfg->carry);
    return hash != 0 ? hash : 1;
}

/* All but what the sequencer gives it. */
static bool same(const struct sb_command *c, struct sb_command2 *own)
{
    own->c.seq = c->seq;
    own->c.time_ns = c->time_ns;
    return memcmp(c, &own->c, sizeof own->c) == 0 &&
           memcmp(sb_command_ext(c), &own->ext, sizeof own->ext) == 0;
}

bool sb_genesis_agrees(const struct sb_config *cfg, const struct sb_command *c)
{
    if (c->seq > sb_genesis_last(cfg))
        return c->kind != SB_CMD_SESSION && c->kind != SB_CMD_INSTRUMENT && c->kind != SB_CMD_CARRY;
    if (c->seq < 2) /* the day is its first owner's; its rules: sb_load_put() */
        return c->kind != SB_CMD_DAY ||
               sb_command_ext(c)->day.carry_hash == sb_genesis_carry_hash(cfg);
    struct sb_command2 own;
    sb_genesis_command(cfg, c->seq, &own);
    return same(c, &own);
}

/* --- of a state ------------------------------------------------------------------------------------- */

static bool session_is(const struct sb_session_view *v, const struct sb_session_config *s)
{
    return v->defined && v->firm == s->firm && v->operator_right == s->operator_right &&
           v->stp == s->stp && v->stp_group == s->stp_group && v->orders_max == s->orders_max &&
           v->quantity_max == s->quantity_max && v->notional_max == s->notional_max;
}

static bool instrument_is(const struct sb_instrument_view *v, const struct sb_instrument_config *in)
{
    if (!v->defined || !in->present)
        return v->defined == in->present;
    return memcmp(v->symbol, in->symbol, sizeof v->symbol) == 0 && v->tick == in->tick &&
           v->price_min == in->price_min && v->price_max == in->price_max && v->lot == in->lot &&
           v->quantity_max == in->quantity_max && v->matching == in->matching &&
           v->tie == in->tie && v->band_action == in->band_action &&
           v->static_band == in->static_band && v->dynamic_band == in->dynamic_band &&
           v->pause_ms == in->pause_ms && v->notional_max == in->notional_max &&
           v->pro_rata_min == in->pro_rata_min;
}

uint64_t sb_genesis_differs(const struct sb_config *cfg, const struct sb_engine *e)
{
    const uint64_t applied = sb_engine_applied(e);
    uint64_t n = 2;
    if (applied != 0 && sb_engine_day(e)->carry_hash != sb_genesis_carry_hash(cfg))
        return 1;
    for (uint32_t i = 1; i <= cfg->sessions_n && n <= applied; i++, n++)
        if (!session_is(sb_engine_session(e, i), &cfg->sessions[i]))
            return n;
    for (uint32_t i = 1; i <= cfg->instruments_n && n <= applied; i++, n++)
        if (!instrument_is(sb_engine_instrument(e, i), &cfg->instruments[i]))
            return n;
    const bool more = sb_engine_instruments(e) > cfg->instruments_n ||
                      (cfg->sessions_n < cfg->limits.sessions_max &&
                       sb_engine_session(e, cfg->sessions_n + 1)->defined);
    return more ? sb_genesis_defined(cfg) + 1 : 0;
}
