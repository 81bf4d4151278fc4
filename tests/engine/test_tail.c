/* The tail by itself against sorted arrays, under seeded random flows over keys that are chosen to be awkward. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tail_walk.h"
#include "engine/verify.h"

enum { KEYS = 256, TAILS = 3 };

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* ---- keys ---- */

enum shape { DENSE, EVEN, FORKS, RUNS, LADDERS, DIGITS, CHANCE, SHAPES };

/* Bit n of i in nibble n: every node has two children, so there are as many nodes as there can be. */
static uint32_t fork_key(uint32_t i)
{
    uint32_t key = 0;
    for (uint32_t bit = 0; bit < 8; bit++)
        key |= (i >> bit & 1u) * (bit == 7 ? 7u : 15u) << 4 * bit;
    return key;
}

/* Keys that share as much as they can: 0, 1, 0x10, 0x100 ... and their complements. */
static uint32_t ladder_key(uint32_t i)
{
    const uint32_t low = (1 + i / 2 % 15) << i / 32 * 4 & SB_KEY_MAX;
    return i % 2 == 0 ? low : SB_KEY_MAX - low;
}

/* Digits 0, 1, 2 in five nibbles: nodes that choose by one of them are as good as such that choose by another for many keys. */
static uint32_t digits_key(uint32_t i)
{
    uint32_t key = 0;
    for (uint32_t nibble = 0; nibble < 5; nibble++, i /= 3)
        key |= i % 3 << 4 * nibble;
    return key;
}

static uint32_t shape_key(enum shape shape, uint32_t i)
{
    uint64_t random = i + 1;
    switch (shape) {
    case DENSE:
        return 0x00fffff0u - KEYS / 2 + i; /* over a place where six nibbles change */
    case EVEN:
        return i * (SB_KEY_MAX / (KEYS - 1));
    case FORKS:
        return fork_key(i);
    case RUNS:
        return (i % 16) * 0x07ffffffu + i / 16;
    case LADDERS:
        return i < 2 ? i * SB_KEY_MAX : ladder_key(i);
    case DIGITS:
        return digits_key(i);
    default:
        return next_random(&random);
    }
}

static int by_key(const void *x, const void *y)
{
    const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* Distinct keys of a shape, sorted. Returns how many. */
static uint32_t make_keys(enum shape shape, uint32_t keys[KEYS])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        keys[i] = shape_key(shape, i);
    qsort(keys, KEYS, sizeof *keys, by_key);
    for (uint32_t i = 0; i < KEYS; i++)
        if (i == 0 || keys[i] != keys[i - 1])
            keys[n++] = keys[i];
    return n;
}

/* ---- the model ---- */

struct model {
    struct sb_tail tail;
    uint32_t leaf[KEYS]; /* of keys[i], 0: not there */
};

static bool out[KEYS * TAILS + 2]; /* leaves that somebody has */

static struct sb_tail_pool make_pool(uint32_t capacity)
{
    const size_t bytes = (sb_tail_pool_bytes(capacity) + 63u) & ~(size_t)63u;
    void *memory = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(memory);
    memset(memory, 0, bytes);
    struct sb_tail_pool pool;
    sb_tail_pool_init(&pool, capacity, memory);
    return pool;
}

/* With a wish: granted if that leaf is there and free. */
static void add(struct model *m, struct sb_tail_pool *pool, uint32_t i, uint32_t key, uint32_t wish)
{
    const uint32_t leaf = i % 2 == 0 ? sb_tail_insert(&m->tail, pool, key, wish)
                                     : sb_tail_find_or_insert(&m->tail, pool, key, wish);
    struct sb_tail_leaf *l = &pool->leaves[leaf];
    ck_assert_uint_ge(leaf, 1);
    ck_assert_uint_le(leaf, pool->capacity);
    ck_assert(!out[leaf]);
    out[leaf] = true;
    if (wish >= 1 && wish <= pool->capacity && leaf != wish)
        ck_assert(out[wish]);
    ck_assert_uint_eq(l->key, key);
    ck_assert_uint_eq(l->level.head, 0);
    ck_assert_uint_eq(l->level.tail, 0);
    ck_assert_uint_eq(l->level.quantity, 0);
    l->level = (struct sb_level){.head = i + 1, .tail = ~i, .quantity = key + UINT64_C(1)};
    m->leaf[i] = leaf;
}

/* By the leaf, or by the key and a wish that was granted, or was not. */
static void take(struct model *m, struct sb_tail_pool *pool, uint32_t i)
{
    const uint32_t leaf = m->leaf[i], key = pool->leaves[leaf].key;
    ck_assert_uint_eq(sb_tail_leaf_of(pool, &pool->leaves[leaf].level), leaf);
    if (key / 2 % 4 == 0)
        sb_tail_remove(&m->tail, pool, leaf);
    else
        sb_tail_leave(&m->tail, pool, key, key / 2 % 4 == 1 ? leaf + 1 : leaf);
    out[leaf] = false;
    m->leaf[i] = 0;
}

/* Everything that a tail can be asked about `key`, which is there or not. */
static void check_key(const struct model *m, const struct sb_tail_pool *pool, const uint32_t *keys,
                      uint32_t n, uint32_t key)
{
    uint32_t here = 0, first = 0, after = 0;
    for (uint32_t i = n; i-- > 0;) {
        if (m->leaf[i] == 0)
            continue;
        first = m->leaf[i];
        here = keys[i] == key ? m->leaf[i] : here;
        after = keys[i] > key ? m->leaf[i] : after;
    }
    ck_assert_uint_eq(sb_tail_find(&m->tail, pool, key), here);
    ck_assert_uint_eq(sb_tail_after(&m->tail, pool, key), after);
    ck_assert_uint_eq(sb_tail_first(&m->tail), first);
    ck_assert_uint_eq(sb_tail_least(&m->tail), first != 0 ? pool->leaves[first].key : SB_KEY_NONE);
    uint32_t wrong = 0;
    for (uint32_t leaf = 0; leaf <= pool->capacity + 1; leaf++)
        wrong += sb_tail_is(&m->tail, pool, leaf, key) != (here != 0 && leaf == here);
    ck_assert_uint_eq(wrong, 0);
}

/* From the first leaf on, each after the one before: those of the model, with what was put into them. */
static void check_walk(const struct model *m, const struct sb_tail_pool *pool, const uint32_t *keys,
                       uint32_t n)
{
    uint32_t leaf = sb_tail_first(&m->tail);
    for (uint32_t i = 0; i < n; i++) {
        if (m->leaf[i] == 0)
            continue;
        ck_assert_uint_eq(leaf, m->leaf[i]);
        const struct sb_tail_leaf *l = &pool->leaves[leaf];
        ck_assert_uint_eq(l->key, keys[i]);
        ck_assert_uint_eq(l->level.head, i + 1);
        ck_assert_uint_eq(l->level.quantity, keys[i] + UINT64_C(1));
        ck_assert_uint_eq(l->above != 0 ? *sb_tail_child(pool, l->above, l->key) : m->tail.root,
                          leaf);
        leaf = sb_tail_after(&m->tail, pool, l->key);
    }
    ck_assert_uint_eq(leaf, 0);
}

static void check_pool(const struct sb_tail_pool *pool, const struct model *models, uint32_t n)
{
    uint32_t leaves = 0, nodes = 0;
    for (uint32_t i = 0; i < n; i++)
        leaves += sb_tail_verify(&models[i].tail, pool, &nodes);
    sb_tail_pool_verify(pool, leaves, nodes);
}

/* ---- tests ---- */

/* Several tails in one pool that just holds them: filled, drained, half filled, at random. */
START_TEST(like_a_sorted_array)
{
    const enum shape shape = (enum shape)(_i % SHAPES);
    uint32_t keys[KEYS], used = 0;
    const uint32_t n = make_keys(shape, keys), capacity = n * TAILS;
    struct sb_tail_pool pool = make_pool(capacity);
    static struct model models[TAILS];
    memset(models, 0, sizeof models);
    memset(out, 0, sizeof out);
    uint64_t random = (uint64_t)_i + 1;
    for (uint32_t step = 0; step < 12000; step++) {
        struct model *m = &models[next_random(&random) % TAILS];
        const uint32_t i = next_random(&random) % n, wish = next_random(&random) % 8;
        const bool filling = step / 1500 % 2 == 0;
        if (m->leaf[i] == 0 && (filling || wish == 0)) {
            add(m, &pool, i, keys[i], next_random(&random) % (capacity + 2));
            used++;
        } else if (m->leaf[i] != 0 && (!filling || wish == 0)) {
            take(m, &pool, i);
            used--;
        } else if (m->leaf[i] != 0) {
            ck_assert_uint_eq(sb_tail_find_or_insert(&m->tail, &pool, keys[i], step), m->leaf[i]);
        }
        const uint32_t other = keys[next_random(&random) % n] ^ 1u << next_random(&random) % 31;
        check_key(m, &pool, keys, n, keys[i]);
        check_key(m, &pool, keys, n, wish == 1 ? next_random(&random) : other);
        if (step % 100 == 0)
            check_walk(m, &pool, keys, n);
        if (step % 50 == 0)
            check_pool(&pool, models, TAILS);
    }
    ck_assert_uint_eq(pool.used, used);
    free(pool.nodes);
}
END_TEST

/* Every leaf that the pool has room for, in three orders of coming and going; nothing is lost on the way. */
START_TEST(pool_full_empty_and_full_again)
{
    const enum shape shape = (enum shape)(_i % SHAPES);
    uint32_t keys[KEYS];
    const uint32_t n = make_keys(shape, keys);
    struct sb_tail_pool pool = make_pool(n);
    static struct model m;
    memset(&m, 0, sizeof m);
    memset(out, 0, sizeof out);
    for (uint32_t round = 0; round < 6; round++) {
        for (uint32_t k = 0; k < n; k++) {
            const uint32_t i = round % 3 == 0 ? k : round % 3 == 1 ? n - 1 - k : (k * 7919) % n;
            if (m.leaf[i] == 0)
                add(&m, &pool, i, keys[i], round % 2 == 0 ? 0 : n - k);
        }
        for (uint32_t i = 0; i < n; i++)
            if (m.leaf[i] == 0)
                add(&m, &pool, i, keys[i], 1);
        ck_assert_uint_eq(pool.used, n);
        check_walk(&m, &pool, keys, n);
        check_pool(&pool, &m, 1);
        if (shape == FORKS) /* the bound is met */
            ck_assert_uint_eq(pool.node_free, 0);
        for (uint32_t k = 0; k < n; k++) {
            const uint32_t i = round % 2 == 0 ? k : n - 1 - k;
            take(&m, &pool, i);
            check_key(&m, &pool, keys, n, keys[n / 2]);
        }
        ck_assert_uint_eq(m.tail.root, 0);
        ck_assert_uint_eq(m.tail.least, 0);
        ck_assert_uint_eq(pool.used, 0);
        for (uint32_t row = 0; row < pool.rows; row++) /* at most 256 leaves: a few words */
            ck_assert(pool.taken[row][0] == 0);
        for (uint32_t node = 0; node < n; node++)
            for (uint32_t c = 0; c < SB_TAIL_CHILDREN; c++)
                ck_assert_uint_eq(pool.nodes[node].child[c], 0);
    }
    if (shape == FORKS)
        ck_assert_uint_eq(pool.node_fresh, n - 1);
    free(pool.nodes);
}
END_TEST

START_TEST(empty_and_single)
{
    struct sb_tail_pool pool = make_pool(1);
    struct sb_tail t = {0};
    const uint32_t ends[] = {0, SB_KEY_MAX};
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t key = ends[i % 2];
        ck_assert_uint_eq(sb_tail_find(&t, &pool, key), 0);
        ck_assert_uint_eq(sb_tail_first(&t), 0);
        ck_assert_uint_eq(sb_tail_after(&t, &pool, 0), 0);
        ck_assert_uint_eq(sb_tail_least(&t), SB_KEY_NONE);
        ck_assert_uint_eq(sb_tail_find_or_insert(&t, &pool, key, i), 1);
        ck_assert_uint_eq(sb_tail_find(&t, &pool, key), 1);
        ck_assert_uint_eq(sb_tail_find(&t, &pool, ends[1 - i % 2]), 0);
        ck_assert_uint_eq(sb_tail_first(&t), 1);
        ck_assert_uint_eq(sb_tail_after(&t, &pool, 0), key != 0 ? 1 : 0);
        ck_assert_uint_eq(sb_tail_after(&t, &pool, SB_KEY_MAX), 0);
        ck_assert_uint_eq(sb_tail_least(&t), key);
        sb_tail_remove(&t, &pool, 1);
    }
    free(pool.nodes);
}
END_TEST

/* So many leaves that the bits of those that are taken have three rows: the lowest free one is found in all. */
START_TEST(any_leaf_of_many)
{
    enum { MANY = 64 * 64 * 2 + 70 };
    struct sb_tail_pool pool = make_pool(MANY);
    struct sb_tail t = {0};
    ck_assert_uint_eq(pool.rows, 3);
    for (uint32_t i = 1; i <= MANY; i++)
        ck_assert_uint_eq(sb_tail_insert(&t, &pool, i * 3, 0), i);
    static const uint32_t gone[] = {MANY, 1, 4096, 4097, 8192, 63, 64, 65, MANY - 1};
    enum { GONE = sizeof gone / sizeof gone[0] };
    for (uint32_t i = 0; i < GONE; i++)
        sb_tail_remove(&t, &pool, gone[i]);
    ck_assert_uint_eq(sb_tail_insert(&t, &pool, 4097 * 3, 4097), 4097);
    static const uint32_t sorted[] = {1, 63, 64, 65, 4096, 8192, MANY - 1, MANY};
    for (uint32_t i = 0; i < GONE - 1; i++) /* the wish is taken, or beyond the last */
        ck_assert_uint_eq(sb_tail_insert(&t, &pool, sorted[i] * 3, i % 2 == 0 ? 4097 : MANY + 1),
                          sorted[i]);
    ck_assert_uint_eq(pool.used, MANY);
    for (uint32_t i = 1; i <= MANY; i++)
        ck_assert_uint_eq(sb_tail_find(&t, &pool, i * 3), i);
    free(pool.nodes);
}
END_TEST

/* A leaf's node went, and came back to choose by other bits, in which the key has the same digit: the leaf knows. */
START_TEST(node_used_anew)
{
    struct sb_tail_pool pool = make_pool(8);
    struct sb_tail t = {0};
    ck_assert_uint_eq(sb_tail_insert(&t, &pool, 0x101, 0), 1);
    ck_assert_uint_eq(sb_tail_insert(&t, &pool, 0x102, 0), 2);
    ck_assert_uint_eq(sb_tail_insert(&t, &pool, 0x110, 0), 3);
    sb_tail_remove(&t, &pool, 2);
    ck_assert_uint_eq(sb_tail_insert(&t, &pool, 0x200, 4), 4);
    sb_tail_remove(&t, &pool, 3);
    sb_tail_remove(&t, &pool, 1);
    ck_assert_uint_eq(sb_tail_first(&t), 4);
    ck_assert_uint_eq(sb_tail_least(&t), 0x200);
    free(pool.nodes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine-tail");
    TCase *tc = tcase_create("tail");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, like_a_sorted_array, 0, 2 * SHAPES);
    tcase_add_loop_test(tc, pool_full_empty_and_full_again, 0, SHAPES);
    tcase_add_test(tc, empty_and_single);
    tcase_add_test(tc, any_leaf_of_many);
    tcase_add_test(tc, node_used_anew);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
