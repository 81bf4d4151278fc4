/* differential.c: the engine against the reference matcher under random flow.
 *
 *     differential [--seed S] [--runs R] [--commands N] [--jobs J] [--stop-at-first] [--coverage] [--complete]
 *                  [--record FILE]
 *
 * Run r uses seed S + r: limits, instruments and flow follow from it (random_flow.h). A run in which something differs is
 * shrunk (by leaving out and simplifying commands as long as something differs) and told, with the command line that makes
 * it again; the first three of them. Exit code 1 if there was any.
 *   --stop-at-first   ends with the first run that differs, and does not shrink it
 *   --coverage   what has occurred;  --complete: exit code 1 if something never has that must
 *   --record     adds a line of JSON: commit (SHADOWBOOK_COMMIT), seeds, counts, failed seeds
 * Not covered: what engine and reference both misread, and the ledger does not know.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compare.h"
#include "random_flow.h"
#include "shadowbook/assert.h"
#include "shrink.h"
#include "tell.h"

enum { JOBS_MAX = 64, TOLD = 3, FAILED_MAX = 1024, RUN_SECONDS = 120 };

struct options {
    uint64_t seed;
    uint32_t runs, commands, jobs;
    bool stop, coverage, complete;
    const char *record;
};

/* A process that compares. What it says is in memory that all share. */
struct worker {
    _Atomic uint64_t seed; /* that it is at */
    _Atomic(enum compare_what) what;
    struct compare_totals totals;
    struct coverage coverage;
    pid_t pid;
};

struct shared {
    _Atomic uint32_t next; /* run */
    _Atomic uint32_t failed_n;
    struct failure {
        uint64_t seed;
        enum compare_what what;
    } failed[FAILED_MAX];
    struct worker workers[JOBS_MAX];
};

/* --- one seed ------------------------------------------------------------------------------------ */

static void tell(const struct options *o, uint64_t seed)
{
    struct random_flow flow;
    random_flow_make(&flow, seed, o->commands);
    struct compare c = {.limits = &flow.limits, .commands = flow.commands, .n = flow.n};
    const int64_t difference = compare_apart(&c);
    printf("DIFFERENT: differential --seed %" PRIu64 " --commands %u --runs 1    (%s)\n", seed,
           o->commands, flow.about);
    if (difference == COMPARE_EQUAL) {
        printf("  ... and when tried again it was equal\n");
        free(flow.commands);
        return;
    }
    c.n = shrink(&flow.limits, flow.commands, (uint32_t)difference + 1);
    printf("at command %" PRId64 "; shrunk to %u commands\n", difference + 1, c.n);
    printf("limits: instruments %u sessions %u orders %u levels %u terms %u window %u\n",
           flow.limits.instruments_max, flow.limits.sessions_max, flow.limits.orders_max,
           flow.limits.levels_max, flow.limits.terms_max, flow.limits.window_levels);
    c.say = stdout;
    c.story = true;
    c.views_every = 1;
    (void)compare_apart(&c);
    fflush(stdout);
    free(flow.commands);
}

static bool run(const struct options *o, struct worker *w, uint64_t seed)
{
    struct random_flow flow;
    random_flow_make(&flow, seed, o->commands);
    const struct compare c = {.limits = &flow.limits,
                              .commands = flow.commands,
                              .n = flow.n,
                              .what = &w->what,
                              .totals = &w->totals,
                              .coverage = &w->coverage};
    const int64_t difference = compare_run(&c);
    free(flow.commands);
    return difference == COMPARE_EQUAL;
}

/* --- workers ------------------------------------------------------------------------------------- */

static void failed(struct shared *s, const struct worker *w)
{
    const uint32_t n = s->failed_n++;
    if (n < FAILED_MAX)
        s->failed[n] = (struct failure){.seed = w->seed, .what = w->what};
}

static _Noreturn void work(const struct options *o, struct shared *s, struct worker *w)
{
    for (uint32_t r; (!o->stop || s->failed_n == 0) && (r = s->next++) < o->runs;) {
        w->seed = o->seed + r;
        w->what = COMPARE_CRASH;
        alarm(RUN_SECONDS);
        if (!run(o, w, w->seed))
            failed(s, w);
    }
    _exit(0);
}

static void start(const struct options *o, struct shared *s, struct worker *w)
{
    fflush(NULL);
    const pid_t pid = fork(); /* w is the child's, too */
    SB_ASSERT(pid >= 0);
    if (pid == 0)
        work(o, s, w);
    w->pid = pid;
}

/* One that crashed has failed in its seed; another goes on. */
static void work_all(const struct options *o, struct shared *s)
{
    for (uint32_t j = 0; j < o->jobs; j++)
        start(o, s, &s->workers[j]);
    for (uint32_t j = 0; j < o->jobs;) {
        int status;
        SB_ASSERT(waitpid(s->workers[j].pid, &status, 0) == s->workers[j].pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            j++;
            continue;
        }
        failed(s, &s->workers[j]);
        start(o, s, &s->workers[j]);
    }
}

/* --- results ------------------------------------------------------------------------------------- */

static int by_seed(const void *a, const void *b)
{
    const uint64_t x = ((const struct failure *)a)->seed, y = ((const struct failure *)b)->seed;
    return (x > y) - (x < y);
}

static void record(const struct options *o, const struct shared *s, const struct compare_totals *t)
{
    const char *commit = getenv("SHADOWBOOK_COMMIT");
    FILE *f = fopen(o->record, "a");
    if (f == NULL) {
        perror(o->record);
        exit(2);
    }
    fprintf(f,
            "{\"commit\": \"%s\", \"first\": %" PRIu64 ", \"seeds\": %u, \"commands\": %" PRIu64
            ", \"outputs\": %" PRIu64 ", \"trades\": %" PRIu64 ", \"failed\": [",
            commit != NULL ? commit : "none", o->seed, o->runs, t->commands, t->outputs, t->trades);
    for (uint32_t k = 0; k < s->failed_n && k < FAILED_MAX; k++)
        fprintf(f, "%s%" PRIu64, k > 0 ? ", " : "", s->failed[k].seed);
    fprintf(f, "]}\n");
    SB_ASSERT(fclose(f) == 0);
}

static void add_up(const struct shared *s, uint32_t jobs, struct compare_totals *t,
                   struct coverage *coverage)
{
    for (uint32_t j = 0; j < jobs; j++) {
        const struct worker *w = &s->workers[j];
        t->commands += w->totals.commands;
        t->outputs += w->totals.outputs;
        t->trades += w->totals.trades;
        t->accepted += w->totals.accepted;
        t->rejected += w->totals.rejected;
        t->replaced += w->totals.replaced;
        coverage_add(coverage, &w->coverage);
    }
}

static void tell_all(const struct options *o, const struct failure *failures, uint32_t n)
{
    static const char *const CHECKERS[] = {"crash", "outputs", "rules", "orders", "views", "image"};
    if (o->stop) {
        if (n > 0)
            printf("FAILED seed=%" PRIu64 " checker=%s\n", failures->seed,
                   CHECKERS[failures->what]);
        return;
    }
    for (uint32_t k = 0; k < n && k < TOLD; k++)
        tell(o, failures[k].seed);
    for (uint32_t k = TOLD; k < n; k++)
        printf("%s%" PRIu64 "%s", k == TOLD ? "also different, seeds: " : " ", failures[k].seed,
               k + 1 == n ? "\n" : "");
}

static int results(const struct options *o, struct shared *s)
{
    static struct coverage coverage;
    struct compare_totals t = {0};
    const uint32_t n = s->failed_n < FAILED_MAX ? s->failed_n : FAILED_MAX;
    add_up(s, o->jobs, &t, &coverage);
    qsort(s->failed, n, sizeof *s->failed, by_seed);
    tell_all(o, s->failed, n);
    printf("%s: seeds %" PRIu64 "..%" PRIu64 ", %" PRIu64 " commands, %" PRIu64 " outputs, %" PRIu64
           " trades, %" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64 " replaced\n",
           s->failed_n == 0 ? "equal" : "different", o->seed, o->seed + o->runs - 1, t.commands,
           t.outputs, t.trades, t.accepted, t.rejected, t.replaced);
    if (o->record != NULL)
        record(o, s, &t);
    if (o->coverage)
        coverage_print(&coverage, stdout);
    const uint32_t missing = o->complete ? coverage_missing(&coverage, stdout) : 0;
    return s->failed_n == 0 && missing == 0 ? 0 : 1;
}

/* --- main ---------------------------------------------------------------------------------------- */

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"seed", required_argument, NULL, 's'},
                                            {"runs", required_argument, NULL, 'r'},
                                            {"commands", required_argument, NULL, 'n'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"stop-at-first", no_argument, NULL, 'S'},
                                            {"coverage", no_argument, NULL, 'c'},
                                            {"complete", no_argument, NULL, 'C'},
                                            {"record", required_argument, NULL, 'f'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'r')
            o->runs = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'n')
            o->commands = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'j')
            o->jobs = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'S')
            o->stop = true;
        else if (c == 'c')
            o->coverage = true;
        else if (c == 'C')
            o->complete = true;
        else if (c == 'f')
            o->record = optarg;
        else
            return false;
    }
    return optind == argc && o->runs > 0 && o->commands > 0 && o->jobs > 0 && o->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .runs = 64, .commands = 5000, .jobs = 1};
    if (!parse(&o, argc, argv)) {
        fprintf(
            stderr,
            "usage: differential [--seed S] [--runs R] [--commands N] [--jobs J] [--stop-at-first] "
            "[--coverage] [--complete] [--record FILE]\n");
        return 2;
    }
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SB_ASSERT(s != MAP_FAILED);
    work_all(&o, s);
    return results(&o, s);
}
