#include "perf/bench_burst.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/match.h"
#include "perf/numbers.h"
#include "perf/pages.h"
#include "perf/random.h"
#include "perf/tsc.h"
#include "shadowbook/assert.h"

enum {
    SESSIONS = 64,
    TICK = 100,
    MIDDLE = 10000, /* ticks */
    DEPTH = 200,    /* ticks: how far from the middle an order rests at most */
    PACKET_MAX = SB_STREAM_LINES_MAX,
    BLOCK = 2000, /* packets */
    PAIRS_MAX = 10000,
};

static const char USAGE[] = "usage: shadowbook bench burst [--instruments N] [--orders N] "
                            "[--packet N] [--pairs N] [--seed N]\n"
                            "\n"
                            "What prefetch over a packet gives: one engine, --instruments (10000) "
                            "with --orders (10000000) resting,\n"
                            "packets of --packet commands (16; at most 21); --pairs (50) of blocks "
                            "of 2000 packets, with and without in turns.\n";

struct name {
    uint32_t session, key;
};

struct burst {
    uint64_t instruments, orders, packet, pairs, seed;
    struct sb_match_engine m;
    uint64_t random, seq;
    uint32_t last_key[SESSIONS + 1];
    struct name *live;
    uint64_t live_n, live_max;
};

static struct sb_command next_command(struct burst *b, uint8_t kind)
{
    b->seq++;
    return (struct sb_command){.seq = b->seq, .time_ns = b->seq, .kind = kind};
}

static void feed(struct burst *b, struct sb_command2 *c)
{
    sb_engine_apply(b->m.engine, &c->c, &b->m.box);
    b->m.box.n = 0;
}

static void define(struct burst *b)
{
    struct sb_command2 c = {.c = next_command(b, SB_CMD_DAY), .ext.day.rules = SB_ENGINE_RULES};
    c.c.flags = SB_CMD_F_EXT;
    feed(b, &c);
    for (uint32_t s = 1; s <= SESSIONS; s++) {
        c = (struct sb_command2){.c = next_command(b, SB_CMD_SESSION)};
        c.c.flags = SB_CMD_F_EXT;
        c.c.key = s;
        feed(b, &c);
    }
    for (uint32_t i = 1; i <= b->instruments; i++) {
        c = (struct sb_command2){.c = next_command(b, SB_CMD_INSTRUMENT),
                                 .ext.instrument = {.symbol = "B0000000",
                                                    .tick = TICK,
                                                    .price_min = TICK,
                                                    .price_max = SB_PRICE_MAX,
                                                    .lot = 1,
                                                    .quantity_max = SB_QUANTITY_MAX,
                                                    .phase = SB_PHASE_CONTINUOUS}};
        c.c.flags = SB_CMD_F_EXT;
        c.c.instrument = i;
        for (uint32_t rest = i, at = 7; rest != 0; rest /= 10, at--)
            c.ext.instrument.symbol[at] = (char)('0' + rest % 10);
        feed(b, &c);
    }
}

/* An order somewhere on its own side of the middle: it rests. */
static struct sb_command order(struct burst *b)
{
    struct sb_command c = next_command(b, SB_CMD_ORDER);
    const uint64_t r = sb_random_next(&b->random);
    const uint32_t away = 1 + (uint32_t)(r >> 40) % DEPTH;
    c.side = r & 1 ? SB_SELL : SB_BUY;
    c.session = 1 + (uint32_t)(r >> 1) % SESSIONS;
    c.key = ++b->last_key[c.session];
    c.instrument = 1 + (uint32_t)((r >> 8 & UINT32_MAX) % b->instruments);
    c.price = (int64_t)TICK * (c.side == SB_SELL ? MIDDLE + away : MIDDLE - away);
    c.quantity = 100;
    b->live[b->live_n++] = (struct name){c.session, c.key};
    return c;
}

/* Names one of the live orders, any of them, which is counted as gone. */
static struct name pick(struct burst *b)
{
    struct name *at = &b->live[sb_random_next(&b->random) % b->live_n];
    const struct name name = *at;
    *at = b->live[--b->live_n];
    return name;
}

static struct sb_command cancel(struct burst *b)
{
    struct sb_command c = next_command(b, SB_CMD_CANCEL);
    const struct name name = pick(b);
    c.session = name.session;
    c.key = name.key;
    return c;
}

/* Half of all are cancels of any order, the others new ones: as many rest afterwards as before. */
static void make_block(struct burst *b, struct sb_command *c, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        c[i] = sb_random_next(&b->random) & 1 ? cancel(b) : order(b);
}

static double play(struct burst *b, const struct sb_command *c, uint64_t n, bool prefetch)
{
    const uint64_t begin = sb_monotonic_ns();
    for (uint64_t i = 0; i < n; i += b->packet) {
        if (prefetch)
            sb_engine_prefetch(b->m.engine, &c[i], (uint32_t)b->packet);
        for (uint64_t k = i; k < i + b->packet; k++)
            sb_engine_apply(b->m.engine, &c[k], &b->m.box);
        sb_engine_seal(b->m.engine, &b->m.box);
    }
    return (double)(sb_monotonic_ns() - begin) / (double)n;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *ns, uint64_t n)
{
    qsort(ns, n, sizeof *ns, by_value);
    printf("%-18s %7.1f ns a command (least %.1f, most %.1f), %.1f M/s\n", what, ns[n / 2], ns[0],
           ns[n - 1], 1000.0 / ns[n / 2]);
}

static void measure(struct burst *b)
{
    static double ns[2][PAIRS_MAX];
    const uint64_t n = BLOCK * b->packet;
    struct sb_command *c = sb_pages_map(n * sizeof *c);
    SB_ASSERT(c != NULL);
    for (uint64_t i = 0; i < 2 * b->pairs; i++) {
        make_block(b, c, n);
        ns[i % 2][i / 2] = play(b, c, n, i % 2 != 0);
    }
    const struct sb_engine_stats *stats = sb_engine_stats(b->m.engine);
    printf("%" PRIu64 " instruments, %" PRIu32
           " orders rest, engine of %zu MiB; packets of %" PRIu64 ", %" PRIu64
           " pairs of blocks of %d packets\n",
           b->instruments, stats->open_orders, b->m.memory_bytes >> 20, b->packet, b->pairs, BLOCK);
    report("without prefetch", ns[0], b->pairs);
    report("with prefetch", ns[1], b->pairs);
    printf("without / with: %.2f (medians)\n", ns[0][b->pairs / 2] / ns[1][b->pairs / 2]);
    (void)munmap(c, n * sizeof *c);
}

static bool open_engine(struct burst *b)
{
    struct sb_engine_limits limits = SB_ENGINE_LIMITS_DEFAULT;
    const uint64_t room =
        b->orders + 2 * BLOCK * PACKET_MAX; /* a block may add more than it takes */
    const uint64_t levels = 2 * b->instruments * DEPTH;
    limits.instruments_max = (uint32_t)b->instruments;
    limits.sessions_max = SESSIONS;
    limits.orders_max = (uint32_t)room;
    limits.levels_max = (uint32_t)(levels < room ? levels : room);
    limits.window_levels = 1024;
    b->live_max = room;
    b->live = sb_pages_map(room * sizeof *b->live);
    return b->live != NULL && sb_match_engine_open(&b->m, &limits);
}

static bool run(struct burst *b)
{
    if (!open_engine(b)) {
        fprintf(stderr, "shadowbook bench burst: out of memory\n");
        return false;
    }
    define(b);
    for (uint64_t i = 0; i < b->orders; i++) {
        const struct sb_command c = order(b);
        sb_engine_apply(b->m.engine, &c, &b->m.box);
        b->m.box.n = 0;
    }
    SB_ASSERT_EQ(sb_engine_stats(b->m.engine)->open_orders, b->orders);
    measure(b);
    sb_match_engine_close(&b->m);
    (void)munmap(b->live, b->live_max * sizeof *b->live);
    return true;
}

int sb_bench_burst_main(int argc, char **argv)
{
    static struct burst b;
    static const struct option OPTIONS[] = {
        {"instruments", required_argument, NULL, 'i'}, {"orders", required_argument, NULL, 'o'},
        {"packet", required_argument, NULL, 'p'},      {"pairs", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},        {0}};
    b = (struct burst){
        .instruments = 10000, .orders = 10000000, .packet = 16, .pairs = 50, .seed = 1};
    optind = 1;
    bool good = true;
    for (int c; good && (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;)
        good = c == 'i'   ? sb_number_read(optarg, 1, 65535, &b.instruments)
               : c == 'o' ? sb_number_read(optarg, 100000, 100000000, &b.orders)
               : c == 'p' ? sb_number_read(optarg, 1, PACKET_MAX, &b.packet)
               : c == 'n' ? sb_number_read(optarg, 1, PAIRS_MAX, &b.pairs)
               : c == 's' ? sb_number_read(optarg, 0, UINT64_MAX, &b.seed)
                          : false;
    if (!good || optind != argc) {
        fputs(USAGE, stderr);
        return 2;
    }
    b.random = b.seed;
    return run(&b) ? 0 : 1;
}
