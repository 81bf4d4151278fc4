#include "engine/orders.h"

#include "shadowbook/assert.h"

void sb_orders_init(struct sb_orders *t, uint32_t max, struct sb_order *slots,
                    struct sb_order_entry *table)
{
    const uint32_t places = sb_orders_places(max);
    *t = (struct sb_orders){.slots = slots, .table = table, .max = max, .mask = places - 1};
    /* The hash's best bits are its highest: as many as there are blocks of four places. */
    t->shift = 64u - (uint32_t)__builtin_ctz(places / 4);
}

uint32_t sb_orders_add(struct sb_orders *t, uint32_t session, uint32_t key, uint32_t instrument,
                       uint8_t capacity)
{
    uint32_t slot = t->free;
    if (slot != 0) {
        t->free = t->slots[slot].next;
    } else {
        SB_ASSERT_LT(t->fresh, t->max);
        slot = ++t->fresh;
    }
    t->used++;
    uint32_t place = sb_orders_home(t, session, key);
    while (t->table[place].slot != 0)
        place = (place + 1) & t->mask;
    t->table[place] = (struct sb_order_entry){.key = key,
                                              .slot = slot,
                                              .session = (uint16_t)session,
                                              .instrument = (uint16_t)instrument,
                                              .capacity = capacity};
    return slot;
}

/* Empties a place: whatever was pushed past it by a collision moves back. */
static void table_remove(struct sb_orders *t, uint32_t hole)
{
    uint32_t place = hole;
    for (;;) {
        place = (place + 1) & t->mask;
        const struct sb_order_entry *entry = &t->table[place];
        if (entry->slot == 0)
            break;
        const uint32_t home = sb_orders_home(t, entry->session, entry->key);
        if (((place - home) & t->mask) >= ((place - hole) & t->mask)) {
            t->table[hole] = *entry;
            hole = place;
        }
    }
    t->table[hole].slot = 0;
}

void sb_orders_drop(struct sb_orders *t, uint32_t slot)
{
    struct sb_order *o = &t->slots[slot];
    const struct sb_order_entry *entry = sb_orders_find(t, sb_order_session(o), o->key);
    SB_ASSERT(entry != NULL);
    SB_ASSERT_EQ(entry->slot, slot);
    table_remove(t, (uint32_t)(entry - t->table));
    o->next = t->free;
    t->free = slot;
    t->used--;
}
