/* tail_walk.h: the inside of a tail (tail.h), and the way that most insertions and removals take through it: inline, for who does it
 * once a message (direct.c) and for tail.c, where the rest is.
 *
 * A message waits for lines of the tail that come from memory one after the other. What the processor does meanwhile is the next
 * message, as far as its window reaches, some 450 instructions, and only if it guessed right. So this is kept short, and
 * what is not so in most calls is a call of its own.
 */
#ifndef SHADOWBOOK_ENGINE_TAIL_WALK_H
#define SHADOWBOOK_ENGINE_TAIL_WALK_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/tail.h"
#include "engine/words.h"
#include "shadowbook/assert.h"

/* --- links -------------------------------------------------------------------------------------- */

/* A link: a leaf's index; or SB_LINK_NODE, the node's index, and which nibble of the key chooses the child. The nibble is the
 * lowest part, so that a step down takes the fewest instructions. */
#define SB_LINK_NODE (1u << 31)
enum { SB_LINK_SHIFT = 3, SB_LINK_NIBBLE = (1 << SB_LINK_SHIFT) - 1 };
_Static_assert(SB_TAIL_CAPACITY_MAX <= (SB_LINK_NODE - 1) >> SB_LINK_SHIFT, "fits a link");

static inline bool sb_link_is_node(uint32_t link)
{
    return (link & SB_LINK_NODE) != 0;
}

static inline uint32_t sb_link_index(uint32_t link)
{
    return (link & ~SB_LINK_NODE) >> SB_LINK_SHIFT;
}

/* Of the lowest of the four bits that choose the child: 0, 4, ... 28. */
static inline uint32_t sb_link_bit(uint32_t link)
{
    return link % 8u * 4u;
}

/* Which child. */
static inline uint32_t sb_link_choice(uint32_t link, uint32_t key)
{
    uint32_t bit = link * 4u;
    SB_KEEP_APART(bit); /* or the compiler cuts it to 5 bits, which the shift does by itself */
    return key >> bit % 32u & (SB_TAIL_CHILDREN - 1u);
}

static inline struct sb_tail_node *sb_tail_node_at(const struct sb_tail_pool *pool, uint32_t link)
{
    const size_t nodes8 = link & ~(SB_LINK_NODE | SB_LINK_NIBBLE); /* index << SB_LINK_SHIFT */
    return (struct sb_tail_node *)(void *)((char *)pool->nodes +
                                           nodes8 * (sizeof(struct sb_tail_node) >> SB_LINK_SHIFT));
}

static inline uint32_t *sb_tail_child(const struct sb_tail_pool *pool, uint32_t link, uint32_t key)
{
    return &sb_tail_node_at(pool, link)->child[sb_link_choice(link, key)];
}

/* A bit for each child that is there. */
static inline uint32_t sb_tail_children(const struct sb_tail_node *n)
{
#ifdef __SSE2__
    const __m128i *c = (const __m128i *)n->child, none = _mm_setzero_si128();
    const __m128i low = _mm_packs_epi32(_mm_cmpeq_epi32(c[0], none), _mm_cmpeq_epi32(c[1], none));
    const __m128i high = _mm_packs_epi32(_mm_cmpeq_epi32(c[2], none), _mm_cmpeq_epi32(c[3], none));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) ^ 0xffffu;
#else
    uint32_t there = 0;
    for (uint32_t i = 0; i < SB_TAIL_CHILDREN; i++)
        there |= (uint32_t)(n->child[i] != 0) << i;
    return there;
#endif
}

/* --- to a leaf ---------------------------------------------------------------------------------- */

static inline bool sb_tail_leaf_free(const struct sb_tail_pool *pool, uint32_t leaf)
{
    const uint32_t at = leaf - 1;
    return at < pool->capacity && (pool->taken[0][at / 64u] >> at % 64u & 1u) == 0;
}

/* The word of row 0 that has this leaf became full, or is no more: so it says in the rows above. */
void sb_tail_tell_above(struct sb_tail_pool *pool, uint32_t leaf, bool full);

/* Takes this one, which is free. Its level is for the caller to write. */
static inline void sb_tail_leaf_take(const struct sb_tail *t, struct sb_tail_pool *pool,
                                     uint32_t key, uint32_t above, uint32_t leaf)
{
    const uint32_t at = leaf - 1;
    const uint64_t word = pool->taken[0][at / 64u] | UINT64_C(1) << at % 64u;
    struct sb_tail_leaf *l = &pool->leaves[leaf];
    SB_ASSERT_LT(pool->used, pool->capacity);
    pool->taken[0][at / 64u] = word;
    pool->used++;
    l->key = key;
    l->above = above;
    l->tail = t;
    if (__builtin_expect(word == UINT64_MAX, 0))
        sb_tail_tell_above(pool, leaf, true);
}

/* Is a leaf that came the first now? */
static inline void sb_tail_came(struct sb_tail *t, uint32_t key, uint32_t leaf)
{
    const bool first = ~key > t->least;
    t->least = first ? ~key : t->least;
    t->first = first ? leaf : t->first;
}

/* A new leaf where a node has to be made for it, or the wish cannot be granted: `at` is the link where the walk for its key ended,
 * a child of `last` (0: it is the root). */
uint32_t sb_tail_put_elsewhere(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                               uint32_t wish, uint32_t *at, uint32_t last);

/* sb_tail_find_or_insert(). The level of a leaf that was `made` is for the caller to write. */
static inline uint32_t sb_tail_reach(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                                     uint32_t wish, bool *made)
{
    uint32_t *at = &t->root, last = 0;
    while (sb_link_is_node(*at)) {
        last = *at;
        at = sb_tail_child(pool, last, key);
    }
    const uint32_t found = *at;
    *made = true;
    if (found != 0 && pool->leaves[found].key == key) {
        *made = false;
        return found;
    }
    if (__builtin_expect(found != 0, 0) || __builtin_expect(last == 0, 0) ||
        (pool->prefixes[sb_link_index(last)] ^ key) >> sb_link_bit(last) >= SB_TAIL_CHILDREN ||
        __builtin_expect(!sb_tail_leaf_free(pool, wish), 0))
        return sb_tail_put_elsewhere(t, pool, key, wish, at, last);
    sb_tail_came(t, key, wish);
    *at = wish;
    sb_tail_leaf_take(t, pool, key, last, wish);
    return wish;
}

/* --- ahead of who does it later ------------------------------------------------------------------- */

/* Asks for the line of the lowest node on a key's way, if that chooses by the lowest bits: it is not looked at. */
static inline void sb_tail_ask(const struct sb_tail *t, const struct sb_tail_pool *pool,
                               uint32_t key)
{
    uint32_t link = t->root;
    while (sb_link_is_node(link) && sb_link_bit(link) != 0)
        link = *sb_tail_child(pool, link, key);
    __builtin_prefetch(sb_tail_node_at(pool, link), 1);
}

/* Ask for the leaf of this number, if there is one; and, once it has come, for its node. */
static inline void sb_tail_ask_leaf(const struct sb_tail_pool *pool, uint32_t leaf)
{
    if (__builtin_expect(leaf <= pool->capacity, 1))
        __builtin_prefetch(&pool->leaves[leaf], 1);
}
static inline void sb_tail_ask_node(const struct sb_tail_pool *pool, uint32_t leaf)
{
    if (__builtin_expect(leaf <= pool->capacity, 1))
        __builtin_prefetch(sb_tail_node_at(pool, pool->leaves[leaf].above), 1);
}

/* --- from a leaf -------------------------------------------------------------------------------- */

/* Gives it back. True: its word of row 0 was full, which the rows above are to be told. */
static inline bool sb_tail_leaf_give(struct sb_tail_pool *pool, uint32_t leaf)
{
    const uint32_t at = leaf - 1;
    const uint64_t word = pool->taken[0][at / 64u];
    pool->taken[0][at / 64u] = word ^ UINT64_C(1) << at % 64u;
    pool->leaves[leaf].tail = NULL;
    pool->used--;
    return word == UINT64_MAX;
}

/* Removes the only leaf of a tail (asserted). */
void sb_tail_remove_only(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf);

/* What follows of sb_tail_take_out() now and then. above, left: the leaf's node, and the children that it still has. */
void sb_tail_taken_out(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf, uint32_t above,
                       uint32_t left, bool was_full);

/* sb_tail_remove(), of a leaf that is this tail's for certain. */
static inline void sb_tail_take_out(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf)
{
    const uint32_t key = pool->leaves[leaf].key, above = pool->leaves[leaf].above;
    if (__builtin_expect(above == 0, 0)) {
        sb_tail_remove_only(t, pool, leaf);
        return;
    }
    struct sb_tail_node *n = sb_tail_node_at(pool, above);
    const uint32_t choice = sb_link_choice(above, key);
    const uint32_t left = sb_tail_children(n) & ~(1u << choice);
    SB_ASSERT_EQ(n->child[choice], leaf);
    n->child[choice] = 0;
    const bool was_full = sb_tail_leaf_give(pool, leaf);
    if (__builtin_expect(was_full | ((left & (left - 1)) == 0) | (key == sb_tail_least(t)), 0))
        sb_tail_taken_out(t, pool, leaf, above, left, was_full);
}

/* sb_tail_leave() by a walk. */
void sb_tail_find_and_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key);

/* Removes the leaf of a key that is there (asserted); `wish` is the number that was wished for when it came, as far as known. */
static inline void sb_tail_leave(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                                 uint32_t wish)
{
    if (__builtin_expect(sb_tail_is(t, pool, wish, key), 1))
        sb_tail_take_out(t, pool, wish);
    else
        sb_tail_find_and_remove(t, pool, key);
}

#endif
