#include "engine/verify.h"

#include "engine/book.h"
#include "engine/rest.h"

static void verify_free(const struct sb_orders *t)
{
    uint32_t slot = t->free;
    for (uint32_t n = t->used; n < t->max; n++) {
        SB_ASSERT(slot != 0 && slot <= t->max);
        SB_ASSERT_EQ(t->slots[slot].open, 0);
        slot += 1 + t->slots[slot].next;
    }
    SB_ASSERT_EQ(slot, t->max + 1); /* so nobody was met twice */
}

void sb_orders_verify(const struct sb_orders *t)
{
    uint32_t live = 0;
    for (uint32_t slot = 1; slot <= t->max; slot++) {
        if (t->slots[slot].open == 0)
            continue;
        SB_ASSERT_EQ(sb_orders_find(t, t->slots[slot].id), slot);
        live++;
    }
    SB_ASSERT_EQ(live, t->used);
    verify_free(t);
    SB_ASSERT_EQ(sb_ids_verify(&t->ids, t->slots, t->max), t->used);
}

/* The levels and pools of both kinds against all ladders and queues. */
static void verify_levels(const struct sb_engine *e)
{
    uint32_t dense = 0, far = 0, far_nodes = 0, rare = 0, rare_nodes = 0;
    for (uint32_t i = 1; i <= e->instruments; i++)
        for (uint32_t side = 0; side < 2; side++) {
            const struct sb_ladder *l = &e->books[i].side[side];
            const struct sb_rare *r = &e->rare[i];
            dense += sb_ladder_dense(l);
            far += sb_tail_verify(&l->tail, &e->levels.pool, &far_nodes);
            rare += sb_tail_verify(&r->dark[side], &e->rare_levels, &rare_nodes);
            rare += sb_tail_verify(&r->stops[side], &e->rare_levels, &rare_nodes);
        }
    SB_ASSERT_EQ(e->levels.used, e->levels.counted ? dense + far : 0);
    sb_tail_pool_verify(&e->levels.pool, far, far_nodes);
    sb_tail_pool_verify(&e->rare_levels, rare, rare_nodes);
}

uint32_t sb_engine_verify(const struct sb_engine *e)
{
    uint32_t orders = 0, terms = 0;
    sb_state_settle(e);
    verify_levels(e);
    for (uint32_t i = 1; i <= e->instruments; i++) {
        orders += sb_book_verify(e, &e->books[i]) + sb_rest_verify(e, &e->books[i]);
        terms += e->rare[i].terms;
    }
    SB_ASSERT_EQ(terms, e->terms.used);
    SB_ASSERT_EQ(orders, e->orders.used);
    sb_orders_verify(&e->orders);
    return orders;
}
