/* check.h: may it be entered: everything that may refuse an order or a change of one (RULES.md 3, 16.1).
 *
 * Nothing here changes anything. Reasons are looked for from the lowest number up.
 */
#ifndef SHADOWBOOK_ENGINE_CHECK_H
#define SHADOWBOOK_ENGINE_CHECK_H

#include "engine/state.h"

/* An order as it was entered: the command, and its terms, which are zeros without a second line. */
struct sb_entry {
    uint32_t session;
    uint32_t quantity;
    int64_t price;
    uint8_t side, tif, type, attributes, peg;
    uint32_t display, range, minimum, trail, oco_key;
    int32_t offset;
    int64_t stop;
    uint64_t expire_ns;
    bool carried;             /* an order of an earlier day (19) */
    uint32_t executed, shown; /* of it: before; iceberg: what is left of its present slice */
};

/* Reads an ORDER or a CARRY, or the second line of a REPLACE. */
void sb_check_entry(const struct sb_command *cmd, struct sb_entry *x);

/* Does its second line say anything but what is only echoed? */
bool sb_check_has_terms(const struct sb_entry *x);

/* Is it plain (section 1)? */
bool sb_check_is_plain(const struct sb_entry *x);

/* Can it come to rest, ever (3.3)? */
static inline bool sb_check_can_rest(const struct sb_entry *x)
{
    return x->tif != SB_TIF_IOC && x->tif != SB_TIF_FOK && x->type != SB_TYPE_MARKET;
}

/* Would it rest displayed at its own price in the present phase (3.3)? */
bool sb_check_rests_shown(const struct sb_book *b, const struct sb_entry *x);

/* 17..19: what the phase says. */
uint8_t sb_check_phase(const struct sb_book *b, const struct sb_entry *x);

/* 32 (3.4): do the terms go together? check_terms.c */
bool sb_check_terms(const struct sb_book *b, const struct sb_entry *x);

/* ORDER, CARRY: why it is refused, or SB_REASON_NONE. b NULL: no such instrument. */
uint8_t sb_check_order(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x);

/* New price and quantity (intended size) of the open order in `slot`, with it taken out: 21..24, 26, 32, 35..37. Not the phase,
 * and not whether the session is blocked. tif: IOC, or anything else: its own. */
uint8_t sb_check_change(const struct sb_engine *e, struct sb_book *b, uint32_t slot, int64_t price,
                        uint32_t quantity, uint8_t tif);

/* The parts that a side of a quote needs one by one (17.1), as ORDER has them. `old`: a slot that is thought away; 0: none. */
uint8_t sb_check_price_quantity(const struct sb_book *b, const struct sb_entry *x); /* 21..24 */
bool sb_check_levels_full(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x,
                          uint32_t old); /* 26 */
uint8_t sb_check_too_much(const struct sb_engine *e, const struct sb_book *b,
                          const struct sb_entry *x); /* 35..37 */

#endif
