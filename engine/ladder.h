/* ladder.h: the price levels of one side of one book, best first.
 *
 *        best
 *          v
 *     key: |--------- window (dense array + bitmaps) ---------|      tail (tail.h): every other key,
 *          base                                    base + window     below and above the window
 *
 * A ladder does not know which side it is: it orders levels by a key that is smaller for a better price
 * (sb_book_key()). A level exists exactly while an order rests in it.
 *
 * Keys base .. base + window - 1 live in the array, at place key mod window, so that the levels that
 * stay need not move when the window does. Three bitmaps over each other find the next level in use in three
 * loads. The window moves only when a level is inserted outside of it, and then only if it is empty, or if the best
 * level lies outside and as many such insertions as the window has levels have passed: the cost of a
 * move is paid by them. Where the window stands decides nothing but speed.
 */
#ifndef SHADOWBOOK_ENGINE_LADDER_H
#define SHADOWBOOK_ENGINE_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/tail.h"

#define SB_KEY_NONE UINT32_MAX       /* worse than every key */
#define SB_KEY_MAX  ((1u << 31) - 1) /* largest key */

/* The levels of all ladders. */
struct sb_levels {
    struct sb_tail_pool pool;
    uint32_t used, max; /* in use: in windows and tails together */
};

struct sb_ladder {
    uint32_t best; /* SB_KEY_NONE: empty */
    uint32_t base;
    uint32_t dense; /* levels in use in the window */
    uint32_t mask;  /* window - 1 */
    struct sb_tail tail;
    uint32_t outside; /* insertions outside the window since it last moved */
    uint32_t zero;
    struct sb_level *levels; /* mask + 1 of them; head 0: not in use */
    uint64_t *bits;          /* a bit for each level, then a bit for each word of those */
    uint64_t top;            /* a bit for each word of the second bitmap */
};
_Static_assert(sizeof(struct sb_ladder) <= 64, "one line");

/* Bitmap words of a ladder with this window. */
static inline size_t sb_ladder_words(uint32_t window)
{
    return window / 64u + (window + 4095u) / 4096u;
}

/* levels and bits are zeroed arrays of window and sb_ladder_words(window). */
void sb_ladder_init(struct sb_ladder *l, uint32_t window, struct sb_level *levels, uint64_t *bits);

static inline bool sb_ladder_in_window(const struct sb_ladder *l, uint32_t key)
{
    return key - l->base <= l->mask;
}

/* The level of key if it is in use, else NULL. Valid until it is erased or any ladder is inserted to. */
static inline struct sb_level *sb_ladder_find(const struct sb_ladder *l,
                                              const struct sb_levels *levels, uint32_t key)
{
    if (__builtin_expect(sb_ladder_in_window(l, key), 1)) {
        struct sb_level *level = &l->levels[key & l->mask];
        return level->head != 0 ? level : NULL;
    }
    const uint32_t leaf = sb_tail_find(&l->tail, &levels->pool, key);
    return leaf != 0 ? &levels->pool.leaves[leaf].level : NULL;
}

/* The level of key, new or not. A new one is zeros: the caller puts an order in at once. The
 * caller made sure that used < max or that the level exists. */
struct sb_level *sb_ladder_insert(struct sb_ladder *l, struct sb_levels *levels, uint32_t key);

/* Takes the level of key, which has lost its last order, out of use. */
void sb_ladder_erase(struct sb_ladder *l, struct sb_levels *levels, uint32_t key);

/* Walks the levels best first. The ladder must not change meanwhile. */
struct sb_ladder_cursor {
    const struct sb_level *level; /* NULL at the end */
    uint32_t key;
    uint32_t dense_key, leaf; /* next of each part */
};
void sb_ladder_first(const struct sb_ladder *l, const struct sb_levels *levels,
                     struct sb_ladder_cursor *c);
void sb_ladder_next(const struct sb_ladder *l, const struct sb_levels *levels,
                    struct sb_ladder_cursor *c);

#endif
