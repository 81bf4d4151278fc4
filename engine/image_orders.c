/* image_orders.c: open orders from bytes: see image.h, image_load.c. */
#include <string.h>

#include "engine/cascade.h"
#include "engine/image_row.h"
#include "engine/plain.h"

/* --- into the book -------------------------------------------------------------------------------------------- */

static void load_plain(struct sb_engine *e, const struct sb_image_row *r)
{
    const struct sb_incoming in = {.ref = r->ref,
                                   .id = r->id,
                                   .open = r->o.open,
                                   .executed = r->o.executed,
                                   .ticks = r->o.ticks,
                                   .side = r->side,
                                   .extra = r->o.capacity};
    sb_book_rest(e, r->book, &in);
}

static struct sb_terms record_of(const struct sb_image_row *r)
{
    const struct image_terms *t = &r->t;
    return (struct sb_terms){.ref0 = t->ref0,
                             .expire_ns = t->expire_ns,
                             .limit = t->limit,
                             .stop = r->o.place == IMAGE_STOP ? r->o.ticks : 0,
                             .trail = t->trail,
                             .offset = t->offset,
                             .minimum = t->minimum,
                             .display = t->display,
                             .range = t->range,
                             .slices = t->slices,
                             .quote_key = t->quote_key,
                             .type = t->type,
                             .tif = t->tif,
                             .attributes = t->attributes,
                             .peg = t->peg,
                             .capacity = r->o.capacity,
                             .flags = t->flags};
}

/* The queue that it stands in; NULL: none. */
static struct sb_level *queue_of(struct sb_engine *e, const struct sb_image_row *r, uint32_t key,
                                 uint32_t slot)
{
    struct sb_rare *rare = sb_state_rare(e, r->book);
    const uint32_t side = r->side & 1u;
    if (r->o.place == IMAGE_ASIDE)
        return NULL;
    if (r->o.place == IMAGE_VISIBLE)
        return sb_ladder_insert(&r->book->side[side], &e->levels, key, slot);
    struct sb_tail *tail = r->o.place == IMAGE_DARK ? &rare->dark[side] : &rare->stops[side];
    return &e->rare_levels.leaves[sb_tail_find_or_insert(tail, &e->rare_levels, key, 0)].level;
}

/* Who is not displayed is kept in a heap of records, behind unseen.first, until sort_lists(). */
static void load_special(struct sb_engine *e, const struct sb_image_row *r)
{
    struct sb_rare *rare = sb_state_rare(e, r->book);
    const struct sb_rest_order order = {.id = r->id,
                                        .ref = r->ref,
                                        .open = r->o.open,
                                        .executed = r->o.executed,
                                        .side = r->side,
                                        .capacity = r->o.capacity};
    const struct sb_terms like = record_of(r);
    const uint32_t slot = sb_rest_new(e, r->book, &order, &like);
    const uint32_t key = (uint32_t)sb_image_row_rank(r);
    struct sb_terms *t = sb_rest_terms(e, slot);
    t->reserve = r->t.reserve; /* a new record has none */
    struct sb_level *queue = queue_of(e, r, key, slot);
    if (queue != NULL)
        sb_plain_link(e, queue, slot, r->o.open);
    e->orders.slots[slot].level = key | (uint32_t)(r->side & 1u) << 31;
    t->reserve = r->t.reserve;
    t->state = r->o.place == IMAGE_VISIBLE ? SB_STATE_VISIBLE
               : r->o.place == IMAGE_DARK  ? SB_STATE_DARK
                                           : SB_STATE_PARKED;
    if (t->state == SB_STATE_VISIBLE)
        return;
    t->next = rare->unseen.first;
    rare->unseen.first = sb_rest_terms_index(e, slot);
}

/* --- partners -------------------------------------------------------------------------------------------------- */

static struct sb_terms *terms_at(const struct sb_engine *e, uint32_t terms)
{
    return &e->terms.records[terms];
}

/* Joins it with the one that it names, if both are free. */
static const char *join(struct sb_engine *e, const struct sb_image_row *r)
{
    const uint32_t own = sb_rest_terms_index(e, sb_orders_find(&e->orders, r->id));
    const uint32_t slot = sb_orders_find(&e->orders, sb_order_id(r->session, r->t.oco_key));
    const uint32_t other = slot != 0 ? sb_rest_terms_index(e, slot) : 0;
    if (other == 0 || other == own)
        return "a partner that is not there";
    if (terms_at(e, own)->oco == 0 && terms_at(e, other)->oco == 0)
        sb_terms_pair(e, own, other);
    return NULL;
}

/* Has it the partner that it names, of its instrument and side? */
static bool joined(const struct sb_engine *e, const struct sb_image_row *r)
{
    const uint32_t slot = sb_orders_find(&e->orders, r->id);
    const uint32_t partner = sb_rest_terms(e, slot)->oco;
    if (partner == 0 || r->t.oco_key == 0)
        return partner == 0 && r->t.oco_key == 0;
    const struct sb_order *o = &e->orders.slots[terms_at(e, partner)->slot];
    return sb_order_key(o) == r->t.oco_key && sb_order_instrument(o) == r->book->index &&
           sb_order_book_side(o) == (r->side & 1u);
}

/* --- lists by reference ----------------------------------------------------------------------------------------- */

static uint64_t ref_of(const struct sb_engine *e, uint32_t terms)
{
    return sb_order_ref(&e->orders.slots[terms_at(e, terms)->slot]);
}

static uint32_t merge(const struct sb_engine *e, uint32_t a, uint32_t b)
{
    uint32_t first = 0, *to = &first;
    while (a != 0 && b != 0) {
        uint32_t *least = ref_of(e, a) < ref_of(e, b) ? &a : &b;
        *to = *least;
        to = &terms_at(e, *to)->next;
        *least = *to;
    }
    *to = a != 0 ? a : b;
    return first;
}

/* A chain of records by reference: runs of 1, 2, 4, ... are merged as they come. */
static uint32_t sort(const struct sb_engine *e, uint32_t chain)
{
    uint32_t runs[32] = {0}, all = 0;
    while (chain != 0) {
        uint32_t run = chain, i = 0;
        chain = terms_at(e, chain)->next;
        terms_at(e, run)->next = 0;
        for (; runs[i] != 0; i++) {
            run = merge(e, runs[i], run);
            runs[i] = 0;
        }
        runs[i] = run;
    }
    for (uint32_t i = 0; i < 32; i++)
        all = merge(e, runs[i], all);
    return all;
}

static const char *sort_lists(struct sb_engine *e, struct sb_book *b)
{
    struct sb_rare *r = sb_state_rare(e, b);
    uint32_t terms = sort(e, r->unseen.first);
    r->unseen = (struct sb_terms_list){0};
    while (terms != 0) {
        const struct sb_terms *t = terms_at(e, terms);
        const uint32_t next = t->next;
        sb_terms_list(e, b, terms);
        if (t->peg != SB_PEG_NONE || t->trail != 0)
            sb_terms_list_own(e, b, terms);
        terms = next;
    }
    if (r->pegs_n > SB_PEGS_MAX || r->trails_n > SB_TRAILS_MAX)
        return "more pegs or trailing stops than there may be";
    if (r->minimums_n[SB_BUY] > SB_MINIMUMS_MAX || r->minimums_n[SB_SELL] > SB_MINIMUMS_MAX)
        return "more orders with a minimum than there may be";
    r->pegged[SB_BUY] = b->side[SB_BUY].best;
    r->pegged[SB_SELL] = b->side[SB_SELL].best;
    for (terms = r->pegs.first; terms != 0; terms = terms_at(e, terms)->next_own) {
        const struct sb_terms *t = terms_at(e, terms);
        const struct sb_order *o = &e->orders.slots[t->slot];
        const uint8_t side = sb_order_side(o);
        if (t->state == SB_STATE_DARK &&
            sb_book_ticks(side, sb_order_ladder_key(o)) != sb_peg_price(b, side, t))
            return "a peg at another price than its own";
    }
    return NULL;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

/* No reference twice. The table of ids serves for it, before the ids come in. */
static const char *refs_fault(struct sb_engine *e, const struct image_head *h,
                              const uint8_t *orders)
{
    for (uint32_t i = 0; i < h->orders; i++) {
        const struct sb_image_row r = sb_image_row_of(e, orders + i * sizeof r.o, NULL);
        if (sb_orders_find(&e->orders, r.ref) != 0)
            return "a reference that two orders have";
        sb_orders_add(&e->orders, r.ref, 1, 0, 0);
    }
    for (uint32_t slot = h->orders; slot != 0; slot--)
        sb_orders_drop(&e->orders, slot);
    return NULL;
}

/* Does something with every row. */
typedef const char *per_row(struct sb_engine *e, const struct sb_image_row *r);

static const char *for_rows_with_terms(struct sb_engine *e, const struct image_head *h,
                                       const uint8_t *orders, per_row *what)
{
    const uint8_t *terms = orders + h->orders * sizeof(struct image_order);
    const char *wrong = NULL;
    for (uint32_t i = 0; wrong == NULL && i < h->orders; i++) {
        const uint8_t *order = orders + i * sizeof(struct image_order);
        if (order[offsetof(struct image_order, place)] == IMAGE_PLAIN)
            continue;
        const struct sb_image_row r = sb_image_row_of(e, order, terms);
        terms += sizeof r.t;
        wrong = what(e, &r);
    }
    return wrong;
}

static const char *join_row(struct sb_engine *e, const struct sb_image_row *r)
{
    return r->t.oco_key != 0 ? join(e, r) : NULL;
}

static const char *joined_row(struct sb_engine *e, const struct sb_image_row *r)
{
    return joined(e, r) ? NULL : "partners of whom only one says so";
}

static const char *load_rows(struct sb_engine *e, const struct image_head *h, const uint8_t *orders)
{
    const uint8_t *terms = orders + h->orders * sizeof(struct image_order);
    const uint8_t *end = terms + h->terms * sizeof(struct image_terms);
    uint64_t rank_before = 0, ref_before = 0;
    for (uint32_t i = 0; i < h->orders; i++) {
        const uint8_t *order = orders + i * sizeof(struct image_order);
        const bool plain = order[offsetof(struct image_order, place)] == IMAGE_PLAIN;
        if (!plain && terms == end)
            return "more orders with terms than its head says";
        const struct sb_image_row r = sb_image_row_of(e, order, plain ? NULL : terms);
        const char *wrong = sb_image_row_fault(e, &r, rank_before, ref_before);
        if (wrong != NULL)
            return wrong;
        if (plain) {
            load_plain(e, &r);
        } else {
            load_special(e, &r);
            terms += sizeof r.t;
        }
        rank_before = sb_image_row_rank(&r);
        ref_before = r.ref;
    }
    return terms == end ? NULL : "fewer orders with terms than its head says";
}

const char *sb_image_load_orders(struct sb_engine *e, const struct image_head *h,
                                 const uint8_t *orders)
{
    const char *wrong = refs_fault(e, h, orders);
    if (wrong == NULL)
        wrong = load_rows(e, h, orders);
    if (wrong == NULL)
        wrong = for_rows_with_terms(e, h, orders, join_row);
    if (wrong == NULL)
        wrong = for_rows_with_terms(e, h, orders, joined_row);
    for (uint32_t i = 1; wrong == NULL && i <= e->instruments; i++)
        if (e->books[i].view.defined)
            wrong = sort_lists(e, &e->books[i]);
    return wrong;
}
