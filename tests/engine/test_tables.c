/* The ladder, the orders and the table of ids by themselves, against plain arrays, under a seeded random flow. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ladder.h"
#include "engine/orders.h"
#include "engine/verify.h"

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

enum { MODEL_KEYS = 3000 };

/* Model: which keys are in use, at keys that are dense, then sparse, then extreme. */
static uint32_t model_key(uint32_t i, uint32_t shape, uint32_t apart)
{
    if (shape == 0)
        return 5000 + i * apart;
    if (shape == 1)
        return i * 715827u; /* up to the largest key */
    return SB_KEY_MAX - i * (i % 7);
}

static void check_walk(const struct sb_ladder *l, const struct sb_levels *levels,
                       const uint32_t *used_sorted, uint32_t n)
{
    struct sb_ladder_cursor c;
    uint32_t at = 0;
    for (sb_ladder_first(l, levels, &c); c.level != NULL; sb_ladder_next(l, levels, &c)) {
        ck_assert_uint_lt(at, n);
        ck_assert_uint_eq(c.key, used_sorted[at]);
        ck_assert_uint_eq(c.level->quantity, used_sorted[at] + UINT64_C(1));
        at++;
    }
    ck_assert_uint_eq(at, n);
}

/* A ladder of a window, and the levels of a pool with room for `max`. */
struct rig {
    struct sb_ladder l;
    struct sb_levels levels;
    void *pool, *dense, *words;
};

static void rig_open(struct rig *r, uint32_t window, uint32_t max)
{
    const size_t bytes = (sb_tail_pool_bytes(max) + 63u) & ~(size_t)63u;
    r->pool = aligned_alloc(64, bytes);
    r->dense = calloc(window, sizeof(struct sb_level));
    r->words = calloc(sb_ladder_words(window), sizeof(uint64_t));
    memset(r->pool, 0, bytes);
    r->levels = (struct sb_levels){.max = max, .counted = true};
    sb_tail_pool_init(&r->levels.pool, max, r->pool);
    sb_ladder_init(&r->l, window, r->dense, r->words);
}

static void rig_close(struct rig *r)
{
    free(r->pool);
    free(r->dense);
    free(r->words);
}

/* As the book does: a level is in use from its first order to its last. */
static void rig_insert(struct rig *r, uint32_t key)
{
    struct sb_level *level = sb_ladder_insert(&r->l, &r->levels, key, 1);
    ck_assert_uint_eq(level->head, 0);
    ck_assert_uint_eq(level->quantity, 0);
    *level = (struct sb_level){.head = 1, .quantity = key + UINT64_C(1)};
    ck_assert_ptr_eq(sb_ladder_insert(&r->l, &r->levels, key, 1), level);
}

static void rig_erase(struct rig *r, uint32_t key)
{
    struct sb_level *level = sb_ladder_find(&r->l, &r->levels, key);
    level->head = 0;
    sb_ladder_erase(&r->l, &r->levels, key, level);
    ck_assert_ptr_null(sb_ladder_find(&r->l, &r->levels, key));
}

static int by_key(const void *x, const void *y)
{
    const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The window's bitmaps say what the levels say. */
static void check_bits(const struct sb_ladder *l)
{
    uint32_t n = 0;
    for (uint32_t place = 0; place <= l->mask; place++) {
        const bool used = (l->words[place / 64] >> place % 64 & 1u) != 0;
        ck_assert_int_eq(used, l->levels[place].head != 0);
        n += used;
    }
    for (uint32_t word = 0; word <= l->mask / 64; word++)
        ck_assert_int_eq((sb_ladder_groups(l)[word / 64] >> word % 64 & 1u) != 0,
                         l->words[word] != 0);
    for (uint32_t group = 0; group < 64; group++)
        ck_assert_int_eq((l->top >> group & 1u) != 0,
                         group * SB_LADDER_GROUP <= l->mask && sb_ladder_groups(l)[group] != 0);
    ck_assert_uint_eq(sb_ladder_dense(l), n);
}

START_TEST(ladder_keeps_order)
{
    static const uint32_t windows[] = {64, 128, 512, 16384};
    static uint32_t used[MODEL_KEYS];
    struct rig r;
    uint32_t n = 0, moves = 0;
    uint64_t random = (uint64_t)_i + 1;
    const uint32_t window = windows[_i / 3], apart = 1 + window / 500;
    rig_open(&r, window, MODEL_KEYS);
    for (uint32_t step = 0; step < 8000; step++) {
        /* Mostly near a centre that wanders, so that the window has to follow; fills, then drains. */
        const uint32_t near = (step / 16 + next_random(&random) % 40) % MODEL_KEYS;
        const uint32_t i = next_random(&random) % 4 == 0 ? next_random(&random) % MODEL_KEYS : near;
        const uint32_t key = model_key(i, (uint32_t)_i % 3, apart), base = r.l.base;
        uint32_t at = 0;
        while (at < n && used[at] != key)
            at++;
        ck_assert_int_eq(sb_ladder_find(&r.l, &r.levels, key) != NULL, at < n);
        const bool draining = step / 2000 % 2 == 1;
        if (at == n && (!draining || next_random(&random) % 4 == 0)) {
            rig_insert(&r, key);
            used[n++] = key;
        } else if (n > 0) {
            /* What is there; while draining, the best one or another. */
            at = at < n ? at : next_random(&random) % n;
            for (uint32_t j = 0; step % 3 == 0 && j < n; j++)
                at = used[j] < used[at] ? j : at;
            rig_erase(&r, used[at]);
            used[at] = used[--n];
        }
        moves += r.l.base != base;
        ck_assert_uint_eq(r.levels.used, n);
        uint32_t best = SB_KEY_NONE;
        for (uint32_t j = 0; j < n; j++)
            best = used[j] < best ? used[j] : best;
        ck_assert_uint_eq(r.l.best, best);
        if (step % 256 == 0) {
            qsort(used, n, sizeof *used, by_key);
            check_walk(&r.l, &r.levels, used, n);
            check_bits(&r.l);
        }
    }
    ck_assert_uint_lt(2, moves);
    rig_close(&r);
}
END_TEST

/* One order that never leaves must not pin the window to where the market once was. */
START_TEST(window_follows_the_best)
{
    struct rig r;
    rig_open(&r, 64, 8);
    for (uint32_t i = 0; i < 4; i++)
        rig_insert(&r, 1000000 + i);
    rig_insert(&r, 500000); /* outside: one, and the window holds four */
    ck_assert(!sb_ladder_in_window(&r.l, 500000));
    rig_erase(&r, 500000);
    rig_insert(&r, 500000);
    ck_assert(sb_ladder_in_window(&r.l, 500000));
    ck_assert(!sb_ladder_in_window(&r.l, 1000000));
    ck_assert_uint_eq(r.l.best, 500000);
    /* Worse levels, however many, leave it where it is. */
    const uint32_t base = r.l.base;
    rig_insert(&r, 499995); /* better, and in the window */
    for (uint32_t i = 0; i < 1000; i++) {
        rig_insert(&r, 2000000 + i);
        rig_erase(&r, 2000000 + i);
    }
    ck_assert_uint_eq(r.l.base, base);
    rig_erase(&r, 499995);
    rig_erase(&r, 500000);
    ck_assert_uint_eq(r.l.best, 1000000);
    rig_insert(&r, 2000000); /* empty: it comes at once */
    ck_assert(sb_ladder_in_window(&r.l, 1000000));
    rig_close(&r);
}
END_TEST

/* A window full of levels is put away and comes back, with what is in them. */
START_TEST(full_window_moves)
{
    enum { WINDOW = 256 };
    struct rig r;
    rig_open(&r, WINDOW, 4 * WINDOW);
    static uint32_t keys[4 * WINDOW];
    uint32_t n = 0;
    for (uint32_t i = 0; i < 4 * WINDOW; i++) { /* each better than all before */
        keys[n++] = SB_KEY_MAX - i;
        rig_insert(&r, SB_KEY_MAX - i);
    }
    qsort(keys, n, sizeof *keys, by_key);
    check_walk(&r.l, &r.levels, keys, n);
    check_bits(&r.l);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(r.l.best, keys[i]);
        rig_erase(&r, keys[i]);
    }
    ck_assert_uint_eq(r.l.best, SB_KEY_NONE);
    ck_assert_uint_eq(r.levels.used, 0);
    check_bits(&r.l);
    rig_close(&r);
}
END_TEST

/* ---- levels and the orders that opened them ---- */

enum { CROWD_LADDERS = 3, CROWD_SLOTS = 120, CROWD_KEYS = 600, CROWD_WINDOW = 64 };

struct crowd {
    struct rig r; /* its ladder is the first */
    struct sb_ladder *ladders[CROWD_LADDERS], more[CROWD_LADDERS - 1];
    uint32_t of[CROWD_SLOTS + 1];  /* ladder of the order in a slot */
    uint32_t key[CROWD_SLOTS + 1]; /* its key, 0: free */
    uint32_t direct, stale,
        other; /* far orders whose own leaf is their level's, is free, is another's */
};

static uint64_t level_name(uint32_t ladder, uint32_t key)
{
    return (uint64_t)(ladder + 1) << 32 | key;
}

/* Another order on the level than this one, 0: none. */
static uint32_t fellow(const struct crowd *c, uint32_t slot)
{
    for (uint32_t i = 1; i <= CROWD_SLOTS; i++)
        if (i != slot && c->key[i] == c->key[slot] && c->of[i] == c->of[slot])
            return i;
    return 0;
}

static void crowd_add(struct crowd *c, uint32_t slot, uint32_t ladder, uint32_t key)
{
    c->of[slot] = ladder;
    c->key[slot] = key;
    struct sb_level *level = sb_ladder_insert(c->ladders[ladder], &c->r.levels, key, slot);
    if (fellow(c, slot) != 0) {
        ck_assert(level->quantity == level_name(ladder, key));
        return;
    }
    ck_assert_uint_eq(level->head, 0);
    *level = (struct sb_level){.head = slot, .quantity = level_name(ladder, key)};
}

static void crowd_take(struct crowd *c, uint32_t slot)
{
    struct sb_ladder *l = c->ladders[c->of[slot]];
    struct sb_level *level = sb_ladder_find_of(l, &c->r.levels, c->key[slot], slot);
    level->head = fellow(c, slot);
    if (level->head == 0)
        sb_ladder_erase(l, &c->r.levels, c->key[slot], level);
    c->key[slot] = 0;
}

/* Every order finds its level; nobody finds one with a slot and a key that no order has. */
static void crowd_check(struct crowd *c, uint64_t *random)
{
    for (uint32_t slot = 1; slot <= CROWD_SLOTS; slot++) {
        const uint32_t key = c->key[slot] != 0 ? c->key[slot] : next_random(random) % CROWD_KEYS;
        for (uint32_t ladder = 0; ladder < CROWD_LADDERS; ladder++) {
            const struct sb_ladder *l = c->ladders[ladder];
            bool there = false;
            for (uint32_t i = 1; i <= CROWD_SLOTS; i++)
                there = there || (key != 0 && c->key[i] == key && c->of[i] == ladder);
            const struct sb_level *level = sb_ladder_find_of(l, &c->r.levels, key, slot);
            ck_assert_int_eq(level != NULL, there);
            ck_assert(!there || level->quantity == level_name(ladder, key));
            if (c->key[slot] == 0 || c->of[slot] != ladder || sb_ladder_in_window(l, key))
                continue;
            const bool own = sb_tail_is(&l->tail, &c->r.levels.pool, slot, key);
            const bool free =
                slot <= c->r.levels.pool.capacity && c->r.levels.pool.leaves[slot].tail == NULL;
            c->direct += own;
            c->stale += !own && free;
            c->other += !own && !free;
        }
    }
}

/* Ladders that share a pool and have the same keys; orders that open levels and leave them to others, whose slots other orders
 * take; windows that move, so that levels go into the tail and come back. */
START_TEST(orders_find_their_levels)
{
    static struct crowd c;
    memset(&c, 0, sizeof c);
    uint64_t random = 11 + (uint64_t)_i;
    uint32_t moves = 0;
    /* Fewer levels than slots: some slots have no leaf of their number. */
    rig_open(&c.r, CROWD_WINDOW, CROWD_SLOTS - 20);
    void *dense[CROWD_LADDERS - 1], *words[CROWD_LADDERS - 1];
    c.ladders[0] = &c.r.l;
    for (uint32_t i = 0; i + 1 < CROWD_LADDERS; i++) {
        dense[i] = calloc(CROWD_WINDOW, sizeof(struct sb_level));
        words[i] = calloc(sb_ladder_words(CROWD_WINDOW), sizeof(uint64_t));
        sb_ladder_init(&c.more[i], CROWD_WINDOW, dense[i], words[i]);
        c.ladders[i + 1] = &c.more[i];
    }
    for (uint32_t step = 0; step < 20000; step++) {
        const uint32_t slot = 1 + next_random(&random) % CROWD_SLOTS;
        const uint32_t ladder = next_random(&random) % CROWD_LADDERS;
        /* The middle goes to and fro. */
        const uint32_t phase = step / 8 % 1000, middle = phase < 500 ? phase : 1000 - phase;
        const uint32_t base = c.ladders[ladder]->base;
        const bool anywhere = next_random(&random) % 3 == 0;
        const uint32_t key =
            1 + (anywhere ? next_random(&random) % CROWD_KEYS : middle + next_random(&random) % 30);
        if (c.key[slot] != 0)
            crowd_take(&c, slot);
        else if (c.r.levels.used < c.r.levels.max)
            crowd_add(&c, slot, ladder, key);
        moves += c.ladders[ladder]->base != base;
        if (step % 64 == 0)
            crowd_check(&c, &random);
    }
    ck_assert_uint_gt(moves, 50);
    ck_assert_uint_gt(c.direct, 1000);
    ck_assert_uint_gt(c.stale, 1000);
    ck_assert_uint_gt(c.other, 1000);
    for (uint32_t slot = 1; slot <= CROWD_SLOTS; slot++)
        if (c.key[slot] != 0)
            crowd_take(&c, slot);
    ck_assert_uint_eq(c.r.levels.used, 0);
    ck_assert_uint_eq(c.r.levels.pool.used, 0);
    for (uint32_t i = 0; i + 1 < CROWD_LADDERS; i++) {
        free(dense[i]);
        free(words[i]);
    }
    rig_close(&c.r);
}
END_TEST

/* From one word of the bitmap to all there can be, with the window at and around the array's end. */
START_TEST(ladder_finds_across_bitmap_words)
{
    static const uint32_t windows[] = {64, 128, 1024, 4096, 8192, SB_LADDER_WINDOW_MAX};
    const uint32_t window = windows[_i % 6];
    const uint32_t start = 1000000u / window * window + (uint32_t)_i / 6 * (window / 8 + 5);
    struct rig r;
    uint32_t keys[64], n = 0;
    rig_open(&r, window, 65);
    rig_insert(&r, start + window / 2); /* the base is at start */
    ck_assert_uint_eq(r.l.base, start);
    for (uint32_t i = 0; i < 64; i++)
        keys[n++] = start + i * (window / 64) + (i + 1) % 3 * (window / 129);
    for (uint32_t i = 0; i < n; i++)
        if (keys[i] != start + window / 2)
            rig_insert(&r, keys[i]);
    qsort(keys, n, sizeof *keys, by_key);
    check_walk(&r.l, &r.levels, keys, n);
    ck_assert_uint_eq(sb_ladder_dense(&r.l), n);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(r.l.best, keys[i]);
        rig_erase(&r, keys[i]);
    }
    ck_assert_uint_eq(r.l.best, SB_KEY_NONE);
    check_bits(&r.l);
    rig_close(&r);
}
END_TEST

/* The orders' pool and the table of their ids. */
struct pool {
    struct sb_orders t;
    struct sb_order *slots;
    struct sb_order_beside *beside;
    struct sb_ids_near *near;
    struct sb_ids_far *far;
    struct sb_ids_node *nodes;
    uint8_t *cells;
};

static void *zeroed(size_t n, size_t bytes)
{
    const size_t all = (n * bytes + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, all);
    ck_assert_ptr_nonnull(memory);
    return memset(memory, 0, all);
}

static void pool_open(struct pool *p, uint32_t max, uint64_t seed)
{
    p->slots = zeroed(max + 1, sizeof *p->slots);
    p->beside = zeroed(max + 1, sizeof *p->beside);
    p->near = zeroed(sb_ids_near_n(max), sizeof *p->near);
    p->far = zeroed(sb_ids_far_n(max), sizeof *p->far);
    p->nodes = zeroed(sb_ids_nodes_n(max), sizeof *p->nodes);
    p->cells = zeroed(sb_ids_cells_n(max), 1);
    sb_orders_init(&p->t, max, p->slots, p->beside);
    sb_ids_init(&p->t.ids, max, p->near, p->far, p->nodes, p->cells);
    sb_ids_seed(&p->t.ids, seed);
    ck_assert(sb_ids_blank(&p->t.ids));
}

static void pool_close(struct pool *p)
{
    free(p->slots);
    free(p->beside);
    free(p->near);
    free(p->cells);
    free(p->far);
    free(p->nodes);
}

static uint64_t next_random_64(uint64_t *random)
{
    const uint64_t high = next_random(random);
    return high << 33 ^ next_random(random);
}

/* Ids of several shapes: random, a session's keys that rise, few bits set, the largest. */
static uint64_t some_id(uint64_t *random, uint32_t shape, uint32_t i)
{
    if (shape == 0)
        return next_random_64(random);
    if (shape == 1)
        return UINT64_C(7) << 32 | i;
    if (shape == 2)
        return (UINT64_C(1) << i % 64) * (i / 64);
    return UINT64_MAX - i;
}

/* Two ways to the same: by looks of their own, or in one look. */
static uint32_t pool_add(struct pool *p, uint64_t id, bool one_look)
{
    if (!one_look)
        return sb_orders_add(&p->t, id, 1, 0, sb_order_meta(1, 1, 0));
    const uint32_t slot = sb_orders_next(&p->t);
    ck_assert(sb_ids_enter(&p->t.ids, p->slots, id, slot));
    ck_assert_uint_eq(sb_orders_take(&p->t), slot);
    p->slots[slot] = (struct sb_order){.id = id, .open = 1, .meta = sb_order_meta(1, 1, 0)};
    return slot;
}

static void pool_drop(struct pool *p, uint32_t slot, bool one_look)
{
    if (!one_look) {
        sb_orders_drop(&p->t, slot);
        return;
    }
    ck_assert_uint_eq(sb_ids_leave(&p->t.ids, p->slots, p->slots[slot].id), slot);
    sb_orders_give(&p->t, &p->t.slots[slot]);
}

/* More orders than there are low slots: they are taken in turn, and whoever comes when some of them have gone gets a low slot as
 * long as one is free, whichever went last. All are found. */
START_TEST(low_slots_first)
{
    enum { MAX = SB_IDS_NEAR_SLOTS + 3000, GO = 7 };
    struct pool p;
    uint64_t random = 5 + (uint64_t)_i;
    uint32_t low = 0, high = 0;
    pool_open(&p, MAX, 3);
    for (uint32_t i = 1; i <= MAX; i++)
        ck_assert_uint_eq(pool_add(&p, next_random_64(&random), _i == 0), i);
    sb_orders_verify(&p.t);
    for (uint32_t slot = 1 + (uint32_t)_i; slot <= MAX; slot += GO) {
        pool_drop(&p, slot, _i == 0);
        *(slot < SB_IDS_NEAR_SLOTS ? &low : &high) += 1;
    }
    ck_assert(low != 0 && high != 0);
    sb_orders_verify(&p.t);
    for (uint32_t i = 0; i < low + high; i++) {
        const uint64_t id = next_random_64(&random);
        const uint32_t slot = pool_add(&p, id, _i == 0);
        ck_assert_int_eq(slot < SB_IDS_NEAR_SLOTS, i < low);
        ck_assert_uint_eq(sb_orders_find(&p.t, id), slot);
    }
    sb_orders_verify(&p.t);
    ck_assert_uint_eq(p.t.used, MAX);
    for (uint32_t slot = MAX; slot > 0; slot--)
        pool_drop(&p, slot, _i == 0);
    ck_assert(sb_ids_blank(&p.t.ids));
    sb_orders_verify(&p.t);
    pool_close(&p);
}
END_TEST

/* Full to the last slot, then near that for good, every order found at every time; then empty as it was at first. */
START_TEST(orders_are_found)
{
    enum { MAX = 300, STEPS = 40000 };
    struct pool p;
    uint32_t live[MAX], n = 0;
    uint64_t random = 7 + (uint64_t)_i;
    pool_open(&p, MAX, (uint64_t)_i * 12345);
    for (uint32_t step = 0; step < STEPS; step++) {
        if (n < MAX && (n < MAX - 8 || next_random(&random) % 2 == 0)) {
            const uint64_t id = some_id(&random, (uint32_t)_i, step);
            if (sb_orders_find(&p.t, id) != 0)
                continue;
            const uint32_t slot = pool_add(&p, id, next_random(&random) % 2 == 0);
            ck_assert(slot != 0 && slot <= MAX);
            ck_assert_uint_eq(sb_orders_executed(&p.t, slot), 0); /* not of who was there before */
            ck_assert_uint_eq(sb_orders_extra(&p.t, slot), 0);
            sb_orders_set_executed(&p.t, slot, (uint32_t)id);
            live[n++] = slot;
        } else {
            const uint32_t at = next_random(&random) % n;
            const uint64_t id = p.slots[live[at]].id;
            pool_drop(&p, live[at], next_random(&random) % 2 == 0);
            ck_assert_uint_eq(sb_orders_find(&p.t, id), 0);
            live[at] = live[--n];
        }
        ck_assert_uint_eq(p.t.used, n);
        if (step % 64 == 0)
            sb_orders_verify(&p.t);
        if (step % 64 == 0)
            for (uint32_t i = 0; i < n; i++) {
                const struct sb_order *o = &p.slots[live[i]];
                ck_assert_uint_eq(sb_orders_find(&p.t, o->id), live[i]);
                ck_assert_uint_eq(sb_orders_executed(&p.t, live[i]), (uint32_t)o->id);
            }
    }
    while (n > 0)
        sb_orders_drop(&p.t, live[--n]);
    ck_assert(sb_ids_blank(&p.t.ids));
    pool_close(&p);
}
END_TEST

/* A live id is not entered again, one that is not live does not leave: nothing changes. */
static void check_refusals(struct pool *p, uint64_t id, uint32_t slot)
{
    const size_t near_bytes = sb_ids_near_n(p->t.max) * sizeof *p->near;
    const size_t far_bytes = sb_ids_far_n(p->t.max) * sizeof *p->far;
    static unsigned char near[16 * 64], far[16 * 64];
    sb_ids_settle(&p->t.ids, p->slots);
    const struct sb_ids before = p->t.ids;
    ck_assert(near_bytes <= sizeof near && far_bytes <= sizeof far);
    memcpy(near, p->near, near_bytes);
    memcpy(far, p->far, far_bytes);
    if (slot != 0)
        ck_assert(!sb_ids_enter(&p->t.ids, p->slots, id, p->t.free));
    else
        ck_assert_uint_eq(sb_ids_leave(&p->t.ids, p->slots, id), 0);
    ck_assert_mem_eq(p->near, near, near_bytes);
    ck_assert_mem_eq(p->far, far, far_bytes);
    ck_assert_mem_eq(&p->t.ids, &before, sizeof before);
}

/* Ids that share all their buckets: the tree has what these cannot hold, and everything is found in whatever order it
 * came and leaves. A stranger who hashes there is looked for in the tree, and not found. */
START_TEST(ids_collide_everywhere)
{
    enum { MAX = 64, ALL = MAX + 1 };
    struct pool p;
    uint64_t ids[ALL], random = 3 + (uint64_t)_i;
    uint32_t slots[ALL] = {0}, n = 0;
    pool_open(&p, MAX, 99);
    const struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < ALL; id += n % 2 == 0 ? 1 : UINT64_C(0x123456789)) {
        const uint64_t h = sb_ids_hash(t, id);
        bool known = false;
        for (uint32_t i = 0; i < n; i++)
            known = known || ids[i] == id;
        if (!known && sb_ids_near(t, h) == p.near && sb_ids_far(t, h, 0) == p.far &&
            sb_ids_far(t, h, 1) == p.far + 1)
            ids[n++] = id;
    }
    for (uint32_t round = 0; round < 2000; round++) {
        const uint32_t at = next_random(&random) % MAX;
        if (slots[at] == 0) {
            slots[at] = pool_add(&p, ids[at], next_random(&random) % 2 == 0);
        } else if (round < 1000 && round % 3 != 0) { /* mostly full, then thinner */
            continue;
        } else {
            pool_drop(&p, slots[at], next_random(&random) % 2 == 0);
            slots[at] = 0;
        }
        for (uint32_t i = 0; i < ALL; i++)
            check_refusals(&p, ids[i], slots[i]);
        for (uint32_t i = 0; i < ALL; i++)
            ck_assert_uint_eq(sb_orders_find(&p.t, ids[i]), slots[i]);
        ck_assert(p.t.used <= SB_IDS_NEAR_LANES + 2 * SB_IDS_FAR_LANES || t->root != 0);
        sb_orders_verify(&p.t);
    }
    for (uint32_t i = 0; i < MAX; i++)
        if (slots[i] == 0)
            slots[i] = pool_add(&p, ids[i], i % 2 == 0);
    ck_assert_uint_eq(p.t.used, MAX);
    for (uint32_t i = 0; i < MAX; i++)
        pool_drop(&p, slots[_i % 2 == 0 ? i : MAX - 1 - i], i % 3 == 0);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* The lane of a near bucket in which a slot lives, SB_IDS_NEAR_LANES: in none. */
static uint32_t lane_of(const struct sb_ids_near *b, uint32_t slot)
{
    uint32_t lane = 0;
    while (lane < SB_IDS_NEAR_LANES && (b->tag[lane] == 0 || b->slot[lane] != slot))
        lane++;
    return lane;
}

/* Ids of one bucket and one home: the first is at home, the next in the last lanes, which are nobody's home, and then downwards. Who
 * comes when home is free again is there. All are found, by each of the ways. */
START_TEST(home_first)
{
    enum { N = SB_IDS_NEAR_LANES, HOME = 5 };
    static const uint32_t lanes[N] = {HOME, 14, 13, 12, 11, 10, 9, 8, 7, 6, 4, 3, 2, 1, 0};
    struct pool p;
    uint64_t ids[N];
    uint32_t slots[N], n = 0;
    pool_open(&p, 64, 7);
    const struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < N; id++)
        if (sb_ids_near(t, sb_ids_hash(t, id)) == p.near && sb_ids_home(sb_ids_hash(t, id)) == HOME)
            ids[n++] = id;
    for (uint32_t i = 0; i < N; i++) {
        slots[i] = pool_add(&p, ids[i], (i + (uint32_t)_i) % 2 == 0);
        ck_assert_uint_eq(lane_of(p.near, slots[i]), lanes[i]);
    }
    for (uint32_t i = 0; i < N; i++) {
        uint32_t slot = 0;
        ck_assert_ptr_eq(sb_ids_look_near(t, p.slots, ids[i], &slot), &p.near->tag[lanes[i]]);
        ck_assert_uint_eq(slot, slots[i]);
        ck_assert_uint_eq(sb_orders_find(&p.t, ids[i]), slots[i]);
    }
    pool_drop(&p, slots[3], _i == 0);
    pool_drop(&p, slots[0], _i == 0);
    slots[3] = pool_add(&p, ids[3], _i == 0);
    ck_assert_uint_eq(lane_of(p.near, slots[3]), HOME);
    for (uint32_t i = 1; i < N; i++)
        pool_drop(&p, slots[i], (i + (uint32_t)_i) % 2 == 0);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* 27 ids that share all buckets, in one look each: which bucket has how many, and how many went past it. */
START_TEST(buckets_fill_in_turn)
{
    enum { N = SB_IDS_NEAR_LANES + SB_IDS_FAR_LANES + 2 };
    struct pool p;
    uint64_t ids[N];
    uint32_t slots[N], n = 0;
    pool_open(&p, 64, 5);
    const struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < N; id++) {
        const uint64_t h = sb_ids_hash(t, id);
        if (sb_ids_near(t, h) == p.near + 3 && sb_ids_far(t, h, 0) == p.far + 2 &&
            sb_ids_far(t, h, 1) == p.far + 5)
            ids[n++] = id;
    }
    for (uint32_t i = 0; i < N; i++) {
        slots[i] = pool_add(&p, ids[i], true);
        sb_ids_settle(t, p.slots);
        const uint32_t so_far = i + 1;
        ck_assert_uint_eq(p.near[3].more, so_far > 15 ? so_far - 15 : 0);
        ck_assert_uint_eq(p.far[2].more, so_far > 25 ? so_far - 25 : 0);
        ck_assert_uint_eq(p.far[5].more, 0);
    }
    const uint32_t lane = lane_of(&p.near[3], slots[4]);
    pool_drop(&p, slots[4], true); /* of the near bucket: a place that the next one takes */
    ck_assert_uint_eq(p.near[3].more, 12);
    slots[4] = pool_add(&p, ids[4], true);
    ck_assert_uint_eq(p.near[3].more, 12);
    ck_assert_uint_eq(lane_of(&p.near[3], slots[4]), lane);
    pool_drop(&p, slots[20], true); /* of the first far bucket */
    ck_assert_uint_eq(p.near[3].more, 11);
    ck_assert_uint_eq(p.far[2].more, 2);
    pool_drop(&p, slots[26], true); /* of the second */
    ck_assert_uint_eq(p.near[3].more, 10);
    ck_assert_uint_eq(p.far[2].more, 1);
    for (uint32_t i = 0; i < N; i++)
        if (i != 20 && i != 26)
            pool_drop(&p, slots[i], true);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

static uint32_t cell_of(const struct sb_ids *t, uint64_t id)
{
    uint32_t up;
    const uint8_t *cell = sb_ids_cell(t, sb_ids_hash(t, id), &up);
    return *cell >> up & 15u;
}

/* Ids of one near bucket, which those before them fill: they wait, are counted, found and refused meanwhile, and are put in their
 * buckets before the ninth waits, or before somebody looks who cannot know better: not who asks for an id whose cell is 0. */
START_TEST(they_wait)
{
    enum { FIRST = SB_IDS_NEAR_LANES, WAIT = SB_IDS_WAIT_MOST, ALL = FIRST + WAIT + 1 };
    struct pool p;
    uint64_t ids[ALL], like = 0, unlike = 0;
    uint32_t slots[ALL], n = 0;
    pool_open(&p, 64, 11);
    struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < ALL || like == 0 || unlike == 0; id++) {
        if (sb_ids_near(t, sb_ids_hash(t, id)) != p.near)
            continue;
        uint32_t up[2];
        const uint8_t *cell = sb_ids_cell(t, sb_ids_hash(t, id), &up[0]);
        bool shared = false;
        for (uint32_t i = FIRST; i < n; i++)
            shared = shared ||
                     (sb_ids_cell(t, sb_ids_hash(t, ids[i]), &up[1]) == cell && up[0] == up[1]);
        if (!shared && n < ALL)
            ids[n++] = id;
        else if (n == ALL)
            *(shared ? &like : &unlike) = id;
    }
    for (uint32_t i = 0; i < FIRST + WAIT; i++)
        slots[i] = pool_add(&p, ids[i], i % 2 == 0);
    ck_assert_uint_eq(t->waiting, WAIT);
    ck_assert_uint_eq(p.near->more, WAIT);
    for (uint32_t i = FIRST; i < ALL; i++)
        ck_assert_uint_eq(cell_of(t, ids[i]), i < FIRST + WAIT);
    ck_assert(!sb_orders_live(&p.t, unlike) && sb_orders_live(&p.t, ids[0]));
    ck_assert_uint_eq(sb_orders_find(&p.t, ids[0]), slots[0]);
    ck_assert_uint_eq(t->waiting, WAIT);
    if (_i == 0) {
        ck_assert(!sb_orders_live(&p.t, like));
    } else if (_i == 1) {
        ck_assert(!sb_ids_enter(t, p.slots, ids[FIRST + 3], p.t.free));
    } else if (_i == 2) {
        pool_drop(&p, slots[FIRST + 3], true);
        slots[FIRST + 3] = 0;
    } else if (_i == 3) {
        pool_drop(&p, slots[FIRST + 3], false);
        slots[FIRST + 3] = 0;
    }
    ck_assert_uint_eq(t->waiting, _i == 4 ? WAIT : 0);
    slots[ALL - 1] = pool_add(&p, ids[ALL - 1], true);
    ck_assert_uint_eq(t->waiting, 1);
    for (uint32_t i = 0; i < ALL; i++)
        ck_assert(sb_orders_find(&p.t, ids[i]) == slots[i] &&
                  sb_orders_live(&p.t, ids[i]) == (slots[i] != 0));
    sb_orders_verify(&p.t);
    for (uint32_t i = 0; i < ALL; i++)
        if (slots[i] != 0)
            pool_drop(&p, slots[i], i % 3 == 0);
    for (uint32_t i = 0; i < sb_ids_cells_n(64); i++)
        ck_assert_uint_eq(p.cells[i], 0);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* The same ids under another seed are in other buckets. */
START_TEST(the_seed_decides)
{
    struct pool a, b;
    uint32_t same = 0;
    pool_open(&a, 1000, 1);
    pool_open(&b, 1000, 2);
    for (uint64_t id = 0; id < 1000; id++) {
        const uint64_t x = sb_ids_hash(&a.t.ids, id), y = sb_ids_hash(&b.t.ids, id);
        same += sb_ids_near(&a.t.ids, x) - a.near == sb_ids_near(&b.t.ids, y) - b.near;
    }
    ck_assert_uint_lt(same, 50);
    pool_close(&a);
    pool_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine-tables");
    TCase *tc = tcase_create("tables");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, ladder_keeps_order, 0, 12);
    tcase_add_loop_test(tc, ladder_finds_across_bitmap_words, 0, 48);
    tcase_add_test(tc, full_window_moves);
    tcase_add_loop_test(tc, orders_find_their_levels, 0, 4);
    tcase_add_test(tc, window_follows_the_best);
    tcase_add_loop_test(tc, low_slots_first, 0, 2);
    tcase_add_loop_test(tc, orders_are_found, 0, 4);
    tcase_add_loop_test(tc, ids_collide_everywhere, 0, 4);
    tcase_add_test(tc, buckets_fill_in_turn);
    tcase_add_loop_test(tc, home_first, 0, 2);
    tcase_add_loop_test(tc, they_wait, 0, 5);
    tcase_add_test(tc, the_seed_decides);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
