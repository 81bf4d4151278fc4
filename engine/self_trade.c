/* self_trade.c: an arrival that meets an order of its own group (RULES.md 10). */
#include "engine/arrival.h"

bool sb_self_trade_meets(const struct sb_engine *e, const struct sb_arrival *a, uint32_t slot)
{
    const struct sb_session_view *own = &e->sessions[a->session].view;
    if (own->stp == SB_STP_NONE)
        return false;
    const struct sb_session_view *other = &e->sessions[sb_rest_session(e, slot)].view;
    return own->stp_group == other->stp_group && (own->stp_group != 0 || own->firm == other->firm);
}

/* Both lose the smaller of what they have open there. */
static void decrement(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a, uint32_t slot,
                      struct sb_outbox *box)
{
    const uint32_t there = e->orders.slots[slot].open;
    const uint32_t q = a->open < there ? a->open : there;
    uint32_t partner;
    sb_arrival_leave(e, b, a, box);
    sb_rest_say_decrement(e, b, slot, q, box);
    const enum sb_rest_left left = sb_rest_fill(e, b, slot, q, false, &partner);
    sb_rest_cancel_partner(e, b, partner, box);
    sb_arrival_cut(e, b, a, q, SB_REASON_SELF_TRADE, box);
    if (left == SB_REST_SPENT)
        sb_rest_refresh(e, b, slot, box);
}

bool sb_self_trade_apply(struct sb_engine *e, struct sb_book *b, struct sb_arrival *a,
                         uint32_t slot, struct sb_outbox *box)
{
    if (!sb_self_trade_meets(e, a, slot))
        return false;
    const uint8_t stp = e->sessions[a->session].view.stp;
    if (stp == SB_STP_DECREMENT) {
        decrement(e, b, a, slot, box);
        return true;
    }
    if (stp != SB_STP_CANCEL_NEWEST) {
        sb_arrival_leave(e, b, a, box);
        sb_rest_cancel(e, b, slot, SB_REASON_SELF_TRADE, box);
    }
    if (stp != SB_STP_CANCEL_OLDEST)
        sb_arrival_cut(e, b, a, a->open, SB_REASON_SELF_TRADE, box);
    return true;
}
