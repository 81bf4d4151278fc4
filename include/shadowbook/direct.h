/* direct.h: the matcher without sessions and commands, for who embeds it: an order in, reports out.
 *
 * An engine is opened for direct use, and then only these calls change it. Orders are named by any 64-bit id; an id may be
 * used again once its order is gone. Matching is that of engine.h (price-time priority, continuous trading), and the same code.
 * State, digest of the state, image, best prices and visits are as of any engine; nothing is sealed.
 *
 * A whole adapter, from a venue's messages to a ring that another core reads:
 *
 *     struct sb_engine_limits limits = SB_ENGINE_LIMITS_DEFAULT;
 *     limits.orders_max = limits.levels_max = 1 << 20;
 *     size_t bytes = (sb_engine_footprint(&limits) + (1 << 21) - 1) & -(size_t)(1 << 21);
 *     void *memory = aligned_alloc(1 << 21, bytes);
 *     madvise(memory, bytes, MADV_HUGEPAGE); // if you have them
 *     struct sb_engine *e = sb_engine_new(memset(memory, 0, bytes), bytes, &limits);
 *     struct sb_report *out = malloc(sb_direct_reports_max(e) * sizeof *out);
 *     sb_direct_open(e, 1, &(struct sb_direct_instrument){.tick = 1, .price_min = 0, .price_max = SB_DIRECT_PRICE_MAX,
 *                                                         .lot = 1, .quantity_max = SB_DIRECT_QUANTITY_MAX});
 *     void on_message(const struct message *m)
 *     {
 *         uint32_t n = 0;
 *         switch (m->kind) {
 *         case NEW:    n = sb_direct_order(e, 1, m->id, m->sell | (m->ioc ? SB_DIRECT_IOC : 0), m->price, m->quantity, out);
 *                      break;
 *         case CANCEL: n = sb_direct_cancel(e, m->id, out); break;
 *         case MODIFY: n = sb_direct_modify(e, m->id, 0, m->price, m->quantity, out); break;
 *         }
 *         for (uint32_t i = 0; i < n; i++)
 *             ring_push(ring, &out[i]);
 *     }
 *
 * Reports of one call, in order: the answer (an ack or a reject), a trade for each fill, oldest and best first, and
 * CANCEL_ACK for what an IOC order did not trade. A call that is refused changes nothing but the count of calls.
 * Every call, and who looks at the engine (visits, best prices, digest, image): one thread. O(reports), and some 15 ns each where they
 * are at hand; with 49,152 orders at rest, or more, some work (far prices, the table of ids) is left for later, which one call in
 * sixteen, or in eight, or who looks, does for all. A call may move the window (window_levels, engine.h). No memory is allocated; never
 * fails otherwise. After 2^40 orders and modifies (a day at 12 million a second) an engine's image can no longer be loaded; matching
 * goes on.
 */
#ifndef SHADOWBOOK_DIRECT_H
#define SHADOWBOOK_DIRECT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/command.h"
#include "shadowbook/output.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sb_engine;

enum sb_report_kind {
    SB_REPORT_ORDER_ACK = 1,
    SB_REPORT_TRADE,
    SB_REPORT_CANCEL_ACK, /* also of what an IOC did not trade */
    SB_REPORT_MODIFY_ACK,
    SB_REPORT_ORDER_REJECT,
    SB_REPORT_CANCEL_REJECT,
    SB_REPORT_MODIFY_REJECT,
    SB_REPORT_KINDS
};

struct sb_report {
    uint64_t id;    /* of the call's order; TRADE: of the one that rested */
    uint64_t taker; /* TRADE only: the call's order */
    uint32_t price; /* acks of orders and modifies: limit; TRADE: the resting order's; else 0 */
    uint32_t
        quantity; /* acks of orders and modifies: open; TRADE: traded; CANCEL_ACK: taken off; else 0 */
    uint32_t instrument; /* 0 where the call names an order that does not rest */
    uint8_t kind;        /* enum sb_report_kind */
    uint8_t side;        /* enum sb_side: of the call's order; TRADE: of the one that rested */
    uint8_t
        reason; /* CANCEL_ACK: USER or IOC; rejects: enum sb_reason, or one of those below; else 0 */
    uint8_t zero;
};
static_assert(sizeof(struct sb_report) == 32, "two to a cache line");

/* Reasons that only direct users can meet: sessions' messages of this kind are ignored. */
enum {
    SB_REASON_DUPLICATE = 64, /* an order with this id rests */
    SB_REASON_UNKNOWN = 65    /* no order with this id rests */
};

/* In `flags`; together with an enum sb_side in the lowest three bits. */
enum {
    SB_DIRECT_IOC = 8, /* what does not trade at once is canceled; else it rests */
    /* modify, amend: quantity is meant for the whole life of the order, what was executed of it included; without the flag it is what
     * is open afterwards. That life begins when the order is entered, and again when it loses its place by a call without
     * the flag: every modify, and an amend that does not keep the place. An amend that keeps it begins nothing. */
    SB_DIRECT_CHAIN = 16
};

/* More than a session's orders may have: price 0 is a price like any other. */
#define SB_DIRECT_PRICE_MAX    INT64_C(2147483647)
#define SB_DIRECT_QUANTITY_MAX UINT32_MAX

struct sb_direct_instrument {
    int64_t tick;                 /* 1..SB_DIRECT_PRICE_MAX */
    int64_t price_min, price_max; /* limits accepted, multiples of tick; 0..SB_DIRECT_PRICE_MAX */
    uint32_t lot, quantity_max;   /* quantities are multiples of lot; 1..SB_DIRECT_QUANTITY_MAX */
};

/* Opens an engine that nothing was applied to (asserted) for direct use, with instruments 1..n, all of this definition and in
 * continuous trading. False: the definition cannot be served (engine.h: INSTRUMENT), or n is above instruments_max; the
 * engine is then of no use. */
bool sb_direct_open(struct sb_engine *e, uint32_t n, const struct sb_direct_instrument *definition);

/* One more instrument, with a definition of its own. False: as above, or it is defined. */
bool sb_direct_define(struct sb_engine *e, uint32_t instrument,
                      const struct sb_direct_instrument *definition);

/* Reports that one call makes at most. */
uint32_t sb_direct_reports_max(const struct sb_engine *e);

/* All below return how many reports they wrote to out, which has room for sb_direct_reports_max() and is the call's own, to write and
 * to read, until it returns. */

/* A new order. ORDER_REJECT: SYMBOL (instrument not defined), PRICE_TICK, PRICE_BAND, LOT, QUANTITY, FULL_ORDERS, FULL_LEVELS as
 * in engine.h, the lowest; else DUPLICATE. Any price is answered, from INT64_MIN to INT64_MAX. Bits of flags that are not
 * named above, and sides that enum sb_side has not, are the caller's error and are asserted only where that costs nothing. */
uint32_t sb_direct_order(struct sb_engine *e, uint32_t instrument, uint64_t id, uint32_t flags,
                         int64_t price, uint32_t quantity, struct sb_report *out);

/* Takes off all that is open: CANCEL_ACK; CANCEL_REJECT: UNKNOWN. One report: `out` may be the next place of a ring. */
uint32_t sb_direct_cancel(struct sb_engine *e, uint64_t id, struct sb_report *out);

/* Takes `quantity` off what is open, at most all: CANCEL_ACK says how much; the place is kept. CANCEL_REJECT: UNKNOWN; QUANTITY
 * (zero). One report. */
uint32_t sb_direct_reduce(struct sb_engine *e, uint64_t id, uint32_t quantity,
                          struct sb_report *out);

/* A new price and quantity for a resting order, which loses its place whatever they are, may trade, and keeps its id: MODIFY_ACK, trades.
 * With SB_DIRECT_IOC what does not trade is canceled. MODIFY_REJECT, and the order stays as it was: UNKNOWN; PRICE_TICK,
 * PRICE_BAND, LOT, QUANTITY (also zero), FULL_LEVELS (judged with the order taken out). With SB_DIRECT_CHAIN and no more than was executed:
 * nothing is left, CANCEL_ACK (USER). */
uint32_t sb_direct_modify(struct sb_engine *e, uint64_t id, uint32_t flags, int64_t price,
                          uint32_t quantity, struct sb_report *out);

/* The same, but the place is kept where the price stays and what is open does not grow (without SB_DIRECT_IOC). Then what was executed
 * is kept, too, with SB_DIRECT_CHAIN or without: a later call with it counts it. */
uint32_t sb_direct_amend(struct sb_engine *e, uint64_t id, uint32_t flags, int64_t price,
                         uint32_t quantity, struct sb_report *out);

#ifdef __cplusplus
}
#endif

#endif
