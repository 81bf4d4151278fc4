#include "engine/walk.h"

static void queue(const struct sb_engine *e, enum sb_walk_place place, uint32_t head,
                  sb_walk_visit *visit, void *arg)
{
    for (uint32_t slot = head; slot != 0; slot = e->orders.slots[slot].next)
        visit(arg, e, place, slot);
}

void sb_walk_displayed(const struct sb_engine *e, const struct sb_book *b, uint8_t side,
                       sb_walk_visit *visit, void *arg)
{
    const struct sb_ladder *l = &b->side[side & 1u];
    struct sb_ladder_cursor c;
    sb_state_settle(e);
    for (sb_ladder_first(l, &e->levels, &c); c.level != NULL; sb_ladder_next(l, &e->levels, &c))
        queue(e, SB_WALK_VISIBLE, c.level->head, visit, arg);
}

static void tails(const struct sb_engine *e, enum sb_walk_place place,
                  const struct sb_tail sides[2], sb_walk_visit *visit, void *arg)
{
    const struct sb_tail_pool *pool = &e->rare_levels;
    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t leaf = sb_tail_first(&sides[side]); leaf != 0;
             leaf = sb_tail_after(&sides[side], pool, pool->leaves[leaf].key))
            queue(e, place, pool->leaves[leaf].level.head, visit, arg);
}

/* Who is parked, by reference; stops only if asked for. */
static void parked(const struct sb_engine *e, const struct sb_rare *r, bool stops,
                   sb_walk_visit *visit, void *arg)
{
    for (uint32_t terms = r->unseen.first; terms != 0; terms = e->terms.records[terms].next) {
        const struct sb_terms *t = &e->terms.records[terms];
        if (t->state == SB_STATE_PARKED && (stops || t->stop == 0))
            visit(arg, e, t->stop != 0 ? SB_WALK_STOP : SB_WALK_ASIDE, t->slot);
    }
}

static void displayed_and_dark(const struct sb_engine *e, const struct sb_book *b,
                               sb_walk_visit *visit, void *arg)
{
    for (uint8_t side = 0; side < 2; side++)
        sb_walk_displayed(e, b, side, visit, arg);
    tails(e, SB_WALK_DARK, sb_state_rare(e, b)->dark, visit, arg);
}

void sb_walk_book(const struct sb_engine *e, const struct sb_book *b, sb_walk_visit *visit,
                  void *arg)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    displayed_and_dark(e, b, visit, arg);
    tails(e, SB_WALK_STOP, r->stops, visit, arg);
    parked(e, r, false, visit, arg);
}

void sb_walk_book_order(const struct sb_engine *e, const struct sb_book *b, sb_walk_visit *visit,
                        void *arg)
{
    displayed_and_dark(e, b, visit, arg);
    parked(e, sb_state_rare(e, b), true, visit, arg);
}
