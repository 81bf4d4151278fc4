/* pro_rata.c: one displayed queue, shared out by size, pass by pass (RULES.md 12). */
#include "engine/arrival.h"

/* Who takes part, oldest first, and what he gets. Nobody ends or leaves before his turn. */
struct pass {
    uint32_t n;
    uint32_t slot[SB_PRO_RATA_MAX], part[SB_PRO_RATA_MAX];
};

static uint32_t smaller(uint64_t x, uint32_t y)
{
    return x < y ? (uint32_t)x : y;
}

static const struct sb_order *order_at(const struct sb_engine *e, uint32_t slot)
{
    return &e->orders.slots[slot];
}

/* 12.1: self-trade prevention along the oldest of the queue. Whoever was passed stays: partners are of one group. */
static void prevent(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t key,
                    struct sb_outbox *box)
{
    const struct sb_ladder *l = sb_book_side(b, a->side ^ 1u);
    uint32_t passed = 0, n = 0;
    if (e->sessions[a->session].view.stp == SB_STP_NONE)
        return;
    while (n < SB_PRO_RATA_MAX && a->open != 0 && l->best == key) {
        const uint32_t slot =
            passed != 0 ? order_at(e, passed)->next : sb_ladder_find(l, &e->levels, key)->head;
        if (slot == 0)
            return;
        if (sb_self_trade_apply(e, b, a, slot, box))
            continue;
        passed = slot;
        n++;
    }
}

/* 12.1: the oldest of the queue, but who stands behind his partner. */
static void gather(struct sb_engine *e, const struct sb_level *level, struct pass *p)
{
    const uint64_t seen = ++e->terms.looks;
    uint32_t slot = level->head;
    p->n = 0;
    for (uint32_t n = 0; n < SB_PRO_RATA_MAX && slot != 0; n++, slot = order_at(e, slot)->next) {
        struct sb_terms *t = sb_rest_terms(e, slot);
        if (t != NULL) {
            t->looked = seen;
            if (t->oco != 0 && e->terms.records[t->oco].looked == seen)
                continue;
        }
        p->slot[p->n++] = slot;
    }
}

/* 12.3: m for the orders from the `first` on. */
static void share(const struct sb_engine *e, const struct sb_book *b, struct pass *p,
                  uint32_t first, uint32_t m)
{
    uint64_t sum = 0;
    uint32_t left = m;
    for (uint32_t i = first; i < p->n; i++)
        sum += order_at(e, p->slot[i])->open;
    for (uint32_t i = first; i < p->n; i++) {
        const uint32_t open = order_at(e, p->slot[i])->open;
        uint32_t q = open;
        if (m < sum) {
            q = (uint32_t)((uint64_t)m * open / sum);
            q -= q % b->view.lot;
            if (q < b->view.pro_rata_min)
                q = 0;
        }
        p->part[i] = q;
        left -= q;
    }
    for (uint32_t i = first; i < p->n && left != 0; i++) {
        const uint32_t more = smaller(left, order_at(e, p->slot[i])->open - p->part[i]);
        p->part[i] += more;
        left -= more;
    }
}

/* 12.2, 12.3 */
static void allot(const struct sb_engine *e, const struct sb_book *b, const struct sb_arrival *a,
                  struct pass *p)
{
    SB_ASSERT_LT(0, p->n);
    const struct sb_order *oldest = order_at(e, p->slot[0]);
    uint32_t first = 0, m = a->open;
    if (sb_order_ref(oldest) == sb_state_rare(e, b)->top_ref[(a->side ^ 1u) & 1u]) {
        p->part[first++] = smaller(m, oldest->open);
        m -= p->part[0];
    }
    share(e, b, p, first, m);
}

void sb_pro_rata_level(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                       struct sb_outbox *box)
{
    const struct sb_ladder *l = sb_book_side(b, a->side ^ 1u);
    const uint32_t key = l->best;
    while (a->open != 0 && l->best == key) {
        struct pass p;
        prevent(e, b, a, key, box);
        if (a->open == 0 || l->best != key)
            return;
        gather(e, sb_ladder_find(l, &e->levels, key), &p);
        allot(e, b, a, &p);
        for (uint32_t i = 0; i < p.n; i++) /* 12.4 */
            if (p.part[i] != 0)
                sb_arrival_fill(e, b, a, p.slot[i], p.part[i], box);
    }
}
