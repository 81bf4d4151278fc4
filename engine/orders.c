#include "engine/orders.h"

void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots, uint32_t *executed)
{
    const uint32_t places = sb_orders_places(max);
    *t = (struct sb_orders){.slots = slots, .executed = executed, .max = max, .mask = places - 1};
    /* The hash's best bits are its highest: those that choose the block. One more than needed: 64 is no shift. */
    t->shift = 63u - (uint32_t)__builtin_ctz(places / SB_ORDERS_BLOCK);
    /* Every search goes past place 0. */
    slots[0].flags = SB_ORDER_PASSED_ONE * SB_ORDER_PASSED_MAX;
}

/* A key's places in turn: its home and a few beside it, which are near in memory and often free; then its second place,
 * which is anywhere, so that full blocks do not grow together; and from there one after the other. */
enum { NEAR = 8 };

struct walk {
    uint32_t place, second, steps;
};

static struct walk walk_begin(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    return (struct walk){.place = sb_orders_home(t, session, key),
                         .second = sb_orders_second(t, session, key)};
}

static void walk_on(const struct sb_orders *t, struct walk *w)
{
    w->steps++;
    w->place = w->steps == NEAR ? w->second : (w->place + 1) & t->mask;
}

uint32_t sb_orders_find_far(const struct sb_orders *t, uint32_t session, uint32_t key)
{
    struct walk w = walk_begin(t, session, key);
    while (!sb_orders_is(&t->slots[w.place], session, key)) {
        /* The second is for a table whose every count stays at its limit. */
        if (sb_order_passed(&t->slots[w.place]) == 0 || w.steps > t->mask + NEAR)
            return 0;
        walk_on(t, &w);
    }
    return w.place;
}

uint32_t sb_orders_displace(struct sb_orders *t, uint32_t session, uint32_t key)
{
    struct walk w = walk_begin(t, session, key);
    for (; w.place == 0 || t->slots[w.place].open != 0; walk_on(t, &w)) {
        struct sb_order *o = &t->slots[w.place];
        if (sb_order_passed(o) < SB_ORDER_PASSED_MAX)
            o->flags = (uint8_t)(o->flags + SB_ORDER_PASSED_ONE);
    }
    return w.place;
}

void sb_orders_uncount(struct sb_orders *t, uint32_t slot)
{
    const struct sb_order *order = &t->slots[slot];
    struct walk w = walk_begin(t, sb_order_session(order), order->key);
    for (; w.place != slot; walk_on(t, &w)) {
        struct sb_order *o = &t->slots[w.place];
        const uint32_t passed = sb_order_passed(o);
        SB_ASSERT(passed != 0);
        if (passed < SB_ORDER_PASSED_MAX)
            o->flags = (uint8_t)(o->flags - SB_ORDER_PASSED_ONE);
    }
}
