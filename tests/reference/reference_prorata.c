/* reference_prorata.c: one pass at the displayed queue of one price, in proportion to size (12.1 to 12.4). */
#include "reference_internal.h"

#include "shadowbook/assert.h"

struct pass {
    struct ref_order *orders[REF_PRO_RATA_MAX]; /* oldest first */
    size_t n;
};

static uint32_t shown(const struct ref_order *o)
{
    return o->open - o->reserve;
}

/* The oldest orders of the queue at `price`. */
static struct pass oldest(struct sb_reference *r, const struct ref_order *arrival, int64_t price)
{
    const struct ref_list *list =
        &ref_instrument_of(r, arrival)->shown[!sb_side_sells(arrival->side)];
    struct pass p = {.n = 0};
    for (size_t i = 0; i < list->n && p.n < REF_PRO_RATA_MAX; i++) {
        if (list->orders[i]->price == price)
            p.orders[p.n++] = list->orders[i];
    }
    return p;
}

/* The first of them that is of the arrival's group, or NULL. */
static struct ref_order *first_of_group(const struct sb_reference *r,
                                        const struct ref_order *arrival, const struct pass *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (ref_same_group(r, arrival, p->orders[i]))
            return p->orders[i];
    }
    return NULL;
}

/* Does the order at place k stand behind its partner? */
static bool behind_partner(const struct pass *p, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (p->orders[i] == p->orders[k]->partner)
            return true;
    }
    return false;
}

/* 12.2, 12.3 */
static void allot(const struct sb_reference *r, const struct ref_order *arrival, struct pass *p)
{
    const struct ref_instrument *inst = ref_instrument_of(r, arrival);
    const uint64_t top_ref = inst->top_ref[!sb_side_sells(arrival->side)];
    uint32_t left = arrival->open;
    uint64_t sum = 0;
    bool takes_part[REF_PRO_RATA_MAX]; /* in 12.3 */
    for (size_t i = 0; i < p->n; i++) {
        struct ref_order *o = p->orders[i];
        o->allotted = 0;
        takes_part[i] = o->ref != top_ref && !behind_partner(p, i);
        if (o->ref == top_ref) {
            SB_ASSERT(i == 0);
            o->allotted = ref_min(left, shown(o));
            left -= o->allotted;
        } else if (takes_part[i]) {
            sum += shown(o);
        }
    }
    const uint32_t m = left;
    for (size_t i = 0; i < p->n; i++) {
        struct ref_order *o = p->orders[i];
        if (!takes_part[i])
            continue;
        uint64_t share = m >= sum ? shown(o) : (uint64_t)m * shown(o) / sum;
        if (m < sum) {
            share -= share % inst->view.lot;
            share = share < inst->view.pro_rata_min ? 0 : share;
        }
        o->allotted = (uint32_t)share;
        left -= o->allotted;
    }
    for (size_t i = 0; i < p->n && left > 0; i++) { /* oldest first */
        struct ref_order *o = p->orders[i];
        if (!takes_part[i])
            continue;
        const uint32_t more = ref_min(left, shown(o) - o->allotted);
        o->allotted += more;
        left -= more;
    }
}

void ref_pro_rata(struct sb_reference *r, struct ref_order *arrival, int64_t price)
{
    struct pass p = oldest(r, arrival, price);
    struct ref_order *rest;
    while ((rest = first_of_group(r, arrival, &p)) != NULL) { /* 12.1 */
        ref_self_trade(r, rest, arrival);
        if (arrival->state == REF_ENDED)
            return;
        p = oldest(r, arrival, price);
    }
    allot(r, arrival, &p);
    for (size_t i = 0; i < p.n; i++) { /* 12.4 */
        if (p.orders[i]->allotted > 0)
            ref_fill(r, p.orders[i], arrival, p.orders[i]->allotted);
    }
}
