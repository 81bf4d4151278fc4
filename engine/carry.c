/* carry.c: what is open and outlives its day, as the commands that enter it on a later one (RULES.md 19). */
#include "engine/walk.h"

struct carrying {
    void (*visit)(void *arg, const struct sb_command2 *carry, uint64_t rank);
    void *arg;
    const struct sb_book *book;
    uint64_t rank;  /* highest reference of those who go over from the present queue, so far */
    uint64_t place; /* which queue that is: place, side, key */
};

/* Prices are ticks in a record. */
static int64_t price_of(const struct sb_book *b, uint32_t ticks)
{
    return (int64_t)ticks * (int64_t)b->tick;
}

static struct sb_command2 carry_of(const struct sb_engine *e, const struct sb_book *b,
                                   uint32_t slot, const struct sb_terms *t)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const uint32_t session = sb_rest_session(e, slot);
    const bool hidden = (t->attributes & SB_ATTR_HIDDEN) != 0;
    struct sb_command2 c = {.c = {.session = session,
                                  .firm = e->sessions[session].view.firm,
                                  .key = sb_order_key(o),
                                  .instrument = b->index,
                                  .kind = SB_CMD_CARRY,
                                  .side = sb_order_side(o),
                                  .tif = t->tif,
                                  .flags = SB_CMD_F_EXT,
                                  .quantity = o->open + t->reserve,
                                  .display = hidden ? 'N' : 'Y', /* as the wire has it */
                                  .capacity = t->capacity,
                                  .price = price_of(b, t->limit)}};
    c.ext.order.stop_price = price_of(b, t->stop);
    c.ext.order.expire_ns = t->expire_ns;
    c.ext.order.display_quantity = t->display;
    c.ext.order.min_quantity = t->minimum;
    c.ext.order.peg_offset = t->offset * (int32_t)b->tick;
    c.ext.order.trail = t->trail * b->tick;
    c.ext.order.refresh_range = t->range;
    c.ext.order.type = t->type;
    c.ext.order.attributes = t->attributes;
    c.ext.order.peg = t->peg;
    if (t->oco != 0)
        c.ext.order.oco_key = sb_order_key(&e->orders.slots[e->terms.records[t->oco].slot]);
    c.ext.carry.executed = sb_orders_executed(&e->orders, slot);
    c.ext.carry.shown = t->display != 0 ? o->open : 0;
    return c;
}

/* Of a queue's orders each has at least the rank of those before it: triggered stops and stops that moved stand behind
 * younger ones. */
static void visit_order(void *arg, const struct sb_engine *e, enum sb_walk_place place,
                        uint32_t slot)
{
    struct carrying *k = arg;
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms *t = sb_rest_terms(e, slot);
    if (t == NULL || (t->tif != SB_TIF_GTC && t->tif != SB_TIF_GTD))
        return;
    const uint64_t ref = sb_order_ref(o);
    const uint64_t queue =
        (uint64_t)place << 33 | (uint64_t)sb_order_book_side(o) << 32 | sb_order_ladder_key(o);
    if (queue != k->place || place == SB_WALK_ASIDE || ref > k->rank)
        k->rank = ref;
    k->place = queue;
    const struct sb_command2 c = carry_of(e, k->book, slot, t);
    k->visit(k->arg, &c, k->rank);
}

void sb_engine_visit_carried(const struct sb_engine *e,
                             void (*visit)(void *arg, const struct sb_command2 *carry,
                                           uint64_t rank),
                             void *arg)
{
    for (uint32_t i = 1; i <= e->instruments; i++) {
        struct carrying k = {.visit = visit, .arg = arg, .book = &e->books[i], .place = UINT64_MAX};
        if (k.book->view.defined)
            sb_walk_book(e, k.book, visit_order, &k);
    }
}
