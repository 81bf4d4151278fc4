/* bench.c: `shadowbook bench`: what a journal costs the node that writes one. (`bench match` is bench_match_verb.c's.)
 *
 * One node with a simulated peer (bench_node.h) on one core, its journal's thread on another. Each pair is two runs of the
 * whole flow, one with a journal and one without, in turns which goes first. Without one, a thread that does nothing polls
 * on the journal's core, so that whatever else runs on the machine has the same room in both. The client has at most WINDOW inputs in
 * flight, one frame a turn; a frame's time runs from the turn that takes it to the turn that has released its last
 * input. The jitter is the machine's: a loop that always does the same, about as long as a turn, timed as often.
 *
 * Not covered: ports, a real shadow, outputs that wait for the disk. */
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/bench_burst.h"
#include "perf/bench_match.h"
#include "perf/bench_node.h"
#include "perf/entry_frame.h"
#include "perf/histogram.h"
#include "perf/numbers.h"
#include "perf/plan_flow.h"
#include "perf/tsc.h"
#include "perf/verbs.h"
#include "replica/journal_writer.h"
#include "replica/log.h"
#include "replica/thread.h"

enum { SESSION = 1, WINDOW = 2048, PAIRS_MAX = 100, WAITING_MAX = 4096 };

static const char *const USAGE =
    "usage: shadowbook bench --journal FOLDER --config FILE --flow FILE[.xz] [--pairs N]\n"
    "                        [--cores LOOP,JOURNAL]\n"
    "       shadowbook bench match [options]\n"
    "       shadowbook bench burst [options]\n";

struct bench {
    const char *folder, *config_path, *flow_path;
    uint64_t pairs, loop_core, journal_core;
    struct sb_config config;
    struct sb_plan plan;
    struct sb_clock clock;
    char (*symbols)[8];
    uint8_t (*frames)[SB_ENTRY_FRAME_BYTES]; /* login first */
    uint32_t *lens;
    uint32_t frames_n;
};

struct result {
    uint64_t ns, turns, p999_ns, jitter_p999_ns;
    uint64_t own_ns; /* of them, on the processor: without what other programs took */
    uint64_t writes, bytes, lag_max_ns;
};

/* --- the flow as frames ------------------------------------------------------------------------------ */

static bool make_frames(struct bench *b)
{
    const uint32_t messages = b->plan.messages_n[SESSION];
    b->frames_n = 1 + (messages + SB_CLIENT_PACK_MAX - 1) / SB_CLIENT_PACK_MAX;
    b->symbols = sb_entry_frame_symbols(&b->config);
    b->frames = calloc(b->frames_n, sizeof *b->frames);
    b->lens = calloc(b->frames_n, sizeof *b->lens);
    if (b->symbols == NULL || b->frames == NULL || b->lens == NULL)
        return false;
    const struct sb_entry_frames f = {.config = &b->config,
                                      .plan = &b->plan,
                                      .symbols = (const char(*)[8])b->symbols,
                                      .mac = {2, 0, 0, 0, 0, 4}};
    uint32_t first = 1;
    for (uint32_t i = 0; i < b->frames_n; i++) {
        uint8_t *frame = b->frames[i];
        uint32_t payload;
        if (i == 0) {
            payload = sb_entry_frame_login(&f, frame, SESSION, 1);
        } else {
            const uint32_t left = messages - first + 1;
            const uint32_t count = left < SB_CLIENT_PACK_MAX ? left : SB_CLIENT_PACK_MAX;
            payload = sb_entry_frame_rows(&f, frame, SESSION, first, count);
            first += count;
        }
        b->lens[i] = sb_entry_frame_finish(&f, frame, SESSION, b->config.orders, payload);
    }
    return true;
}

static cpu_set_t core_set(uint64_t core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    return set;
}

/* --- one run ------------------------------------------------------------------------------------------ */

/* Frames taken and not yet answered for: where each ends in the log, and since when. */
struct waiting {
    uint64_t n[WAITING_MAX], since_tsc[WAITING_MAX];
    uint64_t from, to;
};

static void settle(struct waiting *w, const struct bench *b, uint64_t released,
                   struct sb_histogram *times)
{
    const uint64_t now = sb_clock_tsc();
    for (; w->from < w->to && w->n[w->from % WAITING_MAX] <= released; w->from++)
        sb_histogram_record(
            times, sb_clock_cycles_to_ns(&b->clock, now - w->since_tsc[w->from % WAITING_MAX]));
}

/* The whole flow through the node. False: an input was not taken. */
static bool play(const struct bench *b, struct sb_bench_node *node, struct sb_journal *journal,
                 struct result *r, struct sb_histogram *times)
{
    static struct waiting w;
    w.from = w.to = 0;
    const struct sb_log *log = sb_node_log(node->node);
    const struct sb_engine *engine = sb_node_engine(node->node);
    const uint64_t begin_n = log->len, own = sb_thread_ns(), begin = sb_clock_tsc();
    uint32_t next = 0;
    while (next < b->frames_n || w.from < w.to) {
        const bool send = next < b->frames_n && log->len - sb_node_released(node->node) < WINDOW;
        const uint64_t since = sb_clock_tsc();
        sb_bench_node_turn(node, b->frames[send ? next : 0], send ? b->lens[next] : 0);
        if (journal != NULL) {
            sb_journal_writer_turn(&journal->writer, log, sb_engine_applied(engine),
                                   sb_node_epoch(node->node), node->now_ns);
            sb_journal_writer_show(&journal->writer, node->counters);
        }
        if (send) {
            w.n[w.to % WAITING_MAX] = log->len;
            w.since_tsc[w.to++ % WAITING_MAX] = since;
            next++;
        }
        settle(&w, b, sb_node_released(node->node), times);
        r->turns++;
    }
    r->ns = sb_clock_cycles_to_ns(&b->clock, sb_clock_tsc() - begin);
    r->own_ns = sb_thread_ns() - own;
    return log->len - begin_n == b->plan.messages_n[SESSION] + 1u;
}

/* Ends the journal of a run and removes its files. False: it had a fault. */
static bool finish_journal(struct sb_journal *journal, const struct sb_bench_node *node,
                           struct result *r)
{
    const struct sb_engine *e = sb_node_engine(node->node);
    struct sb_journal_writer *w = &journal->writer;
    /* What the last turn applied is handed over, and the end is waited for. */
    sb_journal_writer_turn(w, sb_node_log(node->node), sb_engine_applied(e),
                           sb_node_epoch(node->node), node->now_ns);
    if (w->fault != SB_JOURNAL_GOOD)
        sb_journal_writer_say(w, stderr);
    const bool good = sb_journal_close(journal, stderr);
    r->writes = atomic_load_explicit(&w->writes, memory_order_relaxed);
    r->bytes = atomic_load_explicit(&w->bytes_written, memory_order_relaxed);
    r->lag_max_ns = w->lag_max_seen_ns;
    char path[SB_JOURNAL_FILE_BYTES];
    for (uint64_t i = 1; i <= atomic_load_explicit(&w->segments, memory_order_relaxed); i++)
        unlink(sb_journal_file(path, w->folder, i));
    rmdir(w->folder);
    return good;
}

static bool open_run_journal(const struct bench *b, const struct sb_bench_node *node,
                             struct sb_journal *journal)
{
    char folder[SB_JOURNAL_PATH_BYTES];
    snprintf(folder, sizeof folder, "%s/bench/%020" PRIu64, b->folder, node->inc);
    const cpu_set_t core = core_set(b->journal_core);
    const struct sb_journal_setup setup = {.folder = folder,
                                           .shard = b->config.shard,
                                           .inc = node->inc,
                                           .trading_day = 20000101,
                                           .limits = b->config.limits,
                                           .segment_bytes = b->config.journal_segment_bytes,
                                           .ring_bytes = b->config.journal_ring_bytes,
                                           .lag_max_ns = b->config.journal_lag_max_ns,
                                           .on_fault = SB_JOURNAL_STOP,
                                           .spin = true,
                                           .cores = &core};
    return sb_journal_open(journal, &setup, stderr);
}

/* The same work every time, about ns_each long, as often as the run had turns. */
static void measure_jitter(const struct bench *b, struct result *r, struct sb_histogram *h)
{
    volatile uint64_t sink = 0;
    uint64_t rounds = 1000;
    const uint64_t ns_each = r->ns / r->turns;
    for (int i = 0; i < 8; i++) { /* how many rounds take that long? */
        const uint64_t from = sb_clock_tsc();
        for (uint64_t k = 0; k < rounds; k++)
            sink = sink + k;
        const uint64_t ns = sb_clock_cycles_to_ns(&b->clock, sb_clock_tsc() - from);
        rounds = sb_multiply_divide(rounds, ns_each + 1, ns + 1) + 1;
    }
    sb_histogram_reset(h);
    for (uint64_t i = 0; i < r->turns; i++) {
        const uint64_t from = sb_clock_tsc();
        for (uint64_t k = 0; k < rounds; k++)
            sink = sink + k;
        sb_histogram_record(h, sb_clock_cycles_to_ns(&b->clock, sb_clock_tsc() - from));
    }
    r->jitter_p999_ns = sb_histogram_percentile(h, 99.9);
}

/* Holds the journal's core where no journal does. */
struct neighbour {
    pthread_t thread;
    atomic_bool stop;
    bool runs;
};

static void *neighbour_main(void *arg)
{
    struct neighbour *n = arg;
    while (!atomic_load_explicit(&n->stop, memory_order_relaxed))
        __builtin_ia32_pause();
    return NULL;
}

static bool neighbour_start(struct neighbour *n, const struct bench *b)
{
    const cpu_set_t core = core_set(b->journal_core);
    atomic_store(&n->stop, false);
    n->runs = sb_thread_start(&n->thread, &core, neighbour_main, n) == 0;
    return n->runs;
}

static void neighbour_stop(struct neighbour *n)
{
    if (!n->runs)
        return;
    atomic_store(&n->stop, true);
    pthread_join(n->thread, NULL);
    n->runs = false;
}

static bool run(const struct bench *b, bool with_journal, struct result *r)
{
    static struct sb_histogram times;
    static struct sb_bench_node node;
    static struct sb_journal journal;
    static struct neighbour neighbour;
    *r = (struct result){0};
    sb_histogram_reset(&times);
    if (!sb_bench_node_open(&node, &b->config, &b->clock)) {
        fprintf(stderr, "shadowbook bench: out of memory\n");
        return false;
    }
    bool good =
        with_journal ? open_run_journal(b, &node, &journal) : neighbour_start(&neighbour, b);
    if (good) {
        good = play(b, &node, with_journal ? &journal : NULL, r, &times);
        if (!good)
            fprintf(stderr, "shadowbook bench: the node did not take every input\n");
        if (with_journal)
            good = finish_journal(&journal, &node, r) && good;
        neighbour_stop(&neighbour);
        r->p999_ns = sb_histogram_percentile(&times, 99.9);
        measure_jitter(b, r, &times);
    }
    sb_bench_node_close(&node);
    return good;
}

/* --- the table ---------------------------------------------------------------------------------------- */

static int by_size(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

static uint64_t median(uint64_t *v, uint64_t n)
{
    qsort(v, n, sizeof *v, by_size);
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void print_pair(uint64_t i, uint64_t events, const struct result *off,
                       const struct result *on)
{
    const uint64_t ratio = sb_multiply_divide(off->ns, 1000, on->ns);
    const uint64_t own = sb_multiply_divide(off->own_ns, 1000, on->own_ns);
    printf("%4" PRIu64 " %9" PRIu64 " %9" PRIu64 "   %" PRIu64 ".%03" PRIu64 "   %" PRIu64
           ".%03" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7" PRIu64
           " %6" PRIu64 " %8" PRIu64 "\n",
           i + 1, sb_multiply_divide(events, 1000000000, off->ns),
           sb_multiply_divide(events, 1000000000, on->ns), ratio / 1000, ratio % 1000, own / 1000,
           own % 1000, off->p999_ns, on->p999_ns, off->jitter_p999_ns, on->jitter_p999_ns,
           on->writes, on->bytes >> 20, on->lag_max_ns / 1000);
    fflush(stdout);
}

static bool measure(const struct bench *b)
{
    static uint64_t ratio[PAIRS_MAX], own[PAIRS_MAX], off_p[PAIRS_MAX], on_p[PAIRS_MAX],
        jitter[2 * PAIRS_MAX];
    const uint64_t events = b->plan.n;
    struct result r[2];
    if (!run(b, true, &r[1]) || !run(b, false, &r[0])) /* warms up; not counted */
        return false;
    printf("%" PRIu64 " events, at most %d inputs in flight; loop on core %" PRIu64
           ", journal on core %" PRIu64 "; ns and events a second\n",
           events, WINDOW, b->loop_core, b->journal_core);
    printf("pair   off ev/s   on ev/s  ratio   own  off p99.9  on p99.9    jitter p99.9 off, on  "
           "writes    "
           "MiB  lag us\n");
    for (uint64_t i = 0; i < b->pairs; i++) {
        for (int k = 0; k < 2; k++) {
            const int on = (int)(i + (uint64_t)k) % 2;
            if (!run(b, on == 1, &r[on]))
                return false;
        }
        print_pair(i, events, &r[0], &r[1]);
        ratio[i] = sb_multiply_divide(r[0].ns, 1000, r[1].ns);
        own[i] = sb_multiply_divide(r[0].own_ns, 1000, r[1].own_ns);
        off_p[i] = r[0].p999_ns;
        on_p[i] = r[1].p999_ns;
        jitter[2 * i] = r[0].jitter_p999_ns;
        jitter[2 * i + 1] = r[1].jitter_p999_ns;
    }
    const uint64_t m = median(ratio, b->pairs), o = median(own, b->pairs);
    printf("median throughput ratio, on to off: %" PRIu64 ".%03" PRIu64
           ", by the loop's own processor time %" PRIu64 ".%03" PRIu64 "; median p99.9 off %" PRIu64
           " ns, on %" PRIu64 " ns, of the machine's jitter %" PRIu64 " ns\n",
           m / 1000, m % 1000, o / 1000, o % 1000, median(off_p, b->pairs), median(on_p, b->pairs),
           median(jitter, 2 * b->pairs));
    return true;
}

/* --- the verb ------------------------------------------------------------------------------------------- */

static bool read_arguments(int argc, char **argv, struct bench *b)
{
    static const struct option OPTIONS[] = {
        {"journal", required_argument, NULL, 'j'}, {"config", required_argument, NULL, 'c'},
        {"flow", required_argument, NULL, 'f'},    {"pairs", required_argument, NULL, 'p'},
        {"cores", required_argument, NULL, 'k'},   {0}};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'j')
            b->folder = optarg;
        else if (c == 'c')
            b->config_path = optarg;
        else if (c == 'f')
            b->flow_path = optarg;
        else if (c == 'p' && sb_number_read(optarg, 1, PAIRS_MAX, &b->pairs))
            continue;
        else if (c != 'k' ||
                 !sb_number_pair_read(optarg, 0, CPU_SETSIZE - 1, &b->loop_core, &b->journal_core))
            return false;
    }
    return optind == argc && b->folder != NULL && b->config_path != NULL && b->flow_path != NULL;
}

int sb_bench_main(int argc, char **argv)
{
    static struct bench b;
    if (argc > 1 && strcmp(argv[1], "match") == 0)
        return sb_bench_match_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "burst") == 0)
        return sb_bench_burst_main(argc - 1, argv + 1);
    b = (struct bench){.pairs = 10, .loop_core = 0, .journal_core = 1};
    if (!read_arguments(argc, argv, &b)) {
        fputs(USAGE, stderr);
        return 2;
    }
    if (!sb_config_load(&b.config, b.config_path, stderr))
        return 2;
    bool ready = sb_plan_init(&b.plan, SESSION) &&
                 sb_plan_flow_read(b.flow_path, &b.plan, &b.config, stderr) && make_frames(&b);
    const cpu_set_t core = core_set(b.loop_core);
    if (ready && sched_setaffinity(0, sizeof core, &core) != 0) {
        perror("shadowbook bench: --cores");
        ready = false;
    }
    if (ready && !sb_clock_init(&b.clock)) {
        fprintf(stderr, "shadowbook bench: the time stamp counter cannot be calibrated\n");
        ready = false;
    }
    const int code = !ready ? 2 : measure(&b) ? 0 : 1;
    free(b.frames);
    free(b.lens);
    free(b.symbols);
    sb_plan_free(&b.plan);
    sb_config_free(&b.config);
    return code;
}
