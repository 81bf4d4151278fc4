#include "engine/check.h"

#include "engine/rest.h"

void sb_check_entry(const struct sb_command *cmd, struct sb_entry *x)
{
    const union sb_command_ext *ext = sb_command_ext(cmd);
    *x = (struct sb_entry){.session = cmd->session,
                           .quantity = cmd->quantity,
                           .price = cmd->price,
                           .side = cmd->side,
                           .tif = cmd->tif};
    if (ext == NULL)
        return;
    x->type = ext->order.type;
    x->attributes = ext->order.attributes;
    x->peg = ext->order.peg;
    x->display = ext->order.display_quantity;
    x->range = ext->order.refresh_range;
    x->minimum = ext->order.min_quantity;
    x->trail = ext->order.trail;
    x->oco_key = ext->order.oco_key;
    x->offset = ext->order.peg_offset;
    x->stop = ext->order.stop_price;
    x->expire_ns = ext->order.expire_ns;
    if (cmd->kind != SB_CMD_CARRY)
        return;
    x->carried = true;
    x->executed = ext->carry.executed;
    x->shown = ext->carry.shown;
}

bool sb_check_has_terms(const struct sb_entry *x)
{
    return (x->type | x->attributes | x->peg) != 0 ||
           (x->display | x->range | x->minimum | x->trail | x->oco_key) != 0 || x->offset != 0 ||
           x->stop != 0 || x->expire_ns != 0;
}

bool sb_check_is_plain(const struct sb_entry *x)
{
    return x->tif <= SB_TIF_IOC && !sb_check_has_terms(x);
}

/* --- instrument, phase, price, quantity: 16..24 ------------------------------------------------------------------------- */

/* 19.2 */
static uint8_t carried_tif(const struct sb_entry *x)
{
    const bool lasts = x->tif == SB_TIF_GTC || x->tif == SB_TIF_GTD;
    const bool rests = x->type != SB_TYPE_MARKET && x->type != SB_TYPE_MARKET_TO_LIMIT;
    return lasts && rests ? SB_REASON_NONE : SB_REASON_TIF;
}

uint8_t sb_check_phase(const struct sb_book *b, const struct sb_entry *x)
{
    const uint8_t phase = b->view.phase;
    if (x->carried)
        return carried_tif(x);
    if (phase == SB_PHASE_HALTED)
        return SB_REASON_HALTED;
    if (phase == SB_PHASE_CLOSED)
        return SB_REASON_PHASE;
    const bool at_once = x->tif == SB_TIF_IOC || x->tif == SB_TIF_FOK ||
                         x->type == SB_TYPE_MARKET || x->type == SB_TYPE_MARKET_TO_LIMIT;
    if (at_once && phase == SB_PHASE_AUCTION) /* 3.2 */
        return SB_REASON_TIF;
    const bool opening = phase == SB_PHASE_AUCTION && b->view.auction == SB_AUCTION_OPENING;
    return x->tif == SB_TIF_AT_OPEN && !opening ? SB_REASON_TIF : SB_REASON_NONE;
}

/* Has it a limit price (3.1)? */
static bool limited(const struct sb_entry *x)
{
    return x->type == SB_TYPE_STOP_LIMIT ||
           (x->type == SB_TYPE_LIMIT && (x->peg == SB_PEG_NONE || x->price != 0));
}

static bool on_tick(const struct sb_book *b, int64_t price)
{
    return price % b->view.tick == 0;
}

static bool in_range(const struct sb_book *b, int64_t price)
{
    return price >= b->view.price_min && price <= b->view.price_max;
}

uint8_t sb_check_price_quantity(const struct sb_book *b, const struct sb_entry *x)
{
    if (limited(x) && !on_tick(b, x->price))
        return SB_REASON_PRICE_TICK;
    if (limited(x) && !in_range(b, x->price))
        return SB_REASON_PRICE_BAND;
    if (x->quantity % b->view.lot != 0 && !x->carried)
        return SB_REASON_LOT;
    if (x->quantity == 0 || x->quantity > b->view.quantity_max ||
        x->executed > b->view.quantity_max - x->quantity)
        return SB_REASON_QUANTITY;
    return SB_REASON_NONE;
}

/* --- room: 25, 26, 38, 42 ------------------------------------------------------------------------------------------------ */

bool sb_check_rests_shown(const struct sb_book *b, const struct sb_entry *x)
{
    const bool closing = b->view.phase == SB_PHASE_AUCTION && b->view.auction == SB_AUCTION_CLOSING;
    return x->type == SB_TYPE_LIMIT && sb_check_can_rest(x) && x->minimum == 0 &&
           x->peg == SB_PEG_NONE && (x->attributes & (SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE)) == 0 &&
           (x->tif != SB_TIF_AT_CLOSE || closing);
}

/* Is there no level at its price, with the order in `old` (0: none) taken out? The price is on tick and in range. */
static bool no_level(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x,
                     uint32_t old)
{
    if (!sb_book_levels_full(e, b, x->side, sb_book_divide(b, (uint32_t)x->price)))
        return false;
    if (old == 0 || sb_rest_state(e, old) != SB_STATE_VISIBLE)
        return true;
    const struct sb_order *o = &e->orders.slots[old];
    return o->next != 0 || o->prev != 0; /* alone: its own level becomes free */
}

bool sb_check_levels_full(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x,
                          uint32_t old)
{
    return sb_check_rests_shown(b, x) && no_level(e, b, x, old);
}

/* 3.14 */
static bool terms_full(const struct sb_engine *e, const struct sb_book *b, const struct sb_entry *x)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    if (!sb_check_can_rest(x) || sb_check_is_plain(x))
        return false;
    uint32_t wanted = 1;
    if (x->oco_key != 0) {
        const uint32_t partner = sb_orders_find(&e->orders, sb_order_id(x->session, x->oco_key));
        wanted += sb_rest_terms_index(e, partner) == 0;
    }
    return e->terms.max - e->terms.used < wanted ||
           (x->peg != SB_PEG_NONE && r->pegs_n >= SB_PEGS_MAX) ||
           (x->type == SB_TYPE_TRAILING_STOP && r->trails_n >= SB_TRAILS_MAX) ||
           (sb_terms_has_minimum(x->attributes, x->minimum) &&
            r->minimums_n[x->side & 1u] >= SB_MINIMUMS_MAX);
}

/* --- limits: 35..39 ------------------------------------------------------------------------------------------------------- */

/* 3.7 */
static bool outside_static_band(const struct sb_book *b, uint8_t side, int64_t price)
{
    const int64_t r = b->view.reference, band = b->view.static_band;
    if (r == 0 || band == 0)
        return false;
    if (!sb_side_sells(side))
        return price > r * (10000 + band) / 10000;
    return band < 10000 && price < (r * (10000 - band) + 9999) / 10000;
}

/* 3.9 */
static bool fat_notional(const struct sb_engine *e, const struct sb_book *b,
                         const struct sb_entry *x)
{
    const uint64_t own = e->sessions[x->session].view.notional_max;
    const uint64_t all = b->view.notional_max;
    int64_t price = x->price;
    if (!limited(x))
        price = b->view.last_price != 0 ? b->view.last_price : b->view.reference;
    const uint64_t notional = (uint64_t)price * x->quantity; /* below 2^31 each */
    return (own != 0 && notional > own * 10000) || (all != 0 && notional > all * 10000);
}

/* 35..37 */
uint8_t sb_check_too_much(const struct sb_engine *e, const struct sb_book *b,
                          const struct sb_entry *x)
{
    const struct sb_session_view *s = &e->sessions[x->session].view;
    if (limited(x) && outside_static_band(b, x->side, x->price))
        return SB_REASON_STATIC_BAND;
    if (s->quantity_max != 0 && x->quantity > s->quantity_max)
        return SB_REASON_FAT_QUANTITY;
    return fat_notional(e, b, x) ? SB_REASON_FAT_NOTIONAL : SB_REASON_NONE;
}

/* --- partner, post-only: 40, 41 ------------------------------------------------------------------------------------------- */

/* 11.1 */
static bool partner_fits(const struct sb_engine *e, const struct sb_book *b,
                         const struct sb_entry *x)
{
    const uint32_t slot = sb_orders_find(&e->orders, sb_order_id(x->session, x->oco_key));
    if (slot == 0)
        return false;
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms *t = sb_rest_terms(e, slot);
    return sb_order_instrument(o) == b->index && sb_order_book_side(o) == (x->side & 1u) &&
           (t == NULL || t->oco == 0);
}

/* 3.13 */
static bool would_trade(const struct sb_engine *e, const struct sb_book *b,
                        const struct sb_entry *x)
{
    const uint8_t other = (x->side ^ 1u) & 1u;
    const uint32_t limit = sb_book_key(other, sb_book_divide(b, (uint32_t)x->price));
    return b->view.phase == SB_PHASE_CONTINUOUS &&
           (b->side[other].best <= limit ||
            sb_tail_least(&sb_state_rare(e, b)->dark[other]) <= limit);
}

/* --- all of it ------------------------------------------------------------------------------------------------------------- */

static uint8_t last_reasons(const struct sb_engine *e, const struct sb_book *b,
                            const struct sb_entry *x)
{
    const struct sb_session_view *s = &e->sessions[x->session].view;
    const uint8_t reason = sb_check_too_much(e, b, x);
    if (reason != SB_REASON_NONE)
        return reason;
    if (s->orders_max != 0 && s->open_orders >= s->orders_max && sb_check_can_rest(x))
        return SB_REASON_MAX_ORDERS;
    if (s->killed)
        return SB_REASON_KILLED;
    if (x->oco_key != 0 && !partner_fits(e, b, x))
        return SB_REASON_OCO_PARTNER;
    if ((x->attributes & SB_ATTR_POST_ONLY) != 0 && !x->carried && would_trade(e, b, x))
        return SB_REASON_POST_ONLY;
    return terms_full(e, b, x) ? SB_REASON_FULL_TERMS : SB_REASON_NONE;
}

uint8_t sb_check_order(const struct sb_engine *e, struct sb_book *b, const struct sb_entry *x)
{
    if (b == NULL)
        return SB_REASON_SYMBOL;
    uint8_t reason = sb_check_phase(b, x);
    if (reason == SB_REASON_NONE)
        reason = sb_check_price_quantity(b, x);
    if (reason != SB_REASON_NONE)
        return reason;
    if (sb_check_can_rest(x) && e->orders.used == e->orders.max)
        return SB_REASON_FULL_ORDERS;
    if (sb_check_levels_full(e, b, x, 0))
        return SB_REASON_FULL_LEVELS;
    if (!sb_check_terms(b, x))
        return SB_REASON_TERMS;
    if (x->tif == SB_TIF_GTD && x->expire_ns <= e->time_ns)
        return SB_REASON_EXPIRY;
    if ((x->attributes & SB_ATTR_REDUCE_ONLY) != 0)
        return SB_REASON_REDUCE_ONLY;
    return last_reasons(e, b, x);
}

/* 32 of a change (16.1): no price where there is no limit, and no more slices than 20. */
static bool change_terms(const struct sb_entry *x, const struct sb_terms *t)
{
    if (!limited(x) && x->price != 0)
        return false;
    return t == NULL || t->display == 0 || UINT64_C(20) * (t->display - t->range) >= x->quantity;
}

uint8_t sb_check_change(const struct sb_engine *e, struct sb_book *b, uint32_t slot, int64_t price,
                        uint32_t quantity, uint8_t tif)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms *t = sb_rest_terms(e, slot);
    struct sb_entry x = {.session = sb_rest_session(e, slot),
                         .quantity = quantity,
                         .price = price,
                         .side = sb_order_side(o)};
    if (t != NULL) {
        x.type = t->type;
        x.tif = t->tif;
        x.peg = t->peg;
    }
    if (tif == SB_TIF_IOC)
        x.tif = tif;
    uint8_t reason = sb_check_price_quantity(b, &x);
    if (reason != SB_REASON_NONE)
        return reason;
    if (sb_check_can_rest(&x) && sb_rest_state(e, slot) == SB_STATE_VISIBLE &&
        no_level(e, b, &x, slot))
        return SB_REASON_FULL_LEVELS;
    if (!change_terms(&x, t))
        return SB_REASON_TERMS;
    return sb_check_too_much(e, b, &x);
}
