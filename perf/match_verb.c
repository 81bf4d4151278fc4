/* match_verb.c: `shadowbook match`: arguments, files and the report around match.c and match_log.c. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/generate.h"
#include "perf/match.h"
#include "perf/match_log.h"
#include "perf/numbers.h"
#include "perf/verbs.h"
#include "shadowbook/assert.h"

enum { PASSES = 3 }; /* odd: the median is one of them */

static const char *const USAGE =
    "usage: shadowbook match --flow FILE[.xz] [--trades FILE] [--stats] [--orders N]\n"
    "       shadowbook match --generate SEED,EVENTS[,INSTRUMENTS] [--stats] [--orders N]\n"
    "       shadowbook match --log FILE|FOLDER [--acks FILE] [--whole] [--json]\n";

struct arguments {
    const char *flow, *trades, *log, *acks, *generate;
    bool stats, json, whole;
    uint64_t orders_max;
};

static int fail(const char *what)
{
    fprintf(stderr, "shadowbook match: %s\n", what);
    return 2;
}

/* ---- trades against a file ---- */

struct comparison {
    struct sb_lines *file;
    uint64_t equal;
    bool different;
    char words[SB_LINES_ERROR_BYTES]; /* of the first difference */
};

static void say_trade(char *to, size_t n, const struct sb_flow_trade *t)
{
    snprintf(to, n, "buy %" PRIu64 " sell %" PRIu64 " %u @ %" PRId64 " aggressor %s",
             t->buy_order_id, t->sell_order_id, t->quantity, t->price,
             sb_flow_aggressor_name(t->aggressor));
}

static bool trade_equal(const struct sb_flow_trade *a, const struct sb_flow_trade *b)
{
    return a->buy_order_id == b->buy_order_id && a->sell_order_id == b->sell_order_id &&
           a->price == b->price && a->quantity == b->quantity && a->aggressor == b->aggressor;
}

static bool compare_trade(void *arg, const struct sb_flow_trade *made)
{
    struct comparison *c = arg;
    struct sb_flow_trade expected;
    char made_words[128], expected_words[128];
    const int got = sb_flow_trades_next(c->file, &expected);
    if (got > 0 && trade_equal(made, &expected)) {
        c->equal++;
        return true;
    }
    c->different = true;
    say_trade(made_words, sizeof made_words, made);
    if (got < 0) {
        snprintf(c->words, sizeof c->words, "%s", sb_lines_error(c->file));
    } else if (got == 0) {
        snprintf(c->words, sizeof c->words, "trade %" PRIu64 " is not in the file: %s",
                 c->equal + 1, made_words);
    } else {
        say_trade(expected_words, sizeof expected_words, &expected);
        snprintf(c->words, sizeof c->words, "trade %" PRIu64 ": engine: %s; file: %s", c->equal + 1,
                 made_words, expected_words);
    }
    return false;
}

/* The engine made no more trades: has the file more? */
static void compare_end(struct comparison *c)
{
    struct sb_flow_trade expected;
    if (c->different)
        return;
    const int got = sb_flow_trades_next(c->file, &expected);
    if (got == 0)
        return;
    c->different = true;
    if (got < 0) {
        snprintf(c->words, sizeof c->words, "%s", sb_lines_error(c->file));
        return;
    }
    char words[128];
    say_trade(words, sizeof words, &expected);
    snprintf(c->words, sizeof c->words,
             "the engine made %" PRIu64 " trades, the file has more; the next: %s", c->equal,
             words);
}

/* ---- runs ---- */

static struct sb_engine_limits limits_of(const struct arguments *a,
                                         const struct sb_flow_commands *fc)
{
    return (struct sb_engine_limits){.instruments_max = fc->instruments,
                                     .sessions_max = SB_FLOW_SESSION,
                                     .orders_max = (uint32_t)a->orders_max,
                                     .levels_max = (uint32_t)a->orders_max,
                                     .terms_max = 1u << 14,
                                     .window_levels = 4096};
}

/* The checked run. Exit code. */
static int check(const struct arguments *a, const struct sb_flow_commands *fc,
                 struct sb_match_result *result)
{
    char error[SB_LINES_ERROR_BYTES] = "";
    struct comparison c = {0};
    struct sb_match_engine m;
    const struct sb_engine_limits limits = limits_of(a, fc);
    if (a->trades != NULL && (c.file = sb_flow_trades_open(a->trades, error)) == NULL)
        return fail(error);
    if (!sb_match_engine_open(&m, &limits)) {
        sb_lines_close(c.file);
        return fail("out of memory");
    }
    sb_match_check(&m, fc, result, c.file != NULL ? compare_trade : NULL, &c);
    sb_match_engine_close(&m);
    if (c.file != NULL)
        compare_end(&c);
    sb_lines_close(c.file);
    printf("events        %" PRIu64 "\ninstruments   %u\n", fc->events, fc->instruments);
    printf("trades        %" PRIu64 "\nacknowledged  %" PRIu64 "\nrejected      %" PRIu64
           "\nsuperfluous   %" PRIu64 "\n",
           result->trades, result->acknowledged, result->rejected, result->superfluous);
    printf("open at most  %u\n", result->open_orders_peak);
    if (result->phases_refused > 0)
        printf("phase changes refused: %" PRIu64 "\n", result->phases_refused);
    if (c.different)
        printf("trades DIFFER from %s: %s\n", a->trades, c.words);
    else if (a->trades != NULL)
        printf("trades equal  %" PRIu64 " of %" PRIu64 " rows of %s\n", c.equal, c.equal,
               a->trades);
    return c.different ? 1 : 0;
}

static int by_size(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* Sorts the passes; the median in front, all of them behind. */
static void print_whole(const char *name, uint64_t ns[PASSES], uint64_t events)
{
    const uint64_t n = events > 0 ? events : 1;
    qsort(ns, PASSES, sizeof *ns, by_size);
    const uint64_t median = ns[PASSES / 2];
    printf("%-26s %" PRIu64 ".%" PRIu64 " ns/event", name, median / n, median * 10 / n % 10);
    if (median > 0)
        printf("  %" PRIu64 " events/s", sb_multiply_divide(events, 1000000000, median));
    printf("  (passes");
    for (int i = 0; i < PASSES; i++)
        printf(" %" PRIu64 ".%" PRIu64, ns[i] / n, ns[i] * 10 / n % 10);
    printf(")\n");
}

enum timed { TIMED_PLAIN, TIMED_PREFETCH, TIMED_EVENTS };

/* One timed run of a new engine, with the digest of the checked run. False: out of memory. */
static bool timed_run(const struct arguments *a, const struct sb_flow_commands *fc,
                      uint64_t digest_expected, enum timed how, uint64_t *ns,
                      struct sb_histogram *events)
{
    const struct sb_engine_limits limits = limits_of(a, fc);
    struct sb_match_engine m;
    uint64_t digest = 0;
    if (!sb_match_engine_open(&m, &limits))
        return false;
    if (how == TIMED_EVENTS)
        sb_match_time_events(&m, fc, events, &digest);
    else
        *ns = sb_match_time_whole(&m, fc, how == TIMED_PREFETCH, &digest);
    sb_match_engine_close(&m);
    SB_ASSERT_EQ(digest, digest_expected);
    return true;
}

/* The kinds of run take turns, so that a noisy moment does not fall on one of them alone. */
static int measure(const struct arguments *a, const struct sb_flow_commands *fc,
                   uint64_t digest_expected)
{
    struct sb_histogram *apply = malloc(sizeof *apply), *floor = malloc(sizeof *floor);
    uint64_t plain[PASSES], prefetched[PASSES], floor_ns[PASSES];
    bool good = apply != NULL && floor != NULL;
    for (int i = 0; good && i < PASSES; i++) {
        good = timed_run(a, fc, digest_expected, TIMED_PLAIN, &plain[i], NULL) &&
               timed_run(a, fc, digest_expected, TIMED_PREFETCH, &prefetched[i], NULL);
        if (good)
            floor_ns[i] = sb_match_floor(fc, floor);
    }
    good = good && timed_run(a, fc, digest_expected, TIMED_EVENTS, NULL, apply);
    if (good) {
        printf("\nwhole flow in packets of %d, each sealed; median of %d passes\n",
               SB_MATCH_SEAL_EVERY, PASSES);
        print_whole("  apply and seal", plain, fc->events);
        print_whole("  packet prefetched first", prefetched, fc->events);
        print_whole("  floor: the empty loop", floor_ns, fc->events);
        printf("each event, TSC around apply\n");
        sb_histogram_print(apply, "  apply, ns", stdout);
        sb_histogram_print(floor, "  floor: nothing, ns", stdout);
    }
    free(apply);
    free(floor);
    return good ? 0 : fail("out of memory");
}

/* ---- where the flow is from ---- */

static bool generate_numbers(const char *text, uint64_t *seed, uint64_t *events,
                             uint64_t *instruments)
{
    char copy[64], *comma[2] = {NULL, NULL};
    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    comma[0] = strchr(copy, ',');
    if (comma[0] == NULL)
        return false;
    *comma[0]++ = '\0';
    comma[1] = strchr(comma[0], ',');
    if (comma[1] != NULL)
        *comma[1]++ = '\0';
    *instruments = 1;
    return sb_number_read(copy, 0, UINT64_MAX, seed) &&
           sb_number_read(comma[0], SB_GENERATE_EVENTS_MIN, SB_GENERATE_EVENTS_MAX, events) &&
           (comma[1] == NULL ||
            sb_number_read(comma[1], 1, SB_GENERATE_INSTRUMENTS_MAX, instruments));
}

static bool load_generated(struct sb_flow_commands *fc, const char *text,
                           char error[SB_LINES_ERROR_BYTES])
{
    uint64_t seed, events, instruments;
    if (!generate_numbers(text, &seed, &events, &instruments)) {
        snprintf(error, SB_LINES_ERROR_BYTES,
                 "--generate %.100s: expected SEED,EVENTS[,INSTRUMENTS], events %d..%d, "
                 "instruments 1..%d",
                 text, SB_GENERATE_EVENTS_MIN, SB_GENERATE_EVENTS_MAX, SB_GENERATE_INSTRUMENTS_MAX);
        return false;
    }
    struct sb_generate *g = sb_generate_new(seed, (uint32_t)events, (uint32_t)instruments);
    const char *wrong = g == NULL ? "out of memory" : sb_flow_commands_begin(fc);
    for (uint32_t i = 1; wrong == NULL && i <= instruments; i++) {
        char symbol[8];
        sb_generate_symbol(i, symbol);
        wrong = sb_flow_commands_instrument(fc, symbol, SB_GENERATE_TICK, SB_PHASE_CLOSED);
    }
    struct sb_flow_row row;
    while (wrong == NULL && sb_generate_next(g, &row))
        wrong = sb_flow_commands_row(fc, &row);
    sb_generate_free(g);
    if (wrong != NULL)
        snprintf(error, SB_LINES_ERROR_BYTES, "%s", wrong);
    return wrong == NULL;
}

static int match_flow(const struct arguments *a)
{
    struct sb_flow_commands fc = {0};
    struct sb_match_result result;
    char error[SB_LINES_ERROR_BYTES] = "";
    const bool loaded = a->flow != NULL ? sb_flow_commands_load(&fc, a->flow, error)
                                        : load_generated(&fc, a->generate, error);
    int code = loaded ? check(a, &fc, &result) : fail(error);
    if (code == 0 && fc.unknown_cancels > 0)
        printf("cancels of orders that are not in the flow: %" PRIu64 "\n", fc.unknown_cancels);
    if (code == 0)
        code = measure(a, &fc, result.digest);
    if (code == 0 && a->stats)
        printf("\noutputs       %" PRIu64 "\ndigest        %016" PRIx64
               "\nstate digest  %016" PRIx64 "\n",
               result.outputs, result.digest, result.state_digest);
    sb_flow_commands_free(&fc);
    return code;
}

int sb_match_main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"flow", required_argument, NULL, 'f'},
                                            {"trades", required_argument, NULL, 't'},
                                            {"generate", required_argument, NULL, 'g'},
                                            {"log", required_argument, NULL, 'l'},
                                            {"acks", required_argument, NULL, 'a'},
                                            {"orders", required_argument, NULL, 'o'},
                                            {"stats", no_argument, NULL, 's'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"whole", no_argument, NULL, 'w'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct arguments a = {.orders_max = 1u << 20};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'f')
            a.flow = optarg;
        else if (c == 't')
            a.trades = optarg;
        else if (c == 'g')
            a.generate = optarg;
        else if (c == 'l')
            a.log = optarg;
        else if (c == 'a')
            a.acks = optarg;
        else if (c == 's')
            a.stats = true;
        else if (c == 'j')
            a.json = true;
        else if (c == 'w')
            a.whole = true;
        else if (c == 'h')
            return fputs(USAGE, stdout) < 0 ? 2 : 0;
        else if (c != 'o' || !sb_number_read(optarg, 1, 1u << 27, &a.orders_max))
            return fail("unknown option or a number out of range; see shadowbook match --help");
    }
    const int sources = (a.flow != NULL) + (a.generate != NULL) + (a.log != NULL);
    if (sources != 1 || optind != argc || (a.trades != NULL && a.log != NULL)) {
        fputs(USAGE, stderr);
        return 2;
    }
    return a.log != NULL ? sb_match_log_main(a.log, a.acks, a.whole, a.json) : match_flow(&a);
}
