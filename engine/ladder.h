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
 * stay need not move when the window does. Bitmaps, one over the other, find the next level in use in few loads. The window
 * moves only when a level is opened outside of it, and only if the best level lies outside and more than a quarter as many levels were
 * opened outside since it last moved than it holds: those it has to put away are paid for by these, and each that it takes in is
 * taken out or put away once. Where the window stands decides nothing but speed.
 *
 * What is common is here, inline: keys in the window. The rest is in ladder.c.
 */
#ifndef SHADOWBOOK_ENGINE_LADDER_H
#define SHADOWBOOK_ENGINE_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/tail.h"
#include "shadowbook/assert.h"

/* The levels of all ladders. */
struct sb_levels {
    struct sb_tail_pool pool;
    uint32_t used, max; /* in use: in windows and tails together */
    bool counted;       /* else there are as many as orders, and `used` stays 0 */
};

struct sb_ladder {
    _Alignas(64) uint32_t best; /* SB_KEY_NONE: empty */
    uint32_t base;
    uint32_t outside; /* levels opened outside the window since it last moved */
    uint32_t mask;    /* window - 1 */
    struct sb_tail tail;
    struct sb_level *levels; /* mask + 1 of them; head 0: not in use */
    uint64_t *words;         /* a bit for each level; behind them, in groups, for each word not 0 */
    uint64_t top;            /* a bit for each group that is not 0 */
    uint32_t patience; /* `outside` may come to so much before the window's levels are counted */
    uint32_t zero;
};
_Static_assert(sizeof(struct sb_ladder) == 64, "one line");

enum { SB_LADDER_WINDOW_MIN = 64, SB_LADDER_WINDOW_MAX = 1 << 16, SB_LADDER_GROUP = 64 * 64 };

/* Words of the bitmaps of a ladder with this window. */
static inline size_t sb_ladder_words(uint32_t window)
{
    return window / 64u + (window + SB_LADDER_GROUP - 1) / SB_LADDER_GROUP;
}

/* window: a power of two. levels and words are zeroed arrays of window and sb_ladder_words(window). */
void sb_ladder_init(struct sb_ladder *l, uint32_t window, struct sb_level *levels, uint64_t *words);

static inline bool sb_ladder_in_window(const struct sb_ladder *l, uint32_t key)
{
    return __builtin_expect(key - l->base <= l->mask, 1);
}

/* For keys outside the window. */
struct sb_level *sb_ladder_find_far(const struct sb_ladder *l, const struct sb_levels *levels,
                                    uint32_t key);
struct sb_level *sb_ladder_insert_far(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                                      uint32_t slot);
void sb_ladder_erase_far(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                         struct sb_level *level);

/* What is left to do now and then: more levels were opened outside than the window has patience for, and the best is outside,
 * too (returns where the level of key is afterwards); the best level, outside, went. */
struct sb_level *sb_ladder_follow(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                                  struct sb_level *level);
void sb_ladder_best_went(struct sb_ladder *l);

/* A level outside the window was just made, with an order in it. Returns where it is now. */
static inline struct sb_level *sb_ladder_opened_far(struct sb_ladder *l, struct sb_levels *levels,
                                                    uint32_t key, struct sb_level *level)
{
    SB_ASSERT_LT(levels->used, levels->max);
    if (__builtin_expect(levels->counted, 0))
        levels->used++;
    l->best = key < l->best ? key : l->best;
    if (__builtin_expect(++l->outside > l->patience, 1) &&
        __builtin_expect(!sb_ladder_in_window(l, l->best), 0))
        return sb_ladder_follow(l, levels, key, level);
    return level;
}

/* A level outside the window went. */
static inline void sb_ladder_closed_far(struct sb_ladder *l, struct sb_levels *levels, uint32_t key)
{
    if (__builtin_expect(levels->counted, 0))
        levels->used--;
    if (__builtin_expect(key == l->best, 0))
        sb_ladder_best_went(l);
}

/* The level of key if it is in use, else NULL. Valid until it is erased or any ladder is inserted to. */
static inline struct sb_level *sb_ladder_find(const struct sb_ladder *l,
                                              const struct sb_levels *levels, uint32_t key)
{
    if (!sb_ladder_in_window(l, key))
        return sb_ladder_find_far(l, levels, key);
    struct sb_level *level = &l->levels[key & l->mask];
    return level->head != 0 ? level : NULL;
}

/* The same for the key of the order in this slot: if that one opened the level, it is found without a walk. */
static inline struct sb_level *sb_ladder_find_of(const struct sb_ladder *l,
                                                 const struct sb_levels *levels, uint32_t key,
                                                 uint32_t slot)
{
    if (!sb_ladder_in_window(l, key) && sb_tail_is(&l->tail, &levels->pool, slot, key))
        return &levels->pool.leaves[slot].level;
    return sb_ladder_find(l, levels, key);
}

/* Of 64 words of bits each. */
static inline uint64_t *sb_ladder_groups(const struct sb_ladder *l)
{
    return l->words + ((uint64_t)l->mask + 1) / 64u;
}

/* Takes a place of the window, in use already or not, into use. */
static inline void sb_ladder_open(struct sb_ladder *l, uint64_t place)
{
    const uint64_t word = l->words[place / 64u];
    l->words[place / 64u] = word | UINT64_C(1) << place % 64u;
    if (__builtin_expect(word == 0, 0)) {
        sb_ladder_groups(l)[place / SB_LADDER_GROUP] |= UINT64_C(1) << place / 64u % 64u;
        l->top |= UINT64_C(1) << place / SB_LADDER_GROUP;
    }
}

/* The reverse. */
static inline void sb_ladder_close(struct sb_ladder *l, uint64_t place)
{
    const uint64_t word = l->words[place / 64u] & ~(UINT64_C(1) << place % 64u);
    l->words[place / 64u] = word;
    if (__builtin_expect(word == 0, 0)) {
        uint64_t *group = &sb_ladder_groups(l)[place / SB_LADDER_GROUP];
        *group &= ~(UINT64_C(1) << place / 64u % 64u);
        if (*group == 0)
            l->top &= ~(UINT64_C(1) << place / SB_LADDER_GROUP);
    }
}

/* The first word in use after word `at`, going around. */
static inline uint32_t sb_ladder_word_after(const struct sb_ladder *l, uint32_t at)
{
    uint32_t g = at / 64u;
    uint64_t group = sb_ladder_groups(l)[g] & ~UINT64_C(1) << at % 64u;
    if (group == 0) {
        const uint64_t after = l->top & ~UINT64_C(1) << g;
        g = (uint32_t)__builtin_ctzll(after != 0 ? after : l->top);
        group = sb_ladder_groups(l)[g];
    }
    return g * 64u + (uint32_t)__builtin_ctzll(group);
}

/* Key of the first place in use at or after `place`, going around the array; the window holds one. */
static inline uint32_t sb_ladder_around(const struct sb_ladder *l, uint32_t place)
{
    uint32_t at = place / 64u;
    uint64_t word = l->words[at] & ~UINT64_C(0) << place % 64u;
    if (word == 0) {
        at = sb_ladder_word_after(l, at);
        word = l->words[at];
    }
    const uint32_t found = at * 64u + (uint32_t)__builtin_ctzll(word);
    return l->base + ((found - l->base) & l->mask);
}

/* The best level, of the window, went out of use. */
static inline void sb_ladder_next_best(struct sb_ladder *l)
{
    /* Nothing better is in use, so what comes next around the array is the next best. */
    const uint32_t far = sb_tail_least(&l->tail);
    const uint32_t near = l->top != 0 ? sb_ladder_around(l, l->best & l->mask) : SB_KEY_NONE;
    l->best = near < far ? near : far;
}

/* The level of key, new or not. A new one is zeros: the caller puts the order of this slot in at once. The
 * caller made sure that used < max or that the level exists. */
static inline struct sb_level *sb_ladder_insert(struct sb_ladder *l, struct sb_levels *levels,
                                                uint32_t key, uint32_t slot)
{
    if (!sb_ladder_in_window(l, key))
        return sb_ladder_insert_far(l, levels, key, slot);
    const uint32_t place = key & l->mask;
    struct sb_level *level = &l->levels[place];
    if (level->head == 0) {
        SB_ASSERT_LT(levels->used, levels->max);
        levels->used += levels->counted;
        sb_ladder_open(l, place);
        l->best = key < l->best ? key : l->best;
    }
    return level;
}

/* Takes the level of key, which has lost its last order, out of use. */
static inline void sb_ladder_erase(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                                   struct sb_level *level)
{
    if (!sb_ladder_in_window(l, key)) {
        sb_ladder_erase_far(l, levels, key, level);
        return;
    }
    levels->used -= levels->counted;
    *level = (struct sb_level){0};
    sb_ladder_close(l, key & l->mask);
    if (key == l->best)
        sb_ladder_next_best(l);
}

/* Levels in use in the window. O(words in use). */
uint32_t sb_ladder_dense(const struct sb_ladder *l);

/* Smallest key in use > key, or SB_KEY_NONE. For walks on which levels go out of use. */
uint32_t sb_ladder_after(const struct sb_ladder *l, const struct sb_levels *levels, uint32_t key);

/* Walks the levels best first. The ladder must not change meanwhile. */
struct sb_ladder_cursor {
    const struct sb_level *level; /* NULL at the end */
    uint32_t key;
    uint32_t near, leaf; /* next of each part: a key of the window, a leaf of the tail */
};
void sb_ladder_first(const struct sb_ladder *l, const struct sb_levels *levels,
                     struct sb_ladder_cursor *c);
void sb_ladder_next(const struct sb_ladder *l, const struct sb_levels *levels,
                    struct sb_ladder_cursor *c);

#endif
