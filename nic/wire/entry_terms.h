/* entry_terms.h: the terms of an order that OUCH carries in its fields and options. For entry_command.c.
 *
 *   display     N            hidden                    option 3  minimum quantity
 *   cross type  O, C         at the open, at the close    option 5  displayed quantity (iceberg)
 *   option 6    P, M, R      pegged to the other side's best price, the midpoint, its own side's; L: not
 *   option 7    offset of a peg: above 0 is more aggressive, on both sides
 *   option 12   P            post-only; N: not         option 13 how much a slice's size is random
 *   option 2 (firm), 24 (group): read over
 */
#ifndef SHADOWBOOK_WIRE_ENTRY_TERMS_H
#define SHADOWBOOK_WIRE_ENTRY_TERMS_H

#include "nic/wire/ouch.h"

/* Fills in tif and terms. Returns why not, or SB_REASON_NONE: TIF, DISPLAY, MALFORMED as ouch.h says. */
uint8_t sb_entry_terms(const struct sb_ouch_enter *m, struct sb_command2 *out);

/* Of a Replace, which keeps what the order has: tif, and nothing else but what is read over. */
uint8_t sb_entry_replace_terms(const struct sb_ouch_replace *m, struct sb_command2 *out);

#endif
