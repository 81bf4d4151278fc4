#include "engine/operator.h"

#include "engine/auction.h"
#include "engine/outbox.h"
#include "engine/phase.h"

/* 14.5. *n grows by what was published. */
static uint8_t indicate(struct sb_engine *e, const struct sb_book *b, uint64_t *n,
                        struct sb_outbox *box)
{
    if (b->view.phase != SB_PHASE_AUCTION)
        return SB_REASON_NOT_AUCTION;
    sb_auction_publish(e, b, box);
    ++*n;
    return SB_REASON_NONE;
}

/* *quantity: of the answer. */
static uint8_t one(struct sb_engine *e, struct sb_book *b, const struct sb_command *cmd,
                   uint64_t *quantity, struct sb_outbox *box)
{
    switch (cmd->kind) {
    case SB_CMD_PHASE:
        return sb_phase_command(e, b, cmd->phase, cmd->auction, box);
    case SB_CMD_UNCROSS:
        return sb_phase_uncross(e, b, quantity, box);
    default: /* INDICATIVE */
        return indicate(e, b, quantity, box);
    }
}

static uint8_t every(struct sb_engine *e, const struct sb_command *cmd, uint64_t *quantity,
                     struct sb_outbox *box)
{
    uint8_t first = SB_REASON_NONE;
    for (uint32_t i = 1; i <= e->instruments; i++) {
        if (!e->books[i].view.defined)
            continue;
        const uint8_t reason = one(e, &e->books[i], cmd, quantity, box);
        if (first == SB_REASON_NONE)
            first = reason;
    }
    return first;
}

void sb_operator_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    uint64_t quantity = 0;
    uint8_t reason;
    if (cmd->session != 0 && !e->sessions[cmd->session].view.operator_right) {
        reason = SB_REASON_NO_RIGHT;
    } else if (cmd->instrument == SB_INSTRUMENT_ALL) {
        reason = every(e, cmd, &quantity, box);
    } else {
        struct sb_book *b = sb_state_book(e, cmd->instrument);
        reason = b != NULL ? one(e, b, cmd, &quantity, box) : SB_REASON_SYMBOL;
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
                           .quantity = quantity < UINT32_MAX ? (uint32_t)quantity : UINT32_MAX});
}
