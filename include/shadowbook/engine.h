/* engine.h: the matching engine as a library: outputs = apply(state, command).
 *
 * The engine is pure. It reads no clock, does no I/O, takes no lock, allocates nothing after
 * sb_engine_new() and has no hidden state: two engines made with the same limits that applied the same
 * commands hold the same state and made the same output bytes. One engine belongs to one thread.
 *
 *     size_t bytes = sb_engine_footprint(&limits);
 *     struct sb_engine *e = sb_engine_new(memory, bytes, &limits);   // huge pages, if you have them
 *     struct sb_outbox box = {.out = records, .cap = sb_engine_outputs_max(&limits, 1, true)};
 *     sb_engine_apply(e, &command, &box);      // box.out[0..box.n) are the outputs
 *     digest = sb_engine_seal(e, &box);        // folds them into the digest and empties the box
 *
 * What follows is about orders without terms, in books without further rules. engine/RULES.md has the rest: order types, times in
 * force, icebergs, hidden and pegged orders, stops, OCO, self-trade prevention, pro-rata, bands, kinds of auctions, amend, mass
 * operations, quotes, orders of an earlier day (CARRY); and what happens in which order.
 *
 * Rules of matching
 *   Price-time priority. An order that can trade takes the best price on the other side first, and
 *   there the oldest order first; each fill is at the resting order's price. What is left of a DAY
 *   order rests; what is left of an IOC order is canceled (reason IOC).
 *   Time priority is the order of sequence numbers. A reduced order keeps its place; a replaced one
 *   goes to the end of its new price.
 *   AUCTION: orders rest, also at prices that cross. UNCROSS trades at one price: the one with the
 *   largest volume; of those the smallest imbalance (buy minus sell quantity executable there, absolute); of those:
 *   all with imbalance on the buy side: the highest; all on the sell side: the lowest; otherwise the
 *   price in the middle of the tied range's lowest and highest, rounded down to a tick. Candidate prices
 *   are the limit prices of resting orders. Buy and sell orders are then paired in price-time priority
 *   (the best-priced, oldest buy with the best-priced, oldest sell); each pair trades the smaller of what is left.
 *
 * Answers (every client message that is not ignored gets exactly one of these first)
 *   ORDER    Accepted, then its fills; or Rejected. key must be above the session's last consumed key,
 *            else it is a resend: ignored, counted. Accepted and Rejected consume the key.
 *   REPLACE  Unknown orig_key, or key not above the last consumed: ignored, counted. Details invalid (price,
 *            quantity, phase): the original is canceled (REPLACE_INVALID), key is not consumed. quantity - executed <= 0:
 *            the original is canceled (USER). Else Replaced, then its fills. A replace while HALTED or CLOSED is Rejected with
 *            its key consumed and leaves the original untouched. Chain: `executed` is carried on.
 *   CANCEL   Unknown or dead: ignored, counted ("superfluous"). Else open = min(open, quantity - executed), at least 0; 
 *            Canceled with the decrement, none if nothing changes. A cancel is taken in every phase.
 *   REDUCE   as CANCEL with open = open - quantity, at least 0.
 *   Ownership: a session can only name its own orders.
 *   INVALID  Rejected with the command's reason; consumes key unless SB_CMD_F_SKIP_KEY.
 *   LOGIN    SB_OUT_LOGIN, when the nonce (price) differs from the session's last nonce; before it, on the
 *            session's first login of the day, SB_OUT_SYSTEM 'S'. An equal nonce only updates the return address.
 *   PHASE, UNCROSS  SB_OUT_OPERATOR to the session that sent it (none for session 0). With SB_INSTRUMENT_ALL one
 *            answer for all: the first reason that is not NONE.
 *   session_seq: a numbered command (not 0) whose number is not above the session's last is a resend:
 *   ignored, counted. The sequencer lets none through; the engine does not rely on it.
 *   Unknown session or one that is not defined: ignored, counted.
 *
 * Order of outputs
 *   ORDER    Accepted; for each fill: Executed to the resting order's session, Executed to the
 *            aggressor's session, F_EXECUTED (resting ref); then Canceled (IOC) or F_ADD for what is left.
 *   REPLACE  without a fill: Replaced, F_REPLACED. With fills: Replaced, F_DELETED (old ref), the fills,
 *            F_ADD (new ref) for what is left. Every accepted order and every replace takes the next order reference.
 *   CANCEL, REDUCE and cancels of any other reason: Canceled, then F_DELETED if nothing is left, else F_REDUCED.
 *   UNCROSS  for each pair: Executed to the buyer, Executed to the seller (liquidity OPENING), F_EXECUTED_AT buy
 *            ref, F_EXECUTED_AT sell ref, all with one match number; after the last pair F_CROSS with a match number
 *            of its own; last the OPERATOR answer. No volume: only the answer. All instruments: by index.
 *   PHASE    to CLOSED: for each order of the buy side, then the sell side, best and oldest first: as a
 *            cancel (CLOSED). Then F_PHASE, then the OPERATOR answer. A phase that it is already in: only the answer.
 *   DAY      F_SYSTEM 'O'. INSTRUMENT: F_DIRECTORY, F_PHASE. SESSION: nothing.
 *
 * Where several readings would be possible
 *   Several reasons to reject one order hold: the one with the lowest number (enum sb_reason) is given. Tick before
 *   band: a price is a multiple of tick or PRICE_TICK. Zero is a multiple of every lot: QUANTITY.
 *   FULL_ORDERS: a DAY order that arrives while open orders == orders_max, even if it would trade at once. An IOC order
 *   needs no slot, a replace takes over the slot of its original: neither is ever refused for it.
 *   FULL_LEVELS: a DAY order that arrives while levels_max price levels are in use and none of them is (instrument, side,
 *   price) of the order, even if it would trade at once. A replace is judged with its original taken out; there it counts
 *   as invalid details. A price level is in use while an order rests there.
 *   REPLACE: the key is looked at before orig_key. Instrument, side and capacity are those of the original, whatever the
 *   command says. Invalid details are checked before quantity - executed: quantity 0 is invalid. IOC in AUCTION is
 *   invalid details. Only Replaced and Rejected consume the key. Without a fill: an IOC replace that trades nothing gives
 *   Replaced, F_DELETED (old ref), Canceled (IOC).
 *   An IOC remainder was never on the feed: Canceled, no feed output.
 *   CANCEL, REDUCE: session and key alone name the order; a key that the session never used is "unknown".
 *   LOGIN: the first of the day is answered whatever its nonce. Its `ref` counts the login's own session_seq.
 *   PHASE, UNCROSS: reasons in this order: NO_RIGHT, SYMBOL (instrument not defined), NOT_AUCTION or CROSSED (best
 *   buy >= best sell). They consume no key; `key` is echoed. INSTRUMENT_ALL means those defined, by index; each that can,
 *   does; its OPERATOR answer has quantity summed.
 *   Before DAY everything is ignored; so are a DAY of other rules than SB_ENGINE_RULES, a second DAY, a SESSION or INSTRUMENT whose
 *   index is 0, too large or defined, an instrument whose symbol is blank or defined, or with tick < 1, lot < 1, price_min < tick,
 *   price_max < price_min or > SB_PRICE_MAX, limits that are not multiples of tick, quantity_max < lot or > SB_QUANTITY_MAX, an
 *   unknown phase, or a reference_price that is not 0 and no multiple of tick within price_min..price_max.
 *   All count as ignored_session, as does a command of an undefined session. A numbered message takes its session_seq even
 *   if it is then ignored for another reason. An ignored command still is the last applied (seq, time).
 *
 * Bounds: one command makes at most sb_engine_outputs_max() outputs; work is proportional to the
 * outputs made (UNCROSS: plus the price levels of the instrument; now and then plus a window's, see window_levels).
 * RULES.md 18 says it with terms and further rules.
 */
#ifndef SHADOWBOOK_ENGINE_H
#define SHADOWBOOK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shadowbook/command.h"
#include "shadowbook/output.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sb_engine; /* opaque */

enum { SB_PRO_RATA_MAX = 64 }; /* orders of a queue that share in a pass (RULES.md 12.1) */

/* Version of the rules: of what the engine makes of commands. To be raised with every change after which any sequence of commands
 * may give other outputs or another state digest; a change of speed or layout alone leaves it. DAY carries it, and so does an
 * image: an engine opens no day and loads no image of another one, 0 included, so that no log is gone on with, replayed or
 * shared by a pair under other rules than those it was made under. */
enum { SB_ENGINE_RULES = 2 };

/* Sizes of all tables. They are part of what must be equal in two engines, but for the last, which is speed only and never shows
 * in outputs: as many as prices move while orders rest; with many more they are seldom met while they are in the cache. The window follows
 * the best price: a command that opens a level outside of it may put away as many levels as are in it, and take in as many, some 10 to 20
 * ns each where they are in the cache; that is paid for by a quarter as many levels opened outside, or more, since it last moved. */
struct sb_engine_limits {
    uint32_t instruments_max; /* 1..131071; a feed's locate of 16 bits bounds a shard to 65535 */
    uint32_t sessions_max;    /* 1..65535 */
    uint32_t orders_max;      /* open orders in all books, 1..2^27 */
    uint32_t levels_max;      /* price levels in use, both sides of all books, 1..2^27 */
    uint32_t terms_max;       /* open orders with terms (RULES.md), 1..2^24 */
    uint32_t window_levels;   /* levels in an array, 16 bytes each, per side and instrument: a power
                               * of two, 64..65536 */
};

#define SB_ENGINE_LIMITS_DEFAULT                                                                   \
    {                                                                                              \
        .instruments_max = 128, .sessions_max = 128, .orders_max = 1u << 20,                       \
        .levels_max = 1u << 16, .terms_max = 1u << 14, .window_levels = 8192                       \
    }

/* NULL if the limits can be served, else what is wrong with them. */
const char *sb_engine_limits_error(const struct sb_engine_limits *limits);

/* Do two limits say the same? window_levels does not count: it never shows. */
static inline bool sb_engine_limits_equal(const struct sb_engine_limits *a,
                                          const struct sb_engine_limits *b)
{
    return a->instruments_max == b->instruments_max && a->sessions_max == b->sessions_max &&
           a->orders_max == b->orders_max && a->levels_max == b->levels_max &&
           a->terms_max == b->terms_max;
}

/* Bytes that sb_engine_new() needs. */
size_t sb_engine_footprint(const struct sb_engine_limits *limits);

/* How many outputs can `commands` commands applied one after the other make? (A pair of an uncross ends an order
 * with 4 outputs; some for each command, and with INSTRUMENT_ALL some for each instrument.) Capped at UINT32_MAX.
 * pro_rata: may an instrument match pro-rata? Then whoever arrives (by a command, as a triggered stop, as a dark order when
 * trading starts) may have SB_PRO_RATA_MAX fills that end nobody but it. */
uint32_t sb_engine_outputs_max(const struct sb_engine_limits *limits, uint32_t commands,
                               bool pro_rata);

/* Formats an engine into mem (64-byte aligned, zeroed, `bytes` long, owned by the caller and kept as
 * long as the engine is used). Never fails on good limits; asserts on bad ones. */
struct sb_engine *sb_engine_new(void *mem, size_t bytes, const struct sb_engine_limits *limits);

/* The seed of the hash by which orders are found, of an engine in which no order rests (asserted). Who does not know it cannot
 * choose ids that collide. Speed only: it never shows in outputs, digests or images, and two engines need not have the
 * same. Without this call it is 0. */
void sb_engine_seed_hash(struct sb_engine *e, uint64_t seed);

/* Applies one command: one line, or two if it says so. Appends outputs. seq must be the last applied + 1,
 * the command must be sb_command_valid() (both asserted: they are the caller's). O(outputs). */
void sb_engine_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

/* Asks for the cache lines that applying a burst of commands, `lines` lines from `first` on, will touch: each is on its way before
 * the first is applied. For who has several at hand, such as a packet; pays where the books do not fit the cache. Looks at
 * 64 commands at most; does nothing while few orders and instruments are there. Changes nothing, asserts nothing. ~20 ns a command. */
void sb_engine_prefetch(const struct sb_engine *e, const struct sb_command *first, uint32_t lines);

/* Folds box's outputs into the running digest (XXH3-64 with the old digest as seed; an empty box changes nothing),
 * empties the box, returns the digest. Called at stream-packet boundaries: digests compare only between
 * engines that seal at the same places. */
uint64_t sb_engine_seal(struct sb_engine *e, struct sb_outbox *box);
uint64_t sb_engine_digest(const struct sb_engine *e);  /* as of the last seal */
uint64_t sb_engine_applied(const struct sb_engine *e); /* seq of the last command */
uint64_t sb_engine_last_time_ns(const struct sb_engine *e);
uint32_t sb_engine_open_terms(const struct sb_engine *e); /* open orders with terms, and quotes */
/* When a TIMER will find something to do: the earliest expire_ns of an open GTD order or resume_ns of a pause; 0: nothing is
 * waited for. Usually one load; after the last order that would have expired then was canceled, once O(orders with terms +
 * instruments). In no digest. */
uint64_t sb_engine_timer_due_ns(const struct sb_engine *e);
const struct sb_engine_limits *sb_engine_limits_of(const struct sb_engine *e);
/* Number that the next output of a stream (0: the feed, else the session's) will have. */
uint64_t sb_engine_next_stream_seq(const struct sb_engine *e, uint32_t stream);

/* One number for everything that can influence later outputs: instruments, sessions, every open
 * order in book order, counters, and the running digest as of the last seal (so compare it, too, only where both sealed
 * at the same places). Canonical: independent of slot numbers and table layout. O(state). */
uint64_t sb_engine_state_digest(const struct sb_engine *e);

/* --- the state as bytes -------------------------------------------------------------------------
 *
 * The image holds all that sb_engine_state_digest() covers and the stats. Canonical: equal commands give equal bytes,
 * whatever the history of memory; only window_levels is not in it. Little-endian, with a version of its own, without a
 * checksum (who stores it adds one). */

/* Bytes of the image of e. O(sessions_max + instruments_max). */
size_t sb_engine_image_bytes(const struct sb_engine *e);

/* Writes the image into out, exactly so many bytes (asserted). O(state * log orders); needs no memory of its own. */
void sb_engine_save(const struct sb_engine *e, void *out, size_t bytes);

/* Makes the state of an engine that nothing was applied to (asserted) that of the image. NULL, or what is wrong with it: then
 * the engine must be formatted anew. Total over any bytes: an engine is loaded only from what sb_engine_save() could have
 * written. Its limits must equal those in the image, but for window_levels. O(state). */
const char *sb_engine_load(struct sb_engine *fresh, const void *image, size_t bytes);

/* Views. Pointers stay valid for the engine's life; contents change with apply(). */
struct sb_session_view {
    uint64_t last_session_seq; /* last message number taken */
    uint64_t next_stream_seq;  /* number that the session's next output will have */
    uint64_t login_nonce;
    uint32_t last_key;
    uint32_t firm;
    uint32_t login_ipv4; /* 0: never logged in today */
    uint16_t login_port;
    uint8_t defined, operator_right;
    uint8_t stp, killed;
    uint32_t stp_group, orders_max, quantity_max, notional_max;
    uint32_t open_orders; /* of this session */
};
const struct sb_session_view *sb_engine_session(const struct sb_engine *e, uint32_t session);

struct sb_instrument_view {
    char symbol[8];
    int64_t tick, price_min, price_max;
    uint32_t lot, quantity_max;
    uint8_t phase, defined;
    uint8_t auction; /* enum sb_auction, of the last AUCTION phase */
    uint8_t matching, tie, band_action;
    uint16_t static_band, dynamic_band;
    uint32_t pause_ms, notional_max, pro_rata_min;
    int64_t reference;  /* static: configured, then the last auction's price; 0: none */
    int64_t last_price; /* of the last trade today; 0: none */
    uint64_t resume_ns; /* when TIMER ends the pause; 0: not paused, or the operator does */
};
const struct sb_instrument_view *sb_engine_instrument(const struct sb_engine *e,
                                                      uint32_t instrument);
uint32_t sb_engine_instruments(const struct sb_engine *e); /* highest index defined */

/* Index of a symbol (8 bytes, space padded), or SB_INSTRUMENT_NONE. One hash probe, usually one line. */
uint32_t sb_engine_find_symbol(const struct sb_engine *e, const char symbol[8]);

struct sb_day_view {
    uint64_t midnight_ns;
    uint32_t trading_day;
    uint16_t shard, generation;
    uint64_t carry_hash; /* the engine only keeps it */
};
const struct sb_day_view *sb_engine_day(const struct sb_engine *e);

/* Best price and open quantity there; false if the side is empty. */
bool sb_engine_best(const struct sb_engine *e, uint32_t instrument, uint8_t side, int64_t *price,
                    uint64_t *quantity);

/* Calls `visit` for every open order of a side, best price and oldest first. For tools and tests. */
struct sb_order_view {
    uint64_t ref, id; /* id: session << 32 | key */
    int64_t price;    /* where it rests; parked: its limit price, 0 if none */
    uint32_t session, key, open, executed;
    uint8_t side, capacity;
    uint8_t state; /* enum sb_order_state */
    uint8_t tif;
    uint32_t reserve; /* iceberg that is displayed: open, but not in `open` */
    int64_t
        limit;  /* limit price; 0: none. Of what took the best price: where the rest came to rest */
    bool quote; /* a side of a quote: key is the QUOTE's */
};
enum sb_order_state {
    SB_STATE_VISIBLE = 0, /* in the displayed book */
    SB_STATE_DARK = 1,    /* rests, not displayed: hidden, minimum quantity, all or none, pegged */
    SB_STATE_PARKED = 2,  /* waits: stop, at the close, peg without a price */
};

/* The displayed orders. */
void sb_engine_visit(const struct sb_engine *e, uint32_t instrument, uint8_t side,
                     void (*visit)(void *arg, const struct sb_order_view *order), void *arg);
/* All orders of an instrument in book order (RULES.md section 2): displayed buys, sells, dark buys, sells, parked. */
void sb_engine_visit_all(const struct sb_engine *e, uint32_t instrument,
                         void (*visit)(void *arg, const struct sb_order_view *order), void *arg);

/* What goes over to the next day: calls `visit` for every open GTC and GTD order with the CARRY (RULES.md 19) that enters it there:
 * without seq and time, the instrument's index that of today, a partner's key with both partners. By instrument; orders of one
 * must be entered in the order of `rank`, those of equal rank as they come here: so every queue is as it was, and among queues
 * they are by reference, as far as that goes. To be asked of a state whose instruments are CLOSED: then no order has a partner
 * that stays behind. O(orders). */
void sb_engine_visit_carried(const struct sb_engine *e,
                             void (*visit)(void *arg, const struct sb_command2 *carry,
                                           uint64_t rank),
                             void *arg);

/* Counts since sb_engine_new(); not part of the state digest. Of a direct user's engine, some are as of this call only. */
struct sb_engine_stats {
    uint64_t commands, outputs, trades, accepted, rejected, canceled, replaced;
    uint64_t ignored_resend, ignored_superfluous, ignored_session;
    uint32_t open_orders, open_orders_peak;
};
const struct sb_engine_stats *sb_engine_stats(const struct sb_engine *e);

#ifdef __cplusplus
}
#endif

#include "shadowbook/direct.h"

#endif
