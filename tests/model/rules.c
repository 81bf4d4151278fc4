#include "tests/model/rules.h"

bool fault_may_strike(const struct model *m, const struct state *s)
{
    if (!m->only_clean)
        return true;
    const struct witness *w = &s->w;
    if (w->state != SB_W_DUAL)
        return false;
    const struct node *p = &s->node[w->owner], *q = &s->node[1 - w->owner];
    if (p->role != SB_ROLE_PRIM || q->role != SB_ROLE_SHADOW || q->arm != SB_ARM_NONE ||
        p->epoch != w->epoch || q->epoch != w->epoch || p->winc != w->winc || q->winc != w->winc)
        return false;
    for (unsigned i = 0; i < s->msgs; i++) {
        const uint8_t type = s->msg[i].type;
        if ((type == SB_FT_ARM || type == SB_FT_SOLOREQ || type == SB_FT_CANCEL ||
             type == SB_FT_RESIGN) &&
            generation(s->msg[i].epoch) == generation(w->epoch))
            return false;
    }
    return true;
}

void expand(struct expansion *x, const struct state *from)
{
    x->from = from;
    node_rules(x, 0);
    node_rules(x, 1);
    witness_rules(x);
    for (unsigned i = 0; i < from->msgs; i++) {
        node_on_msg(x, &from->msg[i]);
        witness_on_msg(x, &from->msg[i]);
    }
}
