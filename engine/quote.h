/* quote.h: QUOTE (RULES.md 17): a session's two-sided quotes, at most one for an instrument and side. */
#ifndef SHADOWBOOK_ENGINE_QUOTE_H
#define SHADOWBOOK_ENGINE_QUOTE_H

#include "engine/state.h"

/* From a defined session whose message number was taken. */
void sb_quote_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
