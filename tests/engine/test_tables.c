/* The ladder and the order table by themselves, against plain arrays, under a seeded random flow. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ladder.h"
#include "engine/orders.h"

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

enum { MODEL_KEYS = 3000 };

/* Model: which keys are in use, at keys that are dense, then sparse, then extreme. */
static uint32_t model_key(uint32_t i, uint32_t shape)
{
    if (shape == 0)
        return 5000 + i;
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
    r->levels = (struct sb_levels){.max = max};
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
    struct sb_level *level = sb_ladder_insert(&r->l, &r->levels, key);
    ck_assert_uint_eq(level->head, 0);
    ck_assert_uint_eq(level->quantity, 0);
    *level = (struct sb_level){.head = 1, .quantity = key + UINT64_C(1)};
    ck_assert_ptr_eq(sb_ladder_insert(&r->l, &r->levels, key), level);
}

static void rig_erase(struct rig *r, uint32_t key)
{
    sb_ladder_find(&r->l, &r->levels, key)->head = 0;
    sb_ladder_erase(&r->l, &r->levels, key);
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
    for (uint32_t word = 0; word < 64; word++)
        ck_assert_int_eq((l->top >> word & 1u) != 0, word <= l->mask / 64 && l->words[word] != 0);
    ck_assert_uint_eq(l->dense, n);
}

START_TEST(ladder_keeps_order)
{
    static const uint32_t windows[] = {64, 128, 512};
    static uint32_t used[MODEL_KEYS];
    struct rig r;
    uint32_t n = 0, moves = 0;
    uint64_t random = (uint64_t)_i + 1;
    rig_open(&r, windows[_i / 3], MODEL_KEYS);
    for (uint32_t step = 0; step < 8000; step++) {
        /* Mostly near a centre that wanders, so that the window has to follow; fills, then drains. */
        const uint32_t near = (step / 16 + next_random(&random) % 40) % MODEL_KEYS;
        const uint32_t i = next_random(&random) % 4 == 0 ? next_random(&random) % MODEL_KEYS : near;
        const uint32_t key = model_key(i, (uint32_t)_i % 3), base = r.l.base;
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
    rig_insert(&r, 1000000);
    rig_insert(&r, 500000); /* outside: one, and the window holds one */
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

/* From one word of the bitmap to all there can be, with the window at and around the array's end. */
START_TEST(ladder_finds_across_bitmap_words)
{
    static const uint32_t windows[] = {64, 128, 1024, 4096};
    const uint32_t window = windows[_i % 4];
    const uint32_t start = 1000000u / window * window + (uint32_t)_i / 4 * (window / 8 + 5);
    struct rig r;
    uint32_t keys[64], n = 0;
    rig_open(&r, window, 65);
    rig_insert(&r, start + window / 4); /* the base is at start */
    ck_assert_uint_eq(r.l.base, start);
    for (uint32_t i = 0; i < 64; i++)
        keys[n++] = start + i * (window / 64) + (i + 2) % 3 * (window / 129);
    for (uint32_t i = 0; i < n; i++)
        if (keys[i] != start + window / 4)
            rig_insert(&r, keys[i]);
    qsort(keys, n, sizeof *keys, by_key);
    check_walk(&r.l, &r.levels, keys, n);
    ck_assert_uint_eq(r.l.dense, n);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(r.l.best, keys[i]);
        rig_erase(&r, keys[i]);
    }
    ck_assert_uint_eq(r.l.best, SB_KEY_NONE);
    check_bits(&r.l);
    rig_close(&r);
}
END_TEST

/* Half full for good, with keys that come in runs, and every entry found at every time. */
START_TEST(order_table_never_degrades)
{
    enum { MAX = 256 };
    struct sb_order *slots = calloc(sb_orders_places(MAX), sizeof *slots);
    uint32_t *executed = calloc(sb_orders_places(MAX), sizeof *executed);
    struct sb_orders t;
    uint32_t live[MAX], n = 0, key = 0;
    uint64_t random = 7;
    sb_orders_init(&t, MAX, slots, executed);
    for (uint32_t step = 0; step < 80000; step++) {
        if (n < MAX && (n < MAX - 8 || next_random(&random) % 2 == 0)) {
            key += 1 + (next_random(&random) % 8 == 0 ? next_random(&random) % 1000 : 0);
            const uint32_t session = 1 + key % 3;
            const struct sb_order order = {
                .key = key, .open = 1, .name = sb_order_name(1, 0, session), .capacity = 'P'};
            const uint32_t slot = sb_orders_add(&t, &order);
            ck_assert_uint_ne(slot, 0);
            ck_assert_uint_eq(sb_orders_executed(&t, slot), 0); /* not of who was there before */
            sb_orders_set_executed(&t, slot, key);
            live[n++] = slot;
        } else {
            const uint32_t at = next_random(&random) % n;
            sb_orders_drop(&t, live[at]);
            live[at] = live[--n];
        }
        ck_assert_uint_eq(t.used, n);
        if (step % 64 == 0)
            for (uint32_t i = 0; i < n; i++) {
                const struct sb_order *o = &slots[live[i]];
                ck_assert_uint_eq(sb_orders_find(&t, sb_order_session(o), o->key), live[i]);
                ck_assert_uint_eq(sb_orders_executed(&t, live[i]), o->key);
            }
    }
    ck_assert_uint_eq(sb_orders_find(&t, 1, key + 1), 0);
    while (n > 0)
        sb_orders_drop(&t, live[--n]);
    for (uint32_t i = 1; i <= t.mask; i++) { /* no tombstones: no search goes past any place */
        ck_assert_uint_eq(slots[i].open, 0);
        ck_assert_uint_eq(sb_order_passed(&slots[i]), 0);
    }
    free(slots);
    free(executed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine-tables");
    TCase *tc = tcase_create("tables");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, ladder_keeps_order, 0, 9);
    tcase_add_loop_test(tc, ladder_finds_across_bitmap_words, 0, 32);
    tcase_add_test(tc, full_window_moves);
    tcase_add_test(tc, window_follows_the_best);
    tcase_add_test(tc, order_table_never_degrades);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
