/* shadowbook sim: many simulated clusters, each a function of its seed, in parallel processes. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perf/verbs.h"
#include "shadowbook/assert.h"
#include "tests/sim/world.h"

enum { JOBS_MAX = 64, FAILURES_MAX = 64 };

struct failure {
    uint64_t seed;
    char check[24], text[200];
};

/* Shared by the processes. */
struct board {
    _Atomic uint64_t next;              /* seed to run next */
    _Atomic uint64_t running[JOBS_MAX]; /* seed + 1 */
    _Atomic uint64_t runs, complete, takeovers, solos, released, empty;
    _Atomic uint64_t joined, resumed, forced, lost;
    _Atomic uint64_t struck[SIM_FAULT_KINDS], seeds_with[SIM_FAULT_KINDS];
    _Atomic uint32_t failures_n;
    struct failure failures[FAILURES_MAX];
    struct sim_reach reach[JOBS_MAX]; /* each process's own */
};

struct arguments {
    struct sim_options o;
    uint64_t seeds;
    uint32_t jobs;
    bool stop_at_first, shrink, complete;
    const char *faults, *record;
};

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: shadowbook sim [--seed S] [--seeds N] [--events N] [--faults LIST|all|none]\n"
        "                      [--jobs N] [--trace] [--shrink] [--keep MASK] [--stop-at-first]\n"
        "                      [--record FILE] [--complete]\n\n"
        "--complete: print all that was counted of orders and rules; what must occur and did not "
        "is a "
        "failure\n\nfaults:\n");
    for (uint32_t k = 0; k < SIM_FAULT_KINDS; k++)
        fprintf(to, "  %-14s %s\n", sim_fault_name((enum sim_fault_kind)k),
                sim_fault_help((enum sim_fault_kind)k));
    fprintf(to,
            "\nWhere a disk lies (disk-lost, disk-misdirect, disk-corrupt) what it held may be "
            "gone: then "
            "what is\njudged is that a restart reads the beginning of what was written and nothing "
            "else, or refuses;\nthat no two nodes own; and that digests are equal.\n"
            "\ncheckers:\n");
    for (uint32_t k = 0; k < SIM_CHECK_COUNT; k++)
        fprintf(to, "  %-14s %s; not checked: %s\n", sim_check_name((enum sim_check)k),
                sim_check_help((enum sim_check)k), sim_check_not((enum sim_check)k));
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *out >= low &&
        *out <= high)
        return true;
    fprintf(stderr, "sim: --%s %s: a whole number from %" PRIu64 " to %" PRIu64 " is accepted\n",
            name, text, low, high);
    return false;
}

static bool faults(const char *text, uint64_t *allowed)
{
    *allowed = 0;
    if (strcmp(text, "none") == 0)
        return true;
    if (strcmp(text, "all") == 0) {
        *allowed = (UINT64_C(1) << SIM_FAULT_KINDS) - 1;
        return true;
    }
    for (const char *at = text; *at != '\0';) {
        const size_t len = strcspn(at, ",");
        uint32_t k = 0;
        while (k < SIM_FAULT_KINDS &&
               (strlen(sim_fault_name((enum sim_fault_kind)k)) != len ||
                memcmp(sim_fault_name((enum sim_fault_kind)k), at, len) != 0))
            k++;
        if (k == SIM_FAULT_KINDS) {
            fprintf(stderr, "sim: --faults: '%.*s' is not one; see shadowbook sim --help\n",
                    (int)len, at);
            return false;
        }
        *allowed |= UINT64_C(1) << k;
        at += len + (at[len] == ',');
    }
    return *allowed != 0;
}

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", 1, 0, 's'},   {"seeds", 1, 0, 'n'}, {"events", 1, 0, 'e'},
        {"faults", 1, 0, 'f'}, {"jobs", 1, 0, 'j'},  {"trace", 0, 0, 't'},
        {"shrink", 0, 0, 'r'}, {"keep", 1, 0, 'k'},  {"stop-at-first", 0, 0, '1'},
        {"record", 1, 0, 'o'}, {"help", 0, 0, 'h'},  {"complete", 0, 0, 'c'},
        {0, 0, 0, 0}};
    uint64_t v = 0;
    bool good = true;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 's':
            good = good && number("seed", optarg, 0, UINT64_MAX / 16, &a->o.seed);
            break;
        case 'n':
            good = good && number("seeds", optarg, 1, 1000000000, &a->seeds);
            break;
        case 'e':
            good = good && number("events", optarg, 10, 2000, &v);
            a->o.events = (uint32_t)v;
            break;
        case 'j':
            good = good && number("jobs", optarg, 1, JOBS_MAX, &v);
            a->jobs = (uint32_t)v;
            break;
        case 'k':
            good = good && number("keep", optarg, 0, UINT32_MAX, &v);
            a->o.keep = (uint32_t)v;
            break;
        case 'f':
            a->faults = optarg;
            break;
        case 'o':
            a->record = optarg;
            break;
        case 't':
            a->o.trace = true;
            break;
        case 'r':
            a->shrink = true;
            break;
        case '1':
            a->stop_at_first = true;
            break;
        case 'c':
            a->complete = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            good = false;
        }
    }
    if (!good || optind != argc || !faults(a->faults, &a->o.allowed)) {
        usage(stderr);
        return 2;
    }
    return -1;
}

/* --- running ---------------------------------------------------------------------------------- */

static void note_failure(struct board *b, uint64_t seed, const char *check, const char *text)
{
    const uint32_t at = atomic_fetch_add(&b->failures_n, 1);
    if (at >= FAILURES_MAX)
        return;
    struct failure *f = &b->failures[at];
    f->seed = seed;
    snprintf(f->check, sizeof f->check, "%s", check);
    snprintf(f->text, sizeof f->text, "%s", text);
}

static void work(const struct arguments *a, struct board *b, uint32_t job, uint64_t end)
{
    struct sim_world *w = calloc(1, sizeof *w);
    SB_ASSERT(w != NULL);
    w->reach = &b->reach[job];
    for (;;) {
        if (a->stop_at_first && b->failures_n != 0)
            _exit(0);
        struct sim_options o = a->o;
        o.seed = atomic_fetch_add(&b->next, 1);
        if (o.seed >= end)
            _exit(0);
        b->running[job] = o.seed + 1;
        struct sim_result r;
        sim_run(w, &o, &r);
        fflush(stdout);
        b->running[job] = 0;
        b->runs++;
        b->complete += r.complete;
        b->takeovers += r.takeovers;
        b->solos += r.solos;
        b->released += r.released;
        b->joined += r.joined;
        b->resumed += r.resumed;
        b->forced += r.forced;
        b->lost += r.lost;
        bool any = false;
        for (uint32_t k = 0; k < SIM_FAULT_KINDS; k++) {
            b->struck[k] += r.struck[k];
            b->seeds_with[k] += r.struck[k] != 0;
            any = any || r.struck[k] != 0;
        }
        b->empty += !any;
        if (r.failed)
            note_failure(b, o.seed, sim_check_name(r.check), r.text);
    }
}

/* Runs seeds [b->next, end). A process that dies is a failure of the seed it was at; another one goes on. */
static void run_all(const struct arguments *a, struct board *b, uint64_t end)
{
    pid_t pids[JOBS_MAX] = {0};
    fflush(NULL);
    uint32_t alive = 0;
    for (uint32_t j = 0; j < a->jobs; j++)
        if ((pids[j] = fork()) == 0)
            work(a, b, j, end);
        else if (pids[j] > 0)
            alive++;
    while (alive > 0) {
        int status;
        const pid_t pid = wait(&status);
        if (pid < 0)
            break;
        for (uint32_t j = 0; j < a->jobs; j++) {
            if (pids[j] != pid)
                continue;
            alive--;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                continue;
            char text[64];
            snprintf(text, sizeof text, "the process ended by signal %d (an assertion, see above)",
                     WIFSIGNALED(status) ? WTERMSIG(status) : 0);
            note_failure(b, b->running[j] - 1, "assert", text);
            b->runs++;
            if (b->failures_n < FAILURES_MAX && (pids[j] = fork()) == 0)
                work(a, b, j, end);
            else
                alive += b->failures_n < FAILURES_MAX;
        }
    }
}

static bool fails(const struct arguments *a, struct board *b, struct sim_options o, char check[24])
{
    struct arguments one = *a;
    one.jobs = 1;
    one.o = o;
    one.o.trace = false;
    memset(b, 0, sizeof *b);
    b->next = o.seed;
    run_all(&one, b, o.seed + 1);
    if (b->failures_n == 0)
        return false;
    memcpy(check, b->failures[0].check, 24);
    return true;
}

/* Leaves out events and conditions, then messages, as long as the same checker still fails. */
static void shrink(const struct arguments *a, struct board *b, uint64_t seed)
{
    struct sim_options o = a->o;
    o.seed = seed;
    char first[24], now[24];
    if (!fails(a, b, o, first)) {
        printf("seed %" PRIu64 " does not fail\n", seed);
        return;
    }
    for (uint32_t bit = 0; bit < 8 + SIM_FIRST_EVENT; bit++) {
        struct sim_options less = o;
        less.keep &= ~(1u << bit);
        if (fails(a, b, less, now) && strcmp(first, now) == 0)
            o = less;
    }
    for (uint32_t events = o.events / 2; events >= 10; events /= 2) {
        struct sim_options less = o;
        less.events = events;
        if (fails(a, b, less, now) && strcmp(first, now) == 0)
            o = less;
    }
    printf("shrunk: shadowbook sim --seed %" PRIu64
           " --events %u --faults %s --keep 0x%x --trace\n",
           seed, o.events, a->faults, o.keep);
}

static void report(const struct arguments *a, const struct board *b, uint64_t first)
{
    const uint32_t n = b->failures_n < FAILURES_MAX ? b->failures_n : FAILURES_MAX;
    for (uint32_t i = 0; i < n; i++) {
        const struct failure *f = &b->failures[i];
        printf("FAILED seed=%" PRIu64 " checker=%s: %s\n", f->seed, f->check, f->text);
        printf("  replay: shadowbook sim --seed %" PRIu64 " --events %u --faults %s --keep 0x%x "
               "--trace\n",
               f->seed, a->o.events, a->faults, a->o.keep);
    }
    printf("%-14s %12s %12s\n", "fault", "seeds", "times");
    for (uint32_t k = 0; k < SIM_FAULT_KINDS; k++)
        if ((a->o.allowed >> k & 1) != 0)
            printf("%-14s %12" PRIu64 " %12" PRIu64 "%s\n", sim_fault_name((enum sim_fault_kind)k),
                   b->seeds_with[k], b->struck[k], k < SIM_RATE ? " frames" : "");
    printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " runs, %" PRIu64
           " answered everything, %" PRIu64 " takeovers, %" PRIu64 " went solo, %" PRIu64
           " joined, %" PRIu64 " resumed, %" PRIu64 " forced, %" PRIu64
           " lost what no promise covered, %" PRIu64 " messages released, %" PRIu64
           " without a fault, %u failed\n",
           first, first + a->seeds - 1, b->runs, b->complete, b->takeovers, b->solos, b->joined,
           b->resumed, b->forced, b->lost, b->released, b->empty, b->failures_n);
}

/* False: something is missing. */
static bool report_reach(const struct arguments *a, const struct board *b)
{
    struct sim_reach r = {0};
    for (uint32_t j = 0; j < a->jobs; j++)
        sim_reach_add(&r, &b->reach[j]);
    sim_reach_print(&r, a->complete, stdout);
    return !a->complete || sim_reach_missing(&r, stdout) == 0;
}

/* One line for what was run, appended: what a resumable series of runs goes on from. */
static bool record(const struct arguments *a, const struct board *b, uint64_t first)
{
    if (a->record == NULL)
        return true;
    FILE *f = fopen(a->record, "a");
    if (f == NULL) {
        fprintf(stderr, "sim: --record %s: %s\n", a->record, strerror(errno));
        return false;
    }
    const char *commit = getenv("SHADOWBOOK_COMMIT");
    fprintf(f,
            "{\"commit\":\"%s\",\"first\":%" PRIu64 ",\"seeds\":%" PRIu64
            ",\"events\":%u,\"faults\":\"%s\",\"failed\":%u,\"runs\":%" PRIu64
            ",\"complete\":%" PRIu64 ",\"takeovers\":%" PRIu64 ",\"solos\":%" PRIu64
            ",\"released\":%" PRIu64 ",\"empty\":%" PRIu64 ",\"injected\":{",
            commit ? commit : "", first, a->seeds, a->o.events, a->faults, b->failures_n, b->runs,
            b->complete, b->takeovers, b->solos, b->released, b->empty);
    for (uint32_t k = 0; k < SIM_FAULT_KINDS; k++)
        fprintf(f, "%s\"%s\":[%" PRIu64 ",%" PRIu64 "]", k > 0 ? "," : "",
                sim_fault_name((enum sim_fault_kind)k), b->seeds_with[k], b->struck[k]);
    fprintf(f, "}}\n");
    return fclose(f) == 0;
}

int sb_sim_main(int argc, char **argv)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct arguments a = {
        .o = {.seed = 1, .events = 800, .keep = UINT32_MAX},
        .seeds = 1,
        .jobs = cores > 0 && cores <= JOBS_MAX ? (uint32_t)cores : 1,
        .faults = "all",
    };
    const int code = parse(&a, argc, argv);
    if (code >= 0)
        return code;
    struct board *b =
        mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b == MAP_FAILED) {
        fprintf(stderr, "sim: no memory\n");
        return 2;
    }
    if (a.o.trace)
        setvbuf(stdout, NULL, _IOLBF, 0); /* an assertion ends the process */
    const uint64_t first = a.o.seed;
    b->next = first;
    run_all(&a, b, first + a.seeds);
    const bool reached = report_reach(&a, b);
    report(&a, b, first);
    if (!record(&a, b, first))
        return 2;
    const bool failed = b->failures_n != 0;
    if (failed && a.shrink)
        shrink(&a, b, b->failures[0].seed);
    return failed || !reached ? 1 : 0;
}
