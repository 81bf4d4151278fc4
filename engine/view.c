/* view.c: what may be seen of an engine. */
#include "engine/walk.h"
#include "shadowbook/engine.h"

uint64_t sb_engine_applied(const struct sb_engine *e)
{
    return sb_engine_stats(e)->commands;
}

uint64_t sb_engine_next_stream_seq(const struct sb_engine *e, uint32_t stream)
{
    SB_ASSERT_LE(stream, e->limits.sessions_max);
    const uint64_t next =
        stream == SB_STREAM_FEED ? e->feed_seq : e->sessions[stream].view.next_stream_seq;
    return next != 0 ? next : 1; /* not defined yet */
}

uint64_t sb_engine_last_time_ns(const struct sb_engine *e)
{
    return e->time_ns;
}

uint32_t sb_engine_open_terms(const struct sb_engine *e)
{
    return e->terms.used;
}

const struct sb_engine_limits *sb_engine_limits_of(const struct sb_engine *e)
{
    return &e->limits;
}

const struct sb_session_view *sb_engine_session(const struct sb_engine *e, uint32_t session)
{
    return session <= e->limits.sessions_max ? &e->sessions[session].view : NULL;
}

const struct sb_instrument_view *sb_engine_instrument(const struct sb_engine *e,
                                                      uint32_t instrument)
{
    return instrument <= e->limits.instruments_max ? &e->books[instrument].view : NULL;
}

uint32_t sb_engine_instruments(const struct sb_engine *e)
{
    return e->instruments;
}

const struct sb_day_view *sb_engine_day(const struct sb_engine *e)
{
    return &e->day;
}

const struct sb_engine_stats *sb_engine_stats(const struct sb_engine *e)
{
    if (e->direct)
        sb_direct_stats((struct sb_engine *)(uintptr_t)e); /* the memory is ours, and no constant */
    return &e->stats;
}

bool sb_engine_best(const struct sb_engine *e, uint32_t instrument, uint8_t side, int64_t *price,
                    uint64_t *quantity)
{
    const struct sb_book *b = sb_state_book(e, instrument);
    if (b == NULL || b->side[side & 1u].best == SB_KEY_NONE)
        return false;
    const struct sb_ladder *l = &b->side[side & 1u];
    *price = sb_book_price(b, side, l->best);
    *quantity = sb_ladder_find(l, &e->levels, l->best)->quantity;
    return true;
}

/* A visitor of the user, behind one of walk.h. */
struct visitor {
    void (*visit)(void *arg, const struct sb_order_view *order);
    void *arg;
};

/* What is said of an order with terms. */
static void view_terms(const struct sb_engine *e, const struct sb_book *b, uint32_t slot,
                       struct sb_order_view *view)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    if (t == NULL)
        return;
    view->limit = (int64_t)t->limit * b->tick;
    view->quote = (t->flags & SB_TERMS_QUOTE) != 0;
    view->state = t->state;
    view->tif = t->tif;
    view->reserve = t->reserve;
    if (t->state == SB_STATE_PARKED)
        view->price = view->limit;
}

static void visit_order(void *arg, const struct sb_engine *e, enum sb_walk_place place,
                        uint32_t slot)
{
    const struct visitor *v = arg;
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_book *b = &e->books[sb_order_instrument(o)];
    struct sb_order_view view = {
        .ref = sb_order_ref(o),
        .price = sb_book_price(b, sb_order_side(o), sb_order_ladder_key(o)),
        .session = e->direct ? sb_order_session(o) : sb_rest_session(e, slot),
        .key = sb_rest_key(e, slot),
        .id = o->id,
        .open = o->open,
        .executed = sb_orders_executed(&e->orders, slot),
        .side = sb_order_side(o),
        .capacity = sb_rest_capacity(e, slot),
        .state = SB_STATE_VISIBLE};
    (void)place;
    view.limit = view.price;
    view_terms(e, b, slot, &view);
    v->visit(v->arg, &view);
}

void sb_engine_visit(const struct sb_engine *e, uint32_t instrument, uint8_t side,
                     void (*visit)(void *arg, const struct sb_order_view *order), void *arg)
{
    const struct sb_book *b = sb_state_book(e, instrument);
    struct visitor v = {.visit = visit, .arg = arg};
    if (b != NULL)
        sb_walk_displayed(e, b, side, visit_order, &v);
}

void sb_engine_visit_all(const struct sb_engine *e, uint32_t instrument,
                         void (*visit)(void *arg, const struct sb_order_view *order), void *arg)
{
    const struct sb_book *b = sb_state_book(e, instrument);
    struct visitor v = {.visit = visit, .arg = arg};
    if (b != NULL)
        sb_walk_book_order(e, b, visit_order, &v);
}
