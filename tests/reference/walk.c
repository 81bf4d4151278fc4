/* walk.c: random commands of every kind and term into the reference, and what must hold after each.
 *
 *     reference-walk [SEED [RUNS [COMMANDS]]]
 *
 * It looks at what no second program is needed for: quantities are conserved, order by order; the feed alone rebuilds
 * the displayed book; the book is never crossed in continuous trading, nor could a dark order without a minimum trade;
 * whole means whole, a minimum is a minimum; no stop that was reached waits; no table overflows. It does not look at
 * priority or at the order of outputs: those are compared with the engine. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"
#include "tests/reference/reference_internal.h"
#include "tests/reference/walk_flow.h"

/* What the outputs said about an order: by session and key, and on the feed by reference. */
struct said {
    bool known;
    uint32_t open;
    int64_t price;
};

struct walk {
    struct sb_reference *r;
    struct sb_reference_outputs out;
    struct said orders[WALK_SESSIONS + 1][WALK_KEYS];
    struct said *feed; /* by reference */
    size_t feed_n;
    uint64_t stream_seq[WALK_SESSIONS + 1];
    uint64_t matches;
    uint64_t kinds[64], reasons[64];
};

#define HOLDS(w, what)                                                                             \
    do {                                                                                           \
        if (!(what))                                                                               \
            broken(w, #what, __LINE__);                                                            \
    } while (0)

static _Noreturn void broken(const struct walk *w, const char *what, int line)
{
    const struct sb_command *c = w->r->cmd;
    printf("walk.c:%d: does not hold after command %" PRIu64 " (kind %u session %u key %u): %s\n",
           line, c->seq, c->kind, c->session, c->key, what);
    for (size_t i = 0; i < w->out.n && i < 40; i++) {
        const struct sb_output *o = &w->out.out[i];
        printf("  stream %u kind %u key %u inst %u side %u qty %u price %" PRId64 " ref %" PRIu64
               " match %" PRIu64 " reason %u\n",
               o->stream, o->kind, o->key, o->instrument, o->side, o->quantity, o->price, o->ref,
               o->match, o->reason);
    }
    exit(1);
}

static struct said *on_feed(struct walk *w, uint64_t ref)
{
    if (ref >= w->feed_n) {
        const size_t n = (size_t)ref * 2 + 1024;
        w->feed = ref_grow(w->feed, n * sizeof *w->feed);
        memset(w->feed + w->feed_n, 0, (n - w->feed_n) * sizeof *w->feed);
        w->feed_n = n;
    }
    return &w->feed[ref];
}

/* ---- what the outputs say ---- */

static void hear_feed(struct walk *w, const struct sb_output *o)
{
    struct said *f = on_feed(w, o->ref);
    switch (o->kind) {
    case SB_OUT_F_REPLACED:
        HOLDS(w, on_feed(w, o->match)->open > 0);
        on_feed(w, o->match)->open = 0;
        f = on_feed(w, o->ref);
        /* fall through */
    case SB_OUT_F_ADD:
        HOLDS(w, !f->known && o->quantity > 0);
        *f = (struct said){.known = true, .open = o->quantity, .price = o->price};
        break;
    case SB_OUT_F_EXECUTED:
    case SB_OUT_F_EXECUTED_AT:
        HOLDS(w, o->kind != SB_OUT_F_EXECUTED || f->price == o->price);
        HOLDS(w, o->quantity > 0 && f->open >= o->quantity);
        f->open -= o->quantity;
        break;
    case SB_OUT_F_REDUCED:
        HOLDS(w, o->quantity > 0 && f->open > o->quantity);
        f->open -= o->quantity;
        break;
    case SB_OUT_F_DELETED:
        HOLDS(w, f->open > 0);
        f->open = 0;
        break;
    default:
        break;
    }
}

static void hear_session(struct walk *w, const struct sb_output *o)
{
    struct said *s = &w->orders[o->stream][o->key % WALK_KEYS];
    switch (o->kind) {
    case SB_OUT_REPLACED:
        HOLDS(w, w->orders[o->stream][o->orig_key].open > 0);
        w->orders[o->stream][o->orig_key].open = 0;
        /* fall through */
    case SB_OUT_ACCEPTED:
        HOLDS(w, !s->known && o->quantity > 0);
        *s = (struct said){.known = true, .open = o->quantity};
        break;
    case SB_OUT_AMENDED:
        HOLDS(w, s->open > 0);
        s->open = o->quantity;
        break;
    case SB_OUT_TRIGGERED:
        HOLDS(w, s->open == o->quantity);
        break;
    case SB_OUT_EXECUTED:
    case SB_OUT_CANCELED:
        if (!s->known) { /* a quote */
            HOLDS(w, o->kind != SB_OUT_CANCELED || o->reason != SB_REASON_NO_ROOM);
            break;
        }
        HOLDS(w, o->quantity > 0 && s->open >= o->quantity);
        s->open -= o->quantity;
        break;
    default:
        break;
    }
}

/* The sum of what one order of the command traded in these outputs. */
static uint64_t executed(const struct walk *w, uint32_t session, uint32_t key)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->out.n; i++) {
        const struct sb_output *o = &w->out.out[i];
        if (o->stream == session && o->key == key && o->kind == SB_OUT_EXECUTED)
            sum += o->quantity;
    }
    return sum;
}

static void hear(struct walk *w, const struct sb_command2 *c)
{
    for (size_t i = 0; i < w->out.n; i++) {
        const struct sb_output *o = &w->out.out[i];
        HOLDS(w, o->stream_seq == ++w->stream_seq[o->stream]);
        w->kinds[o->kind]++;
        w->reasons[(o->kind == SB_OUT_REJECTED || o->kind == SB_OUT_CANCELED) ? o->reason : 0]++;
        if (o->stream == SB_STREAM_FEED)
            hear_feed(w, o);
        else
            hear_session(w, o);
    }
    const bool order = c->c.kind == SB_CMD_ORDER && w->out.n > 0 &&
                       w->out.out[0].kind == SB_OUT_ACCEPTED &&
                       w->r->instruments[c->c.instrument].view.defined;
    if (!order)
        return;
    const uint64_t sum = executed(w, c->c.session, c->c.key);
    const bool ioc = c->c.tif == SB_TIF_IOC;
    const bool whole =
        c->c.tif == SB_TIF_FOK || (ioc && (c->ext.order.attributes & SB_ATTR_ALL_OR_NONE) != 0 &&
                                   (c->c.flags & SB_CMD_F_EXT) != 0);
    HOLDS(w, !whole || sum == 0 || sum == c->c.quantity);
    if (ioc && (c->c.flags & SB_CMD_F_EXT) != 0)
        HOLDS(w, sum == 0 || sum >= c->ext.order.min_quantity);
}

/* ---- what must hold of the state ---- */

static bool has_minimum(const struct ref_order *o)
{
    return o->min_quantity != 0 || (o->attributes & SB_ATTR_ALL_OR_NONE) != 0;
}

static void check_order(struct walk *w, const struct ref_order *o)
{
    HOLDS(w, o->open > 0 && o->reserve < o->open && o->old_ref == 0);
    HOLDS(w, o->partner == NULL || (o->partner->partner == o && o->partner->state <= REF_PARKED));
    if (!o->quote)
        HOLDS(w, w->orders[o->session][o->key].open == o->open);
    if (o->state == REF_VISIBLE) {
        const struct said *f = on_feed(w, o->ref);
        HOLDS(w, f->open == o->open - o->reserve && f->price == o->price && !ref_is_dark(o));
    }
    if (o->display_quantity != 0 && o->state == REF_VISIBLE)
        HOLDS(w, o->open - o->reserve <= o->display_quantity + o->refresh_range);
    if (o->state != REF_PARKED)
        HOLDS(w, o->price > 0 &&
                     (o->limit == 0 ||
                      (sb_side_sells(o->side) ? o->price >= o->limit : o->price <= o->limit)));
}

static void check_continuous(struct walk *w, uint32_t i)
{
    const struct ref_instrument *inst = &w->r->instruments[i];
    HOLDS(w, !ref_crossed(w->r, i));
    for (int s = 0; s < 2; s++) {
        for (size_t k = 0; k < inst->dark[s].n; k++) {
            const struct ref_order *o = inst->dark[s].orders[k];
            const struct ref_order *shown = ref_best(w->r, i, s == 0);
            HOLDS(w, has_minimum(o) || shown == NULL || !ref_within(o, shown->price));
            if (o->peg != SB_PEG_NONE)
                HOLDS(w, shown == NULL || !ref_within(o, shown->price));
            for (size_t m = 0; m < inst->dark[!s].n && !has_minimum(o); m++) {
                const struct ref_order *other = inst->dark[!s].orders[m];
                HOLDS(w, has_minimum(other) || !ref_within(o, other->price));
            }
        }
    }
    for (size_t k = 0; k < inst->parked.n; k++) {
        const struct ref_order *o = inst->parked.orders[k];
        const int64_t last = inst->view.last_price;
        if (o->type < SB_TYPE_STOP || last == 0)
            continue;
        HOLDS(w, sb_side_sells(o->side) ? last > o->stop_price : last < o->stop_price);
    }
}

static void check_state(struct walk *w)
{
    uint32_t open = 0, places = 0, levels = 0, by_session[WALK_SESSIONS + 1] = {0};
    uint64_t shown = 0;
    for (uint32_t i = 1; i <= WALK_INSTRUMENTS; i++) {
        struct ref_list all = {0};
        ref_book_order(w->r, i, &all);
        int64_t last[2] = {0, 0};
        for (size_t k = 0; k < all.n; k++) {
            const struct ref_order *o = all.orders[k];
            check_order(w, o);
            open++;
            places += o->place;
            by_session[o->session]++;
            if (o->state == REF_VISIBLE) {
                shown++;
                levels += last[o->side & 1u] != o->price;
                last[o->side & 1u] = o->price;
            }
        }
        free(all.orders);
        if (w->r->instruments[i].view.phase == SB_PHASE_CONTINUOUS)
            check_continuous(w, i);
        if (w->r->instruments[i].view.phase != SB_PHASE_CONTINUOUS)
            for (int s = 0; s < 2; s++)
                for (size_t k = 0; k < w->r->instruments[i].dark[s].n; k++)
                    HOLDS(w, w->r->instruments[i].dark[s].orders[k]->peg == SB_PEG_NONE);
    }
    HOLDS(w, open == w->r->stats.open_orders && open <= w->r->limits.orders_max);
    HOLDS(w, places == w->r->terms_used && places <= w->r->limits.terms_max);
    HOLDS(w, levels <= w->r->limits.levels_max);
    uint64_t on_feed_now = 0;
    for (size_t f = 0; f < w->feed_n; f++)
        on_feed_now += w->feed[f].open > 0;
    HOLDS(w, on_feed_now == shown);
    for (uint32_t s = 1; s <= WALK_SESSIONS; s++) {
        uint32_t said = 0, quotes = 0;
        for (uint32_t k = 0; k < WALK_KEYS; k++)
            said += w->orders[s][k].open > 0;
        for (uint32_t i = 1; i <= WALK_INSTRUMENTS; i++)
            for (int side = 0; side < 2; side++)
                for (size_t k = 0; k < w->r->instruments[i].shown[side].n; k++) {
                    const struct ref_order *o = w->r->instruments[i].shown[side].orders[k];
                    quotes += o->quote && o->session == s;
                }
        HOLDS(w, by_session[s] == w->r->sessions[s].view.open_orders);
        HOLDS(w, said + quotes == by_session[s]);
        HOLDS(w, !w->r->sessions[s].view.killed || by_session[s] == 0);
    }
}

static void run(struct walk *total, uint64_t seed, uint32_t commands)
{
    struct walk_flow flow;
    walk_flow_start(&flow, seed);
    struct walk w = {.r = sb_reference_new(&flow.limits)};
    for (uint32_t n = 1; n <= commands; n++) {
        struct sb_command2 c = walk_flow_next(&flow);
        c.c.seq = n;
        c.c.time_ns = n * WALK_STEP_NS;
        SB_ASSERT(sb_command_valid(&c.c, 2));
        w.out.n = 0;
        sb_reference_apply(w.r, &c.c, &w.out);
        hear(&w, &c);
        check_state(&w);
    }
    for (int k = 0; k < 64; k++) {
        total->kinds[k] += w.kinds[k];
        total->reasons[k] += w.reasons[k];
    }
    sb_reference_free(w.r);
    free(w.out.out);
    free(w.feed);
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 60;
    const uint32_t commands = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1500;
    static struct walk total;
    for (uint64_t s = seed; s < seed + runs; s++) {
        printf("seed %" PRIu64 "\n", s);
        fflush(stdout);
        run(&total, s, commands);
    }
    for (int k = 1; k < 64; k++) {
        if (total.kinds[k] > 0)
            printf("outputs of kind %d: %" PRIu64 "\n", k, total.kinds[k]);
    }
    for (int k = 1; k < 64; k++) {
        if (total.reasons[k] > 0)
            printf("refused or canceled for reason %d: %" PRIu64 "\n", k, total.reasons[k]);
    }
    return 0;
}
