/* failover.h: repeated takeovers on real processes: what is asked for, what one trial came to, what many come to.
 *
 *     shadowbook failover --trials N [--fault LIST] [--report F.json] [--plot F.png] [...]
 *
 * A trial is one scripts/run in a process group of its own: namespaces, two engines, the witness and the client anew, one fault
 * at a point of the day drawn from the seed, one judgement in a JSON report. Faults take turns. What is here is
 * pure (the command line, the plan of a trial, the reading of its report, the sums); failover_verb.c has the processes.
 *
 * Times of a trial, all in nanoseconds, as scripts/run reports them:
 *
 *     detection   the fault (the client's signal) to the shadow's suspicion
 *     decision    suspicion to the decision to go live; 0 where the primary resigned, as from a crash handler
 *     switch      decision to the first released frame handed to the port's transmit call, which is not in it
 *     client gap  the longest time that the client had orders due and got no answer, of those that end after the fault
 *
 * Clocks: fault and suspicion are readings of two processes on one machine, rounded to 256 ns by the report's arithmetic; the
 * switch is one process's TSC. Not covered: several machines, whose clocks differ.
 *
 * Percentiles are exact: the value at rank ceil(share * n) of all n. One is given only if at least one value lies beyond
 * its share (n * (1 - share) >= 1); otherwise it would be the maximum under another name.
 */
#ifndef SHADOWBOOK_PERF_FAILOVER_H
#define SHADOWBOOK_PERF_FAILOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SB_FAILOVER_FAULTS_MAX = 32,
    SB_FAILOVER_NAME_BYTES = 32,
    SB_FAILOVER_PATH_BYTES = 1024,
    SB_FAILOVER_TRIALS_MAX = 100000
};

/* Options that scripts/run gets as they are given; it judges them. */
enum sb_failover_passed {
    SB_FAILOVER_EVENTS,
    SB_FAILOVER_LOAD,
    SB_FAILOVER_PORT,
    SB_FAILOVER_FLOW,
    SB_FAILOVER_TRADES,
    SB_FAILOVER_PASSED
};

struct sb_failover_options {
    uint64_t trials, seed;
    uint64_t limit_s; /* for one trial */
    char faults[SB_FAILOVER_FAULTS_MAX][SB_FAILOVER_NAME_BYTES];
    size_t faults_n;
    const char *report, *plot; /* files to write, or NULL */
    const char *keep;          /* folder for what failed trials leave; NULL: one is made */
    const char *run;           /* the script; NULL: ../scripts/run beside the executable */
    const char *passed[SB_FAILOVER_PASSED]; /* values, NULL: not given */
};

/* 0 to go on; 1 help was printed to stdout; 2 not understood (said on stderr). Keeps pointers into argv. */
int sb_failover_arguments(struct sb_failover_options *o, int argc, char **argv);

enum sb_failover_span {
    SB_FAILOVER_DETECTION,
    SB_FAILOVER_DECISION,
    SB_FAILOVER_SWITCH,
    SB_FAILOVER_GAP,
    SB_FAILOVER_SPANS
};
#define SB_FAILOVER_NONE UINT64_MAX /* a time, or a percentile, that there is not */

enum sb_failover_point {
    SB_FAILOVER_P50,
    SB_FAILOVER_P90,
    SB_FAILOVER_P99,
    SB_FAILOVER_P999,
    SB_FAILOVER_MAX,
    SB_FAILOVER_POINTS
};

/* A distribution: n values, NONE where n is too small. */
struct sb_failover_spread {
    uint64_t n, min;
    uint64_t p25, p75; /* from 4 values on */
    uint64_t at[SB_FAILOVER_POINTS];
};

struct sb_failover_trial {
    uint64_t number;     /* from 1 */
    size_t fault;        /* index into the options' faults */
    unsigned at_percent; /* of the day: 1 to 98 */
    uint64_t flow_seed;
    bool judged; /* a whole report was read: what follows is known */
    bool ok;     /* and everything is as it must be */
    uint64_t ns[SB_FAILOVER_SPANS];
    int64_t lost, conflicting, needless;
    bool states_equal;
    struct sb_failover_spread floor; /* n 0: none in this report; only n and at[] */
    char why[256];                   /* not ok: the reason */
};

/* What trial `number` (from 1) is to do: a function of seed, number and the faults only. */
struct sb_failover_trial sb_failover_plan(const struct sb_failover_options *o, uint64_t number);

/* The script's command line. The only place that knows its options. */
struct sb_failover_command {
    const char *argv[32]; /* NULL at the end; points into this, the options, run and folder */
    char at[8], seed[24];
    char report[SB_FAILOVER_PATH_BYTES];
};
/* folder: where the trial's files go, its report as report.json; NULL: without, as to repeat it by hand. False if the
 * folder's name is too long. */
bool sb_failover_command(struct sb_failover_command *c, const struct sb_failover_options *o,
                         const struct sb_failover_trial *t, const char *run, const char *folder);
/* The command as a shell can read it, on one line without its end. */
void sb_failover_command_print(const struct sb_failover_command *c, FILE *out);

/* Reads a report of scripts/run into t. Every field that the judgement rests on must be there with its type, and a report that
 * calls itself good is not believed against its own counts. Times may be null. False, and t->why, if the
 * report is absent, cut, or not whole; t is then not judged. */
bool sb_failover_read(struct sb_failover_trial *t, const char *path);

/* The trial has failed for this reason. Bytes of it that are not plain ASCII are shown as '?'. */
void sb_failover_fail(struct sb_failover_trial *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct sb_failover_sum {
    uint64_t trials, judged, passed, states_equal;
    uint64_t lost, conflicting, needless; /* over the judged */
    struct sb_failover_spread spans[SB_FAILOVER_SPANS];
};

/* Sorts ns. */
struct sb_failover_spread sb_failover_spread(uint64_t *ns, uint64_t n);

/* Trials of one fault; a time counts wherever a report has it, also in a trial that failed. False without memory. */
bool sb_failover_sum(struct sb_failover_sum *s, const struct sb_failover_trial *trials, uint64_t n,
                     size_t fault);

/* The sums of verdicts over all faults; no spans. */
struct sb_failover_sum sb_failover_total(const struct sb_failover_trial *trials, uint64_t n);

#endif
