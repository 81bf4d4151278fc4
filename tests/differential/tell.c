#include "tell.h"

#include <inttypes.h>

#include "tests/reason_names.h"

#define NAME(table, i)                                                                             \
    ((i) < sizeof(table) / sizeof *(table) && (table)[i] != NULL ? (table)[i] : "?")

static const char *const commands[] = {
    [SB_CMD_DAY] = "DAY",
    [SB_CMD_SESSION] = "SESSION",
    [SB_CMD_INSTRUMENT] = "INSTRUMENT",
    [SB_CMD_TIMER] = "TIMER",
    [SB_CMD_PHASE] = "PHASE",
    [SB_CMD_UNCROSS] = "UNCROSS",
    [SB_CMD_INDICATIVE] = "INDICATIVE",
    [SB_CMD_MASS_CANCEL] = "MASS_CANCEL",
    [SB_CMD_KILL] = "KILL",
    [SB_CMD_LOGIN] = "LOGIN",
    [SB_CMD_ORDER] = "ORDER",
    [SB_CMD_CANCEL] = "CANCEL",
    [SB_CMD_REPLACE] = "REPLACE",
    [SB_CMD_REDUCE] = "REDUCE",
    [SB_CMD_INVALID] = "INVALID",
    [SB_CMD_AMEND] = "AMEND",
    [SB_CMD_QUOTE] = "QUOTE",
    [SB_CMD_CARRY] = "CARRY",
};
static const char *const outputs[] = {
    [SB_OUT_LOGIN] = "Login",
    [SB_OUT_ACCEPTED] = "Accepted",
    [SB_OUT_REPLACED] = "Replaced",
    [SB_OUT_CANCELED] = "Canceled",
    [SB_OUT_EXECUTED] = "Executed",
    [SB_OUT_REJECTED] = "Rejected",
    [SB_OUT_OPERATOR] = "Operator",
    [SB_OUT_SYSTEM] = "System",
    [SB_OUT_AMENDED] = "Amended",
    [SB_OUT_TRIGGERED] = "Triggered",
    [SB_OUT_MASS] = "Mass",
    [SB_OUT_QUOTED] = "Quoted",
    [SB_OUT_F_SYSTEM] = "F_SYSTEM",
    [SB_OUT_F_DIRECTORY] = "F_DIRECTORY",
    [SB_OUT_F_PHASE] = "F_PHASE",
    [SB_OUT_F_ADD] = "F_ADD",
    [SB_OUT_F_EXECUTED] = "F_EXECUTED",
    [SB_OUT_F_EXECUTED_AT] = "F_EXECUTED_AT",
    [SB_OUT_F_REDUCED] = "F_REDUCED",
    [SB_OUT_F_DELETED] = "F_DELETED",
    [SB_OUT_F_REPLACED] = "F_REPLACED",
    [SB_OUT_F_CROSS] = "F_CROSS",
    [SB_OUT_F_TRADE] = "F_TRADE",
    [SB_OUT_F_INDICATIVE] = "F_INDICATIVE",
};
static const char *const types[] = {"limit", "market",     "market-to-limit",
                                    "stop",  "stop-limit", "trailing-stop"};
static const char *const tifs[] = {"DAY", "IOC", "GTC", "GTD", "FOK", "AT_OPEN", "AT_CLOSE"};
static const char *const phases[] = {"CLOSED", "AUCTION", "CONTINUOUS", "HALTED"};
static const char *const auctions[] = {"INTRADAY", "OPENING", "CLOSING", "VOLATILITY"};
static const char *const pegs[] = {"none", "PRIMARY", "MARKET", "MIDPOINT"};
static const char *const scopes[] = {"SESSION", "FIRM", "ALL"};
static const char *const stps[] = {"none", "NEWEST", "OLDEST", "BOTH", "DECREMENT"};
static const char *const ties[] = {"PRESSURE", "REFERENCE", "HIGHEST", "LOWEST"};
static const char *const states[] = {"visible", "dark", "parked"};

const char *tell_output_kind(uint8_t kind)
{
    return NAME(outputs, kind);
}

const char *tell_reason(uint8_t reason)
{
    return NAME(REASON_NAMES, reason);
}

static const char *side_of(uint8_t side)
{
    static const char *const SIDES[] = {"buy", "sell", NULL, "sell-short", NULL, "sell-exempt"};
    return NAME(SIDES, side);
}

static void number(FILE *to, const char *name, int64_t value)
{
    if (value != 0)
        fprintf(to, " %s %" PRId64, name, value);
}

static void instrument(FILE *to, uint32_t index)
{
    if (index == SB_INSTRUMENT_ALL)
        fprintf(to, " all");
    else
        fprintf(to, " i%u", index);
}

/* --- commands ---------------------------------------------------------------------------------- */

static void terms(FILE *to, const struct sb_command2 *both, uint64_t start_ns)
{
    if (both->c.flags == 0)
        return;
    if (both->ext.order.type != SB_TYPE_LIMIT)
        fprintf(to, " %s", NAME(types, both->ext.order.type));
    if ((both->ext.order.attributes & SB_ATTR_HIDDEN) != 0)
        fprintf(to, " HIDDEN");
    if ((both->ext.order.attributes & SB_ATTR_POST_ONLY) != 0)
        fprintf(to, " POST_ONLY");
    if ((both->ext.order.attributes & SB_ATTR_ALL_OR_NONE) != 0)
        fprintf(to, " ALL_OR_NONE");
    if ((both->ext.order.attributes & SB_ATTR_REDUCE_ONLY) != 0)
        fprintf(to, " REDUCE_ONLY");
    if (both->ext.order.peg != 0)
        fprintf(to, " peg %s", NAME(pegs, both->ext.order.peg));
    number(to, "offset", both->ext.order.peg_offset);
    number(to, "stop", both->ext.order.stop_price);
    number(to, "trail", both->ext.order.trail);
    number(to, "display", both->ext.order.display_quantity);
    number(to, "range", both->ext.order.refresh_range);
    number(to, "minimum", both->ext.order.min_quantity);
    number(to, "oco k", both->ext.order.oco_key);
    if (both->ext.order.expire_ns != 0)
        fprintf(to, " expires +%" PRId64, (int64_t)(both->ext.order.expire_ns - start_ns));
}

static void order(FILE *to, const struct sb_command2 *both, uint64_t start_ns)
{
    const struct sb_command *c = &both->c;
    if (c->kind == SB_CMD_REPLACE)
        fprintf(to, " of k%u", c->orig_key);
    else
        instrument(to, c->instrument);
    if (c->kind != SB_CMD_REPLACE)
        fprintf(to, " %s", side_of(c->side));
    fprintf(to, " %u @ %" PRId64, c->quantity, c->price);
    if (c->tif != SB_TIF_DAY)
        fprintf(to, " %s", NAME(tifs, c->tif));
    terms(to, both, start_ns);
}

static void quote(FILE *to, const union sb_command_ext *x)
{
    for (uint32_t k = 0; k < x->quote.count; k++) {
        const struct sb_quote *q = &x->quote.entry[k];
        fprintf(to, " [i%u %u @ %u / %u @ %u]", q->instrument, q->bid_quantity, q->bid_price,
                q->ask_quantity, q->ask_price);
    }
}

static void define_instrument(FILE *to, const struct sb_command2 *both)
{
    const union sb_command_ext *x = &both->ext;
    instrument(to, both->c.instrument);
    fprintf(to, " '%.8s' tick %" PRId64 " limits %" PRId64 "..%" PRId64 " lot %u max %u phase %s",
            x->instrument.symbol, x->instrument.tick, x->instrument.price_min,
            x->instrument.price_max, x->instrument.lot, x->instrument.quantity_max,
            NAME(phases, x->instrument.phase));
    if (x->instrument.matching == SB_MATCH_PRO_RATA)
        fprintf(to, " PRO_RATA");
    number(to, "pro_rata_min", x->instrument.pro_rata_min);
    if (x->instrument.tie != 0)
        fprintf(to, " tie %s", NAME(ties, x->instrument.tie));
    number(to, "static_band", x->instrument.static_band);
    number(to, "dynamic_band", x->instrument.dynamic_band);
    if (x->instrument.band_action == SB_BAND_PAUSE)
        fprintf(to, " PAUSE %u ms", x->instrument.pause_ms);
    number(to, "reference", x->instrument.reference_price);
    number(to, "notional_max", x->instrument.notional_max);
}

static void define_session(FILE *to, const struct sb_command2 *both)
{
    const union sb_command_ext *x = &both->ext;
    fprintf(to, " s%u firm %u", both->c.key, both->c.firm);
    if (x->session.operator_right != 0)
        fprintf(to, " operator");
    if (x->session.stp != 0)
        fprintf(to, " stp %s", NAME(stps, x->session.stp));
    number(to, "group", x->session.stp_group);
    number(to, "orders_max", x->session.orders_max);
    number(to, "quantity_max", x->session.quantity_max);
    number(to, "notional_max", x->session.notional_max);
}

static void mass(FILE *to, const struct sb_command *c)
{
    fprintf(to, " %s %u", NAME(scopes, c->scope), c->orig_key);
    if (c->kind == SB_CMD_KILL) {
        fprintf(to, " %s", c->quantity != 0 ? "on" : "off");
        return;
    }
    instrument(to, c->instrument);
    if ((c->flags & SB_CMD_F_ONE_SIDE) != 0)
        fprintf(to, " %ss only", side_of(c->side));
}

void tell_command(FILE *to, const struct sb_command2 *both, uint64_t start_ns)
{
    const struct sb_command *c = &both->c;
    fprintf(to, "+%-9" PRIu64 " %-11s", c->time_ns - start_ns, NAME(commands, c->kind));
    if (c->session != 0)
        fprintf(to, " s%u", c->session);
    if (c->key != 0 && c->kind != SB_CMD_SESSION)
        fprintf(to, " k%u", c->key);
    switch (c->kind) {
    case SB_CMD_ORDER:
    case SB_CMD_REPLACE:
    case SB_CMD_CARRY:
        order(to, both, start_ns);
        break;
    case SB_CMD_AMEND:
        fprintf(to, " to %u @ %" PRId64, c->quantity, c->price);
        break;
    case SB_CMD_CANCEL:
        fprintf(to, " to %u", c->quantity);
        break;
    case SB_CMD_REDUCE:
        fprintf(to, " by %u", c->quantity);
        break;
    case SB_CMD_QUOTE:
        quote(to, &both->ext);
        break;
    case SB_CMD_PHASE:
        instrument(to, c->instrument);
        fprintf(to, " %s", NAME(phases, c->phase));
        if (c->phase == SB_PHASE_AUCTION)
            fprintf(to, " %s", NAME(auctions, c->auction));
        break;
    case SB_CMD_UNCROSS:
    case SB_CMD_INDICATIVE:
    case SB_CMD_TIMER:
        instrument(to, c->instrument);
        break;
    case SB_CMD_MASS_CANCEL:
    case SB_CMD_KILL:
        mass(to, c);
        break;
    case SB_CMD_INSTRUMENT:
        define_instrument(to, both);
        break;
    case SB_CMD_SESSION:
        define_session(to, both);
        break;
    case SB_CMD_INVALID:
        fprintf(to, " reason %u flags %u", c->reason, c->flags);
        break;
    case SB_CMD_LOGIN:
        fprintf(to, " nonce %" PRId64, c->price);
        break;
    default:
        break;
    }
    if (c->session_seq != 0)
        fprintf(to, " (no %" PRIu64 ")", c->session_seq);
    fprintf(to, "\n");
}

/* --- outputs and orders ------------------------------------------------------------------------ */

void tell_output(FILE *to, const struct sb_output *o)
{
    fprintf(to, "%-13s", NAME(outputs, o->kind));
    if (o->stream != SB_STREAM_FEED)
        fprintf(to, " s%u", o->stream);
    if (o->key != 0)
        fprintf(to, " k%u", o->key);
    if (o->orig_key != 0)
        fprintf(to, " of k%u", o->orig_key);
    if (o->instrument != 0)
        instrument(to, o->instrument);
    switch (o->kind) {
    case SB_OUT_OPERATOR:
    case SB_OUT_F_PHASE:
        fprintf(to, " %s", NAME(phases, o->side >> SB_OUT_PHASE_SHIFT & 3u));
        break;
    case SB_OUT_LOGIN:
    case SB_OUT_SYSTEM:
    case SB_OUT_MASS:
    case SB_OUT_QUOTED:
    case SB_OUT_REJECTED:
    case SB_OUT_F_SYSTEM:
    case SB_OUT_F_DIRECTORY:
    case SB_OUT_F_CROSS:
        if (o->side != 0)
            fprintf(to, " side %u", o->side);
        break;
    default:
        fprintf(to, " %s", side_of(o->side & SB_OUT_SIDE_MASK));
        if ((o->side & SB_OUT_IOC) != 0)
            fprintf(to, " IOC");
        if ((o->side & ~(SB_OUT_SIDE_MASK | SB_OUT_IOC)) != 0)
            fprintf(to, " side 0x%02x", o->side);
    }
    number(to, "quantity", o->quantity);
    number(to, "@", o->price);
    number(to, "ref", (int64_t)o->ref);
    number(to, "match", (int64_t)o->match);
    if (o->reason != 0 &&
        (o->kind == SB_OUT_ACCEPTED || o->kind == SB_OUT_REPLACED || o->kind == SB_OUT_AMENDED))
        fprintf(to, " capacity %u", o->reason);
    else if (o->reason != 0)
        fprintf(to, " %s", NAME(REASON_NAMES, o->reason));
    if (o->liquidity != 0)
        fprintf(to, " '%c'", o->liquidity);
    fprintf(to, " (no %" PRIu64 ")\n", o->stream_seq);
}

void tell_order(FILE *to, const struct sb_order_view *o)
{
    fprintf(to, "%-7s ref %" PRIu64 " s%u k%u %s %u", NAME(states, o->state), o->ref, o->session,
            o->key, side_of(o->side), o->open);
    number(to, "reserve", o->reserve);
    fprintf(to, " @ %" PRId64 " %s", o->price, NAME(tifs, o->tif));
    number(to, "executed", o->executed);
    fprintf(to, "\n");
}
