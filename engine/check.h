/* check.h: may it be entered: everything that may refuse an order, an amend, a side of a quote (RULES.md 3).
 *
 * Nothing here changes anything. Reasons are looked for from the lowest number up.
 */
#ifndef SHADOWBOOK_ENGINE_CHECK_H
#define SHADOWBOOK_ENGINE_CHECK_H

#include "engine/state.h"
#include "engine/terms.h"

/* An order as it was entered: command, and terms, which are zeros without a second line. */
struct sb_entry {
    uint32_t session;
    uint32_t quantity;
    int64_t price;
    uint8_t side, tif, type, attributes, peg;
    uint32_t display, range, minimum, trail, oco_key;
    int32_t offset;
    int64_t stop;
    uint64_t expire_ns;
};

/* Does the command carry terms (section 1)? */
bool sb_check_has_terms(const struct sb_command *cmd);

void sb_check_entry(const struct sb_command *cmd, struct sb_entry *x);

/* Can it come to rest, ever (3.3)? */
static inline bool sb_check_can_rest(const struct sb_entry *x)
{
    return x->tif != SB_TIF_IOC && x->tif != SB_TIF_FOK && x->type != SB_TYPE_MARKET;
}

/* Does it have terms? (A quote's side has none of its own, but needs a record.) */
bool sb_check_is_plain(const struct sb_entry *x);

/* What is to be thought away while a reason is looked for: an order that this one takes the place of. 0: none. */
struct sb_check_without {
    uint32_t slot;
};

/* ORDER: why it is refused, or SB_REASON_NONE. b NULL: no such instrument. */
uint8_t sb_check_order(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x);

/* A side of a quote whose old order, if any, is in `old` (17.1: as a plain DAY order; reasons as listed there). */
uint8_t sb_check_quote(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x,
                       uint32_t old);

/* New price and quantity (intended size) of the open order in `slot`: 16.1's list, without the phase. */
uint8_t sb_check_change(const struct sb_engine *e, struct sb_book *b, uint32_t slot, int64_t price,
                        uint32_t quantity);

/* A price outside the static band (3.7). */
bool sb_check_static_band(const struct sb_book *b, uint8_t side, int64_t price);

#endif
