/* reference_phase.c: PHASE, UNCROSS, INDICATIVE, TIMER: what a phase's beginning does. */
#include "reference_internal.h"

#include <stdlib.h>

/* ---- entering a phase ---- */

/* 14.6 */
static void cancel_for_close(struct sb_reference *r, uint32_t instrument)
{
    struct ref_list all = {0};
    ref_book_order(r, instrument, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct ref_order *o = all.orders[i];
        if (o->state != REF_ENDED && o->tif != SB_TIF_GTC && o->tif != SB_TIF_GTD)
            ref_cancel(r, o, SB_REASON_CLOSED);
    }
    free(all.orders);
}

/* 14.1 */
static void place_at_close(struct sb_reference *r, uint32_t instrument)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    struct ref_list parked = {0};
    for (size_t i = 0; i < inst->parked.n; i++)
        ref_list_push(&parked, inst->parked.orders[i]);
    ref_list_sort_by_ref(&parked);
    for (size_t i = 0; i < parked.n; i++) {
        struct ref_order *o = parked.orders[i];
        if (o->state == REF_ENDED || o->tif != SB_TIF_AT_CLOSE)
            continue;
        ref_order_take_out(r, o);
        o->price = o->limit;
        ref_rest(r, o);
    }
    free(parked.orders);
}

/* 9, last but one: dark orders leave their queues, then arrive. */
static void dark_orders_arrive(struct sb_reference *r, uint32_t instrument)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    struct ref_list moving = {0};
    for (int s = 0; s < 2; s++) {
        while (inst->dark[s].n > 0) { /* none is a peg: those are parked (8.4) */
            struct ref_order *o = inst->dark[s].orders[inst->dark[s].n - 1];
            ref_order_take_out(r, o);
            ref_list_push(&moving, o);
        }
    }
    ref_list_sort_by_ref(&moving);
    for (size_t i = 0; i < moving.n; i++) {
        if (moving.orders[i]->state == REF_MOVING)
            ref_arrive(r, moving.orders[i]);
    }
    free(moving.orders);
}

static void enter_phase(struct sb_reference *r, uint32_t instrument, uint8_t phase, uint8_t auction)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    const bool was_closing =
        inst->view.phase == SB_PHASE_AUCTION && inst->view.auction == SB_AUCTION_CLOSING;
    const bool new_phase = inst->view.phase != phase;
    const bool was_pause =
        inst->view.phase == SB_PHASE_AUCTION && inst->view.auction == SB_AUCTION_VOLATILITY;
    if (new_phase && phase == SB_PHASE_CLOSED)
        cancel_for_close(r, instrument);
    inst->view.phase = phase;
    if (phase == SB_PHASE_AUCTION)
        inst->view.auction = auction;
    if (new_phase && phase != SB_PHASE_CONTINUOUS)
        ref_park_pegs(r, instrument); /* 8.4 */
    if (new_phase)
        ref_emit_phase(r, instrument);
    if (phase == SB_PHASE_AUCTION && auction == SB_AUCTION_CLOSING && !was_closing)
        place_at_close(r, instrument);
    if (new_phase && phase == SB_PHASE_CONTINUOUS) {
        inst->pegs_priced = false;
        inst->pause_ends = was_pause; /* 13.3 */
        dark_orders_arrive(r, instrument);
        ref_cascade(r, instrument);
        inst->pause_ends = false;
    }
}

/* 13.2 */
void ref_pause(struct sb_reference *r, uint32_t instrument)
{
    struct sb_instrument_view *v = &r->instruments[instrument].view;
    v->resume_ns = v->pause_ms != 0 ? r->cmd->time_ns + (uint64_t)v->pause_ms * 1000000 : 0;
    enter_phase(r, instrument, SB_PHASE_AUCTION, SB_AUCTION_VOLATILITY);
}

/* ---- the operator's commands ---- */

static uint8_t operate_one(struct sb_reference *r, const struct sb_command *c, uint32_t instrument,
                           uint64_t *quantity)
{
    struct sb_instrument_view *v = &r->instruments[instrument].view;
    if (c->kind == SB_CMD_PHASE) {
        if (c->phase == SB_PHASE_CONTINUOUS && v->phase != SB_PHASE_CONTINUOUS &&
            ref_crossed(r, instrument))
            return SB_REASON_CROSSED;
        v->resume_ns = 0; /* 13.3 */
        enter_phase(r, instrument, c->phase, c->auction);
        return SB_REASON_NONE;
    }
    if (v->phase != SB_PHASE_AUCTION)
        return SB_REASON_NOT_AUCTION;
    if (c->kind == SB_CMD_UNCROSS) {
        *quantity += ref_uncross(r, instrument);
    } else {
        ref_indicative(r, instrument); /* 14.5 */
        *quantity += 1;
    }
    return SB_REASON_NONE;
}

void ref_apply_phase_etc(struct sb_reference *r, const struct sb_command *c)
{
    uint8_t reason = SB_REASON_NONE;
    uint64_t quantity = 0;
    if (c->session != 0 && !r->sessions[c->session].view.operator_right) {
        reason = SB_REASON_NO_RIGHT;
    } else if (c->instrument == SB_INSTRUMENT_ALL) {
        for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
            if (!ref_defined(r, i))
                continue;
            const uint8_t one = operate_one(r, c, i, &quantity);
            reason = reason == SB_REASON_NONE ? one : reason;
        }
    } else if (!ref_defined(r, c->instrument)) {
        reason = SB_REASON_SYMBOL;
    } else {
        reason = operate_one(r, c, c->instrument, &quantity);
    }
    if (c->session == 0)
        return;
    struct sb_output *out = ref_emit(r, c->session, SB_OUT_OPERATOR);
    out->key = c->key;
    out->instrument = c->instrument;
    out->side = (uint8_t)(c->kind == SB_CMD_PHASE ? c->phase << SB_OUT_PHASE_SHIFT : 0);
    out->reason = reason;
    out->quantity = quantity > UINT32_MAX ? UINT32_MAX : (uint32_t)quantity;
}

/* ---- TIMER: 15.3 ---- */

static void time_has_come(struct sb_reference *r, uint32_t instrument, uint64_t now)
{
    struct sb_instrument_view *v = &r->instruments[instrument].view;
    struct ref_list all = {0};
    ref_book_order(r, instrument, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct ref_order *o = all.orders[i];
        if (o->state != REF_ENDED && o->tif == SB_TIF_GTD && o->expire_ns <= now)
            ref_cancel(r, o, SB_REASON_EXPIRED);
    }
    free(all.orders);
    if (v->resume_ns != 0 && now >= v->resume_ns && v->phase == SB_PHASE_AUCTION) { /* 13.3 */
        ref_uncross(r, instrument);
        if (!ref_crossed(r, instrument)) {
            v->resume_ns = 0;
            enter_phase(r, instrument, SB_PHASE_CONTINUOUS, 0);
        }
    }
    ref_cascade(r, instrument);
}

void ref_apply_timer(struct sb_reference *r, const struct sb_command *c)
{
    for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
        if (ref_defined(r, i) && (c->instrument == SB_INSTRUMENT_ALL || c->instrument == i))
            time_has_come(r, i, c->time_ns);
    }
}
