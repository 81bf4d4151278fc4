#include "engine/tail.h"

#include "engine/tail_walk.h"
#include "shadowbook/assert.h"

static inline uint32_t lowest(uint32_t bits)
{
    return (uint32_t)__builtin_ctz(bits);
}

/* The leaf with the smallest key below a link that is not 0. */
static uint32_t smallest(const struct sb_tail_pool *pool, uint32_t link)
{
    while (sb_link_is_node(link)) {
        const struct sb_tail_node *n = sb_tail_node_at(pool, link);
        link = n->child[lowest(sb_tail_children(n))];
    }
    return link;
}

/* ---- the pool ---- */

struct layout {
    size_t leaves, taken[SB_TAIL_ROWS_MAX], prefixes, bytes; /* offsets; nodes are at 0 */
    uint32_t rows;
};

static struct layout layout_of(uint32_t capacity)
{
    struct layout at = {.leaves = (size_t)capacity * sizeof(struct sb_tail_node)};
    size_t next = at.leaves + ((size_t)capacity + 1) * sizeof(struct sb_tail_leaf);
    uint32_t words = capacity;
    do {
        words = (words + 63u) / 64u;
        at.taken[at.rows++] = next;
        next += words * sizeof(uint64_t);
    } while (words > 1);
    at.prefixes = next;
    at.bytes = at.prefixes + (size_t)capacity * sizeof(uint32_t);
    return at;
}

size_t sb_tail_pool_bytes(uint32_t capacity)
{
    return layout_of(capacity).bytes;
}

void sb_tail_pool_init(struct sb_tail_pool *pool, uint32_t capacity, void *memory)
{
    SB_ASSERT(capacity >= 1 && capacity <= SB_TAIL_CAPACITY_MAX);
    SB_ASSERT_EQ((uintptr_t)memory % 64u, 0);
    const struct layout at = layout_of(capacity);
    unsigned char *base = memory;
    *pool = (struct sb_tail_pool){.nodes = memory,
                                  .leaves = (void *)(base + at.leaves),
                                  .prefixes = (void *)(base + at.prefixes),
                                  .rows = at.rows,
                                  .capacity = capacity};
    for (uint32_t row = 0; row < at.rows; row++)
        pool->taken[row] = (void *)(base + at.taken[row]);
}

/* The lowest number that is free. There is one, and what the rows have beyond the last is above it. */
static uint32_t lowest_free(const struct sb_tail_pool *pool)
{
    uint32_t at = 0;
    for (uint32_t row = pool->rows; row-- > 0;)
        at = at * 64u + (uint32_t)__builtin_ctzll(~pool->taken[row][at]);
    return at + 1;
}

void sb_tail_tell_above(struct sb_tail_pool *pool, uint32_t leaf, bool full)
{
    uint32_t at = (leaf - 1) / 64u;
    bool more = true;
    for (uint32_t row = 1; row < pool->rows && more; row++, at /= 64u) {
        uint64_t *word = &pool->taken[row][at / 64u];
        const uint64_t bit = UINT64_C(1) << at % 64u, before = *word;
        *word = full ? before | bit : before & ~bit;
        more = (full ? *word : before) == UINT64_MAX;
    }
}

/* A link to a node without children, which chooses by the nibble at `bit`; `key` is one of those that will be below it. */
static uint32_t node_alloc(struct sb_tail_pool *pool, uint32_t bit, uint32_t key)
{
    uint32_t node = pool->node_free;
    if (node != 0) {
        pool->node_free = pool->prefixes[node];
    } else {
        node = ++pool->node_fresh;
        SB_ASSERT_LT(node, pool->capacity);
    }
    pool->prefixes[node] = key;
    return SB_LINK_NODE | node << SB_LINK_SHIFT | bit / 4u;
}

/* Its children are zeros again. */
static void node_release(struct sb_tail_pool *pool, uint32_t link)
{
    const uint32_t node = sb_link_index(link);
    pool->prefixes[node] = pool->node_free;
    pool->node_free = node;
}

/* ---- the map ---- */

uint32_t sb_tail_find(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key)
{
    uint32_t link = t->root;
    while (sb_link_is_node(link))
        link = *sb_tail_child(pool, link, key);
    return link != 0 && pool->leaves[link].key == key ? link : 0;
}

/* Puts a node between a link and what is there, where all keys are like `like`; key parts from them in the nibble at `bit`. */
static uint32_t make_fork(struct sb_tail_pool *pool, uint32_t *at, uint32_t bit, uint32_t key,
                          uint32_t like)
{
    const uint32_t made = node_alloc(pool, bit, key);
    if (!sb_link_is_node(*at))
        pool->leaves[*at].above = made;
    *sb_tail_child(pool, made, like) = *at;
    return *at = made;
}

uint32_t sb_tail_put_elsewhere(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                               uint32_t wish, uint32_t *at, uint32_t last)
{
    SB_ASSERT_LT(pool->used, pool->capacity);
    const uint32_t leaf = sb_tail_leaf_free(pool, wish) ? wish : lowest_free(pool);
    sb_tail_came(t, key, leaf);
    if (*at != 0 || last != 0) {
        /* One of the keys that it parts from, in the nibble at `bit`. */
        const uint32_t like =
            *at != 0 ? pool->leaves[*at].key : pool->prefixes[sb_link_index(last)];
        const uint32_t bit = (31u - (uint32_t)__builtin_clz((like ^ key) | 1u)) & ~3u;
        if (last != 0 && bit > sb_link_bit(last)) /* further up: all below agree there */
            for (at = &t->root; sb_link_bit(*at) > bit;)
                at = sb_tail_child(pool, *at, key);
        if (*at != 0)
            last = make_fork(pool, at, bit, key, like);
    }
    if (last != 0)
        at = sb_tail_child(pool, last, key);
    *at = leaf;
    sb_tail_leaf_take(t, pool, key, last, leaf);
    return leaf;
}

uint32_t sb_tail_find_or_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                                uint32_t wish)
{
    bool made;
    const uint32_t leaf = sb_tail_reach(t, pool, key, wish, &made);
    if (made)
        pool->leaves[leaf].level = (struct sb_level){0};
    return leaf;
}

uint32_t sb_tail_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key, uint32_t wish)
{
    const uint32_t leaf = sb_tail_find_or_insert(t, pool, key, wish);
    SB_ASSERT_EQ(pool->leaves[leaf].level.head, 0);
    return leaf;
}

/* A node on key's way, with one child left, is no more a fork: the child takes its place. `nibble` is where it is. */
static void close_fork(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key, uint32_t fork,
                       uint32_t nibble)
{
    uint32_t *at = &t->root, last = 0, *child = &sb_tail_node_at(pool, fork)->child[nibble];
    while (*at != fork) {
        SB_ASSERT(sb_link_is_node(*at));
        last = *at;
        at = sb_tail_child(pool, last, key);
    }
    *at = *child;
    if (!sb_link_is_node(*child))
        pool->leaves[*child].above = last;
    *child = 0;
    node_release(pool, fork);
}

/* Asks for a leaf that somebody is likely to take soon. */
static void ask_leaf_at(const struct sb_tail_pool *pool, uint32_t link)
{
    if (!sb_link_is_node(link))
        __builtin_prefetch(&pool->leaves[link], 1);
}

void sb_tail_taken_out(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf, uint32_t above,
                       uint32_t left, bool was_full)
{
    const uint32_t key = pool->leaves[leaf].key, first = lowest(left);
    const uint32_t first_link = sb_tail_node_at(pool, above)->child[first];
    if (was_full)
        sb_tail_tell_above(pool, leaf, false);
    if ((left & (left - 1)) == 0)
        close_fork(t, pool, key, above, first);
    if (key == sb_tail_least(t)) { /* the smallest one left is beside the smallest one */
        const uint32_t then = left & (left - 1);
        if (then != 0) /* who takes it, too, comes here next */
            ask_leaf_at(pool, sb_tail_node_at(pool, above)->child[lowest(then)]);
        t->first = smallest(pool, first_link);
        t->least = ~pool->leaves[t->first].key;
    }
}

void sb_tail_remove_only(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf)
{
    SB_ASSERT_EQ(t->root, leaf);
    if (sb_tail_leaf_give(pool, leaf))
        sb_tail_tell_above(pool, leaf, false);
    *t = (struct sb_tail){0};
}

void sb_tail_find_and_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key)
{
    const uint32_t leaf = sb_tail_find(t, pool, key);
    SB_ASSERT(leaf != 0);
    sb_tail_take_out(t, pool, leaf);
}

void sb_tail_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf)
{
    SB_ASSERT(pool->leaves[leaf].tail == t);
    sb_tail_take_out(t, pool, leaf);
}

uint32_t sb_tail_after(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key)
{
    uint32_t link = t->root, next = 0; /* next: where all keys are larger, the nearest such place */
    while (sb_link_is_node(link)) {
        const uint32_t prefix = pool->prefixes[sb_link_index(link)], bit = sb_link_bit(link);
        if ((key ^ prefix) >> bit >= SB_TAIL_CHILDREN) { /* all below are on one side of key */
            next = prefix > key ? link : next;
            link = 0;
            break;
        }
        const struct sb_tail_node *n = sb_tail_node_at(pool, link);
        const uint32_t nibble = sb_link_choice(link, key);
        const uint32_t larger = sb_tail_children(n) & ~1u << nibble;
        next = larger != 0 ? n->child[lowest(larger)] : next;
        link = n->child[nibble];
    }
    if (link != 0 && pool->leaves[link].key > key)
        return link;
    return next != 0 ? smallest(pool, next) : 0;
}
