#include "tests/model/invariants.h"

#include "tests/model/rules_divergence.h"

static bool lacks(const struct node *node, uint8_t n, uint8_t content_)
{
    return n > node->len || node->log[n - 1] != content_;
}

/* Of one node, and against the other. */
static const char *broken_by(const struct model *m, const struct state *s, unsigned i)
{
    const struct node *x = &s->node[i], *y = &s->node[1 - i];
    const bool solo = x->role == SB_ROLE_SOLO;
    if (solo && y->role == SB_ROLE_SOLO)
        return "I3: both nodes are SOLO";
    const bool owner = solo || (owns(x) && x->epoch >= s->epoch_max);
    for (uint8_t n = 1; n <= m->inputs && !s->loss; n++) {
        const uint8_t told = s->told[n - 1];
        const bool told_bad = (s->told_bad >> n & 1) != 0;
        if (told != 0 && may_release(m, x, n) &&
            (x->log[n - 1] != told || digest(x, n) != told_bad))
            return "I1: a node may release another content than was released";
        if (told != 0 && owner && lacks(x, n, told))
            return "I2: an owner lacks what was released";
        if (solo && may_release(m, y, n) && lacks(x, n, y->log[n - 1]))
            return "I4: beside a SOLO, the other may release what the SOLO does not hold";
    }
    if (s->w.state == SB_W_SOLO && s->w.owner == 1 - i && owns(x) && x->epoch == s->w.epoch)
        return "I5: witness and node name different owners of one epoch";
    return NULL;
}

const char *invariant_broken(const struct model *m, const struct state *s)
{
    const char *what = broken_by(m, s, 0);
    return what != NULL ? what : broken_by(m, s, 1);
}
