/* entry_command.c: what a client sent, as a command: sb_entry_to_command(), see ouch.h and ENTRY.md. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/entry_new.h"
#include "nic/wire/entry_ours.h"
#include "nic/wire/entry_terms.h"
#include "nic/wire/entry_values.h"
#include "nic/wire/ouch.h"

enum { ENTER_FIXED_BYTES = 47, REPLACE_FIXED_BYTES = 40 };
enum { AT_ENTER_KEY = 1, AT_REPLACE_KEY = 5 };

/* Nothing but what J echoes is left. */
static void set_invalid(struct sb_command2 *out, uint8_t reason)
{
    out->c.kind = SB_CMD_INVALID;
    out->c.tif = 0;
    out->c.reason = reason;
    memset(out->ext.bytes + SB_ENTRY_TERMS_AT, 0, sizeof out->ext.bytes - SB_ENTRY_TERMS_AT);
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

static void enter_to_command(const uint8_t *p, uint32_t len, uint64_t time_ns,
                             struct sb_command2 *out, char symbol[8])
{
    struct sb_ouch_enter m;
    if (!sb_ouch_read_enter(p, len, &m)) {
        set_broken(out, p, len, ENTER_FIXED_BYTES, AT_ENTER_KEY);
        return;
    }
    struct sb_command *c = &out->c;
    c->key = m.ref;
    uint8_t side = 0;
    const uint8_t reason =
        sb_entry_side(m.side, &side) ? sb_entry_terms(&m, time_ns, out) : SB_REASON_SIDE;
    if (reason != SB_REASON_NONE)
        set_invalid(out, reason);
    sb_entry_echo(out, m.clordid, m.iso, m.cross);
    if (reason != SB_REASON_NONE)
        return;
    c->kind = SB_CMD_ORDER;
    c->side = side;
    c->quantity = m.quantity;
    c->display = (uint8_t)m.display;
    c->capacity = (uint8_t)m.capacity;
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
    sb_entry_echo(out, m.clordid, m.iso, 'N');
    const uint8_t reason = sb_entry_replace_terms(&m, out);
    if (reason != SB_REASON_NONE) {
        set_invalid(out, reason);
        return;
    }
    c->kind = SB_CMD_REPLACE;
    c->orig_key = m.orig_ref;
    c->quantity = m.quantity;
    c->display = (uint8_t)m.display;
    c->price = sb_entry_price(m.price);
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

static void new_to_command(const uint8_t *p, uint32_t len, struct sb_command2 *out, char symbol[8])
{
    if (len != SB_ENTRY_NEW_BYTES)
        set_unreadable(out);
    else if (!sb_entry_new(p, out, symbol))
        set_invalid(out, SB_REASON_MALFORMED);
}

void sb_entry_to_command(const uint8_t *p, uint32_t len, uint64_t time_ns, struct sb_command2 *out,
                         char symbol[8])
{
    memset(out, 0, sizeof *out);
    memset(symbol, ' ', 8);
    switch (len > 0 ? p[0] : 0) {
    case 'O':
        enter_to_command(p, len, time_ns, out, symbol);
        break;
    case 'N':
        new_to_command(p, len, out, symbol);
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
