/* arena.h: carves tables out of one block that the caller gives. With base = NULL it only measures, so
 * that a footprint and a layout are the same code. Blocks are 64-byte aligned. */
#ifndef SHADOWBOOK_ARENA_H
#define SHADOWBOOK_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "shadowbook/assert.h"

struct sb_arena {
    uint8_t *base; /* NULL: measure only */
    size_t used, size;
};

static inline void *sb_arena_take(struct sb_arena *a, size_t bytes)
{
    const size_t at = (a->used + 63) & ~(size_t)63;
    a->used = at + bytes;
    if (a->base == NULL)
        return NULL;
    SB_ASSERT_LE(a->used, a->size);
    return a->base + at;
}

#endif
