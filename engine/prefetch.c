/* prefetch.c: asks for the cache lines that a burst of commands will touch.
 *
 * What a command needs is found by following pointers, and each step waits for the one before it. So the burst is walked
 * once for each step: while one command's line is on its way, those of the others are asked for.
 *
 *     step   an order that comes                         an order that is named (cancel, replace, ...)
 *     1      session, book, bucket of its id              session, bucket of its id
 *     2      bit of its id, level, best level opposite    cell and far bucket
 *     3      orders it will stand behind, or trade with   the order
 *     4                                                   its neighbours, its book
 *     5                                                   its level
 *
 * Nothing here changes or asserts anything: a guess that is wrong (another order's tag, a level outside the window) leads to
 * lines that nobody needs, and to no harm.
 */
#include "engine/book.h"
#include "engine/state.h"

/* Below both the books stay in the cache by themselves, and asking would only cost. */
enum { BURST_MAX = 64, ORDERS_FROM = 32768, INSTRUMENTS_FROM = 1024 };

struct step {
    const struct sb_command *c;
    uint64_t id;
    uint64_t hash;
    const struct sb_order *order; /* named; NULL: not found */
    const struct sb_level *own, *against;
};

static bool names_an_order(const struct sb_command *c)
{
    return c->kind != SB_CMD_ORDER;
}

/* The slot that has the id's tag in one of its two nearest buckets, else 0. The far bucket is there by now. */
static uint32_t guess(const struct sb_ids *t, uint64_t hash)
{
    const struct sb_ids_near *near = sb_ids_near(t, hash);
    uint32_t lanes = sb_ids_match_near(near, hash);
    if (lanes != 0)
        return near->slot[__builtin_ctz(lanes)];
    if (!sb_ids_past(t, hash))
        return 0;
    const struct sb_ids_far *far = sb_ids_far(t, hash, 0);
    lanes = sb_ids_match_far(far, hash);
    return lanes != 0 ? far->slot[__builtin_ctz(lanes)] : 0;
}

/* A client's command of a session that is defined, as far as the tables go. */
static bool is_of_interest(const struct sb_engine *e, const struct sb_command *c)
{
    return c->session != 0 && c->session <= e->limits.sessions_max && c->kind >= SB_CMD_ORDER;
}

static uint32_t begin(const struct sb_engine *e, const struct sb_command *c, uint32_t lines,
                      struct step *steps)
{
    uint32_t n = 0;
    for (uint32_t at = 0; at < lines && n < BURST_MAX; at += sb_command_lines(&c[at])) {
        const struct sb_command *one = &c[at];
        if (!is_of_interest(e, one))
            continue;
        const uint32_t key = one->kind == SB_CMD_REPLACE ? one->orig_key : one->key;
        struct step *s = &steps[n++];
        *s = (struct step){.c = one, .id = sb_order_id(one->session, key)};
        s->hash = sb_ids_hash(&e->orders.ids, s->id);
        __builtin_prefetch(&e->sessions[one->session], 1);
        __builtin_prefetch(sb_ids_near(&e->orders.ids, s->hash), 1);
        if (!names_an_order(one) && one->instrument <= e->limits.instruments_max) {
            const struct sb_book *b = &e->books[one->instrument];
            __builtin_prefetch(b);
            __builtin_prefetch(&b->side[0], 1);
            __builtin_prefetch(&b->side[1], 1);
        }
    }
    return n;
}

static void second(const struct sb_engine *e, struct step *s)
{
    const struct sb_command *c = s->c;
    if (sb_ids_past(&e->orders.ids, s->hash)) {
        if (names_an_order(c)) {
            sb_ids_prefetch_cell(&e->orders.ids, s->hash);
            sb_ids_prefetch_far(&e->orders.ids, s->hash);
        } else { /* he asks for the others when he waits for them (ids.h) */
            sb_ids_prefetch_mark(&e->orders.ids, s->hash);
        }
    }
    if (names_an_order(c) || c->instrument > e->limits.instruments_max || c->price <= 0 ||
        c->price > SB_PRICE_MAX)
        return;
    const struct sb_book *b = &e->books[c->instrument];
    const uint8_t other = c->side ^ 1u;
    s->own = sb_book_level_guess(b, c->side,
                                 sb_book_key(c->side, sb_book_divide(b, (uint32_t)c->price)));
    s->against = sb_book_level_guess(b, other, b->side[other & 1u].best);
    __builtin_prefetch(s->own, 1);
    __builtin_prefetch(s->against, 1);
}

static void third(const struct sb_engine *e, struct step *s)
{
    if (s->own != NULL) {
        __builtin_prefetch(&e->orders.slots[s->own->tail], 1);
        __builtin_prefetch(&e->orders.slots[s->against->head], 1);
        return;
    }
    const uint32_t slot = guess(&e->orders.ids, s->hash);
    if (slot == 0)
        return;
    s->order = &e->orders.slots[slot];
    __builtin_prefetch(s->order, 1);
}

static const struct sb_book *book_of(const struct sb_engine *e, const struct sb_order *o)
{
    const uint32_t instrument = sb_order_instrument(o);
    return &e->books[instrument <= e->limits.instruments_max ? instrument : 0];
}

static void fourth(const struct sb_engine *e, const struct step *s)
{
    if (s->order == NULL)
        return;
    if (s->order->open != 0) { /* a free slot's `next` is no slot */
        __builtin_prefetch(&e->orders.slots[s->order->next], 1);
        __builtin_prefetch(&e->orders.slots[s->order->prev], 1);
    }
    const struct sb_book *b = book_of(e, s->order);
    __builtin_prefetch(b);
    __builtin_prefetch(&b->side[sb_order_book_side(s->order)], 1);
}

static void fifth(const struct sb_engine *e, const struct step *s)
{
    if (s->order != NULL)
        __builtin_prefetch(sb_book_level_guess(book_of(e, s->order),
                                               (uint8_t)sb_order_book_side(s->order),
                                               sb_order_ladder_key(s->order)),
                           1);
}

void sb_engine_prefetch(const struct sb_engine *e, const struct sb_command *first, uint32_t lines)
{
    struct step steps[BURST_MAX];
    if (e->orders.used < ORDERS_FROM && e->instruments < INSTRUMENTS_FROM)
        return;
    const uint32_t n = begin(e, first, lines, steps);
    for (uint32_t i = 0; i < n; i++)
        second(e, &steps[i]);
    for (uint32_t i = 0; i < n; i++)
        third(e, &steps[i]);
    for (uint32_t i = 0; i < n; i++)
        fourth(e, &steps[i]);
    for (uint32_t i = 0; i < n; i++)
        fifth(e, &steps[i]);
}
