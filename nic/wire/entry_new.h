/* entry_new.h: our New order 'N': every term that the engine knows, in fields of fixed places. See ENTRY.md section 3. */
#ifndef SHADOWBOOK_WIRE_ENTRY_NEW_H
#define SHADOWBOOK_WIRE_ENTRY_NEW_H

#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/command.h"

/* Of SB_ENTRY_NEW_BYTES at p: fills in the command, which is all zeros, and what symbol is to be looked up. False: a
 * value that ENTRY.md does not have; then only its key and what J echoes. Whether the terms go together is the engine's. */
bool sb_entry_new(const uint8_t *p, struct sb_command2 *out, char symbol[8]);

#endif
