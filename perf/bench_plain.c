#include "perf/bench_plain.h"

#include "perf/bench_places.h"
#include "perf/pages.h"
#include "shadowbook/assert.h"

enum {
    TICKS = SB_BENCH_PLAIN_TICKS,
    ORDERS = SB_BENCH_PLAIN_ORDERS,
    WORDS = TICKS / 64,   /* of the map of levels */
    GROUPS = WORDS / 64,  /* of 64 words each */
    REGIONS = GROUPS / 64 /* of 64 groups each */
};

enum { NO_BUY = 0, NO_SELL = TICKS, INSTRUMENT = 1 };

struct order {
    uint64_t id;
    uint32_t next, prev; /* slots in the level's queue, 0 none; next: also of those that are free */
    uint32_t ticks, open, executed;
    uint32_t side;
};
_Static_assert(sizeof(struct order) == 32, "two to a cache line");

struct level {
    uint32_t first, last; /* slots, 0 none */
    uint64_t quantity;
};
_Static_assert(sizeof(struct level) == 16, "four to a cache line");

/* Zeroed it is empty but for what open() sets. */
struct sb_bench_plain {
    struct level levels[TICKS];
    struct order orders[ORDERS + 1]; /* slot 0 is nobody's */
    uint64_t words[WORDS];           /* a bit for each level: is it in use? */
    uint64_t groups[GROUPS];         /* a bit for each word: is it not zero? */
    uint64_t regions[REGIONS];       /* a bit for each group */
    uint32_t best[2];                /* ticks; NO_BUY, NO_SELL */
    uint32_t free, fresh;            /* the last slot given back, 0 none; the next never used */
    uint32_t orders_max;
    struct sb_places ids;
    _Alignas(64) struct sb_place places[];
};

static size_t bytes_of(uint64_t places)
{
    return sizeof(struct sb_bench_plain) + places * sizeof(struct sb_place);
}

struct sb_bench_plain *sb_bench_plain_open(uint32_t orders_max)
{
    SB_ASSERT_LE(orders_max, (uint32_t)ORDERS);
    const uint32_t places = sb_places_for(orders_max);
    struct sb_bench_plain *b = sb_pages_map(bytes_of(places));
    if (b == NULL)
        return NULL;
    sb_pages_touch(b, bytes_of(places));
    b->best[SB_BUY] = NO_BUY;
    b->best[SB_SELL] = NO_SELL;
    b->fresh = 1;
    b->orders_max = orders_max;
    b->ids = (struct sb_places){.place = b->places, .ids = &b->orders[0].id, .mask = places - 1};
    return b;
}

void sb_bench_plain_close(struct sb_bench_plain *b)
{
    if (b != NULL)
        munmap(b, bytes_of((uint64_t)b->ids.mask + 1));
}

/* ---- the bitmaps ---- */

/* The bits of the word that is `bit`'s in a map, above and below it. */
static inline uint64_t bits_above(uint64_t word, uint32_t bit)
{
    return word & ~UINT64_C(1) << bit % 64;
}

static inline uint64_t bits_below(uint64_t word, uint32_t bit)
{
    return word & ((UINT64_C(1) << bit % 64) - 1);
}

static inline uint32_t lowest(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

static inline uint32_t highest(uint64_t word)
{
    return 63 - (uint32_t)__builtin_clzll(word);
}

static inline void mark_used(struct sb_bench_plain *b, uint32_t ticks)
{
    const uint32_t word = ticks / 64, group = word / 64, region = group / 64;
    const uint64_t before = b->words[word], group_before = b->groups[group];
    b->words[word] = before | UINT64_C(1) << ticks % 64;
    if (before != 0)
        return;
    b->groups[group] = group_before | UINT64_C(1) << word % 64;
    if (group_before == 0)
        b->regions[region] |= UINT64_C(1) << group % 64;
}

static inline void mark_empty(struct sb_bench_plain *b, uint32_t ticks)
{
    const uint32_t word = ticks / 64, group = word / 64, region = group / 64;
    b->words[word] &= ~(UINT64_C(1) << ticks % 64);
    if (b->words[word] != 0)
        return;
    b->groups[group] &= ~(UINT64_C(1) << word % 64);
    if (b->groups[group] == 0)
        b->regions[region] &= ~(UINT64_C(1) << group % 64);
}

/* The next level in use in a group above this one, NO_SELL: there is none. */
static uint32_t next_far_above(const struct sb_bench_plain *b, uint32_t group)
{
    uint32_t region = group / 64;
    uint64_t found = bits_above(b->regions[region], group);
    while (found == 0 && ++region < REGIONS)
        found = b->regions[region];
    if (found == 0)
        return NO_SELL;
    group = region * 64 + lowest(found);
    const uint32_t word = group * 64 + lowest(b->groups[group]);
    return word * 64 + lowest(b->words[word]);
}

static uint32_t next_far_below(const struct sb_bench_plain *b, uint32_t group)
{
    uint32_t region = group / 64;
    uint64_t found = bits_below(b->regions[region], group);
    while (found == 0 && region-- > 0)
        found = b->regions[region];
    if (found == 0)
        return NO_BUY;
    group = region * 64 + highest(found);
    const uint32_t word = group * 64 + highest(b->groups[group]);
    return word * 64 + highest(b->words[word]);
}

static inline uint32_t next_above(const struct sb_bench_plain *b, uint32_t ticks)
{
    uint32_t word = ticks / 64;
    const uint64_t near = bits_above(b->words[word], ticks);
    if (near != 0)
        return word * 64 + lowest(near);
    const uint64_t found = bits_above(b->groups[word / 64], word);
    if (found == 0)
        return next_far_above(b, word / 64);
    word = word / 64 * 64 + lowest(found);
    return word * 64 + lowest(b->words[word]);
}

static inline uint32_t next_below(const struct sb_bench_plain *b, uint32_t ticks)
{
    uint32_t word = ticks / 64;
    const uint64_t near = bits_below(b->words[word], ticks);
    if (near != 0)
        return word * 64 + highest(near);
    const uint64_t found = bits_below(b->groups[word / 64], word);
    if (found == 0)
        return next_far_below(b, word / 64);
    word = word / 64 * 64 + highest(found);
    return word * 64 + highest(b->words[word]);
}

/* ---- ids ---- */

/* Place of the resting order with this id, SB_PLACE_NONE: there is none. */
static inline uint32_t find(const struct sb_bench_plain *b, uint64_t id)
{
    return sb_places_find(&b->ids, sizeof(struct order) / sizeof(uint64_t), id);
}

/* ---- orders and queues ---- */

static inline uint32_t take_slot(struct sb_bench_plain *b)
{
    const uint32_t slot = b->free;
    if (slot != 0) {
        b->free = b->orders[slot].next;
        return slot;
    }
    SB_ASSERT_LE(b->fresh, b->orders_max);
    return b->fresh++;
}

static inline void give_slot(struct sb_bench_plain *b, uint32_t slot)
{
    b->orders[slot].next = b->free;
    b->free = slot;
}

/* An order that is on its way in, or again after a modify. */
struct incoming {
    uint64_t id;
    uint32_t ticks, open, executed, side;
};

static inline void open_level(struct sb_bench_plain *b, uint32_t ticks, uint32_t side)
{
    mark_used(b, ticks);
    if (side == SB_SELL ? ticks < b->best[SB_SELL] : ticks > b->best[SB_BUY])
        b->best[side] = ticks;
}

static inline void close_level(struct sb_bench_plain *b, uint32_t ticks, uint32_t side)
{
    mark_empty(b, ticks);
    if (ticks == b->best[side])
        b->best[side] = side == SB_SELL ? next_above(b, ticks) : next_below(b, ticks);
}

/* To the end of the queue. */
static inline void link_in(struct sb_bench_plain *b, uint32_t slot, const struct incoming *in)
{
    struct level *level = &b->levels[in->ticks];
    b->orders[slot] = (struct order){.id = in->id,
                                     .prev = level->last,
                                     .ticks = in->ticks,
                                     .open = in->open,
                                     .executed = in->executed,
                                     .side = in->side};
    if (level->last != 0) {
        b->orders[level->last].next = slot;
    } else {
        level->first = slot;
        open_level(b, in->ticks, in->side);
    }
    level->last = slot;
    level->quantity += in->open;
}

static inline void unlink_out(struct sb_bench_plain *b, const struct order *o)
{
    struct level *level = &b->levels[o->ticks];
    if (o->prev != 0)
        b->orders[o->prev].next = o->next;
    else
        level->first = o->next;
    if (o->next != 0)
        b->orders[o->next].prev = o->prev;
    else
        level->last = o->prev;
    level->quantity -= o->open;
    if (level->first == 0)
        close_level(b, o->ticks, o->side);
}

/* The order is gone from everywhere. */
static inline void drop(struct sb_bench_plain *b, uint32_t slot, uint32_t place)
{
    unlink_out(b, &b->orders[slot]);
    sb_places_clear(&b->ids, place);
    give_slot(b, slot);
}

/* ---- reports ---- */

static inline void report(struct sb_report_ring *ring, uint8_t kind, uint64_t id, uint32_t price,
                          uint32_t quantity, uint32_t side, uint8_t reason)
{
    *sb_report_ring_next(ring) = (struct sb_report){.id = id,
                                                    .price = price,
                                                    .quantity = quantity,
                                                    .instrument = INSTRUMENT,
                                                    .kind = kind,
                                                    .side = (uint8_t)side,
                                                    .reason = reason};
}

static inline void report_trade(struct sb_report_ring *ring, const struct order *maker,
                                uint64_t taker, uint32_t quantity)
{
    *sb_report_ring_next(ring) = (struct sb_report){.id = maker->id,
                                                    .taker = taker,
                                                    .price = maker->ticks * SB_BENCH_TICK,
                                                    .quantity = quantity,
                                                    .instrument = INSTRUMENT,
                                                    .kind = SB_REPORT_TRADE,
                                                    .side = (uint8_t)maker->side};
}

static inline void report_unknown(struct sb_report_ring *ring, uint8_t kind, uint64_t id)
{
    *sb_report_ring_next(ring) =
        (struct sb_report){.id = id, .kind = kind, .reason = SB_REASON_UNKNOWN};
}

/* ---- matching ---- */

static inline bool crosses(const struct sb_bench_plain *b, const struct incoming *in)
{
    return in->side == SB_SELL ? b->best[SB_BUY] >= in->ticks : b->best[SB_SELL] <= in->ticks;
}

/* With the oldest order of the best level. Its slot is not what the table says, though the same: the next trade need not wait
 * for the table's line. */
static inline void trade_once(struct sb_bench_plain *b, struct incoming *in,
                              struct sb_report_ring *ring)
{
    struct level *level = &b->levels[b->best[in->side ^ 1u]];
    const uint32_t slot = level->first;
    struct order *maker = &b->orders[slot];
    const uint32_t quantity = in->open < maker->open ? in->open : maker->open;
    report_trade(ring, maker, in->id, quantity);
    in->open -= quantity;
    in->executed += quantity;
    if (quantity == maker->open) {
        drop(b, slot, find(b, maker->id));
        return;
    }
    maker->open -= quantity;
    maker->executed += quantity;
    level->quantity -= quantity;
}

/* Trades as far as both sides go. What is left of an IOC is canceled; true: something is left to rest. */
static inline bool match(struct sb_bench_plain *b, struct incoming *in, uint8_t tif,
                         struct sb_report_ring *ring)
{
    while (in->open != 0 && crosses(b, in))
        trade_once(b, in, ring);
    if (in->open == 0)
        return false;
    if (tif != SB_TIF_IOC)
        return true;
    report(ring, SB_REPORT_CANCEL_ACK, in->id, 0, in->open, in->side, SB_REASON_IOC);
    return false;
}

/* ---- messages ---- */

/* What is wrong with its price or quantity, NONE: nothing. */
static inline uint8_t refusal(const struct sb_bench_message *m)
{
    if (m->price % SB_BENCH_TICK != 0)
        return SB_REASON_PRICE_TICK;
    if (m->price == 0 || m->price / SB_BENCH_TICK >= TICKS)
        return SB_REASON_PRICE_BAND;
    if (m->quantity == 0 || m->quantity > SB_BENCH_QUANTITY_MAX)
        return SB_REASON_QUANTITY;
    return SB_REASON_NONE;
}

static inline void enter(struct sb_bench_plain *b, const struct sb_bench_message *m,
                         struct sb_report_ring *ring)
{
    struct incoming in = {
        .id = m->id, .ticks = m->price / SB_BENCH_TICK, .open = m->quantity, .side = m->side};
    uint8_t reason = refusal(m);
    if (reason == SB_REASON_NONE && find(b, m->id) != SB_PLACE_NONE)
        reason = SB_REASON_DUPLICATE;
    if (reason != SB_REASON_NONE) {
        report(ring, SB_REPORT_ORDER_REJECT, m->id, 0, 0, m->side, reason);
        return;
    }
    report(ring, SB_REPORT_ORDER_ACK, m->id, m->price, m->quantity, m->side, SB_REASON_NONE);
    if (!match(b, &in, m->tif, ring))
        return;
    const uint32_t slot = take_slot(b);
    link_in(b, slot, &in);
    sb_places_put(&b->ids, m->id, slot);
}

static inline void cancel(struct sb_bench_plain *b, const struct sb_bench_message *m,
                          struct sb_report_ring *ring)
{
    const uint32_t place = find(b, m->id);
    if (place == SB_PLACE_NONE) {
        report_unknown(ring, SB_REPORT_CANCEL_REJECT, m->id);
        return;
    }
    const uint32_t slot = b->places[place].slot;
    const struct order *o = &b->orders[slot];
    report(ring, SB_REPORT_CANCEL_ACK, m->id, 0, o->open, o->side, SB_REASON_USER);
    drop(b, slot, place);
}

static inline void reduce(struct sb_bench_plain *b, const struct sb_bench_message *m,
                          struct sb_report_ring *ring)
{
    const uint32_t place = find(b, m->id);
    if (place == SB_PLACE_NONE) {
        report_unknown(ring, SB_REPORT_CANCEL_REJECT, m->id);
        return;
    }
    const uint32_t slot = b->places[place].slot;
    struct order *o = &b->orders[slot];
    if (m->quantity == 0) {
        report(ring, SB_REPORT_CANCEL_REJECT, m->id, 0, 0, o->side, SB_REASON_QUANTITY);
        return;
    }
    const uint32_t off = m->quantity < o->open ? m->quantity : o->open;
    report(ring, SB_REPORT_CANCEL_ACK, m->id, 0, off, o->side, SB_REASON_USER);
    if (off == o->open) {
        drop(b, slot, place);
        return;
    }
    o->open -= off;
    b->levels[o->ticks].quantity -= off;
}

/* The order with its new details: out of its queue, past the other side, to the end of its new queue. */
static inline void enter_again(struct sb_bench_plain *b, uint32_t slot, struct incoming *in,
                               uint8_t tif, struct sb_report_ring *ring)
{
    unlink_out(b, &b->orders[slot]);
    report(ring, SB_REPORT_MODIFY_ACK, in->id, in->ticks * SB_BENCH_TICK, in->open, in->side,
           SB_REASON_NONE);
    if (match(b, in, tif, ring)) {
        link_in(b, slot, in);
        return;
    }
    sb_places_clear(&b->ids, find(b, in->id)); /* makers that went may have moved it */
    give_slot(b, slot);
}

/* The quantity is meant for the whole life of the order. */
static inline void modify(struct sb_bench_plain *b, const struct sb_bench_message *m,
                          struct sb_report_ring *ring)
{
    const uint32_t place = find(b, m->id);
    if (place == SB_PLACE_NONE) {
        report_unknown(ring, SB_REPORT_MODIFY_REJECT, m->id);
        return;
    }
    const uint32_t slot = b->places[place].slot;
    const struct order *o = &b->orders[slot];
    const uint8_t reason = refusal(m);
    if (reason != SB_REASON_NONE) {
        report(ring, SB_REPORT_MODIFY_REJECT, m->id, 0, 0, o->side, reason);
        return;
    }
    if (m->quantity <= o->executed) {
        report(ring, SB_REPORT_CANCEL_ACK, m->id, 0, o->open, o->side, SB_REASON_USER);
        drop(b, slot, place);
        return;
    }
    struct incoming in = {.id = m->id,
                          .ticks = m->price / SB_BENCH_TICK,
                          .open = m->quantity - o->executed,
                          .executed = o->executed,
                          .side = o->side};
    enter_again(b, slot, &in, m->tif, ring);
}

/* The only caller of all of the above. */
void sb_bench_plain_apply(struct sb_bench_plain *b, const struct sb_bench_message *m,
                          struct sb_report_ring *ring)
{
    if (m->kind == SB_CMD_ORDER)
        enter(b, m, ring);
    else if (m->kind == SB_CMD_CANCEL)
        cancel(b, m, ring);
    else if (m->kind == SB_CMD_REPLACE)
        modify(b, m, ring);
    else
        reduce(b, m, ring);
    sb_report_ring_publish(ring);
}

/* ---- what it serves ---- */

static bool serves(const struct sb_bench_message *m)
{
    const bool priced = m->kind == SB_CMD_ORDER || m->kind == SB_CMD_REPLACE;
    return m->instrument == INSTRUMENT && m->side <= SB_SELL &&
           (!priced || m->price / SB_BENCH_TICK < TICKS);
}

bool sb_bench_plain_serves(const struct sb_bench_message *messages, uint64_t n,
                           const struct sb_bench_sizes *sizes)
{
    bool good = sizes->limits.instruments_max == 1 && sizes->open_most <= ORDERS &&
                sizes->open_most < sizes->limits.orders_max; /* else some may have been refused */
    for (uint64_t i = 0; good && i < n; i++)
        good = serves(&messages[i]);
    return good;
}
