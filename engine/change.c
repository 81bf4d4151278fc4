#include "engine/change.h"

#include "engine/cascade.h"
#include "engine/check.h"
#include "engine/entry.h"
#include "engine/outbox.h"

static struct sb_book *book_of(const struct sb_engine *e, uint32_t slot)
{
    return &e->books[sb_order_instrument(&e->orders.slots[slot])];
}

void sb_change_reduce_to(struct sb_engine *e, uint32_t slot, uint32_t total, struct sb_outbox *box)
{
    struct sb_book *b = book_of(e, slot);
    const uint32_t now = sb_rest_total(e, slot);
    if (total >= now)
        return;
    if (total == 0)
        sb_rest_cancel(e, b, slot, SB_REASON_USER, box);
    else
        sb_rest_reduce(e, b, slot, now - total, SB_REASON_USER, box);
    sb_cascade_run(e, b, box);
}

/* Its limit price now; 0: it has none. */
static int64_t price_of(const struct sb_engine *e, const struct sb_book *b, uint32_t slot)
{
    const struct sb_order *o = &e->orders.slots[slot];
    const struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL)
        return (int64_t)t->limit * (int64_t)b->tick;
    return sb_book_price(b, sb_order_side(o), sb_order_ladder_key(o));
}

/* What the phase says about a change. */
static uint8_t phase_reason(const struct sb_book *b)
{
    if (b->view.phase == SB_PHASE_HALTED)
        return SB_REASON_HALTED;
    return b->view.phase == SB_PHASE_CLOSED ? SB_REASON_PHASE : SB_REASON_NONE;
}

/* Puts a changed order that was parked back where it waits, as the newest. */
static void park_again(struct sb_engine *e, struct sb_book *b, uint32_t slot)
{
    if (sb_rest_terms(e, slot)->stop != 0)
        sb_rest_stop(e, b, slot);
    else
        sb_rest_aside(e, b, slot);
}

/* A changed order, underway, that lost its place (16.2): what it was displayed as, if it was, is in old_ref. */
static void arrive_again(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t ticks,
                         uint8_t tif, uint64_t old_ref, struct sb_outbox *box)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL && t->peg != SB_PEG_NONE)
        ticks = sb_peg_price(b, sb_order_side(&e->orders.slots[slot]), t);
    if (ticks == 0) {
        sb_rest_aside(e, b, slot);
        return;
    }
    struct sb_arrival a = sb_arrival_of(e, slot, ticks);
    a.old_ref = old_ref;
    if (tif == SB_TIF_IOC)
        a.tif = tif;
    sb_arrival_run(e, b, &a, box);
}

/* The reference that the feed knows it by; 0: none. */
static uint64_t shown_ref(const struct sb_engine *e, uint32_t slot)
{
    return sb_rest_state(e, slot) == SB_STATE_VISIBLE ? sb_order_ref(&e->orders.slots[slot]) : 0;
}

/* --- REPLACE (16.3) ------------------------------------------------------------------------------------------------------ */

static bool replace_valid(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                          const struct sb_command *cmd)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    const bool plain = t == NULL || (t->flags & SB_TERMS_PLAIN) != 0;
    struct sb_entry x;
    sb_check_entry(cmd, &x);
    if (sb_check_has_terms(&x))
        return false;
    if (cmd->tif != SB_TIF_DAY &&
        (cmd->tif != SB_TIF_IOC || !plain || b->view.phase == SB_PHASE_AUCTION))
        return false;
    return sb_check_change(e, b, slot, cmd->price, cmd->quantity, cmd->tif) == SB_REASON_NONE;
}

static void say_replaced(struct sb_engine *e, const struct sb_book *b, const struct sb_command *cmd,
                         const struct sb_rest_order *order, struct sb_outbox *box)
{
    e->stats.replaced++;
    sb_outbox_session(
        e, box, cmd->session,
        (struct sb_output){.kind = SB_OUT_REPLACED,
                           .key = cmd->key,
                           .orig_key = cmd->orig_key,
                           .instrument = b->index,
                           .side =
                               (uint8_t)(order->side | (cmd->tif == SB_TIF_IOC ? SB_OUT_IOC : 0)),
                           .quantity = order->open,
                           .price = cmd->price,
                           .ref = order->ref,
                           .reason = order->capacity});
}

static void replace_do(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                       const struct sb_command *cmd, struct sb_outbox *box)
{
    const uint32_t executed = sb_orders_executed(&e->orders, slot);
    const uint32_t ticks = sb_book_divide(b, (uint32_t)cmd->price);
    const uint64_t old_ref = shown_ref(e, slot);
    const uint8_t state = sb_rest_state(e, slot);
    const struct sb_rest_order order = {.id = sb_order_id(cmd->session, cmd->key),
                                        .ref = ++e->last_ref,
                                        .open = cmd->quantity - executed,
                                        .executed = executed,
                                        .side = sb_order_side(&e->orders.slots[slot]),
                                        .capacity = sb_rest_capacity(e, slot)};
    const bool special = sb_rest_terms_index(e, slot) != 0;
    struct sb_terms like = {0};
    e->sessions[cmd->session].view.last_key = cmd->key;
    say_replaced(e, b, cmd, &order, box);
    if (special) {
        like = *sb_rest_terms(e, slot);
        like.limit = ticks;
    }
    const uint32_t partner = sb_rest_end(e, b, slot);
    slot = sb_rest_new(e, b, &order, special ? &like : NULL);
    if (partner != 0)
        sb_terms_pair(e, sb_rest_terms_index(e, slot), partner);
    if (state == SB_STATE_PARKED)
        park_again(e, b, slot);
    else
        arrive_again(e, b, slot, ticks, cmd->tif, old_ref, box);
}

void sb_change_replace(struct sb_engine *e, uint32_t slot, const struct sb_command *cmd,
                       struct sb_outbox *box)
{
    struct sb_book *b = book_of(e, slot);
    const uint8_t reason = phase_reason(b);
    if (reason != SB_REASON_NONE) {
        e->sessions[cmd->session].view.last_key = cmd->key;
        sb_entry_reject(e, cmd, reason, box);
        return;
    }
    if (!replace_valid(e, b, slot, cmd))
        sb_rest_cancel(e, b, slot, SB_REASON_REPLACE_INVALID, box);
    else if (cmd->quantity <= sb_orders_executed(&e->orders, slot))
        sb_rest_cancel(e, b, slot, SB_REASON_USER, box);
    else
        replace_do(e, b, slot, cmd, box);
    sb_cascade_run(e, b, box);
}

/* --- AMEND (16.1, 16.2) --------------------------------------------------------------------------------------------------- */

static void say_amended(struct sb_engine *e, const struct sb_book *b, const struct sb_command *cmd,
                        uint32_t slot, uint32_t total, struct sb_outbox *box)
{
    const struct sb_order *o = &e->orders.slots[slot];
    sb_outbox_session(e, box, cmd->session,
                      (struct sb_output){.kind = SB_OUT_AMENDED,
                                         .key = cmd->key,
                                         .instrument = b->index,
                                         .side = sb_order_side(o),
                                         .quantity = total,
                                         .price = cmd->price,
                                         .ref = sb_order_ref(o),
                                         .reason = sb_rest_capacity(e, slot)});
}

static void amend_do(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                     const struct sb_command *cmd, struct sb_outbox *box)
{
    const uint32_t total = cmd->quantity - sb_orders_executed(&e->orders, slot);
    const uint32_t now = sb_rest_total(e, slot);
    const uint32_t ticks = sb_book_divide(b, (uint32_t)cmd->price);
    const uint64_t old_ref = shown_ref(e, slot);
    const bool same_price = cmd->price == price_of(e, b, slot);
    struct sb_terms *t = sb_rest_terms(e, slot);
    if (t != NULL)
        t->limit = ticks;
    if (sb_rest_state(e, slot) == SB_STATE_PARKED) {
        sb_rest_resize(e, b, slot, total);
        say_amended(e, b, cmd, slot, total, box);
    } else if (same_price && total <= now) {
        say_amended(e, b, cmd, slot, total, box);
        if (total < now)
            sb_rest_reduce(e, b, slot, now - total, SB_REASON_NONE, box);
    } else {
        sb_rest_take_out(e, b, slot);
        sb_rest_renew(e, b, slot);
        sb_rest_resize(e, b, slot, total);
        say_amended(e, b, cmd, slot, total, box);
        arrive_again(e, b, slot, ticks, SB_TIF_DAY, old_ref, box);
    }
}

void sb_change_amend(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    if (e->sessions[cmd->session].view.killed) {
        sb_entry_reject(e, cmd, SB_REASON_KILLED, box);
        return;
    }
    const uint32_t slot = sb_orders_find(&e->orders, sb_order_id(cmd->session, cmd->key));
    if (slot == 0) {
        e->stats.ignored_superfluous++;
        return;
    }
    struct sb_book *b = book_of(e, slot);
    uint8_t reason = phase_reason(b);
    if (reason == SB_REASON_NONE)
        reason = sb_check_change(e, b, slot, cmd->price, cmd->quantity, SB_TIF_DAY);
    if (reason != SB_REASON_NONE) {
        sb_entry_reject(e, cmd, reason, box);
        return;
    }
    if (cmd->quantity <= sb_orders_executed(&e->orders, slot))
        sb_rest_cancel(e, b, slot, SB_REASON_USER, box);
    else
        amend_do(e, b, slot, cmd, box);
    sb_cascade_run(e, b, box);
}
