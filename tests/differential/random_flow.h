/* random_flow.h: random commands of every kind, good and bad, for the differential test.
 *
 * Deterministic by seed. Every command is sb_command_valid(); nothing else is promised: unknown symbols and
 * sessions, used keys, resends, prices off tick and out of band, quantities of zero and beyond the maximum, terms that
 * do not go together. Each command has its time_ns, rising; any of them may be left out, and the rest is a flow too.
 * seq is the runner's.
 *
 * The seed says what a flow is about (engine/RULES.md has the features):
 *   seed % 16 = 0       plain limit orders, large books
 *               1..5    one family of features alone
 *               6..9    some families
 *               10..12  everything
 *               13, 14  hostile: everything, one instrument, few prices, few sessions
 *               15      many instruments; every 16th of these: a crowd of pegs and trailing stops
 */
#ifndef SHADOWBOOK_TESTS_RANDOM_FLOW_H
#define SHADOWBOOK_TESTS_RANDOM_FLOW_H

#include "shadowbook/engine.h"

/* 2000-01-01: the flow's midnight; its first command is not much later. */
#define RANDOM_FLOW_START_NS UINT64_C(946684800000000000)

struct random_flow {
    struct sb_engine_limits limits;
    struct sb_command2 *commands; /* owned: free() */
    uint32_t n;
    char about[160]; /* the profile and its families, in words */
};

void random_flow_make(struct random_flow *flow, uint64_t seed, uint32_t n);

#endif
