/* reference_check.c: section 3: which orders are taken. */
#include "reference_internal.h"

bool ref_can_rest(uint8_t type, uint8_t tif)
{
    return tif != SB_TIF_IOC && tif != SB_TIF_FOK && type != SB_TYPE_MARKET;
}

bool ref_terms_in(const union sb_command_ext *ext)
{
    return ext != NULL &&
           (ext->order.stop_price != 0 || ext->order.expire_ns != 0 ||
            ext->order.display_quantity != 0 || ext->order.min_quantity != 0 ||
            ext->order.peg_offset != 0 || ext->order.trail != 0 || ext->order.oco_key != 0 ||
            ext->order.refresh_range != 0 || ext->order.type != 0 || ext->order.attributes != 0 ||
            ext->order.peg != 0);
}

int64_t ref_band_high(int64_t reference, uint32_t band)
{
    return reference * (10000 + (int64_t)band) / 10000;
}

int64_t ref_band_low(int64_t reference, uint32_t band)
{
    return band >= 10000 ? 0 : (reference * (10000 - (int64_t)band) + 9999) / 10000;
}

uint8_t ref_check_price(const struct sb_instrument_view *v, int64_t price)
{
    if (price % v->tick != 0)
        return SB_REASON_PRICE_TICK;
    if (price <= 0 || price < v->price_min || price > v->price_max)
        return SB_REASON_PRICE_BAND;
    return SB_REASON_NONE;
}

uint8_t ref_check_quantity(const struct sb_instrument_view *v, uint32_t quantity)
{
    if (quantity % v->lot != 0)
        return SB_REASON_LOT;
    if (quantity == 0 || quantity > v->quantity_max)
        return SB_REASON_QUANTITY;
    return SB_REASON_NONE;
}

/* 16, 17, 18 */
uint8_t ref_check_phase(const struct sb_reference *r, uint32_t instrument)
{
    if (!ref_defined(r, instrument))
        return SB_REASON_SYMBOL;
    if (r->instruments[instrument].view.phase == SB_PHASE_HALTED)
        return SB_REASON_HALTED;
    if (r->instruments[instrument].view.phase == SB_PHASE_CLOSED)
        return SB_REASON_PHASE;
    return SB_REASON_NONE;
}

static bool too_much(uint64_t price, uint32_t quantity, uint32_t notional_max)
{
    return notional_max != 0 && price * quantity > (uint64_t)notional_max * 10000;
}

uint8_t ref_check_limits(const struct sb_reference *r, uint32_t session, uint32_t instrument,
                         bool sells, int64_t limit, uint32_t quantity)
{
    const struct sb_session_view *s = &r->sessions[session].view;
    const struct sb_instrument_view *v = &r->instruments[instrument].view;
    if (v->static_band != 0 && v->reference != 0 && limit != 0) { /* 3.7 */
        if (!sells && limit > ref_band_high(v->reference, v->static_band))
            return SB_REASON_STATIC_BAND;
        if (sells && limit < ref_band_low(v->reference, v->static_band))
            return SB_REASON_STATIC_BAND;
    }
    if (s->quantity_max != 0 && quantity > s->quantity_max) /* 3.8 */
        return SB_REASON_FAT_QUANTITY;
    const int64_t price = limit != 0 ? limit : v->last_price != 0 ? v->last_price : v->reference;
    if (too_much((uint64_t)price, quantity, s->notional_max) ||
        too_much((uint64_t)price, quantity, v->notional_max)) /* 3.9 */
        return SB_REASON_FAT_NOTIONAL;
    return SB_REASON_NONE;
}

/* ---- 3.4, item by item ---- */

struct terms { /* of a new order */
    uint8_t type, tif, attributes, peg;
    int64_t price, stop_price, peg_offset;
    uint64_t expire_ns;
    uint32_t quantity, display_quantity, refresh_range, min_quantity, trail, oco_key;
};

static struct terms terms_of(const struct sb_command *c)
{
    struct terms t = {.tif = c->tif, .price = c->price, .quantity = c->quantity};
    const union sb_command_ext *x = sb_command_ext(c);
    if (x == NULL)
        return t;
    t.type = x->order.type;
    t.attributes = x->order.attributes;
    t.peg = x->order.peg;
    t.stop_price = x->order.stop_price;
    t.peg_offset = x->order.peg_offset;
    t.expire_ns = x->order.expire_ns;
    t.display_quantity = x->order.display_quantity;
    t.refresh_range = x->order.refresh_range;
    t.min_quantity = x->order.min_quantity;
    t.trail = x->order.trail;
    t.oco_key = x->order.oco_key;
    return t;
}

static bool day_or_longer(uint8_t tif)
{
    return tif == SB_TIF_DAY || tif == SB_TIF_GTC || tif == SB_TIF_GTD;
}

static bool other_attributes(const struct terms *t)
{
    return (t->attributes & ~SB_ATTR_REDUCE_ONLY) != 0;
}

static bool type_wrong(const struct terms *t, const struct sb_instrument_view *v)
{
    const bool icebergs = t->display_quantity != 0 || t->refresh_range != 0;
    const bool pegs = t->peg != 0 || t->peg_offset != 0;
    const bool others = other_attributes(t) || icebergs || t->min_quantity != 0 || pegs;
    switch (t->type) {
    case SB_TYPE_LIMIT:
        return t->stop_price != 0 || t->trail != 0;
    case SB_TYPE_MARKET:
        return t->price != 0 || others || t->stop_price != 0 || t->trail != 0 || t->oco_key != 0 ||
               (t->tif != SB_TIF_DAY && t->tif != SB_TIF_IOC && t->tif != SB_TIF_FOK);
    case SB_TYPE_MARKET_TO_LIMIT:
        return t->price != 0 || others || t->stop_price != 0 || t->trail != 0 || t->oco_key != 0 ||
               !day_or_longer(t->tif);
    default: /* the stops */
        break;
    }
    if (t->type != SB_TYPE_STOP_LIMIT && t->price != 0)
        return true;
    if (!day_or_longer(t->tif) || others)
        return true;
    if (t->stop_price % v->tick != 0 || t->stop_price < v->price_min ||
        t->stop_price > v->price_max)
        return true;
    return t->type == SB_TYPE_TRAILING_STOP ? t->trail == 0 || t->trail % v->tick != 0
                                            : t->trail != 0;
}

static bool too_many_slices(uint32_t display_quantity, uint32_t refresh_range, uint32_t quantity)
{
    return display_quantity <= refresh_range ||
           20 * (uint64_t)(display_quantity - refresh_range) < quantity;
}

static bool iceberg_wrong(const struct terms *t, const struct sb_instrument_view *v)
{
    if (t->display_quantity == 0)
        return t->refresh_range != 0;
    return t->display_quantity > t->quantity ||
           too_many_slices(t->display_quantity, t->refresh_range, t->quantity) ||
           t->display_quantity % v->lot != 0 || t->refresh_range % v->lot != 0 ||
           (t->attributes & (SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE)) != 0 || t->min_quantity != 0 ||
           t->peg != 0 || t->tif == SB_TIF_IOC || t->tif == SB_TIF_FOK;
}

static bool attributes_wrong(const struct terms *t, const struct sb_instrument_view *v)
{
    const bool all_or_none = (t->attributes & SB_ATTR_ALL_OR_NONE) != 0;
    const bool lasts_or_ioc = day_or_longer(t->tif) || t->tif == SB_TIF_IOC;
    if ((t->attributes & (SB_ATTR_HIDDEN | SB_ATTR_POST_ONLY)) != 0 && !day_or_longer(t->tif))
        return true;
    if ((t->attributes & SB_ATTR_POST_ONLY) != 0 &&
        (all_or_none || t->min_quantity != 0 || t->peg != 0))
        return true;
    if (all_or_none && (t->min_quantity != 0 || !lasts_or_ioc))
        return true;
    return t->min_quantity != 0 &&
           (t->min_quantity > t->quantity || t->min_quantity % v->lot != 0 || !lasts_or_ioc);
}

static bool tif_wrong(const struct terms *t)
{
    if (t->expire_ns != 0 && t->tif != SB_TIF_GTD)
        return true;
    if (t->tif == SB_TIF_FOK && other_attributes(t))
        return true;
    if ((t->tif == SB_TIF_AT_OPEN || t->tif == SB_TIF_AT_CLOSE) &&
        (other_attributes(t) || t->min_quantity != 0 || t->peg != 0 || t->oco_key != 0))
        return true;
    return t->oco_key != 0 && !day_or_longer(t->tif);
}

static bool peg_wrong(const struct terms *t, const struct sb_instrument_view *v)
{
    if (t->peg == SB_PEG_NONE)
        return t->peg_offset != 0;
    return !day_or_longer(t->tif) || t->peg_offset % v->tick != 0 ||
           (t->peg == SB_PEG_MIDPOINT && t->peg_offset != 0) ||
           (t->attributes & SB_ATTR_ALL_OR_NONE) != 0;
}

/* ---- room ---- */

/* 3.3: would it rest displayed at its own price? */
static bool rests_displayed(const struct terms *t, const struct sb_instrument_view *v)
{
    const bool closing = v->phase == SB_PHASE_AUCTION && v->auction == SB_AUCTION_CLOSING;
    return t->type == SB_TYPE_LIMIT && ref_can_rest(t->type, t->tif) &&
           (t->attributes & (SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE)) == 0 && t->min_quantity == 0 &&
           t->peg == SB_PEG_NONE && (t->tif != SB_TIF_AT_CLOSE || closing);
}

static uint32_t count_pegs(const struct ref_instrument *inst)
{
    uint32_t n = 0;
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < inst->dark[s].n; i++)
            n += inst->dark[s].orders[i]->peg != SB_PEG_NONE;
    }
    for (size_t i = 0; i < inst->parked.n; i++)
        n += inst->parked.orders[i]->peg != SB_PEG_NONE;
    return n;
}

static uint32_t count_trailing(const struct ref_instrument *inst)
{
    uint32_t n = 0;
    for (size_t i = 0; i < inst->parked.n; i++)
        n += inst->parked.orders[i]->type == SB_TYPE_TRAILING_STOP;
    return n;
}

static bool has_minimum(uint8_t attributes, uint32_t min_quantity)
{
    return min_quantity != 0 || (attributes & SB_ATTR_ALL_OR_NONE) != 0;
}

static uint32_t count_minimums(const struct ref_instrument *inst, bool sells)
{
    const struct ref_list *lists[2] = {&inst->dark[sells], &inst->parked};
    uint32_t n = 0;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->n; i++) {
            const struct ref_order *o = lists[k]->orders[i];
            n += sb_side_sells(o->side) == sells && has_minimum(o->attributes, o->min_quantity);
        }
    }
    return n;
}

/* 3.14 */
static bool terms_full(const struct sb_reference *r, const struct sb_command *c,
                       const struct terms *t, const struct ref_order *partner)
{
    const struct ref_instrument *inst = &r->instruments[c->instrument];
    uint32_t places = 0;
    if ((ref_terms_in(sb_command_ext(c)) || t->tif != SB_TIF_DAY) && ref_can_rest(t->type, t->tif))
        places = partner != NULL && !partner->place ? 2 : 1;
    if (places > 0 && r->terms_used + places > r->limits.terms_max)
        return true;
    return (t->peg != SB_PEG_NONE && count_pegs(inst) >= REF_PEGS_MAX) ||
           (t->type == SB_TYPE_TRAILING_STOP && count_trailing(inst) >= REF_TRAILING_MAX) ||
           (places > 0 && has_minimum(t->attributes, t->min_quantity) &&
            count_minimums(inst, sb_side_sells(c->side)) >= REF_MINIMUMS_MAX);
}

/* 3.13: would an order of that limit trade at once? */
static bool would_trade(const struct ref_instrument *inst, bool sells, int64_t limit)
{
    const struct ref_list *other[2] = {&inst->shown[!sells], &inst->dark[!sells]};
    for (int k = 0; k < 2; k++) {
        if (other[k]->n > 0 &&
            (sells ? other[k]->orders[0]->price >= limit : other[k]->orders[0]->price <= limit))
            return true;
    }
    return false;
}

/* ---- 19: an order of an earlier day ---- */

static uint8_t check_carried_quantity(const struct sb_instrument_view *v,
                                      const struct sb_command *c)
{
    const uint64_t whole = (uint64_t)c->quantity + sb_command_ext(c)->carry.executed;
    return c->quantity == 0 || whole > v->quantity_max ? SB_REASON_QUANTITY : SB_REASON_NONE;
}

static bool carried_slice_wrong(const struct sb_command *c)
{
    const union sb_command_ext *x = sb_command_ext(c);
    const uint64_t shown = x->carry.shown, display = x->order.display_quantity;
    const uint64_t range = x->order.refresh_range;
    if (shown == 0)
        return false;
    return display == 0 || shown > c->quantity || shown > display + range ||
           c->quantity - shown > 19 * (display - range);
}

/* ---- the whole of it, by the reasons' numbers ---- */

/* 17 to 19, of an instrument that is there */
static uint8_t check_moment(const struct sb_reference *r, const struct sb_command *c,
                            const struct terms *t)
{
    const struct sb_instrument_view *v = &r->instruments[c->instrument].view;
    const bool auction = v->phase == SB_PHASE_AUCTION;
    if (c->kind == SB_CMD_CARRY) { /* 19.2 */
        const bool market = t->type == SB_TYPE_MARKET || t->type == SB_TYPE_MARKET_TO_LIMIT;
        return market || (t->tif != SB_TIF_GTC && t->tif != SB_TIF_GTD) ? SB_REASON_TIF
                                                                        : SB_REASON_NONE;
    }
    const uint8_t reason = ref_check_phase(r, c->instrument);
    if (reason != SB_REASON_NONE)
        return reason;
    if (auction && (t->tif == SB_TIF_IOC || t->tif == SB_TIF_FOK || t->type == SB_TYPE_MARKET ||
                    t->type == SB_TYPE_MARKET_TO_LIMIT))
        return SB_REASON_TIF; /* 3.2 */
    if (t->tif == SB_TIF_AT_OPEN && !(auction && v->auction == SB_AUCTION_OPENING))
        return SB_REASON_TIF; /* 3.2 */
    return SB_REASON_NONE;
}

/* 16 to 26 */
static uint8_t check_basics(const struct sb_reference *r, const struct sb_command *c,
                            const struct terms *t)
{
    if (!ref_defined(r, c->instrument))
        return SB_REASON_SYMBOL;
    uint8_t reason = check_moment(r, c, t);
    if (reason != SB_REASON_NONE)
        return reason;
    const struct sb_instrument_view *v = &r->instruments[c->instrument].view;
    const bool limit_type = t->type == SB_TYPE_LIMIT || t->type == SB_TYPE_STOP_LIMIT;
    const bool free_peg = t->type == SB_TYPE_LIMIT && t->peg != SB_PEG_NONE && t->price == 0;
    reason = limit_type && !free_peg ? ref_check_price(v, t->price) : SB_REASON_NONE; /* 3.1 */
    if (reason == SB_REASON_NONE)
        reason = c->kind == SB_CMD_CARRY ? check_carried_quantity(v, c)
                                         : ref_check_quantity(v, t->quantity);
    if (reason != SB_REASON_NONE)
        return reason;
    if (ref_can_rest(t->type, t->tif) && r->stats.open_orders >= r->limits.orders_max)
        return SB_REASON_FULL_ORDERS; /* 3.3 */
    const struct ref_if now = {0};
    if (rests_displayed(t, v) &&
        ref_levels_full(r, c->instrument, sb_side_sells(c->side), t->price, &now))
        return SB_REASON_FULL_LEVELS; /* 3.3 */
    return SB_REASON_NONE;
}

uint8_t ref_check_order(const struct sb_reference *r, const struct sb_command *c)
{
    const struct terms t = terms_of(c);
    struct terms whole = t;      /* what 3.4 speaks of */
    if (c->kind == SB_CMD_CARRY) /* 19.2 */
        whole.quantity = ref_max(t.quantity, ref_max(t.display_quantity, t.min_quantity));
    uint8_t reason = check_basics(r, c, &t);
    if (reason != SB_REASON_NONE)
        return reason;
    const struct ref_instrument *inst = &r->instruments[c->instrument];
    const struct sb_session_view *s = &r->sessions[c->session].view;
    const bool sells = sb_side_sells(c->side);
    if (type_wrong(&whole, &inst->view) || iceberg_wrong(&whole, &inst->view) ||
        attributes_wrong(&whole, &inst->view) || tif_wrong(&whole) ||
        peg_wrong(&whole, &inst->view))
        return SB_REASON_TERMS; /* 3.4 */
    if (c->kind == SB_CMD_CARRY && carried_slice_wrong(c))
        return SB_REASON_TERMS; /* 19.4 */
    if (t.tif == SB_TIF_GTD && t.expire_ns <= c->time_ns)
        return SB_REASON_EXPIRY; /* 3.5 */
    if ((t.attributes & SB_ATTR_REDUCE_ONLY) != 0)
        return SB_REASON_REDUCE_ONLY; /* 3.6 */
    reason = ref_check_limits(r, c->session, c->instrument, sells, t.price, t.quantity);
    if (reason != SB_REASON_NONE)
        return reason;
    if (s->orders_max != 0 && s->open_orders >= s->orders_max && ref_can_rest(t.type, t.tif))
        return SB_REASON_MAX_ORDERS; /* 3.10 */
    if (s->killed)
        return SB_REASON_KILLED; /* 3.11 */
    const struct ref_order *partner =
        t.oco_key != 0 ? ref_order_find(r, c->session, t.oco_key) : NULL;
    if (t.oco_key != 0 && (partner == NULL || partner->instrument != c->instrument ||
                           partner->partner != NULL || sb_side_sells(partner->side) != sells))
        return SB_REASON_OCO_PARTNER; /* 11.1 */
    if ((t.attributes & SB_ATTR_POST_ONLY) != 0 && c->kind != SB_CMD_CARRY &&
        inst->view.phase == SB_PHASE_CONTINUOUS && would_trade(inst, sells, t.price))
        return SB_REASON_POST_ONLY;                                               /* 3.13 */
    return terms_full(r, c, &t, partner) ? SB_REASON_FULL_TERMS : SB_REASON_NONE; /* 3.14 */
}

/* 16.1: new price and quantity for an open order. */
uint8_t ref_check_amend(const struct sb_reference *r, const struct sb_command *c,
                        const struct ref_order *o)
{
    const struct sb_instrument_view *v = &r->instruments[o->instrument].view;
    const bool limit_type = o->type == SB_TYPE_LIMIT || o->type == SB_TYPE_STOP_LIMIT;
    const bool free_peg = o->peg != SB_PEG_NONE && c->price == 0;
    uint8_t reason = limit_type && !free_peg ? ref_check_price(v, c->price) : SB_REASON_NONE;
    if (reason == SB_REASON_NONE)
        reason = ref_check_quantity(v, c->quantity);
    if (reason != SB_REASON_NONE)
        return reason;
    const struct ref_if without = {.without = {o, NULL}};
    const bool rests = c->kind != SB_CMD_REPLACE || c->tif != SB_TIF_IOC;
    if (o->state == REF_VISIBLE && rests &&
        ref_levels_full(r, o->instrument, sb_side_sells(o->side), c->price, &without))
        return SB_REASON_FULL_LEVELS;
    if (!limit_type && c->price != 0)
        return SB_REASON_TERMS;
    if (o->display_quantity != 0 &&
        too_many_slices(o->display_quantity, o->refresh_range, c->quantity))
        return SB_REASON_TERMS;
    return ref_check_limits(r, o->session, o->instrument, sb_side_sells(o->side), c->price,
                            c->quantity);
}
