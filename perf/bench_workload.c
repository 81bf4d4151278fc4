#include "perf/bench_workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/flow.h"
#include "perf/id_map.h"
#include "perf/pages.h"
#include "perf/random.h"
#include "shadowbook/assert.h"

enum {
    MID_TICKS = 2000000,
    LOT = 100,
    ORDERS_MAX = 1 << 20, /* the default of a shard */
    WINDOW = 8192,        /* the same */
    SWEEP_LEVELS = 10000,
    INSTRUMENTS = 10000,
    INSTRUMENTS_WINDOW = 64,
    FAR_TICKS = 2000
};

/* ---- messages ---- */

struct sb_bench_message *sb_workload_next(struct sb_workload *w, uint8_t kind, uint64_t id)
{
    SB_ASSERT_LT(w->n, w->cap);
    struct sb_bench_message *m = &w->messages[w->n++];
    m->id = id;
    m->kind = kind;
    m->key_step = 1;
    m->session = 1;
    m->instrument = 1;
    return m;
}

static bool workload_open(struct sb_workload *w, uint64_t messages, uint32_t instruments,
                          uint32_t window, const struct sb_workload_options *options)
{
    w->cap = messages;
    w->messages = sb_pages_map(messages * sizeof *w->messages);
    w->sizes = (struct sb_bench_sizes){.limits = {.instruments_max = instruments,
                                                  .sessions_max = options->sessions,
                                                  .orders_max = ORDERS_MAX,
                                                  .levels_max = ORDERS_MAX,
                                                  .terms_max = 1u << 14,
                                                  .window_levels = window},
                                       .messages = messages,
                                       .open_most = ORDERS_MAX};
    return w->messages != NULL;
}

void sb_workload_free(struct sb_workload *w)
{
    if (w->messages != NULL)
        munmap(w->messages, w->cap * sizeof *w->messages);
    memset(w, 0, sizeof *w);
}

/* What the builders are given, and their chance. */
struct builder {
    struct sb_workload *w;
    const struct sb_workload_options *options;
    uint64_t random, seed;
    char *why;
};

static uint64_t id_of(const struct builder *b, uint64_t number)
{
    return sb_random_scramble(b->seed + number);
}

static uint16_t session_of(const struct builder *b, uint64_t number)
{
    return (uint16_t)(1 + number % b->options->sessions);
}

static struct sb_bench_message *add(struct builder *b, uint64_t number, uint8_t side,
                                    uint32_t ticks, uint32_t quantity)
{
    struct sb_bench_message *m = sb_workload_next(b->w, SB_CMD_ORDER, id_of(b, number));
    m->session = session_of(b, number);
    m->side = side;
    m->price = ticks * SB_BENCH_TICK;
    m->quantity = quantity;
    return m;
}

static struct sb_bench_message *cancel(struct builder *b, uint64_t number)
{
    struct sb_bench_message *m = sb_workload_next(b->w, SB_CMD_CANCEL, id_of(b, number));
    m->session = session_of(b, number);
    return m;
}

/* 0..n-1 in a random order. NULL: out of memory. */
static uint32_t *shuffled(struct builder *b, uint32_t n)
{
    uint32_t *v = malloc((size_t)n * sizeof *v);
    for (uint32_t i = 0; v != NULL && i < n; i++) {
        const uint32_t j = sb_random_below(&b->random, i + 1);
        v[i] = v[j];
        v[j] = i;
    }
    return v;
}

static bool cancel_all(struct builder *b, uint32_t n)
{
    uint32_t *order = shuffled(b, n);
    for (uint32_t i = 0; order != NULL && i < n; i++)
        cancel(b, order[i]);
    const bool good = order != NULL;
    free(order);
    return good;
}

/* ---- made to hurt ---- */

/* As many as fit the engine's tables, at most half of the messages. */
static uint32_t half(const struct builder *b)
{
    const uint32_t n = b->options->messages / 2;
    return n < 1000000 ? n : 1000000;
}

static bool make_levels(struct builder *b)
{
    const uint32_t n = half(b);
    uint32_t *place =
        workload_open(b->w, 2 * (uint64_t)n, 1, WINDOW, b->options) ? shuffled(b, n) : NULL;
    for (uint32_t i = 0; place != NULL && i < n; i++) {
        const uint32_t away = FAR_TICKS + place[i] / 2;
        const uint8_t side = place[i] % 2 != 0 ? SB_SELL : SB_BUY;
        add(b, i, side, side == SB_SELL ? MID_TICKS + away : MID_TICKS - away, LOT);
    }
    const bool good = place != NULL && cancel_all(b, n);
    free(place);
    return good;
}

static bool make_queue(struct builder *b)
{
    const uint32_t n = half(b);
    if (!workload_open(b->w, 2 * (uint64_t)n, 1, WINDOW, b->options))
        return false;
    for (uint32_t i = 0; i < n; i++)
        add(b, i, SB_BUY, MID_TICKS, LOT);
    return cancel_all(b, n);
}

static bool make_sweeps(struct builder *b)
{
    const uint32_t messages = b->options->messages;
    const uint32_t levels = messages / 2 < SWEEP_LEVELS ? messages / 2 : SWEEP_LEVELS;
    const uint32_t sweeps = messages / (levels + 1);
    uint32_t *place = workload_open(b->w, (uint64_t)sweeps * (levels + 1), 1, WINDOW, b->options)
                          ? shuffled(b, levels)
                          : NULL;
    uint64_t number = 0;
    for (uint32_t s = 0; place != NULL && s < sweeps; s++) {
        for (uint32_t i = 0; i < levels; i++)
            add(b, number++, SB_SELL, MID_TICKS + place[i], LOT);
        add(b, number++, SB_BUY, MID_TICKS + levels, LOT * levels);
    }
    const bool good = place != NULL;
    free(place);
    return good;
}

/* Each visit of an instrument is the next of six: two orders that rest, an IOC that takes half of the second, a modify of the
 * first, cancels of both. */
static void visit(struct builder *b, uint32_t instrument, uint32_t round)
{
    const uint64_t number = (uint64_t)round << 16 | instrument, visits = UINT64_C(1) << 16;
    const uint32_t d = 1 + sb_random_below(&b->random, 20);
    struct sb_bench_message *m;
    switch (round % 6) {
    case 0:
        m = add(b, number, SB_BUY, MID_TICKS - d, 2 * LOT);
        break;
    case 1:
        m = add(b, number, SB_SELL, MID_TICKS + d, 2 * LOT);
        break;
    case 2:
        m = add(b, number, SB_BUY, MID_TICKS + 20, LOT);
        m->tif = SB_TIF_IOC;
        break;
    case 3:
        m = cancel(b, number - 3 * visits);
        m->kind = SB_CMD_REPLACE;
        m->price = (MID_TICKS - d) * SB_BENCH_TICK;
        m->quantity = 2 * LOT;
        break;
    default:
        m = cancel(b, number - 4 * visits);
        break;
    }
    m->instrument = (uint16_t)instrument;
    m->session = session_of(b, instrument);
}

static bool make_instruments(struct builder *b)
{
    const uint32_t n = b->options->messages;
    const uint32_t instruments = n / 12 < INSTRUMENTS ? n / 12 : INSTRUMENTS;
    if (!workload_open(b->w, n, instruments, INSTRUMENTS_WINDOW, b->options))
        return false;
    for (uint32_t i = 0; i < n; i++)
        visit(b, 1 + i % instruments, i / instruments);
    return true;
}

/* Where the engine begins to look for an order (engine/ids.h), as somebody finds out who reads it and knows the seed, here 0:
 * which half of a near bucket's ids, of 4,096 buckets (of 8,192, as there once were: the messages stay the same). That they still are in
 * one bucket is for the test to see. */
static uint32_t bucket_of(uint64_t id)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)(id ^ sb_random_scramble(UINT64_C(0x9e3779b97f4a7c15))) *
                         (sb_random_scramble(UINT64_C(0x3c6ef372fe94f82a)) | 1u);
    return (uint32_t)(((uint64_t)product ^ (uint64_t)(product >> 64)) >> 6) % 8192;
}

/* All in one session: another's orders cannot be aimed at. Of its 2^32 keys some 500,000 are of one such half. */
static bool make_keys(struct builder *b)
{
    const uint32_t most = 250000, wanted = half(b) < most ? half(b) : most;
    if (!workload_open(b->w, 2 * (uint64_t)wanted, 1, WINDOW, b->options))
        return false;
    uint32_t *keys = calloc(wanted, sizeof *keys);
    uint32_t last = 0, n = 0;
    for (uint64_t key = 1; keys != NULL && key <= UINT32_MAX && n < wanted; key++) {
        if (bucket_of(UINT64_C(1) << 32 | key) != 1)
            continue;
        struct sb_bench_message *m =
            add(b, n, SB_BUY, MID_TICKS - sb_random_below(&b->random, 500), LOT);
        m->id = UINT64_C(1) << 32 | key;
        m->session = 1;
        m->key_step = (uint32_t)key - last;
        last = (uint32_t)key;
        keys[n++] = last;
    }
    uint32_t *order = keys != NULL ? shuffled(b, n) : NULL;
    for (uint32_t i = 0; order != NULL && i < n; i++) {
        struct sb_bench_message *m = cancel(b, 0);
        m->id = UINT64_C(1) << 32 | keys[order[i]];
        m->session = 1;
    }
    const bool good = order != NULL;
    free(order);
    free(keys);
    return good;
}

/* ---- captures ---- */

static const char *const CAPTURES[] = {"lobster-20120621-AAPL", "sse-20230711-600761",
                                       "sse-20230711-601825", "sse-20230711-605580"};
enum { CAPTURES_N = sizeof CAPTURES / sizeof CAPTURES[0] };

struct rows {
    struct sb_flow_row *rows;
    uint32_t n, cap;
};

static bool rows_add(struct rows *r, const struct sb_flow_row *row)
{
    if (r->n == r->cap) {
        const uint32_t cap = r->cap * 2 + 1024;
        struct sb_flow_row *grown = realloc(r->rows, cap * sizeof *grown);
        if (grown == NULL)
            return false;
        r->rows = grown;
        r->cap = cap;
    }
    r->rows[r->n++] = *row;
    return true;
}

/* Orders and cancels of the file. */
static enum sb_workload_made read_rows(struct builder *b, const char *name, struct rows *rows)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s.flow.csv.xz", b->options->captures, name) >=
        (int)sizeof path)
        return SB_WORKLOAD_FAILED;
    FILE *there = fopen(path, "r");
    if (there == NULL) {
        snprintf(b->why, SB_LINES_ERROR_BYTES, "%.400s is not there", path);
        return SB_WORKLOAD_SKIPPED;
    }
    fclose(there);
    struct sb_lines *flow = sb_flow_open(path, b->why);
    if (flow == NULL)
        return SB_WORKLOAD_FAILED;
    struct sb_flow_row row;
    int got;
    bool good = true;
    while (good && (got = sb_flow_next(flow, &row)) > 0)
        good = row.op == SB_FLOW_PHASE || rows_add(rows, &row);
    if (good && got < 0) {
        snprintf(b->why, SB_LINES_ERROR_BYTES, "%s", sb_lines_error(flow));
        good = false;
    }
    sb_lines_close(flow);
    return good ? SB_WORKLOAD_READY : SB_WORKLOAD_FAILED;
}

static void play_row(struct builder *b, const struct sb_flow_row *row, uint32_t instrument)
{
    const uint64_t id = sb_random_scramble(row->order_id ^ (uint64_t)instrument << 48);
    struct sb_bench_message *m =
        sb_workload_next(b->w, row->op == SB_FLOW_NEW ? SB_CMD_ORDER : SB_CMD_REDUCE, id);
    m->session = session_of(b, row->order_id);
    m->instrument = (uint16_t)instrument;
    m->quantity = row->quantity;
    if (row->op != SB_FLOW_NEW)
        return;
    m->side = row->side;
    m->tif = row->tif;
    m->price = (uint32_t)row->price;
}

/* Every instrument plays all rows; which one is next is chance. */
static bool play(struct builder *b, const struct rows *rows, uint32_t instruments)
{
    uint32_t *at = calloc(instruments, sizeof *at), *live = shuffled(b, instruments);
    uint32_t left = at != NULL && live != NULL ? instruments : 0;
    const bool good = left != 0;
    while (left != 0) {
        const uint32_t i = sb_random_below(&b->random, left), instrument = live[i];
        play_row(b, &rows->rows[at[instrument]++], 1 + instrument);
        if (at[instrument] == rows->n)
            live[i] = live[--left];
    }
    free(at);
    free(live);
    return good;
}

static enum sb_workload_made make_capture(struct builder *b, const char *name)
{
    struct rows rows = {0};
    enum sb_workload_made made = read_rows(b, name, &rows);
    if (made == SB_WORKLOAD_READY && rows.n != 0) {
        if (rows.n > b->options->messages)
            rows.n = b->options->messages;
        const uint32_t instruments = b->options->messages / rows.n;
        made =
            workload_open(b->w, (uint64_t)rows.n * instruments, instruments, WINDOW, b->options) &&
                    play(b, &rows, instruments)
                ? SB_WORKLOAD_READY
                : SB_WORKLOAD_FAILED;
    }
    free(rows.rows);
    return made;
}

/* ---- the checked run ---- */

struct counted {
    uint32_t orders, levels;
    int64_t price;
};

static void count(void *arg, const struct sb_order_view *order)
{
    struct counted *c = arg;
    c->orders++;
    c->levels += order->price != c->price;
    c->price = order->price;
}

static void look(struct sb_workload *w, const struct sb_engine *e, bool filled)
{
    struct sb_workload_seen *s = &w->seen;
    struct counted c = {0};
    for (uint32_t i = 1; i <= w->sizes.limits.instruments_max; i++) {
        for (uint8_t side = 0; side < 2; side++) {
            c.price = -1;
            sb_engine_visit(e, i, side, count, &c);
        }
    }
    s->orders_end = c.orders;
    s->levels_end = c.levels;
    s->levels_most = c.levels > s->levels_most ? c.levels : s->levels_most;
    s->orders_mean += filled ? c.orders : 0;
    s->levels_mean += filled ? c.levels : 0;
}

/* How many reports each message makes, their hash, and what stands in the books meanwhile. */
static void check(struct sb_workload *w, struct sb_bench_adapter *a, struct sb_report_ring *ring)
{
    struct sb_workload_seen *s = &w->seen;
    uint32_t looks = 0, looks_filled = 0;
    s->hash = 1;
    for (uint64_t i = 0; i < w->n; i++) {
        struct sb_bench_message *m = &w->messages[i];
        sb_bench_adapter_apply(a, m, ring);
        const uint64_t n = sb_report_ring_ready(ring);
        for (uint64_t k = 0; k < n; k++) {
            const struct sb_report *r = sb_report_ring_at(ring, k);
            s->hash = sb_report_fold(s->hash, r);
            s->by_kind[r->kind]++;
            s->canceled += r->kind == SB_REPORT_CANCEL_ACK && r->reason == SB_REASON_USER;
        }
        sb_report_ring_taken(ring, n);
        m->reports = (uint32_t)n;
        s->reports += n;
        s->by_command[m->kind]++;
        s->iocs += m->tif == SB_TIF_IOC;
        if ((i + 1) * SB_WORKLOAD_LOOKS / w->n == looks)
            continue;
        looks++;
        const bool filled = looks > SB_WORKLOAD_LOOKS / 4;
        looks_filled += filled;
        look(w, a->engine.engine, filled);
    }
    s->orders_mean /= looks_filled;
    s->levels_mean /= looks_filled;
    s->orders_most = sb_engine_stats(a->engine.engine)->open_orders_peak;
    w->sizes.open_most = s->orders_most;
}

static bool checked(struct sb_workload *w)
{
    struct sb_report_ring *ring = aligned_alloc(128, sizeof *ring);
    struct sb_bench_adapter a;
    const bool good = ring != NULL && sb_bench_adapter_open(&a, &w->sizes, SB_BENCH_DIRECT);
    if (good) {
        memset(ring, 0, sizeof *ring);
        check(w, &a, ring);
        sb_bench_adapter_close(&a);
    }
    free(ring);
    return good;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*make)(struct builder *b);
} HARD[] = {{"levels", make_levels},
            {"queue", make_queue},
            {"sweeps", make_sweeps},
            {"instruments", make_instruments},
            {"keys", make_keys}};
enum { HARD_N = sizeof HARD / sizeof HARD[0] };

const char *sb_workload_name(uint32_t index)
{
    if (index < CAPTURES_N)
        return CAPTURES[index];
    index -= CAPTURES_N;
    if (index < SB_REGIMES)
        return sb_regime_name(index);
    index -= SB_REGIMES;
    return index < HARD_N ? HARD[index].name : NULL;
}

enum sb_workload_made sb_workload_make(struct sb_workload *w, uint32_t index,
                                       const struct sb_workload_options *options,
                                       char why[SB_LINES_ERROR_BYTES])
{
    memset(w, 0, sizeof *w);
    w->name = sb_workload_name(index);
    SB_ASSERT(w->name != NULL);
    snprintf(why, SB_LINES_ERROR_BYTES, "out of memory");
    struct builder b = {.w = w,
                        .options = options,
                        .random = options->seed ^ sb_random_scramble(index + 1),
                        .why = why};
    b.seed = sb_random_next(&b.random);
    enum sb_workload_made made = SB_WORKLOAD_FAILED;
    if (index < CAPTURES_N)
        made = make_capture(&b, CAPTURES[index]);
    else if (index < CAPTURES_N + SB_REGIMES)
        made = workload_open(w, options->messages, 1, WINDOW, options) &&
                       sb_regime_make(w, index - CAPTURES_N, options)
                   ? SB_WORKLOAD_READY
                   : SB_WORKLOAD_FAILED;
    else if (HARD[index - CAPTURES_N - SB_REGIMES].make(&b))
        made = SB_WORKLOAD_READY;
    if (made == SB_WORKLOAD_READY && !checked(w))
        made = SB_WORKLOAD_FAILED;
    if (made != SB_WORKLOAD_READY)
        sb_workload_free(w);
    return made;
}
