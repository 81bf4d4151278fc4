/* terms_flow.h: random commands of every kind, with terms of every kind, a function of the seed. Most are good; prices, keys and times
 * are few, so that orders meet. For tests that need states of every kind, not for what they mean. */
#ifndef SHADOWBOOK_TESTS_ENGINE_TERMS_FLOW_H
#define SHADOWBOOK_TESTS_ENGINE_TERMS_FLOW_H

#include "shadowbook/engine.h"

/* Command i, from 0, is at this time. */
static inline uint64_t terms_flow_time_ns(uint32_t i)
{
    return 1000 + UINT64_C(100000) * i;
}

/* Fills c[0..n) but for seq and time_ns, which are i + 1 and the above, and *limits. */
void terms_flow_make(uint64_t seed, struct sb_command2 *c, uint32_t n,
                     struct sb_engine_limits *limits);

#endif
