/* bench_places.h: a plain table of ids, for the yardsticks of `bench match`: places of 8 bytes, open addressing, no tombstones.
 *
 * Places and ids are the user's: zeroed places, a power of two of them; ids[slot * stride] is the id of a slot in use. */
#ifndef SHADOWBOOK_PERF_BENCH_PLACES_H
#define SHADOWBOOK_PERF_BENCH_PLACES_H

#include <stdint.h>

struct sb_place {
    uint32_t tag, slot; /* slot 0: empty */
};

enum {
    SB_PLACES_MIN = 64,
    SB_PLACES_EACH = 4
}; /* for an id, at least: most searches end where they begin */

#define SB_PLACE_NONE UINT32_MAX

struct sb_places {
    struct sb_place *place;
    const uint64_t *ids;
    uint32_t mask;
};

static inline uint32_t sb_places_for(uint32_t ids)
{
    uint32_t n = SB_PLACES_MIN;
    while (n < SB_PLACES_EACH * ids)
        n *= 2;
    return n;
}

/* The lowest bits say where the search begins. */
static inline uint32_t sb_places_tag(uint64_t id)
{
    const uint64_t product = id * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(product ^ product >> 32);
}

/* Where an id is, or, if it is not there, the empty place that it would take. */
static inline uint32_t sb_places_search(const struct sb_places *t, uint32_t stride, uint64_t id)
{
    const uint32_t tag = sb_places_tag(id);
    uint32_t at = tag & t->mask;
    while (t->place[at].slot != 0 &&
           (t->place[at].tag != tag || t->ids[(uint64_t)t->place[at].slot * stride] != id))
        at = (at + 1) & t->mask;
    return at;
}

/* Where an id is, or SB_PLACE_NONE. */
static inline uint32_t sb_places_find(const struct sb_places *t, uint32_t stride, uint64_t id)
{
    const uint32_t at = sb_places_search(t, stride, id);
    return t->place[at].slot != 0 ? at : SB_PLACE_NONE;
}

/* It is not there, and there is room. */
static inline void sb_places_put(const struct sb_places *t, uint64_t id, uint32_t slot)
{
    const uint32_t tag = sb_places_tag(id);
    uint32_t at = tag & t->mask;
    while (t->place[at].slot != 0)
        at = (at + 1) & t->mask;
    t->place[at] = (struct sb_place){.tag = tag, .slot = slot};
}

/* Who stands behind the hole moves into it, unless that is before where the search for it begins. */
static inline void sb_places_clear(const struct sb_places *t, uint32_t hole)
{
    for (uint32_t at = (hole + 1) & t->mask; t->place[at].slot != 0; at = (at + 1) & t->mask) {
        const uint32_t from_begin = at - t->place[at].tag, from_hole = at - hole;
        if ((from_begin & t->mask) < (from_hole & t->mask))
            continue;
        t->place[hole] = t->place[at];
        hole = at;
    }
    t->place[hole].slot = 0;
}

#endif
