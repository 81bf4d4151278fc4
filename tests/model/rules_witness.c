/* The witness's side: replica/witness.c, and what REPLICATION.md adds to it (PAIR, RESUME, DISCLAIM). R17 to R23.
 *
 * REG_DUAL, SOLOREQ and ARM that are repeated get the same answer again, and a granted primary is reminded of its
 * SOLOOK: those messages are in the network already. */
#include <string.h>

#include "tests/model/rules_log.h"

enum { KMAX_INFINITE = 15 };

/* The witness's word to engine `node`, incarnation `inc`. */
static struct msg answer(const struct witness *w, enum sb_frame_type type, uint8_t epoch,
                         uint8_t node, uint8_t inc)
{
    return (struct msg){
        .type = (uint8_t)type, .epoch = epoch, .node = node, .inc = inc, .winc = w->winc};
}

static void say_pairok(struct state *t, uint8_t node, uint8_t inc, uint8_t other_inc)
{
    struct msg msg = answer(&t->w, SB_FT_PAIROK, t->w.epoch, node, inc);
    msg.other_inc = other_inc;
    net_add(t, msg);
}

static void say_solook(struct state *t)
{
    net_add(t, answer(&t->w, SB_FT_SOLOOK, t->w.epoch, t->w.owner, t->w.owner_inc));
}

/* --- the register ------------------------------------------------------------------------------- */

static void become_dual(struct state *t, uint8_t epoch, uint8_t owner, uint8_t owner_inc,
                        uint8_t other_inc)
{
    t->w = (struct witness){.winc = t->w.winc,
                            .state = SB_W_DUAL,
                            .epoch = epoch,
                            .owner = owner,
                            .owner_inc = owner_inc,
                            .other_inc = other_inc};
    say_pairok(t, owner, owner_inc, other_inc);
    say_pairok(t, 1 - owner, other_inc, owner_inc);
}

/* other_inc is kept for DISCLAIM, and for nothing else. */
static void become_solo(const struct model *m, struct state *t, uint8_t epoch, uint8_t owner,
                        uint8_t owner_inc, uint8_t other_inc)
{
    t->w = (struct witness){.winc = t->w.winc,
                            .state = SB_W_SOLO,
                            .epoch = epoch,
                            .owner = owner,
                            .owner_inc = owner_inc,
                            .other_inc = m->disclaim ? other_inc : 0};
}

static bool dual_or_armed(const struct witness *w)
{
    return w->state == SB_W_DUAL || w->state == SB_W_ARMED;
}

/* By engine and incarnation, as the register names them. */
static bool is_owner(const struct witness *w, const struct msg *msg)
{
    return msg->node == w->owner && msg->inc == w->owner_inc;
}
static bool is_shadow(const struct witness *w, const struct msg *msg)
{
    return msg->node != w->owner && msg->inc == w->other_inc;
}

/* --- by itself -------------------------------------------------------------------------------- */

/* R18 without stable storage: a new winc, UNSET, HELLO (heard by learn_witness). */
static void restart(struct expansion *x)
{
    const struct witness *from = &x->from->w;
    if (x->from->witness_restarts >= x->m->witness_restarts || !fault_may_strike(x->m, x->from))
        return;
    struct state *t = begin(x);
    t->witness_restarts++;
    if (!without(x->m, MUT_WITNESS_AMNESIA)) {
        t->w = (struct witness){.winc = (uint8_t)(from->winc + 1), .state = SB_W_UNSET};
    } else if (from->state == SB_W_ARMED) {
        t->w.state = SB_W_DUAL;
        t->w.k = t->w.kmax = 0;
    } else {
        return;
    }
    emit_step(x, (struct step){.what = "restarts", .actor = SB_NODE_W, .fault = FAULT_WITNESS});
}

void witness_rules(struct expansion *x)
{
    restart(x);
    if (without(x->m, MUT_ARMED_EXPIRES) && x->from->w.state == SB_W_ARMED) {
        begin(x)->w.state = SB_W_DUAL;
        emit(x, SB_NODE_W, "lets ARMED expire", NULL);
    }
}

/* --- what arrives ------------------------------------------------------------------------------- */

static void say_armok(struct expansion *x, struct state *t, const struct msg *msg, const char *what)
{
    struct msg armok = answer(&t->w, SB_FT_ARMOK, msg->epoch, msg->node, msg->inc);
    armok.n = msg->n;
    net_add(t, armok);
    if (t->msgs != x->from->msgs || memcmp(&t->w, &x->from->w, sizeof t->w) != 0)
        emit(x, SB_NODE_W, what, msg);
}

/* R17: in DUAL with k > kmax; in ARMED with k >= the granted one. */
static void on_arm(struct expansion *x, const struct msg *msg)
{
    const struct model *m = x->m;
    const struct witness *w = &x->from->w;
    const bool shadow = is_shadow(w, msg) || (msg->node != w->owner && without(m, MUT_ARM_INC));
    if (dual_or_armed(w) && w->epoch == msg->epoch && shadow) {
        const bool grant = w->state == SB_W_DUAL
                               ? msg->n > w->kmax || without(m, MUT_NO_CANCEL_MEMORY)
                               : msg->n >= w->k && msg->n > w->kmax;
        if (!grant)
            return;
        struct state *t = begin(x);
        t->w.state = SB_W_ARMED;
        t->w.k = msg->n;
        say_armok(x, t, msg, "grants ARM");
    } else if (without(m, MUT_ARM_FROM_SOLO) && w->state == SB_W_SOLO && msg->node != w->owner &&
               w->epoch == make_epoch(generation(msg->epoch), SB_EPOCH_P)) {
        say_armok(x, begin(x), msg, "grants ARM in SOLO");
    }
}

/* R17. Answered with PAIROK once the register is DUAL: no grant is out. */
static void on_cancel(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    if (!dual_or_armed(w) || w->epoch != msg->epoch || !is_shadow(w, msg))
        return;
    struct state *t = begin(x);
    if (msg->n > w->kmax)
        t->w.kmax = msg->n;
    if (w->state == SB_W_ARMED && (w->k <= msg->n || without(x->m, MUT_CANCEL_NONCE))) {
        t->w.state = SB_W_DUAL;
        t->w.k = 0;
    }
    if (t->w.kmax == w->kmax && t->w.state == w->state)
        return; /* said before, and so was the answer */
    if (t->w.state == SB_W_DUAL)
        say_pairok(t, msg->node, msg->inc, w->owner_inc);
    emit(x, SB_NODE_W, "cancels", msg);
}

/* R17: only in DUAL. */
static void on_soloreq(struct expansion *x, const struct msg *msg)
{
    const struct model *m = x->m;
    const struct witness *w = &x->from->w;
    const bool state =
        w->state == SB_W_DUAL || (w->state == SB_W_ARMED && without(m, MUT_SOLO_FROM_ARMED));
    const bool owner = is_owner(w, msg) || (msg->node == w->owner && without(m, MUT_SOLOREQ_INC));
    if (!state || w->epoch != msg->epoch || !owner)
        return;
    struct state *t = begin(x);
    become_solo(m, t, make_epoch(generation(msg->epoch), SB_EPOCH_P), msg->node, msg->inc,
                w->other_inc);
    say_solook(t);
    emit(x, SB_NODE_W, "grants SOLO", msg);
}

/* LIVE, which is also REG_SOLO (R10, R12, R21). Answered with SOLOOK. */
static void on_live(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    const bool same_gen = generation(msg->epoch) == generation(w->epoch);
    const char *what;
    uint8_t other_inc = w->owner_inc;
    if (w->state == SB_W_UNSET) {
        what = "registers SOLO";
        other_inc = 0;
    } else if (dual_or_armed(w) && same_gen && kind(msg->epoch) == kind(live_epoch(x->m, 0)) &&
               is_shadow(w, msg)) {
        what = "notes LIVE";
    } else if (w->state == SB_W_SOLO && same_gen && kind(w->epoch) == SB_EPOCH_P &&
               kind(msg->epoch) == SB_EPOCH_S && msg->n == 1 && msg->node != w->owner) {
        what = "notes LIVE by RESIGN, over a grant that will never be used"; /* R12 */
    } else if (x->m->witness_log && log_opens(w, msg)) {
        struct state *t = begin(x);
        log_open(x->m, t, msg);
        emit(x, SB_NODE_W, "opens the log of the solo owner", msg);
        return;
    } else {
        return;
    }
    struct state *t = begin(x);
    become_solo(x->m, t, msg->epoch, msg->node, msg->inc, other_inc);
    if (x->m->witness_log)
        log_open(x->m, t, msg);
    say_solook(t);
    emit(x, SB_NODE_W, what, msg);
}

/* R12: ARMED with any k. Carries no winc: it is true under every incarnation of the witness. */
static void on_resign(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    if (w->state != SB_W_DUAL || w->epoch != msg->epoch || !is_owner(w, msg))
        return;
    struct state *t = begin(x);
    t->w.state = SB_W_ARMED;
    t->w.k = 0;
    emit(x, SB_NODE_W, "notes RESIGN", msg);
}

/* R17: only in SOLO of exactly that owner, inc and epoch. */
static void on_pair(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    if (w->state != SB_W_SOLO || !is_owner(w, msg) ||
        (w->epoch != msg->content && !without(x->m, MUT_PAIR_ANY_EPOCH)))
        return;
    become_dual(begin(x), msg->epoch, msg->node, msg->inc, msg->other_inc);
    emit(x, SB_NODE_W, "pairs", msg);
}

/* R20: UNSET becomes DUAL only when both say the same of each other. */
static void on_reg_dual(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    const struct registration new = {msg->epoch, msg->inc, msg->other_inc, (uint8_t)(1 + msg->n)};
    const struct registration *old = &w->registrations[msg->node],
                              *peer = &w->registrations[1 - msg->node];
    if (w->state != SB_W_UNSET || new.epoch < old->epoch ||
        (new.epoch == old->epoch &&new.inc < old->inc) || memcmp(&new, old, sizeof new) == 0)
        return;
    struct state *t = begin(x);
    t->w.registrations[msg->node] = new;
    const uint8_t owner = msg->n == 0 ? msg->node : 1 - msg->node;
    const bool owns_it = owner == msg->node;
    if (peer->epoch != 0 && (peer->epoch == new.epoch || without(x->m, MUT_REG_EPOCH)) &&
        peer->role != new.role && peer->inc == new.peer_inc && peer->peer_inc == new.inc)
        become_dual(t, msg->epoch, owner, owns_it ? new.inc : peer->inc,
                    owns_it ? peer->inc : new.inc);
    else if (without(x->m, MUT_ONE_REGISTRATION))
        become_dual(t, msg->epoch, owner, owns_it ? new.inc : new.peer_inc,
                    owns_it ? new.peer_inc : new.inc);
    emit(x, SB_NODE_W, "registers a member of DUAL", msg);
}

/* R21, R22: may this older owner go on from its journal? */
static bool may_resume(const struct model *m, const struct witness *w, const struct msg *msg)
{
    const bool solo = msg->n == RECORD_SOLO, pair = msg->n == RECORD_PAIR;
    const bool was_owner = msg->node == w->owner;
    const bool as_shadow = solo && msg->epoch == make_epoch(generation(w->epoch), SB_EPOCH_S);
    if (pair && was_owner && without(m, MUT_RESUME_PAIR_ANY))
        return true;
    if (w->state == SB_W_UNSET && m->witness_log)
        return solo && without(m, MUT_LOG_RESUME_UNSET); /* W6: what it held is lost */
    if (w->state == SB_W_UNSET)
        return solo || without(m, MUT_RESUME_PAIR_UNSET);
    if (w->state != SB_W_SOLO) /* went live, and LIVE was lost */
        return !was_owner && w->other_inc < msg->inc && as_shadow;
    if (!was_owner) /* went live by RESIGN over a grant that was never used */
        return kind(w->epoch) == SB_EPOCH_P && as_shadow;
    if (w->owner_inc >= msg->inc)
        return false;
    if (w->log.known != LOG_UNKNOWN) /* W6 */
        return log_covers(m, w, msg);
    return (solo &&
            (generation(msg->epoch) == generation(w->epoch) || kind(w->epoch) == SB_EPOCH_R)) ||
           (pair && w->epoch == msg->epoch);
}

static void on_resume(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    if ((w->state == SB_W_SOLO && is_owner(w, msg)) || !may_resume(x->m, w, msg))
        return;
    const uint8_t gen = generation(msg->epoch), gen_w = generation(w->epoch);
    const uint8_t epoch = make_epoch((gen > gen_w ? gen : gen_w) + 1u, SB_EPOCH_R);
    struct state *t = begin(x);
    become_solo(x->m, t, epoch, msg->node, msg->inc, 0);
    struct msg ok = answer(&t->w, SB_FT_RESUMEOK, epoch, msg->node, msg->inc);
    if (x->m->witness_log) {
        t->w.log = log_at_resume(w, msg);
        log_hand_out(&t->w.log, &ok);
        if (without(x->m, MUT_LOG_DROPPED_AT_RESUME))
            t->w.log = (struct witness_log){0};
    }
    net_add(t, ok);
    emit(x, SB_NODE_W, "grants RESUME", msg);
}

/* R23: the sender's older incs are dead, and without a durable record of the register's epoch they never used the
 * grant. */
static void on_disclaim(struct expansion *x, const struct msg *msg)
{
    const struct witness *w = &x->from->w;
    const bool any = without(x->m, MUT_DISCLAIM_UNCHECKED);
    const bool record = msg->n == RECORD_SOLO || msg->n == RECORD_PAIR;
    const uint8_t dual = make_epoch(generation(w->epoch), SB_EPOCH_D);
    if (w->state == SB_W_ARMED && msg->node != w->owner && w->other_inc < msg->inc &&
        (any || !(record && msg->epoch > w->epoch))) {
        struct state *t = begin(x);
        t->w.state = SB_W_DUAL;
        t->w.k = 0;
        t->w.kmax = KMAX_INFINITE;
        emit(x, SB_NODE_W, "takes back ARMED", msg);
        return;
    }
    const bool primary_alone = kind(w->epoch) == SB_EPOCH_P;
    if (w->state != SB_W_SOLO || msg->node != w->owner || w->owner_inc >= msg->inc ||
        w->other_inc == 0 || log_forbids_disclaim(x->m, w) ||
        (!primary_alone && kind(w->epoch) != SB_EPOCH_S) ||
        (!any && record && msg->epoch >= w->epoch))
        return;
    struct state *t = begin(x);
    t->w.epoch = dual;
    t->w.k = 0;
    t->w.log = (struct witness_log){0};
    if (primary_alone) { /* the shadow may go live, at any k */
        t->w.state = SB_W_ARMED;
        t->w.kmax = 0;
    } else { /* the primary owns it again */
        t->w.state = SB_W_DUAL;
        t->w.owner = 1 - msg->node;
        t->w.owner_inc = w->other_inc;
        t->w.other_inc = w->owner_inc;
        t->w.kmax = KMAX_INFINITE;
    }
    emit(x, SB_NODE_W, "takes back SOLO", msg);
}

void witness_on_msg(struct expansion *x, const struct msg *msg)
{
    if (msg->type == SB_FT_RESIGN) {
        on_resign(x, msg);
        return;
    }
    if (msg->type == FT_LOG) {
        witness_on_log(x, msg);
        return;
    }
    if (msg->winc != x->from->w.winc && !without(x->m, MUT_WITNESS_IGNORES_WINC))
        return;
    switch (msg->type) {
    case SB_FT_ARM:
        on_arm(x, msg);
        break;
    case SB_FT_CANCEL:
        on_cancel(x, msg);
        break;
    case SB_FT_SOLOREQ:
        on_soloreq(x, msg);
        break;
    case SB_FT_LIVE:
        on_live(x, msg);
        break;
    case SB_FT_PAIR:
        on_pair(x, msg);
        break;
    case SB_FT_REG_DUAL:
        on_reg_dual(x, msg);
        break;
    case SB_FT_RESUME:
        on_resume(x, msg);
        break;
    case SB_FT_DISCLAIM:
        on_disclaim(x, msg);
        break;
    default:
        break;
    }
}
