/* The log-holding witness (README.md, W1 to W9): a solo owner's inputs go to the witness, and its ack releases them. */
#include "tests/model/rules_log.h"

#include "tests/model/node_change.h"

/* --- the witness -------------------------------------------------------------------------------- */

/* W4 */
static void say_logack(const struct model *m, struct state *t)
{
    if (!log_whole(&t->w.log) && !without(m, MUT_LOGACK_NOT_WHOLE))
        return;
    net_add(t, (struct msg){.type = FT_LOGACK,
                            .epoch = t->w.epoch,
                            .node = t->w.owner,
                            .inc = t->w.owner_inc,
                            .winc = t->w.winc,
                            .n = t->w.log.top});
}

bool log_opens(const struct witness *w, const struct msg *live)
{
    return w->state == SB_W_SOLO && live->node == w->owner && live->inc == w->owner_inc &&
           live->epoch == w->epoch && w->log.known != LOG_OPEN;
}

void log_open(const struct model *m, struct state *t, const struct msg *live)
{
    struct witness_log *log = &t->w.log;
    const uint8_t base = log_base(live->content);
    /* What was kept over a RESUME is part of this owner's log; its journal may reach further. */
    if (log->known != LOG_KEPT || base > log->top) {
        *log = (struct witness_log){.base = base, .top = base};
    }
    log->known = LOG_OPEN;
    log->lineage = live->other_inc;
    log->need = log_need(live->content);
    say_logack(m, t);
}

bool log_forbids_disclaim(const struct model *m, const struct witness *w)
{
    return w->state == SB_W_SOLO && log_whole(&w->log) && !without(m, MUT_LOG_DISCLAIM_AFTER_ACK);
}

bool log_covers(const struct model *m, const struct witness *w, const struct msg *resume)
{
    const struct witness_log *log = &w->log;
    const uint8_t durable = resume->content;
    const uint8_t covered = durable > log->top ? durable : log->top;
    const bool any = without(m, MUT_LOG_ANY_JOURNAL);
    const bool lineage = durable == 0 || log->lineage == resume->other_inc;
    return (lineage || any || without(m, MUT_LOG_LINEAGE)) &&
           (durable >= log->base || any || without(m, MUT_LOG_RESUME_BELOW_BASE)) &&
           (covered >= log->need || without(m, MUT_LOG_RESUME_NOT_WHOLE));
}

struct witness_log log_at_resume(const struct witness *w, const struct msg *resume)
{
    struct witness_log log = w->log;
    if (log.known == LOG_UNKNOWN) /* by its record (R22): nothing was acked, its journal is all */
        log = (struct witness_log){.base = resume->content,
                                   .top = resume->content,
                                   .need = resume->content,
                                   .lineage = resume->other_inc};
    log.known = LOG_KEPT;
    return log;
}

void log_hand_out(const struct witness_log *log, struct msg *resumeok)
{
    resumeok->n = log_bounds(log->base, log->top);
    resumeok->other_inc = log->content[0];
    resumeok->content = log->content[1];
}

void log_take(const struct model *m, struct node *y, const struct msg *resumeok)
{
    const uint8_t base = log_base(resumeok->n), top = log_need(resumeok->n);
    const uint8_t held[] = {resumeok->other_inc, resumeok->content};
    if (without(m, MUT_LOG_NOT_TAKEN))
        return;
    for (uint8_t n = base + 1; n <= top; n++)
        y->log[n - 1] = held[n - 1];
    if (y->len < top) /* else its own journal goes on behind it */
        y->len = top;
}

/* W3: what the owner's journal holds need not be here; it also closes a hole. */
static void on_durable(struct expansion *x, const struct msg *msg)
{
    if (msg->n <= x->from->w.log.base)
        return;
    struct state *t = begin(x);
    struct witness_log *log = &t->w.log;
    for (; log->base < msg->n; log->base++)
        log->content[log->base] = 0;
    if (log->top < log->base)
        log->top = log->base;
    say_logack(x->m, t);
    emit(x, SB_NODE_W, "drops what is durable at the solo owner", msg);
}

/* W3: the next input of the register's owner, in its epoch, once it has said LIVE. */
void witness_on_log(struct expansion *x, const struct msg *msg)
{
    const struct model *m = x->m;
    const struct witness *w = &x->from->w;
    const bool epoch = msg->epoch == w->epoch && msg->inc == w->owner_inc;
    if (w->state != SB_W_SOLO || msg->node != w->owner || w->log.known != LOG_OPEN ||
        (!epoch && !without(m, MUT_LOG_NOT_SEALED)))
        return;
    if (msg->content == LOG_DURABLE) {
        on_durable(x, msg);
        return;
    }
    const bool next = msg->n == w->log.top + 1;
    if (!next && !(msg->n > w->log.top && without(m, MUT_LOG_PAST_GAP)))
        return;
    struct state *t = begin(x);
    t->w.log.content[msg->n - 1] = msg->content;
    t->w.log.top = msg->n;
    say_logack(m, t);
    emit(x, SB_NODE_W, "stores an input of the solo owner", msg);
}

/* --- the owner ---------------------------------------------------------------------------------- */

/* W1: at the winc that it knows. */
void node_on_logack(struct expansion *x, const struct msg *msg)
{
    const struct model *m = x->m;
    const uint8_t i = msg->node;
    const struct node *from = &x->from->node[i];
    if (msg->inc != from->inc || msg->epoch != from->epoch ||
        (from->role != SB_ROLE_SOLO && from->role != SB_ROLE_PAIRING) ||
        (msg->winc != from->winc && !without(m, MUT_LOGACK_OLD_WINC)) ||
        (msg->n <= from->logged && from->settled))
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    if (msg->n > y->logged)
        y->logged = msg->n;
    settle(m, t, i);
    emit(x, i, "counts a LOGACK", msg);
}
