#include "engine/tail.h"

#include <stdbool.h>
#include <stddef.h>

#include "shadowbook/assert.h"

static bool is_node(uint32_t link)
{
    return (link & SB_TAIL_NODE) != 0;
}

static struct sb_tail_node *node_at(const struct sb_tail_pool *pool, uint32_t link)
{
    return &pool->nodes[link & ~SB_TAIL_NODE];
}

/* The only leaf that can hold key: follows key's own bits. root must not be 0. */
static uint32_t nearest(const struct sb_tail_pool *pool, uint32_t link, uint32_t key)
{
    while (is_node(link)) {
        const struct sb_tail_node *n = node_at(pool, link);
        link = n->child[(key >> n->bit) & 1u];
    }
    return link;
}

/* The leaf at one end of a subtree: 0 smallest, 1 largest. */
static uint32_t extreme(const struct sb_tail_pool *pool, uint32_t link, uint32_t end)
{
    while (is_node(link))
        link = node_at(pool, link)->child[end];
    return link;
}

static uint32_t leaf_alloc(struct sb_tail_pool *pool)
{
    uint32_t leaf = pool->leaf_free;
    if (leaf != 0) {
        pool->leaf_free = pool->leaves[leaf].next;
    } else {
        SB_ASSERT_LT(pool->leaf_fresh, pool->capacity);
        leaf = ++pool->leaf_fresh;
    }
    return leaf;
}

static uint32_t node_alloc(struct sb_tail_pool *pool)
{
    uint32_t node = pool->node_free;
    if (node != 0) {
        pool->node_free = pool->nodes[node].next_free;
    } else {
        SB_ASSERT_LT(pool->node_fresh, pool->capacity);
        node = ++pool->node_fresh;
    }
    return node;
}

static void link_between(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t prev, uint32_t leaf,
                         uint32_t next)
{
    pool->leaves[leaf].prev = prev;
    pool->leaves[leaf].next = next;
    if (prev != 0)
        pool->leaves[prev].next = leaf;
    else
        t->first = leaf;
    if (next != 0)
        pool->leaves[next].prev = leaf;
}

uint32_t sb_tail_find(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key)
{
    if (t->root == 0)
        return 0;
    const uint32_t leaf = nearest(pool, t->root, key);
    return pool->leaves[leaf].key == key ? leaf : 0;
}

uint32_t sb_tail_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key)
{
    const uint32_t leaf = leaf_alloc(pool);
    pool->leaves[leaf] = (struct sb_tail_leaf){.key = key};
    if (t->root == 0) {
        t->root = leaf;
        link_between(t, pool, 0, leaf, 0);
        return leaf;
    }
    const uint32_t differ = pool->leaves[nearest(pool, t->root, key)].key ^ key;
    SB_ASSERT(differ != 0);
    const uint32_t bit = 31u - (uint32_t)__builtin_clz(differ);
    const uint32_t side = (key >> bit) & 1u;

    uint32_t *link = &t->root;
    while (is_node(*link) && node_at(pool, *link)->bit > bit) {
        struct sb_tail_node *n = node_at(pool, *link);
        link = &n->child[(key >> n->bit) & 1u];
    }
    /* Every key below *link agrees with ours above `bit` and differs there: we are next to its end. */
    const uint32_t beside = extreme(pool, *link, side);
    const uint32_t node = node_alloc(pool);
    pool->nodes[node].bit = bit;
    pool->nodes[node].child[side] = leaf;
    pool->nodes[node].child[side ^ 1u] = *link;
    *link = node | SB_TAIL_NODE;
    if (side == 1)
        link_between(t, pool, beside, leaf, pool->leaves[beside].next);
    else
        link_between(t, pool, pool->leaves[beside].prev, leaf, beside);
    return leaf;
}

void sb_tail_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf)
{
    struct sb_tail_leaf *l = &pool->leaves[leaf];
    uint32_t *link = &t->root, *above = NULL;
    while (is_node(*link)) {
        struct sb_tail_node *n = node_at(pool, *link);
        above = link;
        link = &n->child[(l->key >> n->bit) & 1u];
    }
    SB_ASSERT_EQ(*link, leaf);
    if (above == NULL) {
        t->root = 0;
    } else {
        const uint32_t node = *above & ~SB_TAIL_NODE;
        struct sb_tail_node *n = &pool->nodes[node];
        *above = n->child[n->child[0] == leaf ? 1 : 0];
        n->next_free = pool->node_free;
        pool->node_free = node;
    }
    if (l->prev != 0)
        pool->leaves[l->prev].next = l->next;
    else
        t->first = l->next;
    if (l->next != 0)
        pool->leaves[l->next].prev = l->prev;
    l->next = pool->leaf_free;
    pool->leaf_free = leaf;
}
