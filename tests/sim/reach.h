/* reach.h: what the logs of simulated runs contain. A rule that no run reaches is not tested by any.
 *
 * Counted over the logs that the reference judged: commands, and what became of orders (tests/differential/coverage.h). And what
 * programs with other rules refused (other_rules.c).
 */
#ifndef SHADOWBOOK_SIM_REACH_H
#define SHADOWBOOK_SIM_REACH_H

#include <stdio.h>

#include "tests/differential/coverage.h"

/* What a program with other rules was given of these, and refused. */
#define SIM_REFUSED(X)                                                                             \
    X(JOURNAL, "its own journal")                                                                  \
    X(SNAPSHOT, "a snapshot")                                                                      \
    X(COPY, "its owner's journal")                                                                 \
    X(STREAM, "its owner's stream")                                                                \
    X(WITNESS, "the witness's log")                                                                \
    X(PEER, "a peer before the day")

enum sim_refused {
    SIM_NOT_REFUSED,
#define SIM_ID(id, words) SIM_REFUSED_##id,
    SIM_REFUSED(SIM_ID)
#undef SIM_ID
        SIM_REFUSED_WAYS
};

struct sim_reach {
    uint64_t commands[32]; /* by kind */
    struct coverage rules;
    uint64_t timers_later;    /* TIMERs that the owner of a later epoch sequenced */
    uint64_t timers_underway; /* takeovers with a TIMER in the log that was not released */
    uint64_t refused[SIM_REFUSED_WAYS];
};

void sim_reach_add(struct sim_reach *to, const struct sim_reach *r);
/* Kinds of commands and outputs, a line each; `all`: everything. */
void sim_reach_print(const struct sim_reach *r, bool all, FILE *to);
/* How much is missing of what a few hundred seeds of all faults must contain; each is named. */
uint32_t sim_reach_missing(const struct sim_reach *r, FILE *to);

#endif
