/* direct_general.h: direct calls that are not as most are: they trade or are IOC, rest outside the window or have ids beyond their near
 * buckets, meet full tables, or are refused.
 *
 *     sb_direct_order --> order_in_window                             rests in the window: the way of most (direct.c)
 *        |    |               |
 *        |    | outside the   | id not near, tables full, many orders: the acknowledgement stands in `out`, else nothing has changed
 *        |    | window        v
 *        |    +----> sb_direct_order_of_report --> rest_anywhere      rests, or is refused as a duplicate
 *        |                    | a table is full                 ^
 *        |                    v                                 |
 *        +----> sb_direct_order_of_any_kind --------------------+     bad details, lots: all is checked again
 *        |                    | crosses, IOC, no room
 *        |                    v
 *        +----> sb_direct_order_that_takes --> order_that_trades      crosses or is IOC; or is refused: duplicate, tables full
 *
 *     sb_direct_cancel --> sb_direct_cancel_of_any_kind
 *     sb_direct_modify --> modify_in_window (direct.c) or sb_direct_modify_of_any_kind --> modify_that_takes
 *
 * All of them are jumps, and each does all that is left to do of its call (direct.h), but for this:
 *
 * With many orders (sb_direct_many()) a level outside the window is in lines that come from memory, and whoever waits for them keeps the
 * calls after it waiting. Nobody is told of such a level unless it is the best of its tail. So orders that come to a level worse than
 * that, and such levels that go, stand in sb_engine.behind until there are sixteen of a kind, in turn, and their lines are asked
 * for meanwhile. Everything else is done at once: id, slot, report, counts. Whoever looks at a tail, or at the queues of such levels,
 * calls sb_state_settle() first; calls for levels in the window need not: an order waits only while its level is outside. Where levels
 * are counted, orders do not wait, as nobody knows before whether their level is new. */
#ifndef SHADOWBOOK_ENGINE_DIRECT_GENERAL_H
#define SHADOWBOOK_ENGINE_DIRECT_GENERAL_H

#include "engine/book.h"
#include "shadowbook/direct.h"

/* An order that crosses (one in six) or is not to rest; or that there is no room for. Price and quantity are checked. */
uint32_t sb_direct_order_that_takes(struct sb_engine *e, struct sb_book *b, uint64_t id,
                                    uint32_t flags, uint32_t key, uint32_t quantity,
                                    struct sb_report *out);

/* Any order: what sb_direct_order() does, for those that are not as most are. */
uint32_t sb_direct_order_of_any_kind(struct sb_engine *e, uint32_t instrument, uint64_t id,
                                     uint32_t flags, int64_t price, uint32_t quantity,
                                     struct sb_report *out);

/* The same for one that is to rest (and is no IOC: `out` would not say), and whose acknowledgement stands in `out` already. */
uint32_t sb_direct_order_of_report(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                   struct sb_report *out);

/* An order whose id is beyond its near bucket, or whose level is outside the window; or there is none. */
uint32_t sb_direct_cancel_of_any_kind(struct sb_engine *e, uint64_t id, struct sb_report *out);

/* Any modify: what sb_direct_modify() does, for those that are not as most are. */
uint32_t sb_direct_modify_of_any_kind(struct sb_engine *e, uint64_t id, uint32_t flags,
                                      int64_t price, uint32_t quantity, struct sb_report *out);

#endif
