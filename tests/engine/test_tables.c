/* The ladder, the orders and the table of ids by themselves, against plain arrays, under a seeded random flow. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

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

/* The orders' pool and the table of their ids. */
struct pool {
    struct sb_orders t;
    struct sb_order *slots;
    struct sb_order_beside *beside;
    struct sb_ids_bucket *near, *far;
    struct sb_ids_node *nodes;
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
    sb_orders_init(&p->t, max, p->slots, p->beside);
    sb_ids_init(&p->t.ids, max, p->near, p->far, p->nodes);
    sb_ids_seed(&p->t.ids, seed);
    ck_assert(sb_ids_blank(&p->t.ids));
}

static void pool_close(struct pool *p)
{
    free(p->slots);
    free(p->beside);
    free(p->near);
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
            const uint32_t slot = sb_orders_add(&p.t, id, 1, 0, sb_order_meta(1, 1, 0));
            ck_assert(slot != 0 && slot <= MAX);
            ck_assert_uint_eq(sb_orders_executed(&p.t, slot), 0); /* not of who was there before */
            ck_assert_uint_eq(sb_orders_extra(&p.t, slot), 0);
            sb_orders_set_executed(&p.t, slot, (uint32_t)id);
            live[n++] = slot;
        } else {
            const uint32_t at = next_random(&random) % n;
            const uint64_t id = p.slots[live[at]].id;
            sb_orders_drop(&p.t, live[at]);
            ck_assert_uint_eq(sb_orders_find(&p.t, id), 0);
            live[at] = live[--n];
        }
        ck_assert_uint_eq(p.t.used, n);
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
            slots[at] = sb_orders_add(&p.t, ids[at], 1, 0, 0);
        } else if (round < 1000 && round % 3 != 0) { /* mostly full, then thinner */
            continue;
        } else {
            sb_orders_drop(&p.t, slots[at]);
            slots[at] = 0;
        }
        for (uint32_t i = 0; i < ALL; i++)
            ck_assert_uint_eq(sb_orders_find(&p.t, ids[i]), slots[i]);
        ck_assert(p.t.used <= 3 * SB_IDS_LANES || t->root != 0);
    }
    for (uint32_t i = 0; i < MAX; i++)
        if (slots[i] == 0)
            slots[i] = sb_orders_add(&p.t, ids[i], 1, 0, 0);
    ck_assert_uint_eq(p.t.used, MAX);
    for (uint32_t i = 0; i < MAX; i++)
        sb_orders_drop(&p.t, slots[_i % 2 == 0 ? i : MAX - 1 - i]);
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
    tcase_add_loop_test(tc, ladder_keeps_order, 0, 3);
    tcase_add_loop_test(tc, ladder_finds_across_bitmap_words, 0, 5);
    tcase_add_test(tc, window_follows_the_best);
    tcase_add_loop_test(tc, orders_are_found, 0, 4);
    tcase_add_loop_test(tc, ids_collide_everywhere, 0, 4);
    tcase_add_test(tc, the_seed_decides);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
