/* image_load.c: an engine from bytes: see image.h. Nothing is believed: whatever could make an engine that no flow of commands makes,
 * or whose image is another one, is refused. */
#include <string.h>

#include "engine/book.h"
#include "engine/due.h"
#include "engine/image.h"
#include "engine/instrument.h"

/* --- head ------------------------------------------------------------------------------------------------ */

static const char *size_fault(const struct image_head *h, size_t bytes)
{
    if (h->sessions > h->sessions_max || h->instruments > h->instruments_max ||
        h->orders > h->orders_max || h->terms > h->terms_max || h->terms > h->orders ||
        sb_image_bytes(h) != bytes)
        return "an image of another size than its head says";
    return NULL;
}

static const char *count_fault(const struct image_head *h)
{
    const uint64_t counts[] = {h->applied,
                               h->feed_seq,
                               h->last_match,
                               h->outputs,
                               h->trades,
                               h->accepted,
                               h->rejected,
                               h->canceled,
                               h->replaced,
                               h->ignored_resend,
                               h->ignored_superfluous,
                               h->ignored_session};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i] > IMAGE_COUNT_MAX)
            return "an impossible count";
    return NULL;
}

/* What can be told from the head alone. */
static const char *head_fault(const struct sb_engine *e, const struct image_head *h, size_t bytes)
{
    const struct sb_engine_limits limits = {.instruments_max = h->instruments_max,
                                            .sessions_max = h->sessions_max,
                                            .orders_max = h->orders_max,
                                            .levels_max = h->levels_max,
                                            .terms_max = h->terms_max};
    if (h->magic != IMAGE_MAGIC)
        return "not an engine's image";
    if (h->version != IMAGE_VERSION)
        return "an image of another version";
    if (h->rules != SB_ENGINE_RULES)
        return "an image made under other rules";
    if (!sb_engine_limits_equal(&limits, &e->limits))
        return "the image of an engine with other limits";
    const char *wrong = size_fault(h, bytes);
    if (wrong == NULL)
        wrong = count_fault(h);
    if (wrong != NULL)
        return wrong;
    if (h->open > 2 || (h->open == 2 && h->sessions + h->terms != 0) || h->feed_seq == 0 ||
        h->last_ref > SB_ORDER_REF_MAX || h->open_orders_peak < h->orders ||
        h->open_orders_peak > h->orders_max || h->shard > SB_SHARD_MAX ||
        h->generation > SB_SHARD_MAX)
        return "an impossible head";
    if (h->open == 2 &&
        (h->accepted > h->last_ref || h->last_ref - h->accepted > h->replaced ||
         h->applied > h->accepted + h->replaced + h->canceled + h->rejected ||
         h->applied + h->canceled < h->accepted + h->replaced + h->canceled + h->rejected ||
         h->outputs != h->accepted + h->replaced + h->canceled + h->rejected + h->trades))
        return "an impossible count";
    if (h->open == 0 &&
        (h->sessions != 0 || h->instruments != 0 || h->midnight_ns != 0 || h->trading_day != 0 ||
         h->shard != 0 || h->generation != 0 || h->carry_hash != 0))
        return "something stands in a day that is not open";
    return NULL;
}

static void load_head(struct sb_engine *e, const struct image_head *h)
{
    e->time_ns = h->time_ns;
    e->feed_seq = h->feed_seq;
    e->last_ref = h->last_ref;
    e->last_match = h->last_match;
    e->digest = h->digest;
    e->open = h->open != 0;
    e->direct = h->open == 2;
    e->day = (struct sb_day_view){.midnight_ns = h->midnight_ns,
                                  .trading_day = h->trading_day,
                                  .shard = h->shard,
                                  .generation = h->generation,
                                  .carry_hash = h->carry_hash};
    e->stats = (struct sb_engine_stats){.commands = h->applied, /* one each */
                                        .outputs = h->outputs,
                                        .trades = h->trades,
                                        .accepted = h->accepted,
                                        .rejected = h->rejected,
                                        .canceled = h->canceled,
                                        .replaced = h->replaced,
                                        .ignored_resend = h->ignored_resend,
                                        .ignored_superfluous = h->ignored_superfluous,
                                        .ignored_session = h->ignored_session,
                                        .open_orders = h->orders,
                                        .open_orders_peak = h->open_orders_peak};
    if (e->direct) { /* sb_direct_stats() the other way round */
        e->kept = h->accepted + h->replaced - h->last_ref;
        e->iocs = h->last_ref + e->kept + h->canceled + h->rejected - h->applied;
    }
}

/* --- sessions, instruments ----------------------------------------------------------------------------------- */

static const char *load_session(struct sb_engine *e, const struct image_session *s, uint32_t above)
{
    if (s->index <= above || s->index > e->limits.sessions_max)
        return "a session out of place";
    if (s->zero[0] != 0 || s->zero[1] != 0 || s->operator_right > 1 || s->logged_in > 1 ||
        s->stp > SB_STP_DECREMENT || s->killed > 1 || s->next_stream_seq == 0 ||
        s->next_stream_seq > IMAGE_COUNT_MAX ||
        (s->logged_in == 0 && (s->login_nonce != 0 || s->login_ipv4 != 0 || s->login_port != 0)))
        return "an impossible session";
    e->sessions[s->index] = (struct sb_session){.view = {.last_session_seq = s->last_session_seq,
                                                         .next_stream_seq = s->next_stream_seq,
                                                         .login_nonce = s->login_nonce,
                                                         .last_key = s->last_key,
                                                         .firm = s->firm,
                                                         .login_ipv4 = s->login_ipv4,
                                                         .login_port = s->login_port,
                                                         .defined = 1,
                                                         .operator_right = s->operator_right,
                                                         .stp = s->stp,
                                                         .killed = s->killed,
                                                         .stp_group = s->stp_group,
                                                         .orders_max = s->orders_max,
                                                         .quantity_max = s->quantity_max,
                                                         .notional_max = s->notional_max},
                                                .logged_in = s->logged_in};
    return NULL;
}

/* What sb_instrument_put() does not look at; a direct user's has no rules. */
static bool instrument_good(const struct sb_engine *e, const struct image_instrument *i)
{
    static const uint8_t zero[sizeof i->zero];
    const bool ruled = (i->auction | i->matching | i->tie | i->band_action) != 0 ||
                       (i->static_band | i->dynamic_band) != 0 ||
                       (i->pause_ms | i->notional_max | i->pro_rata_min) != 0 ||
                       i->reference != 0 || i->last_price != 0;
    if (e->direct && (ruled || i->phase != SB_PHASE_CONTINUOUS))
        return false;
    const bool price =
        i->last_price == 0 || (i->tick > 0 && i->last_price % i->tick == 0 &&
                               i->last_price >= i->price_min && i->last_price <= i->price_max);
    const bool paused = i->phase == SB_PHASE_AUCTION && i->auction == SB_AUCTION_VOLATILITY &&
                        i->dynamic_band != 0 && i->band_action == SB_BAND_PAUSE && i->pause_ms != 0;
    return memcmp(i->zero, zero, sizeof zero) == 0 && i->auction <= SB_AUCTION_VOLATILITY &&
           i->matching <= SB_MATCH_PRO_RATA && i->tie <= SB_TIE_LOWEST &&
           i->band_action <= SB_BAND_PAUSE &&
           i->traded <= (i->phase != SB_PHASE_CONTINUOUS && i->last_price != 0) &&
           (i->resume_ns == 0 || paused) && price;
}

static const char *load_instrument(struct sb_engine *e, const struct image_instrument *i,
                                   uint32_t above)
{
    struct sb_instrument_view v = {.tick = i->tick,
                                   .price_min = i->price_min,
                                   .price_max = i->price_max,
                                   .lot = i->lot,
                                   .quantity_max = i->quantity_max,
                                   .phase = i->phase,
                                   .auction = i->auction,
                                   .matching = i->matching,
                                   .tie = i->tie,
                                   .band_action = i->band_action,
                                   .static_band = i->static_band,
                                   .dynamic_band = i->dynamic_band,
                                   .pause_ms = i->pause_ms,
                                   .notional_max = i->notional_max,
                                   .pro_rata_min = i->pro_rata_min,
                                   .reference = i->reference,
                                   .last_price = i->last_price,
                                   .resume_ns = i->resume_ns};
    memcpy(v.symbol, i->symbol, sizeof v.symbol);
    if (i->index <= above)
        return "an instrument out of place";
    if (!instrument_good(e, i) || !sb_instrument_put(e, i->index, &v))
        return "an impossible instrument";
    struct sb_rare *r = &e->rare[i->index];
    r->traded = i->traded;
    memcpy(r->top_ref, i->top_ref, sizeof r->top_ref);
    return NULL;
}

/* --- all of it ---------------------------------------------------------------------------------------------- */

static const char *load_tables(struct sb_engine *e, const struct image_head *h, const uint8_t *at)
{
    const char *wrong = NULL;
    uint32_t above = 0;
    for (uint32_t i = 0; wrong == NULL && i < h->sessions; i++) {
        struct image_session s;
        memcpy(&s, at, sizeof s);
        at += sizeof s;
        wrong = load_session(e, &s, above);
        above = s.index;
    }
    above = 0;
    for (uint32_t i = 0; wrong == NULL && i < h->instruments; i++) {
        struct image_instrument s;
        memcpy(&s, at, sizeof s);
        at += sizeof s;
        wrong = load_instrument(e, &s, above);
        above = s.index;
    }
    return wrong != NULL ? wrong : sb_image_load_orders(e, h, at);
}

/* What a book must be like once all its orders are in it. */
static const char *book_fault(const struct sb_engine *e, const struct sb_book *b)
{
    const struct sb_rare *r = sb_state_rare(e, b);
    if (b->view.phase == SB_PHASE_CONTINUOUS && sb_book_crossed(b))
        return "a crossed book in continuous trading";
    for (uint8_t side = 0; side < 2; side++)
        if (r->top_ref[side] != sb_image_top_ref(e, b, side))
            return "a top order that is not there";
    return NULL;
}

static const char *session_fault(const struct sb_session_view *s)
{
    if (s->open_orders != 0 && s->killed)
        return "an order of a session that is blocked";
    return s->orders_max != 0 && s->open_orders > s->orders_max
               ? "more orders of a session than there may be"
               : NULL;
}

const char *sb_engine_load(struct sb_engine *fresh, const void *image, size_t bytes)
{
    struct image_head h;
    SB_ASSERT(fresh->stats.commands == 0 && fresh->orders.used == 0 && fresh->instruments == 0);
    if (bytes < sizeof h)
        return "cut short";
    memcpy(&h, image, sizeof h);
    const char *wrong = head_fault(fresh, &h, bytes);
    if (wrong != NULL)
        return wrong;
    load_head(fresh, &h);
    wrong = load_tables(fresh, &h, (const uint8_t *)image + sizeof h);
    fresh->stats.open_orders = h.orders;
    sb_due_forget(fresh);
    for (uint32_t i = 1; wrong == NULL && i <= fresh->instruments; i++)
        if (fresh->books[i].view.defined)
            wrong = book_fault(fresh, &fresh->books[i]);
    for (uint32_t i = 1; wrong == NULL && i <= fresh->limits.sessions_max; i++)
        wrong = session_fault(&fresh->sessions[i].view);
    return wrong;
}
