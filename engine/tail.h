/* tail.h: price levels far from the touch: an ordered map from ladder key to level.
 *
 * A crit-bit tree (each inner node splits on the highest bit in which its keys differ) whose leaves are
 * also linked in key order. Depth is at most 31 whatever the keys are, so nobody can choose prices that
 * make it slow; there is nothing to balance, and the smallest key and a leaf's neighbour cost one load.
 * Leaves and nodes of all ladders come from one pool, sized at start for every level there may be.
 */
#ifndef SHADOWBOOK_ENGINE_TAIL_H
#define SHADOWBOOK_ENGINE_TAIL_H

#include <stdint.h>

/* One price level: a FIFO of orders (slot numbers, 0 = none) and the sum of what they leave open. */
struct sb_level {
    uint32_t head, tail;
    uint64_t quantity;
};

struct sb_tail_leaf {
    struct sb_level level;
    uint32_t key;
    uint32_t prev, next; /* neighbours in key order, 0 = none; `next` also chains free leaves */
    uint32_t zero;
};
_Static_assert(sizeof(struct sb_tail_leaf) == 32, "two leaves to a cache line");

struct sb_tail_node {
    uint32_t child[2]; /* SB_TAIL_NODE set: a node, else a leaf */
    uint32_t bit;      /* all keys below agree above it; child[b] has those where it is b */
    uint32_t next_free;
};

#define SB_TAIL_NODE (1u << 31)

/* Indices start at 1. */
struct sb_tail_pool {
    struct sb_tail_leaf *leaves;
    struct sb_tail_node *nodes;
    uint32_t capacity;
    uint32_t leaf_free, leaf_fresh; /* free list; how many were ever used */
    uint32_t node_free, node_fresh;
};

struct sb_tail {
    uint32_t root;  /* 0 = empty */
    uint32_t first; /* leaf with the smallest key, 0 = empty */
};

/* Leaf of key, or 0. O(depth). */
uint32_t sb_tail_find(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key);

/* Adds a leaf for key, which is not there yet, with a level of zeros. The pool must have room (asserted). */
uint32_t sb_tail_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key);

/* Gives a leaf of this tail back. O(depth). */
void sb_tail_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf);

#endif
