/* The ladder by itself, against plain arrays, under a seeded random flow. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ladder.h"

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

int main(void)
{
    Suite *suite = suite_create("engine-ladder");
    TCase *tc = tcase_create("ladder");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, ladder_keeps_order, 0, 12);
    tcase_add_loop_test(tc, ladder_finds_across_bitmap_words, 0, 48);
    tcase_add_test(tc, full_window_moves);
    tcase_add_loop_test(tc, orders_find_their_levels, 0, 4);
    tcase_add_test(tc, window_follows_the_best);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
