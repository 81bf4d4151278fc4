/* digest.c: the running digest over outputs, and the whole state as one number. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/book.h"
#include "engine/image.h"

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
    word(x, (uint64_t)s->view.stp << 8 | s->view.killed);
    word(x, (uint64_t)s->view.stp_group << 32 | s->view.orders_max);
    word(x, (uint64_t)s->view.quantity_max << 32 | s->view.notional_max);
}

/* An order with terms, behind what every order has. */
static void walk_terms(XXH3_state_t *x, const struct image_terms *t)
{
    word(x, t->ref0);
    word(x, t->expire_ns);
    word(x, (uint64_t)t->limit << 32 | t->trail);
    word(x, (uint64_t)(uint32_t)t->offset << 32 | t->minimum);
    word(x, (uint64_t)t->reserve << 32 | t->display);
    word(x, (uint64_t)t->range << 32 | t->slices);
    word(x, (uint64_t)t->oco_key << 32 | t->quote_key);
    word(x, (uint64_t)t->type << 32 | (uint64_t)t->tif << 24 | (uint64_t)t->attributes << 16 |
                (uint64_t)t->peg << 8 | t->flags);
}

static void walk_order(void *arg, const struct sb_engine *e, enum sb_walk_place place,
                       uint32_t slot)
{
    XXH3_state_t *x = arg;
    const struct sb_order *o = &e->orders.slots[slot];
    const bool plain = sb_rest_terms_index(e, slot) == 0;
    word(x, sb_order_name(o)); /* ref, side, session; never 0 */
    word(x, sb_order_rest(o)); /* client key */
    word(x, (uint64_t)(plain ? 0 : place + 1) << 32 | sb_image_ticks(e, place, slot));
    word(x, (uint64_t)o->open << 32 | sb_orders_executed(&e->orders, slot));
    word(x, sb_rest_capacity(e, slot));
    if (plain)
        return;
    const struct image_terms terms = sb_image_terms(e, slot);
    walk_terms(x, &terms);
}

static void walk_book(XXH3_state_t *x, const struct sb_engine *e, const struct sb_book *b)
{
    const struct sb_instrument_view *v = &b->view;
    word(x, b->index);
    (void)XXH3_64bits_update(x, v->symbol, sizeof v->symbol);
    word(x, (uint64_t)v->tick);
    word(x, (uint64_t)v->price_min);
    word(x, (uint64_t)v->price_max);
    word(x, (uint64_t)v->lot << 32 | v->quantity_max);
    word(x, (uint64_t)v->band_action << 32 | (uint64_t)v->tie << 24 | (uint64_t)v->matching << 16 |
                (uint64_t)v->auction << 8 | v->phase);
    word(x, (uint64_t)v->static_band << 16 | v->dynamic_band);
    word(x, (uint64_t)v->pause_ms << 32 | v->notional_max);
    word(x, v->pro_rata_min);
    word(x, (uint64_t)v->reference);
    word(x, (uint64_t)v->last_price);
    word(x, v->resume_ns);
    word(x, sb_image_top_ref(e, b, SB_BUY));
    word(x, sb_image_top_ref(e, b, SB_SELL));
    word(x, sb_image_traded(e, b));
    sb_walk_book(e, b, walk_order, x);
    word(x, 0); /* no order has the name 0: the end of a book */
}

static void walk_head(XXH3_state_t *x, const struct sb_engine *e)
{
    /* Limits decide what is rejected as full; the window decides nothing. */
    word(x, e->limits.instruments_max);
    word(x, e->limits.sessions_max);
    word(x, e->limits.orders_max);
    word(x, e->limits.levels_max);
    word(x, e->limits.terms_max);
    word(x, sb_engine_applied(e));
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
    word(x, e->day.carry_hash);
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
