/* The ladder and the order table by themselves, against plain arrays, under a seeded random flow. */
#include <check.h>
#include <stdlib.h>

#include "engine/ladder.h"
#include "engine/orders.h"

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

enum { MODEL_KEYS = 3000, WINDOW = 64 };

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

static int by_key(const void *x, const void *y)
{
    const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

START_TEST(ladder_keeps_order)
{
    static struct sb_level dense[WINDOW];
    static uint64_t bits[2];
    static struct sb_tail_leaf leaves[MODEL_KEYS + 1];
    static struct sb_tail_node nodes[MODEL_KEYS + 1];
    static uint32_t used[MODEL_KEYS];
    struct sb_ladder l;
    struct sb_levels levels = {.max = MODEL_KEYS,
                               .pool = {.leaves = leaves, .nodes = nodes, .capacity = MODEL_KEYS}};
    uint32_t n = 0;
    uint64_t random = (uint64_t)_i + 1;
    ck_assert_uint_eq(sb_ladder_words(WINDOW), 2);
    for (uint32_t i = 0; i < WINDOW; i++)
        dense[i] = (struct sb_level){0};
    bits[0] = bits[1] = 0;
    sb_ladder_init(&l, WINDOW, dense, bits);

    for (uint32_t step = 0; step < 8000; step++) {
        /* Mostly near a centre that wanders, so that the window has to follow; fills, then drains. */
        const uint32_t near = (step / 16 + next_random(&random) % 40) % MODEL_KEYS;
        const uint32_t i = next_random(&random) % 4 == 0 ? next_random(&random) % MODEL_KEYS : near;
        const uint32_t key = model_key(i, (uint32_t)_i);
        struct sb_level *level = sb_ladder_find(&l, &levels, key);
        uint32_t at = 0;
        while (at < n && used[at] != key)
            at++;
        ck_assert_int_eq(level != NULL, at < n);
        const bool draining = step / 2000 % 2 == 1;
        if (level == NULL && (!draining || next_random(&random) % 4 == 0)) {
            level = sb_ladder_insert(&l, &levels, key);
            ck_assert_uint_eq(level->head, 0);
            *level = (struct sb_level){.head = 1, .quantity = key + UINT64_C(1)};
            used[n++] = key;
        } else if (level != NULL) {
            level->head = 0;
            sb_ladder_erase(&l, &levels, key);
            used[at] = used[--n];
        } else if (n > 0) {
            at = next_random(&random) % n;
            sb_ladder_find(&l, &levels, used[at])->head = 0;
            sb_ladder_erase(&l, &levels, used[at]);
            used[at] = used[--n];
        }
        ck_assert_uint_eq(levels.used, n);
        uint32_t best = SB_KEY_NONE;
        for (uint32_t j = 0; j < n; j++)
            best = used[j] < best ? used[j] : best;
        ck_assert_uint_eq(l.best, best);
        if (step % 256 == 0) {
            qsort(used, n, sizeof *used, by_key);
            check_walk(&l, &levels, used, n);
        }
    }
}
END_TEST

/* One order that never leaves must not pin the window to where the market once was. */
START_TEST(window_follows_the_best)
{
    static struct sb_level dense[WINDOW];
    static uint64_t bits[2];
    static struct sb_tail_leaf leaves[9];
    static struct sb_tail_node nodes[9];
    struct sb_levels levels = {.max = 8, .pool = {.leaves = leaves, .nodes = nodes, .capacity = 8}};
    struct sb_ladder l;
    sb_ladder_init(&l, WINDOW, dense, bits);
    *sb_ladder_insert(&l, &levels, 1000000) = (struct sb_level){.head = 1};
    for (uint32_t i = 0; i < 2 * WINDOW; i++) {
        *sb_ladder_insert(&l, &levels, 500000) = (struct sb_level){.head = 1};
        ck_assert_uint_eq(l.best, 500000);
        if (i + 1 < 2 * WINDOW) {
            sb_ladder_find(&l, &levels, 500000)->head = 0;
            sb_ladder_erase(&l, &levels, 500000);
        }
        ck_assert_ptr_nonnull(sb_ladder_find(&l, &levels, 1000000));
    }
    ck_assert(sb_ladder_in_window(&l, 500000));
}
END_TEST

/* Windows whose bitmaps have one, several and many words in their second row. */
START_TEST(ladder_finds_across_bitmap_words)
{
    static const uint32_t windows[] = {64, 128, 4096, 8192, 65536};
    const uint32_t window = windows[_i];
    static struct sb_tail_leaf leaves[65];
    static struct sb_tail_node nodes[65];
    struct sb_level *dense = calloc(window, sizeof *dense);
    uint64_t *bits = calloc(sb_ladder_words(window), sizeof *bits);
    struct sb_levels levels = {.max = 64,
                               .pool = {.leaves = leaves, .nodes = nodes, .capacity = 64}};
    struct sb_ladder l;
    sb_ladder_init(&l, window, dense, bits);
    uint32_t keys[64], n = 0;
    for (uint32_t i = 0; i < 64; i++) {
        const uint32_t key = 1000000 + i * (window / 64) + (i % 3) * (window / 129);
        *sb_ladder_insert(&l, &levels, key) =
            (struct sb_level){.head = 1, .quantity = key + UINT64_C(1)};
        keys[n++] = key;
    }
    qsort(keys, n, sizeof *keys, by_key);
    check_walk(&l, &levels, keys, n);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(l.best, keys[i]);
        sb_ladder_find(&l, &levels, keys[i])->head = 0;
        sb_ladder_erase(&l, &levels, keys[i]);
    }
    ck_assert_uint_eq(l.best, SB_KEY_NONE);
    free(dense);
    free(bits);
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
    tcase_add_loop_test(tc, ladder_keeps_order, 0, 3);
    tcase_add_loop_test(tc, ladder_finds_across_bitmap_words, 0, 5);
    tcase_add_test(tc, window_follows_the_best);
    tcase_add_test(tc, order_table_never_degrades);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
