#include "engine/verify.h"

#include "engine/book.h"
#include "engine/rest.h"

/* A list of free slots: how many, up to where it ends. */
static uint32_t verify_free(const struct sb_orders *t, uint32_t slot, uint32_t least, uint32_t end)
{
    uint32_t n = 0;
    for (; slot != end; slot += 1 + t->slots[slot].next, n++) {
        SB_ASSERT(slot >= least && slot < end && n < end); /* nobody is met twice */
        SB_ASSERT_EQ(t->slots[slot].open, 0);
    }
    return n;
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
    const uint32_t end = t->max + 1, low_end = sb_ids_low(end) ? end : SB_IDS_NEAR_SLOTS;
    uint32_t free = verify_free(t, t->free, 1, low_end);
    if (low_end != end)
        free += verify_free(t, t->high, low_end, end);
    SB_ASSERT_EQ(free + live, t->max);
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
