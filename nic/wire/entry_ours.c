#include "nic/wire/entry_ours.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/entry_values.h"

static bool all_zero(const uint8_t *p, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* A blank symbol is every instrument. */
static void take_symbol(const uint8_t *p, struct sb_command2 *out, char symbol[8])
{
    memcpy(symbol, p, 8);
    if (memcmp(symbol, "        ", 8) == 0)
        out->c.instrument = SB_INSTRUMENT_ALL;
}

/* Answers go to the return address: one that is not a host's is refused. */
static bool take_login(const uint8_t *p, struct sb_command2 *out)
{
    const uint32_t ipv4 = sb_get32(p + 9);
    const uint16_t port = sb_get16(p + 13);
    if (ipv4 == 0 || ipv4 >= UINT32_C(0xE0000000) || port == 0)
        return false;
    out->c.kind = SB_CMD_LOGIN;
    out->c.flags = SB_CMD_F_EXT;
    out->c.price = (int64_t)sb_get64(p + 1);
    out->ext.login.ipv4 = ipv4;
    out->ext.login.port = port;
    return true;
}

/* What is asked for, as a kind and a phase. */
static bool phase_of(char c, uint8_t *kind, uint8_t *phase)
{
    static const char chars[] = "CATHUI";
    static const struct {
        uint8_t kind, phase;
    } meant[] = {{SB_CMD_PHASE, SB_PHASE_CLOSED},
                 {SB_CMD_PHASE, SB_PHASE_AUCTION},
                 {SB_CMD_PHASE, SB_PHASE_CONTINUOUS},
                 {SB_CMD_PHASE, SB_PHASE_HALTED},
                 {SB_CMD_UNCROSS, 0},
                 {SB_CMD_INDICATIVE, 0}};
    const char *at = c != 0 ? strchr(chars, c) : NULL;
    if (at == NULL)
        return false;
    *kind = meant[at - chars].kind;
    *phase = meant[at - chars].phase;
    return true;
}

static bool auction_of(char c, uint8_t *auction)
{
    switch (c) {
    case 0:
        *auction = SB_AUCTION_INTRADAY;
        return true;
    case 'O':
        *auction = SB_AUCTION_OPENING;
        return true;
    case 'C':
        *auction = SB_AUCTION_CLOSING;
        return true;
    case 'V':
        *auction = SB_AUCTION_VOLATILITY;
        return true;
    default:
        return false;
    }
}

static bool take_phase(const uint8_t *p, struct sb_command2 *out, char symbol[8])
{
    uint8_t kind, phase, auction;
    if (!phase_of((char)p[13], &kind, &phase) || !auction_of((char)p[14], &auction) ||
        (p[14] != 0 && p[13] != 'A') || !all_zero(p + 15, 7))
        return false;
    out->c.kind = kind;
    out->c.phase = phase;
    out->c.auction = auction;
    out->c.key = sb_get32(p + 1);
    take_symbol(p + 5, out, symbol);
    return true;
}

/* Whose orders: a session (0: the own one), a firm, or everybody's. */
static bool scope_of(char c, uint32_t who, uint8_t *scope)
{
    switch (c) {
    case 'S':
        *scope = SB_SCOPE_SESSION;
        return true;
    case 'F':
        *scope = SB_SCOPE_FIRM;
        return who != 0;
    case 'A':
        *scope = SB_SCOPE_ALL;
        return who == 0;
    default:
        return false;
    }
}

static bool take_mass_cancel(const uint8_t *p, struct sb_command2 *out, char symbol[8])
{
    const uint32_t who = sb_get32(p + 14);
    const char side = (char)p[18];
    uint8_t scope;
    if (!scope_of((char)p[13], who, &scope) || (side != 'B' && side != 'S' && side != ' ') ||
        !all_zero(p + 19, 3))
        return false;
    out->c.kind = SB_CMD_MASS_CANCEL;
    out->c.flags = side != ' ' ? SB_CMD_F_ONE_SIDE : 0;
    out->c.side = side == 'S' ? SB_SELL : SB_BUY;
    out->c.scope = scope;
    out->c.orig_key = who;
    out->c.key = sb_get32(p + 1);
    take_symbol(p + 5, out, symbol);
    return true;
}

static bool take_kill(const uint8_t *p, struct sb_command2 *out)
{
    const uint32_t who = sb_get32(p + 6);
    uint8_t scope;
    if (!scope_of((char)p[5], who, &scope) || scope == SB_SCOPE_ALL ||
        (p[10] != 'B' && p[10] != 'L') || !all_zero(p + 11, 11))
        return false;
    out->c.kind = SB_CMD_KILL;
    out->c.scope = scope;
    out->c.orig_key = who;
    out->c.quantity = p[10] == 'B';
    out->c.key = sb_get32(p + 1);
    out->c.instrument = SB_INSTRUMENT_ALL;
    return true;
}

static bool take_amend(const uint8_t *p, struct sb_command2 *out)
{
    out->c.kind = SB_CMD_AMEND;
    out->c.key = sb_get32(p + 1);
    out->c.quantity = sb_get32(p + 5);
    out->c.price = sb_entry_price(sb_get64(p + 9));
    return true;
}

/* The instrument is not known before the symbol was looked up: whoever does so puts it into the entry, too. */
static bool take_quote(const uint8_t *p, struct sb_command2 *out, char symbol[8])
{
    out->c.kind = SB_CMD_QUOTE;
    out->c.flags = SB_CMD_F_EXT;
    out->c.key = sb_get32(p + 1);
    out->c.capacity = p[29];
    memcpy(symbol, p + 5, 8);
    out->ext.quote.count = 1;
    out->ext.quote.entry[0] = (struct sb_quote){.bid_price = sb_get32(p + 13),
                                                .bid_quantity = sb_get32(p + 17),
                                                .ask_price = sb_get32(p + 21),
                                                .ask_quantity = sb_get32(p + 25)};
    return true;
}

bool sb_entry_ours(const uint8_t *p, uint32_t len, struct sb_command2 *out, char symbol[8])
{
    switch (len > 0 ? p[0] : 0) {
    case 'L':
        return len == SB_ENTRY_LOGIN_BYTES && take_login(p, out);
    case 'P':
        return len == SB_ENTRY_PHASE_BYTES && take_phase(p, out, symbol);
    case 'W':
        return len == SB_ENTRY_MASS_CANCEL_BYTES && take_mass_cancel(p, out, symbol);
    case 'K':
        return len == SB_ENTRY_KILL_BYTES && take_kill(p, out);
    case 'A':
        return len == SB_ENTRY_AMEND_BYTES && take_amend(p, out);
    case 'T':
        return len == SB_ENTRY_QUOTE_BYTES && take_quote(p, out, symbol);
    default:
        return false;
    }
}
