/* failover_report.h: what many trials came to, as a table for people, JSON for programs, and a program for gnuplot.
 *
 * All three say the same of the same results; none decides anything. Each walks all trials once a fault and a time: a
 * thousand trials take milliseconds. Nothing is kept between calls.
 */
#ifndef SHADOWBOOK_PERF_FAILOVER_REPORT_H
#define SHADOWBOOK_PERF_FAILOVER_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "perf/failover.h"

struct sb_failover_results {
    const struct sb_failover_options *options;
    int argc; /* the verb's command line, as it was given */
    char *const *argv;
    const char *run;                        /* the script that was run */
    const char *executable, *folder;        /* absolute; where failed trials left their files */
    const struct sb_failover_trial *trials; /* those that ended */
    uint64_t trials_n;
    bool interrupted;
    /* Of the first trial that reported one: the bare echo's round trip, n 0 if none did. */
    struct sb_failover_spread floor;
    uint64_t suspect_after_ns,
        takeover_after_ns; /* of the first trial's configuration; 0: unknown */
    char started_at[24];   /* UTC, 2026-01-31T12:00:00Z */
    char cpu[96], kernel[96];
    uint64_t cores;
};

struct sb_failover_text {
    char text[16];
};
/* Three digits and a unit, as in 971 ns, 25.2 ms; "-" for SB_FAILOVER_NONE. */
struct sb_failover_text sb_failover_time(uint64_t ns);

/* These return false without memory, or when writing failed. */
bool sb_failover_table(const struct sb_failover_results *r, FILE *out);
bool sb_failover_json(const struct sb_failover_results *r, FILE *out);
/* A gnuplot program, data included, that writes a PNG to its standard output. */
bool sb_failover_plot(const struct sb_failover_results *r, FILE *out);

#endif
