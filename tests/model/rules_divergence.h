/* rules_divergence.h: two engines that do not agree (REPLICATION.md section 9): D1 to D3 of README.md. Used only with
 * --divergences: then release = verified. */
#ifndef SHADOWBOOK_MODEL_RULES_DIVERGENCE_H
#define SHADOWBOOK_MODEL_RULES_DIVERGENCE_H

#include "tests/model/rules.h"

/* Digests are those of all outputs up to n: once one differs, all later ones do. */
static inline bool digest(const struct node *x, uint8_t n)
{
    return x->bad != 0 && n >= x->bad;
}

/* The fault: from its next input on this engine's outputs are not what they should be. */
void divergence_rules(struct expansion *x, uint8_t i);
/* D1: false: the ack is not counted, and the step that is due was taken. */
bool digest_agrees(struct expansion *x, uint8_t i, const struct msg *ack);
void node_on_digest(struct expansion *x, const struct msg *msg);

#endif
