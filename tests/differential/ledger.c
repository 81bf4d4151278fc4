#include "ledger.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

enum { BUCKETS = 1 << 10 };

/* The command that is being looked at. */
struct now {
    struct ledger *l;
    const struct sb_command2 *c;
    const struct sb_output *outputs;
    uint32_t n, k;      /* outputs; the present one */
    uint32_t pair[2];   /* 1 + index: buyer and seller of the last match */
    bool pair_rests[2]; /* may it have been refreshed? */
    uint32_t triggers, fills_at_price;
    uint32_t resumed; /* the last instrument that this TIMER took to CONTINUOUS */
    int64_t fill_price;
    uint64_t pair_shares;
};

__attribute__((format(printf, 2, 3))) static const char *wrong(struct ledger *l, const char *format,
                                                               ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->text, sizeof l->text, format, args);
    va_end(args);
    return l->text;
}

static void *bytes_for(void *old, size_t n)
{
    void *p = realloc(old, n);
    SB_ASSERT(p != NULL);
    return p;
}

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    SB_ASSERT(p != NULL);
    return p;
}

void ledger_open(struct ledger *l, const struct sb_engine_limits *limits, struct coverage *coverage)
{
    *l = (struct ledger){.coverage = coverage,
                         .sessions_max = limits->sessions_max,
                         .instruments_max = limits->instruments_max,
                         .terms_max = limits->terms_max,
                         .buckets_mask = BUCKETS - 1,
                         .next_match = 1};
    l->sessions = zeroed((size_t)limits->sessions_max + 1, sizeof *l->sessions);
    l->tie = zeroed((size_t)limits->instruments_max + 1, 1);
    l->matching = zeroed((size_t)limits->instruments_max + 1, 1);
    l->phase = zeroed((size_t)limits->instruments_max + 1, 1);
    l->buckets = zeroed(BUCKETS, sizeof *l->buckets);
    for (uint32_t s = 0; s <= limits->sessions_max; s++)
        l->sessions[s].next_seq = 1;
}

void ledger_close(struct ledger *l)
{
    free(l->sessions);
    free(l->tie);
    free(l->matching);
    free(l->phase);
    free(l->orders);
    free(l->buckets);
    free(l->touched);
}

/* --- orders by their names ----------------------------------------------------------------------- */

static uint32_t bucket_of(const struct ledger *l, uint32_t session, uint32_t key, uint32_t where)
{
    const uint64_t name = ((uint64_t)session << 32 | key) * UINT64_C(0x9e3779b97f4a7c15) + where;
    return (uint32_t)((name * UINT64_C(0xd1342543de82ef95)) >> 40) & l->buckets_mask;
}

static struct ledger_order *find_at(struct ledger *l, uint32_t session, uint32_t key,
                                    uint32_t where)
{
    for (uint32_t b = bucket_of(l, session, key, where); l->buckets[b] != 0;
         b = (b + 1) & l->buckets_mask) {
        struct ledger_order *o = &l->orders[l->buckets[b] - 1];
        if (o->session == session && o->key == key && o->where == where)
            return o;
    }
    return NULL;
}

static uint32_t where_quoted(uint32_t instrument, uint8_t side)
{
    return 1 + 2 * instrument + (side & 1u);
}

/* An order, or else a quote. */
static struct ledger_order *find(struct ledger *l, uint32_t session, uint32_t key,
                                 uint32_t instrument, uint8_t side)
{
    struct ledger_order *o = find_at(l, session, key, 0);
    return o != NULL ? o : find_at(l, session, key, where_quoted(instrument, side));
}

static void put(struct ledger *l, uint32_t index)
{
    const struct ledger_order *o = &l->orders[index];
    uint32_t b = bucket_of(l, o->session, o->key, o->where);
    while (l->buckets[b] != 0)
        b = (b + 1) & l->buckets_mask;
    l->buckets[b] = index + 1;
}

static struct ledger_order *new_order(struct ledger *l, const struct ledger_order *like)
{
    if (l->orders_n == l->orders_cap) {
        l->orders_cap = l->orders_cap * 2 + 256;
        l->orders = bytes_for(l->orders, l->orders_cap * sizeof *l->orders);
    }
    if (l->orders_n >= l->buckets_mask / 2) {
        l->buckets_mask = l->buckets_mask * 2 + 1;
        free(l->buckets);
        l->buckets = zeroed((size_t)l->buckets_mask + 1, sizeof *l->buckets);
        for (uint32_t i = 0; i < l->orders_n; i++)
            put(l, i);
    }
    l->orders[l->orders_n] = *like;
    put(l, l->orders_n);
    return &l->orders[l->orders_n++];
}

/* --- counting ------------------------------------------------------------------------------------ */

static uint8_t shape_of(const struct sb_command2 *c)
{
    static const uint8_t PEGS[] = {SHAPE_PLAIN, SHAPE_PRIMARY, SHAPE_MARKET_PEG, SHAPE_MIDPOINT};
    static const uint8_t TYPES[] = {SHAPE_PLAIN, SHAPE_MARKET,     SHAPE_MARKET_TO_LIMIT,
                                    SHAPE_STOP,  SHAPE_STOP_LIMIT, SHAPE_TRAILING};
    static const uint8_t TIFS[] = {SHAPE_PLAIN, SHAPE_IOC,     SHAPE_GTC,     SHAPE_GTD,
                                   SHAPE_FOK,   SHAPE_AT_OPEN, SHAPE_AT_CLOSE};
    const union sb_command_ext *x = sb_command_ext(&c->c);
    if (x == NULL)
        return TIFS[c->c.tif];
    if (x->order.peg != SB_PEG_NONE)
        return PEGS[x->order.peg];
    if (x->order.type != SB_TYPE_LIMIT)
        return TYPES[x->order.type];
    if (x->order.display_quantity != 0)
        return x->order.refresh_range != 0 ? SHAPE_RANDOM_ICEBERG : SHAPE_ICEBERG;
    if ((x->order.attributes & SB_ATTR_ALL_OR_NONE) != 0)
        return SHAPE_ALL_OR_NONE;
    if (x->order.min_quantity != 0)
        return SHAPE_MINIMUM;
    if ((x->order.attributes & SB_ATTR_HIDDEN) != 0)
        return SHAPE_HIDDEN;
    if ((x->order.attributes & SB_ATTR_POST_ONLY) != 0)
        return SHAPE_POST_ONLY;
    return TIFS[c->c.tif];
}

static void event(struct ledger *l, const struct ledger_order *o, uint32_t event)
{
    l->coverage->orders[o->shape][event]++;
    if (o->was_partner)
        l->coverage->orders[SHAPE_OCO][event]++;
}

static void moment(struct now *now, enum coverage_moment moment)
{
    now->l->coverage->moments[moment]++;
}

/* --- what happens to an order -------------------------------------------------------------------- */

static void touch(struct ledger *l, struct ledger_order *o)
{
    if (o->touched == l->commands)
        return;
    o->touched = l->commands;
    o->filled = 0;
    if (l->touched_n == l->touched_cap) {
        l->touched_cap = l->touched_cap * 2 + 64;
        l->touched = bytes_for(l->touched, l->touched_cap * sizeof *l->touched);
    }
    l->touched[l->touched_n++] = (uint32_t)(o - l->orders);
}

static void take_off(struct ledger *l, struct ledger_order *o, uint32_t quantity)
{
    o->open -= quantity;
    if (o->open < o->minimum)
        o->minimum = (uint32_t)o->open;
    if (o->open == 0 && o->where == 0)
        l->open_n--;
}

static void link_partner(struct ledger *l, struct ledger_order *o, uint32_t key)
{
    struct ledger_order *p = key != 0 ? find_at(l, o->session, key, 0) : NULL;
    if (p == NULL)
        return;
    o->partner = (uint32_t)(p - l->orders) + 1;
    p->partner = (uint32_t)(o - l->orders) + 1;
    o->was_partner = p->was_partner = true;
}

static void unlink_partner(struct ledger *l, struct ledger_order *o)
{
    if (o->partner != 0)
        l->orders[o->partner - 1].partner = 0;
    o->partner = 0;
}

static void count_carried(struct now *now)
{
    const struct sb_command *c = &now->c->c;
    const uint8_t phase = now->l->phase[c->instrument];
    if (phase == SB_PHASE_CLOSED || phase == SB_PHASE_HALTED)
        moment(now, MOMENT_CARRIED_SHUT);
    if (phase == SB_PHASE_CONTINUOUS)
        moment(now, MOMENT_CARRIED_OPEN);
    if (now->c->ext.carry.shown != 0)
        moment(now, MOMENT_CARRIED_SLICE);
    if (c->key < now->l->sessions[c->session].accepted_key)
        moment(now, MOMENT_CARRIED_BELOW);
}

/* A key of an order that has ended may come back with one of an earlier day. */
static struct ledger_order *put_order(struct ledger *l, const struct ledger_order *like,
                                      struct ledger_order *ended)
{
    if (ended == NULL)
        return new_order(l, like);
    *ended = *like;
    return ended;
}

static const char *accepted(struct now *now, const struct sb_output *o)
{
    struct ledger *l = now->l;
    const struct sb_command *c = &now->c->c;
    const union sb_command_ext *x = sb_command_ext(c);
    const bool carried = c->kind == SB_CMD_CARRY;
    if ((c->kind != SB_CMD_ORDER && !carried) || o->stream != c->session || o->key != c->key ||
        o->quantity != c->quantity || o->price != c->price ||
        (o->side & SB_OUT_SIDE_MASK) != c->side || o->instrument != c->instrument ||
        ((o->side & SB_OUT_IOC) != 0) != (c->tif == SB_TIF_IOC) || o->reason != c->capacity)
        return "accepted is another order than was sent";
    struct ledger_order *known = find_at(l, o->stream, o->key, 0);
    if (known != NULL && (!carried || known->open != 0))
        return "accepted under a key that was used";
    const struct ledger_order like = {.ref = o->ref,
                                      .limit = c->price,
                                      .session = c->session,
                                      .key = c->key,
                                      .instrument = c->instrument,
                                      .open = c->quantity,
                                      .executed = carried ? x->carry.executed : 0,
                                      .entered = l->commands,
                                      .side = c->side,
                                      .tif = c->tif,
                                      .shape = shape_of(now->c)};
    struct ledger_order *order = put_order(l, &like, known);
    if (carried)
        count_carried(now);
    if (c->key > l->sessions[c->session].accepted_key)
        l->sessions[c->session].accepted_key = c->key;
    l->open_n++;
    if (x != NULL) {
        order->minimum = x->order.min_quantity < c->quantity ? x->order.min_quantity : c->quantity;
        order->attributes = x->order.attributes;
        order->peg = x->order.peg;
        order->sliced = x->order.display_quantity != 0;
        link_partner(l, order, x->order.oco_key);
    }
    touch(l, order);
    event(l, order, EVENT_ACCEPTED);
    return NULL;
}

static const char *replaced(struct now *now, const struct sb_output *o)
{
    struct ledger *l = now->l;
    const struct sb_command *c = &now->c->c;
    struct ledger_order *old = find_at(l, o->stream, o->orig_key, 0);
    if (c->kind != SB_CMD_REPLACE || o->key != c->key || o->orig_key != c->orig_key ||
        old == NULL || old->open == 0)
        return "replaced is another order than was named";
    if (find_at(l, o->stream, o->key, 0) != NULL)
        return "replaced under a key that was used";
    if (o->quantity != c->quantity - old->executed || o->price != c->price ||
        (o->side & SB_OUT_SIDE_MASK) != old->side || o->instrument != old->instrument)
        return "replaced by something else than was asked for";
    struct ledger_order changed = *old;
    changed.key = o->key;
    changed.ref = o->ref;
    changed.limit = o->price;
    changed.open = o->quantity;
    changed.entered = l->commands;
    changed.minimum = changed.minimum < o->quantity ? changed.minimum : o->quantity;
    changed.touched = 0;
    if (c->tif == SB_TIF_IOC)
        changed.tif = SB_TIF_IOC;
    old->open = old->partner = 0;
    struct ledger_order *order = new_order(l, &changed);
    if (order->partner != 0)
        l->orders[order->partner - 1].partner = l->orders_n; /* 1 + its index */
    touch(l, order);
    event(l, order, EVENT_REPLACED);
    return NULL;
}

static const char *amended(struct now *now, const struct sb_output *o, struct ledger_order *order)
{
    const struct sb_command *c = &now->c->c;
    if (c->kind != SB_CMD_AMEND || o->key != c->key ||
        o->quantity != c->quantity - order->executed || o->quantity == 0 || o->price != c->price ||
        (o->side & SB_OUT_SIDE_MASK) != order->side)
        return "amended to something else than was asked for";
    event(now->l, order, o->ref == order->ref ? EVENT_AMENDED : EVENT_MOVED);
    order->ref = o->ref;
    order->limit = o->price;
    order->open = o->quantity;
    order->minimum = order->minimum < o->quantity ? order->minimum : o->quantity;
    touch(now->l, order);
    return NULL;
}

static void count_self_trade(struct now *now)
{
    static const uint8_t MODES[] = {0, MOMENT_STP_NEWEST, MOMENT_STP_OLDEST, MOMENT_STP_BOTH,
                                    MOMENT_STP_DECREMENT};
    const uint8_t mode = now->l->sessions[now->c->c.session].stp;
    if (mode != SB_STP_NONE)
        moment(now, MODES[mode]);
}

static const char *canceled(struct now *now, const struct sb_output *o, struct ledger_order *order)
{
    struct ledger *l = now->l;
    if (o->reason == SB_REASON_NONE || o->reason > SB_REASON_KILL)
        return "canceled for no such reason";
    if (o->quantity == 0 || o->quantity > order->open)
        return wrong(l, "canceled %u of %" PRIu64, o->quantity, order->open);
    touch(l, order);
    event(l, order, EVENT_CANCELED + o->reason);
    l->coverage->canceled[o->reason]++;
    if (o->reason == SB_REASON_SELF_TRADE)
        count_self_trade(now);
    if (o->reason == SB_REASON_BAND && now->resumed == o->instrument && order->tif != SB_TIF_IOC)
        moment(now, order->peg != 0 ? MOMENT_ENDED_PEG : MOMENT_ENDED_DARK); /* not a stop */
    if (o->reason == SB_REASON_OCO) {
        unlink_partner(l, order);
        if (o->stream != now->c->c.session)
            moment(now, MOMENT_CASCADE_OCO);
    }
    take_off(l, order, o->quantity);
    return NULL;
}

static const char *triggered(struct now *now, const struct sb_output *o, struct ledger_order *order)
{
    if (order->shape != SHAPE_STOP && order->shape != SHAPE_STOP_LIMIT &&
        order->shape != SHAPE_TRAILING)
        return "triggered, and is no stop";
    if (o->quantity != order->open || o->price != order->limit)
        return "triggered with another quantity or price";
    event(now->l, order, EVENT_TRIGGERED);
    now->triggers++;
    if (order->shape != SHAPE_STOP_LIMIT)
        order->tif = SB_TIF_IOC; /* a market order now */
    order->entered = now->l->commands;
    touch(now->l, order);
    return NULL;
}

/* --- matches ------------------------------------------------------------------------------------- */

static bool one_group(const struct ledger_session *a, const struct ledger_session *b)
{
    return a->stp_group != 0 || b->stp_group != 0 ? a->stp_group == b->stp_group
                                                  : a->firm == b->firm;
}

static const char *price_is_right(const struct sb_output *o, const struct ledger_order *order)
{
    const bool sells = sb_side_sells(o->side);
    if (order->limit == 0 || order->where != 0)
        return NULL;
    if (sells ? o->price < order->limit : o->price > order->limit)
        return "traded beyond its limit";
    if (o->liquidity == SB_LIQ_ADDED && order->peg == SB_PEG_NONE && o->price != order->limit)
        return "rested at one price and traded at another";
    return NULL;
}

static const char *filled(struct now *now, const struct sb_output *o, struct ledger_order *order)
{
    static const uint8_t EVENTS_OF[] = {
        ['A'] = EVENT_ADDED, ['R'] = EVENT_REMOVED, ['O'] = EVENT_UNCROSSED};
    struct ledger *l = now->l;
    const char *bad = price_is_right(o, order);
    if (bad != NULL)
        return bad;
    if (o->quantity == 0 || o->quantity > order->open)
        return wrong(l, "executed %u of %" PRIu64, o->quantity, order->open);
    const bool all_or_none = (order->attributes & SB_ATTR_ALL_OR_NONE) != 0;
    if (o->liquidity == SB_LIQ_ADDED &&
        (o->quantity < order->minimum || (all_or_none && o->quantity != order->open)))
        return "a fill below the order's minimum";
    if (o->liquidity == SB_LIQ_OPENING && (all_or_none || order->minimum != 0 || order->peg != 0))
        return "a dark order traded in an auction";
    if (o->liquidity == SB_LIQ_REMOVED && (order->attributes & SB_ATTR_POST_ONLY) != 0 &&
        order->entered == l->commands && now->c->c.kind == SB_CMD_ORDER)
        return "a post-only order took";
    touch(l, order);
    event(l, order, EVENTS_OF[o->liquidity]);
    if (o->liquidity == SB_LIQ_REMOVED && order->peg != 0 && order->entered != l->commands)
        moment(now, MOMENT_REPRICED_TRADE);
    order->executed += o->quantity;
    order->filled += o->quantity;
    take_off(l, order, o->quantity);
    return NULL;
}

static bool feed_tells(const struct now *now, uint32_t k, uint8_t kind,
                       const struct sb_output *like)
{
    const struct sb_output *f = &now->outputs[k];
    return k < now->n && f->kind == kind && f->instrument == like->instrument &&
           f->side == like->side && f->quantity == like->quantity && f->price == like->price &&
           f->match == like->match && (f->ref == like->ref || kind == SB_OUT_F_TRADE);
}

static const char *match(struct now *now, const struct sb_output *first)
{
    struct ledger *l = now->l;
    const struct sb_output *second = first + 1;
    if (now->k + 2 >= now->n || second->kind != SB_OUT_EXECUTED || second->match != first->match ||
        second->quantity != first->quantity || second->price != first->price ||
        second->instrument != first->instrument || ((first->side ^ second->side) & 1u) == 0)
        return "a match whose sides were told different things";
    if (first->match != l->next_match++)
        return "match numbers have a hole";
    const bool auction = first->liquidity == SB_LIQ_OPENING;
    if (auction ? second->liquidity != SB_LIQ_OPENING || (first->side & 1u) != 0 ||
                      !feed_tells(now, now->k + 2, SB_OUT_F_EXECUTED_AT, first) ||
                      !feed_tells(now, now->k + 3, SB_OUT_F_EXECUTED_AT, second)
                : first->liquidity != SB_LIQ_ADDED || second->liquidity != SB_LIQ_REMOVED ||
                      (!feed_tells(now, now->k + 2, SB_OUT_F_EXECUTED, first) &&
                       !feed_tells(now, now->k + 2, SB_OUT_F_TRADE, first)))
        return "a match of which the feed tells something else";
    if (!auction && l->sessions[second->stream].stp != SB_STP_NONE &&
        one_group(&l->sessions[first->stream], &l->sessions[second->stream]))
        return "a trade within a group that prevents it";
    struct ledger_order *a = find(l, first->stream, first->key, first->instrument, first->side);
    struct ledger_order *b = find(l, second->stream, second->key, second->instrument, second->side);
    if (a == NULL || b == NULL)
        return "an order that nobody knows traded";
    const bool buys = (first->side & 1u) == 0;
    now->pair[buys ? 0 : 1] = (uint32_t)(a - l->orders) + 1;
    now->pair[buys ? 1 : 0] = (uint32_t)(b - l->orders) + 1;
    now->pair_rests[buys ? 0 : 1] = true;
    now->pair_rests[buys ? 1 : 0] = auction;
    now->pair_shares += auction ? first->quantity : 0;
    if (l->matching[first->instrument] == SB_MATCH_PRO_RATA && !auction) {
        now->fills_at_price = now->fill_price == first->price ? now->fills_at_price + 1 : 1;
        now->fill_price = first->price;
        if (now->fills_at_price == 2)
            moment(now, MOMENT_PRO_RATA);
        if (now->fills_at_price == SB_PRO_RATA_MAX + 1)
            moment(now, MOMENT_PRO_RATA_PASSES);
    }
    const char *bad = filled(now, first, a);
    return bad != NULL ? bad : filled(now, second, b);
}

static const char *cross(struct now *now, const struct sb_output *o)
{
    static const uint8_t TIES[] = {MOMENT_UNCROSS_PRESSURE, MOMENT_UNCROSS_REFERENCE,
                                   MOMENT_UNCROSS_HIGHEST, MOMENT_UNCROSS_LOWEST};
    if (o->match != now->l->next_match++)
        return "match numbers have a hole";
    if (o->ref != now->pair_shares)
        return "a cross of other shares than were paired";
    now->pair_shares = 0;
    moment(now, TIES[now->l->tie[o->instrument]]);
    if (now->c->c.kind == SB_CMD_TIMER)
        moment(now, MOMENT_RESUMED_CROSSED);
    return NULL;
}

/* --- answers ------------------------------------------------------------------------------------- */

static void count_feed(struct now *now, const struct sb_output *o)
{
    const struct sb_command *c = &now->c->c;
    struct ledger *l = now->l;
    const uint32_t phase = o->side >> SB_OUT_PHASE_SHIFT & 3u, side = o->side & 1u;
    switch (o->kind) {
    case SB_OUT_F_PHASE:
        l->phase[o->instrument] = (uint8_t)phase;
        if (phase == SB_PHASE_AUCTION && c->kind != SB_CMD_PHASE && c->kind != SB_CMD_INSTRUMENT)
            moment(now, MOMENT_PAUSED);
        if (c->kind == SB_CMD_TIMER && phase == SB_PHASE_CONTINUOUS) {
            moment(now, MOMENT_RESUMED);
            now->resumed = o->instrument;
        }
        break;
    case SB_OUT_F_ADD:
        if (now->pair[side] != 0 && now->pair_rests[side] &&
            l->orders[now->pair[side] - 1].sliced && l->orders[now->pair[side] - 1].open != 0)
            event(l, &l->orders[now->pair[side] - 1], EVENT_REFRESHED);
        now->pair[side] = 0;
        break;
    case SB_OUT_F_INDICATIVE:
        moment(now, o->quantity == 0 ? MOMENT_INDICATIVE_NOTHING
                    : o->ref == 0    ? MOMENT_INDICATIVE_EVEN
                    : side == 0      ? MOMENT_INDICATIVE_BUYS
                                     : MOMENT_INDICATIVE_SELLS);
        break;
    case SB_OUT_F_DIRECTORY:
        l->tie[o->instrument] = now->c->ext.instrument.tie;
        l->matching[o->instrument] = now->c->ext.instrument.matching;
        break;
    default:
        break;
    }
}

/* FULL_TERMS, though no table of terms is full: what is there too often? */
static void count_full(struct now *now)
{
    const struct ledger *l = now->l;
    const uint32_t quotes = 2 * l->sessions_max * l->instruments_max, places = 2;
    const union sb_command_ext *x = &now->c->ext;
    if (l->open_n + quotes + places > l->terms_max)
        return;
    if (x->order.peg != SB_PEG_NONE && x->order.min_quantity == 0)
        moment(now, MOMENT_FULL_PEGS);
    if (x->order.peg == SB_PEG_NONE && x->order.type == SB_TYPE_LIMIT)
        moment(now, MOMENT_FULL_MINIMUMS);
}

static void count_answer(struct now *now, const struct sb_output *o)
{
    const struct sb_command *c = &now->c->c;
    struct coverage *v = now->l->coverage;
    if (o->kind == SB_OUT_REJECTED) {
        if (c->kind != SB_CMD_INVALID) /* whose reason is not the engine's */
            v->rejected[o->reason & 63u]++;
        if (c->kind == SB_CMD_ORDER) {
            v->orders[shape_of(now->c)][EVENT_REJECTED]++;
            if (sb_command_ext(c) != NULL && now->c->ext.order.oco_key != 0)
                v->orders[SHAPE_OCO][EVENT_REJECTED]++;
            if (o->reason == SB_REASON_FULL_TERMS)
                count_full(now);
        }
        return;
    }
    v->answered[o->reason & 63u]++;
    if (o->kind == SB_OUT_QUOTED) {
        uint32_t sides = 0;
        for (uint32_t k = 0; k < now->c->ext.quote.count; k++)
            sides += (now->c->ext.quote.entry[k].bid_quantity != 0 ? 1u : 0u) +
                     (now->c->ext.quote.entry[k].ask_quantity != 0 ? 1u : 0u);
        moment(now, o->quantity == 0      ? MOMENT_QUOTED_NONE
                    : o->quantity < sides ? MOMENT_QUOTED_SOME
                                          : MOMENT_QUOTED_ALL);
    } else if (o->kind == SB_OUT_MASS && o->reason == SB_REASON_NONE) {
        if (c->kind == SB_CMD_KILL) {
            moment(now, c->quantity != 0 ? MOMENT_KILL_ON : MOMENT_KILL_OFF);
        } else if (o->quantity != 0) {
            moment(now, MOMENT_MASS_SESSION + c->scope);
            if ((c->flags & SB_CMD_F_ONE_SIDE) != 0)
                moment(now, MOMENT_MASS_ONE_SIDE);
        }
    }
}

/* --- a command ----------------------------------------------------------------------------------- */

static const char *take(struct now *now, const struct sb_output *o)
{
    struct ledger *l = now->l;
    l->coverage->outputs[o->kind & 63u]++;
    if (o->stream == SB_STREAM_FEED) {
        if (o->kind == SB_OUT_F_CROSS)
            return cross(now, o);
        count_feed(now, o);
        return NULL;
    }
    switch (o->kind) {
    case SB_OUT_ACCEPTED:
        return accepted(now, o);
    case SB_OUT_REPLACED:
        return replaced(now, o);
    case SB_OUT_EXECUTED: /* the second of a match has been looked at with the first */
        return o->match == l->next_match - 1 && now->k > 0 &&
                       now->outputs[now->k - 1].kind == SB_OUT_EXECUTED &&
                       now->outputs[now->k - 1].match == o->match
                   ? NULL
                   : match(now, o);
    case SB_OUT_REJECTED:
    case SB_OUT_OPERATOR:
    case SB_OUT_MASS:
    case SB_OUT_QUOTED:
        count_answer(now, o);
        return NULL;
    case SB_OUT_AMENDED:
    case SB_OUT_CANCELED:
    case SB_OUT_TRIGGERED:
        break;
    default:
        return NULL;
    }
    struct ledger_order *order = find(l, o->stream, o->key, o->instrument, o->side);
    if (order == NULL || order->open == 0)
        return "an order that is not open is told of";
    return o->kind == SB_OUT_AMENDED     ? amended(now, o, order)
           : o->kind == SB_OUT_TRIGGERED ? triggered(now, o, order)
                                         : canceled(now, o, order);
}

/* What was quoted, if the command was taken: at most that can trade and be canceled. */
static void add_quotes(struct now *now)
{
    struct ledger *l = now->l;
    const struct sb_command *c = &now->c->c;
    bool taken = false;
    for (uint32_t k = 0; k < now->n && !taken; k++)
        taken = now->outputs[k].kind == SB_OUT_QUOTED;
    for (uint32_t k = 0; taken && k < now->c->ext.quote.count; k++) {
        const struct sb_quote *q = &now->c->ext.quote.entry[k];
        for (uint8_t side = SB_BUY; side <= SB_SELL; side++) {
            const uint32_t quantity = side == SB_BUY ? q->bid_quantity : q->ask_quantity;
            const uint32_t where = where_quoted(q->instrument, side);
            struct ledger_order *o = find_at(l, c->session, c->key, where);
            if (o == NULL)
                o = new_order(l, &(struct ledger_order){.session = c->session,
                                                        .key = c->key,
                                                        .where = where,
                                                        .instrument = q->instrument,
                                                        .side = side,
                                                        .shape = SHAPE_QUOTE});
            o->open += quantity;
        }
    }
}

static const char *settle(struct now *now, const struct ledger_order *o)
{
    const struct ledger *l = now->l;
    const bool now_entered = o->entered == l->commands;
    if (o->partner != 0 && (o->filled != 0 || o->open == 0) && l->orders[o->partner - 1].open != 0)
        return "traded or ended, and its OCO partner is still open";
    if ((o->attributes & SB_ATTR_ALL_OR_NONE) != 0 && o->filled != 0 && o->open != 0)
        return "an all-or-none order traded in part";
    if (o->shape == SHAPE_FOK && now_entered && o->filled != 0 && o->filled != now->c->c.quantity)
        return "a fill-or-kill order traded in part";
    if (now_entered && o->open != 0 &&
        (o->tif == SB_TIF_IOC || o->tif == SB_TIF_FOK || o->shape == SHAPE_MARKET))
        return "an order that cannot rest is still open";
    return NULL;
}

static void define_session(struct ledger *l, const struct sb_command2 *c)
{
    if (c->c.key == 0 || c->c.key > l->sessions_max || l->sessions[c->c.key].defined)
        return;
    struct ledger_session *s = &l->sessions[c->c.key];
    s->defined = true;
    s->firm = c->c.firm;
    s->stp = c->ext.session.stp;
    s->stp_group = c->ext.session.stp_group;
}

const char *ledger_apply(struct ledger *l, const struct sb_command2 *c,
                         const struct sb_output *outputs, uint32_t n, uint32_t *at)
{
    struct now now = {.l = l, .c = c, .outputs = outputs, .n = n};
    l->commands++;
    l->touched_n = 0;
    if (c->c.kind == SB_CMD_QUOTE)
        add_quotes(&now);
    for (uint32_t k = 0; k < n; k++) {
        *at = now.k = k;
        const struct sb_output *o = &outputs[k];
        const bool echoes = o->kind == SB_OUT_OPERATOR || o->kind == SB_OUT_MASS ||
                            o->kind == SB_OUT_QUOTED; /* whatever instrument was named */
        if (o->stream > l->sessions_max || (o->instrument > l->instruments_max && !echoes))
            return "no such stream or instrument";
        if (o->stream_seq != l->sessions[o->stream].next_seq++)
            return "the stream's numbers have a hole";
        if (o->time_ns != c->c.time_ns)
            return "the time is not the command's";
        const char *bad = take(&now, o);
        if (bad != NULL)
            return bad;
    }
    if (now.triggers >= 2)
        moment(&now, now.triggers >= 4 ? MOMENT_TRIGGERS_4 : MOMENT_TRIGGERS_2);
    for (uint32_t k = 0; k < l->touched_n; k++) {
        const char *bad = settle(&now, &l->orders[l->touched[k]]);
        if (bad != NULL)
            return wrong(l, "s%u k%u: %s", l->orders[l->touched[k]].session,
                         l->orders[l->touched[k]].key, bad);
    }
    if (c->c.kind == SB_CMD_SESSION && l->sessions[0].next_seq > 1) /* the day is open */
        define_session(l, c);
    return NULL;
}

/* --- views --------------------------------------------------------------------------------------- */

const char *ledger_view(struct ledger *l, uint32_t instrument, const struct sb_order_view *v,
                        uint32_t *accepted_n)
{
    struct ledger_order *o = find(l, v->session, v->key, instrument, v->side);
    if (o == NULL)
        return wrong(l, "s%u k%u is in a book, and nobody was told so", v->session, v->key);
    const uint64_t open = (uint64_t)v->open + v->reserve;
    if (v->state == SB_STATE_PARKED && o->state != SB_STATE_PARKED)
        event(l, o, EVENT_PARKED);
    o->state = v->state;
    if (o->peg != 0 && v->state == SB_STATE_DARK && v->price != o->seen_price) {
        if (o->seen_price != 0)
            event(l, o, EVENT_REPRICED);
        o->seen_price = v->price;
    }
    if (o->where != 0)
        return open <= o->open
                   ? NULL
                   : wrong(l, "quote s%u k%u: %" PRIu64 " were left of it, %" PRIu64 " are open",
                           v->session, v->key, o->open, open);
    ++*accepted_n;
    if (open != o->open || v->executed != o->executed || v->side != o->side ||
        o->instrument != instrument)
        return wrong(l,
                     "s%u k%u: was told %" PRIu64 " open, %" PRIu64
                     " executed; a view shows %" PRIu64 " and %u",
                     v->session, v->key, o->open, o->executed, open, v->executed);
    return NULL;
}
