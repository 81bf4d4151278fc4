/* tail_verify.c: what must hold in a tail and its pool. */
#include "engine/tail_walk.h"
#include "engine/verify.h"

struct walk {
    const struct sb_tail *t;
    const struct sb_tail_pool *pool;
    uint32_t leaves, nodes;
};

static uint32_t verify_leaf(struct walk *w, uint32_t leaf, uint32_t above)
{
    const struct sb_tail_leaf *l = &w->pool->leaves[leaf];
    SB_ASSERT(leaf != 0 && leaf <= w->pool->capacity);
    SB_ASSERT(l->tail == w->t);
    SB_ASSERT_EQ(l->above, above);
    SB_ASSERT_LE(l->key, SB_KEY_MAX);
    w->leaves++;
    return l->key;
}

/* Returns the smallest key below a link that is not 0. */
static uint32_t verify_below(struct walk *w, uint32_t link, uint32_t above)
{
    if (!sb_link_is_node(link))
        return verify_leaf(w, link, above);
    const uint32_t node = sb_link_index(link), bit = sb_link_bit(link);
    uint32_t n = 0, first = SB_KEY_NONE;
    SB_ASSERT(node != 0 && node <= w->pool->node_fresh);
    SB_ASSERT(above == 0 || bit < sb_link_bit(above));
    for (uint32_t i = 0; i < SB_TAIL_CHILDREN; i++) {
        const uint32_t child = w->pool->nodes[node].child[i];
        if (child == 0)
            continue;
        const uint32_t key = verify_below(w, child, link);
        SB_ASSERT_EQ(key >> bit & (SB_TAIL_CHILDREN - 1u), i);
        SB_ASSERT_LT((key ^ w->pool->prefixes[node]) >> bit, SB_TAIL_CHILDREN);
        first = n++ == 0 ? key : first;
    }
    SB_ASSERT_LE(2, n);
    w->nodes++;
    return first;
}

uint32_t sb_tail_verify(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t *nodes)
{
    struct walk w = {.t = t, .pool = pool};
    const uint32_t least = t->root != 0 ? verify_below(&w, t->root, 0) : SB_KEY_NONE;
    SB_ASSERT_EQ(sb_tail_least(t), least);
    SB_ASSERT_EQ(sb_tail_first(t), sb_tail_find(t, pool, least));
    *nodes += w.nodes;
    return w.leaves;
}

/* A bit for each leaf that somebody has, a bit above it for each word that is full, and none beyond. */
static void verify_taken(const struct sb_tail_pool *pool)
{
    uint32_t n = pool->capacity;
    for (uint32_t row = 0; row < pool->rows; row++) {
        const uint32_t words = (n + 63) / 64;
        for (uint32_t i = 0; i < words * 64; i++) {
            const bool taken = (pool->taken[row][i / 64] >> i % 64 & 1) != 0;
            SB_ASSERT_EQ(taken, i < n && (row == 0 ? pool->leaves[i + 1].tail != NULL
                                                   : pool->taken[row - 1][i] == UINT64_MAX));
        }
        n = words;
    }
    SB_ASSERT_EQ(n, 1);
}

/* Free nodes are zeros. Returns how many there are in the list. */
static uint32_t verify_free_nodes(const struct sb_tail_pool *pool)
{
    uint32_t n = 0;
    for (uint32_t node = pool->node_free; node != 0; node = pool->prefixes[node]) {
        SB_ASSERT_LE(node, pool->node_fresh);
        SB_ASSERT_LT(n, pool->node_fresh);
        for (uint32_t i = 0; i < SB_TAIL_CHILDREN; i++)
            SB_ASSERT_EQ(pool->nodes[node].child[i], 0);
        n++;
    }
    return n;
}

void sb_tail_pool_verify(const struct sb_tail_pool *pool, uint32_t leaves, uint32_t nodes)
{
    uint32_t taken = 0;
    for (uint32_t leaf = 1; leaf <= pool->capacity; leaf++)
        taken += pool->leaves[leaf].tail != NULL;
    SB_ASSERT_EQ(taken, leaves);
    SB_ASSERT_EQ(pool->used, leaves);
    verify_taken(pool);
    SB_ASSERT_EQ(verify_free_nodes(pool) + nodes, pool->node_fresh);
}
