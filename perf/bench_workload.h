/* bench_workload.h: the messages that `bench match` runs over. Made before anything is timed, the same from the same seed.
 *
 *   capture-*        a day of a real venue (capture format, flow.h), of as many instruments as fill the messages; the
 *                    instruments take turns at random. Phases are left out: what an auction would have collected trades at once
 *   fixed, normal, swing-1, swing-2, crash      one instrument, made by bench_regime.c
 *   levels           every order a price level of its own, 2,000 ticks and more apart from the touch; then canceled at random
 *   queue            one price level of as many orders as half of the messages, then canceled at random
 *   sweeps           10,000 levels of one order each, taken by one order; again and again
 *   instruments      10,000 of them, in turn
 *   keys             ids, and keys, that the engine's table looks for in one bucket
 *
 * Ids are scrambled numbers: arbitrary to whoever reads them. A workload is checked as it is made: the adapter runs over
 * it once, which counts its reports and looks at the book.
 */
#ifndef SHADOWBOOK_PERF_BENCH_WORKLOAD_H
#define SHADOWBOOK_PERF_BENCH_WORKLOAD_H

#include "perf/bench_match.h"

struct sb_workload_options {
    uint64_t seed;
    uint32_t messages;    /* SB_WORKLOAD_MESSAGES_MIN..MAX */
    uint32_t sessions;    /* that send them, 1..SB_BENCH_SESSIONS_MAX */
    const char *captures; /* folder of the captures */
};

enum { SB_WORKLOAD_MESSAGES_MIN = 1000, SB_WORKLOAD_MESSAGES_MAX = 8000000 };

/* What the checked run saw. Orders and levels rest at once, both sides of all books. */
struct sb_workload_seen {
    uint64_t hash, reports;
    uint64_t by_kind[SB_REPORT_KINDS], by_command[32]; /* reports, messages */
    uint64_t iocs, canceled;          /* orders; cancel acks that somebody asked for */
    uint32_t orders_end, orders_most; /* of all moments */
    uint32_t levels_end, levels_most; /* of SB_WORKLOAD_LOOKS moments evenly apart */
    uint64_t orders_mean,
        levels_mean; /* of these moments, without the first quarter, in which books fill */
};

enum { SB_WORKLOAD_LOOKS = 64 };

struct sb_workload {
    const char *name;
    struct sb_bench_message *messages;
    uint64_t n, cap;
    struct sb_bench_sizes sizes;
    struct sb_workload_seen seen;
};

enum sb_workload_made { SB_WORKLOAD_READY, SB_WORKLOAD_SKIPPED, SB_WORKLOAD_FAILED };

/* Names in the table's order; NULL behind the last. */
const char *sb_workload_name(uint32_t index);

/* Makes workload `index`. Not READY: `why` says why, and there is nothing to free. */
enum sb_workload_made sb_workload_make(struct sb_workload *w, uint32_t index,
                                       const struct sb_workload_options *options,
                                       char why[SB_LINES_ERROR_BYTES]);
void sb_workload_free(struct sb_workload *w);

/* The next message, zeroed but for its session and key_step 1; there is room (asserted). */
struct sb_bench_message *sb_workload_next(struct sb_workload *w, uint8_t kind, uint64_t id);

/* Fills w with the flow of a regime, 0..SB_REGIMES - 1. False: out of memory. */
enum { SB_REGIMES = 5 };
const char *sb_regime_name(uint32_t regime);
bool sb_regime_make(struct sb_workload *w, uint32_t regime,
                    const struct sb_workload_options *options);

#endif
