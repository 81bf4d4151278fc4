/* search.h: breadth-first over all states within the bounds; every one is tested against the invariants.
 *
 * A state is remembered by a 64-bit fingerprint (XXH3): two states with one fingerprint would count as one. With N
 * states the odds of that are N * N / 2^65: less than 1e-4 at 50 million. Memory: 16 bytes << bits for the table, plus
 * the states of two levels. Nothing is allocated per state.
 */
#ifndef SHADOWBOOK_MODEL_SEARCH_H
#define SHADOWBOOK_MODEL_SEARCH_H

#include "tests/model/rules.h"

struct search_limits {
    uint8_t bits;        /* table of 1 << bits fingerprints, used up to 85 % */
    uint64_t states_max; /* stop, not exhaustive, at so many; 0 = no limit */
    double seconds_max;  /* likewise; 0 = no limit */
};

struct search_result {
    const char *broken; /* invariant; NULL = none */
    bool exhaustive;
    uint64_t states, transitions;
    uint32_t depth; /* levels; of a violation: steps that lead to it, and no way is shorter */
    double seconds;
};

uint64_t state_fingerprint(const struct state *s);

/* Prints the way to a violation when trace is set. False: no memory. */
bool search(const struct model *m, const struct search_limits *limits, bool trace,
            struct search_result *result);

/* A step in words, on one line. */
void step_print(const struct step *how);

/* A growing run of states, packed one behind another. */
struct states {
    uint8_t *bytes;
    size_t used, cap;
};
void states_push(struct states *v, const struct state *s);
/* Unpacks the state at `at` and returns the position of the next one. */
size_t states_read(const struct states *v, size_t at, struct state *s);

#endif
