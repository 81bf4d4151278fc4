/* snapshot_verb.c: `shadowbook snapshot`: runs a journal through the engine, in a process of its own, and writes the engine's
 * state into the journal's folder. The node that writes the journal knows nothing of it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/match.h"
#include "perf/numbers.h"
#include "perf/verbs.h"
#include "replica/recovery.h"

static const char *const USAGE =
    "usage: shadowbook snapshot --journal FOLDER [--at N] [--out FILE] [--whole]\n";

enum { DONE = 0, REFUSED = 1, FAILED = 2 };

struct arguments {
    const char *journal, *out;
    uint64_t at; /* UINT64_MAX: the end */
    bool whole;
};

struct run {
    struct sb_recovery recovery;
    struct sb_match_engine engine;
    uint64_t inputs, packets; /* behind the snapshot that it began with */
    uint64_t began_ns, ready_ns,
        ns; /* when it began; how long until the first packet, and from there */
};

static uint64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int refuse(const struct run *r, const char *why)
{
    fprintf(stderr, "%s: behind input %" PRIu64 ": %s\n", r->recovery.reader.folder,
            sb_engine_applied(r->engine.engine), why);
    return REFUSED;
}

/* How the journal ended, reached without having found input `at`. */
static int judge_end(const struct run *r, uint64_t at)
{
    const struct sb_engine *e = r->engine.engine;
    const struct sb_journal_record *end = sb_recovery_closed(&r->recovery);
    if (r->recovery.found == SB_FOUND_DAMAGED) {
        sb_recovery_say_end(&r->recovery, stderr);
        return REFUSED;
    }
    if (at != UINT64_MAX)
        return refuse(r, "the journal ends before the input asked for");
    if (end != NULL &&
        (end->digest != sb_engine_digest(e) || end->state_digest != sb_engine_state_digest(e)))
        return refuse(r, "the state is not the one that the node had at its end");
    return DONE;
}

/* Applies what is behind the snapshot, up to the end of the packet that holds input `at`. */
static int apply(struct run *r, uint64_t at)
{
    const struct sb_engine *e = r->engine.engine;
    const struct sb_journal_packet *p;
    const struct sb_command *lines;
    const uint64_t began = monotonic_ns();
    r->ready_ns = began - r->began_ns;
    int more = 1;
    while (sb_engine_applied(e) < at &&
           (more = sb_recovery_packet(&r->recovery, &p, &lines, stderr)) == 1) {
        uint32_t outputs;
        if (lines->kind == SB_CMD_DAY &&
            !sb_match_rules(r->recovery.reader.folder, sb_command_ext(lines)->day.rules, stderr))
            return REFUSED;
        const char *wrong = sb_match_packet(&r->engine, lines, p->count, &outputs);
        if (wrong == NULL && sb_engine_digest(e) != p->digest)
            wrong = "this engine's digest is not the one in the journal";
        if (wrong != NULL)
            return refuse(r, wrong);
        r->inputs += p->count;
        r->packets++;
    }
    r->ns = monotonic_ns() - began;
    return more == 1 ? DONE : more == 0 ? judge_end(r, at) : FAILED;
}

static void report(const struct run *r)
{
    const struct sb_engine *e = r->engine.engine;
    const uint64_t n = sb_engine_applied(e), from = r->recovery.snapshot.head.n;
    printf("journal %s\n", r->recovery.reader.folder);
    if (from != 0)
        printf("begins with the snapshot behind input %" PRIu64 "\n", from);
    printf("engine ready after %" PRIu64 ".%03" PRIu64 " s\n", r->ready_ns / 1000000000,
           r->ready_ns / 1000000 % 1000);
    if (r->inputs != 0)
        printf("inputs %" PRIu64 " to %" PRIu64 ", %" PRIu64 " in %" PRIu64 " packets, %" PRIu64
               ".%03" PRIu64 " s, %" PRIu64 " a second\n",
               from + 1, n, r->inputs, r->packets, r->ns / 1000000000, r->ns / 1000000 % 1000,
               sb_multiply_divide(r->inputs, 1000000000, r->ns != 0 ? r->ns : 1));
    else
        printf("no input behind it\n");
    printf("digest %016" PRIx64 ", state digest %016" PRIx64 ", open orders %u\n",
           sb_engine_digest(e), sb_engine_state_digest(e), sb_engine_stats(e)->open_orders);
}

static int write_out(const struct run *r, const char *out)
{
    const struct sb_engine *e = r->engine.engine;
    char path[SB_SNAPSHOT_PATH_BYTES];
    if (out == NULL)
        out = sb_snapshot_file(path, r->recovery.reader.folder, sb_engine_applied(e));
    if (sb_engine_applied(e) == 0)
        return refuse(r, "no input is there: nothing to keep");
    const uint64_t began = monotonic_ns();
    if (!sb_snapshot_write(out, e, stderr))
        return FAILED;
    const uint64_t ms = (monotonic_ns() - began) / 1000000;
    printf("wrote %s, %zu bytes, %" PRIu64 ".%03" PRIu64 " s\n", out, sb_snapshot_bytes(e),
           ms / 1000, ms % 1000);
    return DONE;
}

static int make(struct run *r, const struct arguments *a)
{
    if (!sb_match_engine_open(&r->engine, &r->recovery.limits)) {
        fprintf(stderr, "shadowbook snapshot: out of memory\n");
        return FAILED;
    }
    if (r->recovery.snapshot.bytes != NULL) {
        const struct sb_snapshot_head *head = &r->recovery.snapshot.head;
        if (!sb_match_rules(r->recovery.reader.folder, head->rules, stderr))
            return REFUSED;
        const char *wrong = sb_snapshot_load(&r->recovery.snapshot, r->engine.engine);
        if (wrong != NULL)
            return refuse(r, wrong);
    }
    int code = apply(r, a->at);
    if (code == DONE)
        report(r);
    if (code == DONE)
        code = write_out(r, a->out);
    return code;
}

int sb_snapshot_main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"journal", required_argument, NULL, 'j'}, {"at", required_argument, NULL, 'a'},
        {"out", required_argument, NULL, 'o'},     {"whole", no_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},          {0}};
    struct arguments a = {.at = UINT64_MAX};
    bool good = true;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'j')
            a.journal = optarg;
        else if (c == 'o')
            a.out = optarg;
        else if (c == 'w')
            a.whole = true;
        else if (c == 'h')
            return fputs(USAGE, stdout) < 0 ? FAILED : DONE;
        else
            good = good && c == 'a' && sb_number_read(optarg, 1, UINT64_MAX - 1, &a.at);
    }
    if (!good || a.journal == NULL || optind != argc) {
        fputs(USAGE, stderr);
        return FAILED;
    }
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return FAILED;
    int code = FAILED;
    r->began_ns = monotonic_ns();
    switch (sb_recovery_open_at(&r->recovery, a.journal, a.whole ? 0 : a.at, stderr)) {
    case SB_RECOVERY_READY:
        code = make(r, &a);
        break;
    case SB_RECOVERY_NOTHING:
        fprintf(stderr, "%s: no segment is there that holds anything\n", a.journal);
        break;
    case SB_RECOVERY_BAD:
        break;
    }
    sb_match_engine_close(&r->engine);
    sb_recovery_close(&r->recovery);
    free(r);
    return code;
}
