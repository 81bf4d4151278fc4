#include "engine/tail.h"

#include <emmintrin.h>

#include "shadowbook/assert.h"

/* A link: a leaf's index; or LINK_NODE, which nibble of the key chooses the child, and the node's index. */
#define LINK_NODE  (1u << 31)
#define LINK_INDEX SB_TAIL_CAPACITY_MAX
enum { LINK_NIBBLE_SHIFT = 28 };

static bool is_node(uint32_t link)
{
    return (link & LINK_NODE) != 0;
}

/* Of the lowest of the four bits that choose the child: 0, 4, ... 28. */
static uint32_t shift_of(uint32_t link)
{
    return (link >> LINK_NIBBLE_SHIFT & 7u) * 4u;
}

static struct sb_tail_node *node_at(const struct sb_tail_pool *pool, uint32_t link)
{
    return &pool->nodes[link & LINK_INDEX];
}

static uint32_t choice(uint32_t link, uint32_t key)
{
    return key >> shift_of(link) & (SB_TAIL_CHILDREN - 1u);
}

/* A bit for each child that is there. */
static uint32_t children(const struct sb_tail_node *n)
{
    const __m128i *c = (const __m128i *)n->child, none = _mm_setzero_si128();
    const __m128i low = _mm_packs_epi32(_mm_cmpeq_epi32(c[0], none), _mm_cmpeq_epi32(c[1], none));
    const __m128i high = _mm_packs_epi32(_mm_cmpeq_epi32(c[2], none), _mm_cmpeq_epi32(c[3], none));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) ^ 0xffffu;
}

static uint32_t lowest(uint32_t bits)
{
    return (uint32_t)__builtin_ctz(bits);
}

/* The leaf with the smallest key below a link that is not 0. */
static uint32_t smallest(const struct sb_tail_pool *pool, uint32_t link)
{
    while (is_node(link)) {
        const struct sb_tail_node *n = node_at(pool, link);
        link = n->child[lowest(children(n))];
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

/* A word of row 0 became full, or is no more: so it says in the rows above. */
static void tell_above(struct sb_tail_pool *pool, uint32_t at, bool full)
{
    bool more = true;
    for (uint32_t row = 1; row < pool->rows && more; row++, at /= 64u) {
        uint64_t *word = &pool->taken[row][at / 64u];
        const uint64_t bit = UINT64_C(1) << at % 64u, before = *word;
        *word = full ? before | bit : before & ~bit;
        more = (full ? *word : before) == UINT64_MAX;
    }
}

static uint32_t leaf_alloc(const struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                           uint32_t above, uint32_t wish)
{
    SB_ASSERT_LT(pool->used, pool->capacity);
    uint32_t at = wish - 1;
    if (at >= pool->capacity || (pool->taken[0][at / 64u] >> at % 64u & 1u) != 0)
        at = lowest_free(pool) - 1;
    const uint64_t word = pool->taken[0][at / 64u] | UINT64_C(1) << at % 64u;
    pool->taken[0][at / 64u] = word;
    if (word == UINT64_MAX)
        tell_above(pool, at / 64u, true);
    pool->used++;
    pool->leaves[at + 1] = (struct sb_tail_leaf){.key = key, .above = above, .tail = t};
    return at + 1;
}

static void leaf_release(struct sb_tail_pool *pool, uint32_t leaf)
{
    const uint32_t at = leaf - 1;
    const uint64_t word = pool->taken[0][at / 64u];
    pool->taken[0][at / 64u] = word ^ UINT64_C(1) << at % 64u;
    if (word == UINT64_MAX)
        tell_above(pool, at / 64u, false);
    pool->leaves[leaf].tail = NULL;
    pool->used--;
}

/* A link to a node without children, which chooses by the nibble at `shift`; `key` is one of those that will be below it. */
static uint32_t node_alloc(struct sb_tail_pool *pool, uint32_t shift, uint32_t key)
{
    uint32_t node = pool->node_free;
    if (node != 0) {
        pool->node_free = pool->prefixes[node];
    } else {
        node = ++pool->node_fresh;
        SB_ASSERT_LT(node, pool->capacity);
    }
    pool->prefixes[node] = key;
    return LINK_NODE | shift / 4u << LINK_NIBBLE_SHIFT | node;
}

/* Its children are zeros again. */
static void node_release(struct sb_tail_pool *pool, uint32_t link)
{
    const uint32_t node = link & LINK_INDEX;
    pool->prefixes[node] = pool->node_free;
    pool->node_free = node;
}

/* ---- the map ---- */

uint32_t sb_tail_find(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key)
{
    uint32_t link = t->root;
    while (is_node(link))
        link = node_at(pool, link)->child[choice(link, key)];
    return link != 0 && pool->leaves[link].key == key ? link : 0;
}

/* Puts a new leaf beside what is at the first link on key's way that does not go further down than bit `shift`; all keys
 * there are like `like`, which differs from key in the nibble at `shift` and nowhere above. */
static uint32_t split(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key, uint32_t like,
                      uint32_t shift, uint32_t wish)
{
    uint32_t *link = &t->root;
    while (is_node(*link) && shift_of(*link) > shift)
        link = &node_at(pool, *link)->child[choice(*link, key)];
    const uint32_t fork = node_alloc(pool, shift, key);
    const uint32_t leaf = leaf_alloc(t, pool, key, fork, wish);
    struct sb_tail_node *n = node_at(pool, fork);
    if (!is_node(*link))
        pool->leaves[*link].above = fork;
    n->child[choice(fork, like)] = *link;
    n->child[choice(fork, key)] = leaf;
    *link = fork;
    return leaf;
}

uint32_t sb_tail_find_or_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key,
                                uint32_t wish)
{
    uint32_t *link = &t->root, last = 0; /* last: the node that link is a child of */
    while (is_node(*link)) {
        last = *link;
        link = &node_at(pool, last)->child[choice(last, key)];
    }
    if (*link != 0 && pool->leaves[*link].key == key)
        return *link;
    t->least = ~key > t->least ? ~key : t->least;
    if (*link == 0 && last == 0)
        return *link = leaf_alloc(t, pool, key, 0, wish);
    const uint32_t like = *link != 0 ? pool->leaves[*link].key : pool->prefixes[last & LINK_INDEX];
    const uint32_t shift = (31u - (uint32_t)__builtin_clz((like ^ key) | 1u)) & ~3u;
    if (*link == 0 && shift <= shift_of(last))
        return *link = leaf_alloc(t, pool, key, last, wish);
    return split(t, pool, key, like, shift, wish);
}

uint32_t sb_tail_insert(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t key, uint32_t wish)
{
    const uint32_t leaf = sb_tail_find_or_insert(t, pool, key, wish);
    SB_ASSERT_EQ(pool->leaves[leaf].level.head, 0);
    return leaf;
}

/* The link on key's way to the node of `wanted`, whichever bits that says it chooses by. It is there. */
static uint32_t *link_to(struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key,
                         uint32_t wanted)
{
    uint32_t *link = &t->root;
    while (((*link ^ wanted) & (LINK_NODE | LINK_INDEX)) != 0) {
        SB_ASSERT(is_node(*link));
        link = &node_at(pool, *link)->child[choice(*link, key)];
    }
    return link;
}

/* Link to the node that the leaf is a child of, which it does not know; 0: it is alone. */
static __attribute__((noinline)) uint32_t
search_above(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t leaf)
{
    const uint32_t key = pool->leaves[leaf].key;
    uint32_t link = t->root, last = 0;
    while (is_node(link)) {
        last = link;
        link = node_at(pool, link)->child[choice(link, key)];
    }
    SB_ASSERT_EQ(link, leaf);
    return last;
}

/* The leaf of key went, and was the smallest one, or left only one child in its node: what else there is to do. */
static __attribute__((noinline)) void close_up(struct sb_tail *t, struct sb_tail_pool *pool,
                                               uint32_t key, uint32_t fork, uint32_t left)
{
    struct sb_tail_node *n = node_at(pool, fork);
    const uint32_t first = lowest(left), first_link = n->child[first];
    if ((left & (left - 1)) == 0) { /* no more a fork: the child takes its place */
        *link_to(t, pool, key, fork) = first_link;
        n->child[first] = 0;
        node_release(pool, fork);
    }
    if (key == sb_tail_least(t)) /* the smallest one left is beside the smallest one */
        t->least = ~pool->leaves[smallest(pool, first_link)].key;
}

void sb_tail_remove(struct sb_tail *t, struct sb_tail_pool *pool, uint32_t leaf)
{
    const uint32_t key = pool->leaves[leaf].key;
    uint32_t fork = pool->leaves[leaf].above;
    SB_ASSERT(pool->leaves[leaf].tail == t);
    if (fork == 0 || node_at(pool, fork)->child[choice(fork, key)] != leaf)
        fork = search_above(t, pool, leaf);
    leaf_release(pool, leaf);
    if (fork == 0) {
        *t = (struct sb_tail){0};
        return;
    }
    struct sb_tail_node *n = node_at(pool, fork);
    const uint32_t left = children(n) & ~(1u << choice(fork, key));
    n->child[choice(fork, key)] = 0;
    if ((left & (left - 1)) == 0 || key == sb_tail_least(t))
        close_up(t, pool, key, fork, left);
}

uint32_t sb_tail_first(const struct sb_tail *t, const struct sb_tail_pool *pool)
{
    return sb_tail_find(t, pool, sb_tail_least(t));
}

uint32_t sb_tail_after(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t key)
{
    uint32_t link = t->root, next = 0; /* next: where all keys are larger, the nearest such place */
    while (is_node(link)) {
        const uint32_t prefix = pool->prefixes[link & LINK_INDEX], shift = shift_of(link);
        if ((key ^ prefix) >> shift >= SB_TAIL_CHILDREN) { /* all below are on one side of key */
            next = prefix > key ? link : next;
            link = 0;
            break;
        }
        const struct sb_tail_node *n = node_at(pool, link);
        const uint32_t nibble = choice(link, key);
        const uint32_t larger = children(n) & ~1u << nibble;
        next = larger != 0 ? n->child[lowest(larger)] : next;
        link = n->child[nibble];
    }
    if (link != 0 && pool->leaves[link].key > key)
        return link;
    return next != 0 ? smallest(pool, next) : 0;
}
