#include <string.h>

#include "words.h"

#define COUNT(names) (sizeof(names) / sizeof *(names))

static const char *const SIDES[] = {"buy", "sell", NULL, "short", NULL, "exempt"};
static const char *const PEGS[] = {"none", "primary", "market", "midpoint"};
static const char *const SCOPES[] = {"session", "firm", "all"};
static const char *const TIFS[] = {"day", "ioc", "gtc", "gtd", "fok", "at-open", "at-close"};
static const char *const TYPES[] = {"limit", "market",     "market-to-limit",
                                    "stop",  "stop-limit", "trailing-stop"};
static const char *const ATTRIBUTES[] = {"hidden", "post-only", "all-or-none", "reduce-only"};

/* Takes one of the names, if the next word is one. */
static bool may_be(struct words *w, const char *const *names, size_t n, uint8_t *value)
{
    for (size_t i = 0; i < n; i++)
        if (words_take(w, names[i])) {
            *value = (uint8_t)i;
            return true;
        }
    return false;
}

static bool instrument(struct words *w, struct sb_command *c)
{
    if (words_take(w, "all")) {
        c->instrument = SB_INSTRUMENT_ALL;
        return true;
    }
    if (!words_more(w) || w->word[w->at][0] != 'i' ||
        strchr("0123456789", w->word[w->at][1]) == NULL)
        return false;
    c->instrument = words_lettered(w, 'i');
    return true;
}

static void echoed(struct sb_command2 *c)
{
    memcpy(c->ext.order.clordid, "CASE          ", sizeof c->ext.order.clordid);
    c->ext.order.iso = 'Y';
    c->ext.order.cross = 'N';
    c->ext.order.account = 7;
}

/* What only an order of an earlier day has. */
static bool carried(struct words *w, struct sb_command2 *c)
{
    if (c->c.kind != SB_CMD_CARRY)
        return false;
    if (words_take(w, "executed"))
        c->ext.carry.executed = words_number(w);
    else if (words_take(w, "shown"))
        c->ext.carry.shown = words_number(w);
    else if (words_take(w, "firm"))
        c->c.firm = words_number(w);
    else
        return false;
    return true;
}

/* A term that is in the second line. */
static void second_line(struct words *w, struct sb_command2 *c)
{
    uint8_t attribute;
    c->c.flags |= SB_CMD_F_EXT;
    if (carried(w, c))
        return;
    if (may_be(w, TYPES, COUNT(TYPES), &c->ext.order.type))
        return;
    if (may_be(w, ATTRIBUTES, COUNT(ATTRIBUTES), &attribute))
        c->ext.order.attributes |= (uint8_t)(1u << attribute);
    else if (words_take(w, "display"))
        c->ext.order.display_quantity = words_number(w);
    else if (words_take(w, "range"))
        c->ext.order.refresh_range = words_number(w);
    else if (words_take(w, "min"))
        c->ext.order.min_quantity = words_number(w);
    else if (words_take(w, "peg"))
        c->ext.order.peg = words_one_of(w, PEGS, COUNT(PEGS));
    else if (words_take(w, "offset"))
        c->ext.order.peg_offset = (int32_t)words_price(w);
    else if (words_take(w, "trigger"))
        c->ext.order.stop_price = words_price(w);
    else if (words_take(w, "trail"))
        c->ext.order.trail = (uint32_t)words_price(w);
    else if (words_take(w, "until"))
        c->ext.order.expire_ns = words_time_ns(w);
    else if (words_take(w, "oco"))
        c->ext.order.oco_key = words_lettered(w, 'k');
    else if (words_take(w, "echoed"))
        echoed(c);
    else
        words_refuse(w, "unknown word");
}

static void order(struct words *w, struct sb_command2 *c)
{
    if (c->c.kind == SB_CMD_CARRY) {
        c->c.flags |= SB_CMD_F_EXT;
        c->c.firm = c->c.session;
    }
    if (c->c.kind == SB_CMD_ORDER || c->c.kind == SB_CMD_CARRY)
        c->c.side = words_one_of(w, SIDES, COUNT(SIDES));
    c->c.quantity = words_number(w);
    if (words_take(w, "@"))
        c->c.price = words_price(w);
    while (words_more(w))
        if (!may_be(w, TIFS, COUNT(TIFS), &c->c.tif) && !instrument(w, &c->c))
            second_line(w, c);
}

static uint32_t quote_side(struct words *w, const char *name, uint32_t *price)
{
    if (!words_take(w, name))
        words_refuse(w, "bid or ask is expected");
    const uint32_t quantity = words_number(w);
    if (words_take(w, "@"))
        *price = (uint32_t)words_price(w);
    return quantity;
}

static void quote(struct words *w, struct sb_command2 *c)
{
    c->c.flags |= SB_CMD_F_EXT;
    for (; words_more(w); c->ext.quote.count++) {
        if (c->ext.quote.count == 3)
            words_refuse(w, "three entries at most");
        struct sb_quote *q = &c->ext.quote.entry[c->ext.quote.count];
        q->instrument = words_lettered(w, 'i');
        q->bid_quantity = quote_side(w, "bid", &q->bid_price);
        q->ask_quantity = quote_side(w, "ask", &q->ask_price);
    }
}

static void scope(struct words *w, struct sb_command *c)
{
    c->scope = words_one_of(w, SCOPES, COUNT(SCOPES));
    if (c->scope != SB_SCOPE_ALL)
        c->orig_key = words_number(w);
}

/* What may follow an operator's command in any order. */
static void operator_tail(struct words *w, struct sb_command *c)
{
    uint8_t side;
    while (words_more(w)) {
        if (instrument(w, c))
            continue;
        if (c->kind == SB_CMD_MASS_CANCEL && may_be(w, SIDES, 2, &side)) {
            c->side = side;
            c->flags |= SB_CMD_F_ONE_SIDE;
        } else {
            c->key = words_lettered(w, 'k');
        }
    }
}

static void operator_command(struct words *w, struct sb_command *c)
{
    if (c->kind == SB_CMD_PHASE) {
        c->phase = words_one_of(w, words_phases, COUNT(words_phases));
        if (c->phase == SB_PHASE_AUCTION)
            (void)may_be(w, words_auctions, COUNT(words_auctions), &c->auction);
    } else if (c->kind == SB_CMD_MASS_CANCEL || c->kind == SB_CMD_KILL) {
        scope(w, c);
    }
    operator_tail(w, c);
}

static uint8_t command_kind(struct words *w, struct sb_command *c)
{
    static const char *const KINDS[] = {
        [SB_CMD_ORDER] = "order",     [SB_CMD_CANCEL] = "cancel",
        [SB_CMD_REPLACE] = "replace", [SB_CMD_REDUCE] = "reduce",
        [SB_CMD_AMEND] = "amend",     [SB_CMD_QUOTE] = "quote",
        [SB_CMD_PHASE] = "phase",     [SB_CMD_UNCROSS] = "uncross",
        [SB_CMD_TIMER] = "timer",     [SB_CMD_INDICATIVE] = "indicative",
        [SB_CMD_KILL] = "kill",       [SB_CMD_MASS_CANCEL] = "mass-cancel",
        [SB_CMD_CARRY] = "carry"};
    if (words_take(w, "unkill"))
        return SB_CMD_KILL;
    const uint8_t kind = words_one_of(w, KINDS, COUNT(KINDS));
    c->quantity = kind == SB_CMD_KILL;
    return kind;
}

struct sb_command2 words_command(struct words *w)
{
    struct sb_command2 c = {.c.instrument = 1};
    c.c.kind = command_kind(w, &c.c);
    if (c.c.kind == SB_CMD_MASS_CANCEL || c.c.kind == SB_CMD_KILL)
        c.c.instrument = SB_INSTRUMENT_ALL;
    if (c.c.kind != SB_CMD_TIMER)
        c.c.session = words_lettered(w, 's');
    if (c.c.kind < SB_CMD_LOGIN) {
        operator_command(w, &c.c);
    } else {
        c.c.key = words_lettered(w, 'k');
        c.c.capacity = WORDS_CAPACITY;
        if (c.c.kind == SB_CMD_REPLACE && words_take(w, "of"))
            c.c.orig_key = words_lettered(w, 'k');
        if (c.c.kind == SB_CMD_QUOTE)
            quote(w, &c);
        else if (c.c.kind == SB_CMD_REDUCE && words_take(w, "by"))
            c.c.quantity = words_number(w);
        else if (c.c.kind == SB_CMD_CANCEL && words_take(w, "to"))
            c.c.quantity = words_number(w);
        else if (c.c.kind != SB_CMD_CANCEL)
            order(w, &c);
    }
    if (words_more(w))
        words_refuse(w, "a word too many");
    if (!sb_command_valid(&c.c, 2))
        words_refuse(w, "no valid command");
    return c;
}
