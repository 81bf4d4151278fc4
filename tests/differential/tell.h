/* tell.h: commands, outputs and orders as lines of text, for people who look for a difference. Sessions are s1, keys k1,
 * instruments i1; prices in 1/10000 as they are; what is zero is left out. */
#ifndef SHADOWBOOK_TESTS_TELL_H
#define SHADOWBOOK_TESTS_TELL_H

#include <stdio.h>

#include "shadowbook/engine.h"

/* Times are told from start_ns on. One line each, with its end. */
void tell_command(FILE *to, const struct sb_command2 *both, uint64_t start_ns);
void tell_output(FILE *to, const struct sb_output *o);
void tell_order(FILE *to, const struct sb_order_view *o);

const char *tell_output_kind(uint8_t kind);
const char *tell_reason(uint8_t reason);

#endif
