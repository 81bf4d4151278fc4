#include "engine/sweep.h"

static bool is_meant(const struct sb_engine *e, const struct sb_sweep *s, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    const uint8_t tif = t != NULL ? t->tif : SB_TIF_DAY;
    switch (s->what) {
    case SB_SWEEP_CLOSING:
        return tif != SB_TIF_GTC && tif != SB_TIF_GTD;
    case SB_SWEEP_EXPIRED:
        return tif == SB_TIF_GTD && t->expire_ns <= e->time_ns;
    case SB_SWEEP_TIF:
        return tif == s->tif;
    case SB_SWEEP_SESSION:
        return sb_rest_session(e, slot) == s->who;
    case SB_SWEEP_FIRM:
        return e->sessions[sb_rest_session(e, slot)].view.firm == s->who;
    default:
        return true;
    }
}

/* One queue from its head; whoever is ended on the way is gone past. */
static uint32_t sweep_queue(struct sb_engine *e, struct sb_book *b, const struct sb_sweep *s,
                            uint32_t head, struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    uint32_t n = 0;
    for (uint32_t slot = head; slot != 0; slot = r->walk_slot) {
        r->walk_slot = e->orders.slots[slot].next;
        if (!is_meant(e, s, slot))
            continue;
        sb_rest_cancel(e, b, slot, s->reason, box);
        n++;
    }
    r->walk_slot = 0;
    return n;
}

static uint32_t sweep_displayed(struct sb_engine *e, struct sb_book *b, uint32_t side,
                                const struct sb_sweep *s, struct sb_outbox *box)
{
    const struct sb_ladder *l = &b->side[side];
    uint32_t n = 0;
    for (uint32_t key = l->best; key != SB_KEY_NONE; key = sb_ladder_after(l, &e->levels, key))
        n += sweep_queue(e, b, s, sb_ladder_find(l, &e->levels, key)->head, box);
    return n;
}

static uint32_t sweep_dark(struct sb_engine *e, struct sb_book *b, uint32_t side,
                           const struct sb_sweep *s, struct sb_outbox *box)
{
    const struct sb_tail *t = &sb_state_rare(e, b)->dark[side];
    const struct sb_tail_pool *pool = &e->rare_levels;
    uint32_t n = 0;
    for (uint32_t leaf = sb_tail_first(t); leaf != 0;) {
        const uint32_t key = pool->leaves[leaf].key;
        n += sweep_queue(e, b, s, pool->leaves[leaf].level.head, box);
        leaf = sb_tail_after(t, pool, key);
    }
    return n;
}

static uint32_t sweep_parked(struct sb_engine *e, struct sb_book *b, const struct sb_sweep *s,
                             struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    uint32_t n = 0;
    for (uint32_t terms = r->unseen.first; terms != 0; terms = r->walk_terms) {
        const struct sb_terms *t = &e->terms.records[terms];
        const uint32_t side = sb_order_book_side(&e->orders.slots[t->slot]);
        r->walk_terms = t->next;
        if (t->state != SB_STATE_PARKED || (s->sides >> side & 1u) == 0 || !is_meant(e, s, t->slot))
            continue;
        sb_rest_cancel(e, b, t->slot, s->reason, box);
        n++;
    }
    r->walk_terms = 0;
    return n;
}

/* Is there anybody in this book whom it can mean? */
static bool in_vain(const struct sb_engine *e, const struct sb_book *b, const struct sb_sweep *s)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    return (s->what == SB_SWEEP_EXPIRED && r->gtd_n == 0) ||
           (s->what == SB_SWEEP_TIF && r->auction_n == 0);
}

uint32_t sb_sweep(struct sb_engine *e, struct sb_book *b, const struct sb_sweep *s,
                  struct sb_outbox *box)
{
    uint32_t n = 0;
    if (in_vain(e, b, s))
        return 0;
    for (uint32_t side = 0; side < 2; side++)
        if ((s->sides >> side & 1u) != 0)
            n += sweep_displayed(e, b, side, s, box);
    for (uint32_t side = 0; side < 2; side++)
        if ((s->sides >> side & 1u) != 0)
            n += sweep_dark(e, b, side, s, box);
    return n + sweep_parked(e, b, s, box);
}
