/* test_carry.c: what goes over to the next day: whatever a day was, its GTC and GTD orders stand in the next one as they stood at
 * its end, with all that they have; and what a next day that does nothing leaves is the same again.
 *
 * Not here: what is refused (tests/rules 19), files (tests/recovery). */
#include <stdlib.h>
#include <string.h>

#include "engine/book.h"
#include "engine/rest.h"
#include "tests/differential/random_flow.h"
#include "tests/engine/rig.h"

enum { FLOWS = 3200, COMMANDS = 900 };

struct day {
    struct sb_engine *e;
    void *memory;
    struct sb_outbox box;
};

static void day_open(struct day *d, const struct sb_engine_limits *limits)
{
    const size_t bytes = (sb_engine_footprint(limits) + 63) & ~(size_t)63;
    d->memory = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(d->memory);
    memset(d->memory, 0, bytes);
    d->e = sb_engine_new(d->memory, bytes, limits);
    d->box = (struct sb_outbox){.cap = sb_engine_outputs_max(limits, 1, true)};
    d->box.out = malloc((size_t)d->box.cap * sizeof *d->box.out);
    ck_assert_ptr_nonnull(d->box.out);
}

static void day_close(struct day *d)
{
    free(d->box.out);
    free(d->memory);
}

static void apply(struct day *d, const struct sb_command2 *command)
{
    struct sb_command2 c = *command;
    c.c.seq = sb_engine_applied(d->e) + 1;
    if (c.c.time_ns <= sb_engine_last_time_ns(d->e))
        c.c.time_ns = sb_engine_last_time_ns(d->e) + 1;
    sb_engine_seal(d->e, &d->box);
    sb_engine_apply(d->e, &c.c, &d->box);
}

/* As an operator ends a day. */
static void end(struct day *d)
{
    apply(d, &(struct sb_command2){.c = {.kind = SB_CMD_PHASE,
                                         .instrument = SB_INSTRUMENT_ALL,
                                         .phase = SB_PHASE_CLOSED}});
    apply(d, &(struct sb_command2){.c = {.kind = SB_CMD_TIMER, .instrument = SB_INSTRUMENT_ALL}});
}

/* --- orders that go over ---------------------------------------------------------------------------- */

struct carried {
    struct sb_command2 c;
    uint64_t rank, at;
};

struct list {
    struct carried *all;
    size_t n, cap;
};

static void collect(void *arg, const struct sb_command2 *carry, uint64_t rank)
{
    struct list *l = arg;
    if (l->n == l->cap) {
        l->cap = 2 * l->cap + 64;
        l->all = realloc(l->all, l->cap * sizeof *l->all);
        ck_assert_ptr_nonnull(l->all);
    }
    l->all[l->n] = (struct carried){*carry, rank, l->n};
    l->n++;
}

static int by_rank(const void *left, const void *right)
{
    const struct carried *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

static struct list list_of(const struct sb_engine *e)
{
    struct list l = {0};
    sb_engine_visit_carried(e, collect, &l);
    if (l.n != 0)
        qsort(l.all, l.n, sizeof *l.all, by_rank);
    return l;
}

/* Is the partner of the order at `i` before it? */
static bool partner_before(const struct list *l, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (l->all[k].c.c.session == l->all[i].c.c.session &&
            l->all[k].c.c.key == l->all[i].c.ext.order.oco_key)
            return true;
    return false;
}

/* --- the next day ------------------------------------------------------------------------------------ */

/* Sessions and instruments as they were, without the limits that a day's flow may have got around: an amend, a moved reference. */
static void define(struct day *next, const struct day *ended)
{
    apply(next, &(struct sb_command2){.c = {.kind = SB_CMD_DAY,
                                            .flags = SB_CMD_F_EXT,
                                            .time_ns = sb_engine_last_time_ns(ended->e)},
                                      .ext.day.rules = SB_ENGINE_RULES});
    for (uint32_t i = 1; i <= sb_engine_limits_of(ended->e)->sessions_max; i++) {
        const struct sb_session_view *v = sb_engine_session(ended->e, i);
        if (v->defined)
            apply(next, &(struct sb_command2){.c = {.kind = SB_CMD_SESSION,
                                                    .flags = SB_CMD_F_EXT,
                                                    .key = i,
                                                    .firm = v->firm}});
    }
    for (uint32_t i = 1; i <= sb_engine_instruments(ended->e); i++) {
        const struct sb_instrument_view *v = sb_engine_instrument(ended->e, i);
        struct sb_command2 c = {
            .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i},
            .ext.instrument = {.tick = v->tick,
                               .price_min = v->price_min,
                               .price_max = v->price_max,
                               .lot = v->lot,
                               .quantity_max = v->quantity_max,
                               .matching = v->matching,
                               .phase = SB_PHASE_CLOSED}};
        memcpy(c.ext.instrument.symbol, v->symbol, 8);
        if (v->defined)
            apply(next, &c);
    }
}

static void enter(struct day *next, const struct list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct sb_command2 c = l->all[i].c;
        if (c.ext.order.oco_key != 0 && !partner_before(l, i))
            c.ext.order.oco_key = 0;
        next->box.n = 0;
        apply(next, &c);
        ck_assert_uint_ge(next->box.n, 1);
        ck_assert_msg(next->box.out[0].kind == SB_OUT_ACCEPTED, "order %zu of %zu: reason %u", i,
                      l->n, next->box.out[0].reason);
        ck_assert_uint_eq(next->box.out[0].key, c.c.key);
        ck_assert_uint_eq(next->box.out[0].quantity, c.c.quantity);
    }
}

/* Two lists of one instrument's orders, in book order; in `parked` by name, as their order is that of their references. */
struct book {
    struct sb_order_view all[4096];
    size_t n, parked;
};

static void see(void *arg, const struct sb_order_view *o)
{
    struct book *b = arg;
    ck_assert_uint_lt(b->n, sizeof b->all / sizeof *b->all);
    b->all[b->n++] = *o;
    b->parked += o->state == SB_STATE_PARKED;
}

static void expect_same_books(const struct day *a, const struct day *b)
{
    static struct book x, y;
    for (uint32_t i = 1; i <= sb_engine_instruments(a->e); i++) {
        x.n = y.n = x.parked = y.parked = 0;
        sb_engine_visit_all(a->e, i, see, &x);
        sb_engine_visit_all(b->e, i, see, &y);
        ck_assert_uint_eq(x.n, y.n);
        ck_assert_uint_eq(x.parked, y.parked);
        for (size_t k = 0; k < x.n - x.parked; k++) { /* displayed and dark: place by place */
            const struct sb_order_view *p = &x.all[k], *q = &y.all[k];
            ck_assert(p->session == q->session && p->key == q->key && p->price == q->price &&
                      p->open == q->open && p->reserve == q->reserve &&
                      p->executed == q->executed && p->side == q->side && p->state == q->state &&
                      p->tif == q->tif && p->capacity == q->capacity && p->limit == q->limit);
        }
    }
}

/* The stops' queues: who is triggered before whom. */
static void expect_same_stops(const struct day *a, const struct day *b)
{
    for (uint32_t i = 1; i <= sb_engine_instruments(a->e); i++)
        for (uint32_t side = 0; side < 2; side++) {
            const struct sb_tail *s = &a->e->rare[i].stops[side], *t = &b->e->rare[i].stops[side];
            uint32_t p = sb_tail_first(s);
            uint32_t q = sb_tail_first(t);
            while (p != 0 && q != 0) {
                const struct sb_tail_leaf *m = &a->e->rare_levels.leaves[p];
                const struct sb_tail_leaf *n = &b->e->rare_levels.leaves[q];
                ck_assert_uint_eq(m->key, n->key);
                uint32_t u = m->level.head, v = n->level.head;
                for (; u != 0 && v != 0;
                     u = a->e->orders.slots[u].next, v = b->e->orders.slots[v].next)
                    ck_assert_uint_eq(a->e->orders.slots[u].id, b->e->orders.slots[v].id);
                ck_assert_uint_eq(u, v); /* both at their end */
                p = sb_tail_after(s, &a->e->rare_levels, m->key);
                q = sb_tail_after(t, &b->e->rare_levels, n->key);
            }
            ck_assert_uint_eq(p, q);
        }
}

struct seen {
    size_t orders, executed, slices, stops, trails, pegs, hidden, minimums, all_or_none, partners,
        dated, post_only, behind;
};

/* What there was of each kind; and how many stood behind a younger one in the same queue. */
static void count(struct seen *s, const struct list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const union sb_command_ext *x = &l->all[i].c.ext;
        s->orders++;
        s->executed += x->carry.executed != 0;
        s->slices += x->carry.shown != 0 && x->carry.shown != x->order.display_quantity;
        s->stops += x->order.type == SB_TYPE_STOP || x->order.type == SB_TYPE_STOP_LIMIT;
        s->trails += x->order.type == SB_TYPE_TRAILING_STOP;
        s->pegs += x->order.peg != SB_PEG_NONE;
        s->hidden += (x->order.attributes & SB_ATTR_HIDDEN) != 0;
        s->post_only += (x->order.attributes & SB_ATTR_POST_ONLY) != 0;
        s->all_or_none += (x->order.attributes & SB_ATTR_ALL_OR_NONE) != 0;
        s->minimums += x->order.min_quantity != 0;
        s->partners += x->order.oco_key != 0;
        s->dated += l->all[i].c.c.tif == SB_TIF_GTD;
        s->behind += i > 0 && l->all[i].rank == l->all[i - 1].rank;
    }
}

static void go_over(uint64_t seed, struct seen *seen)
{
    struct random_flow flow;
    struct day ended, next;
    random_flow_make(&flow, seed, COMMANDS);
    day_open(&ended, &flow.limits);
    for (uint32_t i = 0; i < flow.n; i++)
        apply(&ended, &flow.commands[i]);
    end(&ended);
    struct list before = list_of(ended.e);
    day_open(&next, &flow.limits);
    define(&next, &ended);
    enter(&next, &before);
    struct list after = list_of(next.e);
    ck_assert_uint_eq(before.n, after.n);
    for (size_t i = 0; i < before.n; i++)
        ck_assert_mem_eq(&before.all[i].c, &after.all[i].c, sizeof before.all[i].c);
    ck_assert_uint_eq(sb_engine_stats(next.e)->open_orders, sb_engine_stats(ended.e)->open_orders);
    expect_same_books(&ended, &next);
    expect_same_stops(&ended, &next);
    count(seen, &before);
    free(before.all);
    free(after.all);
    day_close(&ended);
    day_close(&next);
    free(flow.commands);
}

START_TEST(stands_as_it_stood)
{
    struct seen s = {0};
    for (uint64_t seed = 1; seed <= FLOWS; seed++)
        go_over(seed, &s);
    ck_assert_uint_gt(s.orders, 5000);
    const size_t kinds[] = {s.executed, s.slices,   s.stops,       s.trails,    s.pegs,  s.hidden,
                            s.minimums, s.partners, s.all_or_none, s.post_only, s.dated, s.behind};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        ck_assert_msg(kinds[i] > 3, "kind %zu: only %zu", i, kinds[i]);
}
END_TEST

/* --- by hand ----------------------------------------------------------------------------------------- */

/* What session 1 sends on the ended day, key by key, and session 2 before it (an IOC sell); and what is left of it. */
struct kind {
    struct {
        uint32_t quantity;
        int64_t price;
    } taken;
    uint8_t side, tif;
    uint32_t quantity;
    int64_t price;
    struct {
        uint32_t display, minimum, oco, trail, range;
        int32_t offset;
        int64_t stop;
        uint64_t expire_ns;
        uint8_t type, attributes, peg;
    } terms;
    uint32_t open, executed, shown; /* open 0: it ends with its day */
    int64_t stop;
    uint8_t type;
    uint8_t place; /* in which it is entered, from 1 */
};

/* Trades at 98000 (70 of key 3), then 99000 (40 of key 4, and 10 before key 13). */
static const struct kind KINDS[] = {
    {.side = SB_SELL, /* 1: triggered at 98000, comes to rest behind key 2 */
     .tif = SB_TIF_GTC,
     .quantity = 10,
     .price = 130000,
     .terms = {.type = SB_TYPE_STOP_LIMIT, .stop = 98000},
     .open = 10,
     .type = SB_TYPE_LIMIT,
     .place = 2},
    {.side = SB_SELL, .tif = SB_TIF_GTC, .quantity = 10, .price = 130000, .open = 10, .place = 1},
    {.side = SB_BUY, /* 3 */
     .tif = SB_TIF_GTC,
     .quantity = 300,
     .price = 98000,
     .terms = {.display = 100, .range = 20},
     .open = 230,
     .executed = 70,
     .place = 3},
    {.taken = {70, 98000},
     .side = SB_BUY, /* 4 */
     .tif = SB_TIF_GTC,
     .quantity = 100,
     .price = 99000,
     .open = 50,
     .executed = 50,
     .place = 4},
    {.taken = {40, 99000},
     .side = SB_SELL, /* 5 */
     .tif = SB_TIF_GTC,
     .quantity = 50,
     .price = 110000,
     .terms = {.attributes = SB_ATTR_HIDDEN},
     .open = 50,
     .place = 5},
    {.side = SB_SELL_SHORT, /* 6 */
     .tif = SB_TIF_GTD,
     .quantity = 50,
     .price = 111000,
     .terms = {.attributes = SB_ATTR_POST_ONLY, .expire_ns = UINT64_C(90) * 1000000000},
     .open = 50,
     .place = 6},
    {.side = SB_BUY, /* 7 */
     .tif = SB_TIF_GTC,
     .quantity = 50,
     .price = 97000,
     .terms = {.attributes = SB_ATTR_ALL_OR_NONE},
     .open = 50,
     .place = 7},
    {.side = SB_BUY, /* 8 */
     .tif = SB_TIF_GTC,
     .quantity = 50,
     .price = 96000,
     .terms = {.minimum = 20},
     .open = 50,
     .place = 8},
    {.side = SB_SELL, /* 9 */
     .tif = SB_TIF_GTC,
     .quantity = 30,
     .terms = {.type = SB_TYPE_STOP, .stop = 90000},
     .open = 30,
     .stop = 90000,
     .type = SB_TYPE_STOP,
     .place = 9},
    {.side = SB_SELL_SHORT_EXEMPT, /* 10 */
     .tif = SB_TIF_GTC,
     .quantity = 30,
     .price = 89000,
     .terms = {.type = SB_TYPE_STOP_LIMIT, .stop = 90000},
     .open = 30,
     .stop = 90000,
     .type = SB_TYPE_STOP_LIMIT,
     .place = 10},
    {.side = SB_SELL, /* 11: follows to 5000 below 99000 */
     .tif = SB_TIF_GTC,
     .quantity = 30,
     .terms = {.type = SB_TYPE_TRAILING_STOP, .stop = 80000, .trail = 5000},
     .open = 30,
     .stop = 94000,
     .type = SB_TYPE_TRAILING_STOP,
     .place = 11},
    {.side = SB_BUY, /* 12 */
     .tif = SB_TIF_GTC,
     .quantity = 40,
     .price = 98500,
     .terms = {.peg = SB_PEG_PRIMARY, .offset = -200},
     .open = 40,
     .place = 12},
    {.taken = {10, 99000},
     .side = SB_SELL, /* 13 */
     .tif = SB_TIF_GTC,
     .quantity = 40,
     .terms = {.peg = SB_PEG_MIDPOINT},
     .open = 40,
     .place = 13},
    {.side = SB_SELL, .tif = SB_TIF_GTC, .quantity = 20, .price = 120000, .open = 20, .place = 14},
    {.side = SB_SELL, /* 15: partner of 14 */
     .tif = SB_TIF_GTC,
     .quantity = 20,
     .terms = {.type = SB_TYPE_STOP, .stop = 85000, .oco = 14},
     .open = 20,
     .stop = 85000,
     .type = SB_TYPE_STOP,
     .place = 15},
    {.side = SB_SELL, .tif = SB_TIF_DAY, .quantity = 10, .price = 125000}, /* 16 */
    {.side = SB_SELL, /* 17: its partner ends with the day */
     .tif = SB_TIF_GTC,
     .quantity = 10,
     .price = 126000,
     .terms = {.oco = 16}},
    {.side = SB_BUY, /* 18: its time comes before the next day */
     .tif = SB_TIF_GTD,
     .quantity = 10,
     .price = 90000,
     .terms = {.expire_ns = UINT64_C(2) * 1000000000}},
};
enum { KINDS_N = sizeof KINDS / sizeof *KINDS, CARRIED_N = 15 };

static struct sb_command2 order_of(const struct kind *k, uint32_t key)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER,
                                  .flags = SB_CMD_F_EXT,
                                  .session = 1,
                                  .firm = 7,
                                  .key = key,
                                  .instrument = 1,
                                  .side = k->side,
                                  .tif = k->tif,
                                  .quantity = k->quantity,
                                  .price = k->price,
                                  .capacity = (uint8_t)('A' + key)}};
    c.ext.order.display_quantity = k->terms.display;
    c.ext.order.refresh_range = k->terms.range;
    c.ext.order.min_quantity = k->terms.minimum;
    c.ext.order.oco_key = k->terms.oco;
    c.ext.order.trail = k->terms.trail;
    c.ext.order.peg_offset = k->terms.offset;
    c.ext.order.stop_price = k->terms.stop;
    c.ext.order.expire_ns = k->terms.expire_ns;
    c.ext.order.type = k->terms.type;
    c.ext.order.attributes = k->terms.attributes;
    c.ext.order.peg = k->terms.peg;
    return c;
}

/* The ended day: an iceberg's first slice is not known by hand, what is left of it shows in the book. */
static uint32_t live(struct day *d)
{
    apply(d, &(struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT, .time_ns = 1},
                                   .ext.day.rules = SB_ENGINE_RULES});
    for (uint32_t i = 1; i <= 2; i++)
        apply(d,
              &(struct sb_command2){
                  .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = i, .firm = 6 + i}});
    apply(d, &(struct sb_command2){
                 .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 1},
                 .ext.instrument = {.symbol = "ONE     ",
                                    .tick = 100,
                                    .price_min = 100,
                                    .price_max = 1000000,
                                    .lot = 1,
                                    .quantity_max = 1000,
                                    .phase = SB_PHASE_CONTINUOUS}});
    for (uint32_t i = 0, key = 0; i < KINDS_N; i++) {
        if (KINDS[i].taken.quantity != 0)
            apply(d, &(struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                                 .session = 2,
                                                 .firm = 8,
                                                 .key = ++key,
                                                 .instrument = 1,
                                                 .side = SB_SELL,
                                                 .tif = SB_TIF_IOC,
                                                 .quantity = KINDS[i].taken.quantity,
                                                 .price = KINDS[i].taken.price}});
        const struct sb_command2 order = order_of(&KINDS[i], i + 1);
        apply(d, &order);
    }
    static struct book b;
    b.n = 0;
    sb_engine_visit_all(d->e, 1, see, &b);
    uint32_t shown = 0;
    for (size_t i = 0; i < b.n; i++)
        shown = b.all[i].key == 3 ? b.all[i].open : shown;
    ck_assert_uint_gt(shown, 0);
    ck_assert_uint_le(shown, 120 - 70);
    apply(d, &(struct sb_command2){.c = {.kind = SB_CMD_TIMER,
                                         .instrument = SB_INSTRUMENT_ALL,
                                         .time_ns = UINT64_C(2) * 1000000000 - 10}});
    end(d);
    return shown;
}

START_TEST(every_attribute)
{
    static const struct sb_engine_limits limits = {.instruments_max = 1,
                                                   .sessions_max = 2,
                                                   .orders_max = 64,
                                                   .levels_max = 64,
                                                   .terms_max = 64,
                                                   .window_levels = 64};
    struct day d;
    day_open(&d, &limits);
    const uint32_t shown = live(&d);
    apply(&d, &(struct sb_command2){.c = {.kind = SB_CMD_TIMER,
                                          .instrument = SB_INSTRUMENT_ALL,
                                          .time_ns = UINT64_C(2) * 1000000000}});
    struct list l = list_of(d.e);
    ck_assert_uint_eq(l.n, CARRIED_N);
    for (uint32_t i = 0; i < KINDS_N; i++) {
        const struct kind *k = &KINDS[i];
        if (k->open == 0)
            continue;
        struct sb_command2 wanted = order_of(k, i + 1);
        wanted.c.kind = SB_CMD_CARRY;
        wanted.c.display = (k->terms.attributes & SB_ATTR_HIDDEN) != 0 ? 'N' : 'Y';
        wanted.c.quantity = k->open;
        wanted.ext.order.type = k->type;
        wanted.ext.order.stop_price = k->stop;
        if (i + 1 == 14)
            wanted.ext.order.oco_key = 15;
        wanted.ext.carry.executed = k->executed;
        wanted.ext.carry.shown = k->terms.display != 0 ? shown : 0;
        const struct sb_command2 *got = &l.all[k->place - 1].c;
        ck_assert_msg(memcmp(got, &wanted, sizeof wanted) == 0, "key %u, got key %u", i + 1,
                      got->c.key);
    }
    free(l.all);
    day_close(&d);
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, stands_as_it_stood);
    tcase_add_test(tc, every_attribute);
}

int main(void)
{
    return rig_main("engine-carry", add);
}
