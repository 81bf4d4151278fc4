#include "engine/orders.h"

void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots,
                    struct sb_order_beside *beside)
{
    t->slots = slots;
    t->beside = beside;
    t->max = max;
    t->few = max < SB_ORDERS_FEW ? max : SB_ORDERS_FEW;
    t->used = 0;
    t->free = 1;
    t->high = SB_IDS_NEAR_SLOTS; /* where the list of the low ones ends */
}

uint32_t sb_orders_most(const struct sb_orders *t)
{
    uint32_t taken = 0, end = t->max + 1; /* an order that was keeps its meta, which is not 0 */
    while (end - taken > 1) {
        const uint32_t slot = taken + (end - taken) / 2;
        if (t->slots[slot].meta != 0)
            taken = slot;
        else
            end = slot;
    }
    return taken;
}
