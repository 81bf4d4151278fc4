#include "engine/mass.h"

#include "engine/cascade.h"
#include "engine/outbox.h"
#include "engine/sweep.h"

static bool has_right(const struct sb_engine *e, uint32_t session)
{
    return session == 0 || e->sessions[session].view.operator_right != 0;
}

/* Whom the command means; of SCOPE_SESSION with orig_key 0 the sender. */
static uint32_t target(const struct sb_command *cmd)
{
    return cmd->scope == SB_SCOPE_SESSION && cmd->orig_key == 0 ? cmd->session : cmd->orig_key;
}

static bool is_own(const struct sb_command *cmd)
{
    return cmd->scope == SB_SCOPE_SESSION && cmd->session != 0 && target(cmd) == cmd->session;
}

static struct sb_sweep sweep_of(const struct sb_command *cmd, uint8_t reason)
{
    static const uint8_t what[] = {[SB_SCOPE_SESSION] = SB_SWEEP_SESSION,
                                   [SB_SCOPE_FIRM] = SB_SWEEP_FIRM,
                                   [SB_SCOPE_ALL] = SB_SWEEP_ALL};
    return (struct sb_sweep){
        .what = what[cmd->scope], .sides = SB_SWEEP_BOTH, .reason = reason, .who = target(cmd)};
}

static uint64_t cancel_in(struct sb_engine *e, struct sb_book *b, const struct sb_sweep *s,
                          struct sb_outbox *box)
{
    const uint64_t n = sb_sweep(e, b, s, box);
    sb_cascade_run(e, b, box);
    return n;
}

static uint64_t cancel_in_all(struct sb_engine *e, const struct sb_sweep *s, struct sb_outbox *box)
{
    uint64_t n = 0;
    for (uint32_t i = 1; i <= e->instruments; i++)
        if (e->books[i].view.defined)
            n += cancel_in(e, &e->books[i], s, box);
    return n;
}

static void answer(struct sb_engine *e, const struct sb_command *cmd, uint8_t reason, uint64_t n,
                   struct sb_outbox *box)
{
    if (cmd->session == 0)
        return;
    sb_outbox_session(e, box, cmd->session,
                      (struct sb_output){.kind = SB_OUT_MASS,
                                         .key = cmd->key,
                                         .instrument = cmd->instrument,
                                         .quantity = (uint32_t)n, /* at most orders_max */
                                         .reason = reason});
}

void sb_mass_cancel(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    struct sb_book *b = sb_state_book(e, cmd->instrument);
    struct sb_sweep s = sweep_of(cmd, is_own(cmd) ? SB_REASON_USER : SB_REASON_SUPERVISORY);
    uint8_t reason = SB_REASON_NONE;
    uint64_t n = 0;
    if ((cmd->flags & SB_CMD_F_ONE_SIDE) != 0)
        s.sides = (uint8_t)(1u << (cmd->side & 1u));
    if (!is_own(cmd) && !has_right(e, cmd->session))
        reason = SB_REASON_NO_RIGHT;
    else if (cmd->instrument == SB_INSTRUMENT_ALL)
        n = cancel_in_all(e, &s, box);
    else if (b != NULL)
        n = cancel_in(e, b, &s, box);
    else
        reason = SB_REASON_SYMBOL;
    answer(e, cmd, reason, n, box);
}

static bool is_defined(const struct sb_engine *e, uint32_t session)
{
    return session <= e->limits.sessions_max && e->sessions[session].view.defined;
}

/* Whether sessions are blocked from now on. */
static void set_killed(struct sb_engine *e, const struct sb_command *cmd)
{
    for (uint32_t i = 1; i <= e->limits.sessions_max; i++) {
        struct sb_session_view *s = &e->sessions[i].view;
        const bool meant = cmd->scope == SB_SCOPE_FIRM ? s->firm == target(cmd) : i == target(cmd);
        if (s->defined && meant)
            s->killed = cmd->quantity != 0;
    }
}

static uint8_t kill_reason(const struct sb_engine *e, const struct sb_command *cmd)
{
    if (!has_right(e, cmd->session) && !(is_own(cmd) && cmd->quantity == 1))
        return SB_REASON_NO_RIGHT;
    return cmd->scope == SB_SCOPE_SESSION && !is_defined(e, target(cmd)) ? SB_REASON_SYMBOL
                                                                         : SB_REASON_NONE;
}

void sb_mass_kill(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    const uint8_t reason = kill_reason(e, cmd);
    const struct sb_sweep s = sweep_of(cmd, SB_REASON_KILL);
    uint64_t n = 0;
    if (reason == SB_REASON_NONE) {
        set_killed(e, cmd);
        n = cmd->quantity != 0 ? cancel_in_all(e, &s, box) : 0;
    }
    answer(e, cmd, reason, n, box);
}
