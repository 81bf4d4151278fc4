/* reference_order.c: new orders and cancels; how an order shrinks, is refreshed and ends. */
#include "reference_internal.h"

/* ---- icebergs: section 6 ---- */

static uint64_t splitmix64(uint64_t x)
{
    uint64_t z = x + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 6.1, 6.2: what of an order that comes to rest shows, and what is its reserve. */
void ref_slice(struct sb_reference *r, struct ref_order *o)
{
    o->reserve = 0;
    if (o->display_quantity == 0)
        return;
    const uint32_t lot = ref_instrument_of(r, o)->view.lot;
    const uint64_t h = splitmix64(o->first_ref + (o->slices++ << 40));
    uint32_t size = o->display_quantity - o->refresh_range +
                    lot * (uint32_t)(h % (2 * (uint64_t)o->refresh_range / lot + 1));
    if (o->carried_slice != 0) /* 19.4 */
        size = o->carried_slice;
    o->carried_slice = 0;
    o->reserve = o->open - ref_min(size, o->open);
}

/* 6.3: the displayed slice is used up and there is reserve. */
void ref_refresh(struct sb_reference *r, struct ref_order *o)
{
    ref_order_take_out(r, o);
    o->ref = r->next_ref++;
    ref_slice(r, o);
    ref_order_insert(r, o, REF_VISIBLE);
    struct sb_output *out = ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_ADD, o);
    out->quantity = o->open - o->reserve;
    out->price = o->price;
}

/* ---- ends ---- */

/* 11.2: o had a fill or ended. */
void ref_partner_ends(struct sb_reference *r, struct ref_order *o)
{
    struct ref_order *partner = o->partner;
    if (partner == NULL)
        return;
    o->partner = partner->partner = NULL;
    ref_cancel(r, partner, SB_REASON_OCO);
}

/* What the feed still shows of an order that arrives anew goes, once. */
void ref_leave_feed(struct sb_reference *r, struct ref_order *o)
{
    if (o->old_ref == 0)
        return;
    ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_DELETED, o)->ref = o->old_ref;
    o->old_ref = 0;
}

void ref_cancel(struct sb_reference *r, struct ref_order *o, uint8_t reason)
{
    ref_leave_feed(r, o);
    struct sb_output *out = ref_emit_order(r, o->session, SB_OUT_CANCELED, o);
    out->quantity = o->open;
    out->reason = reason;
    if (o->state == REF_VISIBLE)
        ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_DELETED, o);
    o->open = 0;
    ref_order_end(r, o);
    ref_partner_ends(r, o);
}

/* 6.4: less, but not nothing: from the reserve first. */
void ref_reduce_silently(struct sb_reference *r, struct ref_order *o, uint32_t quantity)
{
    const uint32_t from_reserve = ref_min(quantity, o->reserve);
    o->open -= quantity;
    o->reserve -= from_reserve;
    if (o->state == REF_VISIBLE && quantity > from_reserve)
        ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_REDUCED, o)->quantity = quantity - from_reserve;
}

/* Takes `quantity` (at most what is open) off an order. */
static void take_off(struct sb_reference *r, struct ref_order *o, uint32_t quantity)
{
    if (quantity == 0)
        return;
    if (quantity == o->open) {
        ref_cancel(r, o, SB_REASON_USER);
        return;
    }
    struct sb_output *out = ref_emit_order(r, o->session, SB_OUT_CANCELED, o);
    out->quantity = quantity;
    out->reason = SB_REASON_USER;
    ref_reduce_silently(r, o, quantity);
}

/* ---- commands ---- */

static struct ref_order *make(struct sb_reference *r, const struct sb_command *c)
{
    struct ref_order *o = ref_order_make(r, c->session, c->key, c->instrument, c->side, false);
    o->limit = c->price;
    o->open = c->quantity;
    o->capacity = c->capacity;
    o->tif = c->tif;
    const union sb_command_ext *x = sb_command_ext(c);
    o->terms = ref_terms_in(x) || (c->tif != SB_TIF_DAY && c->tif != SB_TIF_IOC);
    if (x == NULL)
        return o;
    o->type = x->order.type;
    o->attributes = x->order.attributes;
    o->peg = x->order.peg;
    o->expire_ns = x->order.expire_ns;
    o->stop_price = x->order.stop_price;
    o->peg_offset = x->order.peg_offset;
    o->display_quantity = x->order.display_quantity;
    o->refresh_range = x->order.refresh_range;
    o->min_quantity = x->order.min_quantity;
    o->trail = x->order.trail;
    if (c->kind == SB_CMD_CARRY) { /* 19.3, 19.4 */
        o->executed = x->carry.executed;
        o->carried_slice = x->carry.shown;
    }
    return o;
}

/* 3.14 */
static void take_place(struct sb_reference *r, struct ref_order *o)
{
    if (!o->place)
        r->terms_used++;
    o->place = true;
}

/* ORDER or CARRY, whose key was taken. */
static void enter(struct sb_reference *r, const struct sb_command *c)
{
    const uint8_t reason = ref_check_order(r, c);
    if (reason != SB_REASON_NONE) {
        ref_reject(r, reason);
        return;
    }
    struct ref_order *o = make(r, c);
    if (o->terms && ref_can_rest(o->type, o->tif))
        take_place(r, o);
    const union sb_command_ext *x = sb_command_ext(c);
    if (x != NULL && x->order.oco_key != 0) { /* 11.1 */
        o->partner = ref_order_find(r, c->session, x->order.oco_key);
        o->partner->partner = o;
        take_place(r, o->partner);
    }
    struct sb_output *out = ref_emit_order(r, c->session, SB_OUT_ACCEPTED, o); /* 4.7 */
    out->side = (uint8_t)(o->side | (o->tif == SB_TIF_IOC ? SB_OUT_IOC : 0));
    out->quantity = o->open;
    out->price = o->limit;
    out->reason = o->capacity;
    r->stats.accepted++;
    ref_enter(r, o);
    ref_cascade(r, c->instrument); /* 4.8 */
}

void ref_apply_order(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->key <= s->last_key) {
        r->stats.ignored_resend++;
        return;
    }
    s->last_key = c->key;
    enter(r, c);
}

/* 19.1 */
void ref_apply_carry(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->firm != s->firm) {
        r->stats.ignored_session++;
        return;
    }
    if (c->key == 0 || ref_order_find(r, c->session, c->key) != NULL) {
        r->stats.ignored_resend++;
        return;
    }
    if (s->last_key < c->key)
        s->last_key = c->key;
    enter(r, c);
}

void ref_apply_cancel(struct sb_reference *r, const struct sb_command *c)
{
    struct ref_order *o = ref_order_find(r, c->session, c->key);
    if (o == NULL) {
        r->stats.ignored_superfluous++;
        return;
    }
    if (c->kind == SB_CMD_REDUCE) {
        take_off(r, o, ref_min(c->quantity, o->open));
    } else {
        const uint32_t wanted = c->quantity > o->executed ? c->quantity - o->executed : 0;
        take_off(r, o, wanted < o->open ? o->open - wanted : 0);
    }
    ref_cascade(r, o->instrument);
}
