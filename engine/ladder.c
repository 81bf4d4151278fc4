#include "engine/ladder.h"

void sb_ladder_init(struct sb_ladder *l, uint32_t window, struct sb_level *levels, uint64_t *words)
{
    SB_ASSERT(window >= SB_LADDER_WINDOW_MIN && window <= SB_LADDER_WINDOW_MAX);
    *l = (struct sb_ladder){
        .best = SB_KEY_NONE, .mask = window - 1, .levels = levels, .words = words};
}

/* Smallest key in use in the window that is >= key (which is in the window), or SB_KEY_NONE. */
static uint32_t near_from(const struct sb_ladder *l, uint32_t key)
{
    if (l->top == 0)
        return SB_KEY_NONE;
    const uint32_t found = sb_ladder_around(l, key & l->mask);
    return found >= key ? found : SB_KEY_NONE; /* smaller: went all the way around */
}

static uint32_t near_after(const struct sb_ladder *l, uint32_t key)
{
    return key - l->base < l->mask ? near_from(l, key + 1) : SB_KEY_NONE;
}

uint32_t sb_ladder_dense(const struct sb_ladder *l)
{
    uint32_t n = 0;
    for (uint64_t top = l->top; top != 0; top &= top - 1) {
        const uint32_t g = (uint32_t)__builtin_ctzll(top);
        for (uint64_t group = sb_ladder_groups(l)[g]; group != 0; group &= group - 1)
            n += (uint32_t)__builtin_popcountll(
                l->words[g * 64u + (uint32_t)__builtin_ctzll(group)]);
    }
    return n;
}

/* Moves the window so that it holds the best level. */
static void move_window(struct sb_ladder *l, struct sb_levels *levels)
{
    const uint32_t window = l->mask + 1;
    /* A price that goes may go on either way. */
    const uint32_t base = l->best > window / 2 ? l->best - window / 2 : 0;
    struct sb_tail_pool *pool = &levels->pool;

    uint32_t old = near_from(l, l->base);
    while (old != SB_KEY_NONE) {
        const uint32_t next = near_after(l, old), place = old & l->mask;
        if (old - base > l->mask) {
            const struct sb_level *level = &l->levels[place];
            pool->leaves[sb_tail_insert(&l->tail, pool, old, level->head)].level = *level;
            l->levels[place] = (struct sb_level){0};
            sb_ladder_close(l, place);
        }
        old = next;
    }
    l->base = base;
    /* Nothing is smaller than base, so what comes in is at the front of the tail. */
    uint32_t in;
    while (sb_ladder_in_window(l, in = sb_tail_least(&l->tail))) {
        const uint32_t leaf = sb_tail_first(&l->tail);
        l->levels[in & l->mask] = pool->leaves[leaf].level;
        sb_ladder_open(l, in & l->mask);
        sb_tail_remove(&l->tail, pool, leaf);
    }
    l->outside = 0;
    l->patience = sb_ladder_dense(l) / 4;
}

/* The window counts its levels only here: the answer no is good for a while. */
struct sb_level *sb_ladder_follow(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                                  struct sb_level *level)
{
    l->patience = sb_ladder_dense(l) / 4;
    if (l->outside > l->patience)
        move_window(l, levels);
    return sb_ladder_in_window(l, key) ? &l->levels[key & l->mask] : level; /* leaves stay */
}

struct sb_level *sb_ladder_find_far(const struct sb_ladder *l, const struct sb_levels *levels,
                                    uint32_t key)
{
    const uint32_t leaf = key == sb_tail_least(&l->tail)
                              ? sb_tail_first(&l->tail)
                              : sb_tail_find(&l->tail, &levels->pool, key);
    return leaf != 0 ? &levels->pool.leaves[leaf].level : NULL;
}

struct sb_level *sb_ladder_insert_far(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                                      uint32_t slot)
{
    struct sb_level *level =
        &levels->pool.leaves[sb_tail_find_or_insert(&l->tail, &levels->pool, key, slot)].level;
    return level->head != 0 ? level : sb_ladder_opened_far(l, levels, key, level);
}

void sb_ladder_erase_far(struct sb_ladder *l, struct sb_levels *levels, uint32_t key,
                         struct sb_level *level)
{
    sb_tail_remove(&l->tail, &levels->pool, sb_tail_leaf_of(&levels->pool, level));
    sb_ladder_closed_far(l, levels, key);
}

void sb_ladder_best_went(struct sb_ladder *l)
{
    const uint32_t far = sb_tail_least(&l->tail), near = near_from(l, l->base);
    l->best = near < far ? near : far;
}

/* Puts the better of the two parts' next levels under the cursor. */
static void cursor_pick(const struct sb_ladder *l, const struct sb_levels *levels,
                        struct sb_ladder_cursor *c)
{
    const struct sb_tail_leaf *leaf = c->leaf != 0 ? &levels->pool.leaves[c->leaf] : NULL;
    if (leaf != NULL && leaf->key < c->near) {
        c->key = leaf->key;
        c->level = &leaf->level;
        c->leaf = sb_tail_after(&l->tail, &levels->pool, leaf->key);
    } else if (c->near != SB_KEY_NONE) {
        c->key = c->near;
        c->level = &l->levels[c->key & l->mask];
        c->near = near_after(l, c->key);
    } else {
        c->key = SB_KEY_NONE;
        c->level = NULL;
    }
}

void sb_ladder_first(const struct sb_ladder *l, const struct sb_levels *levels,
                     struct sb_ladder_cursor *c)
{
    c->near = near_from(l, l->base);
    c->leaf = sb_tail_first(&l->tail);
    cursor_pick(l, levels, c);
}

void sb_ladder_next(const struct sb_ladder *l, const struct sb_levels *levels,
                    struct sb_ladder_cursor *c)
{
    cursor_pick(l, levels, c);
}

uint32_t sb_ladder_after(const struct sb_ladder *l, const struct sb_levels *levels, uint32_t key)
{
    const uint32_t leaf = sb_tail_after(&l->tail, &levels->pool, key);
    const uint32_t far = leaf != 0 ? levels->pool.leaves[leaf].key : SB_KEY_NONE;
    const uint32_t near = key < l->base ? near_from(l, l->base) : near_after(l, key);
    return near < far ? near : far;
}
