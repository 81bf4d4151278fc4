#include "engine/terms.h"

#include "engine/book.h"
#include "engine/due.h"

void sb_terms_init(struct sb_terms_pool *pool, uint32_t max, struct sb_terms *records)
{
    *pool = (struct sb_terms_pool){.records = records, .max = max};
}

static struct sb_terms *at(const struct sb_engine *e, uint32_t terms)
{
    return &e->terms.records[terms];
}

static uint32_t take(struct sb_terms_pool *pool)
{
    SB_ASSERT_LT(pool->used, pool->max);
    pool->used++;
    uint32_t terms = pool->free;
    if (terms != 0)
        pool->free = pool->records[terms].next;
    else
        terms = ++pool->fresh;
    return terms;
}

void sb_terms_move(struct sb_engine *e, uint32_t terms, uint32_t slot)
{
    at(e, terms)->slot = slot;
    e->orders.slots[slot].meta =
        (e->orders.slots[slot].meta & ~(uint64_t)SB_ORDER_EXTRA) | SB_ORDER_SPECIAL;
    sb_orders_set_extra(&e->orders, slot, terms);
}

/* Counts it in its book (n 1), or no more (n -1, as a wrapping number). */
static void count(struct sb_engine *e, struct sb_book *b, const struct sb_terms *t, uint32_t n)
{
    struct sb_rare *r = sb_state_rare(e, b);
    r->terms += n;
    r->gtd_n += t->tif == SB_TIF_GTD ? n : 0;
    r->auction_n += t->tif == SB_TIF_AT_OPEN || t->tif == SB_TIF_AT_CLOSE ? n : 0;
    if (sb_terms_has_minimum(t->attributes, t->minimum))
        r->minimums_n[sb_order_book_side(&e->orders.slots[t->slot])] += n;
    b->general =
        (uint8_t)((b->general & ~SB_GENERAL_TERMS) | (r->terms != 0 ? SB_GENERAL_TERMS : 0));
}

uint32_t sb_terms_new(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                      const struct sb_terms *like)
{
    const uint32_t terms = take(&e->terms);
    struct sb_terms *t = at(e, terms);
    *t = *like;
    t->next = t->prev = t->next_own = t->prev_own = 0;
    t->oco = t->reserve = 0;
    t->state = SB_TERMS_UNDERWAY;
    t->flags &= SB_TERMS_QUOTE | SB_TERMS_PLAIN;
    sb_terms_move(e, terms, slot);
    count(e, b, t, 1);
    if (t->tif == SB_TIF_GTD)
        sb_due_add(e, t->expire_ns);
    return terms;
}

uint32_t sb_terms_promote(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms like = {.ref0 = sb_order_ref(o),
                                  .capacity = (uint8_t)sb_orders_extra(&e->orders, slot),
                                  .limit = sb_book_ticks(sb_order_side(o), sb_order_ladder_key(o)),
                                  .flags = SB_TERMS_PLAIN};
    const uint32_t terms = sb_terms_new(e, b, slot, &like);
    at(e, terms)->state = SB_STATE_VISIBLE;
    return terms;
}

void sb_terms_free(struct sb_engine *e, struct sb_book *b, uint32_t terms)
{
    struct sb_terms *t = at(e, terms);
    SB_ASSERT_EQ(t->oco, 0);
    sb_terms_unlist(e, b, terms);
    sb_terms_unlist_own(e, b, terms);
    count(e, b, t, (uint32_t)-1);
    if (t->tif == SB_TIF_GTD)
        sb_due_remove(e, t->expire_ns);
    *t = (struct sb_terms){.next = e->terms.free};
    e->terms.free = terms;
    e->terms.used--;
}

/* --- lists by reference: `own` chooses which links of the record ------------------------------------------------------ */

static uint32_t *next_of(struct sb_terms *t, bool own)
{
    return own ? &t->next_own : &t->next;
}

static uint32_t *prev_of(struct sb_terms *t, bool own)
{
    return own ? &t->prev_own : &t->prev;
}

static uint64_t ref_of(const struct sb_engine *e, uint32_t terms)
{
    return sb_order_ref(&e->orders.slots[at(e, terms)->slot]);
}

static void append(struct sb_engine *e, struct sb_terms_list *list, uint32_t terms, bool own)
{
    const uint32_t last = list->last;
    SB_ASSERT(last == 0 || ref_of(e, last) < ref_of(e, terms));
    *prev_of(at(e, terms), own) = last;
    *next_of(at(e, terms), own) = 0;
    if (last != 0)
        *next_of(at(e, last), own) = terms;
    else
        list->first = terms;
    list->last = terms;
}

static void cut(struct sb_engine *e, struct sb_rare *r, struct sb_terms_list *list, uint32_t terms,
                bool own)
{
    const uint32_t next = *next_of(at(e, terms), own), prev = *prev_of(at(e, terms), own);
    if (prev != 0)
        *next_of(at(e, prev), own) = next;
    else
        list->first = next;
    if (next != 0)
        *prev_of(at(e, next), own) = prev;
    else
        list->last = prev;
    uint32_t *walk = own ? &r->walk_own : &r->walk_terms;
    if (*walk == terms)
        *walk = next;
}

/* The list of its own kind, and its count. */
static struct sb_terms_list *own_list(struct sb_rare *r, const struct sb_terms *t, uint32_t **n)
{
    const bool peg = t->peg != SB_PEG_NONE;
    *n = peg ? &r->pegs_n : &r->trails_n;
    return peg ? &r->pegs : &r->trails;
}

void sb_terms_list(struct sb_engine *e, struct sb_book *b, uint32_t terms)
{
    if ((at(e, terms)->flags & SB_TERMS_LISTED) != 0)
        return;
    append(e, &sb_state_rare(e, b)->unseen, terms, false);
    at(e, terms)->flags |= SB_TERMS_LISTED;
}

void sb_terms_unlist(struct sb_engine *e, struct sb_book *b, uint32_t terms)
{
    struct sb_rare *r = sb_state_rare(e, b);
    if ((at(e, terms)->flags & SB_TERMS_LISTED) == 0)
        return;
    cut(e, r, &r->unseen, terms, false);
    at(e, terms)->flags &= (uint8_t)~SB_TERMS_LISTED;
}

void sb_terms_list_own(struct sb_engine *e, struct sb_book *b, uint32_t terms)
{
    uint32_t *n;
    struct sb_terms_list *list = own_list(sb_state_rare(e, b), at(e, terms), &n);
    if ((at(e, terms)->flags & SB_TERMS_OWN) != 0)
        return;
    append(e, list, terms, true);
    at(e, terms)->flags |= SB_TERMS_OWN;
    ++*n;
}

void sb_terms_unlist_own(struct sb_engine *e, struct sb_book *b, uint32_t terms)
{
    uint32_t *n;
    struct sb_rare *r = sb_state_rare(e, b);
    struct sb_terms_list *list = own_list(r, at(e, terms), &n);
    if ((at(e, terms)->flags & SB_TERMS_OWN) == 0)
        return;
    cut(e, r, list, terms, true);
    at(e, terms)->flags &= (uint8_t)~SB_TERMS_OWN;
    --*n;
}

void sb_terms_renew(struct sb_engine *e, struct sb_book *b, uint32_t terms)
{
    const uint8_t flags = at(e, terms)->flags;
    if ((flags & SB_TERMS_LISTED) != 0) {
        sb_terms_unlist(e, b, terms);
        sb_terms_list(e, b, terms);
    }
    if ((flags & SB_TERMS_OWN) != 0) {
        sb_terms_unlist_own(e, b, terms);
        sb_terms_list_own(e, b, terms);
    }
}

/* --- partners, slices ------------------------------------------------------------------------------------------------- */

void sb_terms_pair(struct sb_engine *e, uint32_t a, uint32_t b)
{
    SB_ASSERT_EQ(at(e, a)->oco, 0);
    SB_ASSERT_EQ(at(e, b)->oco, 0);
    at(e, a)->oco = b;
    at(e, b)->oco = a;
}

uint32_t sb_terms_part(struct sb_engine *e, uint32_t terms)
{
    const uint32_t partner = at(e, terms)->oco;
    if (partner != 0)
        at(e, partner)->oco = 0;
    at(e, terms)->oco = 0;
    return partner;
}

static uint64_t splitmix64(uint64_t x)
{
    uint64_t z = x + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t sb_terms_next_slice(struct sb_terms *t, uint32_t lot)
{
    const uint64_t k = t->slices++;
    if (t->range == 0)
        return t->display;
    const uint64_t sizes = UINT64_C(2) * t->range / lot + 1;
    const uint64_t h = splitmix64(t->ref0 + (k << 40));
    return (uint32_t)(t->display - t->range + lot * (h % sizes));
}
