#include "engine/quote.h"

#include "engine/cascade.h"
#include "engine/check.h"
#include "engine/outbox.h"

/* One side of an entry: what was there, what is wanted, what becomes of it. */
struct leg {
    struct sb_entry x;
    uint32_t old; /* slot of the session's quote there; 0: none */
    uint32_t ticks;
    uint8_t reason; /* not NONE: refused */
    bool wanted;    /* its quantity is not 0 */
    bool kept;      /* taken, and its old quote keeps its place */
};

/* --- decision (17.1) ------------------------------------------------------------------------------------ */

/* What stands if the legs so far are done: every judged leg's old quote is out, every one taken is open at its price. */
struct room {
    uint32_t orders, terms, open_orders, levels;
};

static struct room room_now(const struct sb_engine *e, uint32_t session)
{
    return (struct room){.orders = e->orders.used,
                         .terms = e->terms.used,
                         .open_orders = e->sessions[session].view.open_orders,
                         .levels = e->levels.used};
}

/* Is the leg's old quote alone at this price? */
static bool alone_at(const struct sb_engine *e, const struct leg *leg, uint32_t key)
{
    const struct sb_order *o = &e->orders.slots[leg->old];
    return leg->old != 0 && o->next == 0 && o->prev == 0 && sb_order_ladder_key(o) == key;
}

static void room_without_old(const struct sb_engine *e, struct room *room, const struct leg *leg)
{
    if (leg->old == 0)
        return;
    room->orders--;
    room->terms--;
    room->open_orders--;
    room->levels -= alone_at(e, leg, sb_order_ladder_key(&e->orders.slots[leg->old]));
}

/* Does the leg need a price level that is not there, its old quote taken out? */
static bool opens_level(const struct sb_engine *e, const struct sb_book *b, const struct leg *leg)
{
    const uint32_t key = sb_book_key(leg->x.side, leg->ticks);
    return alone_at(e, leg, key) || sb_ladder_find(&b->side[leg->x.side], &e->levels, key) == NULL;
}

static void room_with(const struct sb_engine *e, const struct sb_book *b, struct room *room,
                      const struct leg *leg)
{
    room->orders++;
    room->terms++;
    room->open_orders++;
    room->levels += opens_level(e, b, leg);
}

/* As a plain DAY order, and 42. */
static uint8_t leg_reason(const struct sb_engine *e, struct sb_book *b, const struct room *room,
                          struct leg *leg)
{
    const uint32_t orders_max = e->sessions[leg->x.session].view.orders_max;
    if (b == NULL)
        return SB_REASON_SYMBOL;
    uint8_t reason = sb_check_phase(b, &leg->x);
    if (reason == SB_REASON_NONE)
        reason = sb_check_price_quantity(b, &leg->x);
    if (reason != SB_REASON_NONE)
        return reason;
    leg->ticks = sb_book_divide(b, (uint32_t)leg->x.price);
    if (room->orders >= e->orders.max)
        return SB_REASON_FULL_ORDERS;
    if (e->levels.counted && room->levels >= e->levels.max && opens_level(e, b, leg))
        return SB_REASON_FULL_LEVELS;
    reason = sb_check_too_much(e, b, &leg->x);
    if (reason != SB_REASON_NONE)
        return reason;
    if (orders_max != 0 && room->open_orders >= orders_max)
        return SB_REASON_MAX_ORDERS;
    return room->terms >= e->terms.max ? SB_REASON_FULL_TERMS : SB_REASON_NONE;
}

static struct leg leg_of(const struct sb_engine *e, const struct sb_command *cmd,
                         const struct sb_quote *entry, uint8_t side)
{
    const bool buys = side == SB_BUY;
    struct leg leg = {.x = {.session = cmd->session,
                            .quantity = buys ? entry->bid_quantity : entry->ask_quantity,
                            .price = buys ? entry->bid_price : entry->ask_price,
                            .side = side}};
    leg.old = sb_orders_find(&e->orders, sb_rest_quote_id(cmd->session, entry->instrument, side));
    leg.wanted = leg.x.quantity != 0;
    return leg;
}

static void decide(const struct sb_engine *e, struct sb_book *b, struct leg legs[2])
{
    struct room room = room_now(e, legs[0].x.session);
    for (uint32_t side = 0; side < 2; side++) {
        struct leg *leg = &legs[side];
        room_without_old(e, &room, leg);
        if (leg->wanted)
            leg->reason = leg_reason(e, b, &room, leg);
        if (!leg->wanted || leg->reason != SB_REASON_NONE)
            continue;
        room_with(e, b, &room, leg);
        leg->kept = leg->old != 0 && leg->x.quantity <= sb_rest_total(e, leg->old) &&
                    sb_order_ladder_key(&e->orders.slots[leg->old]) ==
                        sb_book_key((uint8_t)side, leg->ticks);
    }
    const bool both = legs[0].wanted && legs[1].wanted && legs[0].reason == SB_REASON_NONE &&
                      legs[1].reason == SB_REASON_NONE;
    if (both && legs[0].x.price >= legs[1].x.price) /* 17.3 */
        legs[0].reason = legs[1].reason = SB_REASON_TERMS;
}

/* --- deed ----------------------------------------------------------------------------------------------- */

static bool is_taken(const struct leg *leg)
{
    return leg->wanted && leg->reason == SB_REASON_NONE;
}

/* What becomes of the old quote. */
static void leave(struct sb_engine *e, struct sb_book *b, const struct leg *leg, uint32_t key,
                  struct sb_outbox *box)
{
    if (leg->old == 0)
        return;
    if (!is_taken(leg)) {
        sb_rest_cancel(e, b, leg->old, SB_REASON_QUOTE, box);
        return;
    }
    if (leg->kept) {
        const uint32_t less = sb_rest_total(e, leg->old) - leg->x.quantity;
        sb_rest_terms(e, leg->old)->quote_key = key;
        if (less != 0)
            sb_rest_reduce(e, b, leg->old, less, SB_REASON_NONE, box);
        return;
    }
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_DELETED,
                                      .instrument = b->index,
                                      .side = leg->x.side,
                                      .ref = sb_order_ref(&e->orders.slots[leg->old])});
    sb_rest_end(e, b, leg->old);
}

static void arrive(struct sb_engine *e, struct sb_book *b, const struct leg *leg,
                   const struct sb_command *cmd, struct sb_outbox *box)
{
    if (!is_taken(leg) || leg->kept)
        return;
    const struct sb_rest_order order = {.id = sb_rest_quote_id(cmd->session, b->index, leg->x.side),
                                        .ref = ++e->last_ref,
                                        .open = leg->x.quantity,
                                        .side = leg->x.side,
                                        .capacity = cmd->capacity};
    const struct sb_terms like = {.ref0 = order.ref,
                                  .limit = leg->ticks,
                                  .quote_key = cmd->key,
                                  .capacity = cmd->capacity,
                                  .flags = SB_TERMS_QUOTE};
    struct sb_arrival a = sb_arrival_of(e, sb_rest_new(e, b, &order, &like), leg->ticks);
    sb_arrival_run(e, b, &a, box);
}

/* One entry with its cascade. Returns how many sides were taken; *first: the first refusal. */
static uint32_t apply_entry(struct sb_engine *e, const struct sb_command *cmd,
                            const struct sb_quote *entry, uint8_t *first, struct sb_outbox *box)
{
    struct sb_book *b = sb_state_book(e, entry->instrument);
    struct leg legs[2] = {leg_of(e, cmd, entry, SB_BUY), leg_of(e, cmd, entry, SB_SELL)};
    decide(e, b, legs);
    for (uint32_t side = 0; side < 2; side++)
        if (*first == SB_REASON_NONE)
            *first = legs[side].reason;
    if (b == NULL)
        return 0;
    for (uint32_t side = 0; side < 2; side++)
        leave(e, b, &legs[side], cmd->key, box);
    for (uint32_t side = 0; side < 2; side++)
        arrive(e, b, &legs[side], cmd, box);
    sb_cascade_run(e, b, box);
    return (uint32_t)is_taken(&legs[0]) + is_taken(&legs[1]);
}

void sb_quote_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    const union sb_command_ext *x = sb_command_ext(cmd);
    struct sb_session_view *s = &e->sessions[cmd->session].view;
    struct sb_output answer = {
        .kind = SB_OUT_QUOTED, .key = cmd->key, .instrument = x->quote.entry[0].instrument};
    if (cmd->key <= s->last_key) {
        e->stats.ignored_resend++;
        return;
    }
    s->last_key = cmd->key;
    if (s->killed) { /* 15.2 */
        e->stats.rejected++;
        answer = (struct sb_output){
            .kind = SB_OUT_REJECTED, .key = cmd->key, .reason = SB_REASON_KILLED};
    } else {
        for (uint32_t i = 0; i < x->quote.count; i++)
            answer.quantity += apply_entry(e, cmd, &x->quote.entry[i], &answer.reason, box);
    }
    sb_outbox_session(e, box, cmd->session, answer);
}
