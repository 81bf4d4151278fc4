/* carry_verb.c: `shadowbook carry`: what an ended day's inputs leave for the next one, as a file; and whether it fits there. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/inspect_words.h"
#include "perf/log_run.h"
#include "perf/numbers.h"
#include "perf/verbs.h"
#include "replica/carry.h"
#include "replica/genesis.h"

static const char *const USAGE =
    "usage: shadowbook carry --from JOURNAL|LOG [--at N] --to FILE [--config FILE]\n"
    "       shadowbook carry --show FILE [--config FILE]\n";

enum { DONE = 0, REFUSED = 1, FAILED = 2, UNFIT = 3 };

struct arguments {
    const char *from, *to, *show, *config;
    uint64_t at; /* UINT64_MAX: the end */
};

/* --- the ended day ----------------------------------------------------------------------------------- */

/* 14.6, 15.3: as an operator ends a day, and a TIMER after it. */
static const char *close_day(struct sb_log_run *r)
{
    const uint64_t n = sb_engine_applied(r->m.engine);
    const uint64_t time_ns = sb_engine_last_time_ns(r->m.engine);
    const struct sb_command c[2] = {{.seq = n + 1,
                                     .time_ns = time_ns + 1,
                                     .instrument = SB_INSTRUMENT_ALL,
                                     .kind = SB_CMD_PHASE,
                                     .phase = SB_PHASE_CLOSED},
                                    {.seq = n + 2,
                                     .time_ns = time_ns + 2,
                                     .instrument = SB_INSTRUMENT_ALL,
                                     .kind = SB_CMD_TIMER}};
    uint32_t outputs;
    return sb_match_packet(&r->m, c, 2, &outputs);
}

static int refuse(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    return REFUSED;
}

/* The engine behind input `at`, where a packet ends, with the day's own digests. */
static int reach(struct sb_log_run *r, const struct arguments *a)
{
    const int more = sb_log_run_to(r, a->at, stderr);
    if (more < 0 ||
        (more == 1 && r->left != 0 && sb_log_run_to(r, r->c->seq + r->left, stderr) < 0))
        return REFUSED;
    if (r->packets_different != 0)
        return refuse(a->from, "this engine makes other outputs of it than the node did");
    if (sb_engine_applied(r->m.engine) == 0)
        return refuse(a->from, "no input is there");
    if (a->at != UINT64_MAX)
        return more == 1 ? DONE : refuse(a->from, "it ends before the input asked for");
    uint64_t digest;
    if (!sb_log_source_closed(&r->log, &digest))
        fprintf(stderr, "%s: NOTE: the node did not end it in an orderly way: the day may go on\n",
                a->from);
    else if (digest != sb_engine_state_digest(r->m.engine))
        return refuse(a->from, "the state is not the one that the node had at its end");
    return DONE;
}

static int make(struct sb_carry *c, const struct arguments *a)
{
    struct sb_log_run r;
    if (!sb_log_run_open(&r, a->from, a->at, stderr))
        return FAILED;
    int code = reach(&r, a);
    if (code == DONE) {
        const uint64_t n = sb_engine_applied(r.m.engine);
        const uint64_t state_digest = sb_engine_state_digest(r.m.engine);
        const char *wrong = close_day(&r);
        if (wrong != NULL)
            code = refuse(a->from, wrong);
        else if (!sb_carry_collect(c, r.m.engine, n, state_digest)) {
            fprintf(stderr, "shadowbook carry: out of memory\n");
            code = FAILED;
        }
    }
    sb_log_run_close(&r);
    return code;
}

/* --- in words ---------------------------------------------------------------------------------------- */

static json_t *words_of(const struct sb_carry_order *o)
{
    json_t *words = sb_words_command(NULL, &o->command.c);
    json_object_del(words, "input");
    json_object_del(words, "time");
    sb_words_put_text(words, "symbol", sb_words_padded(o->symbol, sizeof o->symbol).text);
    return words;
}

static void print(const struct sb_carry *c)
{
    const struct sb_carry_head *h = &c->head;
    printf("orders of shard %u that outlive %u: %" PRIu64 ", behind input %" PRIu64
           ", state digest %016" PRIx64 "\n",
           h->shard, h->trading_day, h->orders_n, h->n, h->state_digest);
    for (uint64_t i = 0; i < h->orders_n; i++) {
        json_t *words = words_of(&c->orders[i]);
        sb_words_print(words, stdout);
        json_decref(words);
    }
}

/* --- the next day ------------------------------------------------------------------------------------ */

/* What the new day's engine says of an order: SB_REASON_NONE: taken. *ignored: nothing. */
static uint8_t enter(struct sb_match_engine *m, struct sb_command2 *c, bool *ignored)
{
    uint8_t reason = SB_REASON_NONE;
    c->c.seq = sb_engine_applied(m->engine) + 1;
    c->c.time_ns = sb_engine_last_time_ns(m->engine) + 1;
    sb_engine_apply(m->engine, &c->c, &m->box);
    *ignored = m->box.n == 0;
    for (uint32_t i = 0; i < m->box.n; i++)
        if (m->box.out[i].kind == SB_OUT_REJECTED)
            reason = m->box.out[i].reason;
    sb_engine_seal(m->engine, &m->box);
    return reason;
}

/* When the day begins, for orders whose time has come by then: at its midnight, or now. */
static uint64_t begin_ns(const struct sb_config *config)
{
    struct tm day = {.tm_year = (int)(config->trading_day / 10000) - 1900,
                     .tm_mon = (int)(config->trading_day / 100 % 100) - 1,
                     .tm_mday = (int)(config->trading_day % 100)};
    const time_t at = config->trading_day != 0 ? timegm(&day) : time(NULL);
    return (uint64_t)at * UINT64_C(1000000000);
}

static int enter_all(struct sb_match_engine *m, const struct sb_carry *c,
                     const struct sb_config *config)
{
    uint64_t unfit = 0;
    bool ignored;
    struct sb_command2 day = {
        .c = {.seq = 1, .time_ns = begin_ns(config), .kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
        .ext.day.rules = SB_ENGINE_RULES};
    sb_engine_apply(m->engine, &day.c, &m->box);
    sb_engine_seal(m->engine, &m->box);
    for (uint64_t n = 2; n <= sb_genesis_defined(config); n++) {
        sb_genesis_command(config, n, &day);
        enter(m, &day, &ignored);
    }
    for (uint64_t i = 0; i < c->head.orders_n; i++) {
        const uint8_t reason = enter(m, &config->carry[i], &ignored);
        if (reason == SB_REASON_NONE && !ignored)
            continue;
        json_t *words = words_of(&c->orders[i]);
        printf("does not fit (%s): ",
               ignored ? "no such session, or another firm's" : sb_words_reason(reason));
        sb_words_print(words, stdout);
        json_decref(words);
        unfit++;
    }
    printf("%" PRIu64 " of %" PRIu64 " orders fit into the day of %s\n", c->head.orders_n - unfit,
           c->head.orders_n, config->path);
    return unfit == 0 ? DONE : UNFIT;
}

/* Through an engine of its own, as the new day's will take them. */
static int try(const struct sb_carry *c, const char *path)
{
    struct sb_config *config = calloc(1, sizeof *config);
    struct sb_match_engine m = {0};
    int code = FAILED;
    if (config == NULL || !sb_config_load(config, path, stderr)) {
        free(config);
        return FAILED;
    }
    if (!sb_carry_into(c, config, stderr) || !sb_match_engine_open(&m, &config->limits))
        fprintf(stderr, "shadowbook carry: cannot try it on an engine of %s\n", path);
    else if (config->trading_day != 0 && !sb_carry_fits_day(config, config->trading_day))
        code = refuse(path, "its trading_day is not after the day that the orders come from");
    else
        code = enter_all(&m, c, config);
    sb_match_engine_close(&m);
    sb_config_free(config);
    free(config);
    return code;
}

/* ----------------------------------------------------------------------------------------------------- */

static int run(const struct arguments *a)
{
    struct sb_carry c = {0};
    int code = DONE;
    if (a->show == NULL)
        code = make(&c, a);
    else if (!sb_carry_read(&c, a->show, stderr))
        code = FAILED;
    if (code == DONE && a->to != NULL && !sb_carry_write(&c, a->to, stderr))
        code = FAILED;
    if (code == DONE) {
        print(&c);
        if (a->to != NULL)
            printf("wrote %s\n", a->to);
        if (a->config != NULL)
            code = try(&c, a->config);
    }
    sb_carry_free(&c);
    return code;
}

int sb_carry_main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"show", required_argument, NULL, 's'},
                                            {"at", required_argument, NULL, 'a'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct arguments a = {.at = UINT64_MAX};
    bool good = true;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'f')
            a.from = optarg;
        else if (c == 't')
            a.to = optarg;
        else if (c == 's')
            a.show = optarg;
        else if (c == 'c')
            a.config = optarg;
        else if (c == 'h')
            return fputs(USAGE, stdout) < 0 ? FAILED : DONE;
        else
            good = good && c == 'a' && sb_number_read(optarg, 1, UINT64_MAX - 1, &a.at);
    }
    const bool made = a.from != NULL && a.to != NULL && a.show == NULL;
    const bool shown = a.show != NULL && a.from == NULL && a.to == NULL && a.at == UINT64_MAX;
    if (!good || optind != argc || (!made && !shown)) {
        fputs(USAGE, stderr);
        return FAILED;
    }
    return run(&a);
}
