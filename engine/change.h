/* change.h: CANCEL, REDUCE, REPLACE and AMEND by all rules (RULES.md 6.4, 11.2, 16), for orders of every kind.
 *
 * client.c comes here for AMEND, and for the others if the order's book is `general` or its session is not plain; a plain order gets the
 * outputs that the plain path would have given it.
 */
#ifndef SHADOWBOOK_ENGINE_CHANGE_H
#define SHADOWBOOK_ENGINE_CHANGE_H

#include "engine/state.h"

/* Leaves the open order in `slot` with `total` open, at most; 0: canceled. CANCEL and REDUCE differ in what they ask for only. */
void sb_change_reduce_to(struct sb_engine *e, uint32_t slot, uint32_t total, struct sb_outbox *box);

/* The key is not a resend's, the order in `slot` is the session's, not blocked. */
void sb_change_replace(struct sb_engine *e, uint32_t slot, const struct sb_command *cmd,
                       struct sb_outbox *box);

void sb_change_amend(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
