/* bench_match_verb.c: `shadowbook bench match`: every workload through the engine, the null engine, the table of ids and the plain book in
 * turns, and the table. */
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench_ids.h"
#include "perf/bench_plain.h"
#include "perf/bench_workload.h"
#include "perf/numbers.h"

enum { PASSES_MAX = 99 };

static const char *const USAGE =
    "usage: shadowbook bench match [--seed S] [--messages N] [--sessions N] [--passes N]\n"
    "                              [--only WORKLOAD] [--captures FOLDER] [--cores "
    "ENGINE,CONSUMER]\n"
    "                              [--commands] [--eager] [--plain-orders N] [--json]\n";

struct arguments {
    struct sb_workload_options workload;
    uint64_t passes, engine_core, consumer_core;
    uint64_t plain_orders; /* that the plain book has room for, at least */
    const char *only;
    enum sb_bench_way way;
    bool json, eager, cores_given, cores_any;
};

/* Of one workload. Rates in messages a millisecond. */
struct row {
    const struct sb_workload *w;
    uint64_t rate, rate_own, rate_null, ratio_1000;  /* medians */
    uint64_t rate_ids, rate_plain, ratio_plain_1000; /* the same */
    bool plain;                                      /* it serves this workload */
    uint64_t rate_alone;                             /* of the fastest pieces */
    uint64_t rate_least, rate_most;
    uint64_t clock_ns;
    bool hashes_equal;
};

struct bench {
    const struct arguments *arguments;
    struct sb_report_ring *ring;
    struct sb_histogram *each;
    int cores[2];
    bool pinned;
    uint32_t printed;
    uint64_t least[SB_WORKLOAD_MESSAGES_MAX / SB_BENCH_PIECE + 1]; /* ns of the pieces of a pass */
};

/* ---- passes ---- */

static int by_size(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* Sorts them. */
static uint64_t median(uint64_t *v, uint64_t n)
{
    qsort(v, n, sizeof *v, by_size);
    return v[n / 2];
}

static uint64_t rate_of(uint64_t messages, uint64_t ns)
{
    return sb_multiply_divide(messages, 1000000, ns + (ns == 0));
}

enum { ENGINE, NULL_ENGINE, IDS, PLAIN_BOOK, PARTIES };

/* Of all passes. */
struct passes {
    uint64_t rate[PARTIES][PASSES_MAX];
    uint64_t ratio_1000[PARTIES]
                       [PASSES_MAX]; /* of the engine's rate to the party's in the same round */
    uint64_t own[PASSES_MAX];
    uint64_t null_hash;
};

/* The parties take turns, and turns which is first. False: out of memory or no thread. */
static bool run_round(const struct sb_bench_run runs[PARTIES], uint32_t parties, uint64_t round,
                      struct sb_bench_pass pass[PARTIES])
{
    for (uint32_t k = 0; k < parties; k++) {
        const uint32_t party = (uint32_t)((round + k) % parties);
        if (!(party == NULL_ENGINE ? sb_bench_pass_null(&runs[party], &pass[party])
                                   : sb_bench_pass_engine(&runs[party], &pass[party])))
            return false;
    }
    return true;
}

static void keep_round(struct passes *all, const struct sb_workload *w, uint32_t parties,
                       uint64_t round, const struct sb_bench_pass pass[PARTIES])
{
    const uint64_t engine_ns = pass[ENGINE].ns + (pass[ENGINE].ns == 0);
    for (uint32_t party = 0; party < parties; party++) {
        all->rate[party][round] = rate_of(w->n, pass[party].ns);
        all->ratio_1000[party][round] = sb_multiply_divide(pass[party].ns, 1000, engine_ns);
    }
    all->own[round] = rate_of(w->n, pass[ENGINE].own_ns);
    all->null_hash = round == 0 ? pass[NULL_ENGINE].hash : all->null_hash;
}

/* The null engine's reports, which are those of the table of ids, have a hash of their own, the same each time. */
static bool as_checked(const struct passes *all, const struct sb_workload *w, uint32_t parties,
                       const struct sb_bench_pass pass[PARTIES])
{
    bool same = true;
    for (uint32_t party = 0; party < parties; party++)
        same = same && pass[party].reports == w->seen.reports &&
               pass[party].hash ==
                   (party == NULL_ENGINE || party == IDS ? all->null_hash : w->seen.hash);
    return same;
}

static void summarize(struct passes *all, uint64_t n, struct row *row)
{
    row->rate = median(all->rate[ENGINE], n);
    row->rate_least = all->rate[ENGINE][0];
    row->rate_most = all->rate[ENGINE][n - 1];
    row->rate_own = median(all->own, n);
    row->rate_null = median(all->rate[NULL_ENGINE], n);
    row->ratio_1000 = median(all->ratio_1000[NULL_ENGINE], n);
    row->rate_ids = median(all->rate[IDS], n);
    if (!row->plain)
        return;
    row->rate_plain = median(all->rate[PLAIN_BOOK], n);
    row->ratio_plain_1000 = median(all->ratio_1000[PLAIN_BOOK], n);
}

static uint64_t rate_alone(const struct bench *b, uint64_t messages)
{
    uint64_t ns = 0;
    for (uint64_t i = 0; i < messages; i += SB_BENCH_PIECE)
        ns += b->least[i / SB_BENCH_PIECE];
    return rate_of(messages, ns);
}

/* What each party is to do. */
static void plan_runs(const struct bench *b, const struct sb_workload *w,
                      const struct sb_bench_script *script, struct sb_bench_run runs[PARTIES])
{
    const struct arguments *a = b->arguments;
    for (uint32_t party = 0; party < PARTIES; party++)
        runs[party] = (struct sb_bench_run){.messages = w->messages,
                                            .n = w->n,
                                            .sizes = w->sizes,
                                            .ring = b->ring,
                                            .way = party == PLAIN_BOOK ? SB_BENCH_PLAIN
                                                   : party == IDS      ? SB_BENCH_IDS
                                                                       : a->way,
                                            .script = script,
                                            .eager = a->eager,
                                            .cores = b->pinned ? b->cores : NULL};
    if (runs[PLAIN_BOOK].sizes.open_most < a->plain_orders)
        runs[PLAIN_BOOK].sizes.open_most = (uint32_t)a->plain_orders;
}

/* False: out of memory or no thread. */
static bool measure_with(struct bench *b, const struct sb_bench_run runs[PARTIES],
                         const struct sb_workload *w, struct row *row)
{
    struct sb_bench_pass pass[PARTIES];
    struct passes all;
    const uint32_t parties = row->plain ? PARTIES : PLAIN_BOOK;
    memset(b->least, 0xff, sizeof b->least);
    for (uint64_t i = 0; i < b->arguments->passes; i++) {
        if (!run_round(runs, parties, i, pass) || !sb_bench_pass_alone(&runs[ENGINE], b->least))
            return false;
        keep_round(&all, w, parties, i, pass);
        row->hashes_equal = row->hashes_equal && as_checked(&all, w, parties, pass);
    }
    if (!sb_bench_pass_timed(&runs[ENGINE], &pass[ENGINE], b->each, &row->clock_ns))
        return false;
    row->hashes_equal = row->hashes_equal && pass[ENGINE].hash == w->seen.hash;
    summarize(&all, b->arguments->passes, row);
    row->rate_alone = rate_alone(b, w->n);
    return true;
}

/* The same. */
static bool measure(struct bench *b, const struct sb_workload *w, struct row *row)
{
    struct sb_bench_run runs[PARTIES];
    struct sb_bench_script script;
    *row = (struct row){
        .w = w, .hashes_equal = true, .plain = sb_bench_plain_serves(w->messages, w->n, &w->sizes)};
    if (!sb_bench_script_make(&script, w->messages, w->n, &w->sizes))
        return false;
    plan_runs(b, w, &script, runs);
    const bool good = measure_with(b, runs, w, row);
    sb_bench_script_free(&script);
    return good;
}

/* ---- the table ---- */

static void print_load(const char *when)
{
    double load[1] = {0};
    if (getloadavg(load, 1) == 1)
        printf("load %s: %.1f\n", when, load[0]);
}

static void print_head(const struct bench *b)
{
    const struct arguments *a = b->arguments;
    printf("one message at a time, %s, seed %" PRIu64 ", %" PRIu64
           " passes of engine, null engine, table of ids and plain book in turns",
           a->way == SB_BENCH_DIRECT ? "by direct calls" : "as sessions' commands",
           a->workload.seed, a->passes);
    if (a->eager)
        printf("; each report is taken at once");
    if (a->plain_orders != 0)
        printf("; plain book with room for %" PRIu64 " orders", a->plain_orders);
    if (b->pinned)
        printf("; engine on core %d, consumer on core %d\n", b->cores[0], b->cores[1]);
    else
        printf("; not pinned to cores\n");
    printf("M/s: million messages a second, median (least..most); own: by the engine thread's "
           "processor time, without what "
           "other programs took; alone: the engine's thread without a consumer, of each 1000 "
           "messages the fastest pass; ids: the null engine with a table of the resting orders' "
           "ids and "
           "nothing else; ratio: of M/s to that of the null engine, x plain: to that of "
           "the plain book, - where it cannot serve the workload, median of the rounds; ns: around "
           "each message, in a "
           "pass of its own, the clock's "
           "own time included\n");
    print_load("at the start");
    printf(
        "%-22s %8s %8s %15s %13s %20s %6s %6s %6s %6s %6s %6s %7s %5s %5s %6s %7s %8s %5s %16s\n",
        "workload", "messages", "reports", "resting~/most", "levels~/most", "M/s", "own", "alone",
        "null", "ids", "ratio", "plain", "x plain", "p50", "p99", "p99.9", "p99.99", "max", "clock",
        "hash");
}

static void say_rate(char *to, size_t n, uint64_t rate)
{
    snprintf(to, n, "%" PRIu64 ".%02" PRIu64, rate / 1000, rate / 10 % 100);
}

static void say_ratio(char *to, size_t n, uint64_t ratio_1000)
{
    snprintf(to, n, "%" PRIu64 ".%03" PRIu64, ratio_1000 / 1000, ratio_1000 % 1000);
}

static void print_row(const struct bench *b, const struct row *r)
{
    const struct sb_workload_seen *s = &r->w->seen;
    char rate[24], least[24], most[24], null[24], ids[24], ratio[24],
        plain[24] = "-", x_plain[24] = "-", own[24], alone[24], rates[80], resting[48], levels[48];
    say_rate(rate, sizeof rate, r->rate);
    say_rate(least, sizeof least, r->rate_least);
    say_rate(most, sizeof most, r->rate_most);
    say_rate(null, sizeof null, r->rate_null);
    say_rate(ids, sizeof ids, r->rate_ids);
    say_rate(own, sizeof own, r->rate_own);
    say_rate(alone, sizeof alone, r->rate_alone);
    say_ratio(ratio, sizeof ratio, r->ratio_1000);
    if (r->plain) {
        say_rate(plain, sizeof plain, r->rate_plain);
        say_ratio(x_plain, sizeof x_plain, r->ratio_plain_1000);
    }
    snprintf(rates, sizeof rates, "%s (%s..%s)", rate, least, most);
    snprintf(resting, sizeof resting, "%" PRIu64 "/%u", s->orders_mean, s->orders_most);
    snprintf(levels, sizeof levels, "%" PRIu64 "/%u", s->levels_mean, s->levels_most);
    printf("%-22s %8" PRIu64 " %8" PRIu64 " %15s %13s %20s %6s %6s %6s %6s %6s %6s %7s"
           " %5" PRIu64 " %5" PRIu64 " %6" PRIu64 " %7" PRIu64 " %8" PRIu64 " %5" PRIu64
           " %016" PRIx64 "%s\n",
           r->w->name, r->w->n, s->reports, resting, levels, rates, own, alone, null, ids, ratio,
           plain, x_plain, sb_histogram_percentile(b->each, 50),
           sb_histogram_percentile(b->each, 99), sb_histogram_percentile(b->each, 99.9),
           sb_histogram_percentile(b->each, 99.99), b->each->max_ns, r->clock_ns, s->hash,
           r->hashes_equal ? "" : " DIFFERENT");
    /* What the workload is, to be judged by. */
    const uint64_t orders = s->by_command[SB_CMD_ORDER], day = orders - s->iocs;
    printf("    orders %" PRIu64 ", %" PRIu64 " %% of them IOC; modifies %" PRIu64
           ", cancels %" PRIu64 "; trades %" PRIu64 "; of DAY orders %" PRIu64
           " %% canceled; rejects: orders %" PRIu64 ", modifies %" PRIu64 ", cancels %" PRIu64
           "; at the end %u resting on %u levels\n",
           orders, s->iocs * 100 / (orders + (orders == 0)), s->by_command[SB_CMD_REPLACE],
           s->by_command[SB_CMD_CANCEL] + s->by_command[SB_CMD_REDUCE], s->by_kind[SB_REPORT_TRADE],
           s->canceled * 100 / (day + (day == 0)), s->by_kind[SB_REPORT_ORDER_REJECT],
           s->by_kind[SB_REPORT_MODIFY_REJECT], s->by_kind[SB_REPORT_CANCEL_REJECT], s->orders_end,
           s->levels_end);
    fflush(stdout);
}

static void json_row(struct bench *b, const struct row *r)
{
    const struct sb_workload_seen *s = &r->w->seen;
    char ratio[24], plain[24] = "null", ratio_plain[24] = "null";
    say_ratio(ratio, sizeof ratio, r->ratio_1000);
    if (r->plain) {
        snprintf(plain, sizeof plain, "%" PRIu64, r->rate_plain * 1000);
        say_ratio(ratio_plain, sizeof ratio_plain, r->ratio_plain_1000);
    }
    printf("%s\n  {\"workload\": \"%s\", \"way\": \"%s\", \"messages\": %" PRIu64
           ", \"reports\": %" PRIu64 ", \"resting_mean\": %" PRIu64
           ", \"resting_most\": %u, \"resting_end\": %u"
           ", \"levels_mean\": %" PRIu64 ", \"levels_most\": %u, \"levels_end\": %u",
           b->printed++ == 0 ? "" : ",", r->w->name,
           b->arguments->way == SB_BENCH_DIRECT ? "direct" : "commands", r->w->n, s->reports,
           s->orders_mean, s->orders_most, s->orders_end, s->levels_mean, s->levels_most,
           s->levels_end);
    printf(", \"orders\": %" PRIu64 ", \"iocs\": %" PRIu64 ", \"modifies\": %" PRIu64
           ", \"cancels\": %" PRIu64 ", \"trades\": %" PRIu64 ", \"canceled\": %" PRIu64,
           s->by_command[SB_CMD_ORDER], s->iocs, s->by_command[SB_CMD_REPLACE],
           s->by_command[SB_CMD_CANCEL] + s->by_command[SB_CMD_REDUCE], s->by_kind[SB_REPORT_TRADE],
           s->canceled);
    printf(", \"messages_per_s\": %" PRIu64 ", \"messages_per_s_least\": %" PRIu64
           ", \"messages_per_s_most\": %" PRIu64 ", \"messages_per_s_own\": %" PRIu64
           ", \"messages_per_s_alone\": %" PRIu64 ", \"null_messages_per_s\": %" PRIu64
           ", \"ids_messages_per_s\": %" PRIu64
           ", \"ratio\": %s, \"plain_messages_per_s\": %s, \"ratio_plain\": %s"
           ", \"clock_ns\": %" PRIu64 ", \"each\": ",
           r->rate * 1000, r->rate_least * 1000, r->rate_most * 1000, r->rate_own * 1000,
           r->rate_alone * 1000, r->rate_null * 1000, r->rate_ids * 1000, ratio, plain, ratio_plain,
           r->clock_ns);
    sb_histogram_json(b->each, stdout);
    printf(", \"hash\": \"%016" PRIx64 "\", \"hashes_equal\": %s}", s->hash,
           r->hashes_equal ? "true" : "false");
}

/* ---- the verb ---- */

/* Exit code of one workload: 0, 1 its hashes differ, 2 it could not run. */
static int bench_one(struct bench *b, uint32_t index)
{
    const struct arguments *a = b->arguments;
    char why[SB_LINES_ERROR_BYTES];
    struct sb_workload w;
    const enum sb_workload_made made = sb_workload_make(&w, index, &a->workload, why);
    if (made == SB_WORKLOAD_SKIPPED) {
        if (a->json)
            printf("%s\n  {\"workload\": \"%s\", \"skipped\": true}", b->printed++ == 0 ? "" : ",",
                   sb_workload_name(index));
        else
            printf("%-22s SKIP: %s\n", sb_workload_name(index), why);
        return 0;
    }
    struct row row;
    const bool ran = made == SB_WORKLOAD_READY && measure(b, &w, &row);
    if (ran && a->json)
        json_row(b, &row);
    else if (ran)
        print_row(b, &row);
    else
        fprintf(stderr, "shadowbook bench match: %s: %s\n", sb_workload_name(index),
                made == SB_WORKLOAD_READY ? "out of memory, or no second thread" : why);
    if (made == SB_WORKLOAD_READY)
        sb_workload_free(&w);
    return !ran ? 2 : row.hashes_equal ? 0 : 1;
}

/* Two cores that this process may use: those given, or the first two. Without two, or with `any`, nothing is pinned. */
static bool choose_cores(struct bench *b)
{
    const struct arguments *a = b->arguments;
    cpu_set_t allowed, mine;
    if (a->cores_any)
        return true;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return false;
    int found = 0;
    if (a->cores_given) {
        b->cores[0] = (int)a->engine_core;
        b->cores[1] = (int)a->consumer_core;
        found = 2;
    }
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET((size_t)i, &allowed))
            b->cores[found++] = i;
    b->pinned = found == 2;
    if (!b->pinned)
        return true;
    CPU_ZERO(&mine);
    CPU_SET((size_t)b->cores[0], &mine);
    return CPU_ISSET((size_t)b->cores[1], &allowed) &&
           sched_setaffinity(0, sizeof mine, &mine) == 0;
}

static int bench_all(struct bench *b)
{
    const struct arguments *a = b->arguments;
    int code = 0;
    bool found = false;
    if (a->json)
        printf("[");
    else
        print_head(b);
    for (uint32_t i = 0; code != 2 && sb_workload_name(i) != NULL; i++) {
        if (a->only != NULL && strcmp(a->only, sb_workload_name(i)) != 0)
            continue;
        found = true;
        const int one = bench_one(b, i);
        code = one > code ? one : code;
    }
    if (a->json)
        printf("\n]\n");
    else
        print_load("at the end");
    if (!found) {
        fprintf(stderr, "shadowbook bench match: no workload %s\n", a->only);
        code = 2;
    }
    return code;
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option OPTIONS[] = {
        {"seed", required_argument, NULL, 's'},     {"messages", required_argument, NULL, 'm'},
        {"sessions", required_argument, NULL, 'n'}, {"passes", required_argument, NULL, 'p'},
        {"only", required_argument, NULL, 'o'},     {"captures", required_argument, NULL, 'c'},
        {"cores", required_argument, NULL, 'k'},    {"commands", no_argument, NULL, 'x'},
        {"eager", no_argument, NULL, 'e'},          {"plain-orders", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},           {0}};
    uint64_t messages = a->workload.messages, sessions = a->workload.sessions;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        bool good = true;
        if (c == 's')
            good = sb_number_read(optarg, 0, UINT64_MAX, &a->workload.seed);
        else if (c == 'm')
            good = sb_number_read(optarg, SB_WORKLOAD_MESSAGES_MIN, SB_WORKLOAD_MESSAGES_MAX,
                                  &messages);
        else if (c == 'n')
            good = sb_number_read(optarg, 1, SB_BENCH_SESSIONS_MAX, &sessions);
        else if (c == 'p')
            good = sb_number_read(optarg, 1, PASSES_MAX, &a->passes);
        else if (c == 'o')
            a->only = optarg;
        else if (c == 'c')
            a->workload.captures = optarg;
        else if (c == 'k' && strcmp(optarg, "any") == 0)
            a->cores_any = true;
        else if (c == 'k')
            good = a->cores_given =
                sb_number_pair_read(optarg, 0, CPU_SETSIZE - 1, &a->engine_core, &a->consumer_core);
        else if (c == 'x')
            a->way = SB_BENCH_COMMANDS;
        else if (c == 'e')
            a->eager = true;
        else if (c == 'r')
            good = sb_number_read(optarg, 1, SB_BENCH_PLAIN_ORDERS, &a->plain_orders);
        else if (c == 'j')
            a->json = true;
        else
            good = false;
        if (!good)
            return false;
    }
    a->workload.messages = (uint32_t)messages;
    a->workload.sessions = (uint32_t)sessions;
    return optind == argc;
}

int sb_bench_match_main(int argc, char **argv)
{
    struct arguments a = {.workload = {.seed = 1,
                                       .messages = 2000000,
                                       .sessions = 1,
                                       .captures = "../shared/captures"},
                          .passes = 5};
    if (!read_arguments(argc, argv, &a)) {
        fputs(USAGE, stderr);
        return 2;
    }
    struct bench b = {.arguments = &a,
                      .ring = aligned_alloc(128, sizeof *b.ring),
                      .each = malloc(sizeof *b.each)};
    int code = 2;
    if (b.ring == NULL || b.each == NULL)
        fprintf(stderr, "shadowbook bench match: out of memory\n");
    else if (!choose_cores(&b))
        perror("shadowbook bench match: --cores");
    else
        code = bench_all(&b);
    free(b.ring);
    free(b.each);
    return code;
}
