#include "engine/client.h"

#include "engine/book.h"
#include "engine/change.h"
#include "engine/entry.h"
#include "engine/outbox.h"
#include "engine/plain.h"
#include "engine/rest.h"

/* May the plain path serve a command of this session for this book (NULL: none)? Else all rules are looked at. */
static inline bool plain(const struct sb_session_view *s, const struct sb_book *b)
{
    return __builtin_expect(sb_entry_session_plain(s) && (b == NULL || b->general == 0), 1);
}

/* What the phase says about a new order. */
static uint8_t phase_reason(uint8_t phase, uint8_t tif)
{
    if (phase == SB_PHASE_HALTED)
        return SB_REASON_HALTED;
    if (phase == SB_PHASE_CLOSED)
        return SB_REASON_PHASE;
    if (phase == SB_PHASE_AUCTION && tif != SB_TIF_DAY)
        return SB_REASON_TIF;
    return SB_REASON_NONE;
}

/* Everything that may refuse an order, lowest reason first. */
static uint8_t order_reason(const struct sb_engine *e, struct sb_book *b,
                            const struct sb_command *cmd, uint32_t *ticks)
{
    if (b == NULL)
        return SB_REASON_SYMBOL;
    uint8_t reason = phase_reason(b->view.phase, cmd->tif);
    if (reason == SB_REASON_NONE)
        reason = sb_book_check(b, cmd->price, cmd->quantity, ticks);
    if (reason != SB_REASON_NONE || cmd->tif == SB_TIF_IOC)
        return reason;
    if (e->orders.used == e->orders.max)
        return SB_REASON_FULL_ORDERS;
    return sb_book_levels_full(e, b, cmd->side, *ticks) ? SB_REASON_FULL_LEVELS : SB_REASON_NONE;
}

static void feed_order(struct sb_engine *e, const struct sb_book *b, const struct sb_incoming *in,
                       uint8_t kind, uint64_t old_ref, struct sb_outbox *box)
{
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = kind,
                                      .instrument = b->index,
                                      .side = (uint8_t)in->side,
                                      .quantity = in->open,
                                      .price = (int64_t)in->ticks * b->view.tick,
                                      .ref = in->ref,
                                      .match = old_ref});
}

/* What becomes of an order after its fills: rests, or is canceled if it is an IOC. */
static void settle(struct sb_engine *e, struct sb_book *b, const struct sb_incoming *in,
                   uint8_t tif, uint8_t feed_kind, uint64_t old_ref, struct sb_outbox *box)
{
    if (in->open == 0)
        return;
    if (tif == SB_TIF_IOC) {
        e->stats.canceled++;
        sb_outbox_session(e, box, (uint32_t)(in->id >> 32),
                          (struct sb_output){.kind = SB_OUT_CANCELED,
                                             .key = (uint32_t)in->id,
                                             .instrument = b->index,
                                             .side = (uint8_t)in->side,
                                             .quantity = in->open,
                                             .ref = in->ref,
                                             .reason = SB_REASON_IOC});
        return;
    }
    sb_plain_rest(e, b, in, false);
    feed_order(e, b, in, feed_kind, old_ref, box);
}

void sb_client_order(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    struct sb_session_view *s = &e->sessions[cmd->session].view;
    if (cmd->key <= s->last_key) {
        e->stats.ignored_resend++;
        return;
    }
    s->last_key = cmd->key;
    const uint64_t id = sb_order_id(cmd->session, cmd->key);
    sb_orders_prefetch(&e->orders, id);
    struct sb_book *b = sb_state_book(e, cmd->instrument);
    if (!plain(s, b) || __builtin_expect(sb_entry_has_terms(cmd), 0)) {
        sb_entry_order(e, b, cmd, box);
        return;
    }
    uint32_t ticks = 0;
    const uint8_t reason = order_reason(e, b, cmd, &ticks);
    if (__builtin_expect(reason != SB_REASON_NONE, 0)) {
        sb_entry_reject(e, cmd, reason, box);
        return;
    }
    __builtin_prefetch(sb_book_level_guess(b, cmd->side, sb_book_key(cmd->side, ticks)), 1);
    struct sb_incoming in = {.ref = ++e->last_ref,
                             .id = id,
                             .open = cmd->quantity,
                             .ticks = ticks,
                             .side = cmd->side,
                             .extra = cmd->capacity};
    e->stats.accepted++;
    sb_outbox_session(
        e, box, cmd->session,
        (struct sb_output){.kind = SB_OUT_ACCEPTED,
                           .key = cmd->key,
                           .instrument = b->index,
                           .side = (uint8_t)(cmd->side | (cmd->tif == SB_TIF_IOC ? SB_OUT_IOC : 0)),
                           .quantity = cmd->quantity,
                           .price = cmd->price,
                           .ref = in.ref,
                           .reason = cmd->capacity});
    if (b->view.phase == SB_PHASE_CONTINUOUS && sb_book_crosses(b, in.side, ticks))
        sb_book_match(e, b, &in, box);
    settle(e, b, &in, cmd->tif, SB_OUT_F_ADD, 0, box);
}

void sb_client_carry(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    struct sb_session_view *s = &e->sessions[cmd->session].view;
    if (cmd->firm != s->firm) {
        e->stats.ignored_session++;
        return;
    }
    if (cmd->key == 0 || sb_orders_live(&e->orders, sb_order_id(cmd->session, cmd->key))) {
        e->stats.ignored_resend++;
        return;
    }
    if (cmd->key > s->last_key)
        s->last_key = cmd->key;
    sb_entry_order(e, sb_state_book(e, cmd->instrument), cmd, box);
}

/* The new details of a live order: can they be served, with the original taken out? */
static bool replace_valid(struct sb_engine *e, struct sb_book *b, const struct sb_order *o,
                          const struct sb_command *cmd, uint32_t *ticks)
{
    if (phase_reason(b->view.phase, cmd->tif) != SB_REASON_NONE ||
        sb_book_check(b, cmd->price, cmd->quantity, ticks) != SB_REASON_NONE)
        return false;
    if (cmd->tif == SB_TIF_IOC || !sb_book_levels_full(e, b, sb_order_side(o), *ticks))
        return true;
    return o->next == 0 && o->prev == 0; /* alone: its own level becomes free */
}

/* The replace stands: takes the original out, puts the new one through the book. */
static void replace_do(struct sb_engine *e, struct sb_book *b, uint32_t slot, uint32_t ticks,
                       const struct sb_command *cmd, struct sb_outbox *box)
{
    const struct sb_order old = e->orders.slots[slot];
    const uint32_t executed = sb_orders_executed(&e->orders, slot);
    struct sb_incoming in = {.ref = ++e->last_ref,
                             .id = sb_order_id(cmd->session, cmd->key),
                             .open = cmd->quantity - executed,
                             .executed = executed,
                             .ticks = ticks,
                             .side = sb_order_side(&old),
                             .extra = sb_orders_extra(&e->orders, slot)};
    e->sessions[cmd->session].view.last_key = cmd->key;
    e->stats.replaced++;
    sb_outbox_session(
        e, box, cmd->session,
        (struct sb_output){.kind = SB_OUT_REPLACED,
                           .key = cmd->key,
                           .orig_key = cmd->orig_key,
                           .instrument = b->index,
                           .side = (uint8_t)(in.side | (cmd->tif == SB_TIF_IOC ? SB_OUT_IOC : 0)),
                           .quantity = in.open,
                           .price = cmd->price,
                           .ref = in.ref,
                           .reason = (uint8_t)in.extra});
    sb_book_reduce(e, b, slot, old.open);

    const bool trades = b->view.phase == SB_PHASE_CONTINUOUS && sb_book_crosses(b, in.side, ticks);
    if (!trades && cmd->tif == SB_TIF_DAY) {
        settle(e, b, &in, cmd->tif, SB_OUT_F_REPLACED, sb_order_ref(&old), box);
        return;
    }
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_DELETED,
                                      .instrument = b->index,
                                      .side = (uint8_t)in.side,
                                      .ref = sb_order_ref(&old)});
    if (trades)
        sb_book_match(e, b, &in, box);
    settle(e, b, &in, cmd->tif, SB_OUT_F_ADD, 0, box);
}

void sb_client_replace(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    struct sb_session_view *s = &e->sessions[cmd->session].view;
    if (cmd->key <= s->last_key) {
        e->stats.ignored_resend++;
        return;
    }
    if (__builtin_expect(s->killed, 0)) {
        s->last_key = cmd->key;
        sb_entry_reject(e, cmd, SB_REASON_KILLED, box);
        return;
    }
    const uint32_t slot = sb_orders_find(&e->orders, sb_order_id(cmd->session, cmd->orig_key));
    if (slot == 0) {
        e->stats.ignored_superfluous++;
        return;
    }
    const struct sb_order *o = &e->orders.slots[slot];
    struct sb_book *b = &e->books[sb_order_instrument(o)];
    if (!plain(s, b) || __builtin_expect(sb_entry_has_terms(cmd), 0)) {
        sb_change_replace(e, slot, cmd, box);
        return;
    }
    if (b->view.phase == SB_PHASE_HALTED || b->view.phase == SB_PHASE_CLOSED) {
        s->last_key = cmd->key;
        sb_entry_reject(e, cmd, phase_reason(b->view.phase, SB_TIF_DAY), box);
        return;
    }
    uint32_t ticks = 0;
    if (!replace_valid(e, b, o, cmd, &ticks))
        sb_book_cancel(e, b, slot, o->open, SB_REASON_REPLACE_INVALID, box);
    else if (cmd->quantity <= sb_orders_executed(&e->orders, slot))
        sb_book_cancel(e, b, slot, o->open, SB_REASON_USER, box);
    else
        replace_do(e, b, slot, ticks, cmd, box);
}

void sb_client_cancel(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    const uint32_t slot = sb_orders_find(&e->orders, sb_order_id(cmd->session, cmd->key));
    if (slot == 0) {
        e->stats.ignored_superfluous++;
        return;
    }
    const struct sb_order *o = &e->orders.slots[slot];
    uint32_t open = 0;
    if (cmd->quantity != 0) { /* a whole cancel need not know what was executed */
        const uint32_t executed = sb_orders_executed(&e->orders, slot);
        open = cmd->quantity > executed ? cmd->quantity - executed : 0;
    }
    if (__builtin_expect(e->books[sb_order_instrument(o)].general != 0, 0))
        sb_change_reduce_to(e, slot, open, box);
    else if (open < o->open)
        sb_book_cancel(e, &e->books[sb_order_instrument(o)], slot, o->open - open, SB_REASON_USER,
                       box);
}

void sb_client_reduce(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    const uint32_t slot = sb_orders_find(&e->orders, sb_order_id(cmd->session, cmd->key));
    if (slot == 0) {
        e->stats.ignored_superfluous++;
        return;
    }
    if (cmd->quantity == 0)
        return;
    const struct sb_order *o = &e->orders.slots[slot];
    if (__builtin_expect(e->books[sb_order_instrument(o)].general != 0, 0)) {
        const uint32_t total = sb_rest_total(e, slot);
        sb_change_reduce_to(e, slot, cmd->quantity < total ? total - cmd->quantity : 0, box);
        return;
    }
    sb_book_cancel(e, &e->books[sb_order_instrument(o)], slot,
                   cmd->quantity < o->open ? cmd->quantity : o->open, SB_REASON_USER, box);
}

void sb_client_invalid(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    struct sb_session_view *s = &e->sessions[cmd->session].view;
    if ((cmd->flags & SB_CMD_F_SKIP_KEY) == 0) {
        if (cmd->key <= s->last_key) {
            e->stats.ignored_resend++;
            return;
        }
        s->last_key = cmd->key;
    }
    sb_entry_reject(e, cmd, cmd->reason, box);
}
