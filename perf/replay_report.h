/* replay_report.h: what a replay came to: one structure, printed as JSON for programs and as a table for people, and the
 * files that other checks read (trades, acknowledgements, latencies).
 *
 * Latencies are counted from the intended send time (no coordinated omission) to the delivery of the answer, for orders
 * and cancels; percentiles are exact (all values are sorted). Without a pace (--speed max) the intended time is
 * the moment the window let a message go: a full window then hides waiting time, and the report says so.
 *
 * With a fault's time, latencies fall into before (answered before it), during (up to the first new acknowledgement after the
 * largest gap that ends after the fault) and after. A gap is the time between two acknowledgements of which the later
 * one was already due; of one poll's acknowledgements, the one that was due first counts.
 */
#ifndef SHADOWBOOK_PERF_REPLAY_REPORT_H
#define SHADOWBOOK_PERF_REPLAY_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "perf/client.h"
#include "perf/verify.h"

enum sb_fault_part { SB_FAULT_BEFORE, SB_FAULT_DURING, SB_FAULT_AFTER, SB_FAULT_PARTS };

struct sb_latencies { /* sorted */
    uint64_t *ns;
    uint64_t n;
};

struct sb_replay_report {
    const struct sb_client *client;
    const struct sb_verify *verify;
    bool trades_given; /* the expected trades came from a file */
    uint64_t trades_expected;
    uint64_t duplicates, conflicting, malformed; /* over all streams */
    uint32_t sessions_renamed;     /* session streams that were heard under another name too */
    uint64_t gap_ns, gap_began_ns; /* client_gap: longest, and when it began */
    uint64_t fault_ns;             /* 0: none */
    uint64_t fault_gap_ns;         /* the largest gap that ends after the fault */
    uint64_t fault_end_ns;         /* first new acknowledgement after it */
    struct sb_latencies latencies[SB_FAULT_PARTS];
    uint64_t wall_ns;
    char result[256]; /* "ok" or why not */
};

/* Fills the report. interrupted: the run was stopped by a signal. False without memory. */
bool sb_replay_report_make(struct sb_replay_report *r, const struct sb_client *client,
                           const struct sb_verify *verify, bool trades_given,
                           uint64_t trades_expected, uint64_t fault_ns, bool interrupted);
void sb_replay_report_free(struct sb_replay_report *r);

void sb_latencies_sort(struct sb_latencies *l);
/* Value that `share` (0..1) of the latencies do not exceed; 0 if there are none. */
uint64_t sb_latencies_at(const struct sb_latencies *l, double share);

void sb_replay_report_json(const struct sb_replay_report *r, FILE *out);
void sb_replay_report_print(const struct sb_replay_report *r, FILE *out);

/* --latency: all latencies as HdrHistogram's percentile distribution (.hgrm), values in microseconds. */
void sb_replay_report_hgrm(const struct sb_replay_report *r, FILE *out);

/* --acks: session,message_seq,key,kind,timestamp of every acknowledged message, in the plan's order, and when it was to be
 * sent and when its answer came. */
void sb_replay_report_acks(const struct sb_replay_report *r, FILE *out);
/* --trades: the trades seen, in the captures' format. */
void sb_replay_report_trades(const struct sb_replay_report *r, FILE *out);

#endif
