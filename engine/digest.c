/* digest.c: the running digest over outputs, and the whole state as one number. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/book.h"
#include "engine/state.h"

uint64_t sb_engine_seal(struct sb_engine *e, struct sb_outbox *box)
{
    if (box->n != 0)
        e->digest = XXH3_64bits_withSeed(box->out, box->n * sizeof *box->out, e->digest);
    box->n = 0;
    return e->digest;
}

uint64_t sb_engine_digest(const struct sb_engine *e)
{
    return e->digest;
}

/* The canonical walk writes 64-bit words, so that no padding and no layout can get in. */
static void word(XXH3_state_t *x, uint64_t value)
{
    (void)XXH3_64bits_update(x, &value, sizeof value); /* fails only on NULL */
}

static void walk_session(XXH3_state_t *x, uint32_t index, const struct sb_session *s)
{
    word(x, index);
    word(x, s->view.last_session_seq);
    word(x, s->view.next_stream_seq);
    word(x, s->view.login_nonce);
    word(x, s->view.last_key);
    word(x, s->view.firm);
    word(x, s->view.login_ipv4);
    word(x, s->view.login_port);
    word(x, s->view.operator_right);
    word(x, s->logged_in);
}

static void walk_orders(XXH3_state_t *x, const struct sb_engine *e, const struct sb_book *b,
                        uint8_t side)
{
    const struct sb_ladder *l = &b->side[side];
    struct sb_ladder_cursor c;
    for (sb_ladder_first(l, &e->levels, &c); c.level != NULL; sb_ladder_next(l, &e->levels, &c)) {
        word(x, sb_book_ticks(side, c.key));
        for (uint32_t slot = c.level->head; slot != 0; slot = e->orders.slots[slot].next) {
            const struct sb_order *o = &e->orders.slots[slot];
            word(x, sb_order_name(o)); /* ref, side, session */
            word(x, sb_order_rest(o)); /* client key */
            word(x, (uint64_t)o->open << 32 | sb_orders_executed(&e->orders, slot));
            word(x, sb_orders_extra(&e->orders, slot)); /* capacity */
        }
        word(x, 0); /* no order has the name 0: the end of a level */
    }
    word(x, UINT64_MAX); /* no price is that: the end of a side */
}

static void walk_book(XXH3_state_t *x, const struct sb_engine *e, const struct sb_book *b)
{
    word(x, b->index);
    (void)XXH3_64bits_update(x, b->view.symbol, sizeof b->view.symbol);
    word(x, (uint64_t)b->view.tick);
    word(x, (uint64_t)b->view.price_min);
    word(x, (uint64_t)b->view.price_max);
    word(x, (uint64_t)b->view.lot << 32 | b->view.quantity_max);
    word(x, b->view.phase);
    walk_orders(x, e, b, SB_BUY);
    walk_orders(x, e, b, SB_SELL);
}

static void walk_head(XXH3_state_t *x, const struct sb_engine *e)
{
    /* Limits decide what is rejected as full; the window decides nothing. */
    word(x, e->limits.instruments_max);
    word(x, e->limits.sessions_max);
    word(x, e->limits.orders_max);
    word(x, e->limits.levels_max);
    word(x, e->limits.terms_max);
    word(x, e->stats.commands);
    word(x, e->time_ns);
    word(x, e->feed_seq);
    word(x, e->last_ref);
    word(x, e->last_match);
    word(x, e->digest);
    word(x, e->open + e->direct);
    word(x, e->day.midnight_ns);
    word(x, e->day.trading_day);
    word(x, e->day.shard);
    word(x, e->day.generation);
}

uint64_t sb_engine_state_digest(const struct sb_engine *e)
{
    XXH3_state_t x;
    XXH3_INITSTATE(&x);
    (void)XXH3_64bits_reset(&x);
    walk_head(&x, e);
    for (uint32_t i = 1; i <= e->limits.sessions_max; i++)
        if (e->sessions[i].view.defined)
            walk_session(&x, i, &e->sessions[i]);
    word(&x, UINT64_MAX); /* the end of the sessions */
    for (uint32_t i = 1; i <= e->instruments; i++)
        if (e->books[i].view.defined)
            walk_book(&x, e, &e->books[i]);
    return XXH3_64bits_digest(&x);
}
