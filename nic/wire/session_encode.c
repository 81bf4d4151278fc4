/* session_encode.c: the engine's session outputs as OUCH messages and ours: see ouch.h, entry.h. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "shadowbook/assert.h"

static char cancel_char(uint8_t reason)
{
    switch (reason) {
    case SB_REASON_IOC:
    case SB_REASON_MINIMUM:
        return 'I';
    case SB_REASON_CLOSED:
        return 'E';
    case SB_REASON_SUPERVISORY:
    case SB_REASON_NO_ROOM:
    case SB_REASON_KILL:
        return 'S';
    case SB_REASON_EXPIRED:
        return 'T';
    case SB_REASON_SELF_TRADE:
        return 'Q';
    case SB_REASON_OCO:
        return 'C';
    case SB_REASON_BAND:
        return 'D';
    case SB_REASON_AUCTION:
        return 'X';
    default: /* USER, REPLACE_INVALID, QUOTE */
        return 'U';
    }
}

static uint16_t reject_number(uint8_t reason)
{
    switch (reason) {
    case SB_REASON_SYMBOL:
        return 0x17;
    case SB_REASON_HALTED:
        return 0x07;
    case SB_REASON_PHASE:
        return 0x02;
    case SB_REASON_SIDE:
        return 0x09;
    case SB_REASON_PRICE_TICK:
    case SB_REASON_PRICE_BAND:
    case SB_REASON_STATIC_BAND:
        return 0x1D;
    case SB_REASON_LOT:
    case SB_REASON_QUANTITY:
    case SB_REASON_FAT_QUANTITY:
    case SB_REASON_FAT_NOTIONAL:
        return 0x13;
    case SB_REASON_NO_RIGHT:
        return 0x0C;
    case SB_REASON_DISPLAY:
        return 0x03;
    default: /* TIF, MALFORMED, full tables, what is wrong with terms, blocked sessions */
        return 0x0F;
    }
}

static char side_char(uint8_t side)
{
    static const char name[8] = {
        [SB_BUY] = 'B', [SB_SELL] = 'S', [SB_SELL_SHORT] = 'T', [SB_SELL_SHORT_EXEMPT] = 'E'};
    return name[side & SB_OUT_SIDE_MASK];
}

/* What only the client's message knows. Absent: blank, visible, not ISO, continuous. */
static void echo_from(struct sb_ouch_out *m, const struct sb_command *cmd)
{
    memset(m->clordid, ' ', sizeof m->clordid);
    m->display = 'Y';
    m->capacity = ' ';
    m->iso = 'N';
    m->cross = 'N';
    if (cmd == NULL)
        return;
    if (cmd->display != 0)
        m->display = (char)cmd->display;
    if (cmd->capacity != 0)
        m->capacity = (char)cmd->capacity;
    if (cmd->kind != SB_CMD_ORDER && cmd->kind != SB_CMD_REPLACE && cmd->kind != SB_CMD_INVALID)
        return;
    const union sb_command_ext *ext = sb_command_ext(cmd);
    if (ext == NULL)
        return;
    memcpy(m->clordid, ext->order.clordid, sizeof m->clordid);
    m->iso = (char)ext->order.iso;
    m->cross = (char)ext->order.cross;
}

static uint32_t logged_in_put(uint8_t *p, const struct sb_output *o, uint64_t timestamp)
{
    p[0] = 'L';
    sb_put64(p + 1, timestamp);
    sb_put64(p + 9, o->ref);
    sb_put32(p + 17, o->quantity);
    return SB_ENTRY_LOGGED_IN_BYTES;
}

/* What answers of ours begin with. */
static void answer_put(uint8_t *p, char type, const struct sb_output *o, const char symbol[8],
                       uint64_t timestamp)
{
    p[0] = (uint8_t)type;
    sb_put64(p + 1, timestamp);
    sb_put32(p + 9, o->key);
    if (o->instrument == SB_INSTRUMENT_ALL || o->instrument == SB_INSTRUMENT_NONE)
        memset(p + 13, ' ', 8);
    else
        memcpy(p + 13, symbol, 8);
}

/* MASS and QUOTED. */
static uint32_t count_put(uint8_t *p, char type, const struct sb_output *o, const char symbol[8],
                          uint64_t timestamp)
{
    answer_put(p, type, o, symbol, timestamp);
    sb_put16(p + 21, o->reason);
    sb_put32(p + 23, o->quantity);
    return SB_ENTRY_COUNT_BYTES;
}

static uint32_t triggered_put(uint8_t *p, const struct sb_output *o, uint64_t timestamp)
{
    p[0] = 'T';
    sb_put64(p + 1, timestamp);
    sb_put32(p + 9, o->key);
    sb_put32(p + 13, o->quantity);
    sb_put64(p + 17, (uint64_t)o->price);
    sb_put64(p + 25, o->ref);
    return SB_ENTRY_TRIGGERED_BYTES;
}

static uint32_t operator_put(uint8_t *p, const struct sb_output *o, const struct sb_command *cmd,
                             const char symbol[8], uint64_t timestamp)
{
    static const char phase[4] = {[SB_PHASE_CLOSED] = 'C',
                                  [SB_PHASE_AUCTION] = 'A',
                                  [SB_PHASE_CONTINUOUS] = 'T',
                                  [SB_PHASE_HALTED] = 'H'};
    const uint8_t kind = cmd != NULL ? cmd->kind : SB_CMD_PHASE;
    answer_put(p, 'O', o, symbol, timestamp);
    p[21] = (uint8_t)(kind == SB_CMD_UNCROSS      ? 'U'
                      : kind == SB_CMD_INDICATIVE ? 'I'
                                                  : phase[o->side >> SB_OUT_PHASE_SHIFT & 3]);
    sb_put16(p + 22, o->reason);
    sb_put32(p + 24, o->quantity);
    return SB_ENTRY_OPERATOR_BYTES;
}

/* A new order's own, or of an earlier day; else 3 or 0: an order that is replaced or amended keeps what it has. At the open and at the close are 0
 * with a cross type, as in OUCH. */
static char tif_char(const struct sb_output *o, const struct sb_command *cmd)
{
    static const char chars[] = {
        [SB_TIF_DAY] = '0', [SB_TIF_IOC] = '3',     [SB_TIF_GTC] = '1',     [SB_TIF_GTD] = '6',
        [SB_TIF_FOK] = '4', [SB_TIF_AT_OPEN] = '0', [SB_TIF_AT_CLOSE] = '0'};
    if (cmd != NULL && (cmd->kind == SB_CMD_ORDER || cmd->kind == SB_CMD_CARRY))
        return chars[cmd->tif];
    return (o->side & SB_OUT_IOC) != 0 ? '3' : '0';
}

/* Accepted, Replaced and Amended. */
static void order_fill(struct sb_ouch_out *m, const struct sb_output *o,
                       const struct sb_command *cmd, const char symbol[8])
{
    echo_from(m, cmd);
    m->orig_ref = o->orig_key;
    m->side = side_char(o->side);
    m->price = (uint64_t)o->price;
    m->tif = tif_char(o, cmd);
    m->order_ref = o->ref;
    m->state = 'L';
    memcpy(m->symbol, symbol, 8);
}

uint32_t sb_session_encode(uint8_t *p, const struct sb_output *o, const struct sb_command *cmd,
                           const char symbol[8], uint64_t midnight_ns)
{
    struct sb_ouch_out m; /* only the fields of its type are set, and written */
    m.timestamp = o->time_ns - midnight_ns;
    m.ref = o->key;
    m.quantity = o->quantity;
    m.has_app = false;
    m.app_bytes = 0;
    switch (o->kind) {
    case SB_OUT_LOGIN:
        return logged_in_put(p, o, m.timestamp);
    case SB_OUT_OPERATOR:
        return operator_put(p, o, cmd, symbol, m.timestamp);
    case SB_OUT_MASS:
        return count_put(p, 'M', o, symbol, m.timestamp);
    case SB_OUT_QUOTED:
        return count_put(p, 'Q', o, symbol, m.timestamp);
    case SB_OUT_TRIGGERED:
        return triggered_put(p, o, m.timestamp);
    case SB_OUT_ACCEPTED:
        m.type = 'A';
        order_fill(&m, o, cmd, symbol);
        break;
    case SB_OUT_REPLACED:
        m.type = 'U';
        order_fill(&m, o, cmd, symbol);
        m.capacity = o->reason != 0 ? (char)o->reason : ' '; /* the first order's */
        break;
    case SB_OUT_AMENDED: /* the order keeps its key: both are it */
        m.type = 'U';
        order_fill(&m, o, cmd, symbol);
        m.orig_ref = o->key;
        m.capacity = o->reason != 0 ? (char)o->reason : ' ';
        break;
    case SB_OUT_CANCELED:
        m.type = 'C';
        m.cancel_reason = cancel_char(o->reason);
        break;
    case SB_OUT_EXECUTED:
        m.type = 'E';
        m.price = (uint64_t)o->price;
        m.liquidity = (char)o->liquidity;
        m.match = o->match;
        break;
    case SB_OUT_REJECTED:
        m.type = 'J';
        echo_from(&m, cmd);
        m.reject_reason = reject_number(o->reason);
        break;
    case SB_OUT_SYSTEM:
        m.type = 'S';
        m.event = (char)o->liquidity;
        break;
    default:
        SB_ASSERT_EQ(o->kind, SB_OUT_SYSTEM); /* not a session output */
        return 0;
    }
    return sb_ouch_write_out(p, &m);
}
