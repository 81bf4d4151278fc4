/* mass.h: MASS_CANCEL and KILL (RULES.md 15.1, 15.2). */
#ifndef SHADOWBOOK_ENGINE_MASS_H
#define SHADOWBOOK_ENGINE_MASS_H

#include "engine/state.h"

/* From a defined session, or from session 0, which gets no answer. Each: O(open orders of the instruments named). */
void sb_mass_cancel(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);
void sb_mass_kill(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
