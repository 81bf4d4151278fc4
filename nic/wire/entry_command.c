/* entry_command.c: what a client sent, as a command: sb_entry_to_command(), see ouch.h and ENTRY.md. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/entry_ours.h"
#include "nic/wire/entry_terms.h"
#include "nic/wire/ouch.h"

enum { ENTER_FIXED_BYTES = 47, REPLACE_FIXED_BYTES = 40 };
enum { AT_ENTER_KEY = 1, AT_REPLACE_KEY = 5 };
enum { AT_TERMS = offsetof(union sb_command_ext, order.stop_price) };

static const char blanks[14] = "              ";

/* Nothing but what J echoes is left. */
static void set_invalid(struct sb_command2 *out, uint8_t reason)
{
    out->c.kind = SB_CMD_INVALID;
    out->c.tif = 0;
    out->c.reason = reason;
    memset(out->ext.bytes + AT_TERMS, 0, sizeof out->ext.bytes - AT_TERMS);
}

/* No key: nothing may be consumed for bytes that only look like one. */
static void set_unreadable(struct sb_command2 *out)
{
    set_invalid(out, SB_REASON_MALFORMED);
    out->c.flags = SB_CMD_F_SKIP_KEY;
}

/* An order or replace whose fixed part is there but whose appendage is broken still says its key. */
static void set_broken(struct sb_command2 *out, const uint8_t *p, uint32_t len, uint32_t fixed,
                       uint32_t at_key)
{
    set_unreadable(out);
    if (len >= fixed) {
        out->c.key = sb_get32(p + at_key);
        out->c.flags = 0;
    }
}

static bool side_of(char c, uint8_t *side)
{
    switch (c) {
    case 'B':
        *side = SB_BUY;
        return true;
    case 'S':
        *side = SB_SELL;
        return true;
    case 'T':
        *side = SB_SELL_SHORT;
        return true;
    case 'E':
        *side = SB_SELL_SHORT_EXEMPT;
        return true;
    default:
        return false;
    }
}

static int64_t price_of(uint64_t wire)
{
    return wire > (uint64_t)SB_PRICE_MAX ? INT64_MAX : (int64_t)wire;
}

static void echo_put(struct sb_command2 *out, const char clordid[14], char iso, char cross)
{
    static const uint8_t none[sizeof out->ext.bytes - AT_TERMS];
    const bool terms = memcmp(out->ext.bytes + AT_TERMS, none, sizeof none) != 0;
    if (!terms && memcmp(clordid, blanks, 14) == 0 && iso == 'N' && cross == 'N')
        return;
    memcpy(out->ext.order.clordid, clordid, 14);
    out->ext.order.iso = (uint8_t)iso;
    out->ext.order.cross = (uint8_t)cross;
    out->c.flags |= SB_CMD_F_EXT;
}

static void enter_to_command(const uint8_t *p, uint32_t len, struct sb_command2 *out,
                             char symbol[8])
{
    struct sb_ouch_enter m;
    if (!sb_ouch_read_enter(p, len, &m)) {
        set_broken(out, p, len, ENTER_FIXED_BYTES, AT_ENTER_KEY);
        return;
    }
    struct sb_command *c = &out->c;
    c->key = m.ref;
    uint8_t side = 0;
    const uint8_t reason = side_of(m.side, &side) ? sb_entry_terms(&m, out) : SB_REASON_SIDE;
    if (reason != SB_REASON_NONE)
        set_invalid(out, reason);
    echo_put(out, m.clordid, m.iso, m.cross);
    if (reason != SB_REASON_NONE)
        return;
    c->kind = SB_CMD_ORDER;
    c->side = side;
    c->quantity = m.quantity;
    c->display = (uint8_t)m.display;
    c->capacity = (uint8_t)m.capacity;
    c->price = price_of(m.price);
    memcpy(symbol, m.symbol, 8);
}

static void replace_to_command(const uint8_t *p, uint32_t len, struct sb_command2 *out)
{
    struct sb_ouch_replace m;
    if (!sb_ouch_read_replace(p, len, &m)) {
        set_broken(out, p, len, REPLACE_FIXED_BYTES, AT_REPLACE_KEY);
        return;
    }
    struct sb_command *c = &out->c;
    c->key = m.ref;
    echo_put(out, m.clordid, m.iso, 'N');
    const uint8_t reason = sb_entry_replace_terms(&m, out);
    if (reason != SB_REASON_NONE) {
        set_invalid(out, reason);
        return;
    }
    c->kind = SB_CMD_REPLACE;
    c->orig_key = m.orig_ref;
    c->quantity = m.quantity;
    c->display = (uint8_t)m.display;
    c->price = price_of(m.price);
}

static void cancel_to_command(const uint8_t *p, uint32_t len, struct sb_command2 *out)
{
    struct sb_ouch_cancel m;
    if (!sb_ouch_read_cancel(p, len, &m)) {
        set_unreadable(out);
        return;
    }
    out->c.kind = SB_CMD_CANCEL;
    out->c.key = m.ref;
    out->c.quantity = m.quantity;
}

void sb_entry_to_command(const uint8_t *p, uint32_t len, struct sb_command2 *out, char symbol[8])
{
    memset(out, 0, sizeof *out);
    memcpy(symbol, blanks, 8);
    switch (len > 0 ? p[0] : 0) {
    case 'O':
        enter_to_command(p, len, out, symbol);
        break;
    case 'U':
        replace_to_command(p, len, out);
        break;
    case 'X':
        cancel_to_command(p, len, out);
        break;
    default:
        if (!sb_entry_ours(p, len, out, symbol))
            set_unreadable(out);
    }
}
