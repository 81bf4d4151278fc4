/* What an engine does by itself: the timers of replica/role.c, the release of replica/release.c, faults, and what
 * REPLICATION.md adds to them (journal, rejoin). */
#include <string.h>

#include "tests/model/node_change.h"
#include "tests/model/rules_divergence.h"

/* --- release ---------------------------------------------------------------------------------- */

/* R4, R3's exception; F5: of what a crash of both would not lose. */
static bool may_be_early(const struct model *m, const struct node *x, uint8_t n)
{
    if (m->divergences != 0 && n > x->agreed && !without(m, MUT_EARLY_UNCOMPARED)) /* D3 */
        return false;
    if (!m->early || m->hold == TWO_MEMORIES || without(m, MUT_HOLD_EARLY_ANY))
        return m->early;
    return m->hold == MEMORY_AND_DISK && n <= x->durable;
}

/* R1: what the primary waits for. */
static bool is_held(const struct model *m, const struct node *x, uint8_t n)
{
    const bool durable = n <= x->durable, both = durable && n <= x->acked_durable;
    if (m->hold == TWO_DISKS && !without(m, MUT_HOLD_MEMORY))
        return both || (n <= x->acked && durable && without(m, MUT_HOLD_OWN_DISK));
    return n <= x->acked && (m->hold != MEMORY_AND_DISK || without(m, MUT_HOLD_MEMORY) || durable ||
                             n <= x->acked_durable);
}

static bool shadow_may_release(const struct model *m, const struct node *x, uint8_t n)
{
    /* R4: suspects, and its pairing is confirmed (an ARMOK confirms it too). */
    if (may_be_early(m, x, n) && x->arm != SB_ARM_NONE &&
        (x->confirmed || x->arm == SB_ARM_ARMED || without(m, MUT_EARLY_UNCONFIRMED)))
        return true;
    /* R4b: its owner has let go of n already. */
    const bool any = without(m, MUT_RESEND_ANY);
    const bool marked = n <= x->mark || any || without(m, MUT_RESEND_ABOVE_MARK);
    const bool confirmed = x->confirmed || any || without(m, MUT_RESEND_UNCONFIRMED);
    return m->resend && marked && confirmed;
}

bool may_release(const struct model *m, const struct node *x, uint8_t n)
{
    if (n > x->len || (x->diverged && !without(m, MUT_DIVERGED_GOES_ON)))
        return false;
    switch (x->role) {
    case SB_ROLE_PRIM: /* R1 */
        return is_held(m, x, n) || without(m, MUT_RELEASE_WITHOUT_ACK);
    case SB_ROLE_PAIRING: /* R2 */
        if (without(m, MUT_PAIRING_NO_ACK))
            return n <= (m->witness_log ? x->logged : x->durable);
        if (m->witness_log) /* W8 */
            return n <= x->acked && (n <= x->logged || without(m, MUT_LOG_PAIRING));
        return n <= (m->hold == TWO_DISKS && !without(m, MUT_HOLD_PAIR) ? x->acked_durable
                                                                        : x->acked) &&
               (!m->journal || n <= x->durable || without(m, MUT_PAIRING_NO_JOURNAL));
    case SB_ROLE_SOLO:      /* R3 */
        if (m->witness_log) /* W1 */
            return n <= x->logged || (n <= x->n_star && may_be_early(m, x, n)) ||
                   without(m, MUT_LOG_RELEASE);
        return !m->journal || (n <= x->n_star && may_be_early(m, x, n)) ||
               without(m, MUT_SOLO_NO_RECORD) || (n <= x->durable && solo_record_durable(x));
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
        if (t->told[n - 1] == 0) {
            t->told[n - 1] = from->log[n - 1];
            t->told_bad |= (uint8_t)(digest(from, n) << n);
        }
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
    say_heartbeat(x->m, begin(x), i, from->mark);
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
                               .lineage = from->lineage,
                               .bad = from->bad,
                               .aside = from->aside,
                               .older_len = from->older_len,
                               .record = from->record,
                               .record_epoch = from->record_epoch};
    memcpy(t->node[i].log, from->log, from->durable);
    memcpy(t->node[i].older_log, from->older_log, from->older_len);
    t->crashes++;
    emit_step(x, (struct step){.what = "crashes", .actor = i, .fault = FAULT_CRASH});
}

/* The operator's word for a new day is true: no input was ever sequenced, and this node's journal holds no record. */
static bool new_day_may_begin(const struct expansion *x, uint8_t i)
{
    return x->m->genesis && (!x->from->sequenced || without(x->m, MUT_NEW_DAY_WITH_LOG)) &&
           (x->from->node[i].record == RECORD_NONE || x->m->new_day_aside ||
            without(x->m, MUT_NEW_DAY_WITH_RECORD));
}

/* What the journal held is set aside: the new day's begins with nothing, and is asked for nothing. */
static bool begins_new_journal(const struct model *m)
{
    return (m->new_day_aside || m->witness_log) && !without(m, MUT_NEW_DAY_KEEPS_RECORD);
}

static void set_journal_aside(const struct model *m, struct node *y)
{
    y->durable = y->len = y->record = y->record_epoch = y->epoch = y->aside = 0;
    y->older_len = 0;
    memset(y->log, 0, sizeof y->log);
    memset(y->older_log, 0, sizeof y->older_log);
    y->lineage = m->witness_log ? y->inc : 0;
}

static void restart(struct expansion *x, uint8_t i)
{
    if (x->from->node[i].inc >= x->m->incarnations)
        return;
    struct node *y = &begin(x)->node[i];
    y->inc++;
    y->role = SB_ROLE_BOOT;
    if (y->aside)
        set_journal_aside(x->m, y);
    emit_step(x, (struct step){.what = "restarts", .actor = i, .fault = FAULT_RESTART});
    if (!new_day_may_begin(x, i))
        return;
    y = &begin(x)->node[i];
    y->inc++;
    y->role = SB_ROLE_BOOT;
    y->new_day = 1;
    if (begins_new_journal(x->m)) {
        set_journal_aside(x->m, y);
    }
    emit_step(x,
              (struct step){.what = "restarts for a new day", .actor = i, .fault = FAULT_RESTART});
}

/* --- what a node does by itself ------------------------------------------------------------------- */

/* R13, W9: nothing to a joiner before the grant can no longer be disclaimed. */
static bool may_be_joined(const struct model *m, const struct node *y)
{
    if (m->witness_log)
        return y->settled;
    return !m->journal || solo_record_durable(y) || without(m, MUT_STREAM_BEFORE_RECORD);
}

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
    if (y->role != SB_ROLE_SOLO || may_be_joined(x->m, y))
        say_input(x->m, t, i, y->len);
    say_log_input(x->m, t, i, y->len);
    if (without(x->m, MUT_LOG_TRIMMED_EARLY))
        say_log_durable(x->m, t, i, y->len);
    emit(x, i, "sequences an input", NULL);
}

/* Policy JOURNAL: all that is held, and SOLO's record behind it, reach stable storage (R13). */
static void flush(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    const bool solo = from->role == SB_ROLE_SOLO || from->role == SB_ROLE_PAIRING;
    const bool other =
        from->role == SB_ROLE_PRIM || from->role == SB_ROLE_SHADOW || from->role == SB_ROLE_CATCH;
    if (!x->m->journal || (!solo && !(x->m->flush_always && other)))
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
        if (x->m->witness_log)
            settle(x->m, t, i);
        else
            say_log(x->m, t, i);
    }
    say_log_durable(x->m, t, i, y->durable);
    if ((y->role == SB_ROLE_SHADOW || y->role == SB_ROLE_CATCH) && x->m->hold != TWO_MEMORIES)
        say_ack(x->m, t, i, y->epoch, y->peer_inc, y->len);
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
            y->logged = 0;
            say_reg_dual(t, i, next_dual(y->epoch), false);
        }
        break;
    case SB_ROLE_SOLO:
        say_live_and_log(x->m, t, i, false);
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
        cancel(begin(x), i);
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
    if (from->role == SB_ROLE_PRIM && x->m->resign && !from->diverged) { /* R12 */
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
    const uint8_t held =
        m->hold == TWO_DISKS && !without(m, MUT_HOLD_PAIR) ? from->acked_durable : from->acked;
    const bool synced = held >= from->released || without(m, MUT_PAIR_EARLY);
    const bool record =
        may_be_joined(m, from) || (!m->witness_log && without(m, MUT_PAIR_NO_SOLO_RECORD));
    if (from->peer_inc == 0 || generation(from->epoch) >= m->generations || from->winc == 0 ||
        !synced || !record)
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    y->role = SB_ROLE_PAIRING;
    if (m->journal && !m->witness_log && !without(m, MUT_NO_PAIR_RECORD)) {
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
    if ((!m->journal && !m->witness_log) || (from->new_day && begins_new_journal(m)))
        return;
    const bool within = generation(from->record_epoch) <= m->generations;
    const bool recorded =
        from->record == RECORD_SOLO || from->record == RECORD_PAIR || m->witness_log;
    if (from->winc != 0 && within && (recorded || without(m, MUT_RESUME_NO_RECORD))) {
        struct msg msg = request(from, i, SB_FT_RESUME, from->record_epoch);
        msg.n = without(m, MUT_RESUME_NO_RECORD) ? RECORD_SOLO : from->record;
        if (m->witness_log) {
            msg.other_inc = from->lineage;
            msg.content = from->durable;
        }
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

/* Genesis: a new day's nodes find each other by BOOT and register (1,D) naming each other. A is the configured
 * primary. */
static void new_day_rules(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    net_add(begin(x), (struct msg){.type = SB_FT_BOOT, .node = i, .inc = from->inc});
    emit_if_said(x, i, "says BOOT for a new day", NULL);
    if (from->peer_inc == 0 || from->winc == 0)
        return;
    say_reg_dual(begin(x), i, make_epoch(1, SB_EPOCH_D), i != SB_NODE_A);
    emit_if_said(x, i, "registers for a new day", NULL);
    if (without(x->m, MUT_NEW_DAY_ALONE)) {
        begin_new_day(x->m, begin(x), i);
        emit(x, i, "begins a new day by itself", NULL);
    }
}

/* D2: DIVERGED, it asks for nothing; under primary-continues the primary asks for SOLO. */
static bool stops(const struct model *m, const struct node *from)
{
    return from->diverged && !without(m, MUT_DIVERGED_GOES_ON) &&
           (m->halt || from->role != SB_ROLE_PRIM);
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
    divergence_rules(x, i);
    if (stops(x->m, from))
        return;
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
    force_rules(x, i);
    if (from->new_day)
        new_day_rules(x, i);
}
