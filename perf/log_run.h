/* log_run.h: the engine over a node's inputs, one by one: from a log file, or from a journal with the snapshot that it begins
 * with.
 *
 *     open ── next ... next ── close
 *
 * Seals where the node's packets end, so that digests compare with the recorded ones. Bad input is an error, said on err.
 */
#ifndef SHADOWBOOK_PERF_LOG_RUN_H
#define SHADOWBOOK_PERF_LOG_RUN_H

#include "perf/log_source.h"
#include "perf/match.h"

struct sb_log_run {
    struct sb_log_source log;
    struct sb_match_engine m;
    const struct sb_command *c;  /* the input that was applied last; NULL before the first */
    const struct sb_output *out; /* what it made; both valid until the next call */
    uint32_t out_n;
    uint32_t left;     /* inputs of its packet behind it; 0: its packet is sealed */
    uint64_t sealed_n; /* last input of the last sealed packet, or of the snapshot */
    uint64_t
        different_n; /* the first sealed_n with another digest than the recorded one; 0: none */
    uint64_t packets, packets_different; /* sealed; with another digest than the recorded one */
};

/* snapshot_max: as in sb_log_source_open(). False: said on err why; r is then closed. */
bool sb_log_run_open(struct sb_log_run *r, const char *path, uint64_t snapshot_max, FILE *err);
/* As sb_log_source_open_longest(). */
bool sb_log_run_open_longest(struct sb_log_run *r, const char *path, FILE *err);
void sb_log_run_close(struct sb_log_run *r);

/* Applies the next input. 1; 0: the end; -1: damaged, or no input that a node would have taken (said on err). */
int sb_log_run_next(struct sb_log_run *r, FILE *err);

/* Applies all up to number n. The same answers; 1: n is the last applied. */
int sb_log_run_to(struct sb_log_run *r, uint64_t n, FILE *err);

/* Last input of the snapshot that it began with; 0: none. */
static inline uint64_t sb_log_run_snapshot_n(const struct sb_log_run *r)
{
    return r->log.journal.snapshot.head.n;
}

#endif
