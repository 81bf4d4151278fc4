#include "tests/model/node_change.h"
#include "tests/model/rules_divergence.h"
#include "tests/model/rules_log.h"

#include <string.h>

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

void say_input(const struct model *m, struct state *t, uint8_t i, uint8_t n)
{
    const struct node *y = &t->node[i];
    struct msg msg = stream_head(y, i, streams_next_dual(m, y));
    msg.n = n;
    msg.content = y->log[n - 1];
    net_add(t, msg);
}

void say_heartbeat(const struct model *m, struct state *t, uint8_t i, uint8_t mark)
{
    const struct node *y = &t->node[i];
    struct msg msg = stream_head(y, i, streams_next_dual(m, y));
    msg.content = heartbeat(y->role == SB_ROLE_PRIM, mark);
    net_add(t, msg);
}

void say_log(const struct model *m, struct state *t, uint8_t i)
{
    say_heartbeat(m, t, i, 0);
    for (uint8_t n = 1; n <= t->node[i].len; n++)
        say_input(m, t, i, n);
}

void say_ack(const struct model *m, struct state *t, uint8_t i, uint8_t epoch, uint8_t owner_inc,
             uint8_t held)
{
    net_add(t, (struct msg){.type = SB_FT_ACK,
                            .epoch = epoch,
                            .node = i,
                            .inc = t->node[i].inc,
                            .other_inc = owner_inc,
                            .winc = m->hold != TWO_MEMORIES ? t->node[i].durable : 0,
                            .content = digest(&t->node[i], held),
                            .n = held});
}

struct msg request(const struct node *y, uint8_t i, enum sb_frame_type type, uint8_t epoch)
{
    return (struct msg){
        .type = (uint8_t)type, .epoch = epoch, .node = i, .inc = y->inc, .winc = y->winc};
}

void say_live(struct state *t, uint8_t i, uint8_t epoch, bool by_resign)
{
    struct msg msg = request(&t->node[i], i, SB_FT_LIVE, epoch);
    msg.n = by_resign;
    net_add(t, msg);
}

void say_log_input(const struct model *m, struct state *t, uint8_t i, uint8_t n)
{
    const struct node *y = &t->node[i];
    if (m->witness_log && (y->role == SB_ROLE_SOLO || y->role == SB_ROLE_PAIRING))
        net_add(t, (struct msg){.type = FT_LOG,
                                .epoch = y->epoch,
                                .node = i,
                                .inc = y->inc,
                                .n = n,
                                .content = y->log[n - 1]});
}

void say_log_durable(const struct model *m, struct state *t, uint8_t i, uint8_t n)
{
    const struct node *y = &t->node[i];
    if (m->witness_log && (y->role == SB_ROLE_SOLO || y->role == SB_ROLE_PAIRING) && n != 0)
        net_add(t, (struct msg){.type = FT_LOG,
                                .epoch = y->epoch,
                                .node = i,
                                .inc = y->inc,
                                .n = n,
                                .content = LOG_DURABLE});
}

void say_live_and_log(const struct model *m, struct state *t, uint8_t i, bool by_resign)
{
    struct node *y = &t->node[i];
    struct msg live = request(y, i, SB_FT_LIVE, y->epoch);
    live.n = by_resign;
    if (m->witness_log) {
        live.other_inc = y->lineage;
        live.content =
            log_bounds(y->durable, without(m, MUT_LOG_NEED_IS_BASE) ? y->durable : y->len);
        y->logged = 0;
    }
    net_add(t, live);
    for (uint8_t n = y->durable + 1; n <= y->len; n++)
        say_log_input(m, t, i, n);
}

void settle(const struct model *m, struct state *t, uint8_t i)
{
    struct node *y = &t->node[i];
    if (y->settled)
        return;
    y->settled = 1;
    say_log(m, t, i);
}

void say_reg_dual(struct state *t, uint8_t i, uint8_t epoch, bool shadow)
{
    struct msg msg = request(&t->node[i], i, SB_FT_REG_DUAL, epoch);
    msg.other_inc = t->node[i].peer_inc;
    msg.n = shadow;
    net_add(t, msg);
}

/* --- changes of role ---------------------------------------------------------------------------- */

void cancel(struct state *t, uint8_t i)
{
    struct node *y = &t->node[i];
    y->arm = SB_ARM_NONE;
    struct msg msg = request(y, i, SB_FT_CANCEL, y->epoch);
    msg.n = y->k;
    net_add(t, msg);
}

void go_solo(const struct model *m, struct state *t, uint8_t i, uint8_t epoch, bool by_resign)
{
    struct node *y = &t->node[i];
    y->epoch = epoch;
    y->role = SB_ROLE_SOLO;
    y->released = y->len;
    y->n_star = kind(epoch) == SB_EPOCH_S ? y->len : 0;
    y->peer_inc = y->acked = y->acked_durable = y->arm = y->confirmed = 0;
    y->settled = y->diverged = 0;
    entered(t, epoch);
    say_live_and_log(m, t, i, by_resign);
    if (m->witness_log) {
        if (without(m, MUT_STREAM_UNSETTLED))
            settle(m, t, i);
    } else if (!m->journal ||
               without(m, MUT_STREAM_BEFORE_RECORD)) { /* R13: else after the record */
        say_log(m, t, i);
    }
}

void become_prim(const struct model *m, struct state *t, uint8_t i, uint8_t epoch)
{
    t->node[i].role = SB_ROLE_PRIM;
    t->node[i].epoch = epoch;
    entered(t, epoch);
    say_log(m, t, i);
}

void become_shadow(struct node *y, uint8_t epoch, uint8_t winc, bool confirmed)
{
    y->role = SB_ROLE_SHADOW;
    y->epoch = epoch;
    y->winc = winc;
    y->k = y->arm = y->new_day = y->agreed = 0;
    y->confirmed = confirmed;
}

/* F2: FORCE may still choose it while its record is no lower than the new one's. */
static void keep_older_folder(struct node *y, uint8_t epoch)
{
    if (y->record != RECORD_JOIN || y->record_epoch != epoch) {
        y->older_len = 0;
        memset(y->older_log, 0, sizeof y->older_log);
    } else if (y->durable > y->older_len) {
        y->older_len = y->durable;
        memcpy(y->older_log, y->log, y->durable);
    }
}

void node_join(const struct model *m, struct state *t, uint8_t i, const struct msg *msg)
{
    struct node *y = &t->node[i];
    if (y->role != SB_ROLE_BOOT)
        y->inc++;
    if (m->forces != 0)
        keep_older_folder(y, msg->epoch);
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
    y->acked = y->acked_durable = y->released = y->k = y->arm = y->n_star = y->confirmed = y->winc =
        0;
    y->bad = y->diverged = y->agreed = 0;
    y->mark = y->new_day = y->logged = y->settled = 0;
    if (m->witness_log)
        y->lineage = y->inc;
    say_ack(m, t, i, msg->epoch, msg->inc, 0);
}

void begin_new_day(const struct model *m, struct state *t, uint8_t i)
{
    struct node *y = &t->node[i];
    const uint8_t epoch = make_epoch(1, SB_EPOCH_D);
    y->new_day = 0;
    if (i == SB_NODE_A) {
        become_prim(m, t, i, epoch);
    } else {
        become_shadow(y, epoch, y->winc, true);
        say_ack(m, t, i, epoch, y->peer_inc, 0);
    }
}
