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
        return 'I';
    case SB_REASON_CLOSED:
        return 'E';
    case SB_REASON_SUPERVISORY:
        return 'S';
    default: /* USER, REPLACE_INVALID */
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
        return 0x1D;
    case SB_REASON_LOT:
    case SB_REASON_QUANTITY:
        return 0x13;
    case SB_REASON_NO_RIGHT:
        return 0x0C;
    case SB_REASON_DISPLAY:
        return 0x03;
    default: /* TIF, full tables, MALFORMED */
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

static uint32_t operator_put(uint8_t *p, const struct sb_output *o, const struct sb_command *cmd,
                             const char symbol[8], uint64_t timestamp)
{
    static const char phase[4] = {[SB_PHASE_CLOSED] = 'C',
                                  [SB_PHASE_AUCTION] = 'A',
                                  [SB_PHASE_CONTINUOUS] = 'T',
                                  [SB_PHASE_HALTED] = 'H'};
    const bool uncross = cmd != NULL && cmd->kind == SB_CMD_UNCROSS;
    p[0] = 'O';
    sb_put64(p + 1, timestamp);
    sb_put32(p + 9, o->key);
    if (o->instrument == SB_INSTRUMENT_ALL || o->instrument == SB_INSTRUMENT_NONE)
        memset(p + 13, ' ', 8);
    else
        memcpy(p + 13, symbol, 8);
    p[21] = (uint8_t)(uncross ? 'U' : phase[o->side >> SB_OUT_PHASE_SHIFT & 3]);
    sb_put16(p + 22, o->reason);
    sb_put32(p + 24, o->quantity);
    return SB_ENTRY_OPERATOR_BYTES;
}

/* Accepted and Replaced. */
static void order_fill(struct sb_ouch_out *m, const struct sb_output *o,
                       const struct sb_command *cmd, const char symbol[8])
{
    echo_from(m, cmd);
    m->orig_ref = o->orig_key;
    m->side = side_char(o->side);
    m->price = (uint64_t)o->price;
    m->tif = (o->side & SB_OUT_IOC) != 0 ? '3' : '0';
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
    case SB_OUT_ACCEPTED:
        m.type = 'A';
        order_fill(&m, o, cmd, symbol);
        break;
    case SB_OUT_REPLACED:
        m.type = 'U';
        order_fill(&m, o, cmd, symbol);
        m.capacity = o->reason != 0 ? (char)o->reason : ' '; /* the first order's */
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
