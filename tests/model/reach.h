/* reach.h: from which states can the system not get going again? I11, without its bound.
 *
 * Builds the whole graph of states and asks, backward, from which of them a good one can still be reached without a
 * further crash of a node or restart of the witness. It shows that a way exists, not that it is taken (no fairness, no
 * time). States near the bounds are left out, because they might only lack room: arms or incarnations used up, or a
 * generation above generations - 2.
 *
 * Memory: the states themselves (some 200 bytes each) and 9 bytes a transition.
 */
#ifndef SHADOWBOOK_MODEL_REACH_H
#define SHADOWBOOK_MODEL_REACH_H

#include "tests/model/search.h"

enum reach_question {
    REACH_OWNER_ALONE,   /* an owner that can release new inputs, without restarting a node */
    REACH_OWNER_RESTART, /* the same, crashed nodes may restart */
    REACH_DUAL_RESTART,  /* DUAL, crashed nodes may restart */
    REACH_QUESTIONS
};

struct reach_result {
    bool complete; /* false: more than states_max */
    uint64_t states, transitions;
    uint32_t checked; /* states inside the margin */
    uint32_t blocked[REACH_QUESTIONS], classes[REACH_QUESTIONS];
};

const char *reach_question(enum reach_question q);

/* Prints every class of blocked states with its number and a shortest way to one. False: no memory. */
bool reach(const struct model *m, uint32_t states_max, bool print, struct reach_result *result);

#endif
