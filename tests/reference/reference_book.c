/* reference_book.c: where orders are: lists by price, keys, price levels. */
#include "reference_internal.h"

#include <stdlib.h>

#include "shadowbook/assert.h"

void ref_list_push(struct ref_list *list, struct ref_order *o)
{
    if (list->n == list->cap) {
        list->cap = list->cap * 2 + 16;
        list->orders = ref_grow(list->orders, list->cap * sizeof(struct ref_order *));
    }
    list->orders[list->n++] = o;
}

void ref_list_sort_by_ref(struct ref_list *list)
{
    for (size_t i = 1; i < list->n; i++) {
        struct ref_order *o = list->orders[i];
        size_t at = i;
        for (; at > 0 && list->orders[at - 1]->ref > o->ref; at--)
            list->orders[at] = list->orders[at - 1];
        list->orders[at] = o;
    }
}

/* Puts o behind everything that is as good or better. */
static void insert_by_price(struct ref_list *list, struct ref_order *o)
{
    const bool sells = sb_side_sells(o->side);
    ref_list_push(list, o);
    size_t at = list->n - 1;
    for (; at > 0; at--) {
        struct ref_order *before = list->orders[at - 1];
        if (sells ? before->price <= o->price : before->price >= o->price)
            break;
        list->orders[at] = before;
    }
    list->orders[at] = o;
}

static void remove_from(struct ref_list *list, const struct ref_order *o)
{
    size_t at = 0;
    while (list->orders[at] != o)
        at++;
    for (; at + 1 < list->n; at++)
        list->orders[at] = list->orders[at + 1];
    list->n--;
}

static struct ref_order **bucket_of(struct sb_reference *r, uint32_t session, uint32_t key)
{
    return &r->buckets[(key * 31u + session) % REF_BUCKETS];
}

static void name_add(struct sb_reference *r, struct ref_order *o)
{
    if (o->quote)
        return; /* 17.3: no key names it */
    struct ref_order **bucket = bucket_of(r, o->session, o->key);
    o->next = *bucket;
    *bucket = o;
}

static void name_remove(struct sb_reference *r, struct ref_order *o)
{
    if (o->quote)
        return;
    struct ref_order **link = bucket_of(r, o->session, o->key);
    while (*link != o)
        link = &(*link)->next;
    *link = o->next;
}

struct ref_order *ref_order_find(const struct sb_reference *r, uint32_t session, uint32_t key)
{
    struct ref_order *o = r->buckets[(key * 31u + session) % REF_BUCKETS];
    while (o != NULL && (o->session != session || o->key != key))
        o = o->next;
    return o;
}

void ref_order_rename(struct sb_reference *r, struct ref_order *o, uint32_t key)
{
    name_remove(r, o);
    o->key = key;
    name_add(r, o);
}

struct ref_order *ref_order_make(struct sb_reference *r, uint32_t session, uint32_t key,
                                 uint32_t instrument, uint8_t side, bool quote)
{
    struct ref_order *o = calloc(1, sizeof *o);
    SB_ASSERT(o != NULL);
    o->ref = o->first_ref = r->next_ref++;
    o->session = session;
    o->key = key;
    o->instrument = instrument;
    o->side = side;
    o->quote = quote;
    o->state = REF_MOVING;
    name_add(r, o);
    r->sessions[session].view.open_orders++;
    r->stats.open_orders++;
    return o;
}

static struct ref_list *list_of(struct sb_reference *r, const struct ref_order *o)
{
    struct ref_instrument *inst = ref_instrument_of(r, o);
    const bool sells = sb_side_sells(o->side);
    SB_ASSERT(o->state <= REF_PARKED);
    return o->state == REF_VISIBLE ? &inst->shown[sells]
           : o->state == REF_DARK  ? &inst->dark[sells]
                                   : &inst->parked;
}

void ref_order_insert(struct sb_reference *r, struct ref_order *o, uint8_t state)
{
    SB_ASSERT(o->state == REF_MOVING && o->open > 0);
    o->state = state;
    if (state == REF_PARKED) {
        o->parked_number = ++r->parkings;
        ref_list_push(list_of(r, o), o);
    } else {
        insert_by_price(list_of(r, o), o);
    }
}

void ref_order_take_out(struct sb_reference *r, struct ref_order *o)
{
    if (o->state == REF_MOVING)
        return;
    remove_from(list_of(r, o), o);
    o->state = REF_MOVING;
    o->reserve = 0;
}

void ref_order_end(struct sb_reference *r, struct ref_order *o)
{
    ref_order_take_out(r, o);
    name_remove(r, o);
    r->sessions[o->session].view.open_orders--;
    r->stats.open_orders--;
    r->terms_used -= o->place;
    o->state = REF_ENDED;
    o->next = r->ended;
    r->ended = o;
}

struct ref_order *ref_best(const struct sb_reference *r, uint32_t instrument, bool sells)
{
    const struct ref_list *list = &r->instruments[instrument].shown[sells];
    return list->n > 0 ? list->orders[0] : NULL;
}

int64_t ref_best_price(const struct sb_reference *r, uint32_t instrument, bool sells)
{
    const struct ref_order *best = ref_best(r, instrument, sells);
    return best != NULL ? best->price : 0;
}

bool ref_crossed(const struct sb_reference *r, uint32_t instrument)
{
    const struct ref_order *buy = ref_best(r, instrument, false);
    const struct ref_order *sell = ref_best(r, instrument, true);
    return buy != NULL && sell != NULL && buy->price >= sell->price;
}

/* Section 2. */
void ref_book_order(const struct sb_reference *r, uint32_t instrument, struct ref_list *list)
{
    const struct ref_instrument *inst = &r->instruments[instrument];
    const struct ref_list *resting[4] = {&inst->shown[0], &inst->shown[1], &inst->dark[0],
                                         &inst->dark[1]};
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < resting[k]->n; i++)
            ref_list_push(list, resting[k]->orders[i]);
    }
    struct ref_list parked = {0};
    for (size_t i = 0; i < inst->parked.n; i++)
        ref_list_push(&parked, inst->parked.orders[i]);
    ref_list_sort_by_ref(&parked);
    for (size_t i = 0; i < parked.n; i++)
        ref_list_push(list, parked.orders[i]);
    free(parked.orders);
}

/* Would a displayed order there need a price level that the tables have no room for? Levels are those of displayed
 * orders only. */
bool ref_levels_full(const struct sb_reference *r, uint32_t instrument, bool sells, int64_t price,
                     const struct ref_if *what_if)
{
    if (r->stats.open_orders + (what_if->bid != 0) < r->limits.levels_max)
        return false; /* each open order at a level of its own, and one more, would still fit */
    uint32_t used = 0;
    bool bid_counted = what_if->bid == 0;
    for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
        for (int s = 0; s < 2; s++) {
            const struct ref_list *list = &r->instruments[i].shown[s];
            const struct ref_order *last = NULL;
            for (size_t k = 0; k < list->n; k++) {
                const struct ref_order *o = list->orders[k];
                if (o == what_if->without[0] || o == what_if->without[1])
                    continue;
                if (i == instrument && (s == 1) == sells && o->price == price)
                    return false;
                if (i == instrument && s == 0 && o->price == what_if->bid)
                    bid_counted = true;
                if (last == NULL || last->price != o->price)
                    used++;
                last = o;
            }
        }
    }
    return used + !bid_counted >= r->limits.levels_max;
}
