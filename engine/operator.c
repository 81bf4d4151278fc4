#include "engine/operator.h"

#include "engine/auction.h"
#include "engine/book.h"
#include "engine/instrument.h"
#include "engine/outbox.h"

static uint8_t enter_phase(struct sb_engine *e, struct sb_book *b, uint8_t phase,
                           struct sb_outbox *box)
{
    if (b->view.phase == phase)
        return SB_REASON_NONE;
    if (phase == SB_PHASE_CONTINUOUS && sb_book_crossed(b))
        return SB_REASON_CROSSED;
    if (phase == SB_PHASE_CLOSED)
        sb_book_cancel_all(e, b, SB_REASON_CLOSED, box);
    sb_instrument_set_phase(e, b, phase, box);
    return SB_REASON_NONE;
}

static uint8_t one(struct sb_engine *e, struct sb_book *b, const struct sb_command *cmd,
                   uint64_t *shares, struct sb_outbox *box)
{
    if (cmd->kind == SB_CMD_PHASE)
        return enter_phase(e, b, cmd->phase, box);
    if (b->view.phase != SB_PHASE_AUCTION)
        return SB_REASON_NOT_AUCTION;
    *shares += sb_auction_uncross(e, b, box);
    return SB_REASON_NONE;
}

static uint8_t every(struct sb_engine *e, const struct sb_command *cmd, uint64_t *shares,
                     struct sb_outbox *box)
{
    uint8_t first = SB_REASON_NONE;
    for (uint32_t i = 1; i <= e->instruments; i++) {
        if (!e->books[i].view.defined)
            continue;
        const uint8_t reason = one(e, &e->books[i], cmd, shares, box);
        if (first == SB_REASON_NONE)
            first = reason;
    }
    return first;
}

void sb_operator_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    uint64_t shares = 0;
    uint8_t reason;
    if (cmd->session != 0 && !e->sessions[cmd->session].view.operator_right) {
        reason = SB_REASON_NO_RIGHT;
    } else if (cmd->instrument == SB_INSTRUMENT_ALL) {
        reason = every(e, cmd, &shares, box);
    } else {
        struct sb_book *b = sb_state_book(e, cmd->instrument);
        reason = b != NULL ? one(e, b, cmd, &shares, box) : SB_REASON_SYMBOL;
    }
    e->stats.open_orders = e->orders.used;
    if (cmd->session == 0)
        return;
    const uint8_t phase = cmd->kind == SB_CMD_PHASE ? cmd->phase : 0;
    sb_outbox_session(
        e, box, cmd->session,
        (struct sb_output){.kind = SB_OUT_OPERATOR,
                           .key = cmd->key,
                           .instrument = cmd->instrument,
                           .side = (uint8_t)(phase << SB_OUT_PHASE_SHIFT),
                           .reason = reason,
                           .quantity = shares < UINT32_MAX ? (uint32_t)shares : UINT32_MAX});
}
