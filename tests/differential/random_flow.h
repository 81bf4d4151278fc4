/* random_flow.h: random commands of every kind, good and bad, for the differential test.
 *
 * Deterministic by seed. Every command is sb_command_valid(); nothing else is promised: unknown symbols and
 * sessions, used keys, resends, prices off tick and out of band, quantities of zero and beyond the maximum.
 * seq and time_ns are the runner's.
 */
#ifndef SHADOWBOOK_TESTS_RANDOM_FLOW_H
#define SHADOWBOOK_TESTS_RANDOM_FLOW_H

#include "shadowbook/engine.h"

struct random_flow {
    struct sb_engine_limits limits;
    struct sb_command2 *commands; /* owned: free() */
    uint32_t n;
};

void random_flow_make(struct random_flow *flow, uint64_t seed, uint32_t n);

#endif
