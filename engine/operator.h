/* operator.h: PHASE and UNCROSS: who may, what the reasons are, in which order instruments go. */
#ifndef SHADOWBOOK_ENGINE_OPERATOR_H
#define SHADOWBOOK_ENGINE_OPERATOR_H

#include "engine/state.h"

/* A PHASE or UNCROSS of session 0 or a defined session. */
void sb_operator_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
