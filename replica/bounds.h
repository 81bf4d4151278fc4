/* bounds.h: how many bytes of the hold ring commands can fill. The node looks before it applies, the configuration is
 * refused if its ring could never take one packet.
 *
 * What bounds it (engine/RULES.md; sizes are of messages with their length, what the feed says counts for two feeds).
 * A *part* is what a fill can use up at once: a whole order, or one slice of an iceberg.
 *   fills        Where orders match by price and time, every fill, pair of an auction and decrement (10.2) uses up a part of
 *                one of its two sides: there are never more of them than parts that are used up. The largest is an auction's
 *                pair: two Executed (38 each), two executions on the feed (38 each): 228. An order that ends by a cancel says
 *                less (38, and 21 on the feed); so does an OCO partner, which is an order that ends.
 *   slices       A slice that is used up is followed by F_ADD (38) of the next: a part of an iceberg makes at most 304. An
 *                iceberg has at most 20 parts (3.4, 16.1: also after a replace or an amend, which count as a new order).
 *   other terms  Whoever is not an iceberg has one part, TRIGGERED once (35) and F_ADD when it then rests: far below 20 parts.
 *                An iceberg that waited for the close comes to rest with one F_ADD, its last part is followed by none.
 *   commands     An answer (84), F_ADD or F_REPLACED, F_DELETED of an old reference: below 336. And of the instrument: F_CROSS
 *                (42), F_PHASE as a pause ends and as another begins (27 each), or F_INDICATIVE (52): 96 a feed. QUOTE does it for
 *                six sides (F_DELETED, F_ADD: 118 each) and three instruments: what that is more is below three parts.
 *   for all      Of each instrument the 96 a feed.
 *   pro-rata     Where orders match so, the last pass of an arrival (12.4) has at most SB_PRO_RATA_MAX fills that use up none but
 *                the arrival: two Executed and one execution on the feed, 152 each. Who arrives: what commands bring; and stops and
 *                dark orders, which have one part and that. A shard without such an instrument adds nothing.
 *   frames       Each frame adds its headers, record and rounding; a stream that is touched has one that is not full. */
#ifndef SHADOWBOOK_BOUNDS_H
#define SHADOWBOOK_BOUNDS_H

#include "replica/hold.h"
#include "shadowbook/engine.h"

enum { SB_PARTS_MAX = 20, SB_PARTS_QUOTE = 9, SB_ARRIVALS_QUOTE = 6 };

/* What is to be applied, and to what. */
struct sb_hold_load {
    uint64_t orders; /* open now, those with terms included */
    uint64_t terms;  /* open now, with terms */
    uint64_t commands;
    uint64_t parts;    /* that the commands bring: sb_command_parts_max() */
    uint64_t arrivals; /* that the commands bring: sb_command_arrivals_max() */
    uint64_t for_all;  /* of the commands: how many speak to every instrument */
    bool pro_rata;     /* may an instrument match so? */
};

/* Parts that a command may bring. slices: could what it changes be an iceberg? */
static inline uint64_t sb_command_parts_max(const struct sb_command *c, bool slices)
{
    switch (c->kind) {
    case SB_CMD_ORDER:
    case SB_CMD_CARRY: {
        const union sb_command_ext *x = sb_command_ext(c);
        return x != NULL && x->order.display_quantity != 0 ? SB_PARTS_MAX : 1;
    }
    case SB_CMD_REPLACE:
    case SB_CMD_AMEND:
        return slices ? SB_PARTS_MAX : 1;
    case SB_CMD_QUOTE:
        return SB_PARTS_QUOTE;
    default:
        return 0;
    }
}

/* Orders that a command may bring, or send through the book again. */
static inline uint64_t sb_command_arrivals_max(const struct sb_command *c)
{
    switch (c->kind) {
    case SB_CMD_ORDER:
    case SB_CMD_CARRY:
    case SB_CMD_REPLACE:
    case SB_CMD_AMEND:
        return 1;
    case SB_CMD_QUOTE:
        return SB_ARRIVALS_QUOTE;
    default:
        return 0;
    }
}

/* Does the command speak to every instrument? Then it makes outputs for each. */
static inline bool sb_command_for_all(const struct sb_command *c)
{
    switch (c->kind) {
    case SB_CMD_PHASE:
    case SB_CMD_UNCROSS:
    case SB_CMD_TIMER:
    case SB_CMD_INDICATIVE:
    case SB_CMD_MASS_CANCEL:
        return c->instrument == SB_INSTRUMENT_ALL;
    default:
        return c->kind == SB_CMD_KILL;
    }
}

static inline uint64_t sb_hold_bytes_max(const struct sb_engine_limits *limits,
                                         const struct sb_hold_load *load)
{
    enum { HEADERS_BYTES = 62, PAYLOAD_BYTES = 1472, MESSAGE_BYTES = 128 };
    enum { FILL = 2 * 38 + 2 * 2 * 38, PART = FILL + 2 * 38, INSTRUMENT = 2 * 96 };
    enum { COMMAND = 4 * 84 + INSTRUMENT };
    enum { PASS = SB_PRO_RATA_MAX * (2 * 38 + 2 * 38), ICEBERG = SB_PARTS_MAX * PART };
    _Static_assert(PART + PASS > ICEBERG, "the most that an order with terms needs");
    const uint64_t plain = load->orders - load->terms;
    const uint64_t payload = plain * FILL + load->terms * (load->pro_rata ? PART + PASS : ICEBERG) +
                             load->parts * PART + (load->pro_rata ? load->arrivals * PASS : 0) +
                             load->commands * COMMAND +
                             load->for_all * limits->instruments_max * INSTRUMENT;
    const uint64_t frame = sizeof(struct sb_held) + HEADERS_BYTES + 64;
    const uint64_t streams =
        (load->commands + 2) * 4 + limits->sessions_max; /* frames that are not full */
    return payload + (payload / (PAYLOAD_BYTES - MESSAGE_BYTES) + streams) * frame;
}

/* The most that one packet can need, whatever is open and whatever is in it: `lines` commands, one of them for all. */
static inline uint64_t sb_hold_packet_bytes_max(const struct sb_engine_limits *limits,
                                                uint32_t lines, bool pro_rata)
{
    const uint64_t terms =
        limits->terms_max < limits->orders_max ? limits->terms_max : limits->orders_max;
    return sb_hold_bytes_max(limits, &(struct sb_hold_load){.orders = limits->orders_max,
                                                            .terms = terms,
                                                            .commands = lines,
                                                            .parts = lines * SB_PARTS_MAX,
                                                            .arrivals = lines * SB_ARRIVALS_QUOTE,
                                                            .for_all = 1,
                                                            .pro_rata = pro_rata});
}

#endif
