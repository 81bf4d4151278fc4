#include "engine/entry.h"

#include "engine/cascade.h"
#include "engine/check.h"
#include "engine/outbox.h"

bool sb_entry_line_has_terms(const struct sb_command *cmd)
{
    struct sb_entry x;
    sb_check_entry(cmd, &x);
    return sb_check_has_terms(&x);
}

void sb_entry_reject(struct sb_engine *e, const struct sb_command *cmd, uint8_t reason,
                     struct sb_outbox *box)
{
    e->stats.rejected++;
    sb_outbox_session(
        e, box, cmd->session,
        (struct sb_output){.kind = SB_OUT_REJECTED, .key = cmd->key, .reason = reason});
}

static void say_accepted(struct sb_engine *e, const struct sb_book *b, const struct sb_command *cmd,
                         uint64_t ref, struct sb_outbox *box)
{
    e->stats.accepted++;
    sb_outbox_session(
        e, box, cmd->session,
        (struct sb_output){.kind = SB_OUT_ACCEPTED,
                           .key = cmd->key,
                           .instrument = b->index,
                           .side = (uint8_t)(cmd->side | (cmd->tif == SB_TIF_IOC ? SB_OUT_IOC : 0)),
                           .quantity = cmd->quantity,
                           .price = cmd->price,
                           .ref = ref,
                           .reason = cmd->capacity});
}

/* Prices were checked: multiples of tick, below 2^31, or 0. */
static uint32_t ticks_of(const struct sb_book *b, int64_t price)
{
    return sb_book_divide(b, (uint32_t)price);
}

static struct sb_terms record(const struct sb_book *b, const struct sb_entry *x, uint64_t ref,
                              uint8_t capacity)
{
    return (struct sb_terms){.ref0 = ref,
                             .expire_ns = x->expire_ns,
                             .limit = ticks_of(b, x->price),
                             .stop = ticks_of(b, x->stop),
                             .trail = x->trail / b->tick,
                             .offset = x->offset / (int32_t)b->tick,
                             .minimum = x->minimum,
                             .display = x->display,
                             .carried = x->shown,
                             .range = x->range,
                             .type = x->type,
                             .tif = x->tif,
                             .attributes = x->attributes,
                             .peg = x->peg,
                             .capacity = capacity};
}

/* Its slot, underway, with its record if it has terms, and its partner (11.1). 0: it cannot rest and gets none. */
static uint32_t take_slot(struct sb_engine *e, struct sb_book *b, const struct sb_entry *x,
                          const struct sb_command *cmd, uint64_t ref)
{
    const struct sb_rest_order order = {.id = sb_order_id(cmd->session, cmd->key),
                                        .ref = ref,
                                        .open = x->quantity,
                                        .executed = x->executed,
                                        .side = x->side,
                                        .capacity = cmd->capacity};
    const struct sb_terms like = record(b, x, ref, cmd->capacity);
    if (!sb_check_can_rest(x))
        return 0;
    const uint32_t slot = sb_rest_new(e, b, &order, sb_check_is_plain(x) ? NULL : &like);
    if (x->oco_key != 0) {
        const uint32_t other = sb_orders_find(&e->orders, sb_order_id(x->session, x->oco_key));
        uint32_t partner = sb_rest_terms_index(e, other);
        if (partner == 0)
            partner = sb_terms_promote(e, b, other);
        sb_terms_pair(e, sb_rest_terms_index(e, slot), partner);
    }
    return slot;
}

/* Limit of an arrival (4.1, 5.2, 8.2), in ticks; 0: it has none, as there is nothing to refer to. */
static uint32_t limit_of(const struct sb_engine *e, const struct sb_book *b,
                         const struct sb_entry *x, uint32_t slot)
{
    const uint8_t other = (x->side ^ 1u) & 1u;
    const uint32_t best = b->side[other].best;
    if (x->peg != SB_PEG_NONE)
        return sb_peg_price(b, x->side, sb_rest_terms(e, slot));
    if (x->type == SB_TYPE_MARKET)
        return ticks_of(b, sb_side_sells(x->side) ? b->view.price_min : b->view.price_max);
    if (x->type == SB_TYPE_MARKET_TO_LIMIT)
        return best != SB_KEY_NONE ? sb_book_ticks(other, best) : 0;
    return ticks_of(b, x->price);
}

static void arrive(struct sb_engine *e, struct sb_book *b, const struct sb_entry *x,
                   struct sb_arrival *a, struct sb_outbox *box)
{
    a->ticks = limit_of(e, b, x, a->slot);
    if (a->ticks != 0)
        sb_arrival_run(e, b, a, box);
    else if (x->peg != SB_PEG_NONE)
        sb_rest_aside(e, b, a->slot);
    else
        sb_arrival_cut(e, b, a, a->open, SB_REASON_IOC, box);
}

/* Does it wait for the closing auction (14.1)? */
static bool waits_for_close(const struct sb_book *b, const struct sb_entry *x)
{
    return x->tif == SB_TIF_AT_CLOSE && !sb_check_rests_shown(b, x);
}

static void stop(struct sb_engine *e, struct sb_book *b, uint8_t side, uint32_t slot,
                 struct sb_outbox *box)
{
    if (b->view.phase == SB_PHASE_CONTINUOUS &&
        sb_stop_triggered(b, side, sb_rest_terms(e, slot)->stop))
        sb_stop_activate(e, b, slot, box);
    else
        sb_rest_stop(e, b, slot);
}

void sb_entry_order(struct sb_engine *e, struct sb_book *b, const struct sb_command *cmd,
                    struct sb_outbox *box)
{
    struct sb_entry x;
    sb_check_entry(cmd, &x);
    const uint8_t reason = sb_check_order(e, b, &x);
    if (reason != SB_REASON_NONE) {
        sb_entry_reject(e, cmd, reason, box);
        return;
    }
    struct sb_arrival a = {.ref = ++e->last_ref,
                           .session = cmd->session,
                           .key = cmd->key,
                           .open = x.quantity,
                           .needed = sb_arrival_needs(x.tif, x.attributes, x.minimum, x.quantity),
                           .side = x.side,
                           .tif = x.tif,
                           .type = x.type};
    say_accepted(e, b, cmd, a.ref, box);
    a.slot = take_slot(e, b, &x, cmd, a.ref);
    a.terms = a.slot != 0 ? sb_rest_terms_index(e, a.slot) : 0;
    if (x.stop != 0)
        stop(e, b, x.side, a.slot, box);
    else if (waits_for_close(b, &x))
        sb_rest_aside(e, b, a.slot);
    else
        arrive(e, b, &x, &a, box);
    sb_cascade_run(e, b,
                   box); /* whatever is left in the book: what follows later starts from here */
}
