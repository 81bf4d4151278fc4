/* entry_terms.h: the terms of an order that OUCH carries in its fields and options. For entry_command.c.
 *
 *   display     N            hidden                    option 3  minimum quantity
 *   cross type  O, C         at the open, at the close    option 5  displayed quantity (iceberg)
 *   option 6    P, M, R      pegged to the other side's best price, the midpoint, its own side's; L: not
 *   option 7    offset of a peg: above 0 is more aggressive, on both sides
 *   option 12   P            post-only; N: not         option 13 how much a slice's size is random
 *   time in force 6, option 15: until so many seconds after the command's time
 *   price       0x7FFFFFFF, 200,000.0000, all ones: market; of a peg: no limit
 *   option 2 (firm), 24 (group): read over
 */
#ifndef SHADOWBOOK_WIRE_ENTRY_TERMS_H
#define SHADOWBOOK_WIRE_ENTRY_TERMS_H

#include "nic/wire/ouch.h"

/* Where the second line stops to be an echo. */
enum { SB_ENTRY_TERMS_AT = offsetof(union sb_command_ext, order.stop_price) };

/* Fills in tif, price and terms; time_ns: the command's. Returns why not, or SB_REASON_NONE: TIF, DISPLAY, MALFORMED as
 * ouch.h says. */
uint8_t sb_entry_terms(const struct sb_ouch_enter *m, uint64_t time_ns, struct sb_command2 *out);

/* Of a Replace, which keeps what the order has: tif, and nothing else but what is read over. */
uint8_t sb_entry_replace_terms(const struct sb_ouch_replace *m, struct sb_command2 *out);

/* What the second line echoes, once the terms are in: there is one only if it says something. */
void sb_entry_echo(struct sb_command2 *out, const char clordid[14], char iso, char cross);

#endif
