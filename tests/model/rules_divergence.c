#include "tests/model/rules_divergence.h"

#include "tests/model/node_change.h"

static void fault(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (x->from->divergences >= x->m->divergences || from->bad != 0 || from->len >= x->m->inputs ||
        from->role == SB_ROLE_BOOT || !fault_may_strike(x->m, x->from))
        return;
    struct state *t = begin(x);
    t->node[i].bad = from->len + 1;
    t->divergences++;
    emit_step(
        x, (struct step){.what = "computes wrongly from now on", .actor = i, .fault = FAULT_CRASH});
}

static void say_digest(struct state *t, uint8_t i)
{
    const struct node *y = &t->node[i];
    net_add(t, (struct msg){.type = FT_DIGEST,
                            .epoch = y->epoch,
                            .node = i,
                            .inc = y->inc,
                            .other_inc = y->peer_inc,
                            .n = y->len,
                            .content = digest(y, y->len)});
}

void divergence_rules(struct expansion *x, uint8_t i)
{
    const struct node *from = &x->from->node[i];
    if (x->m->divergences == 0)
        return;
    fault(x, i);
    if (from->role != SB_ROLE_PRIM || from->len == 0)
        return;
    say_digest(begin(x), i);
    emit_if_said(x, i, "streams its digest", NULL);
}

bool digest_agrees(struct expansion *x, uint8_t i, const struct msg *ack)
{
    const struct node *from = &x->from->node[i];
    if (x->m->divergences == 0 || ack->content == digest(from, ack->n) ||
        without(x->m, MUT_DIGEST_UNCOMPARED))
        return true;
    /* A sole owner is the authority: such a joiner is never paired. */
    if (from->role == SB_ROLE_PRIM && ack->inc == from->peer_inc && ack->epoch == from->epoch &&
        !from->diverged) {
        begin(x)->node[i].diverged = 1;
        emit(x, i, "sees another digest than its own", ack);
    }
    return false;
}

/* D2: the shadow compares what the owner says of numbers that it has applied. */
void node_on_digest(struct expansion *x, const struct msg *msg)
{
    const uint8_t i = 1 - msg->node;
    const struct node *from = &x->from->node[i];
    if (from->role != SB_ROLE_SHADOW || msg->epoch != from->epoch || msg->inc != from->peer_inc ||
        msg->other_inc != from->inc || msg->n > from->len || from->diverged)
        return;
    const bool agrees = msg->content == digest(from, msg->n);
    if (agrees && msg->n <= from->agreed)
        return;
    struct state *t = begin(x);
    struct node *y = &t->node[i];
    if (agrees) {
        y->agreed = msg->n;
        emit(x, i, "agrees with the owner's digest", msg);
        return;
    }
    y->diverged = 1;
    if (y->arm != SB_ARM_NONE && !without(x->m, MUT_DIVERGED_GOES_ON))
        cancel(t, i);
    emit(x, i, "sees another digest than its own", msg);
}
