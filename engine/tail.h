/* tail.h: an ordered map from ladder key to level, for keys anywhere: the price levels far from the touch.
 *
 * A radix tree of 16 children a node, with every path of nodes of one child left out:
 *
 *      root                        a link is 0 (nothing), a leaf, or a node and which four bits of the
 *        |                         key choose its child
 *      node (bits 16..19)          0x1a0000 0x1a0001 0x1b0000: all agree above bit 16, two agree down to bit 4
 *       |a           |b
 *      node (0..3)  leaf 0x1b0000
 *       |0     |1
 *      leaf   leaf
 *
 * A key has 31 bits, so a walk meets at most 8 nodes whatever the keys are: nobody can choose prices that make it slow. There is
 * nothing to balance, and keys side by side share a node, so that 16 of them cost a look-up one line above the leaf.
 * A node is exactly the line of its children: which of the four bits choose is in the link, which children there are is seen in
 * the line itself by four wide comparisons, and the bits that the keys below it share are needed only by who looks for
 * a key that is not there; they lie in an array of their own, 16 nodes to a line.
 *
 * Leaves and nodes of any number of tails come from one pool, made at start. Each node has at least two children, so a tail
 * of n > 0 leaves has at most n - 1 nodes, and one node less than leaves is enough for all tails together.
 *
 * Who opens a level may wish for a leaf by its number. If that one is free, it is taken; so who knows the wish finds the leaf
 * without a walk, and may ask for its line before he knows the key: sb_tail_is() says whether it is the one. A leaf also knows whose
 * child it is, so that it is removed without a walk, too. How it is done: tail_walk.h.
 */
#ifndef SHADOWBOOK_ENGINE_TAIL_H
#define SHADOWBOOK_ENGINE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SB_KEY_NONE UINT32_MAX       /* worse than every key */
#define SB_KEY_MAX  ((1u << 31) - 1) /* largest key */

/* One price level: a FIFO of orders (slot numbers, 0 = none) and the sum of what they leave open. */
struct sb_level {
    uint32_t head, tail;
    uint64_t quantity;
};

struct sb_tail;

_Static_assert(sizeof(struct sb_level) == 16 && offsetof(struct sb_level, tail) == 4 &&
                   offsetof(struct sb_level, quantity) == 8,
               "written at once");

struct sb_tail_leaf {
    struct sb_level level; /* first: sb_tail_leaf_of() */
    uint32_t key;
    uint32_t above;             /* link to the node that it is a child of; 0: it is the only leaf */
    const struct sb_tail *tail; /* whose it is; NULL: free */
};
_Static_assert(sizeof(struct sb_tail_leaf) == 32, "two leaves to a cache line");

enum { SB_TAIL_CHILDREN = 16 };

struct sb_tail_node {
    _Alignas(64) uint32_t child[SB_TAIL_CHILDREN]; /* links */
};
_Static_assert(sizeof(struct sb_tail_node) == 64, "one line");

#define SB_TAIL_CAPACITY_MAX ((1u << 28) - 1) /* what a link has room for */
enum { SB_TAIL_ROWS_MAX = 5 };                /* 64 to the power of it */

/* Indices start at 1. */
struct sb_tail_pool {
    struct sb_tail_leaf *leaves; /* capacity + 1 */
    struct sb_tail_node *nodes;  /* capacity; all zeros while it is not in use */
    uint32_t *
        prefixes; /* of each node: a key that shares the bits above its own with all below it; free: the next */
    uint64_t *taken
        [SB_TAIL_ROWS_MAX]; /* a bit for each leaf; above that one for each word that is full */
    uint32_t rows;
    uint32_t capacity, used;        /* leaves that there may be at once, and that there are */
    uint32_t node_free, node_fresh; /* free list; how many were ever used */
};

/* All zeros: empty. */
struct sb_tail {
    uint32_t root;
    uint32_t least; /* ~ of the smallest key */
    uint32_t first; /* its leaf */
};

/* Bytes of a pool's memory. capacity: 1..SB_TAIL_CAPACITY_MAX. */
size_t sb_tail_pool_bytes(uint32_t capacity);

/* memory: so many bytes, at the start of a line, zeroed. It must live as long as the pool. */
void sb_tail_pool_init(struct sb_tail_pool *pool, uint32_t capacity, void *memory);

/* Smallest key, or SB_KEY_NONE. Touches nothing but the tail itself. */
static inline uint32_t sb_tail_least(const struct sb_tail *t)
{
    return ~t->least;
}

/* Leaf with the smallest key, or 0. Touches nothing but the tail itself. */
static inline uint32_t sb_tail_first(const struct sb_tail *t)
{
    return t->first;
}

/* Leaf of key, or 0. One walk; the key's leaf is the only one that is looked at. */
uint32_t sb_tail_find(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key);

/* Is this the leaf of key? Any number may be asked about. No walk. */
static inline bool sb_tail_is(const struct sb_tail *t, const struct sb_tail_pool *pool,
                              uint32_t leaf, uint32_t key)
{
    return leaf <= pool->capacity && pool->leaves[leaf].key == key && pool->leaves[leaf].tail == t;
}

/* The leaf that this level is in. */
static inline uint32_t sb_tail_leaf_of(const struct sb_tail_pool *pool,
                                       const struct sb_level *level)
{
    return (uint32_t)((const struct sb_tail_leaf *)(const void *)level - pool->leaves);
}

/* Leaf of key, new or not. A new one has a level of zeros, and the number `wish` if that leaf is there and free (0: any);
 * the pool must have room for it (asserted). Leaves stay where they are until they are removed. */
uint32_t sb_tail_find_or_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                                uint32_t wish);

/* The same for a key that is not there (asserted, as far as a level in use has a head). */
uint32_t sb_tail_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key, uint32_t wish);

/* Gives a leaf of this tail (asserted) back. Mostly without a walk. */
void sb_tail_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf);

/* Leaf with the smallest key > key, or 0. */
uint32_t sb_tail_after(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key);

#endif
