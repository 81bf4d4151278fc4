/* entry.h: an ORDER, or a CARRY, by all rules (RULES.md 3, 5, 19): validation, Accepted, and what becomes of it: arrival, parked,
 * canceled.
 *
 * client.c comes here if the order has terms, its book is `general` or its session is not plain; a plain order gets the outputs that
 * the plain path would have given it.
 */
#ifndef SHADOWBOOK_ENGINE_ENTRY_H
#define SHADOWBOOK_ENGINE_ENTRY_H

#include "engine/state.h"

/* Is nothing in force for its orders that the plain path does not know? */
static inline bool sb_entry_session_plain(const struct sb_session_view *s)
{
    return (s->stp | s->killed) == 0 && (s->orders_max | s->quantity_max | s->notional_max) == 0;
}

/* Does the command ask for more than the plain path knows, whatever the book? A second line without terms does not. */
bool sb_entry_line_has_terms(const struct sb_command *cmd); /* its second line */
static inline bool sb_entry_has_terms(const struct sb_command *cmd)
{
    return cmd->tif > SB_TIF_IOC ||
           ((cmd->flags & SB_CMD_F_EXT) != 0 && sb_entry_line_has_terms(cmd));
}

/* The key was consumed. b: its instrument's, or NULL. */
void sb_entry_order(struct sb_engine *e, struct sb_book *b, const struct sb_command *cmd,
                    struct sb_outbox *box);

/* Rejected, and counted. */
void sb_entry_reject(struct sb_engine *e, const struct sb_command *cmd, uint8_t reason,
                     struct sb_outbox *box);

#endif
