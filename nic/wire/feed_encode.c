/* feed_encode.c: the engine's feed outputs as ITCH messages: see itch.h. */
#include <string.h>

#include "nic/wire/itch.h"
#include "shadowbook/assert.h"
#include "shadowbook/command.h"

/* A price of the engine, which keeps to SB_PRICE_MAX: fits ITCH's 32 bits. */
static uint32_t price_of(const struct sb_output *o)
{
    SB_ASSERT_LE(INT64_C(0), o->price);
    SB_ASSERT_LE(o->price, SB_PRICE_MAX);
    return (uint32_t)o->price;
}

/* Bytes 19..38 of a directory message. Of what Nasdaq tells about a company nothing is known here: blank, or
 * the "not applicable" of the field. Quantities are multiples of the lot: round lots only. */
static void directory_put(struct sb_itch *m, uint32_t lot)
{
    memcpy(m->directory, "  \0\0\0\0YQZ P    \0\0\0\0N", 20);
    m->directory[2] = (uint8_t)(lot >> 24);
    m->directory[3] = (uint8_t)(lot >> 16);
    m->directory[4] = (uint8_t)(lot >> 8);
    m->directory[5] = (uint8_t)lot;
}

static char state_of(const struct sb_output *o)
{
    static const char state[4] = {[SB_PHASE_CLOSED] = 'P',
                                  [SB_PHASE_AUCTION] = 'Q',
                                  [SB_PHASE_CONTINUOUS] = 'T',
                                  [SB_PHASE_HALTED] = 'H'};
    return state[o->side >> SB_OUT_PHASE_SHIFT & 3];
}

static void indicative_fill(struct sb_itch *m, const struct sb_output *o)
{
    const char side = sb_side_sells(o->side & SB_OUT_SIDE_MASK) ? 'S' : 'B';
    m->type = 'I';
    m->imbalance = o->ref;
    m->side = o->price == 0 ? 'O' : o->ref == 0 ? 'N' : side;
    m->price = m->near = m->reference = price_of(o);
    m->cross = 'O';
    m->variation = ' ';
}

uint32_t sb_feed_encode(uint8_t *p, const struct sb_output *o, const char symbol[8],
                        uint64_t midnight_ns)
{
    struct sb_itch m = {
        .locate = (uint16_t)o->instrument,
        .timestamp = o->time_ns - midnight_ns,
        .ref = o->ref,
        .match = o->match,
        .shares = o->quantity,
    };
    switch (o->kind) {
    case SB_OUT_F_SYSTEM:
        m.type = 'S';
        m.locate = 0;
        m.event = (char)o->liquidity;
        return sb_itch_write(p, &m);
    case SB_OUT_F_DIRECTORY:
        m.type = 'R';
        directory_put(&m, o->quantity);
        break;
    case SB_OUT_F_PHASE:
        m.type = 'H';
        m.state = state_of(o);
        m.reserved = ' ';
        memset(m.reason, ' ', sizeof m.reason);
        break;
    case SB_OUT_F_ADD:
        m.type = 'A';
        m.side = sb_side_sells(o->side & SB_OUT_SIDE_MASK) ? 'S' : 'B';
        m.price = price_of(o);
        break;
    case SB_OUT_F_EXECUTED:
        m.type = 'E';
        return sb_itch_write(p, &m);
    case SB_OUT_F_EXECUTED_AT:
        m.type = 'C';
        m.printable = 'N';
        m.price = price_of(o);
        return sb_itch_write(p, &m);
    case SB_OUT_F_REDUCED:
        m.type = 'X';
        return sb_itch_write(p, &m);
    case SB_OUT_F_DELETED:
        m.type = 'D';
        return sb_itch_write(p, &m);
    case SB_OUT_F_REPLACED:
        m.type = 'U';
        m.ref = o->match;
        m.new_ref = o->ref;
        m.price = price_of(o);
        return sb_itch_write(p, &m);
    case SB_OUT_F_CROSS:
        m.type = 'Q';
        m.shares = o->ref;
        m.price = price_of(o);
        m.cross = 'O';
        break;
    case SB_OUT_F_TRADE:
        m.type = 'P';
        m.side = 'B';
        m.price = price_of(o);
        break;
    case SB_OUT_F_INDICATIVE:
        indicative_fill(&m, o);
        break;
    default:
        SB_ASSERT_EQ(o->kind, SB_OUT_F_SYSTEM); /* not a feed output */
    }
    memcpy(m.symbol, symbol, 8);
    return sb_itch_write(p, &m);
}
