/* entry_ours.h: clients' messages of our own kind, but for New order, as commands: see ENTRY.md section 3. */
#ifndef SHADOWBOOK_WIRE_ENTRY_OURS_H
#define SHADOWBOOK_WIRE_ENTRY_OURS_H

#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/command.h"

/* Fills in the command, which is all zeros, and what symbol is to be looked up (or leaves it blank). False: not exactly one
 * of these messages; nothing was written. */
bool sb_entry_ours(const uint8_t *p, uint32_t len, struct sb_command2 *out, char symbol[8]);

#endif
