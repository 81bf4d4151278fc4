/* inspect.h: what the parts of `shadowbook inspect` share: its arguments.
 *
 * Each part prints, and returns the exit code. All read; none writes but the file of --export.
 */
#ifndef SHADOWBOOK_PERF_INSPECT_H
#define SHADOWBOOK_PERF_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

struct sb_inspect {
    const char *log;   /* a log file or a journal's folder; NULL: not given */
    const char *other; /* the same, for --difference */
    const char *to;    /* --export */
    const char *snapshot;
    const char *symbol;
    const char *node;
    int shard;      /* -1: not given */
    uint64_t at;    /* UINT64_MAX: the end */
    uint64_t depth; /* levels of a book; 0: not given */
    bool state, json;
    const char *lineages; /* folder of a node's journals */
    bool whole;           /* from input 1 on, whatever snapshots there are */
    bool verbose;         /* every record */
};

/* inspect_state.c: the state after input `at`, or in a snapshot; with node, first what the running node's counters say. 0, or 2: it cannot
 * be said. 1: this engine's digests are not the recorded ones. */
int sb_inspect_state(const struct sb_inspect *a);

/* inspect_difference.c: 0 equal, or one is the beginning of the other; 1 different; 2 cannot be compared. */
int sb_inspect_difference(const struct sb_inspect *a);

/* inspect_export.c: order events as CSV. 0; 1: this engine's digests are not the recorded ones, or damage: nothing is
 * left; 2: it could not run. */
int sb_inspect_export(const struct sb_inspect *a);

#endif
