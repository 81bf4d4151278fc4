/* pro_rata.c: one displayed queue, shared out by size (RULES.md 12). */
#include "engine/arrival.h"

/* How the queue is shared, as it stands when a pass begins. */
struct shares {
    uint64_t left;    /* of the arrival, for all but the top order */
    uint64_t sum;     /* open of all but the top order */
    uint64_t top_ref; /* 0: the top order is not here */
    uint32_t top;     /* what it gets */
    uint32_t lot, least;
    /* What the shares leave goes to the oldest first (12.3): to all before the order `last` as much as they have open, to it
     * `more`, to those after it nothing. 0: it was passed, or there never was one. */
    uint32_t last, more;
};

static uint32_t smaller(uint64_t x, uint32_t y)
{
    return x < y ? (uint32_t)x : y;
}

/* Part of an order that is not the top order, before the rest is handed out. */
static uint32_t part(const struct shares *s, uint32_t open)
{
    if (s->left >= s->sum)
        return open;
    const uint32_t q = (uint32_t)(s->left * open / s->sum);
    const uint32_t lots = q - q % s->lot;
    return lots < s->least ? 0 : lots;
}

/* Who is the last to get something of what the shares leave. */
static void hand_rest(const struct sb_engine *e, const struct sb_level *level, struct shares *s)
{
    uint64_t rest = s->left < s->sum ? s->left : s->sum;
    for (uint32_t slot = level->head; slot != 0; slot = e->orders.slots[slot].next)
        if (sb_order_ref(&e->orders.slots[slot]) != s->top_ref)
            rest -= part(s, e->orders.slots[slot].open);
    for (uint32_t slot = level->head; slot != 0 && rest != 0; slot = e->orders.slots[slot].next) {
        const struct sb_order *o = &e->orders.slots[slot];
        if (sb_order_ref(o) == s->top_ref || part(s, o->open) == o->open)
            continue;
        s->last = slot;
        s->more = smaller(rest, o->open - part(s, o->open));
        rest -= s->more;
    }
}

/* What the order in `slot`, whose turn it is, gets. */
static uint32_t turn(const struct sb_engine *e, struct shares *s, uint32_t slot)
{
    const struct sb_order *o = &e->orders.slots[slot];
    uint32_t q = s->top;
    if (sb_order_ref(o) != s->top_ref) {
        q = part(s, o->open);
        if (s->last != 0)
            q += slot == s->last ? smaller(s->more, o->open - q) : o->open - q;
    }
    /* Its partner ends with its fill: what that one would have got is nobody else's. */
    const struct sb_terms *t = sb_rest_terms(e, slot);
    if (q != 0 && t != NULL && t->oco != 0 && e->terms.records[t->oco].slot == s->last) {
        s->last = e->orders.slots[s->last].prev; /* this one, or one after it */
        s->more = UINT32_MAX;
    }
    if (slot == s->last)
        s->last = 0;
    return q;
}

static struct shares share(const struct sb_engine *e, const struct sb_book *b,
                           const struct sb_arrival *a, const struct sb_level *level)
{
    const uint64_t top_ref = sb_state_rare(e, b)->top_ref[(a->side ^ 1u) & 1u];
    struct shares s = {
        .left = a->open, .sum = level->quantity, .lot = b->view.lot, .least = b->view.pro_rata_min};
    for (uint32_t slot = level->head; slot != 0; slot = e->orders.slots[slot].next) {
        const struct sb_order *o = &e->orders.slots[slot];
        if (top_ref == 0 || sb_order_ref(o) != top_ref)
            continue;
        s.top_ref = top_ref;
        s.top = smaller(s.left, o->open); /* 12.2 */
        s.left -= s.top;
        s.sum -= o->open;
    }
    hand_rest(e, level, &s);
    return s;
}

/* 12.1: self-trade prevention, to the end of the queue, refreshed slices included. */
static void prevent(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t key,
                    struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    const struct sb_ladder *l = sb_book_side(b, a->side ^ 1u);
    bool again = e->sessions[a->session].view.stp != SB_STP_NONE;
    while (again && a->open != 0 && l->best == key) {
        again = false;
        r->walk_slot = sb_ladder_find(l, &e->levels, key)->head;
        while (a->open != 0 && r->walk_slot != 0) {
            const uint32_t slot = r->walk_slot;
            r->walk_slot = e->orders.slots[slot].next;
            again |= sb_self_trade_apply(e, b, a, slot, box);
        }
        r->walk_slot = 0;
    }
}

/* 12.4: the fills, in queue order. Slices that are refreshed meanwhile stand behind, with references of their own. */
static void hand_out(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                     const struct sb_level *level, struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    struct shares s = share(e, b, a, level);
    const uint64_t ref_max = e->last_ref;
    r->walk_slot = level->head;
    while (r->walk_slot != 0) {
        const uint32_t slot = r->walk_slot;
        const struct sb_order *o = &e->orders.slots[slot];
        if (sb_order_ref(o) > ref_max)
            break;
        r->walk_slot = o->next;
        const uint32_t q = turn(e, &s, slot);
        if (q != 0)
            sb_arrival_fill(e, b, a, slot, q, box);
    }
    r->walk_slot = 0;
}

void sb_pro_rata_level(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                       struct sb_outbox *box)
{
    const struct sb_ladder *l = sb_book_side(b, a->side ^ 1u);
    const uint32_t key = l->best;
    while (a->open != 0 && l->best == key) {
        prevent(e, b, a, key, box);
        if (a->open != 0 && l->best == key)
            hand_out(e, b, a, sb_ladder_find(l, &e->levels, key), box);
    }
}
