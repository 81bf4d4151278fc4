/* walk_flow.h: random commands with terms, for the walk over the reference. Few prices and small sizes, so orders meet. */
#ifndef SHADOWBOOK_TESTS_REFERENCE_WALK_FLOW_H
#define SHADOWBOOK_TESTS_REFERENCE_WALK_FLOW_H

#include "shadowbook/engine.h"

enum { WALK_SESSIONS = 4, WALK_INSTRUMENTS = 2, WALK_KEYS = 4096 };
#define WALK_STEP_NS UINT64_C(1000000)

struct walk_flow {
    uint64_t random;
    struct sb_engine_limits limits;
    uint32_t n, last_key[WALK_SESSIONS + 1];
    uint32_t recent[WALK_SESSIONS + 1][WALK_INSTRUMENTS + 2][2]; /* keys by instrument and side */
    int64_t tick;
    uint32_t lot;
    bool bad_often; /* how often terms that do not go together */
};

void walk_flow_start(struct walk_flow *f, uint64_t seed);
struct sb_command2 walk_flow_next(struct walk_flow *f);

#endif
