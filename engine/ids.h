/* ids.h: from an order's 64-bit id to its slot.
 *
 *     id --hash--> near bucket --full--> far bucket --full--> second far bucket --full--> tree
 *                       |
 *                       +--> bit: does any of those beyond their near bucket hash here? cell: how many of them
 *
 * A bucket is one cache line: tags (bits of the hash, 0 = a free lane) and as many slots. It is known how many live orders hash
 * there but were put further on: a search ends at the first bucket that nobody went past. All lanes of a bucket are compared at once.
 * Nothing ever moves, there are no tombstones and nothing is rehashed. Each id has a lane that it takes if that is free, its home: a
 * search looks there first, so that the processor guesses the slot, and asks for the order, while the lanes are still being compared.
 *
 * The near buckets are few, so that they stay in the cache while few orders live, however many there may be: a new id's is any of
 * them. 16 lanes fit in each, because they hold no slots but the low ones, of 16 bits (who comes while few live has such a one,
 * orders.h), and no count, which stands elsewhere and is seldom asked for. The far ones, of 10 lanes, have room for twice orders_max.
 * The tree (crit-bit, at most 64 steps) is what bounds the rest: ids that somebody chose to collide cost no more than that. To choose
 * them one would have to know the seed; it decides nothing but speed.
 *
 * A far bucket's line comes from memory. Whoever adds an id need not wait for it: a bit that is 0, in lines so few that they stay in
 * the cache, says that the id does not live there, and then it waits with up to seven others while its bucket's line comes. Whoever does
 * not find an id there has them put in, and looks again. So that bits go, too, a cell counts who is in the buckets: half a byte, written
 * as late as they are. One that has once come to 15 stays there, and its bit: with ever more orders than cells most do, and who comes
 * waits for his bucket, as he would without bits.
 */
#ifndef SHADOWBOOK_ENGINE_IDS_H
#define SHADOWBOOK_ENGINE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/order.h"
#include "shadowbook/assert.h"

enum { SB_IDS_NEAR_LANES = 16, SB_IDS_FAR_LANES = 10, SB_IDS_FAR_HOMES = 8 };
enum { SB_IDS_NEAR_MAX = 4096, SB_IDS_NEAR_SLOTS = 1 << 16, SB_IDS_TAG_SHIFT = 48 };
enum { SB_IDS_CELLS_MAX = 1 << 21, SB_IDS_CELL_MOST = 15, SB_IDS_WAIT_MOST = 8 };
#define SB_IDS_TAG_BIT (UINT64_C(1) << SB_IDS_TAG_SHIFT)

struct sb_ids_near {
    uint16_t tag[SB_IDS_NEAR_LANES];
    uint16_t slot[SB_IDS_NEAR_LANES]; /* below SB_IDS_NEAR_SLOTS */
};
struct sb_ids_far {
    uint16_t tag[SB_IDS_FAR_LANES];
    uint32_t more; /* live orders that hash here and are further on */
    uint32_t slot[SB_IDS_FAR_LANES];
};
_Static_assert(sizeof(struct sb_ids_near) == 64 && sizeof(struct sb_ids_far) == 64, "one line");

/* Child: 0 none, SB_IDS_NODE set: a node, else a slot. A free node's child[0] is how far after index + 1 the next free one is. */
struct sb_ids_node {
    uint32_t child[2];
    uint32_t bit; /* all ids below agree above it; child[b] has those where it is b */
};
#define SB_IDS_NODE (1u << 31)

struct sb_ids {
    struct sb_ids_near *near;
    uint32_t *more; /* [near bucket]: as in a far one */
    struct sb_ids_far *far;
    uint64_t key[2];      /* of the hash, made of the seed */
    uint64_t near_mask;   /* of a bucket's offset in bytes: it is cut out of the hash */
    uint32_t far_n, past; /* past: live orders beyond their near bucket */
    struct sb_ids_node *nodes;
    uint32_t root, node_free;
    uint8_t *cells; /* two to a byte */
    uint8_t *marks; /* eight bits to a byte, one for each cell */
    uint32_t bytes; /* of cells */
    uint32_t waiting;
    struct {
        uint64_t hash;
        uint32_t slot;
    } wait[SB_IDS_WAIT_MOST];
};

/* Sizes for this many orders. */
static inline uint32_t sb_ids_near_n(uint32_t max)
{
    uint32_t n = 16;
    while (n < SB_IDS_NEAR_MAX && n * SB_IDS_NEAR_LANES < 2 * max)
        n *= 2;
    return n;
}
/* And with their counts. */
static inline size_t sb_ids_near_bytes(uint32_t max)
{
    return sb_ids_near_n(max) * (sizeof(struct sb_ids_near) + sizeof(uint32_t));
}
static inline uint32_t sb_ids_far_n(uint32_t max)
{
    return 2 * max / SB_IDS_FAR_LANES + 1;
}
/* Bytes of cells: four to an order, but no more than so many that their bits stay in the cache. */
static inline uint32_t sb_ids_cells_n(uint32_t max)
{
    return 2 * max < SB_IDS_CELLS_MAX ? 2 * max : SB_IDS_CELLS_MAX;
}
/* And with their bits. */
static inline size_t sb_ids_cells_bytes(uint32_t max)
{
    return (size_t)sb_ids_cells_n(max) + sb_ids_cells_n(max) / 4u + 1u;
}
static inline uint32_t sb_ids_nodes_n(uint32_t max)
{
    return max + 1;
}

/* The arrays are zeroed and as long as said above (near: with counts; cells: with bits); `near` and `far` begin at a cache line. */
void sb_ids_init(struct sb_ids *t, uint32_t max, struct sb_ids_near *near, struct sb_ids_far *far,
                 struct sb_ids_node *nodes, uint8_t *cells);

/* Another seed than 0, while nobody lives. */
void sb_ids_seed(struct sb_ids *t, uint64_t seed);

static inline uint64_t sb_ids_hash(const struct sb_ids *t, uint64_t id)
{
    __extension__ typedef unsigned __int128 wide;
    const uint64_t x = id ^ t->key[0];
    return (x * t->key[1] ^ (uint64_t)((wide)x * t->key[1] >> 64)) | SB_IDS_TAG_BIT;
}
/* The highest bits; never 0. The near bucket is chosen by lower ones. */
static inline uint16_t sb_ids_tag(uint64_t hash)
{
    return (uint16_t)(hash >> SB_IDS_TAG_SHIFT);
}
static inline struct sb_ids_near *sb_ids_near(const struct sb_ids *t, uint64_t hash)
{
    return (struct sb_ids_near *)(void *)((char *)t->near + (hash & t->near_mask));
}
static inline uint32_t *sb_ids_more(const struct sb_ids *t, uint64_t hash)
{
    return &t->more[(hash & t->near_mask) / sizeof(struct sb_ids_near)];
}
/* Is anybody beyond the near bucket of this hash? */
static inline bool sb_ids_past(const struct sb_ids *t, uint64_t hash)
{
    return __builtin_expect(t->past != 0, 0) && *sb_ids_more(t, hash) != 0;
}
/* One more is, or one less. */
static inline void sb_ids_pass(struct sb_ids *t, uint64_t hash, uint32_t n)
{
    t->past += n;
    *sb_ids_more(t, hash) += n;
}
/* Other bits of it, two ways (0, 1): 32 of them. */
static inline uint64_t sb_ids_mix(uint64_t hash, uint32_t i)
{
    return hash * (i == 0 ? UINT64_C(0x9e3779b97f4a7c15) : UINT64_C(0xd6e8feb86659fd93)) >> 32;
}
/* The first (0) and the second (1) far bucket. */
static inline struct sb_ids_far *sb_ids_far(const struct sb_ids *t, uint64_t hash, uint32_t i)
{
    return &t->far[sb_ids_mix(hash, i) * t->far_n >> 32];
}

/* The number of a hash's cell, and where it is: in this byte, so many bits up. */
static inline uint64_t sb_ids_cell_of(const struct sb_ids *t, uint64_t hash)
{
    return sb_ids_mix(hash, 0) * t->bytes >> 31;
}
static inline uint8_t *sb_ids_cell(const struct sb_ids *t, uint64_t hash, uint32_t *up)
{
    const uint64_t cell = sb_ids_cell_of(t, hash);
    *up = cell % 2 * 4;
    return &t->cells[cell / 2];
}
/* May an id with this hash be beyond its near bucket? */
static inline bool sb_ids_beyond(const struct sb_ids *t, uint64_t hash)
{
    const uint64_t cell = sb_ids_cell_of(t, hash);
    const uint32_t bits = t->marks[cell / 8];
    return (bits >> cell % 8 & 1u) != 0;
}
static inline void sb_ids_mark(const struct sb_ids *t, uint64_t hash)
{
    const uint64_t cell = sb_ids_cell_of(t, hash);
    t->marks[cell / 8] = (uint8_t)(t->marks[cell / 8] | 1u << cell % 8);
}
/* One more in the buckets, whose bit is set; or one less, and then perhaps nobody. */
void sb_ids_unmark(const struct sb_ids *t, uint64_t hash);
static inline void sb_ids_count(const struct sb_ids *t, uint64_t hash)
{
    uint32_t up;
    uint8_t *cell = sb_ids_cell(t, hash, &up);
    if (__builtin_expect((*cell >> up & SB_IDS_CELL_MOST) != SB_IDS_CELL_MOST, 1))
        *cell = (uint8_t)(*cell + (1u << up));
}
static inline void sb_ids_uncount(const struct sb_ids *t, uint64_t hash)
{
    uint32_t up;
    uint8_t *cell = sb_ids_cell(t, hash, &up);
    const uint32_t n = *cell >> up & SB_IDS_CELL_MOST;
    SB_ASSERT(n != 0);
    if (__builtin_expect(n == SB_IDS_CELL_MOST, 0))
        return;
    *cell = (uint8_t)(*cell - (1u << up));
    if (n == 1)
        sb_ids_unmark(t, hash);
}

/* A near bucket's lanes are all somebody's home, the last of a far one nobody's. */
static inline uint32_t sb_ids_home(uint64_t hash)
{
    return hash & (SB_IDS_NEAR_LANES - 1);
}

/* A bit for each lane of a bucket that has the tag of this hash; hash 0: for each free lane. The tags stand at its front. */
static inline uint32_t sb_ids_match(const void *bucket, uint32_t lanes_n, uint64_t hash)
{
#ifdef __SSE2__
    /* The tag goes from register to register to all lanes: by way of memory the processor would wait for it. */
    const __m128i at_front = _mm_shufflelo_epi16(_mm_cvtsi64_si128((long long)hash), 0xff);
    const __m128i want = _mm_unpacklo_epi64(at_front, at_front);
    const __m128i low = _mm_load_si128((const __m128i *)bucket);
    const __m128i high = _mm_load_si128((const __m128i *)bucket + 1);
    const __m128i same = _mm_packs_epi16(_mm_cmpeq_epi16(low, want), _mm_cmpeq_epi16(high, want));
    return (uint32_t)_mm_movemask_epi8(same) & ((1u << lanes_n) - 1);
#else
    const uint16_t *tag = bucket;
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < lanes_n; i++)
        lanes |= (uint32_t)(tag[i] == sb_ids_tag(hash)) << i;
    return lanes;
#endif
}
static inline uint32_t sb_ids_match_near(const struct sb_ids_near *b, uint64_t hash)
{
    return sb_ids_match(b, SB_IDS_NEAR_LANES, hash);
}
static inline uint32_t sb_ids_match_far(const struct sb_ids_far *b, uint64_t hash)
{
    return sb_ids_match(b, SB_IDS_FAR_LANES, hash);
}

/* Of the free lanes, at least one: the one that an id takes whose home is this. */
static inline uint32_t sb_ids_lane(uint32_t lanes, uint32_t home)
{
    return (lanes >> home & 1u) != 0 ? home : 31u - (uint32_t)__builtin_clz(lanes);
}

/* What the near bucket's first match does not settle. `slots` is the pool: whose ids are compared. */
uint32_t sb_ids_find_far(const struct sb_ids *t, const struct sb_order *slots, uint64_t id);
void sb_ids_add_far(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot);
void sb_ids_remove_far(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot);

/* Ask for the line where an id with this hash is, if it is beyond its near bucket; for its cell; for its bit. */
static inline void sb_ids_prefetch_far(const struct sb_ids *t, uint64_t hash)
{
    __builtin_prefetch(sb_ids_far(t, hash, 0), 1);
}
static inline void sb_ids_prefetch_cell(const struct sb_ids *t, uint64_t hash)
{
    uint32_t up;
    __builtin_prefetch(sb_ids_cell(t, hash, &up), 1);
}
static inline void sb_ids_prefetch_mark(const struct sb_ids *t, uint64_t hash)
{
    __builtin_prefetch(&t->marks[sb_ids_cell_of(t, hash) / 8], 1);
}

/* Puts those that wait in their buckets. */
void sb_ids_put_waiting(struct sb_ids *t, const struct sb_order *slots);
static inline void sb_ids_settle(const struct sb_ids *t, const struct sb_order *slots)
{
    if (__builtin_expect(t->waiting != 0, 0))
        sb_ids_put_waiting((struct sb_ids *)(uintptr_t)t, slots); /* ours, no constant */
}

/* An id that is not live, for which its near bucket has no room, or which has no low slot. Its order is in the slot before anything
 * else is asked for. */
static inline void sb_ids_wait(struct sb_ids *t, const struct sb_order *slots, uint64_t hash,
                               uint32_t slot)
{
    if (__builtin_expect(t->waiting == SB_IDS_WAIT_MOST, 0))
        sb_ids_put_waiting(t, slots);
    sb_ids_pass(t, hash, 1);
    sb_ids_mark(t, hash);
    sb_ids_prefetch_far(t, hash);
    sb_ids_prefetch_cell(t, hash);
    t->wait[t->waiting].hash = hash;
    t->wait[t->waiting].slot = slot;
    t->waiting++;
}

/* A live order's slot and the tag of its lane, if the near bucket says so at once; else NULL, which says nothing. */
static inline uint16_t *sb_ids_look_near(const struct sb_ids *t, const struct sb_order *slots,
                                         uint64_t id, uint32_t *slot)
{
    const uint64_t hash = sb_ids_hash(t, id);
    struct sb_ids_near *b = sb_ids_near(t, hash);
    uint32_t lane = sb_ids_home(hash);
    if (__builtin_expect_with_probability(b->tag[lane] != sb_ids_tag(hash), 0, 0.9)) {
        const uint32_t lanes = sb_ids_match_near(b, hash);
        if (__builtin_expect(lanes == 0, 0))
            return NULL;
        lane = (uint32_t)__builtin_ctz(lanes);
    }
    *slot = b->slot[lane];
    return __builtin_expect(slots[*slot].id == id, 1) ? &b->tag[lane] : NULL;
}

/* The slot of a live order, or 0. */
static inline uint32_t sb_ids_find(const struct sb_ids *t, const struct sb_order *slots,
                                   uint64_t id)
{
    const uint64_t hash = sb_ids_hash(t, id);
    const struct sb_ids_near *b = sb_ids_near(t, hash);
    const uint32_t lanes = sb_ids_match_near(b, hash);
    if (__builtin_expect(lanes != 0, 1)) {
        const uint32_t slot = b->slot[__builtin_ctz(lanes)];
        if (__builtin_expect(slots[slot].id == id, 1))
            return slot;
    } else if (__builtin_expect(!sb_ids_past(t, hash), 1)) {
        return 0;
    }
    return sb_ids_find_far(t, slots, id);
}

/* Is it the id of a live order? For ids that are likely not to be: those beyond their near bucket cost no look there. */
static inline bool sb_ids_lives(const struct sb_ids *t, const struct sb_order *slots, uint64_t id)
{
    const uint64_t hash = sb_ids_hash(t, id);
    const struct sb_ids_near *b = sb_ids_near(t, hash);
    if (__builtin_expect(sb_ids_match_near(b, hash) == 0, 1) &&
        __builtin_expect(!sb_ids_past(t, hash) || !sb_ids_beyond(t, hash), 1))
        return false;
    return sb_ids_find(t, slots, id) != 0;
}

/* Where an order that does not live goes. It stays good while others go. */
struct sb_ids_spot {
    struct sb_ids_near *bucket;
    uint32_t lane;
    uint64_t hash;
};

/* The spot for the id with this hash, if the near bucket has room and says at once that it does not live; else false, which says
 * nothing. */
static inline bool sb_ids_spot_near(const struct sb_ids *t, uint64_t hash, struct sb_ids_spot *spot)
{
    struct sb_ids_near *b = sb_ids_near(t, hash);
    uint32_t lane = sb_ids_home(hash);
    const uint32_t met = sb_ids_match_near(b, hash);
    if (__builtin_expect((met | t->past) != 0, 0) && (met != 0 || *sb_ids_more(t, hash) != 0))
        return false;
    if (__builtin_expect_with_probability(b->tag[lane] != 0, 0, 0.9)) {
        const uint32_t lanes = sb_ids_match_near(b, 0);
        if (__builtin_expect(lanes == 0, 0))
            return false;
        lane = sb_ids_lane(lanes, lane);
    }
    *spot = (struct sb_ids_spot){.bucket = b, .lane = lane, .hash = hash};
    return true;
}

/* A low slot. */
static inline void sb_ids_put_there(uint32_t slot, const struct sb_ids_spot *spot)
{
    spot->bucket->tag[spot->lane] = sb_ids_tag(spot->hash);
    spot->bucket->slot[spot->lane] = (uint16_t)slot;
}

/* In one of the free lanes; near: a low slot. */
static inline void sb_ids_put_near(struct sb_ids_near *b, uint32_t lanes, uint64_t hash,
                                   uint32_t slot)
{
    const uint32_t lane = sb_ids_lane(lanes, sb_ids_home(hash));
    b->tag[lane] = sb_ids_tag(hash);
    b->slot[lane] = (uint16_t)slot;
}
static inline void sb_ids_put_far(struct sb_ids_far *b, uint32_t lanes, uint64_t hash,
                                  uint32_t slot)
{
    const uint32_t lane = sb_ids_lane(lanes, hash & (SB_IDS_FAR_HOMES - 1));
    b->tag[lane] = sb_ids_tag(hash);
    b->slot[lane] = slot;
}
static inline bool sb_ids_low(uint32_t slot)
{
    return slot < SB_IDS_NEAR_SLOTS;
}

/* The id is not live; its order is in the slot already. Never fails for at most `max` orders. */
static inline void sb_ids_add(struct sb_ids *t, const struct sb_order *slots, uint64_t id,
                              uint32_t slot)
{
    const uint64_t hash = sb_ids_hash(t, id);
    struct sb_ids_near *b = sb_ids_near(t, hash);
    const uint32_t lanes = sb_ids_match_near(b, 0);
    if (__builtin_expect(lanes != 0, 1) && __builtin_expect(sb_ids_low(slot), 1)) {
        sb_ids_put_near(b, lanes, hash, slot);
        return;
    }
    sb_ids_add_far(t, slots, id, slot);
}

/* The id is live in this slot (asserted). */
static inline void sb_ids_remove(struct sb_ids *t, const struct sb_order *slots, uint64_t id,
                                 uint32_t slot)
{
    const uint64_t hash = sb_ids_hash(t, id);
    struct sb_ids_near *b = sb_ids_near(t, hash);
    const uint32_t home = sb_ids_home(hash);
    if (__builtin_expect_with_probability(b->slot[home] == slot && b->tag[home] == sb_ids_tag(hash),
                                          1, 0.9)) {
        b->tag[home] = 0;
        return;
    }
    const uint32_t lanes = sb_ids_match_near(b, hash);
    if (__builtin_expect(lanes != 0, 1)) {
        const uint32_t lane = (uint32_t)__builtin_ctz(lanes);
        if (__builtin_expect(b->slot[lane] == slot, 1)) {
            b->tag[lane] = 0;
            return;
        }
    }
    sb_ids_remove_far(t, slots, id, slot);
}

/* What follows does in one look what find and add, or find and remove, do in two; for ids that are likely to be beyond their near
 * bucket.
 *
 * Adds an id, whose order need not be in the slot yet, if near bucket and bit say at once that it is not live; else false:
 * nothing changed, which says nothing. */
static inline bool sb_ids_enter_soon(struct sb_ids *t, const struct sb_order *slots, uint64_t id,
                                     uint32_t slot)
{
    const uint64_t hash = sb_ids_hash(t, id);
    struct sb_ids_near *near = sb_ids_near(t, hash);
    const uint32_t free = sb_ids_match_near(near, 0);
    if (__builtin_expect(sb_ids_match_near(near, hash) != 0, 0) ||
        __builtin_expect(sb_ids_past(t, hash) && sb_ids_beyond(t, hash), 0))
        return false;
    if (free != 0 && sb_ids_low(slot))
        sb_ids_put_near(near, free, hash, slot);
    else
        sb_ids_wait(t, slots, hash, slot);
    return true;
}

/* The same, wherever it goes. False: it is live. */
bool sb_ids_enter(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot);

/* The rest of sb_ids_leave(). */
uint32_t sb_ids_leave_slowly(struct sb_ids *t, const struct sb_order *slots, uint64_t id);

/* Removes a live id, whose order is still in its slot. Returns the slot; 0: it is not live. */
static inline uint32_t sb_ids_leave(struct sb_ids *t, const struct sb_order *slots, uint64_t id)
{
    const uint64_t hash = sb_ids_hash(t, id);
    struct sb_ids_near *near = sb_ids_near(t, hash);
    uint32_t lanes = sb_ids_match_near(near, hash), lane, slot;
    if (lanes != 0) {
        lane = (uint32_t)__builtin_ctz(lanes);
        slot = near->slot[lane];
        if (__builtin_expect(slots[slot].id != id, 0))
            return sb_ids_leave_slowly(t, slots, id);
        near->tag[lane] = 0;
        return slot;
    }
    if (__builtin_expect(!sb_ids_past(t, hash), 0))
        return 0;
    struct sb_ids_far *far = sb_ids_far(t, hash, 0);
    lanes = sb_ids_match_far(far, hash);
    if (__builtin_expect(lanes == 0, 0))
        return sb_ids_leave_slowly(t, slots, id);
    lane = (uint32_t)__builtin_ctz(lanes);
    slot = far->slot[lane];
    if (__builtin_expect(slots[slot].id != id, 0))
        return sb_ids_leave_slowly(t, slots, id);
    far->tag[lane] = 0;
    sb_ids_pass(t, hash, UINT32_MAX);
    sb_ids_uncount(t, hash);
    return slot;
}

static inline void sb_ids_prefetch(const struct sb_ids *t, uint64_t id)
{
    __builtin_prefetch(sb_ids_near(t, sb_ids_hash(t, id)), 1);
}

/* Nobody lives, no count stands: for tests. O(buckets). */
bool sb_ids_blank(const struct sb_ids *t);

#endif
