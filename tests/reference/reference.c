/* reference.c: commands in, records out, the slow way. */
#include "reference_internal.h"

#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

static void *grow(void *old, size_t bytes)
{
    void *p = realloc(old, bytes);
    SB_ASSERT(p != NULL);
    return p;
}

struct sb_reference *sb_reference_new(const struct sb_engine_limits *limits)
{
    struct sb_reference *r = calloc(1, sizeof *r);
    SB_ASSERT(r != NULL);
    r->limits = *limits;
    r->instruments = calloc((size_t)limits->instruments_max + 1, sizeof *r->instruments);
    r->sessions = calloc((size_t)limits->sessions_max + 1, sizeof *r->sessions);
    SB_ASSERT(r->instruments != NULL && r->sessions != NULL);
    r->feed_seq = r->next_ref = r->next_match = 1;
    for (uint32_t s = 0; s <= limits->sessions_max; s++)
        r->sessions[s].view.next_stream_seq = 1;
    return r;
}

void sb_reference_free(struct sb_reference *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; i <= r->limits.instruments_max; i++) {
        for (int s = 0; s < 2; s++) {
            struct ref_side *side = &r->instruments[i].sides[s];
            for (size_t k = 0; k < side->n; k++)
                free(side->orders[k]);
            free(side->orders);
        }
    }
    free(r->instruments);
    free(r->sessions);
    free(r);
}

struct sb_output *ref_emit(struct sb_reference *r, uint32_t stream, uint8_t kind)
{
    struct sb_reference_outputs *o = r->outputs;
    if (o->n == o->cap) {
        o->cap = o->cap * 2 + 64;
        o->out = grow(o->out, o->cap * sizeof *o->out);
    }
    struct sb_output *out = &o->out[o->n++];
    memset(out, 0, sizeof *out);
    out->time_ns = r->cmd->time_ns;
    out->stream = stream;
    out->stream_seq =
        stream == SB_STREAM_FEED ? r->feed_seq++ : r->sessions[stream].view.next_stream_seq++;
    out->kind = kind;
    return out;
}

struct sb_output *ref_emit_order(struct sb_reference *r, uint32_t stream, uint8_t kind,
                                 const struct ref_order *o)
{
    struct sb_output *out = ref_emit(r, stream, kind);
    out->key = stream == SB_STREAM_FEED ? 0 : o->key;
    out->instrument = o->instrument;
    out->side = o->side;
    out->ref = o->ref;
    return out;
}

/* ---- the books ---- */

static uint32_t bucket_of(uint32_t session, uint32_t key)
{
    return (key * 31u + session) % REF_BUCKETS;
}

static struct ref_order *order_find(const struct sb_reference *r, uint32_t session, uint32_t key)
{
    struct ref_order *o = r->buckets[bucket_of(session, key)];
    while (o != NULL && (o->session != session || o->key != key))
        o = o->next_in_bucket;
    return o;
}

/* Puts o behind everything that is as good or better. */
static void order_insert(struct sb_reference *r, struct ref_order *o)
{
    const bool sells = sb_side_sells(o->side);
    struct ref_side *side = &r->instruments[o->instrument].sides[sells];
    if (side->n == side->cap) {
        side->cap = side->cap * 2 + 16;
        side->orders = grow(side->orders, side->cap * sizeof(struct ref_order *));
    }
    size_t at = side->n;
    while (at > 0 && (sells ? side->orders[at - 1]->price > o->price
                            : side->orders[at - 1]->price < o->price))
        at--;
    for (size_t i = side->n; i > at; i--)
        side->orders[i] = side->orders[i - 1];
    side->orders[at] = o;
    side->n++;
    struct ref_order **bucket = &r->buckets[bucket_of(o->session, o->key)];
    o->next_in_bucket = *bucket;
    *bucket = o;
    r->stats.open_orders++;
}

/* Out of the book, not freed. */
static void order_take_out(struct sb_reference *r, struct ref_order *o)
{
    struct ref_side *side = &r->instruments[o->instrument].sides[sb_side_sells(o->side)];
    size_t at = 0;
    while (side->orders[at] != o)
        at++;
    for (; at + 1 < side->n; at++)
        side->orders[at] = side->orders[at + 1];
    side->n--;
    struct ref_order **link = &r->buckets[bucket_of(o->session, o->key)];
    while (*link != o)
        link = &(*link)->next_in_bucket;
    *link = o->next_in_bucket;
    r->stats.open_orders--;
}

void ref_order_remove(struct sb_reference *r, struct ref_order *o)
{
    order_take_out(r, o);
    free(o);
}

/* Would a DAY order there need a price level that the tables have no room for? `without`: an order
 * to leave out of account, or NULL. */
static bool levels_full(const struct sb_reference *r, uint32_t instrument, bool sells,
                        int64_t price, const struct ref_order *without)
{
    if (r->stats.open_orders < r->limits.levels_max)
        return false; /* each open order at a level of its own would still fit */
    uint32_t used = 0;
    for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
        for (int s = 0; s < 2; s++) {
            const struct ref_side *side = &r->instruments[i].sides[s];
            const struct ref_order *last = NULL;
            for (size_t k = 0; k < side->n; k++) {
                const struct ref_order *o = side->orders[k];
                if (o == without)
                    continue;
                if (i == instrument && (s == 1) == sells && o->price == price)
                    return false;
                if (last == NULL || last->price != o->price)
                    used++;
                last = o;
            }
        }
    }
    return used >= r->limits.levels_max;
}

/* ---- matching ---- */

static void fill(struct sb_reference *r, struct ref_order *rest, struct ref_order *aggr)
{
    const uint32_t quantity = rest->open < aggr->open ? rest->open : aggr->open;
    const uint64_t match = r->next_match++;
    struct sb_output *out = ref_emit_order(r, rest->session, SB_OUT_EXECUTED, rest);
    out->quantity = quantity;
    out->price = rest->price;
    out->match = match;
    out->liquidity = SB_LIQ_ADDED;
    out = ref_emit_order(r, aggr->session, SB_OUT_EXECUTED, aggr);
    out->quantity = quantity;
    out->price = rest->price;
    out->match = match;
    out->liquidity = SB_LIQ_REMOVED;
    out = ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_EXECUTED, rest);
    out->quantity = quantity;
    out->price = rest->price;
    out->match = match;
    r->stats.trades++;
    rest->open -= quantity;
    rest->executed += quantity;
    aggr->open -= quantity;
    aggr->executed += quantity;
    if (rest->open == 0)
        ref_order_remove(r, rest);
}

/* The order on the other side that o trades with next, or NULL. */
static struct ref_order *counterpart(const struct sb_reference *r, const struct ref_order *o)
{
    const struct ref_instrument *inst = &r->instruments[o->instrument];
    const bool sells = sb_side_sells(o->side);
    const struct ref_side *other = &inst->sides[!sells];
    if (inst->view.phase != SB_PHASE_CONTINUOUS || o->open == 0 || other->n == 0)
        return NULL;
    struct ref_order *best = other->orders[0];
    return (sells ? best->price >= o->price : best->price <= o->price) ? best : NULL;
}

/* What is left of an order that has traded what it could: rests or is canceled. Takes o. */
static void settle(struct sb_reference *r, struct ref_order *o, uint8_t tif, bool announce)
{
    if (o->open == 0) {
        free(o);
    } else if (tif == SB_TIF_IOC) {
        struct sb_output *out = ref_emit_order(r, o->session, SB_OUT_CANCELED, o);
        out->quantity = o->open;
        out->reason = SB_REASON_IOC;
        free(o);
    } else {
        order_insert(r, o);
        if (announce) {
            struct sb_output *out = ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_ADD, o);
            out->quantity = o->open;
            out->price = o->price;
        }
    }
}

/* Takes `quantity` (at most what is open) off an order. */
static void take_off(struct sb_reference *r, struct ref_order *o, uint32_t quantity, uint8_t reason)
{
    if (quantity == 0)
        return;
    struct sb_output *out = ref_emit_order(r, o->session, SB_OUT_CANCELED, o);
    out->quantity = quantity;
    out->reason = reason;
    o->open -= quantity;
    if (o->open == 0) {
        ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_DELETED, o);
        ref_order_remove(r, o);
    } else {
        ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_REDUCED, o)->quantity = quantity;
    }
}

/* ---- clients ---- */

static void reject(struct sb_reference *r, uint8_t reason)
{
    struct sb_output *out = ref_emit(r, r->cmd->session, SB_OUT_REJECTED);
    out->key = r->cmd->key;
    out->reason = reason;
    r->stats.rejected++;
}

/* Price and quantity against the instrument, in the order of the reasons' numbers. */
static uint8_t details(const struct sb_instrument_view *v, int64_t price, uint32_t quantity)
{
    if (price % v->tick != 0)
        return SB_REASON_PRICE_TICK;
    if (price <= 0 || price < v->price_min || price > v->price_max)
        return SB_REASON_PRICE_BAND;
    if (quantity % v->lot != 0)
        return SB_REASON_LOT;
    if (quantity == 0 || quantity > v->quantity_max)
        return SB_REASON_QUANTITY;
    return SB_REASON_NONE;
}

static uint8_t order_reason(const struct sb_reference *r, const struct sb_command *c)
{
    if (c->instrument == 0 || c->instrument > r->limits.instruments_max ||
        !r->instruments[c->instrument].view.defined)
        return SB_REASON_SYMBOL;
    const struct sb_instrument_view *v = &r->instruments[c->instrument].view;
    if (v->phase == SB_PHASE_HALTED)
        return SB_REASON_HALTED;
    if (v->phase == SB_PHASE_CLOSED)
        return SB_REASON_PHASE;
    if (v->phase == SB_PHASE_AUCTION && c->tif == SB_TIF_IOC)
        return SB_REASON_TIF;
    const uint8_t reason = details(v, c->price, c->quantity);
    if (reason != SB_REASON_NONE || c->tif == SB_TIF_IOC)
        return reason;
    if (r->stats.open_orders >= r->limits.orders_max)
        return SB_REASON_FULL_ORDERS;
    if (levels_full(r, c->instrument, sb_side_sells(c->side), c->price, NULL))
        return SB_REASON_FULL_LEVELS;
    return SB_REASON_NONE;
}

static struct ref_order *order_make(struct sb_reference *r, const struct sb_command *c)
{
    struct ref_order *o = calloc(1, sizeof *o);
    SB_ASSERT(o != NULL);
    o->ref = r->next_ref++;
    o->price = c->price;
    o->session = c->session;
    o->key = c->key;
    o->instrument = c->instrument;
    o->open = c->quantity;
    o->side = c->side;
    o->capacity = c->capacity;
    return o;
}

/* ACCEPTED or REPLACED. */
static struct sb_output *answer(struct sb_reference *r, uint8_t kind, const struct ref_order *o,
                                uint8_t tif)
{
    struct sb_output *out = ref_emit_order(r, o->session, kind, o);
    out->side = (uint8_t)(o->side | (tif == SB_TIF_IOC ? SB_OUT_IOC : 0));
    out->quantity = o->open;
    out->price = o->price;
    out->reason = o->capacity;
    return out;
}

static void apply_order(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->key <= s->last_key) {
        r->stats.ignored_resend++;
        return;
    }
    s->last_key = c->key;
    const uint8_t reason = order_reason(r, c);
    if (reason != SB_REASON_NONE) {
        reject(r, reason);
        return;
    }
    struct ref_order *o = order_make(r, c);
    answer(r, SB_OUT_ACCEPTED, o, c->tif);
    r->stats.accepted++;
    for (struct ref_order *rest; (rest = counterpart(r, o)) != NULL;)
        fill(r, rest, o);
    settle(r, o, c->tif, true);
}

static bool replace_invalid(const struct sb_reference *r, const struct sb_command *c,
                            const struct ref_order *old)
{
    const struct sb_instrument_view *v = &r->instruments[old->instrument].view;
    if (v->phase == SB_PHASE_AUCTION && c->tif == SB_TIF_IOC)
        return true;
    if (details(v, c->price, c->quantity) != SB_REASON_NONE)
        return true;
    return c->tif != SB_TIF_IOC &&
           levels_full(r, old->instrument, sb_side_sells(old->side), c->price, old);
}

static void apply_replace(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->key <= s->last_key) {
        r->stats.ignored_resend++;
        return;
    }
    struct ref_order *old = order_find(r, c->session, c->orig_key);
    if (old == NULL) {
        r->stats.ignored_superfluous++;
        return;
    }
    const uint8_t phase = r->instruments[old->instrument].view.phase;
    if (phase == SB_PHASE_HALTED || phase == SB_PHASE_CLOSED) {
        s->last_key = c->key;
        reject(r, phase == SB_PHASE_HALTED ? SB_REASON_HALTED : SB_REASON_PHASE);
        return;
    }
    if (replace_invalid(r, c, old)) {
        take_off(r, old, old->open, SB_REASON_REPLACE_INVALID);
        return;
    }
    if (c->quantity <= old->executed) {
        take_off(r, old, old->open, SB_REASON_USER);
        return;
    }
    s->last_key = c->key;
    r->stats.replaced++;
    order_take_out(r, old);
    struct ref_order *o = order_make(r, c);
    o->instrument = old->instrument;
    o->side = old->side;
    o->capacity = old->capacity;
    o->executed = old->executed;
    o->open = c->quantity - old->executed;
    answer(r, SB_OUT_REPLACED, o, c->tif)->orig_key = old->key;
    struct ref_order *rest = counterpart(r, o);
    const bool in_place = rest == NULL && c->tif != SB_TIF_IOC;
    if (in_place) {
        struct sb_output *out = ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_REPLACED, o);
        out->quantity = o->open;
        out->price = o->price;
        out->match = old->ref;
    } else {
        ref_emit_order(r, SB_STREAM_FEED, SB_OUT_F_DELETED, old);
    }
    free(old);
    for (; rest != NULL; rest = counterpart(r, o))
        fill(r, rest, o);
    settle(r, o, c->tif, !in_place);
}

static void apply_cancel(struct sb_reference *r, const struct sb_command *c)
{
    struct ref_order *o = order_find(r, c->session, c->key);
    if (o == NULL) {
        r->stats.ignored_superfluous++;
        return;
    }
    if (c->kind == SB_CMD_REDUCE) {
        take_off(r, o, c->quantity < o->open ? c->quantity : o->open, SB_REASON_USER);
        return;
    }
    const uint32_t wanted = c->quantity > o->executed ? c->quantity - o->executed : 0;
    take_off(r, o, wanted < o->open ? o->open - wanted : 0, SB_REASON_USER);
}

static void apply_invalid(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if ((c->flags & SB_CMD_F_SKIP_KEY) == 0) {
        if (c->key <= s->last_key) {
            r->stats.ignored_resend++;
            return;
        }
        s->last_key = c->key;
    }
    reject(r, c->reason);
}

static void apply_login(struct sb_reference *r, const struct sb_command *c)
{
    struct ref_session *s = &r->sessions[c->session];
    const union sb_command_ext *ext = sb_command_ext(c);
    const bool first = !s->logged_in;
    s->view.login_ipv4 = ext->login.ipv4;
    s->view.login_port = ext->login.port;
    s->logged_in = true;
    if (!first && (uint64_t)c->price == s->view.login_nonce)
        return;
    s->view.login_nonce = (uint64_t)c->price;
    if (first)
        ref_emit(r, c->session, SB_OUT_SYSTEM)->liquidity = 'S';
    struct sb_output *out = ref_emit(r, c->session, SB_OUT_LOGIN);
    out->quantity = s->view.last_key;
    out->ref = s->view.last_session_seq;
}

/* ---- operator ---- */

static uint8_t enter_phase(struct sb_reference *r, uint32_t instrument, uint8_t phase)
{
    struct ref_instrument *inst = &r->instruments[instrument];
    if (inst->view.phase == phase)
        return SB_REASON_NONE;
    if (phase == SB_PHASE_CONTINUOUS && inst->sides[0].n > 0 && inst->sides[1].n > 0 &&
        inst->sides[0].orders[0]->price >= inst->sides[1].orders[0]->price)
        return SB_REASON_CROSSED;
    inst->view.phase = phase;
    if (phase == SB_PHASE_CLOSED) {
        for (int s = 0; s < 2; s++) {
            while (inst->sides[s].n > 0) {
                struct ref_order *o = inst->sides[s].orders[0];
                take_off(r, o, o->open, SB_REASON_CLOSED);
            }
        }
    }
    struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_PHASE);
    out->instrument = instrument;
    out->side = (uint8_t)(phase << SB_OUT_PHASE_SHIFT);
    return SB_REASON_NONE;
}

static uint8_t operate_one(struct sb_reference *r, const struct sb_command *c, uint32_t instrument,
                           uint64_t *shares)
{
    if (c->kind == SB_CMD_PHASE)
        return enter_phase(r, instrument, c->phase);
    if (r->instruments[instrument].view.phase != SB_PHASE_AUCTION)
        return SB_REASON_NOT_AUCTION;
    *shares += ref_uncross(r, instrument);
    return SB_REASON_NONE;
}

static void apply_operator(struct sb_reference *r, const struct sb_command *c)
{
    uint8_t reason = SB_REASON_NONE;
    uint64_t shares = 0;
    const uint32_t max = r->limits.instruments_max;
    if (c->session != 0 && !r->sessions[c->session].view.operator_right) {
        reason = SB_REASON_NO_RIGHT;
    } else if (c->instrument == SB_INSTRUMENT_ALL) {
        for (uint32_t i = 1; i <= max; i++) {
            if (!r->instruments[i].view.defined)
                continue;
            const uint8_t one = operate_one(r, c, i, &shares);
            reason = reason == SB_REASON_NONE ? one : reason;
        }
    } else if (c->instrument == 0 || c->instrument > max ||
               !r->instruments[c->instrument].view.defined) {
        reason = SB_REASON_SYMBOL;
    } else {
        reason = operate_one(r, c, c->instrument, &shares);
    }
    if (c->session == 0)
        return;
    struct sb_output *out = ref_emit(r, c->session, SB_OUT_OPERATOR);
    out->key = c->key;
    out->instrument = c->instrument;
    out->side = (uint8_t)(c->kind == SB_CMD_PHASE ? c->phase << SB_OUT_PHASE_SHIFT : 0);
    out->reason = reason;
    out->quantity = shares > UINT32_MAX ? UINT32_MAX : (uint32_t)shares;
}

/* ---- configuration ---- */

static void apply_session(struct sb_reference *r, const struct sb_command *c)
{
    if (c->key == 0 || c->key > r->limits.sessions_max || r->sessions[c->key].view.defined) {
        r->stats.ignored_session++;
        return;
    }
    struct sb_session_view *s = &r->sessions[c->key].view;
    s->defined = 1;
    s->firm = c->firm;
    s->operator_right = sb_command_ext(c)->session.operator_right;
}

static bool instrument_acceptable(const struct sb_reference *r, const struct sb_command *c)
{
    const union sb_command_ext *x = sb_command_ext(c);
    if (c->instrument == 0 || c->instrument > r->limits.instruments_max ||
        memcmp(x->instrument.symbol, "        ", 8) == 0)
        return false;
    for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
        const struct sb_instrument_view *v = &r->instruments[i].view;
        if (v->defined && (i == c->instrument || memcmp(v->symbol, x->instrument.symbol, 8) == 0))
            return false;
    }
    return x->instrument.tick >= 1 && x->instrument.lot >= 1 &&
           x->instrument.price_min >= x->instrument.tick &&
           x->instrument.price_max >= x->instrument.price_min &&
           x->instrument.price_max <= SB_PRICE_MAX &&
           x->instrument.price_min % x->instrument.tick == 0 &&
           x->instrument.price_max % x->instrument.tick == 0 &&
           x->instrument.quantity_max >= x->instrument.lot &&
           x->instrument.quantity_max <= SB_QUANTITY_MAX && x->instrument.phase <= SB_PHASE_HALTED;
}

static void apply_instrument(struct sb_reference *r, const struct sb_command *c)
{
    if (!instrument_acceptable(r, c)) {
        r->stats.ignored_session++;
        return;
    }
    const union sb_command_ext *x = sb_command_ext(c);
    struct sb_instrument_view *v = &r->instruments[c->instrument].view;
    memcpy(v->symbol, x->instrument.symbol, sizeof v->symbol);
    v->tick = x->instrument.tick;
    v->price_min = x->instrument.price_min;
    v->price_max = x->instrument.price_max;
    v->lot = x->instrument.lot;
    v->quantity_max = x->instrument.quantity_max;
    v->phase = x->instrument.phase;
    v->defined = 1;
    struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_DIRECTORY);
    out->instrument = c->instrument;
    out->quantity = v->lot;
    out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_PHASE);
    out->instrument = c->instrument;
    out->side = (uint8_t)(v->phase << SB_OUT_PHASE_SHIFT);
}

/* ---- dispatch ---- */

/* Is the command for us at all? Takes its session number. */
static bool admit(struct sb_reference *r, const struct sb_command *c)
{
    if (!r->day_open || c->session > r->limits.sessions_max ||
        (c->session != 0 && !r->sessions[c->session].view.defined)) {
        r->stats.ignored_session++;
        return false;
    }
    if (c->session == 0 || c->session_seq == 0)
        return true;
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->session_seq <= s->last_session_seq) {
        r->stats.ignored_resend++;
        return false;
    }
    s->last_session_seq = c->session_seq;
    return true;
}

void sb_reference_apply(struct sb_reference *r, const struct sb_command *c,
                        struct sb_reference_outputs *outputs)
{
    r->cmd = c;
    r->outputs = outputs;
    r->stats.commands++;
    if (c->kind == SB_CMD_DAY) {
        if (r->day_open)
            r->stats.ignored_session++;
        else
            ref_emit(r, SB_STREAM_FEED, SB_OUT_F_SYSTEM)->liquidity = 'O';
        r->day_open = true;
        return;
    }
    if (!admit(r, c))
        return;
    switch (c->kind) {
    case SB_CMD_SESSION:
        apply_session(r, c);
        break;
    case SB_CMD_INSTRUMENT:
        apply_instrument(r, c);
        break;
    case SB_CMD_PHASE:
    case SB_CMD_UNCROSS:
        apply_operator(r, c);
        break;
    case SB_CMD_LOGIN:
        apply_login(r, c);
        break;
    case SB_CMD_ORDER:
        apply_order(r, c);
        break;
    case SB_CMD_REPLACE:
        apply_replace(r, c);
        break;
    case SB_CMD_CANCEL:
    case SB_CMD_REDUCE:
        apply_cancel(r, c);
        break;
    case SB_CMD_INVALID:
        apply_invalid(r, c);
        break;
    default:
        SB_ASSERT(false); /* the caller gives valid commands only */
    }
}

/* ---- views ---- */

void sb_reference_visit(const struct sb_reference *r, uint32_t instrument, uint8_t side,
                        void (*visit)(void *arg, const struct sb_order_view *order), void *arg)
{
    const struct ref_side *s = &r->instruments[instrument].sides[side & 1u];
    for (size_t i = 0; i < s->n; i++) {
        const struct ref_order *o = s->orders[i];
        const struct sb_order_view view = {.ref = o->ref,
                                           .price = o->price,
                                           .session = o->session,
                                           .key = o->key,
                                           .open = o->open,
                                           .executed = o->executed,
                                           .side = o->side};
        visit(arg, &view);
    }
}

const struct sb_session_view *sb_reference_session(const struct sb_reference *r, uint32_t session)
{
    return &r->sessions[session].view;
}

const struct sb_instrument_view *sb_reference_instrument(const struct sb_reference *r,
                                                         uint32_t instrument)
{
    return &r->instruments[instrument].view;
}

const struct sb_engine_stats *sb_reference_stats(const struct sb_reference *r)
{
    return &r->stats;
}
