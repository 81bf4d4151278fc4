/* The engines' side: replica/role.c, stream.c, release.c, and what REPLICATION.md adds to them (journal, rejoin). */
#include <string.h>

#include "tests/model/rules.h"

static void entered(struct state *t, uint8_t epoch)
{
    if (epoch > t->epoch_max)
        t->epoch_max = epoch;
}

/* --- what a node says --------------------------------------------------------------------------- */

/* A PAIRING owner streams as the dual epoch that it asks for (R15). */
static bool streams_next_dual(const struct model *m, const struct node *y)
{
    return y->role == SB_ROLE_PAIRING && !without(m, MUT_PAIRING_STREAMS_OLD);
}

static struct msg stream_head(const struct node *y, uint8_t i, bool next)
{
    return (struct msg){.type = SB_FT_STREAM,
                        .epoch = next ? next_dual(y->epoch) : y->epoch,
                        .node = i,
                        .inc = y->inc,
                        .other_inc = y->role == SB_ROLE_PRIM || next ? y->peer_inc : 0};
}

static void say_input(const struct model *m, struct state *t, uint8_t i, uint8_t n)
{
    const struct node *y = &t->node[i];
    struct msg msg = stream_head(y, i, streams_next_dual(m, y));
    msg.n = n;
    msg.content = y->log[n - 1];
    net_add(t, msg);
}

static void say_heartbeat(struct state *t, uint8_t i, uint8_t mark)
{
    const struct node *y = &t->node[i];
    struct msg msg = stream_head(y, i, y->role == SB_ROLE_PAIRING);
    msg.content = heartbeat(y->role == SB_ROLE_PRIM, mark);
    net_add(t, msg);
}

/* A heartbeat and the whole log, as a role that has just begun says it. */
static void say_log(const struct model *m, struct state *t, uint8_t i)
{
    say_heartbeat(t, i, 0);
    for (uint8_t n = 1; n <= t->node[i].len; n++)
        say_input(m, t, i, n);
}

static void say_ack(struct state *t, uint8_t i, uint8_t epoch, uint8_t owner_inc, uint8_t held)
{
    net_add(t, (struct msg){.type = SB_FT_ACK,
                            .epoch = epoch,
                            .node = i,
                            .inc = t->node[i].inc,
                            .other_inc = owner_inc,
                            .n = held});
}

/* A request to the witness, at the winc that the node knows. */
static struct msg request(const struct node *y, uint8_t i, enum sb_frame_type type, uint8_t epoch)
{
    return (struct msg){
        .type = (uint8_t)type, .epoch = epoch, .node = i, .inc = y->inc, .winc = y->winc};
}

static void say_live(struct state *t, uint8_t i, uint8_t epoch, bool by_resign)
{
    struct msg msg = request(&t->node[i], i, SB_FT_LIVE, epoch);
    msg.n = by_resign;
    net_add(t, msg);
}

static void say_reg_dual(struct state *t, uint8_t i, uint8_t epoch, bool shadow)
{
    struct msg msg = request(&t->node[i], i, SB_FT_REG_DUAL, epoch);
    msg.other_inc = t->node[i].peer_inc;
    msg.n = shadow;
    net_add(t, msg);
}

/* --- changes of role ---------------------------------------------------------------------------- */

/* R8, R10, R11, R13: all held inputs are taken as possibly released; LIVE tells the witness. */
static void go_solo(const struct model *m, struct state *t, uint8_t i, uint8_t epoch,
                    bool by_resign)
{
    struct node *y = &t->node[i];
    y->epoch = epoch;
    y->role = SB_ROLE_SOLO;
    y->released = y->len;
    y->n_star = kind(epoch) == SB_EPOCH_S ? y->len : 0;
    y->peer_inc = y->acked = y->arm = y->confirmed = 0;
    entered(t, epoch);
    say_live(t, i, epoch, by_resign);
    if (!m->journal || without(m, MUT_STREAM_BEFORE_RECORD)) /* R13: else after the record */
        say_log(m, t, i);
}

static void become_prim(const struct model *m, struct state *t, uint8_t i, uint8_t epoch)
{
    t->node[i].role = SB_ROLE_PRIM;
    t->node[i].epoch = epoch;
    entered(t, epoch);
    say_log(m, t, i);
}

/* R16, and genesis. The caller acks what it holds. */
static void become_shadow(struct node *y, uint8_t epoch, uint8_t winc, bool confirmed)
{
    y->role = SB_ROLE_SHADOW;
    y->epoch = epoch;
    y->winc = winc;
    y->k = y->arm = y->new_day = 0;
    y->confirmed = confirmed;
}

/* R14: copies from the start; what it held is set aside. */
static void join(const struct model *m, struct state *t, uint8_t i, const struct msg *msg)
{
    struct node *y = &t->node[i];
    if (y->role != SB_ROLE_BOOT)
        y->inc++;
    if (!without(m, MUT_JOIN_KEEPS_LOG)) {
        y->len = 0;
        memset(y->log, 0, sizeof y->log);
    }
    if (!without(m, MUT_NO_JOIN_RECORD)) {
        y->durable = 0;
        y->record = RECORD_JOIN;
        y->record_epoch = msg->epoch;
    }
    y->role = SB_ROLE_CATCH;
    y->epoch = msg->epoch;
    y->peer_inc = msg->inc;
    y->acked = y->released = y->k = y->arm = y->n_star = y->confirmed = y->winc = 0;
    y->mark = y->new_day = 0;
    say_ack(t, i, msg->epoch, msg->inc, 0);
}

/* --- release ---------------------------------------------------------------------------------- */

static bool shadow_may_release(const struct model *m, const struct node *x, uint8_t n)
{
    /* R4: suspects, and its pairing is confirmed (an ARMOK confirms it too). */
    if (m->early && x->arm != SB_ARM_NONE &&
        (x->confirmed || x->arm == SB_ARM_ARMED || without(m, MUT_EARLY_UNCONFIRMED)))
        return true;
    return m->resend && n <= x->mark && x->confirmed; /* R4b */
}

bool may_release(const struct model *m, const struct node *x, uint8_t n)
{
    if (n > x->len)
        return false;
    switch (x->role) {
    case SB_ROLE_PRIM: /* R1 */
        return n <= x->acked || without(m, MUT_RELEASE_WITHOUT_ACK);
    case SB_ROLE_PAIRING: /* R2 */
        if (without(m, MUT_PAIRING_NO_ACK))
            return n <= x->durable;
        return n <= x->acked &&
               (!m->journal || n <= x->durable || without(m, MUT_PAIRING_NO_JOURNAL));
    case SB_ROLE_SOLO: /* R3 */
        return !m->journal || (m->early && n <= x->n_star) || without(m, MUT_SOLO_NO_RECORD) ||
               (n <= x->durable && solo_record_durable(x));
    case SB_ROLE_SHADOW:
        return shadow_may_release(m, x, n);
    default: /* I9 */
        return false;
    }
}

/* The first release of a number, and (R4b) an owner's own, which its stream may mark. */
static void release(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    for (uint8_t n = 1; n <= from->len; n++) {
        const bool marks = x->m->resend && owns(from) && n == from->mark + 1;
        if ((x->from->told[n - 1] != 0 && !marks) || !may_release(x->m, from, n))
            continue;
        struct state *t = begin(x);
        if (t->told[n - 1] == 0)
            t->told[n - 1] = from->log[n - 1];
        if (t->node[i].released < n)
            t->node[i].released = n;
        if (marks)
            t->node[i].mark = n;
        emit_step(x, (struct step){.what = from->role == SB_ROLE_SHADOW ? "re-sends as a shadow"
                                                                        : "releases",
                                   .actor = i,
                                   .n = n});
    }
}

/* R4b: the stream says what its owner has released. It could stand in any frame; a heartbeat covers them all. */
static void mark_released(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (!x->m->resend || from->mark == 0 ||
        (from->role != SB_ROLE_PRIM && from->role != SB_ROLE_PAIRING))
        return;
    say_heartbeat(begin(x), i, from->mark);
    emit_if_said(x, i, "streams its released mark", NULL);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void crash(struct expansion *x, uint8_t i)
{
    if (x->from->crashes >= x->m->crashes || !fault_may_strike(x->m, x->from))
        return;
    struct state *t = begin(x);
    const struct node *from = &x->from->node[i];
    t->node[i] = (struct node){.inc = from->inc,
                               .role = SB_ROLE_DOWN,
                               .epoch = from->record_epoch,
                               .len = from->durable,
                               .durable = from->durable,
                               .record = from->record,
                               .record_epoch = from->record_epoch};
    memcpy(t->node[i].log, from->log, from->durable);
    t->crashes++;
    emit_step(x, (struct step){.what = "crashes", .actor = i, .fault = FAULT_CRASH});
}

static void restart(struct expansion *x, uint8_t i)
{
    if (x->from->node[i].inc >= x->m->incarnations)
        return;
    struct node *y = &begin(x)->node[i];
    y->inc++;
    y->role = SB_ROLE_BOOT;
    emit_step(x, (struct step){.what = "restarts", .actor = i, .fault = FAULT_RESTART});
    if (!x->m->genesis || x->from->sequenced)
        return;
    y = &begin(x)->node[i];
    y->inc++;
    y->role = SB_ROLE_BOOT;
    y->new_day = 1;
    emit_step(x, (struct step){.what = "restarts for a new day, truly without an earlier log",
                               .actor = i,
                               .fault = FAULT_RESTART});
}

/* --- what a node does by itself ------------------------------------------------------------------- */

static void sequence(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (!owns(from) || from->len >= x->m->inputs)
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    y->log[y->len++] = content(i, y->inc, y->epoch);
    if (x->m->genesis)
        t->sequenced = 1;
    /* R13: nothing to a joiner before the record is durable. */
    if (y->role != SB_ROLE_SOLO || !x->m->journal || solo_record_durable(y) ||
        without(x->m, MUT_STREAM_BEFORE_RECORD))
        say_input(x->m, t, i, y->len);
    emit(x, i, "sequences an input", NULL);
}

/* Policy JOURNAL: all that is held, and SOLO's record behind it, reach stable storage (R13). */
static void flush(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (!x->m->journal || (from->role != SB_ROLE_SOLO && from->role != SB_ROLE_PAIRING))
        return;
    const bool first = from->role == SB_ROLE_SOLO && !solo_record_durable(from);
    if (from->durable >= from->len && !first)
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    y->durable = y->len;
    if (first) {
        y->record = RECORD_SOLO;
        y->record_epoch = y->epoch;
        say_log(x->m, t, i);
    }
    emit(x, i, "flushes its journal", NULL);
}

/* R19: adopts the winc of HELLO and registers in one step. */
static void learn_witness(struct expansion *x, uint8_t i)
{
    const struct model *m = x->m;
    const struct node *from = &x->from->node[i];
    const bool armed = from->role == SB_ROLE_SHADOW && from->arm == SB_ARM_ARMED;
    if (from->winc == x->from->w.winc || from->role == SB_ROLE_RESIGNED ||
        (armed && !without(m, MUT_ARMED_REREGISTERS)))
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    y->winc = t->w.winc;
    switch (y->role) {
    case SB_ROLE_SHADOW:
        if (!armed)
            y->arm = SB_ARM_NONE;
        say_reg_dual(t, i, y->epoch, true);
        break;
    case SB_ROLE_PRIM:
        if (without(m, MUT_REG_SOLO_DUAL))
            say_live(t, i, make_epoch(generation(y->epoch), SB_EPOCH_P), false);
        say_reg_dual(t, i, y->epoch, false);
        break;
    case SB_ROLE_PAIRING:
        if (without(m, MUT_PAIRING_REG_SOLO)) {
            y->role = SB_ROLE_SOLO;
            say_live(t, i, y->epoch, false);
        } else {
            say_reg_dual(t, i, next_dual(y->epoch), false);
        }
        break;
    case SB_ROLE_SOLO:
        say_live(t, i, y->epoch, false);
        break;
    default: /* BOOT, CATCH: nothing to register */
        break;
    }
    emit(x, i, "learns the witness's incarnation", NULL);
}

static void shadow_rules(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (from->arm == SB_ARM_NONE && from->k < x->m->arms && from->winc != 0) { /* R9 */
        struct state *t = begin(x);
        struct node *y = &t->node[i];
        y->k++;
        y->arm = SB_ARM_ARMING;
        struct msg msg = request(y, i, SB_FT_ARM, y->epoch);
        msg.n = y->k;
        net_add(t, msg);
        emit(x, i, "suspects, asks ARM", NULL);
    }
    if (from->arm != SB_ARM_NONE) { /* R9: locally first, then it is sent */
        struct state *t = begin(x);
        struct node *y = &t->node[i];
        y->arm = SB_ARM_NONE;
        struct msg msg = request(y, i, SB_FT_CANCEL, y->epoch);
        msg.n = y->k;
        net_add(t, msg);
        emit(x, i, "cancels", NULL);
    }
    if (from->arm == SB_ARM_ARMED ||
        (from->arm == SB_ARM_ARMING && without(x->m, MUT_NO_WITNESS))) { /* R10 */
        go_solo(x->m, begin(x), i, live_epoch(x->m, from->epoch), false);
        emit(x, i, "goes live", NULL);
    }
}

static void primary_rules(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (from->winc != 0) { /* R11 */
        net_add(begin(x), request(from, i, SB_FT_SOLOREQ, from->epoch));
        emit_if_said(x, i, "asks SOLO", NULL);
    }
    if (from->role == SB_ROLE_PRIM && x->m->resign) { /* R12 */
        struct state *t = begin(x);
        t->node[i].role = SB_ROLE_RESIGNED;
        net_add(t, (struct msg){
                       .type = SB_FT_RESIGN, .epoch = from->epoch, .node = i, .inc = from->inc});
        emit(x, i, "resigns", NULL);
    }
}

static void say_pair(struct state *t, uint8_t i)
{
    const struct node *y = &t->node[i];
    struct msg msg = request(y, i, SB_FT_PAIR, next_dual(y->epoch));
    msg.other_inc = y->peer_inc;
    msg.content = y->epoch;
    net_add(t, msg);
}

/* R15 */
static void ask_pair(struct expansion *x, uint8_t i)
{
    const struct model *m = x->m;
    const struct node *from = &x->from->node[i];
    const bool synced = from->acked >= from->released || without(m, MUT_PAIR_EARLY);
    const bool record =
        !m->journal || solo_record_durable(from) || without(m, MUT_PAIR_NO_SOLO_RECORD);
    if (from->peer_inc == 0 || generation(from->epoch) >= m->generations || from->winc == 0 ||
        !synced || !record)
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    y->role = SB_ROLE_PAIRING;
    if (m->journal && !without(m, MUT_NO_PAIR_RECORD)) {
        y->record = RECORD_PAIR;
        y->record_epoch = y->epoch;
    }
    say_pair(t, i);
    if (!without(m, MUT_PAIRING_STREAMS_OLD))
        say_log(m, t, i);
    emit(x, i, "asks PAIR", NULL);
}

static void pairing_rules(struct expansion *x, uint8_t i)
{
    if (x->from->node[i].winc != 0) { /* at the winc that it knows now */
        say_pair(begin(x), i);
        emit_if_said(x, i, "asks PAIR again", NULL);
    }
    if (without(x->m, MUT_PAIRING_RETURNS)) {
        struct node *y = &begin(x)->node[i];
        y->role = SB_ROLE_SOLO;
        y->record = RECORD_SOLO;
        emit(x, i, "becomes SOLO again by itself", NULL);
    }
}

/* R22, R23: a restarted node owns nothing; it asks. */
static void boot_rules(struct expansion *x, uint8_t i)
{
    const struct model *m = x->m;
    const struct node *from = &x->from->node[i];
    if (!m->journal)
        return;
    const bool within = generation(from->record_epoch) <= m->generations;
    const bool recorded = from->record == RECORD_SOLO || from->record == RECORD_PAIR;
    if (from->winc != 0 && within && (recorded || without(m, MUT_RESUME_NO_RECORD))) {
        struct msg msg = request(from, i, SB_FT_RESUME, from->record_epoch);
        msg.n = without(m, MUT_RESUME_NO_RECORD) ? RECORD_SOLO : from->record;
        net_add(begin(x), msg);
        emit_if_said(x, i, "asks RESUME", NULL);
    }
    if (without(m, MUT_RESUME_NO_WITNESS) && within && from->record == RECORD_SOLO) {
        go_solo(m, begin(x), i, make_epoch(generation(from->record_epoch) + 1u, SB_EPOCH_R), false);
        emit(x, i, "resumes without the witness", NULL);
    }
    if (m->disclaim && from->winc != 0) {
        struct msg msg = request(from, i, SB_FT_DISCLAIM, from->record_epoch);
        msg.n = from->record;
        net_add(begin(x), msg);
        emit_if_said(x, i, "disclaims", NULL);
    }
}

/* Genesis: a new day's nodes find each other by BOOT and register (1,D) naming each other. A is the configured primary. */
static void new_day_rules(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    net_add(begin(x), (struct msg){.type = SB_FT_BOOT, .node = i, .inc = from->inc});
    emit_if_said(x, i, "says BOOT for a new day", NULL);
    if (from->peer_inc == 0 || from->winc == 0)
        return;
    say_reg_dual(begin(x), i, make_epoch(1, SB_EPOCH_D), i != SB_NODE_A);
    emit_if_said(x, i, "registers for a new day", NULL);
}

void node_rules(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (from->role == SB_ROLE_DOWN) {
        restart(x, i);
        return;
    }
    crash(x, i);
    sequence(x, i);
    release(x, i);
    mark_released(x, i);
    flush(x, i);
    learn_witness(x, i);
    if (from->role == SB_ROLE_SHADOW)
        shadow_rules(x, i);
    else if (from->role == SB_ROLE_PRIM ||
             (from->role == SB_ROLE_RESIGNED && without(x->m, MUT_RESIGNED_SOLO)))
        primary_rules(x, i);
    else if (from->role == SB_ROLE_SOLO)
        ask_pair(x, i);
    else if (from->role == SB_ROLE_PAIRING)
        pairing_rules(x, i);
    else if (from->role == SB_ROLE_BOOT)
        boot_rules(x, i);
    if (from->new_day)
        new_day_rules(x, i);
}

/* --- what arrives ------------------------------------------------------------------------------- */

static void take_input(struct expansion *x, uint8_t i, const struct msg *msg, const char *what)
{
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    if (msg->n == y->len + 1)
        y->log[y->len++] = msg->content;
    say_ack(t, i, msg->epoch, msg->inc, msg->n);
    emit(x, i, what, msg);
}

/* R6: number len + 1 of the epoch and owner that it follows. False: nothing for a shadow. */
static bool shadow_on_stream(struct expansion *x, uint8_t i, const struct msg *msg)
{
    const struct node *from = &x->from->node[i];
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
    say_ack(t, i, msg->epoch, msg->inc, y->len);
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
    say_ack(t, i, msg->epoch, msg->inc, 0);
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
        say_ack(begin(x), i, msg->epoch, msg->inc, msg->n);
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
        join(x->m, begin(x), i, msg);
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
    if (msg->other_inc != from->inc || !owns(from))
        return;
    const bool any_epoch = without(x->m, MUT_ACK_EPOCH);
    const bool epoch = msg->epoch == from->epoch || any_epoch ||
                       (from->role == SB_ROLE_PAIRING && msg->epoch == next_dual(from->epoch));
    const bool named = msg->inc == from->peer_inc || without(x->m, MUT_ACK_INC);
    const bool joiner = from->role == SB_ROLE_SOLO && msg->inc > from->peer_inc;
    if (!epoch || (!joiner && !(named && msg->n > from->acked)))
        return;
    struct node *y = &begin(x)->node[i];
    if (joiner)
        y->peer_inc = msg->inc;
    y->acked = msg->n;
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
    if ((from->role != SB_ROLE_PRIM && !resigned) || kind(msg->epoch) != SB_EPOCH_P ||
        generation(msg->epoch) != generation(from->epoch) || !winc_counts(x->m, from, msg))
        return;
    go_solo(x->m, begin(x), msg->node, msg->epoch, false);
    emit(x, msg->node, "goes SOLO", msg);
}

/* R12 */
static void on_resign(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = 1 - msg->node;
    const struct node *from = &x->from->node[i];
    if (from->role != SB_ROLE_SHADOW || from->epoch != msg->epoch || from->peer_inc != msg->inc)
        return;
    go_solo(x->m, begin(x), i, live_epoch(x->m, msg->epoch), true);
    emit(x, i, "goes live by RESIGN", msg);
}

/* Genesis: a new day's node acts only on this, or as the shadow on the stream. */
static void boot_on_pairok(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = msg->node;
    const struct node *from = &x->from->node[i];
    if (!from->new_day || from->peer_inc == 0 || msg->other_inc != from->peer_inc ||
        msg->epoch != make_epoch(1, SB_EPOCH_D) || !winc_counts(x->m, from, msg))
        return;
    struct state *t = begin(x);
    t->node[i].new_day = 0;
    if (i == SB_NODE_A) {
        become_prim(x->m, t, i, msg->epoch);
    } else {
        become_shadow(&t->node[i], msg->epoch, from->winc, true);
        say_ack(t, i, msg->epoch, msg->other_inc, 0);
    }
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
        say_ack(t, i, msg->epoch, msg->other_inc, t->node[i].len);
        emit(x, i, "becomes SHADOW by PAIROK", msg);
    }
}

/* R22 */
static void on_resumeok(struct expansion *x, const struct msg *msg)
{
    const struct node *from = &x->from->node[msg->node];
    if (from->role != SB_ROLE_BOOT || !winc_counts(x->m, from, msg))
        return;
    go_solo(x->m, begin(x), msg->node, msg->epoch, false);
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
