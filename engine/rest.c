#include "engine/rest.h"

#include "engine/outbox.h"

static struct sb_order *order_at(const struct sb_engine *e, uint32_t slot)
{
    return &e->orders.slots[slot];
}

/* --- queues ------------------------------------------------------------------------------------------------------------ */

/* The tail that holds the queue of an order that is dark or a parked stop. */
static struct sb_tail *tail_of(const struct sb_engine *e, const struct sb_book *b, uint32_t slot)
{
    struct sb_rare *r = sb_state_rare(e, b);
    const uint32_t side = sb_order_book_side(order_at(e, slot));
    return sb_rest_state(e, slot) == SB_STATE_DARK ? &r->dark[side] : &r->stops[side];
}

static bool queued(const struct sb_engine *e, uint32_t slot)
{
    const uint8_t state = sb_rest_state(e, slot);
    return state == SB_STATE_VISIBLE || state == SB_STATE_DARK ||
           (state == SB_STATE_PARKED && sb_rest_terms(e, slot)->stop != 0);
}

/* The queue of an order that is in one. */
static struct sb_level *queue_of(const struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    const struct sb_order *o = order_at(e, slot);
    const uint32_t key = sb_order_ladder_key(o);
    struct sb_level *level;
    if (sb_rest_state(e, slot) == SB_STATE_VISIBLE) {
        level = sb_ladder_find_of(&b->side[sb_order_book_side(o)], &e->levels, key, slot);
    } else {
        const uint32_t leaf = sb_tail_find(tail_of(e, b, slot), &e->rare_levels, key);
        SB_ASSERT(leaf != 0);
        level = &e->rare_levels.leaves[leaf].level;
    }
    SB_ASSERT(level != NULL);
    return level;
}

/* Out of its queue, if it is in one; the queue's price, if that was the last. */
static void unqueue(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    if (!queued(e, slot))
        return;
    const struct sb_order *o = order_at(e, slot);
    const uint32_t next = o->next, prev = o->prev, key = sb_order_ladder_key(o);
    struct sb_level *level = queue_of(e, b, slot);
    level->quantity -= o->open;
    if (prev != 0)
        order_at(e, prev)->next = next;
    else
        level->head = next;
    if (next != 0)
        order_at(e, next)->prev = prev;
    else
        level->tail = prev;
    struct sb_rare *r = sb_state_rare(e, b);
    if (r->walk_slot == slot)
        r->walk_slot = next;
    if (level->head != 0)
        return;
    if (sb_rest_state(e, slot) == SB_STATE_VISIBLE)
        sb_ladder_erase(&b->side[sb_order_book_side(o)], &e->levels, key, level);
    else
        sb_tail_remove(tail_of(e, b, slot), &e->rare_levels,
                       sb_tail_leaf_of(&e->rare_levels, level));
}

static void set_key(struct sb_order *o, uint32_t key)
{
    o->level = (o->level & SB_ORDER_SELLS) | key;
}

/* To the end of a queue. */
static void enqueue(struct sb_engine *e, struct sb_level *level, uint32_t slot, uint32_t key)
{
    struct sb_order *o = order_at(e, slot);
    o->prev = level->tail;
    o->next = 0;
    set_key(o, key);
    if (level->tail != 0)
        order_at(e, level->tail)->next = slot;
    else
        level->head = slot;
    level->tail = slot;
    level->quantity += o->open;
}

static void set_state(struct sb_engine *e, uint32_t slot, uint8_t state)
{
    struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL)
        t->state = state;
    else if (state == SB_TERMS_UNDERWAY)
        set_key(order_at(e, slot), SB_KEY_MAX); /* sb_rest_state() */
}

/* --- new, underway ------------------------------------------------------------------------------------------------------ */

uint32_t sb_rest_new(struct sb_engine *e, struct sb_book *b, const struct sb_rest_order *order,
                     const struct sb_terms *like)
{
    const uint32_t flags = (order->side & (SB_ORDER_SHORT | SB_ORDER_EXEMPT)) | SB_ORDER_EXTRA;
    const uint32_t slot = sb_orders_add(&e->orders, order->id, order->open,
                                        (uint32_t)(order->side & 1u) << 31 | SB_KEY_MAX,
                                        sb_order_meta(order->ref, b->index, flags));
    sb_orders_set_extra(&e->orders, slot, order->capacity);
    if (order->executed != 0)
        sb_orders_set_executed(&e->orders, slot, order->executed);
    if (like != NULL)
        sb_terms_new(e, b, slot, like);
    e->sessions[sb_rest_session(e, slot)].view.open_orders++;
    return slot;
}

void sb_rest_take_out(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    unqueue(e, b, slot);
    set_state(e, slot, SB_TERMS_UNDERWAY);
    struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL) {
        order_at(e, slot)->open += t->reserve;
        t->reserve = 0;
    }
}

void sb_rest_renew(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    struct sb_order *o = order_at(e, slot);
    o->meta = (o->meta & ((UINT64_C(1) << 24) - 1)) | ++e->last_ref << 24;
    const uint32_t terms = sb_rest_terms_index(e, slot);
    if (terms != 0)
        sb_terms_renew(e, b, terms);
}

void sb_rest_resize(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t open)
{
    struct sb_order *o = order_at(e, slot);
    if (queued(e, slot)) {
        struct sb_level *level = queue_of(e, b, slot);
        level->quantity = level->quantity - o->open + open;
    }
    o->open = open;
}

/* --- to rest ------------------------------------------------------------------------------------------------------------ */

static void count_open(struct sb_engine *e)
{
    e->stats.open_orders = e->orders.used;
    if (e->orders.used > e->stats.open_orders_peak)
        e->stats.open_orders_peak = e->orders.used;
}

static void say_shown(struct sb_engine *e, const struct sb_book *b, uint32_t slot, uint64_t old_ref,
                      struct sb_outbox *box)
{
    const struct sb_order *o = order_at(e, slot);
    const uint8_t side = sb_order_side(o);
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = old_ref != 0 ? SB_OUT_F_REPLACED : SB_OUT_F_ADD,
                                      .instrument = b->index,
                                      .side = side,
                                      .quantity = o->open,
                                      .price = sb_book_price(b, side, sb_order_ladder_key(o)),
                                      .ref = sb_order_ref(o),
                                      .match = old_ref});
}

/* What shows of an iceberg; what does not, is its reserve (6.1). */
static void slice(const struct sb_book *b, struct sb_order *o, struct sb_terms *t)
{
    const uint32_t total = o->open + t->reserve;
    const uint32_t cut = sb_terms_next_slice(t, b->view.lot);
    const uint32_t next = t->carried != 0 ? t->carried : cut;
    t->carried = 0;
    o->open = next < total ? next : total;
    t->reserve = total - o->open;
}

/* To the end of the displayed queue of a price. */
static void show(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t key)
{
    struct sb_order *o = order_at(e, slot);
    struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL && t->display != 0)
        slice(b, o, t);
    enqueue(e, sb_ladder_insert(&b->side[sb_order_book_side(o)], &e->levels, key, slot), slot, key);
    set_state(e, slot, SB_STATE_VISIBLE);
}

bool sb_rest_show(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t ticks,
                  uint64_t old_ref, struct sb_outbox *box)
{
    const struct sb_order *o = order_at(e, slot);
    const uint8_t side = sb_order_side(o);
    const uint32_t key = sb_book_key(side, ticks);
    if (sb_book_levels_full(e, b, side, ticks))
        return false;
    if (b->view.matching == SB_MATCH_PRO_RATA && key < b->side[side & 1u].best) /* 12.5 */
        sb_state_rare(e, b)->top_ref[side & 1u] = sb_order_ref(o);
    if (sb_rest_terms_index(e, slot) != 0)
        sb_terms_unlist(e, b, sb_rest_terms_index(e, slot));
    show(e, b, slot, key);
    say_shown(e, b, slot, old_ref, box);
    count_open(e);
    return true;
}

/* Dark or parked: what is common. */
static void unseen(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint8_t state)
{
    const uint32_t terms = sb_rest_terms_index(e, slot);
    const struct sb_terms *t = &e->terms.records[terms];
    set_state(e, slot, state);
    sb_terms_list(e, b, terms);
    if (t->peg != SB_PEG_NONE || t->trail != 0)
        sb_terms_list_own(e, b, terms);
    count_open(e);
}

void sb_rest_dark(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t ticks)
{
    const uint32_t key = sb_book_key(sb_order_side(order_at(e, slot)), ticks);
    unseen(e, b, slot, SB_STATE_DARK);
    const uint32_t leaf = sb_tail_find_or_insert(tail_of(e, b, slot), &e->rare_levels, key, 0);
    enqueue(e, &e->rare_levels.leaves[leaf].level, slot, key);
}

void sb_rest_stop(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    const uint32_t key =
        sb_rest_stop_key(sb_order_side(order_at(e, slot)), sb_rest_terms(e, slot)->stop);
    unseen(e, b, slot, SB_STATE_PARKED);
    const uint32_t leaf = sb_tail_find_or_insert(tail_of(e, b, slot), &e->rare_levels, key, 0);
    enqueue(e, &e->rare_levels.leaves[leaf].level, slot, key);
}

void sb_rest_aside(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    SB_ASSERT_EQ(sb_rest_terms(e, slot)->stop, 0);
    unseen(e, b, slot, SB_STATE_PARKED);
    set_key(order_at(e, slot), 0);
}

/* --- ends --------------------------------------------------------------------------------------------------------------- */

uint32_t sb_rest_end(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    const uint32_t terms = sb_rest_terms_index(e, slot);
    uint32_t partner = 0;
    unqueue(e, b, slot);
    if (terms != 0) {
        partner = sb_terms_part(e, terms);
        sb_terms_free(e, b, terms);
    }
    e->sessions[sb_rest_session(e, slot)].view.open_orders--;
    sb_orders_drop(&e->orders, slot);
    return partner;
}

static void say_canceled(struct sb_engine *e, const struct sb_book *b, uint32_t slot, uint32_t q,
                         uint8_t reason, struct sb_outbox *box)
{
    const struct sb_order *o = order_at(e, slot);
    e->stats.canceled++;
    sb_outbox_session(e, box, sb_rest_session(e, slot),
                      (struct sb_output){.kind = SB_OUT_CANCELED,
                                         .key = sb_rest_key(e, slot),
                                         .instrument = b->index,
                                         .side = sb_order_side(o),
                                         .quantity = q,
                                         .ref = sb_order_ref(o),
                                         .reason = reason});
}

/* What the feed says of a displayed order that loses q; q 0: all. */
static void say_less(struct sb_engine *e, const struct sb_book *b, uint32_t slot, uint32_t q,
                     struct sb_outbox *box)
{
    const struct sb_order *o = order_at(e, slot);
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = q == 0 ? SB_OUT_F_DELETED : SB_OUT_F_REDUCED,
                                      .instrument = b->index,
                                      .side = sb_order_side(o),
                                      .quantity = q,
                                      .ref = sb_order_ref(o)});
}

/* Without what follows for its partner, who is returned. */
static uint32_t cancel_alone(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint8_t reason,
                             struct sb_outbox *box)
{
    say_canceled(e, b, slot, sb_rest_total(e, slot), reason, box);
    if (sb_rest_state(e, slot) == SB_STATE_VISIBLE)
        say_less(e, b, slot, 0, box);
    return sb_rest_end(e, b, slot);
}

void sb_rest_cancel_partner(struct sb_engine *e, struct sb_book *b, uint32_t partner,
                            struct sb_outbox *box)
{
    if (partner == 0)
        return;
    const uint32_t none = cancel_alone(e, b, e->terms.records[partner].slot, SB_REASON_OCO, box);
    SB_ASSERT_EQ(none, 0); /* parted */
}

void sb_rest_cancel(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint8_t reason,
                    struct sb_outbox *box)
{
    sb_rest_cancel_partner(e, b, cancel_alone(e, b, slot, reason, box), box);
}

/* Takes q off the part of an order that is in a queue, or would be. */
static void take_off(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q)
{
    struct sb_order *o = order_at(e, slot);
    SB_ASSERT_LE(q, o->open);
    if (queued(e, slot))
        queue_of(e, b, slot)->quantity -= q;
    o->open -= q;
}

void sb_rest_reduce(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                    uint8_t reason, struct sb_outbox *box)
{
    struct sb_terms *t = sb_rest_terms(e, slot);
    SB_ASSERT_LT(q, sb_rest_total(e, slot));
    if (reason != SB_REASON_NONE)
        say_canceled(e, b, slot, q, reason, box);
    if (t != NULL) {
        const uint32_t hidden = q < t->reserve ? q : t->reserve;
        t->reserve -= hidden;
        q -= hidden;
    }
    if (q == 0)
        return;
    take_off(e, b, slot, q);
    if (sb_rest_state(e, slot) == SB_STATE_VISIBLE)
        say_less(e, b, slot, q, box);
}

/* --- fills -------------------------------------------------------------------------------------------------------------- */

void sb_rest_say_decrement(struct sb_engine *e, const struct sb_book *b, uint32_t slot, uint32_t q,
                           struct sb_outbox *box)
{
    say_canceled(e, b, slot, q, SB_REASON_SELF_TRADE, box);
    if (sb_rest_state(e, slot) == SB_STATE_VISIBLE)
        say_less(e, b, slot, q == order_at(e, slot)->open ? 0 : q, box);
}

enum sb_rest_left sb_rest_fill(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t q,
                               bool executed, uint32_t *partner)
{
    struct sb_order *o = order_at(e, slot);
    const uint32_t terms = sb_rest_terms_index(e, slot);
    *partner = executed && terms != 0 ? sb_terms_part(e, terms) : 0;
    if (executed && q != sb_rest_total(e, slot))
        sb_orders_set_executed(&e->orders, slot, sb_orders_executed(&e->orders, slot) + q);
    if (q < o->open) {
        take_off(e, b, slot, q);
        return SB_REST_LEFT;
    }
    SB_ASSERT_EQ(q, o->open);
    if (terms == 0 || e->terms.records[terms].reserve == 0) {
        const uint32_t alone = sb_rest_end(e, b, slot);
        *partner = executed ? *partner : alone;
        return SB_REST_ENDED;
    }
    unqueue(e, b, slot);
    o->open = 0;
    e->terms.records[terms].state = SB_TERMS_UNDERWAY;
    return SB_REST_SPENT;
}

void sb_rest_refresh(struct sb_engine *e, struct sb_book *b, uint32_t slot, struct sb_outbox *box)
{
    sb_rest_renew(e, b, slot);
    show(e, b, slot, sb_order_ladder_key(order_at(e, slot)));
    say_shown(e, b, slot, 0, box);
}
