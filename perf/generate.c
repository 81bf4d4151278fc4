#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/generate_tables.h"
#include "perf/numbers.h"
#include "perf/random.h"
#include "shadowbook/assert.h"
#include "shadowbook/engine.h"

enum { NO_ORDER = 0, NS_PER_S = 1000000000, SESSION = 1, TABLE_ONE = 10000 };

struct gen_order {
    uint32_t instrument, at; /* its place in the instrument's list of open orders */
    uint32_t open;
    int32_t ticks;
    uint8_t side;
};

struct gen_instrument {
    uint32_t *open; /* keys, in no order */
    uint32_t n, cap;
    int32_t last_ticks; /* of the last trade */
    uint8_t last_side;
};

/* What one day holds: how many rows of each part. */
struct gen_day {
    uint32_t number, open, continuous, close;
    uint32_t row; /* next */
};

struct sb_generate {
    uint64_t random;
    uint32_t events, made, instruments, days;
    struct gen_day day;
    uint64_t time_ns, gap_sum_ns; /* gap_sum_ns: unscaled, since the session began */
    uint32_t instrument;          /* of the last row */
    uint32_t keys;
    struct gen_order *orders; /* by key */
    struct gen_instrument *books;
    void *memory;
    struct sb_engine *engine;
    struct sb_outbox box;
    uint64_t seq;
};

/* ---- chance ---- */

static uint32_t below(struct sb_generate *g, uint32_t n)
{
    return sb_random_below(&g->random, n);
}

static bool per_mille(struct sb_generate *g, uint32_t share)
{
    return below(g, 1000) < share;
}

static int32_t draw(struct sb_generate *g, const struct gen_point *points)
{
    const uint32_t share = below(g, TABLE_ONE);
    uint32_t i = 0;
    while (points[i].share <= share)
        i++;
    if (i == 0)
        return points[0].value;
    const uint32_t steps = (uint32_t)(points[i].value - points[i - 1].value);
    return points[i].value - (int32_t)below(g, steps);
}

/* Mean of the gaps' table, ns. */
static uint64_t gap_mean_ns(void)
{
    uint64_t sum = 0, from_share = 0, from = 0;
    for (uint32_t i = 0; i < sizeof GEN_GAP_NS / sizeof GEN_GAP_NS[0]; i++) {
        const uint64_t value = (uint64_t)GEN_GAP_NS[i].value;
        sum += (GEN_GAP_NS[i].share - from_share) * (i == 0 ? value : (from + value) / 2);
        from_share = GEN_GAP_NS[i].share;
        from = value;
    }
    return sum / TABLE_ONE;
}

/* ---- the book under the flow ---- */

static void forget(struct sb_generate *g, uint32_t key)
{
    const struct gen_order *o = &g->orders[key];
    struct gen_instrument *b = &g->books[o->instrument];
    const uint32_t moved = b->open[--b->n];
    b->open[o->at] = moved;
    g->orders[moved].at = o->at;
}

static void remember(struct sb_generate *g, uint32_t key, const struct sb_output *accepted)
{
    struct gen_instrument *b = &g->books[accepted->instrument];
    if (b->n == b->cap) {
        b->cap = b->cap * 2 + 64;
        b->open = realloc(b->open, b->cap * sizeof *b->open);
        SB_ASSERT(b->open != NULL);
    }
    g->orders[key] = (struct gen_order){.instrument = accepted->instrument,
                                        .at = b->n,
                                        .open = accepted->quantity,
                                        .ticks = (int32_t)(accepted->price / SB_GENERATE_TICK),
                                        .side = accepted->side & SB_SELL};
    b->open[b->n++] = key;
}

/* Feeds a command to the engine and takes note of what became of whom. */
static void feed(struct sb_generate *g, struct sb_command2 *c)
{
    c->c.seq = ++g->seq;
    c->c.time_ns = g->seq; /* the engine only asks that it rises */
    sb_engine_apply(g->engine, &c->c, &g->box);
    for (uint32_t i = 0; i < g->box.n; i++) {
        const struct sb_output *o = &g->box.out[i];
        SB_ASSERT(o->kind != SB_OUT_REJECTED);
        if (o->kind == SB_OUT_ACCEPTED) {
            remember(g, o->key, o);
        } else if (o->kind == SB_OUT_EXECUTED || o->kind == SB_OUT_CANCELED) {
            g->orders[o->key].open -= o->quantity;
            if (g->orders[o->key].open == 0)
                forget(g, o->key);
            if (o->kind == SB_OUT_EXECUTED)
                g->books[o->instrument].last_ticks = (int32_t)(o->price / SB_GENERATE_TICK);
        }
    }
    g->box.n = 0; /* nobody compares this engine's digest */
}

static bool touch(const struct sb_generate *g, uint32_t instrument, uint8_t side, int32_t *ticks)
{
    int64_t price;
    uint64_t quantity;
    if (!sb_engine_best(g->engine, instrument, side, &price, &quantity))
        return false;
    *ticks = (int32_t)(price / SB_GENERATE_TICK);
    return true;
}

/* ---- rows ---- */

static void emit_new(struct sb_generate *g, struct sb_flow_row *row, uint8_t side, int32_t ticks,
                     uint32_t lots, uint8_t tif)
{
    row->op = SB_FLOW_NEW;
    row->order_id = ++g->keys;
    row->side = side;
    row->price = (int64_t)(ticks < 1 ? 1 : ticks) * SB_GENERATE_TICK;
    row->quantity = lots * 100;
    row->tif = tif;
    struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER,
                                  .session = SESSION,
                                  .key = g->keys,
                                  .instrument = g->instrument,
                                  .side = side,
                                  .tif = tif,
                                  .price = row->price,
                                  .quantity = row->quantity}};
    feed(g, &c);
}

static void emit_cancel(struct sb_generate *g, struct sb_flow_row *row)
{
    struct gen_instrument *b = &g->books[g->instrument];
    /* Of four, the nearest to its touch: about where the captures' cancels are. */
    uint32_t key = NO_ORDER;
    int64_t nearest = INT64_MAX;
    for (int i = 0; i < 4; i++) {
        const uint32_t candidate = b->open[below(g, b->n)];
        const struct gen_order *o = &g->orders[candidate];
        int32_t best = o->ticks;
        (void)touch(g, g->instrument, o->side, &best);
        const int64_t distance = llabs((int64_t)best - o->ticks);
        if (distance < nearest) {
            nearest = distance;
            key = candidate;
        }
    }
    const struct gen_order *o = &g->orders[key];
    row->op = SB_FLOW_CANCEL;
    row->order_id = key;
    row->side = o->side;
    row->quantity =
        per_mille(g, GEN_CANCEL_ALL) || o->open == 1 ? o->open : 1 + below(g, o->open - 1);
    struct sb_command2 c = {
        .c = {.kind = SB_CMD_REDUCE, .session = SESSION, .key = key, .quantity = row->quantity}};
    feed(g, &c);
}

/* Continuous trading: a cancel, an aggressor or a passive order. */
static void emit_continuous(struct sb_generate *g, struct sb_flow_row *row)
{
    struct gen_instrument *b = &g->books[g->instrument];
    const uint32_t cancel = b->n > GEN_OPEN_MAX ? 600 : b->n < GEN_OPEN_MIN ? 0 : GEN_CANCEL;
    if (per_mille(g, cancel)) {
        emit_cancel(g, row);
        return;
    }
    const uint8_t side = per_mille(g, GEN_SAME_SIDE) ? b->last_side : b->last_side ^ 1u;
    const int32_t sign = side == SB_BUY ? 1 : -1; /* towards the other side */
    b->last_side = side;
    int32_t own = 0, other = 0;
    const bool has_other = touch(g, g->instrument, side ^ 1u, &other);
    if (!touch(g, g->instrument, side, &own))
        own = has_other ? other - sign : b->last_ticks;
    if (has_other && per_mille(g, GEN_AGGRESSOR)) {
        const uint8_t tif = per_mille(g, GEN_IOC) ? SB_TIF_IOC : SB_TIF_DAY;
        emit_new(g, row, side, other + sign * draw(g, GEN_BEYOND),
                 (uint32_t)draw(g, GEN_LOTS_AGGRESSOR), tif);
        return;
    }
    int32_t ticks = own - sign * draw(g, GEN_DISTANCE);
    if (has_other && (ticks - other) * sign >= 0)
        ticks = other - sign; /* passive means passive */
    emit_new(g, row, side, ticks, (uint32_t)draw(g, GEN_LOTS_PASSIVE), SB_TIF_DAY);
}

/* Call auction: orders around the last price, one in three through it. */
static void emit_auction(struct sb_generate *g, struct sb_flow_row *row)
{
    struct gen_instrument *b = &g->books[g->instrument];
    if (b->n > GEN_OPEN_MIN && per_mille(g, 100)) {
        emit_cancel(g, row);
        return;
    }
    const uint8_t side = (uint8_t)below(g, 2);
    const int32_t sign = side == SB_BUY ? 1 : -1;
    const int32_t distance = draw(g, GEN_DISTANCE) + 1;
    const int32_t ticks = b->last_ticks + (below(g, 3) == 0 ? sign : -sign) * distance;
    emit_new(g, row, side, ticks, (uint32_t)draw(g, GEN_LOTS_PASSIVE), SB_TIF_DAY);
}

static void emit_phase(struct sb_generate *g, struct sb_flow_row *row, uint8_t phase)
{
    row->op = SB_FLOW_PHASE;
    row->phase = phase;
    struct sb_command2 c = {.c = {.kind = SB_CMD_PHASE, .instrument = SB_INSTRUMENT_ALL}};
    if (phase == SB_FLOW_UNCROSS)
        c.c.kind = SB_CMD_UNCROSS;
    else
        c.c.phase = phase == SB_FLOW_AUCTION ? SB_PHASE_AUCTION : SB_PHASE_CONTINUOUS;
    feed(g, &c);
}

static void day_begin(struct sb_generate *g, uint32_t number)
{
    const uint32_t rows = g->events / g->days + (number < g->events % g->days ? 1 : 0);
    const uint32_t orders = rows - 5; /* five phase rows */
    g->day = (struct gen_day){.number = number,
                              .open = orders * GEN_AUCTION_OPEN / 1000 + 1,
                              .close = orders * GEN_AUCTION_CLOSE / 1000 + 1};
    g->day.continuous = orders - g->day.open - g->day.close;
    g->gap_sum_ns = 0;
}

/* An instrument for the next row: the last one again, or any, the first ones more often. */
static void choose_instrument(struct sb_generate *g)
{
    if (per_mille(g, GEN_SAME_INSTRUMENT))
        return;
    const uint64_t u = sb_random_next(&g->random) >> 44, squared = u * u >> 20; /* 20 bits */
    g->instrument = 1 + (uint32_t)(squared * g->instruments >> 20);
}

/* Time of row `i` of `n` evenly spread over from_s..to_s of the day. */
static uint64_t spread_ns(uint32_t from_s, uint32_t to_s, uint32_t i, uint32_t n)
{
    const uint64_t from = (uint64_t)from_s * NS_PER_S, span = (uint64_t)(to_s - from_s) * NS_PER_S;
    return from + sb_multiply_divide(span, i + 1, n + 1);
}

static uint64_t continuous_ns(struct sb_generate *g)
{
    const uint64_t span = (uint64_t)(GEN_CLOSE_S - GEN_CONTINUOUS_S) * NS_PER_S;
    g->gap_sum_ns += (uint64_t)draw(g, GEN_GAP_NS);
    const uint64_t planned = gap_mean_ns() * g->day.continuous;
    const uint64_t at = sb_multiply_divide(g->gap_sum_ns, span, planned + 1);
    return (uint64_t)GEN_CONTINUOUS_S * NS_PER_S + (at < span ? at : span - 1);
}

/* One row of the day; its time since that day's midnight. */
static uint64_t day_row(struct sb_generate *g, struct sb_flow_row *row)
{
    const struct gen_day *d = &g->day;
    uint32_t i = g->day.row++;
    if (i == 0) {
        emit_phase(g, row, SB_FLOW_AUCTION);
        return (uint64_t)GEN_OPEN_S * NS_PER_S;
    }
    i -= 1;
    if (i < d->open) {
        choose_instrument(g);
        emit_auction(g, row);
        return spread_ns(GEN_OPEN_S, GEN_UNCROSS_S, i, d->open);
    }
    i -= d->open;
    if (i < 2) {
        emit_phase(g, row, i == 0 ? SB_FLOW_UNCROSS : SB_FLOW_CONTINUOUS);
        return (uint64_t)(i == 0 ? GEN_UNCROSS_S : GEN_CONTINUOUS_S) * NS_PER_S;
    }
    i -= 2;
    if (i < d->continuous) {
        choose_instrument(g);
        emit_continuous(g, row);
        return continuous_ns(g);
    }
    i -= d->continuous;
    if (i == 0) {
        emit_phase(g, row, SB_FLOW_AUCTION);
        return (uint64_t)GEN_CLOSE_S * NS_PER_S;
    }
    i -= 1;
    if (i < d->close) {
        choose_instrument(g);
        emit_auction(g, row);
        return spread_ns(GEN_CLOSE_S, GEN_END_S, i, d->close);
    }
    emit_phase(g, row, SB_FLOW_UNCROSS);
    return (uint64_t)GEN_END_S * NS_PER_S;
}

bool sb_generate_next(struct sb_generate *g, struct sb_flow_row *row)
{
    if (g->made == g->events)
        return false;
    const struct gen_day *d = &g->day;
    if (d->row == d->open + d->continuous + d->close + 5)
        day_begin(g, d->number + 1);
    memset(row, 0, sizeof *row);
    memset(row->symbol, ' ', sizeof row->symbol);
    const uint64_t day_ns = UINT64_C(86400) * NS_PER_S;
    row->time_ns = g->day.number * day_ns + day_row(g, row);
    if (row->op != SB_FLOW_PHASE)
        sb_generate_symbol(g->instrument, row->symbol);
    g->made++;
    return true;
}

void sb_generate_symbol(uint32_t instrument, char symbol[8])
{
    char text[16];
    snprintf(text, sizeof text, "GEN%-5u", instrument);
    memcpy(symbol, text, 8);
}

/* ---- start ---- */

static void set_up(struct sb_generate *g)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                            .ext.day.rules = SB_ENGINE_RULES};
    feed(g, &c);
    c = (struct sb_command2){.c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = SESSION}};
    feed(g, &c);
    for (uint32_t i = 1; i <= g->instruments; i++) {
        c = (struct sb_command2){
            .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i},
            .ext.instrument = {.tick = SB_GENERATE_TICK,
                               .price_min = SB_GENERATE_TICK,
                               .price_max = SB_PRICE_MAX,
                               .lot = 1,
                               .quantity_max = SB_QUANTITY_MAX / 2,
                               .phase = SB_PHASE_CLOSED}};
        sb_generate_symbol(i, c.ext.instrument.symbol);
        feed(g, &c);
        g->books[i].last_ticks = 500 + (int32_t)below(g, 20000);
        g->books[i].last_side = (uint8_t)below(g, 2);
    }
}

struct sb_generate *sb_generate_new(uint64_t seed, uint32_t events, uint32_t instruments)
{
    SB_ASSERT(events >= SB_GENERATE_EVENTS_MIN && events <= SB_GENERATE_EVENTS_MAX);
    SB_ASSERT(instruments >= 1 && instruments <= SB_GENERATE_INSTRUMENTS_MAX);
    /* Cancels keep a book near GEN_OPEN_MAX; the auctions of a day add less than as much again. */
    const uint32_t room = instruments * 3 * GEN_OPEN_MAX;
    const uint32_t orders = events < room ? events : room;
    const struct sb_engine_limits limits = {.instruments_max = instruments,
                                            .sessions_max = SESSION,
                                            .orders_max = orders,
                                            .levels_max = orders,
                                            .terms_max = 1024,
                                            .window_levels = 256};
    struct sb_generate *g = calloc(1, sizeof *g);
    if (g == NULL)
        return NULL;
    const size_t bytes = (sb_engine_footprint(&limits) + 63) / 64 * 64;
    const uint32_t cap = sb_engine_outputs_max(&limits, 1, false);
    g->random = seed;
    g->events = events;
    g->instruments = instruments;
    g->days = (uint32_t)(1 + (uint64_t)(events - 1) / ((uint64_t)instruments * GEN_DAY_EVENTS));
    g->instrument = 1;
    g->orders = calloc((size_t)events + 1, sizeof *g->orders);
    g->books = calloc((size_t)instruments + 1, sizeof *g->books);
    g->box = (struct sb_outbox){.out = malloc((size_t)cap * sizeof *g->box.out), .cap = cap};
    g->memory = aligned_alloc(64, bytes);
    if (g->orders == NULL || g->books == NULL || g->box.out == NULL || g->memory == NULL) {
        sb_generate_free(g);
        return NULL;
    }
    memset(g->memory, 0, bytes);
    g->engine = sb_engine_new(g->memory, bytes, &limits);
    set_up(g);
    day_begin(g, 0);
    return g;
}

void sb_generate_free(struct sb_generate *g)
{
    if (g == NULL)
        return;
    for (uint32_t i = 0; g->books != NULL && i <= g->instruments; i++)
        free(g->books[i].open);
    free(g->books);
    free(g->orders);
    free(g->box.out);
    free(g->memory);
    free(g);
}
