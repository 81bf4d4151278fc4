#include "perf/inspect_words.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "shadowbook/assert.h"

/* --- texts ---------------------------------------------------------------------------------------- */

struct sb_words sb_words_time(uint64_t utc_ns)
{
    struct sb_words w;
    struct tm tm;
    const time_t seconds = (time_t)(utc_ns / 1000000000u);
    SB_ASSERT(gmtime_r(&seconds, &tm) != NULL);
    const size_t n = strftime(w.text, sizeof w.text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(w.text + n, sizeof w.text - n, ".%09" PRIu64 "Z", utc_ns % 1000000000u);
    return w;
}

struct sb_words sb_words_price(int64_t price)
{
    struct sb_words w;
    const uint64_t size = price < 0 ? 0 - (uint64_t)price : (uint64_t)price;
    snprintf(w.text, sizeof w.text, "%s%" PRIu64 ".%04" PRIu64, price < 0 ? "-" : "", size / 10000,
             size % 10000);
    return w;
}

struct sb_words sb_words_hex(uint64_t value)
{
    struct sb_words w;
    snprintf(w.text, sizeof w.text, "%016" PRIx64, value);
    return w;
}

struct sb_words sb_words_padded(const char *text, size_t n)
{
    struct sb_words w;
    size_t at = 0;
    SB_ASSERT_LE(n, (sizeof w.text - 1) / 4);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\0'))
        n--;
    for (size_t i = 0; i < n; i++) {
        if (text[i] >= ' ' && text[i] <= '~' && text[i] != '\\')
            w.text[at++] = text[i];
        else
            at += (size_t)snprintf(w.text + at, sizeof w.text - at, "\\x%02x", (uint8_t)text[i]);
    }
    w.text[at] = '\0';
    return w;
}

struct sb_words sb_words_address(uint32_t ipv4, uint16_t port)
{
    struct sb_words w = {""};
    if (ipv4 != 0)
        snprintf(w.text, sizeof w.text, "%u.%u.%u.%u:%u", ipv4 >> 24, ipv4 >> 16 & 255,
                 ipv4 >> 8 & 255, ipv4 & 255, port);
    return w;
}

struct sb_words sb_words_symbol(const struct sb_engine *e, uint32_t instrument)
{
    struct sb_words w = {"ALL"};
    if (instrument == SB_INSTRUMENT_ALL)
        return w;
    const struct sb_instrument_view *i = e != NULL ? sb_engine_instrument(e, instrument) : NULL;
    if (i != NULL && i->defined)
        return sb_words_padded(i->symbol, sizeof i->symbol);
    snprintf(w.text, sizeof w.text, "#%" PRIu32, instrument);
    return w;
}

static const char *name_of(const char *const *names, size_t n, size_t at)
{
    return at < n && names[at] != NULL ? names[at] : "?";
}
#define NAME_OF(names, at) name_of(names, sizeof(names) / sizeof *(names), at)

const char *sb_words_command_kind(uint8_t kind)
{
    static const char *const names[] = {[SB_CMD_DAY] = "DAY",
                                        [SB_CMD_SESSION] = "SESSION",
                                        [SB_CMD_INSTRUMENT] = "INSTRUMENT",
                                        [SB_CMD_PHASE] = "PHASE",
                                        [SB_CMD_UNCROSS] = "UNCROSS",
                                        [SB_CMD_LOGIN] = "LOGIN",
                                        [SB_CMD_ORDER] = "ORDER",
                                        [SB_CMD_CANCEL] = "CANCEL",
                                        [SB_CMD_REPLACE] = "REPLACE",
                                        [SB_CMD_REDUCE] = "REDUCE",
                                        [SB_CMD_INVALID] = "INVALID",
                                        [SB_CMD_AMEND] = "AMEND",
                                        [SB_CMD_QUOTE] = "QUOTE",
                                        [SB_CMD_CARRY] = "CARRY",
                                        [SB_CMD_TIMER] = "TIMER",
                                        [SB_CMD_INDICATIVE] = "INDICATIVE",
                                        [SB_CMD_MASS_CANCEL] = "MASS_CANCEL",
                                        [SB_CMD_KILL] = "KILL"};
    return NAME_OF(names, kind);
}

const char *sb_words_output_kind(uint8_t kind)
{
    static const char *const names[] = {[SB_OUT_LOGIN] = "LOGIN",
                                        [SB_OUT_ACCEPTED] = "ACCEPTED",
                                        [SB_OUT_REPLACED] = "REPLACED",
                                        [SB_OUT_CANCELED] = "CANCELED",
                                        [SB_OUT_EXECUTED] = "EXECUTED",
                                        [SB_OUT_REJECTED] = "REJECTED",
                                        [SB_OUT_OPERATOR] = "OPERATOR",
                                        [SB_OUT_SYSTEM] = "SYSTEM",
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
                                        [SB_OUT_AMENDED] = "AMENDED",
                                        [SB_OUT_TRIGGERED] = "TRIGGERED",
                                        [SB_OUT_MASS] = "MASS",
                                        [SB_OUT_QUOTED] = "QUOTED",
                                        [SB_OUT_F_TRADE] = "F_TRADE",
                                        [SB_OUT_F_INDICATIVE] = "F_INDICATIVE"};
    return NAME_OF(names, kind);
}

const char *sb_words_reason(uint8_t reason)
{
    static const char *const names[] = {[SB_REASON_NONE] = "",
                                        [SB_REASON_USER] = "user",
                                        [SB_REASON_IOC] = "ioc",
                                        [SB_REASON_CLOSED] = "closed",
                                        [SB_REASON_REPLACE_INVALID] = "replace_invalid",
                                        [SB_REASON_SUPERVISORY] = "supervisory",
                                        [SB_REASON_SYMBOL] = "symbol",
                                        [SB_REASON_HALTED] = "halted",
                                        [SB_REASON_PHASE] = "phase",
                                        [SB_REASON_TIF] = "tif",
                                        [SB_REASON_SIDE] = "side",
                                        [SB_REASON_PRICE_TICK] = "price_tick",
                                        [SB_REASON_PRICE_BAND] = "price_band",
                                        [SB_REASON_LOT] = "lot",
                                        [SB_REASON_QUANTITY] = "quantity",
                                        [SB_REASON_FULL_ORDERS] = "full_orders",
                                        [SB_REASON_FULL_LEVELS] = "full_levels",
                                        [SB_REASON_NO_RIGHT] = "no_right",
                                        [SB_REASON_MALFORMED] = "malformed",
                                        [SB_REASON_DISPLAY] = "display",
                                        [SB_REASON_CROSSED] = "crossed",
                                        [SB_REASON_NOT_AUCTION] = "not_auction",
                                        [SB_REASON_EXPIRED] = "expired",
                                        [SB_REASON_SELF_TRADE] = "self_trade",
                                        [SB_REASON_OCO] = "oco",
                                        [SB_REASON_MINIMUM] = "minimum",
                                        [SB_REASON_BAND] = "band",
                                        [SB_REASON_AUCTION] = "auction",
                                        [SB_REASON_NO_ROOM] = "no_room",
                                        [SB_REASON_QUOTE] = "quote",
                                        [SB_REASON_KILL] = "kill",
                                        [SB_REASON_TERMS] = "terms",
                                        [SB_REASON_EXPIRY] = "expiry",
                                        [SB_REASON_REDUCE_ONLY] = "reduce_only",
                                        [SB_REASON_STATIC_BAND] = "static_band",
                                        [SB_REASON_FAT_QUANTITY] = "fat_quantity",
                                        [SB_REASON_FAT_NOTIONAL] = "fat_notional",
                                        [SB_REASON_MAX_ORDERS] = "max_orders",
                                        [SB_REASON_KILLED] = "killed",
                                        [SB_REASON_OCO_PARTNER] = "oco_partner",
                                        [SB_REASON_POST_ONLY] = "post_only",
                                        [SB_REASON_FULL_TERMS] = "full_terms"};
    return NAME_OF(names, reason);
}

const char *sb_words_tif(uint8_t tif)
{
    static const char *const names[] = {
        [SB_TIF_DAY] = "DAY",          [SB_TIF_IOC] = "IOC", [SB_TIF_GTC] = "GTC",
        [SB_TIF_GTD] = "GTD",          [SB_TIF_FOK] = "FOK", [SB_TIF_AT_OPEN] = "AT_OPEN",
        [SB_TIF_AT_CLOSE] = "AT_CLOSE"};
    return NAME_OF(names, tif);
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {[SB_TYPE_LIMIT] = "limit",
                                        [SB_TYPE_MARKET] = "market",
                                        [SB_TYPE_MARKET_TO_LIMIT] = "market_to_limit",
                                        [SB_TYPE_STOP] = "stop",
                                        [SB_TYPE_STOP_LIMIT] = "stop_limit",
                                        [SB_TYPE_TRAILING_STOP] = "trailing_stop"};
    return NAME_OF(names, type);
}

static const char *peg_name(uint8_t peg)
{
    static const char *const names[] = {
        [SB_PEG_PRIMARY] = "primary", [SB_PEG_MARKET] = "market", [SB_PEG_MIDPOINT] = "midpoint"};
    return NAME_OF(names, peg);
}

static const char *auction_name(uint8_t auction)
{
    static const char *const names[] = {[SB_AUCTION_INTRADAY] = "intraday",
                                        [SB_AUCTION_OPENING] = "opening",
                                        [SB_AUCTION_CLOSING] = "closing",
                                        [SB_AUCTION_VOLATILITY] = "volatility"};
    return NAME_OF(names, auction);
}

static const char *scope_name(uint8_t scope)
{
    static const char *const names[] = {
        [SB_SCOPE_SESSION] = "session", [SB_SCOPE_FIRM] = "firm", [SB_SCOPE_ALL] = "all"};
    return NAME_OF(names, scope);
}

const char *sb_words_side(uint8_t side)
{
    static const char *const names[] = {[SB_BUY] = "buy",
                                        [SB_SELL] = "sell",
                                        [SB_SELL_SHORT] = "sell_short",
                                        [SB_SELL_SHORT_EXEMPT] = "sell_short_exempt"};
    return NAME_OF(names, side);
}

const char *sb_words_phase(uint8_t phase)
{
    static const char *const names[] = {[SB_PHASE_CLOSED] = "closed",
                                        [SB_PHASE_AUCTION] = "auction",
                                        [SB_PHASE_CONTINUOUS] = "continuous",
                                        [SB_PHASE_HALTED] = "halted"};
    return NAME_OF(names, phase);
}

const char *sb_words_liquidity(uint8_t liquidity)
{
    return liquidity == SB_LIQ_ADDED     ? "added"
           : liquidity == SB_LIQ_REMOVED ? "removed"
           : liquidity == SB_LIQ_OPENING ? "auction"
                                         : "?";
}

/* --- members -------------------------------------------------------------------------------------- */

void sb_words_put(json_t *object, const char *name, json_t *value)
{
    SB_ASSERT(json_object_set_new(object, name, value) == 0);
}

void sb_words_put_text(json_t *object, const char *name, const char *text)
{
    sb_words_put(object, name, json_string(text));
}

void sb_words_put_number(json_t *object, const char *name, uint64_t number)
{
    struct sb_words w;
    if (number <= INT64_MAX) {
        sb_words_put(object, name, json_integer((json_int_t)number));
    } else { /* JSON has no wider ones that every reader takes */
        snprintf(w.text, sizeof w.text, "%" PRIu64, number);
        sb_words_put_text(object, name, w.text);
    }
}

static void put_if(json_t *o, const char *name, uint64_t number)
{
    if (number != 0)
        sb_words_put_number(o, name, number);
}

static void put_price(json_t *o, const char *name, int64_t price)
{
    sb_words_put_text(o, name, sb_words_price(price).text);
}

static void put_character(json_t *o, const char *name, uint8_t character)
{
    const char c = (char)character;
    if (c != '\0')
        sb_words_put_text(o, name, sb_words_padded(&c, 1).text);
}

static void put_instrument(json_t *o, const struct sb_engine *e, uint32_t instrument)
{
    if (instrument != SB_INSTRUMENT_NONE)
        sb_words_put_text(o, "symbol", sb_words_symbol(e, instrument).text);
}

/* --- commands ------------------------------------------------------------------------------------- */

static void put_echoed(json_t *o, const union sb_command_ext *x)
{
    sb_words_put_text(o, "clordid",
                      sb_words_padded(x->order.clordid, sizeof x->order.clordid).text);
    put_if(o, "iso", x->order.iso);
    put_if(o, "cross", x->order.cross);
}

static void put_carry_ext(json_t *o, const union sb_command_ext *x)
{
    put_if(o, "executed", x->carry.executed);
    put_if(o, "shown", x->carry.shown);
}

static void put_terms(json_t *o, const union sb_command_ext *x)
{
    if (x->order.stop_price != 0)
        put_price(o, "stop_price", x->order.stop_price);
    put_if(o, "expire_ns", x->order.expire_ns);
    put_if(o, "display_quantity", x->order.display_quantity);
    put_if(o, "min_quantity", x->order.min_quantity);
    put_if(o, "refresh_range", x->order.refresh_range);
    put_if(o, "trail", x->order.trail);
    put_if(o, "oco_key", x->order.oco_key);
    put_if(o, "attributes", x->order.attributes);
    if (x->order.type != SB_TYPE_LIMIT)
        sb_words_put_text(o, "type", type_name(x->order.type));
    if (x->order.peg != SB_PEG_NONE)
        sb_words_put_text(o, "peg", peg_name(x->order.peg));
    if (x->order.peg_offset != 0)
        put_price(o, "peg_offset", x->order.peg_offset);
    put_if(o, "account", x->order.account);
}

static void put_instrument_ext(json_t *o, const union sb_command_ext *x)
{
    sb_words_put_text(o, "defines",
                      sb_words_padded(x->instrument.symbol, sizeof x->instrument.symbol).text);
    put_price(o, "tick", x->instrument.tick);
    put_price(o, "price_min", x->instrument.price_min);
    put_price(o, "price_max", x->instrument.price_max);
    sb_words_put_number(o, "lot", x->instrument.lot);
    sb_words_put_number(o, "quantity_max", x->instrument.quantity_max);
    sb_words_put_text(o, "initial_phase", sb_words_phase(x->instrument.phase));
    put_if(o, "matching", x->instrument.matching);
    put_if(o, "tie", x->instrument.tie);
    put_if(o, "band_action", x->instrument.band_action);
    put_if(o, "static_band", x->instrument.static_band);
    put_if(o, "dynamic_band", x->instrument.dynamic_band);
    put_if(o, "pause_ms", x->instrument.pause_ms);
    put_if(o, "notional_max", x->instrument.notional_max);
    put_if(o, "pro_rata_min", x->instrument.pro_rata_min);
    if (x->instrument.reference_price != 0)
        put_price(o, "reference_price", x->instrument.reference_price);
}

static void put_session_ext(json_t *o, const union sb_command_ext *x)
{
    sb_words_put_number(o, "operator_right", x->session.operator_right);
    put_if(o, "stp", x->session.stp);
    put_if(o, "stp_group", x->session.stp_group);
    put_if(o, "orders_max", x->session.orders_max);
    put_if(o, "quantity_max", x->session.quantity_max);
    put_if(o, "notional_max", x->session.notional_max);
}

static void put_quote_ext(json_t *o, const struct sb_engine *e, const union sb_command_ext *x)
{
    json_t *entries = json_array();
    for (uint32_t i = 0; i < x->quote.count; i++) {
        const struct sb_quote *q = &x->quote.entry[i];
        json_t *entry = json_object();
        put_instrument(entry, e, q->instrument);
        put_price(entry, "bid_price", q->bid_price);
        sb_words_put_number(entry, "bid_quantity", q->bid_quantity);
        put_price(entry, "ask_price", q->ask_price);
        sb_words_put_number(entry, "ask_quantity", q->ask_quantity);
        SB_ASSERT(json_array_append_new(entries, entry) == 0);
    }
    sb_words_put(o, "quotes", entries);
}

static void put_ext(json_t *o, const struct sb_engine *e, const struct sb_command *c)
{
    const union sb_command_ext *x = sb_command_ext(c);
    if (x == NULL)
        return;
    switch (c->kind) {
    case SB_CMD_DAY:
        sb_words_put_number(o, "trading_day", x->day.trading_day);
        sb_words_put_text(o, "midnight", sb_words_time(x->day.midnight_ns).text);
        sb_words_put_number(o, "shard", x->day.shard);
        sb_words_put_number(o, "generation", x->day.generation);
        sb_words_put_number(o, "rules", x->day.rules);
        if (x->day.carry_hash != 0)
            sb_words_put_text(o, "carry_hash", sb_words_hex(x->day.carry_hash).text);
        break;
    case SB_CMD_SESSION:
        put_session_ext(o, x);
        break;
    case SB_CMD_QUOTE:
        put_quote_ext(o, e, x);
        break;
    case SB_CMD_INSTRUMENT:
        put_instrument_ext(o, x);
        break;
    case SB_CMD_LOGIN:
        sb_words_put_text(o, "login", sb_words_address(x->login.ipv4, x->login.port).text);
        break;
    case SB_CMD_CARRY:
        put_carry_ext(o, x);
        put_terms(o, x);
        break;
    default:
        put_echoed(o, x);
        put_terms(o, x);
        break;
    }
}

json_t *sb_words_command(const struct sb_engine *e, const struct sb_command *c)
{
    json_t *o = json_object();
    const bool order = c->kind == SB_CMD_ORDER || c->kind == SB_CMD_REPLACE ||
                       c->kind == SB_CMD_AMEND || c->kind == SB_CMD_CARRY;
    const bool mass = c->kind == SB_CMD_MASS_CANCEL || c->kind == SB_CMD_KILL;
    sb_words_put_text(o, "kind", sb_words_command_kind(c->kind));
    sb_words_put_number(o, "input", c->seq);
    sb_words_put_text(o, "time", sb_words_time(c->time_ns).text);
    put_if(o, "session", c->session);
    put_if(o, "firm", c->firm);
    put_if(o, "message", c->session_seq);
    put_if(o, "key", c->key);
    put_if(o, "orig_key", c->orig_key);
    put_instrument(o, e, c->instrument);
    if (order || c->side != 0 || (c->flags & SB_CMD_F_ONE_SIDE) != 0)
        sb_words_put_text(o, "side", sb_words_side(c->side));
    if (order || c->quantity != 0 || c->kind == SB_CMD_CANCEL || c->kind == SB_CMD_REDUCE)
        sb_words_put_number(o, "quantity", c->quantity);
    if (c->kind == SB_CMD_LOGIN)
        sb_words_put_text(o, "nonce", sb_words_hex((uint64_t)c->price).text);
    else if (order || c->price != 0)
        put_price(o, "price", c->price);
    if (order || c->tif != 0)
        sb_words_put_text(o, "tif", sb_words_tif(c->tif));
    if (c->kind == SB_CMD_PHASE || c->phase != 0)
        sb_words_put_text(o, "phase", sb_words_phase(c->phase));
    if (c->kind == SB_CMD_PHASE && c->auction != 0)
        sb_words_put_text(o, "auction", auction_name(c->auction));
    else if (mass)
        sb_words_put_text(o, "scope", scope_name(c->scope));
    else if (c->reason != 0)
        sb_words_put_text(o, "reason", sb_words_reason(c->reason));
    if ((c->flags & SB_CMD_F_SKIP_KEY) != 0)
        sb_words_put_number(o, "skip_key", 1);
    put_character(o, "display", c->display);
    put_character(o, "capacity", c->capacity);
    put_ext(o, e, c);
    return o;
}

/* --- outputs -------------------------------------------------------------------------------------- */

static void put_details(json_t *o, const struct sb_output *out)
{
    switch (out->kind) {
    case SB_OUT_LOGIN:
        sb_words_put_number(o, "last_key", out->quantity);
        sb_words_put_number(o, "last_message", out->ref);
        return;
    case SB_OUT_F_DIRECTORY:
        sb_words_put_number(o, "lot", out->quantity);
        return;
    case SB_OUT_F_CROSS:
        sb_words_put_number(o, "quantity", out->ref);
        put_price(o, "price", out->price);
        sb_words_put_number(o, "match", out->match);
        return;
    case SB_OUT_F_INDICATIVE:
        put_if(o, "imbalance", out->ref);
        break;
    case SB_OUT_F_REPLACED:
        sb_words_put_number(o, "ref", out->ref);
        sb_words_put_number(o, "old_ref", out->match);
        break;
    default:
        put_if(o, "ref", out->ref);
        put_if(o, "match", out->match);
        break;
    }
    put_if(o, "quantity", out->quantity);
    if (out->price != 0)
        put_price(o, "price", out->price);
}

json_t *sb_words_output(const struct sb_engine *e, const struct sb_output *out)
{
    json_t *o = json_object();
    const bool order = out->kind == SB_OUT_ACCEPTED || out->kind == SB_OUT_REPLACED;
    const bool amended = out->kind == SB_OUT_AMENDED;
    const bool phase = out->kind == SB_OUT_F_PHASE || out->kind == SB_OUT_OPERATOR;
    const bool sided = order || amended || out->kind == SB_OUT_EXECUTED ||
                       out->kind == SB_OUT_CANCELED || out->kind == SB_OUT_TRIGGERED ||
                       out->kind == SB_OUT_F_TRADE || out->kind == SB_OUT_F_INDICATIVE ||
                       (out->kind >= SB_OUT_F_ADD && out->kind <= SB_OUT_F_REPLACED);
    sb_words_put_text(o, "kind", sb_words_output_kind(out->kind));
    if (out->stream == SB_STREAM_FEED)
        sb_words_put_text(o, "stream", "feed");
    else
        sb_words_put_number(o, "stream", out->stream);
    sb_words_put_number(o, "number", out->stream_seq);
    put_if(o, "key", out->key);
    put_if(o, "orig_key", out->orig_key);
    put_instrument(o, e, out->instrument);
    if (sided)
        sb_words_put_text(o, "side", sb_words_side(out->side & SB_OUT_SIDE_MASK));
    if (order && (out->side & SB_OUT_IOC) != 0) /* of others it says nothing */
        sb_words_put_text(o, "tif", "IOC");
    if (phase)
        sb_words_put_text(o, "phase", sb_words_phase(out->side >> SB_OUT_PHASE_SHIFT));
    put_details(o, out);
    if (order || amended)
        put_character(o, "capacity", out->reason);
    else if (out->reason != 0)
        sb_words_put_text(o, "reason", sb_words_reason(out->reason));
    if (out->kind == SB_OUT_EXECUTED)
        sb_words_put_text(o, "liquidity", sb_words_liquidity(out->liquidity));
    else if (out->liquidity != 0)
        put_character(o, "event", out->liquidity);
    return o;
}

/* --- books ---------------------------------------------------------------------------------------- */

struct levels { /* of a side, as rows */
    json_t *rows;
    uint64_t depth, n; /* levels begun */
    int64_t price;
    uint64_t quantity, orders;
    const char *names[3];
};

static void put_level(struct levels *l)
{
    if (l->n == 0 || l->n > l->depth)
        return;
    if (json_array_size(l->rows) < l->n)
        SB_ASSERT(json_array_append_new(
                      l->rows, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "buy_orders", "",
                                         "buy_quantity", "", "buy_price", "", "sell_price", "",
                                         "sell_quantity", "", "sell_orders", "")) == 0);
    json_t *row = json_array_get(l->rows, l->n - 1);
    sb_words_put_number(row, l->names[0], l->orders);
    sb_words_put_number(row, l->names[1], l->quantity);
    put_price(row, l->names[2], l->price);
}

static void take_order(void *arg, const struct sb_order_view *o)
{
    struct levels *l = arg;
    if (l->n == 0 || o->price != l->price) {
        put_level(l);
        l->n++;
        l->price = o->price;
        l->quantity = l->orders = 0;
    }
    l->quantity += o->open;
    l->orders++;
}

json_t *sb_words_book(const struct sb_engine *e, uint32_t instrument, uint64_t depth)
{
    json_t *rows = json_array();
    struct levels buy = {
        .rows = rows, .depth = depth, .names = {"buy_orders", "buy_quantity", "buy_price"}};
    struct levels sell = {
        .rows = rows, .depth = depth, .names = {"sell_orders", "sell_quantity", "sell_price"}};
    sb_engine_visit(e, instrument, SB_BUY, take_order, &buy);
    put_level(&buy);
    sb_engine_visit(e, instrument, SB_SELL, take_order, &sell);
    put_level(&sell);
    return rows;
}

/* --- for people ----------------------------------------------------------------------------------- */

json_t *sb_words_different(json_t *a, json_t *b)
{
    json_t *names = json_array();
    const char *name;
    const json_t *value;
    json_object_foreach(a, name, value) if (!json_equal(value, json_object_get(b, name)))
        SB_ASSERT(json_array_append_new(names, json_string(name)) == 0);
    json_object_foreach(b, name, value) if (json_object_get(a, name) == NULL)
        SB_ASSERT(json_array_append_new(names, json_string(name)) == 0);
    return names;
}

static struct sb_words text_of(const json_t *value)
{
    struct sb_words w = {""};
    if (json_is_string(value))
        snprintf(w.text, sizeof w.text, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(w.text, sizeof w.text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return w;
}

void sb_words_print(json_t *object, FILE *to)
{
    const char *name, *between = "";
    const json_t *value;
    const json_t *kind = json_object_get(object, "kind");
    if (kind != NULL)
        fprintf(to, "%s: ", json_string_value(kind));
    json_object_foreach(object, name, value)
    {
        if (value == kind || json_is_array(value) || json_is_object(value))
            continue;
        fprintf(to, "%s%s %s", between, name, text_of(value).text);
        between = ", ";
    }
    fputc('\n', to);
}

void sb_words_table(json_t *rows, FILE *to)
{
    enum { COLUMNS_MAX = 16 };
    int widths[COLUMNS_MAX] = {0};
    size_t row, column;
    json_t *object;
    const json_t *value;
    const char *name;
    json_array_foreach(rows, row, object)
    {
        column = 0;
        json_object_foreach(object, name, value)
        {
            SB_ASSERT_LE(column + 1, COLUMNS_MAX);
            const int need = (int)strlen(text_of(value).text), head = (int)strlen(name);
            const int width = need > head ? need : head;
            widths[column] = width > widths[column] ? width : widths[column];
            column++;
        }
    }
    for (size_t line = 0; line <= json_array_size(rows) && json_array_size(rows) != 0; line++) {
        column = 0;
        object = json_array_get(rows, line == 0 ? 0 : line - 1);
        json_object_foreach(object, name, value)
            fprintf(to, "  %*s", widths[column++], line == 0 ? name : text_of(value).text);
        fputc('\n', to);
    }
}
