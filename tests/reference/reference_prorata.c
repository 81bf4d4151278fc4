/* reference_prorata.c: one go at the displayed queue of one price, in proportion to size (12.1 to 12.4). */
#include "reference_internal.h"

/* The first order of the queue that `pick` takes, or NULL. */
static struct ref_order *
first(struct sb_reference *r, const struct ref_order *arrival, int64_t price,
      bool (*pick)(const struct sb_reference *r, const struct ref_order *arrival,
                   const struct ref_order *rest))
{
    const struct ref_list *list =
        &ref_instrument_of(r, arrival)->shown[!sb_side_sells(arrival->side)];
    for (size_t i = 0; i < list->n; i++) {
        struct ref_order *o = list->orders[i];
        if (o->price == price && pick(r, arrival, o))
            return o;
    }
    return NULL;
}

static bool has_share(const struct sb_reference *r, const struct ref_order *arrival,
                      const struct ref_order *rest)
{
    (void)r;
    (void)arrival;
    return rest->allotted > 0;
}

static uint32_t shown(const struct ref_order *o)
{
    return o->open - o->reserve;
}

/* 12.2, 12.3 */
static void allot(struct sb_reference *r, const struct ref_order *arrival, int64_t price)
{
    const bool sells = sb_side_sells(arrival->side);
    const struct ref_instrument *inst = ref_instrument_of(r, arrival);
    const struct ref_list *list = &inst->shown[!sells];
    const uint64_t top_ref = inst->top_ref[!sells];
    uint32_t left = arrival->open;
    uint64_t sum = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct ref_order *o = list->orders[i];
        o->allotted = 0;
        if (o->price == price && o->ref == top_ref) {
            o->allotted = ref_min(left, shown(o));
            left -= o->allotted;
        } else if (o->price == price) {
            sum += shown(o);
        }
    }
    const uint32_t m = left;
    for (size_t i = 0; i < list->n && m > 0; i++) {
        struct ref_order *o = list->orders[i];
        if (o->price != price || o->ref == top_ref)
            continue;
        uint64_t share = m >= sum ? shown(o) : (uint64_t)m * shown(o) / sum;
        if (m < sum) {
            share -= share % inst->view.lot;
            share = share < inst->view.pro_rata_min ? 0 : share;
        }
        o->allotted = (uint32_t)share;
        left -= o->allotted;
    }
    for (size_t i = 0; i < list->n && left > 0; i++) { /* oldest first */
        struct ref_order *o = list->orders[i];
        if (o->price != price || o->ref == top_ref)
            continue;
        const uint32_t more = ref_min(left, shown(o) - o->allotted);
        o->allotted += more;
        left -= more;
    }
}

void ref_pro_rata(struct sb_reference *r, struct ref_order *arrival, int64_t price)
{
    struct ref_order *rest;
    while (arrival->state != REF_ENDED && /* 12.1 */
           (rest = first(r, arrival, price, ref_same_group)) != NULL)
        ref_self_trade(r, rest, arrival);
    if (arrival->state == REF_ENDED)
        return;
    allot(r, arrival, price);
    while ((rest = first(r, arrival, price, has_share)) != NULL) { /* 12.4 */
        const uint32_t quantity = rest->allotted;
        rest->allotted = 0;
        ref_fill(r, rest, arrival, quantity);
    }
}
