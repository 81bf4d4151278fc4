#include "replica/hold.h"

#include <string.h>

#include "shadowbook/assert.h"

/* No record starts where the largest would not fit: readers and writers skip the same way. */
static uint64_t settle(const struct sb_hold *hold, uint64_t pos)
{
    const uint64_t at = pos & (hold->cap - 1);
    return at + SB_HELD_BYTES_MAX > hold->cap ? pos + (hold->cap - at) : pos;
}

static struct sb_held *record(const struct sb_hold *hold, uint64_t pos)
{
    return (struct sb_held *)(void *)(hold->ring + (pos & (hold->cap - 1)));
}

static uint64_t record_bytes(const struct sb_held *h)
{
    return (sizeof *h + h->len + 63u) & ~UINT64_C(63);
}

void sb_hold_init(struct sb_hold *hold, struct sb_arena *arena, uint64_t cap, uint32_t streams,
                  uint32_t retain)
{
    SB_ASSERT(cap >= 4 * SB_HELD_BYTES_MAX && (cap & (cap - 1)) == 0);
    SB_ASSERT(retain != 0 && (retain & (retain - 1)) == 0);
    hold->cap = cap;
    hold->streams = streams;
    hold->retain = retain;
    hold->ring = sb_arena_take(arena, cap);
    hold->retained = sb_arena_take(arena, (size_t)streams * retain * sizeof *hold->retained);
    hold->retained_end = sb_arena_take(arena, streams * sizeof *hold->retained_end);
    hold->released_seq = sb_arena_take(arena, streams * sizeof *hold->released_seq);
    hold->tail = hold->next = hold->head = 0;
}

void sb_hold_reset(struct sb_hold *hold)
{
    for (uint32_t i = 0; i < hold->streams; i++) {
        hold->retained_end[i] = 0;
        hold->released_seq[i] = 1;
    }
}

uint64_t sb_hold_room(const struct sb_hold *hold)
{
    /* Two largest records of slack: what a wrap may skip, and the record being written. */
    const uint64_t used = hold->head - hold->next + 2 * SB_HELD_BYTES_MAX;
    return used < hold->cap ? hold->cap - used : 0;
}

uint8_t *sb_hold_begin(struct sb_hold *hold)
{
    hold->head = settle(hold, hold->head);
    while (hold->head + SB_HELD_BYTES_MAX - hold->tail > hold->cap) {
        const uint64_t at = settle(hold, hold->tail);
        SB_ASSERT_LT(at, settle(hold, hold->next)); /* never what is held back */
        hold->tail = at + record_bytes(record(hold, at));
    }
    return (uint8_t *)(record(hold, hold->head) + 1);
}

void sb_hold_commit(struct sb_hold *hold, const struct sb_held *held, bool index)
{
    SB_ASSERT_LE(held->len, SB_FRAME_BYTES_MAX);
    *record(hold, hold->head) = *held;
    if (index) {
        struct sb_retained *r =
            &hold->retained[(size_t)held->stream * hold->retain +
                            (hold->retained_end[held->stream] & (hold->retain - 1))];
        *r = (struct sb_retained){.first_seq = held->first_seq, .pos = hold->head};
        hold->retained_end[held->stream]++;
    }
    hold->head += record_bytes(held);
}

struct sb_held *sb_hold_peek(struct sb_hold *hold)
{
    if (hold->next == hold->head)
        return NULL;
    hold->next = settle(hold, hold->next);
    return hold->next == hold->head ? NULL : record(hold, hold->next);
}

void sb_hold_pass(struct sb_hold *hold)
{
    const struct sb_held *h = record(hold, hold->next);
    const uint64_t after = h->first_seq + h->count;
    if (after > hold->released_seq[h->stream])
        hold->released_seq[h->stream] = after;
    hold->next += record_bytes(h);
}

struct sb_held *sb_hold_find(const struct sb_hold *hold, uint32_t stream, uint64_t seq)
{
    const uint64_t end = hold->retained_end[stream];
    const uint64_t first = end > hold->retain ? end - hold->retain : 0;
    const struct sb_retained *ring = &hold->retained[(size_t)stream * hold->retain];
    uint64_t lo = first, hi = end; /* last entry whose first_seq <= seq */
    while (lo < hi) {
        const uint64_t mid = lo + (hi - lo) / 2;
        if (ring[mid & (hold->retain - 1)].first_seq <= seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == first)
        return NULL;
    const uint64_t pos = ring[(lo - 1) & (hold->retain - 1)].pos;
    if (pos < hold->tail || pos >= hold->next)
        return NULL;
    struct sb_held *h = record(hold, pos);
    SB_ASSERT_EQ(h->stream, stream);
    return seq < h->first_seq + h->count ? h : NULL;
}
