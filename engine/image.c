/* image.c: the whole state as bytes, and back.
 *
 *     struct image_head | image_session each | image_instrument each | image_order each
 *
 * Sessions and instruments stand by index, orders by reference. As a reference is taken in the very command that puts an order
 * behind all others of its price, this order is enough to build every queue again.
 */
#include <string.h>

#include "engine/book.h"
#include "engine/instrument.h"
#include "engine/state.h"

#define IMAGE_MAGIC UINT32_C(0x31454253) /* "SBE1" */
enum { IMAGE_VERSION = 1 };
/* Counters that no day reaches, so that none of them ever wraps. */
#define COUNT_MAX (UINT64_MAX / 2)

struct image_head {
    uint32_t magic, version;
    uint32_t instruments_max, sessions_max, orders_max, levels_max;
    uint64_t applied, time_ns, feed_seq, last_ref, last_match, digest;
    uint64_t midnight_ns;
    uint32_t trading_day;
    uint16_t shard, generation;
    uint64_t outputs, trades, accepted, rejected, canceled, replaced;
    uint64_t ignored_resend, ignored_superfluous, ignored_session;
    uint32_t open_orders_peak,
        open; /* open: 0 no day yet, 1 a day of sessions, 2 of a direct user */
    uint32_t sessions, instruments, orders, zero; /* how many follow */
};
_Static_assert(sizeof(struct image_head) == 184, "layout of the image");

struct image_session {
    uint64_t last_session_seq, next_stream_seq, login_nonce;
    uint32_t index, last_key, firm, login_ipv4;
    uint16_t login_port;
    uint8_t operator_right, logged_in;
    uint32_t zero;
};
_Static_assert(sizeof(struct image_session) == 48, "layout of the image");

struct image_instrument {
    char symbol[8];
    int64_t tick, price_min, price_max;
    uint32_t lot, quantity_max, index;
    uint8_t phase, zero[3];
};
_Static_assert(sizeof(struct image_instrument) == 48, "layout of the image");

struct image_order {
    uint64_t name; /* as in order.h; its highest bits are the reference */
    uint32_t key, open, executed, ticks;
    uint16_t instrument; /* its lowest bits */
    uint8_t capacity, instrument_high;
    uint16_t id_high; /* of the id: 0 in a session's */
    uint8_t zero[2];
};
_Static_assert(sizeof(struct image_order) == 32, "layout of the image");

/* --- out ---------------------------------------------------------------------------------------- */

static void count(const struct sb_engine *e, struct image_head *h)
{
    for (uint32_t i = 1; i <= e->limits.sessions_max; i++)
        h->sessions += e->sessions[i].view.defined;
    for (uint32_t i = 1; i <= e->instruments; i++)
        h->instruments += e->books[i].view.defined;
    h->orders = e->orders.used;
}

static size_t bytes_of(const struct image_head *h)
{
    return sizeof *h + h->sessions * sizeof(struct image_session) +
           h->instruments * sizeof(struct image_instrument) +
           h->orders * sizeof(struct image_order);
}

size_t sb_engine_image_bytes(const struct sb_engine *e)
{
    struct image_head h = {0};
    count(e, &h);
    return bytes_of(&h);
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
        .applied = e->stats.commands,
        .time_ns = e->time_ns,
        .feed_seq = e->feed_seq,
        .last_ref = e->last_ref,
        .last_match = e->last_match,
        .digest = e->digest,
        .midnight_ns = e->day.midnight_ns,
        .trading_day = e->day.trading_day,
        .shard = e->day.shard,
        .generation = e->day.generation,
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
                                          .logged_in = s->logged_in};
        if (s->view.defined)
            at = put(at, &out, sizeof out);
    }
    return at;
}

static uint8_t *save_instruments(const struct sb_engine *e, uint8_t *at)
{
    for (uint32_t i = 1; i <= e->instruments; i++) {
        const struct sb_instrument_view *v = &e->books[i].view;
        struct image_instrument out = {.tick = v->tick,
                                       .price_min = v->price_min,
                                       .price_max = v->price_max,
                                       .lot = v->lot,
                                       .quantity_max = v->quantity_max,
                                       .index = i,
                                       .phase = v->phase};
        memcpy(out.symbol, v->symbol, sizeof out.symbol);
        if (v->defined)
            at = put(at, &out, sizeof out);
    }
    return at;
}

static uint8_t *save_orders(const struct sb_engine *e, uint8_t *at)
{
    /* Free slots are taken first, so the live ones lie near the beginning. */
    for (uint32_t slot = 1, saved = 0; saved < e->orders.used; slot++) {
        const struct sb_order *o = &e->orders.slots[slot];
        if (o->open == 0)
            continue;
        const struct image_order out = {
            .name = sb_order_name(o),
            .key = sb_order_key(o),
            .open = o->open,
            .executed = sb_orders_executed(&e->orders, slot),
            .ticks = sb_book_ticks(sb_order_side(o), sb_order_ladder_key(o)),
            .instrument = (uint16_t)sb_order_instrument(o),
            .capacity = (uint8_t)sb_orders_extra(&e->orders, slot),
            .instrument_high = (uint8_t)(sb_order_instrument(o) >> 16),
            .id_high = (uint16_t)(o->id >> 48),
        };
        at = put(at, &out, sizeof out);
        saved++;
    }
    return at;
}

static uint64_t name_at(const uint8_t *orders, size_t i)
{
    uint64_t name;
    memcpy(&name, orders + i * sizeof(struct image_order), sizeof name);
    return name;
}

static void swap(uint8_t *orders, size_t i, size_t k)
{
    struct image_order a, b;
    memcpy(&a, orders + i * sizeof a, sizeof a);
    memcpy(&b, orders + k * sizeof b, sizeof b);
    memcpy(orders + i * sizeof b, &b, sizeof b);
    memcpy(orders + k * sizeof a, &a, sizeof a);
}

/* The heap below i, of n orders, holds again, largest name on top. */
static void sift(uint8_t *orders, size_t i, size_t n)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && name_at(orders, child) < name_at(orders, child + 1))
            child++;
        if (name_at(orders, i) >= name_at(orders, child))
            return;
        swap(orders, i, child);
    }
}

/* By name, in place: a heap needs no memory and has no bad case. */
static void sort(uint8_t *orders, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(orders, i, n);
    while (n > 1) {
        swap(orders, 0, --n);
        sift(orders, 0, n);
    }
}

void sb_engine_save(const struct sb_engine *e, void *out, size_t bytes)
{
    struct image_head h;
    save_head(e, &h);
    SB_ASSERT_EQ(bytes, bytes_of(&h));
    uint8_t *orders = save_instruments(e, save_sessions(e, put((uint8_t *)out, &h, sizeof h)));
    SB_ASSERT(save_orders(e, orders) == (uint8_t *)out + bytes);
    sort(orders, h.orders);
}

/* --- in ----------------------------------------------------------------------------------------- */

/* What can be told from the head alone. */
static const char *head_fault(const struct sb_engine *e, const struct image_head *h, size_t bytes)
{
    const struct sb_engine_limits limits = {.instruments_max = h->instruments_max,
                                            .sessions_max = h->sessions_max,
                                            .orders_max = h->orders_max,
                                            .levels_max = h->levels_max};
    if (h->magic != IMAGE_MAGIC)
        return "not an engine's image";
    if (h->version != IMAGE_VERSION)
        return "an image of another version";
    if (!sb_engine_limits_equal(&limits, &e->limits))
        return "the image of an engine with other limits";
    if (h->sessions > h->sessions_max || h->instruments > h->instruments_max ||
        h->orders > h->orders_max || bytes_of(h) != bytes)
        return "an image of another size than its head says";
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
        if (counts[i] > COUNT_MAX)
            return "an impossible count";
    if (h->zero != 0 || h->open > 2 || (h->open == 2 && h->sessions != 0) || h->feed_seq == 0 ||
        h->last_ref > SB_ORDER_REF_MAX || h->open_orders_peak < h->orders ||
        h->open_orders_peak > h->orders_max || h->shard > SB_SHARD_MAX ||
        h->generation > SB_SHARD_MAX)
        return "an impossible head";
    if (h->open == 2 &&
        (h->accepted != h->last_ref - h->replaced ||
         h->outputs != h->accepted + h->replaced + h->canceled + h->rejected + h->trades))
        return "an impossible count";
    if (h->open == 0 && (h->sessions != 0 || h->instruments != 0 || h->midnight_ns != 0 ||
                         h->trading_day != 0 || h->shard != 0 || h->generation != 0))
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
                                  .generation = h->generation};
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
}

static const char *load_session(struct sb_engine *e, const struct image_session *s, uint32_t above)
{
    if (s->index <= above || s->index > e->limits.sessions_max)
        return "a session out of place";
    if (s->zero != 0 || s->operator_right > 1 || s->logged_in > 1 || s->next_stream_seq == 0 ||
        s->next_stream_seq > COUNT_MAX ||
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
                                                         .operator_right = s->operator_right},
                                                .logged_in = s->logged_in};
    return NULL;
}

static const char *load_instrument(struct sb_engine *e, const struct image_instrument *i,
                                   uint32_t above)
{
    static const uint8_t zero[sizeof i->zero];
    struct sb_instrument_view v = {.tick = i->tick,
                                   .price_min = i->price_min,
                                   .price_max = i->price_max,
                                   .lot = i->lot,
                                   .quantity_max = i->quantity_max,
                                   .phase = i->phase};
    memcpy(v.symbol, i->symbol, sizeof v.symbol);
    if (i->index <= above)
        return "an instrument out of place";
    if (e->direct && i->phase != SB_PHASE_CONTINUOUS)
        return "an impossible instrument";
    if (memcmp(i->zero, zero, sizeof zero) != 0 || !sb_instrument_put(e, i->index, &v))
        return "an impossible instrument";
    return NULL;
}

static uint32_t instrument_of(const struct image_order *o)
{
    return o->instrument | (uint32_t)o->instrument_high << 16;
}

static uint64_t id_of(const struct image_order *o)
{
    return (uint64_t)o->id_high << 48 | (o->name & 0xffffu) << 32 | o->key;
}

/* Can this order rest where it says, beside those that are there already? */
static const char *order_fault(const struct sb_engine *e, const struct image_order *o,
                               uint64_t ref_above)
{
    static const uint8_t zero[sizeof o->zero];
    const uint64_t ref = o->name >> 19;
    const uint8_t side = (uint8_t)(o->name >> 16 & 7u);
    const uint32_t session = (uint32_t)(o->name & 0xffffu);
    if (ref <= ref_above || ref > e->last_ref)
        return "an order out of place";
    if (!e->direct &&
        (session == 0 || session > e->limits.sessions_max || !e->sessions[session].view.defined))
        return "an order of nobody";
    struct sb_book *b = sb_state_book(e, instrument_of(o));
    if (b == NULL || b->view.phase == SB_PHASE_CLOSED)
        return "an order where none can rest";
    if (memcmp(o->zero, zero, sizeof zero) != 0 || side == 2 || side == 4 ||
        side > SB_SELL_SHORT_EXEMPT || o->open == 0 ||
        (uint64_t)o->open + o->executed > b->view.quantity_max)
        return "an impossible order";
    if (e->direct ? o->capacity != 0
                  : o->id_high != 0 || o->key == 0 || o->key > e->sessions[session].view.last_key)
        return "an impossible order";
    const uint64_t price = (uint64_t)o->ticks * b->tick; /* 32 by 31 bits */
    if (price < (uint64_t)b->view.price_min || price > (uint64_t)b->view.price_max)
        return "an order at an impossible price";
    if (sb_orders_find(&e->orders, id_of(o)) != 0)
        return "an order that stands there twice";
    return sb_book_levels_full(e, b, side, o->ticks) ? "more price levels than there may be" : NULL;
}

static void load_order(struct sb_engine *e, const struct image_order *o)
{
    const struct sb_incoming in = {.ref = o->name >> 19,
                                   .id = id_of(o),
                                   .open = o->open,
                                   .executed = o->executed,
                                   .ticks = o->ticks,
                                   .side = (uint8_t)(o->name >> 16 & 7u),
                                   .extra = o->capacity};
    sb_book_rest(e, &e->books[instrument_of(o)], &in);
}

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
    uint64_t ref = 0;
    for (uint32_t i = 0; wrong == NULL && i < h->orders; i++) {
        struct image_order o;
        memcpy(&o, at, sizeof o);
        at += sizeof o;
        wrong = order_fault(e, &o, ref);
        if (wrong == NULL)
            load_order(e, &o);
        ref = o.name >> 19;
    }
    return wrong;
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
    for (uint32_t i = 1; wrong == NULL && i <= fresh->instruments; i++)
        if (fresh->books[i].view.phase == SB_PHASE_CONTINUOUS && sb_book_crossed(&fresh->books[i]))
            wrong = "a crossed book in continuous trading";
    return wrong;
}
