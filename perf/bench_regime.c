/* bench_regime.c: flow around a middle price that stands, wanders, swings or falls.
 *
 * New orders rest at a distance from the middle that follows a power law (half as many at twice the distance), never
 * crossing the other side; 15 of 100 are IOC, small, at the touch or behind it. About one message in ten is a modify
 * that draws a new price. The rest are cancels: of a few orders looked at, the one that the middle has passed, if there is
 * one, as market makers do; so nearly all orders end canceled. The flow knows the book because it is fed to an engine
 * as it is made. */
#include <stdlib.h>

#include "perf/bench_workload.h"
#include "perf/id_map.h"
#include "perf/random.h"
#include "shadowbook/assert.h"

struct regime {
    const char *name;
    uint32_t resting; /* about so many orders rest */
    uint32_t scale,
        depth; /* ticks: half of the orders are nearer than scale, none deeper than depth */
    uint32_t move_every, move; /* one message in so many moves the middle by up to so many ticks */
    uint32_t span;             /* the middle stays so near to where it began */
    uint32_t fall_every, fall; /* so many messages let it fall by so many ticks */
};

static const struct regime REGIMES[SB_REGIMES] = {
    {.name = "fixed", .resting = 20900, .scale = 10, .depth = 30, .move_every = 1},
    {.name = "normal",
     .resting = 2700,
     .scale = 16,
     .depth = 160,
     .move_every = 50,
     .move = 1,
     .span = 1000000},
    {.name = "swing-1",
     .resting = 1300,
     .scale = 240,
     .depth = 1600,
     .move_every = 100,
     .move = 20,
     .span = 2000},
    {.name = "swing-2",
     .resting = 700,
     .scale = 240,
     .depth = 1600,
     .move_every = 50,
     .move = 40,
     .span = 2000},
    {.name = "crash",
     .resting = 2000,
     .scale = 40,
     .depth = 400,
     .move_every = 1,
     .fall_every = 8,
     .fall = 3},
};

enum {
    START_TICKS = 2000000,
    LOT = 100,
    PER_MODIFY = 100, /* in 1/1000 */
    PER_IOC = 150,
    PER_IOC_MISS = 400,
    PER_AGGRESSIVE_DAY = 10,
    PER_LATE = 10,
    CANCEL_LOOKS = 6
};

struct order {
    uint64_t id;
    uint32_t ticks, total, open;
    uint32_t at; /* in the list of those that rest */
    uint16_t session;
    uint8_t side;
    bool rests;
};

struct flow {
    const struct regime *regime;
    struct sb_workload *w;
    struct sb_bench_adapter adapter;
    struct sb_report_ring *ring;
    uint64_t random, seed;
    struct order *orders; /* by number, from 1 */
    uint32_t *resting;
    uint32_t orders_n, resting_n;
    struct sb_id_map numbers;
    uint32_t mid;
};

static uint32_t below(struct flow *f, uint32_t n)
{
    return sb_random_below(&f->random, n);
}

static bool per_mille(struct flow *f, uint32_t share)
{
    return below(f, 1000) < share;
}

/* 0..depth: the share that is deeper than d is scale / (scale + d). */
static uint32_t distance(struct flow *f)
{
    for (;;) {
        const uint64_t u = 1 + (sb_random_next(&f->random) >> 44); /* 1..2^20 */
        const uint64_t d = ((uint64_t)f->regime->scale << 20) / u - f->regime->scale;
        if (d < f->regime->depth)
            return (uint32_t)d;
    }
}

/* Best price of a side in ticks, or what the middle suggests. */
static uint32_t touch(const struct flow *f, uint8_t side)
{
    int64_t price;
    uint64_t quantity;
    if (sb_engine_best(f->adapter.engine.engine, 1, side, &price, &quantity))
        return (uint32_t)(price / SB_BENCH_TICK);
    return side == SB_BUY ? f->mid - 1 : f->mid + 1;
}

static uint32_t passive_ticks(struct flow *f, uint8_t side)
{
    const uint32_t d = 1 + distance(f), other = touch(f, side ^ 1u);
    if (side == SB_BUY)
        return f->mid - d < other ? f->mid - d : other - 1;
    return f->mid + d > other ? f->mid + d : other + 1;
}

/* ---- what rests ---- */

static void forget(struct flow *f, uint32_t number)
{
    const uint32_t at = f->orders[number].at, moved = f->resting[--f->resting_n];
    f->resting[at] = moved;
    f->orders[moved].at = at;
    f->orders[number].rests = false;
}

static void remember(struct flow *f, uint32_t number)
{
    f->orders[number].at = f->resting_n;
    f->orders[number].rests = true;
    f->resting[f->resting_n++] = number;
}

static void trade(struct flow *f, struct order *taker, const struct sb_report *r)
{
    const uint32_t number = sb_id_map_find(&f->numbers, r->id);
    struct order *maker = &f->orders[number];
    taker->open -= r->quantity;
    maker->open -= r->quantity;
    if (maker->open == 0)
        forget(f, number);
}

/* Runs the message that was just made, and follows what becomes of orders. */
static void settle(struct flow *f, uint32_t number, const struct sb_bench_message *m)
{
    struct order *o = &f->orders[number];
    bool alive = o->rests || m->kind == SB_CMD_ORDER;
    sb_bench_adapter_apply(&f->adapter, m, f->ring);
    const uint64_t n = sb_report_ring_ready(f->ring);
    for (uint64_t i = 0; i < n; i++) {
        const struct sb_report *r = sb_report_ring_at(f->ring, i);
        if (r->kind == SB_REPORT_TRADE)
            trade(f, o, r);
        alive = alive && r->kind != SB_REPORT_CANCEL_ACK;
    }
    sb_report_ring_taken(f->ring, n);
    alive = alive && o->open != 0;
    if (alive && !o->rests)
        remember(f, number);
    else if (!alive && o->rests)
        forget(f, number);
}

/* ---- messages ---- */

static bool make_order(struct flow *f)
{
    const bool crash = f->regime->fall != 0;
    const uint32_t number = ++f->orders_n;
    struct order *o = &f->orders[number];
    const bool ioc = per_mille(f, PER_IOC);
    o->id = sb_random_scramble(f->seed + number);
    o->side = (uint8_t)(ioc && crash ? !per_mille(f, 200) : below(f, 2));
    o->session = (uint16_t)(1 + below(f, f->w->sizes.limits.sessions_max));
    o->total = LOT * (1 + below(f, ioc ? 8 : 50));
    if (ioc && crash && o->side == SB_SELL) { /* takes all that the fall has passed */
        o->ticks = f->mid;
        o->total *= 20;
    } else if (ioc) {
        o->ticks = touch(f, per_mille(f, PER_IOC_MISS) ? o->side : o->side ^ 1u);
    } else if (per_mille(f, PER_AGGRESSIVE_DAY)) {
        o->ticks = touch(f, o->side ^ 1u);
    } else {
        o->ticks = passive_ticks(f, o->side);
    }
    o->open = o->total;
    if (!sb_id_map_add(&f->numbers, o->id, number))
        return false;
    struct sb_bench_message *m = sb_workload_next(f->w, SB_CMD_ORDER, o->id);
    m->session = o->session;
    m->side = o->side;
    m->tif = ioc ? SB_TIF_IOC : SB_TIF_DAY;
    m->price = o->ticks * SB_BENCH_TICK;
    m->quantity = o->total;
    settle(f, number, m);
    return true;
}

static struct sb_bench_message *again(struct flow *f, uint32_t number, uint8_t kind)
{
    struct sb_bench_message *m = sb_workload_next(f->w, kind, f->orders[number].id);
    m->session = f->orders[number].session;
    m->side = f->orders[number].side;
    return m;
}

/* One that rests; now and then any that ever was: its owner has not heard yet that it is gone. */
static uint32_t pick(struct flow *f)
{
    return per_mille(f, PER_LATE) ? 1 + below(f, f->orders_n) : f->resting[below(f, f->resting_n)];
}

static void make_modify(struct flow *f)
{
    const uint32_t number = pick(f);
    struct order *o = &f->orders[number];
    struct sb_bench_message *m = again(f, number, SB_CMD_REPLACE);
    o->ticks = passive_ticks(f, o->side);
    m->price = o->ticks * SB_BENCH_TICK;
    m->quantity = o->total;
    settle(f, number, m);
}

static bool passed(const struct flow *f, const struct order *o)
{
    return o->side == SB_BUY ? o->ticks >= f->mid : o->ticks <= f->mid;
}

static void make_cancel(struct flow *f)
{
    uint32_t number = 0;
    for (int i = 0; i < CANCEL_LOOKS; i++) {
        number = pick(f);
        if (passed(f, &f->orders[number]))
            break;
    }
    settle(f, number, again(f, number, SB_CMD_CANCEL));
}

static void move(struct flow *f)
{
    const struct regime *r = f->regime;
    if (r->fall != 0) {
        /* The book fills first. */
        if (f->w->n > f->w->cap / 8 && f->w->n % r->fall_every == 0 && f->mid > 10000)
            f->mid -= r->fall;
        return;
    }
    if (r->move == 0 || below(f, r->move_every) != 0)
        return;
    f->mid += below(f, 2 * r->move + 1);
    f->mid -= r->move;
    if (f->mid > START_TICKS + r->span)
        f->mid = START_TICKS + r->span;
    if (f->mid < START_TICKS - r->span)
        f->mid = START_TICKS - r->span;
}

/* Of messages that are no modifies, in 1/1000: more while the book fills, fewer when it is above its size. */
static uint32_t share_of_orders(const struct flow *f)
{
    if (f->resting_n < f->regime->resting / 2)
        return 900;
    return f->resting_n < f->regime->resting ? 620 : 440;
}

static bool make_all(struct flow *f)
{
    while (f->w->n < f->w->cap) {
        move(f);
        if (f->resting_n == 0) {
            if (!make_order(f))
                return false;
        } else if (per_mille(f, PER_MODIFY)) {
            make_modify(f);
        } else if (per_mille(f, share_of_orders(f))) {
            if (!make_order(f))
                return false;
        } else {
            make_cancel(f);
        }
    }
    return true;
}

const char *sb_regime_name(uint32_t regime)
{
    return REGIMES[regime].name;
}

bool sb_regime_make(struct sb_workload *w, uint32_t regime,
                    const struct sb_workload_options *options)
{
    struct flow *f = calloc(1, sizeof *f);
    if (f == NULL)
        return false;
    f->regime = &REGIMES[regime];
    f->w = w;
    f->mid = START_TICKS;
    f->random = options->seed + regime;
    f->seed = sb_random_next(&f->random);
    f->orders = calloc(w->cap + 1, sizeof *f->orders);
    f->resting = calloc(w->cap + 1, sizeof *f->resting);
    f->ring = aligned_alloc(128, sizeof *f->ring);
    bool good = f->orders != NULL && f->resting != NULL && f->ring != NULL;
    if (good) {
        *f->ring = (struct sb_report_ring){0};
        good = sb_bench_adapter_open(&f->adapter, &w->sizes, SB_BENCH_DIRECT);
    }
    if (good)
        good = make_all(f);
    sb_bench_adapter_close(&f->adapter);
    sb_id_map_free(&f->numbers);
    free(f->orders);
    free(f->resting);
    free(f->ring);
    free(f);
    return good;
}
