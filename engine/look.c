/* look.c: what an arrival could have at once (RULES.md 4.5): the walk of arrival.c, without a trade. */
#include "engine/arrival.h"

struct look {
    const struct sb_arrival *a;
    uint64_t id; /* marks the records that were counted */
    uint64_t sum;
    bool leaves_out; /* CANCEL_OLDEST: who is of the group is gone, and the walk goes on */
    bool ended;
};

static uint32_t least(uint32_t x, uint32_t y)
{
    return x < y ? x : y;
}

bool sb_arrival_passes_over(const struct sb_engine *e, uint32_t slot, uint32_t open)
{
    const uint32_t there = e->orders.slots[slot].open;
    return least(open, there) < sb_terms_minimum(sb_rest_terms(e, slot), there);
}

uint32_t sb_arrival_dark_after(const struct sb_engine *e, const struct sb_tail *dark,
                               uint32_t above)
{
    if (above == SB_KEY_NONE)
        return sb_tail_least(dark);
    const uint32_t leaf = sb_tail_after(dark, &e->rare_levels, above);
    return leaf != 0 ? e->rare_levels.leaves[leaf].key : SB_KEY_NONE;
}

/* Did this look count its OCO partner? A fill of that one ends this one. */
static bool counted_partner(const struct sb_engine *e, const struct look *k, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    return t != NULL && t->oco != 0 && e->terms.records[t->oco].looked == k->id;
}

static void mark(struct sb_engine *e, const struct look *k, uint32_t slot)
{
    struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL)
        t->looked = k->id;
}

/* Adds what the displayed queue of a price gives. */
static void look_shown(struct sb_engine *e, const struct sb_book *b, const struct sb_level *level,
                       struct look *k)
{
    const bool shared = b->view.matching == SB_MATCH_PRO_RATA;
    uint64_t totals = 0, shown = 0;
    for (uint32_t slot = level->head; slot != 0; slot = e->orders.slots[slot].next) {
        if (sb_self_trade_meets(e, k->a, slot)) {
            if (k->leaves_out)
                continue;
            k->sum += shared ? 0 : shown;
            k->ended = true;
            return;
        }
        if (counted_partner(e, k, slot))
            continue;
        totals += sb_rest_total(e, slot);
        shown += e->orders.slots[slot].open;
        mark(e, k, slot);
    }
    k->sum += totals;
}

static void look_dark(struct sb_engine *e, const struct sb_level *level, struct look *k)
{
    for (uint32_t slot = level->head; slot != 0 && k->sum < k->a->needed;
         slot = e->orders.slots[slot].next) {
        const uint32_t wanted = k->a->open - (uint32_t)k->sum;
        if (counted_partner(e, k, slot) || sb_arrival_passes_over(e, slot, wanted))
            continue;
        if (!sb_self_trade_meets(e, k->a, slot)) {
            k->sum += least(wanted, e->orders.slots[slot].open);
            mark(e, k, slot);
        } else if (!k->leaves_out) {
            k->ended = true;
            return;
        }
    }
}

uint64_t sb_arrival_available(struct sb_engine *e, const struct sb_book *b,
                              const struct sb_arrival *a)
{
    const uint8_t other = (a->side ^ 1u) & 1u;
    const struct sb_tail *dark = &sb_state_rare(e, b)->dark[other];
    const uint32_t limit = sb_book_key(other, a->ticks);
    struct look k = {.a = a,
                     .id = ++e->terms.looks,
                     .leaves_out = e->sessions[a->session].view.stp == SB_STP_CANCEL_OLDEST};
    uint32_t dark_key = sb_tail_least(dark);
    struct sb_ladder_cursor c;
    sb_ladder_first(&b->side[other], &e->levels, &c);
    while (k.sum < a->needed && !k.ended) {
        const uint32_t shown_key = c.level != NULL ? c.key : SB_KEY_NONE;
        const uint32_t key = least(shown_key, dark_key);
        struct sb_arrival probe = *a;
        if (key > limit || !sb_arrival_in_band(&probe, sb_book_price(b, other, key)))
            break;
        if (shown_key == key) {
            look_shown(e, b, c.level, &k);
            sb_ladder_next(&b->side[other], &e->levels, &c);
        }
        if (dark_key == key) {
            const uint32_t leaf = sb_tail_find(dark, &e->rare_levels, key);
            if (!k.ended)
                look_dark(e, &e->rare_levels.leaves[leaf].level, &k);
            dark_key = sb_arrival_dark_after(e, dark, key);
        }
    }
    return k.sum;
}
