/* What an engine does with what arrives: replica/stream.c, the second part of replica/role.c, and what REPLICATION.md
 * adds to them (copy, rejoin, resume). */
#include "tests/model/node_change.h"
#include "tests/model/rules_divergence.h"
#include "tests/model/rules_log.h"

static void take_input(struct expansion *x, uint8_t i, const struct msg *msg, const char *what)
{
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    if (msg->n == y->len + 1)
        y->log[y->len++] = msg->content;
    say_ack(x->m, t, i, msg->epoch, msg->inc, msg->n);
    emit(x, i, what, msg);
}

/* R6: number len + 1 of the epoch and owner that it follows. False: nothing for a shadow. */
static bool shadow_on_stream(struct expansion *x, uint8_t i, const struct msg *msg)
{
    const struct node *from = &x->from->node[i];
    if (from->diverged && !without(x->m, MUT_DIVERGED_GOES_ON)) /* D2 */
        return false;
    if (msg->n == from->len + 1 || (msg->n > from->len + 1 && without(x->m, MUT_APPLY_PAST_GAP))) {
        take_input(x, i, msg, "takes and acks an input");
        return true;
    }
    if (msg->n != 0)
        return false;
    const bool confirms = heartbeat_paired(msg->content) && !from->confirmed;
    const uint8_t mark = heartbeat_mark(msg->content);
    if (!confirms && mark <= from->mark)
        return false;
    struct node *y = &begin(x)->node[i];
    y->confirmed |= confirms;
    if (mark > y->mark)
        y->mark = mark;
    emit(x, i, confirms ? "is confirmed by the stream" : "sees the released mark", msg);
    return true;
}

static bool catch_on_stream(struct expansion *x, uint8_t i, const struct msg *msg, bool incs)
{
    const struct node *from = &x->from->node[i];
    if (kind(msg->epoch) != SB_EPOCH_D) {
        if (msg->epoch != from->epoch || msg->inc != from->peer_inc || msg->n != from->len + 1)
            return false;
        take_input(x, i, msg, "copies and acks an input");
        return true;
    }
    if (msg->epoch != next_dual(from->epoch) || !incs)
        return false;
    struct state *t = begin(x); /* R16: the owner's word suffices */
    struct node *y = &t->node[i];
    become_shadow(y, msg->epoch, 0, msg->n == 0 && heartbeat_paired(msg->content));
    if (msg->n == 0)
        y->mark = heartbeat_mark(msg->content);
    say_ack(x->m, t, i, msg->epoch, msg->inc, y->len);
    emit(x, i, "becomes SHADOW by the stream", msg);
    return true;
}

/* A new day's shadow whose PAIROK was lost (R16). */
static bool boot_on_stream(struct expansion *x, uint8_t i, const struct msg *msg, bool incs)
{
    const struct node *from = &x->from->node[i];
    if (!from->new_day || i == SB_NODE_A || !incs || msg->other_inc == 0 ||
        msg->epoch != make_epoch(1, SB_EPOCH_D) || msg->n != 0 || !heartbeat_paired(msg->content))
        return false;
    struct state *t = begin(x);
    become_shadow(&t->node[i], msg->epoch, from->winc, true);
    t->node[i].mark = heartbeat_mark(msg->content);
    say_ack(x->m, t, i, msg->epoch, msg->inc, 0);
    emit(x, i, "becomes a new day's SHADOW by the stream", msg);
    return true;
}

/* R14: a later owner exists, or the one whose log this node was copying when it went down. */
static bool is_later_owner(const struct model *m, const struct node *from, const struct msg *msg)
{
    const bool boot = from->role == SB_ROLE_BOOT;
    const bool mine = boot && from->record == RECORD_JOIN && msg->epoch == from->record_epoch;
    return kind(msg->epoch) != SB_EPOCH_D && (msg->epoch > from->epoch || mine) &&
           from->role != SB_ROLE_DOWN && from->role != SB_ROLE_SOLO &&
           (boot || from->inc < m->incarnations);
}

/* Rules left out: R8's fence, of acking and of applying. */
static void solo_on_left_stream(struct expansion *x, uint8_t i, const struct msg *msg)
{
    const struct node *from = &x->from->node[i];
    if (msg->epoch != make_epoch(generation(from->epoch), SB_EPOCH_D) ||
        msg->other_inc != from->inc)
        return;
    if (without(x->m, MUT_ACK_AFTER_LIVE) && msg->n > from->len) {
        say_ack(x->m, begin(x), i, msg->epoch, msg->inc, msg->n);
        emit_if_said(x, i, "acks the epoch that it left", msg);
    } else if (without(x->m, MUT_APPLY_AFTER_LIVE) && msg->n != 0 && msg->n <= from->len &&
               from->log[msg->n - 1] != msg->content) {
        begin(x)->node[i].log[msg->n - 1] = msg->content;
        emit(x, i, "applies the epoch that it left", msg);
    }
}

static void on_stream(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = 1 - msg->node;
    const struct node *from = &x->from->node[i];
    const bool incs =
        (msg->inc == from->peer_inc && (msg->other_inc == from->inc || msg->other_inc == 0)) ||
        without(x->m, MUT_STREAM_INCS);
    if (from->role == SB_ROLE_SHADOW && msg->epoch == from->epoch && incs &&
        shadow_on_stream(x, i, msg))
        return;
    if (from->role == SB_ROLE_CATCH && catch_on_stream(x, i, msg, incs))
        return;
    if (from->role == SB_ROLE_BOOT && boot_on_stream(x, i, msg, incs))
        return;
    if (is_later_owner(x->m, from, msg)) {
        node_join(x->m, begin(x), i, msg);
        emit(x, i, "joins a later owner", msg);
    } else if (from->role == SB_ROLE_SOLO) {
        solo_on_left_stream(x, i, msg);
    }
}

/* R7: from the inc that the owner names, to its own; a SOLO takes the newest joiner. */
static void on_ack(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = 1 - msg->node;
    const struct node *from = &x->from->node[i];
    if (msg->other_inc != from->inc || !owns(from) || !digest_agrees(x, i, msg))
        return;
    const bool any_epoch = without(x->m, MUT_ACK_EPOCH);
    const bool epoch = msg->epoch == from->epoch || any_epoch ||
                       (from->role == SB_ROLE_PAIRING && msg->epoch == next_dual(from->epoch));
    const bool named = msg->inc == from->peer_inc || without(x->m, MUT_ACK_INC);
    const bool joiner = from->role == SB_ROLE_SOLO && msg->inc > from->peer_inc;
    const uint8_t durable = x->m->hold != TWO_MEMORIES ? msg->winc : 0;
    const bool news = msg->n > from->acked || durable > from->acked_durable;
    if (!epoch || (!joiner && !(named && news)))
        return;
    struct node *y = &begin(x)->node[i];
    if (joiner || msg->n > y->acked)
        y->acked = msg->n;
    if (joiner || durable > y->acked_durable)
        y->acked_durable = durable;
    if (joiner)
        y->peer_inc = msg->inc;
    emit(x, i, joiner ? "counts the ack of a joiner" : "counts an ack", msg);
}

/* The winc of a witness's word is the one that the node knows (R9, R11). */
static bool winc_counts(const struct model *m, const struct node *from, const struct msg *msg)
{
    return msg->winc == from->winc || without(m, MUT_OLD_WINC_GRANT);
}

/* R9 */
static void on_armok(struct expansion *x, const struct msg *msg)
{
    const struct node *from = &x->from->node[msg->node];
    if (from->role != SB_ROLE_SHADOW || from->arm != SB_ARM_ARMING || msg->epoch != from->epoch ||
        (msg->n != from->k && !without(x->m, MUT_NONCE_AT_NODE)) || !winc_counts(x->m, from, msg))
        return;
    begin(x)->node[msg->node].arm = SB_ARM_ARMED;
    emit(x, msg->node, "is armed", msg);
}

/* R11 */
static void on_solook(struct expansion *x, const struct msg *msg)
{
    const struct node *from = &x->from->node[msg->node];
    const bool resigned = from->role == SB_ROLE_RESIGNED && without(x->m, MUT_RESIGNED_SOLO);
    if ((from->role != SB_ROLE_PRIM && !resigned) || (from->diverged && x->m->halt) ||
        kind(msg->epoch) != SB_EPOCH_P || generation(msg->epoch) != generation(from->epoch) ||
        !winc_counts(x->m, from, msg))
        return;
    go_solo(x->m, begin(x), msg->node, msg->epoch, false);
    emit(x, msg->node, "goes SOLO", msg);
}

/* R12 */
static void on_resign(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = 1 - msg->node;
    const struct node *from = &x->from->node[i];
    if (from->role != SB_ROLE_SHADOW || from->epoch != msg->epoch || from->peer_inc != msg->inc ||
        from->diverged)
        return;
    go_solo(x->m, begin(x), i, live_epoch(x->m, msg->epoch), true);
    emit(x, i, "goes live by RESIGN", msg);
}

/* Genesis: a new day's node acts only on this, or as the shadow on the stream. */
static void boot_on_pairok(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = msg->node;
    const struct node *from = &x->from->node[i];
    if (!from->new_day || from->peer_inc == 0 ||
        (msg->other_inc != from->peer_inc && !without(x->m, MUT_NEW_DAY_ANY_PEER)) ||
        msg->epoch != make_epoch(1, SB_EPOCH_D) || !winc_counts(x->m, from, msg))
        return;
    begin_new_day(x->m, begin(x), i);
    emit(x, i, "begins a new day", msg);
}

/* R15, R16 */
static void on_pairok(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = msg->node;
    const struct node *from = &x->from->node[i];
    const bool next = msg->epoch == next_dual(from->epoch);
    if (from->role == SB_ROLE_BOOT) {
        boot_on_pairok(x, msg);
    } else if (msg->other_inc != from->peer_inc) {
        return;
    } else if (from->role == SB_ROLE_PAIRING && next && winc_counts(x->m, from, msg)) {
        become_prim(x->m, begin(x), i, msg->epoch);
        emit(x, i, "is paired", msg);
    } else if (from->role == SB_ROLE_SHADOW && !from->confirmed && msg->epoch == from->epoch) {
        begin(x)->node[i].confirmed = 1;
        emit(x, i, "is confirmed by PAIROK", msg);
    } else if (from->role == SB_ROLE_CATCH && next && !without(x->m, MUT_SHADOW_BY_STREAM)) {
        struct state *t = begin(x);
        become_shadow(&t->node[i], msg->epoch, msg->winc, true);
        say_ack(x->m, t, i, msg->epoch, msg->other_inc, t->node[i].len);
        emit(x, i, "becomes SHADOW by PAIROK", msg);
    }
}

/* R22 */
static void on_resumeok(struct expansion *x, const struct msg *msg)
{
    const struct node *from = &x->from->node[msg->node];
    if (from->role != SB_ROLE_BOOT || !winc_counts(x->m, from, msg))
        return;
    struct state *t = begin(x);
    if (x->m->witness_log)
        log_take(x->m, &t->node[msg->node], msg);
    go_solo(x->m, t, msg->node, msg->epoch, false);
    emit(x, msg->node, "resumes", msg);
}

/* Genesis: the newest inc of the other that says it is empty too. */
static void on_boot(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = 1 - msg->node;
    const struct node *from = &x->from->node[i];
    if (!from->new_day || from->peer_inc >= msg->inc)
        return;
    begin(x)->node[i].peer_inc = msg->inc;
    emit(x, i, "finds the other node of a new day", msg);
}

void node_on_msg(struct expansion *x, const struct msg *msg)
{
    switch (msg->type) {
    case SB_FT_STREAM:
        on_stream(x, msg);
        return;
    case SB_FT_ACK:
        on_ack(x, msg);
        return;
    case SB_FT_RESIGN:
        on_resign(x, msg);
        return;
    case SB_FT_BOOT:
        on_boot(x, msg);
        return;
    case FT_DIGEST:
        node_on_digest(x, msg);
        return;
    case FT_LOGACK:
        node_on_logack(x, msg);
        return;
    default: /* the witness's answers, to this inc only */
        if (msg->inc != x->from->node[msg->node].inc)
            return;
    }
    switch (msg->type) {
    case SB_FT_ARMOK:
        on_armok(x, msg);
        break;
    case SB_FT_SOLOOK:
        on_solook(x, msg);
        break;
    case SB_FT_PAIROK:
        on_pairok(x, msg);
        break;
    case SB_FT_RESUMEOK:
        on_resumeok(x, msg);
        break;
    default:
        break;
    }
}
