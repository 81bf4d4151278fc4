/* direct_general.h: direct calls that are not as most are: they trade or are IOC, rest outside the window or have ids beyond their near
 * buckets, meet full tables, or are refused. Each does all that its call has to do (direct.h), whatever the case, and
 * is entered by a jump from direct.c before anything has changed. */
#ifndef SHADOWBOOK_ENGINE_DIRECT_GENERAL_H
#define SHADOWBOOK_ENGINE_DIRECT_GENERAL_H

#include "engine/book.h"
#include "shadowbook/direct.h"

/* An order that may trade now, or is not to rest: one in six. Price and quantity are checked. */
uint32_t sb_direct_order_that_takes(struct sb_engine *e, struct sb_book *b, uint64_t id,
                                    uint32_t flags, uint32_t key, uint32_t quantity,
                                    struct sb_report *out);

/* Any order: what sb_direct_order() does, for those that are not as most are. */
uint32_t sb_direct_order_of_any_kind(struct sb_engine *e, uint32_t instrument, uint64_t id,
                                     uint32_t flags, int64_t price, uint32_t quantity,
                                     struct sb_report *out);

/* The same for one that is to rest, but not as most do, and whose acknowledgement stands in `out` already. */
uint32_t sb_direct_order_of_report(struct sb_engine *e, struct sb_ladder *l, uint32_t key,
                                   struct sb_report *out);

/* An order whose id is beyond its near bucket, or whose level is outside the window; or there is none. */
uint32_t sb_direct_cancel_of_any_kind(struct sb_engine *e, uint64_t id, struct sb_report *out);

/* Any modify: what sb_direct_modify() does, for those that are not as most are. */
uint32_t sb_direct_modify_of_any_kind(struct sb_engine *e, uint64_t id, uint32_t flags,
                                      int64_t price, uint32_t quantity, struct sb_report *out);

#endif
