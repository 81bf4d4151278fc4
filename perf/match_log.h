/* match_log.h: `match --log L`: the engine alone over an input log: the file that a node wrote at its clean stop, or the
 * folder of its journal, as far as that is good (a torn tail is said, damage in the middle is refused). A journal is
 * taken from its newest snapshot on, unless acknowledgements are to be compared (they need every input) or `whole` is
 * asked for.
 *
 * Every packet's digest, the final state digest and, where given, every acknowledgement that a client saw are
 * compared with what this run of the engine makes of the same inputs. */
#ifndef SHADOWBOOK_PERF_MATCH_LOG_H
#define SHADOWBOOK_PERF_MATCH_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sb_match_log_result {
    uint64_t snapshot_n;               /* last input of the snapshot that it began with; 0: none */
    uint64_t inputs, outputs, packets; /* behind it */
    uint64_t trades;                   /* of the whole log */
    uint64_t packets_different;        /* packets whose digest differs from the one in the log */
    uint64_t digest, state_digest, state_digest_logged;
    bool closed; /* the log ends with an orderly stop, and so has a state digest to compare */
    uint64_t acknowledged; /* rows of the acknowledgement file */
    uint64_t lost;         /* of them: not in the log, or with another key or time */
};

/* Runs over the log at path. acks: a file of replay's --acks, or NULL. False: said on err why not. */
bool sb_match_log_run(const char *path, const char *acks, bool whole,
                      struct sb_match_log_result *out, FILE *err);

/* The whole of `match --log L [--acks A.csv] [--whole] [--json]`: prints, returns the exit code: 0 only if all digests are equal and
 * nothing is lost. */
int sb_match_log_main(const char *path, const char *acks, bool whole, bool json);

#endif
