/* image.c: the whole state as bytes: see image.h. */
#include "engine/image.h"

#include <string.h>

#include "engine/book.h"

uint64_t sb_image_top_ref(const struct sb_engine *e, const struct sb_book *b, uint8_t side)
{
    const struct sb_ladder *l = &b->side[side];
    const uint64_t ref = sb_state_rare(e, b)->top_ref[side];
    if (ref == 0 || b->view.matching != SB_MATCH_PRO_RATA || l->best == SB_KEY_NONE)
        return 0;
    const uint32_t oldest = sb_ladder_find(l, &e->levels, l->best)->head;
    return sb_order_ref(&e->orders.slots[oldest]) == ref ? ref : 0;
}

uint32_t sb_image_ticks(const struct sb_engine *e, enum sb_walk_place place, uint32_t slot)
{
    const struct sb_order *o = &e->orders.slots[slot];
    if (place == SB_WALK_STOP)
        return sb_rest_terms(e, slot)->stop;
    return place == SB_WALK_ASIDE ? 0 : sb_book_ticks(sb_order_side(o), sb_order_ladder_key(o));
}

struct image_terms sb_image_terms(const struct sb_engine *e, uint32_t slot)
{
    const struct sb_terms *t = sb_rest_terms(e, slot);
    const struct sb_terms *partner = t->oco != 0 ? &e->terms.records[t->oco] : NULL;
    return (struct image_terms){
        .ref0 = t->range != 0 ? t->ref0 : 0,
        .expire_ns = t->expire_ns,
        .limit = t->limit,
        .trail = t->trail,
        .offset = t->offset,
        .minimum = t->minimum,
        .reserve = t->reserve,
        .display = t->display,
        .range = t->range,
        .slices = t->slices,
        .oco_key = partner != NULL ? sb_rest_key(e, partner->slot) : 0,
        .quote_key = t->quote_key,
        .type = t->type,
        .tif = t->tif,
        .attributes = t->attributes,
        .peg = t->peg,
        .flags = t->flags & (SB_TERMS_QUOTE | SB_TERMS_PLAIN),
    };
}

static void count(const struct sb_engine *e, struct image_head *h)
{
    for (uint32_t i = 1; i <= e->limits.sessions_max; i++)
        h->sessions += e->sessions[i].view.defined;
    for (uint32_t i = 1; i <= e->instruments; i++)
        h->instruments += e->books[i].view.defined;
    h->orders = e->orders.used;
    h->terms = e->terms.used;
}

size_t sb_engine_image_bytes(const struct sb_engine *e)
{
    struct image_head h = {0};
    count(e, &h);
    return sb_image_bytes(&h);
}

static void save_head(const struct sb_engine *e, struct image_head *h)
{
    const struct sb_engine_stats *s = sb_engine_stats(e);
    *h = (struct image_head){
        .magic = IMAGE_MAGIC,
        .version = IMAGE_VERSION,
        .instruments_max = e->limits.instruments_max,
        .sessions_max = e->limits.sessions_max,
        .orders_max = e->limits.orders_max,
        .levels_max = e->limits.levels_max,
        .terms_max = e->limits.terms_max,
        .rules = SB_ENGINE_RULES,
        .applied = sb_engine_applied(e),
        .time_ns = e->time_ns,
        .feed_seq = e->feed_seq,
        .last_ref = e->last_ref,
        .last_match = e->last_match,
        .digest = e->digest,
        .midnight_ns = e->day.midnight_ns,
        .trading_day = e->day.trading_day,
        .shard = e->day.shard,
        .generation = e->day.generation,
        .carry_hash = e->day.carry_hash,
        .outputs = s->outputs,
        .trades = s->trades,
        .accepted = s->accepted,
        .rejected = s->rejected,
        .canceled = s->canceled,
        .replaced = s->replaced,
        .ignored_resend = s->ignored_resend,
        .ignored_superfluous = s->ignored_superfluous,
        .ignored_session = s->ignored_session,
        .open_orders_peak = s->open_orders_peak,
        .open = (uint32_t)e->open + e->direct,
    };
    count(e, h);
}

static uint8_t *put(uint8_t *at, const void *what, size_t bytes)
{
    memcpy(at, what, bytes);
    return at + bytes;
}

static uint8_t *save_sessions(const struct sb_engine *e, uint8_t *at)
{
    for (uint32_t i = 1; i <= e->limits.sessions_max; i++) {
        const struct sb_session *s = &e->sessions[i];
        const struct image_session out = {.last_session_seq = s->view.last_session_seq,
                                          .next_stream_seq = s->view.next_stream_seq,
                                          .login_nonce = s->view.login_nonce,
                                          .index = i,
                                          .last_key = s->view.last_key,
                                          .firm = s->view.firm,
                                          .login_ipv4 = s->view.login_ipv4,
                                          .login_port = s->view.login_port,
                                          .operator_right = s->view.operator_right,
                                          .logged_in = s->logged_in,
                                          .stp = s->view.stp,
                                          .killed = s->view.killed,
                                          .stp_group = s->view.stp_group,
                                          .orders_max = s->view.orders_max,
                                          .quantity_max = s->view.quantity_max,
                                          .notional_max = s->view.notional_max};
        if (s->view.defined)
            at = put(at, &out, sizeof out);
    }
    return at;
}

static struct image_instrument instrument_of(const struct sb_engine *e, const struct sb_book *b)
{
    const struct sb_instrument_view *v = &b->view;
    struct image_instrument out = {
        .tick = v->tick,
        .price_min = v->price_min,
        .price_max = v->price_max,
        .reference = v->reference,
        .last_price = v->last_price,
        .resume_ns = v->resume_ns,
        .top_ref = {sb_image_top_ref(e, b, SB_BUY), sb_image_top_ref(e, b, SB_SELL)},
        .lot = v->lot,
        .quantity_max = v->quantity_max,
        .index = b->index,
        .pause_ms = v->pause_ms,
        .notional_max = v->notional_max,
        .pro_rata_min = v->pro_rata_min,
        .static_band = v->static_band,
        .dynamic_band = v->dynamic_band,
        .phase = v->phase,
        .auction = v->auction,
        .matching = v->matching,
        .tie = v->tie,
        .band_action = v->band_action,
        .traded = sb_image_traded(e, b)};
    memcpy(out.symbol, v->symbol, sizeof out.symbol);
    return out;
}

static uint8_t *save_instruments(const struct sb_engine *e, uint8_t *at)
{
    for (uint32_t i = 1; i <= e->instruments; i++) {
        if (!e->books[i].view.defined)
            continue;
        const struct image_instrument out = instrument_of(e, &e->books[i]);
        at = put(at, &out, sizeof out);
    }
    return at;
}

struct tables {
    uint8_t *orders, *terms;
};

static void save_order(void *arg, const struct sb_engine *e, enum sb_walk_place place,
                       uint32_t slot)
{
    struct tables *to = arg;
    const struct sb_order *o = &e->orders.slots[slot];
    const bool plain = sb_rest_terms_index(e, slot) == 0;
    const struct image_order out = {.name = sb_order_name(o),
                                    .key = sb_order_key(o),
                                    .open = o->open,
                                    .executed = sb_orders_executed(&e->orders, slot),
                                    .ticks = sb_image_ticks(e, place, slot),
                                    .instrument = (uint16_t)sb_order_instrument(o),
                                    .capacity = sb_rest_capacity(e, slot),
                                    .instrument_high = (uint8_t)(sb_order_instrument(o) >> 16),
                                    .id_high = (uint16_t)(o->id >> 48),
                                    .place = plain ? IMAGE_PLAIN : (uint8_t)(place + 1)};
    to->orders = put(to->orders, &out, sizeof out);
    if (plain)
        return;
    const struct image_terms terms = sb_image_terms(e, slot);
    to->terms = put(to->terms, &terms, sizeof terms);
}

void sb_engine_save(const struct sb_engine *e, void *out, size_t bytes)
{
    struct image_head h;
    save_head(e, &h);
    SB_ASSERT_EQ(bytes, sb_image_bytes(&h));
    uint8_t *orders = save_instruments(e, save_sessions(e, put((uint8_t *)out, &h, sizeof h)));
    struct tables to = {.orders = orders, .terms = orders + h.orders * sizeof(struct image_order)};
    for (uint32_t i = 1; i <= e->instruments; i++)
        if (e->books[i].view.defined)
            sb_walk_book(e, &e->books[i], save_order, &to);
    SB_ASSERT(to.terms == (uint8_t *)out + bytes);
}
