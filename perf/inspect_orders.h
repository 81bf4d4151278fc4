/* inspect_orders.h: live orders, by session and client key: what an order event must say and its output does not.
 *
 * A key names one order for a whole day, so the table needs no order reference. Grows with the orders that are open at the
 * same time, not with those of the day. find, add and remove are O(1). One thread.
 */
#ifndef SHADOWBOOK_PERF_INSPECT_ORDERS_H
#define SHADOWBOOK_PERF_INSPECT_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sb_inspect_order {
    uint32_t session, key; /* session 0: a free place */
    uint64_t ref;
    int64_t price;
    uint32_t open, executed; /* executed: of the whole chain of replaces */
    uint32_t instrument;
    uint8_t side, capacity;
    uint8_t tif;      /* enum sb_tif */
    char clordid[14]; /* spaces where the client gave none */
};

struct sb_inspect_orders { /* start from {0} */
    struct sb_inspect_order *places;
    size_t places_n, used; /* places_n: a power of two, at least twice used */
};

/* NULL: not there. Valid until the next add or remove. */
struct sb_inspect_order *sb_inspect_orders_find(const struct sb_inspect_orders *t, uint32_t session,
                                                uint32_t key);
/* Must not be there yet. False: out of memory. */
bool sb_inspect_orders_add(struct sb_inspect_orders *t, const struct sb_inspect_order *o);
void sb_inspect_orders_remove(struct sb_inspect_orders *t, struct sb_inspect_order *o);
void sb_inspect_orders_free(struct sb_inspect_orders *t);

#endif
