/* rest_verify.c: what must hold between slots, records, queues and lists of orders with terms. */
#include "engine/rest.h"

static const struct sb_order *order_at(const struct sb_engine *e, uint32_t slot)
{
    return &e->orders.slots[slot];
}

/* One queue of a tail. Returns how many orders are in it. */
static uint32_t verify_queue(const struct sb_engine *e, const struct sb_book *b, uint32_t side,
                             const struct sb_tail_leaf *leaf, uint8_t state)
{
    uint32_t n = 0, prev = 0;
    uint64_t quantity = 0;
    for (uint32_t slot = leaf->level.head; slot != 0; slot = order_at(e, slot)->next, n++) {
        const struct sb_order *o = order_at(e, slot);
        SB_ASSERT_EQ(o->prev, prev);
        SB_ASSERT_EQ(sb_order_ladder_key(o), leaf->key);
        SB_ASSERT_EQ(sb_order_book_side(o), side);
        SB_ASSERT_EQ(sb_order_instrument(o), b->index);
        SB_ASSERT_EQ(sb_rest_state(e, slot), state);
        SB_ASSERT(o->open != 0);
        quantity += o->open;
        prev = slot;
    }
    SB_ASSERT(n != 0 && leaf->level.tail == prev && leaf->level.quantity == quantity);
    return n;
}

static uint32_t verify_tail(const struct sb_engine *e, const struct sb_book *b, uint32_t side,
                            const struct sb_tail *t, uint8_t state)
{
    const struct sb_tail_pool *pool = &e->rare_levels;
    uint32_t n = 0;
    for (uint32_t leaf = sb_tail_first(t); leaf != 0;
         leaf = sb_tail_after(t, pool, pool->leaves[leaf].key)) {
        SB_ASSERT(sb_tail_is(t, pool, leaf, pool->leaves[leaf].key));
        n += verify_queue(e, b, side, &pool->leaves[leaf], state);
    }
    return n;
}

uint32_t sb_rest_verify(const struct sb_engine *e, const struct sb_book *b)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    uint32_t n = 0, queues = 0, own = 0, minimums[2] = {0, 0};
    uint64_t above = 0;
    SB_ASSERT(r->walk_slot == 0 && r->walk_terms == 0 && r->walk_own == 0);
    SB_ASSERT_EQ((b->general & SB_GENERAL_TERMS) != 0, r->terms != 0);
    for (uint32_t terms = r->unseen.first; terms != 0; terms = e->terms.records[terms].next, n++) {
        const struct sb_terms *t = &e->terms.records[terms];
        const struct sb_order *o = order_at(e, t->slot);
        SB_ASSERT_EQ(sb_rest_terms_index(e, t->slot), terms);
        SB_ASSERT_EQ(sb_orders_find(&e->orders, o->id), t->slot);
        SB_ASSERT(t->state == SB_STATE_DARK || t->state == SB_STATE_PARKED);
        SB_ASSERT(sb_order_ref(o) > above && o->open != 0 && t->reserve == 0);
        SB_ASSERT(t->oco == 0 || e->terms.records[t->oco].oco == terms);
        above = sb_order_ref(o);
        queues += t->state == SB_STATE_DARK || t->stop != 0;
        own += (t->flags & SB_TERMS_OWN) != 0;
        minimums[sb_order_book_side(o)] += sb_terms_has_minimum(t->attributes, t->minimum);
    }
    for (uint32_t side = 0; side < 2; side++)
        queues -= verify_tail(e, b, side, &r->dark[side], SB_STATE_DARK) +
                  verify_tail(e, b, side, &r->stops[side], SB_STATE_PARKED);
    SB_ASSERT_EQ(queues, 0);
    SB_ASSERT_EQ(own, r->pegs_n + r->trails_n);
    for (uint32_t side = 0; side < 2; side++) {
        SB_ASSERT_EQ(minimums[side], r->minimums_n[side]);
        SB_ASSERT_LE(minimums[side], SB_MINIMUMS_MAX);
    }
    return n;
}
