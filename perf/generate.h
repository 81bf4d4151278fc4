/* generate.h: realistic order flow from a seed.
 *
 * Rows of the capture format (flow.h): opening auction, uncross, continuous trading, closing auction, uncross, each day
 * as in the captures. The shares of adds, cancels and aggressors, distances from the touch, quantities and the shape of
 * bursts are measured ones (the tables in generate_tables.h). The flow knows the touch because it is
 * fed to an engine as it is made: what it cancels is open. Orders that a day leaves open stay for the next.
 *
 * Deterministic by (seed, events, instruments): integers only. One generator belongs to one thread. O(1) a row.
 */
#ifndef SHADOWBOOK_PERF_GENERATE_H
#define SHADOWBOOK_PERF_GENERATE_H

#include "perf/flow.h"

enum {
    SB_GENERATE_EVENTS_MIN = 100,
    SB_GENERATE_EVENTS_MAX = 100000000,
    SB_GENERATE_INSTRUMENTS_MAX = 4096,
    SB_GENERATE_TICK = 100 /* of every instrument, 1/10000 */
};

struct sb_generate; /* opaque */

/* NULL: out of memory. The numbers must be within the limits above. */
struct sb_generate *sb_generate_new(uint64_t seed, uint32_t events, uint32_t instruments);
void sb_generate_free(struct sb_generate *g);

/* False after the last of `events` rows. */
bool sb_generate_next(struct sb_generate *g, struct sb_flow_row *row);

/* Symbol of instrument 1..instruments. */
void sb_generate_symbol(uint32_t instrument, char symbol[8]);

#endif
