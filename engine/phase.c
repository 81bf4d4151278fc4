#include "engine/phase.h"

#include "engine/auction.h"
#include "engine/cascade.h"
#include "engine/due.h"
#include "engine/instrument.h"
#include "engine/sweep.h"

/* 14.1: AT_CLOSE orders that are parked come to rest displayed, by order reference. */
static void show_at_close(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    struct sb_rare *r = sb_state_rare(e, b);
    if (r->auction_n == 0)
        return;
    for (uint32_t terms = r->unseen.first; terms != 0; terms = r->walk_terms) {
        const struct sb_terms *t = &e->terms.records[terms];
        r->walk_terms = t->next;
        if (t->state != SB_STATE_PARKED || t->tif != SB_TIF_AT_CLOSE)
            continue;
        sb_rest_take_out(e, b, t->slot);
        if (!sb_rest_show(e, b, t->slot, t->limit, 0, box))
            sb_rest_cancel(e, b, t->slot, SB_REASON_NO_ROOM, box);
    }
    r->walk_terms = 0;
}

/* Into another phase, whatever it is now. */
static void enter(struct sb_engine *e, struct sb_book *b, uint8_t phase, struct sb_outbox *box)
{
    const bool from_pause =
        b->view.phase == SB_PHASE_AUCTION && b->view.auction == SB_AUCTION_VOLATILITY;
    if (phase == SB_PHASE_CLOSED) /* 14.6 */
        sb_sweep(e, b,
                 &(struct sb_sweep){
                     .what = SB_SWEEP_CLOSING, .sides = SB_SWEEP_BOTH, .reason = SB_REASON_CLOSED},
                 box);
    if (b->view.phase == SB_PHASE_CONTINUOUS)
        sb_peg_park_all(e, b); /* 8.4 */
    sb_instrument_set_phase(e, b, phase, box);
    if (phase == SB_PHASE_CONTINUOUS)
        sb_cascade_begin(e, b, from_pause, box);
}

uint8_t sb_phase_command(struct sb_engine *e, struct sb_book *b, uint8_t phase, uint8_t auction,
                         struct sb_outbox *box)
{
    const bool other = b->view.phase != phase;
    if (other && phase == SB_PHASE_CONTINUOUS && sb_book_crossed(b))
        return SB_REASON_CROSSED;
    const bool closing = phase == SB_PHASE_AUCTION && auction == SB_AUCTION_CLOSING &&
                         (other || b->view.auction != SB_AUCTION_CLOSING);
    sb_due_resume(e, b, 0); /* 13.3 */
    if (phase == SB_PHASE_AUCTION)
        b->view.auction = auction;
    if (other)
        enter(e, b, phase, box);
    if (closing)
        show_at_close(e, b, box);
    return SB_REASON_NONE;
}

uint8_t sb_phase_uncross(struct sb_engine *e, struct sb_book *b, uint64_t *shares,
                         struct sb_outbox *box)
{
    if (b->view.phase != SB_PHASE_AUCTION)
        return SB_REASON_NOT_AUCTION;
    *shares += sb_auction_uncross(e, b, box);
    const bool opening = b->view.auction == SB_AUCTION_OPENING;
    if (opening || b->view.auction == SB_AUCTION_CLOSING) /* 14.4 */
        sb_sweep(e, b,
                 &(struct sb_sweep){.what = SB_SWEEP_TIF,
                                    .tif = opening ? SB_TIF_AT_OPEN : SB_TIF_AT_CLOSE,
                                    .sides = SB_SWEEP_BOTH,
                                    .reason = SB_REASON_AUCTION},
                 box);
    return SB_REASON_NONE;
}

/* 13.3: a pause that is over. Partners that ended in the auction may leave the book crossed: then the next TIMER again. */
static void resume(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    uint64_t shares = 0;
    if (b->view.resume_ns == 0 || e->time_ns < b->view.resume_ns ||
        b->view.phase != SB_PHASE_AUCTION)
        return;
    (void)sb_phase_uncross(e, b, &shares, box); /* in AUCTION */
    if (sb_book_crossed(b))
        return;
    sb_due_resume(e, b, 0);
    enter(e, b, SB_PHASE_CONTINUOUS, box);
}

static void timer(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    const struct sb_sweep expired = {
        .what = SB_SWEEP_EXPIRED, .sides = SB_SWEEP_BOTH, .reason = SB_REASON_EXPIRED};
    sb_sweep(e, b, &expired, box);
    resume(e, b, box);
    if (b->general != 0)
        sb_cascade_run(e, b, box);
}

void sb_phase_timer(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    if (cmd->instrument != SB_INSTRUMENT_ALL) {
        struct sb_book *b = sb_state_book(e, cmd->instrument);
        if (b != NULL)
            timer(e, b, box);
        return;
    }
    for (uint32_t i = 1; i <= e->instruments; i++)
        if (e->books[i].view.defined)
            timer(e, &e->books[i], box);
}
