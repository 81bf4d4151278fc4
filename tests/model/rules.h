/* rules.h: what may happen next. One function per rule or message; R1..R25 are those of REPLICATION.md.
 *
 * A rule that can act builds the successor and hands it over with emit(); one that changes nothing need not. Rules read
 * the state before (from) and write only the one after (to).
 */
#ifndef SHADOWBOOK_MODEL_RULES_H
#define SHADOWBOOK_MODEL_RULES_H

#include <string.h>

#include "tests/model/state.h"

enum fault { FAULT_NONE = 0, FAULT_CRASH = 1, FAULT_WITNESS = 2, FAULT_RESTART = 4 };

/* How a successor came about. */
struct step {
    const char *what;
    uint8_t actor;         /* enum sb_node_id */
    uint8_t fault;         /* enum fault */
    uint8_t n;             /* number released; 0 = none */
    const struct msg *msg; /* taken by the actor; NULL = it acted by itself */
};

/* Takes a successor, not yet in canonical form; it may change *to, which is used again for the next one. */
typedef void take_successor(void *context, struct state *to, const struct step *how);

struct expansion {
    const struct model *m;
    const struct state *from;
    struct state to;
    take_successor *take;
    void *context;
};

/* All successors of *from, in a fixed order. */
void expand(struct expansion *x, const struct state *from);

/* R1 to R4: may this node's host let go of the outputs of input n now? */
bool may_release(const struct model *m, const struct node *node, uint8_t n);

/* May a fault strike now? With --clean only in a quiet DUAL. */
bool fault_may_strike(const struct model *m, const struct state *s);

/* rules_node.c */
void node_rules(struct expansion *x, uint8_t i);
void node_on_msg(struct expansion *x, const struct msg *msg);
/* rules_force.c */
void force_rules(struct expansion *x, uint8_t i);
/* rules_witness.c */
void witness_rules(struct expansion *x);
void witness_on_msg(struct expansion *x, const struct msg *msg);

static inline struct state *begin(struct expansion *x)
{
    memcpy(&x->to, x->from, state_bytes(x->from));
    return &x->to;
}

static inline void emit_step(struct expansion *x, struct step how)
{
    x->take(x->context, &x->to, &how);
}
static inline void emit(struct expansion *x, uint8_t actor, const char *what, const struct msg *msg)
{
    emit_step(x, (struct step){.what = what, .actor = actor, .msg = msg});
}
/* For rules that only say something. */
static inline void emit_if_said(struct expansion *x, uint8_t actor, const char *what,
                                const struct msg *msg)
{
    if (x->to.msgs != x->from->msgs)
        emit(x, actor, what, msg);
}

#endif
