/* session.h: who may trade: definitions, resends, logins. */
#ifndef SHADOWBOOK_ENGINE_SESSION_H
#define SHADOWBOOK_ENGINE_SESSION_H

#include "engine/state.h"

/* SB_CMD_SESSION. False: index 0, too large or already defined. */
bool sb_session_define(struct sb_engine *e, const struct sb_command *cmd);

/* Takes the message number of a client's command. False: a resend. Not numbered: always true. */
static inline bool sb_session_take(struct sb_session *s, uint64_t session_seq)
{
    if (session_seq == 0)
        return true;
    if (session_seq <= s->view.last_session_seq)
        return false;
    s->view.last_session_seq = session_seq;
    return true;
}

/* SB_CMD_LOGIN of a defined session. */
void sb_session_login(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
