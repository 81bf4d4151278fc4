#include "engine/session.h"

#include "engine/outbox.h"

bool sb_session_define(struct sb_engine *e, const struct sb_command *cmd)
{
    if (cmd->key == 0 || cmd->key > e->limits.sessions_max || e->sessions[cmd->key].view.defined)
        return false;
    const union sb_command_ext *x = sb_command_ext(cmd);
    e->sessions[cmd->key].view = (struct sb_session_view){
        .next_stream_seq = 1,
        .firm = cmd->firm,
        .defined = 1,
        .operator_right = x->session.operator_right != 0,
        .stp = x->session.stp,
        .stp_group = x->session.stp_group,
        .orders_max = x->session.orders_max,
        .quantity_max = x->session.quantity_max,
        .notional_max = x->session.notional_max,
    };
    return true;
}

void sb_session_login(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    struct sb_session *s = &e->sessions[cmd->session];
    const bool first = !s->logged_in;
    const bool again = !first && s->view.login_nonce == (uint64_t)cmd->price;
    s->logged_in = 1;
    s->view.login_nonce = (uint64_t)cmd->price;
    s->view.login_ipv4 = sb_command_ext(cmd)->login.ipv4;
    s->view.login_port = sb_command_ext(cmd)->login.port;
    if (first)
        sb_outbox_session(e, box, cmd->session,
                          (struct sb_output){.kind = SB_OUT_SYSTEM, .liquidity = 'S'});
    if (!again)
        sb_outbox_session(e, box, cmd->session,
                          (struct sb_output){.kind = SB_OUT_LOGIN,
                                             .quantity = s->view.last_key,
                                             .ref = s->view.last_session_seq});
}
