#include "engine/ladder.h"

#include "shadowbook/assert.h"

/* Bits above bit b of a word; right for b = 63 too. */
static uint64_t above(uint32_t b)
{
    return (~UINT64_C(0) << b) << 1;
}

static uint32_t lowest(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(word);
}

static uint64_t *second(const struct sb_ladder *l)
{
    return l->bits + (l->mask + 1u) / 64u;
}

static void bit_set(struct sb_ladder *l, uint32_t place)
{
    l->bits[place >> 6] |= UINT64_C(1) << (place & 63u);
    second(l)[place >> 12] |= UINT64_C(1) << ((place >> 6) & 63u);
    l->top |= UINT64_C(1) << (place >> 12);
}

static void bit_clear(struct sb_ladder *l, uint32_t place)
{
    if ((l->bits[place >> 6] &= ~(UINT64_C(1) << (place & 63u))) != 0)
        return;
    if ((second(l)[place >> 12] &= ~(UINT64_C(1) << ((place >> 6) & 63u))) != 0)
        return;
    l->top &= ~(UINT64_C(1) << (place >> 12));
}

/* First place in use at or after `place`, without wrapping; SB_KEY_NONE if there is none. */
static uint32_t bit_next(const struct sb_ladder *l, uint32_t place)
{
    uint32_t word = place >> 6;
    uint64_t found = l->bits[word] & (~UINT64_C(0) << (place & 63u));
    if (found == 0) {
        uint32_t block = word >> 6;
        uint64_t words = second(l)[block] & above(word & 63u);
        if (words == 0) {
            const uint64_t blocks = l->top & above(block);
            if (blocks == 0)
                return SB_KEY_NONE;
            block = lowest(blocks);
            words = second(l)[block];
        }
        word = block * 64u + lowest(words);
        found = l->bits[word];
    }
    return word * 64u + lowest(found);
}

/* Smallest key in use in the window that is >= key (which is in the window), or SB_KEY_NONE. */
static uint32_t dense_from(const struct sb_ladder *l, uint32_t key)
{
    if (l->dense == 0)
        return SB_KEY_NONE;
    uint32_t place = bit_next(l, key & l->mask);
    if (place == SB_KEY_NONE)
        place = bit_next(l, 0); /* the window wraps around the array */
    if (place == SB_KEY_NONE)
        return SB_KEY_NONE;
    const uint32_t next = l->base + ((place - l->base) & l->mask);
    return next >= key ? next : SB_KEY_NONE; /* smaller: went all the way around */
}

void sb_ladder_init(struct sb_ladder *l, uint32_t window, struct sb_level *levels, uint64_t *bits)
{
    *l =
        (struct sb_ladder){.best = SB_KEY_NONE, .mask = window - 1, .levels = levels, .bits = bits};
}

/* Moves the window so that it holds `key`, which is no worse than every level in use. */
static void move_window(struct sb_ladder *l, struct sb_levels *levels, uint32_t key)
{
    const uint32_t window = l->mask + 1;
    /* Most levels are worse than the best: leave a quarter for better ones to come. */
    const uint32_t base = key > window / 4 ? key - window / 4 : 0;
    struct sb_tail_pool *pool = &levels->pool;

    uint32_t old = dense_from(l, l->base);
    while (old != SB_KEY_NONE) {
        const uint32_t next = old - l->base < l->mask ? dense_from(l, old + 1) : SB_KEY_NONE;
        if (old - base > l->mask) {
            struct sb_level *from = &l->levels[old & l->mask];
            pool->leaves[sb_tail_insert(&l->tail, pool, old)].level = *from;
            *from = (struct sb_level){0};
            bit_clear(l, old & l->mask);
            l->dense--;
        }
        old = next;
    }
    l->base = base;
    /* Nothing is smaller than base, so what comes in is at the front of the tail. */
    while (l->tail.first != 0 && sb_ladder_in_window(l, pool->leaves[l->tail.first].key)) {
        const uint32_t leaf = l->tail.first;
        const uint32_t place = pool->leaves[leaf].key & l->mask;
        l->levels[place] = pool->leaves[leaf].level;
        bit_set(l, place);
        l->dense++;
        sb_tail_remove(&l->tail, pool, leaf);
    }
}

static struct sb_level *insert_outside(struct sb_ladder *l, struct sb_levels *levels, uint32_t key)
{
    const uint32_t leaf = sb_tail_find(&l->tail, &levels->pool, key);
    if (leaf != 0)
        return &levels->pool.leaves[leaf].level;
    levels->used++;
    if (key < l->best)
        l->best = key;
    return &levels->pool.leaves[sb_tail_insert(&l->tail, &levels->pool, key)].level;
}

struct sb_level *sb_ladder_insert(struct sb_ladder *l, struct sb_levels *levels, uint32_t key)
{
    if (__builtin_expect(!sb_ladder_in_window(l, key), 0)) {
        const uint32_t best = key < l->best ? key : l->best;
        l->outside++;
        if (l->dense == 0 || (l->outside > l->mask && !sb_ladder_in_window(l, best))) {
            l->outside = 0;
            move_window(l, levels, best);
        }
        if (!sb_ladder_in_window(l, key))
            return insert_outside(l, levels, key);
    }
    const uint32_t place = key & l->mask;
    struct sb_level *level = &l->levels[place];
    if (level->head == 0) {
        SB_ASSERT_LT(levels->used, levels->max);
        levels->used++;
        l->dense++;
        bit_set(l, place);
        if (key < l->best)
            l->best = key;
    }
    return level;
}

void sb_ladder_erase(struct sb_ladder *l, struct sb_levels *levels, uint32_t key)
{
    levels->used--;
    if (__builtin_expect(sb_ladder_in_window(l, key), 1)) {
        l->levels[key & l->mask] = (struct sb_level){0};
        l->dense--;
        bit_clear(l, key & l->mask);
    } else {
        const uint32_t leaf = sb_tail_find(&l->tail, &levels->pool, key);
        SB_ASSERT(leaf != 0);
        sb_tail_remove(&l->tail, &levels->pool, leaf);
    }
    if (key != l->best)
        return;
    uint32_t best = dense_from(l, l->base);
    if (l->tail.first != 0) {
        const uint32_t far = levels->pool.leaves[l->tail.first].key;
        if (far < best)
            best = far;
    }
    l->best = best;
}

/* Puts the better of the two parts' next levels under the cursor. */
static void cursor_pick(const struct sb_ladder *l, const struct sb_levels *levels,
                        struct sb_ladder_cursor *c)
{
    const struct sb_tail_leaf *leaf = c->leaf != 0 ? &levels->pool.leaves[c->leaf] : NULL;
    if (leaf != NULL && leaf->key < c->dense_key) {
        c->key = leaf->key;
        c->level = &leaf->level;
        c->leaf = leaf->next;
    } else if (c->dense_key != SB_KEY_NONE) {
        c->key = c->dense_key;
        c->level = &l->levels[c->key & l->mask];
        c->dense_key = c->key - l->base < l->mask ? dense_from(l, c->key + 1) : SB_KEY_NONE;
    } else {
        c->key = SB_KEY_NONE;
        c->level = NULL;
    }
}

void sb_ladder_first(const struct sb_ladder *l, const struct sb_levels *levels,
                     struct sb_ladder_cursor *c)
{
    c->dense_key = dense_from(l, l->base);
    c->leaf = l->tail.first;
    cursor_pick(l, levels, c);
}

void sb_ladder_next(const struct sb_ladder *l, const struct sb_levels *levels,
                    struct sb_ladder_cursor *c)
{
    cursor_pick(l, levels, c);
}
