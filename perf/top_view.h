/* top_view.h: what `top` shows: samples of all regions of counters, as a table for people or as JSON.
 *
 * The table has a line per process with rates since the sample before, the last takeover step by step, and
 * every counter of trouble that is not zero, with its meaning. The JSON has every counter; numbers are
 * integers, but for counters of the unit "hash": strings of 16 hexadecimal digits.
 *
 * One thread; nothing is kept between calls. */
#ifndef SHADOWBOOK_PERF_TOP_VIEW_H
#define SHADOWBOOK_PERF_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "replica/counters.h"

struct sb_top_sample {
    char path[SB_COUNTERS_PATH_BYTES];
    char name[16];
    uint32_t shard, pid;
    bool alive;
    uint32_t count;         /* counters that the writer knows; the others are zero */
    uint64_t started_at_ns; /* UTC */
    uint64_t taken_at_ns;   /* CLOCK_MONOTONIC */
    uint64_t value[SB_CTR_COUNT];
};

/* "primary", "dual", ... */
const char *sb_top_role(uint64_t role);
/* " armed", or nothing. */
const char *sb_top_arm(uint64_t arm);

/* "1D": generation and kind. */
struct sb_top_epoch {
    char text[24];
};
struct sb_top_epoch sb_top_epoch(uint64_t epoch);

/* Reads all regions of a shard (-1: of every shard) into samples, at most max. Regions that vanish or
 * are half made meanwhile are left out. Returns how many. */
size_t sb_top_sample_all(struct sb_top_sample *samples, size_t max, int shard);

/* The table. before: the samples of an earlier moment, for the rates; a process without one there, or
 * restarted since, shows a dash. */
void sb_top_table(FILE *out, const struct sb_top_sample *now, size_t n,
                  const struct sb_top_sample *before, size_t before_n);

/* One JSON object on one line. */
void sb_top_json(FILE *out, const struct sb_top_sample *now, size_t n);

#endif
