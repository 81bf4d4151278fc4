#include "engine/orders.h"

void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots,
                    struct sb_order_beside *beside)
{
    t->slots = slots;
    t->beside = beside;
    t->max = max;
    t->used = 0;
    t->free = 1;
}
