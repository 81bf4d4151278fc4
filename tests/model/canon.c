/* Which messages can never have an effect again. The proof of each line is the guard of the rule that reads the
 * message, together with what never falls: incarnations, winc, an incarnation's epoch, the register's generation, k. */
#include "tests/model/rules_log.h"

/* Requests to the witness. */
static bool request_is_dead(const struct model *m, const struct witness *w, const struct msg *msg,
                            bool collect)
{
    const bool winc_counts = !without(m, MUT_WITNESS_IGNORES_WINC);
    if (winc_counts && msg->winc < w->winc)
        return true;
    if (msg->type == SB_FT_REG_DUAL)
        return w->state != SB_W_UNSET && winc_counts && !without(m, MUT_WITNESS_AMNESIA);
    if (!collect || w->state == SB_W_UNSET)
        return false;
    const uint8_t gen = generation(msg->epoch), gen_w = generation(w->epoch);
    /* DISCLAIM takes the register back within a generation: without it more is final. */
    const bool final = !m->disclaim && gen == gen_w;
    switch (msg->type) {
    case SB_FT_ARM:
        return gen < gen_w || (final && w->state == SB_W_DUAL && msg->n <= w->kmax);
    case SB_FT_CANCEL:
        return gen < gen_w ||
               (final && msg->n <= w->kmax && !(w->state == SB_W_ARMED && w->k <= msg->n));
    case SB_FT_SOLOREQ:
        return gen < gen_w;
    case SB_FT_PAIR:
        return gen <= gen_w;
    case SB_FT_LIVE:
        if (m->witness_log && msg->epoch == w->epoch && w->state == SB_W_SOLO)
            return w->log.known == LOG_OPEN;
        return m->disclaim ? gen < gen_w : msg->epoch <= w->epoch;
    default:
        return false;
    }
}

/* Answers of the witness. */
static bool answer_is_dead(const struct node *to, const struct msg *msg, bool collect)
{
    if (msg->inc < to->inc || to->role == SB_ROLE_DOWN)
        return true;
    if (!collect)
        return false;
    if (to->role == SB_ROLE_SOLO && msg->epoch <= to->epoch)
        return true;
    const uint8_t gen = generation(msg->epoch), gen_to = generation(to->epoch);
    switch (msg->type) {
    case SB_FT_ARMOK:
        return gen < gen_to || msg->n < to->k || msg->winc < to->winc;
    case SB_FT_SOLOOK: /* PAIRING becomes PRIM only of a later generation */
        return gen < gen_to || msg->winc < to->winc ||
               (to->role == SB_ROLE_PAIRING && gen == gen_to);
    case SB_FT_PAIROK:
        return gen <= gen_to && !(to->role == SB_ROLE_SHADOW && !to->confirmed);
    case SB_FT_RESUMEOK:
        return to->role != SB_ROLE_BOOT;
    default:
        return false;
    }
}

static bool stream_is_dead(const struct model *m, const struct state *s, const struct msg *msg,
                           bool collect)
{
    const struct node *to = &s->node[1 - msg->node];
    const bool named = msg->other_inc != 0, to_this = named && msg->other_inc == to->inc;
    if (named && !without(m, MUT_STREAM_INCS) && !without(m, MUT_ACK_AFTER_LIVE) &&
        !without(m, MUT_APPLY_AFTER_LIVE) &&
        (msg->other_inc < to->inc ||
         (to_this && (to->role == SB_ROLE_DOWN || msg->epoch < to->epoch))))
        return true;
    if (!collect)
        return false;
    if (to_this && to->role == SB_ROLE_SHADOW && msg->epoch == to->epoch) {
        if (msg->n != 0)
            return msg->n <= to->len;
        return (to->confirmed || !heartbeat_paired(msg->content)) &&
               heartbeat_mark(msg->content) <= to->mark;
    }
    if (!named && msg->epoch < to->record_epoch)
        return true;
    return !named && to->role == SB_ROLE_CATCH && to->epoch == msg->epoch &&
           to->peer_inc == msg->inc && msg->n != 0 && msg->n <= to->len &&
           to->inc == m->incarnations && s->crashes >= m->crashes;
}

static bool ack_is_dead(const struct node *to, const struct msg *msg, bool collect)
{
    if (msg->other_inc < to->inc || (msg->other_inc == to->inc && to->role == SB_ROLE_DOWN))
        return true;
    if (!collect)
        return false;
    const bool older_peer = msg->inc < to->peer_inc, same_peer = msg->inc == to->peer_inc;
    const bool nothing_new = msg->n <= to->acked && msg->winc <= to->acked_durable;
    switch (to->role) {
    case SB_ROLE_PRIM:
        return older_peer || (same_peer && (msg->epoch < to->epoch || nothing_new));
    case SB_ROLE_SOLO:
        if (msg->epoch < to->epoch)
            return true;
        __attribute__((fallthrough));
    case SB_ROLE_PAIRING:
        return older_peer || (same_peer && nothing_new && msg->n > 0);
    default:
        return false;
    }
}

/* A new winc has the live owner say LOG again, and a dead one cannot register there. */
static bool log_is_dead(const struct witness *w, const struct msg *msg)
{
    if (w->state == SB_W_UNSET)
        return false;
    return generation(msg->epoch) < generation(w->epoch) ||
           (w->state == SB_W_SOLO && msg->epoch == w->epoch && msg->inc == w->owner_inc &&
            w->log.known == LOG_OPEN &&
            msg->n <= (msg->content == LOG_DURABLE ? w->log.base : w->log.top));
}

static bool digest_is_dead(const struct node *to, const struct msg *msg, bool collect)
{
    if (msg->other_inc < to->inc || (msg->other_inc == to->inc && to->role == SB_ROLE_DOWN))
        return true;
    return collect &&
           (to->epoch > msg->epoch || (to->epoch == msg->epoch && to->role == SB_ROLE_SHADOW &&
                                       (to->diverged || (msg->n <= to->agreed))));
}

static bool logack_is_dead(const struct node *to, const struct msg *msg, bool collect)
{
    if (msg->inc < to->inc || to->role == SB_ROLE_DOWN)
        return true;
    return collect && (msg->epoch != to->epoch || msg->winc < to->winc ||
                       (to->role != SB_ROLE_SOLO && to->role != SB_ROLE_PAIRING) ||
                       (to->settled && msg->n <= to->logged));
}

static bool is_dead(const struct model *m, const struct state *s, const struct msg *msg)
{
    const bool collect = (m->kept & UINT64_C(1) << msg->type) == 0;
    const struct node *peer = &s->node[1 - msg->node];
    switch (msg->type) {
    case SB_FT_STREAM:
        return stream_is_dead(m, s, msg, collect);
    case SB_FT_ACK:
        return ack_is_dead(peer, msg, collect);
    case FT_LOG:
        return collect && log_is_dead(&s->w, msg);
    case FT_DIGEST:
        return digest_is_dead(peer, msg, collect);
    case FT_LOGACK:
        return logack_is_dead(&s->node[msg->node], msg, collect);
    case SB_FT_ARMOK:
    case SB_FT_SOLOOK:
    case SB_FT_PAIROK:
    case SB_FT_RESUMEOK:
        return answer_is_dead(&s->node[msg->node], msg, collect);
    case SB_FT_RESIGN:
        return collect && (msg->epoch < peer->epoch || peer->role == SB_ROLE_DOWN) &&
               s->w.state != SB_W_UNSET && generation(s->w.epoch) > generation(msg->epoch);
    case SB_FT_BOOT: /* once there is a log, no truthful new day begins */
        return collect && s->sequenced && !peer->new_day;
    default:
        return request_is_dead(m, &s->w, msg, collect);
    }
}

void state_canon(const struct model *m, struct state *s)
{
    uint16_t kept = 0;
    for (uint16_t i = 0; i < s->msgs; i++)
        if (!is_dead(m, s, &s->msg[i]))
            s->msg[kept++] = s->msg[i];
    s->msgs = kept;
}
