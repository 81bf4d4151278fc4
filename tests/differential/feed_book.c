#include "feed_book.h"

#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

void feed_book_open(struct feed_book *f, const struct sb_engine_limits *limits,
                    struct coverage *coverage)
{
    *f = (struct feed_book){.coverage = coverage, .instruments_max = limits->instruments_max};
    f->instruments = calloc((size_t)limits->instruments_max + 1, sizeof *f->instruments);
    SB_ASSERT(f->instruments != NULL);
}

void feed_book_close(struct feed_book *f)
{
    for (uint32_t i = 0; i <= f->instruments_max; i++) {
        free(f->instruments[i].sides[0].orders);
        free(f->instruments[i].sides[1].orders);
    }
    free(f->instruments);
    free(f->places);
}

/* --- a side ------------------------------------------------------------------------------------ */

/* First order whose rank is not below. */
static size_t lower_bound(const struct feed_side *s, int64_t rank)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (s->orders[middle].rank < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct feed_place *place_of(struct feed_book *f, uint64_t ref)
{
    if (ref >= f->places_n) {
        const size_t n = (size_t)ref * 2 + 256;
        f->places = realloc(f->places, n * sizeof *f->places);
        SB_ASSERT(f->places != NULL);
        memset(f->places + f->places_n, 0, (n - f->places_n) * sizeof *f->places);
        f->places_n = n;
    }
    return &f->places[ref];
}

static const char *add(struct feed_book *f, const struct sb_output *o)
{
    struct feed_place *p = place_of(f, o->ref);
    if (p->instrument != 0)
        return "a reference that is displayed already";
    if (o->quantity == 0)
        return "nothing is displayed";
    *p = (struct feed_place){
        .instrument = o->instrument, .side = o->side & 1u, .rank = feed_rank(o->price, o->side)};
    struct feed_side *s = &f->instruments[o->instrument].sides[p->side];
    if (s->n == s->cap) {
        s->cap = s->cap * 2 + 32;
        s->orders = realloc(s->orders, s->cap * sizeof *s->orders);
        SB_ASSERT(s->orders != NULL);
    }
    const size_t at = lower_bound(s, p->rank);
    memmove(s->orders + at + 1, s->orders + at, (s->n - at) * sizeof *s->orders);
    s->orders[at] = (struct feed_order){
        .ref = o->ref, .rank = p->rank, .quantity = o->quantity, .side = o->side};
    s->n++;
    return NULL;
}

/* The order that a reference names; NULL: none, or it is another instrument's or side's. */
static struct feed_order *find(struct feed_book *f, uint64_t ref, const struct sb_output *o)
{
    const struct feed_place *p = place_of(f, ref);
    if (p->instrument == 0 || p->instrument != o->instrument || p->side != (o->side & 1u))
        return NULL;
    const struct feed_side *s = &f->instruments[p->instrument].sides[p->side];
    size_t at = lower_bound(s, p->rank);
    while (s->orders[at].ref != ref)
        at++;
    return s->orders[at].side == o->side ? &s->orders[at] : NULL;
}

static void take_out(struct feed_book *f, struct feed_order *order)
{
    struct feed_place *p = place_of(f, order->ref);
    struct feed_side *s = &f->instruments[p->instrument].sides[p->side];
    const size_t at = (size_t)(order - s->orders);
    memmove(order, order + 1, (s->n - at - 1) * sizeof *order);
    s->n--;
    p->instrument = 0;
}

static const char *delete (struct feed_book *f, uint64_t ref, const struct sb_output *o)
{
    struct feed_order *order = find(f, ref, o);
    if (order == NULL)
        return "no such order is displayed";
    take_out(f, order);
    return NULL;
}

/* Of an order that trades, when a price's queue is shared out. */
static const char *shared(struct feed_book *f, const struct feed_side *s,
                          const struct feed_order *order, uint32_t quantity)
{
    const struct feed_order *first = &s->orders[s->n - 1];
    if (order->rank != first->rank)
        return "another order was first";
    if (first - order >= SB_PRO_RATA_MAX)
        return "a share of a pass that it is not in";
    const bool longer = s->n > SB_PRO_RATA_MAX && (first - SB_PRO_RATA_MAX)->rank == first->rank;
    f->coverage->moments[MOMENT_PRO_RATA_PASSED] += longer && quantity < order->quantity;
    f->parts = f->parter == f->taker ? f->parts : 0;
    f->parter = f->taker;
    f->parts += quantity < order->quantity;
    return f->parts > SB_PRO_RATA_MAX ? "an arrival with more fills in part than a pass has" : NULL;
}

static const char *execute(struct feed_book *f, const struct sb_output *o)
{
    const struct feed_instrument *i = &f->instruments[o->instrument];
    struct feed_order *order = find(f, o->ref, o);
    if (order == NULL)
        return "no such order is displayed";
    const struct feed_side *s = &i->sides[o->side & 1u];
    const bool pro_rata = i->matching == SB_MATCH_PRO_RATA && o->kind == SB_OUT_F_EXECUTED;
    const char *wrong = pro_rata                        ? shared(f, s, order, o->quantity)
                        : order != &s->orders[s->n - 1] ? "another order was first"
                                                        : NULL;
    if (wrong != NULL)
        return wrong;
    if (o->kind == SB_OUT_F_EXECUTED && order->rank != feed_rank(o->price, o->side))
        return "not at the resting order's price";
    if (o->kind == SB_OUT_F_EXECUTED_AT && order->rank < feed_rank(o->price, o->side))
        return "an auction's price beyond the order's limit";
    if (o->quantity == 0 || o->quantity > order->quantity)
        return "more traded than was displayed";
    order->quantity -= o->quantity;
    if (order->quantity == 0)
        take_out(f, order);
    return NULL;
}

static const char *reduce(struct feed_book *f, const struct sb_output *o)
{
    struct feed_order *order = find(f, o->ref, o);
    if (order == NULL)
        return "no such order is displayed";
    if (o->quantity == 0 || o->quantity >= order->quantity)
        return "reduced by nothing, or by all";
    order->quantity -= o->quantity;
    return NULL;
}

static const char *trade(struct feed_book *f, const struct sb_output *o)
{
    const struct feed_side *s = &f->instruments[o->instrument].sides[o->side & 1u];
    if (s->n > 0 && s->orders[s->n - 1].rank >= feed_rank(o->price, o->side))
        return "a dark order traded before a displayed one as good or better";
    return NULL;
}

/* --- outputs ----------------------------------------------------------------------------------- */

static const char *take(struct feed_book *f, const struct sb_command2 *c, const struct sb_output *o)
{
    const char *wrong = NULL;
    switch (o->kind) {
    case SB_OUT_F_DIRECTORY:
        f->instruments[o->instrument].matching = c->ext.instrument.matching;
        return NULL;
    case SB_OUT_F_PHASE:
        f->instruments[o->instrument].phase = o->side >> SB_OUT_PHASE_SHIFT & 3u;
        break;
    case SB_OUT_F_ADD:
        wrong = add(f, o);
        break;
    case SB_OUT_F_EXECUTED:
    case SB_OUT_F_EXECUTED_AT:
        wrong = execute(f, o);
        break;
    case SB_OUT_F_REDUCED:
        wrong = reduce(f, o);
        break;
    case SB_OUT_F_DELETED:
        wrong = delete (f, o->ref, o);
        break;
    case SB_OUT_F_REPLACED:
        wrong = delete (f, o->match, o);
        if (wrong == NULL)
            wrong = add(f, o);
        break;
    case SB_OUT_F_TRADE:
        wrong = trade(f, o);
        break;
    default:
        return NULL;
    }
    f->instruments[o->instrument].touched = true;
    return wrong;
}

static bool crossed(const struct feed_instrument *i)
{
    const struct feed_side *buys = &i->sides[0], *sells = &i->sides[1];
    return buys->n > 0 && sells->n > 0 &&
           buys->orders[buys->n - 1].rank >= -sells->orders[sells->n - 1].rank;
}

const char *feed_book_apply(struct feed_book *f, const struct sb_command2 *c,
                            const struct sb_output *outputs, uint32_t n, uint32_t *at)
{
    for (uint32_t k = 0; k < n; k++) {
        *at = k;
        if (outputs[k].kind == SB_OUT_EXECUTED)
            f->taker = outputs[k].ref;
        if (outputs[k].stream != SB_STREAM_FEED)
            continue;
        if (outputs[k].instrument > f->instruments_max)
            return "no such instrument";
        const char *wrong = take(f, c, &outputs[k]);
        if (wrong != NULL)
            return wrong;
    }
    for (uint32_t k = 0; k < n; k++) {
        if (outputs[k].stream != SB_STREAM_FEED)
            continue;
        struct feed_instrument *i = &f->instruments[outputs[k].instrument];
        if (i->touched && i->phase == SB_PHASE_CONTINUOUS && crossed(i))
            return "the displayed book is crossed";
        i->touched = false;
    }
    return NULL;
}
