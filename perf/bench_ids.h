/* bench_ids.h: the least that any book has to do: the null engine with a table of the ids that rest, and nothing else.
 *
 * Whoever names orders by arbitrary 64-bit ids must find them: each message looks its id up, and those that come to rest or go
 * are put in or taken out. No prices, no quantities, no queues. What a book would find out, which orders a message ends and
 * whether its own rests afterwards, is in a script that was written beforehand, from the engine's own reports. What this makes
 * of the null engine's rate is what no book behind such ids can exceed, with this table (bench_places.h).
 */
#ifndef SHADOWBOOK_PERF_BENCH_IDS_H
#define SHADOWBOOK_PERF_BENCH_IDS_H

#include "perf/bench_match.h"
#include "perf/bench_places.h"
#include "shadowbook/assert.h"

/* What messages 0..n - 1 do to the table. A step is how many were ended up to and by its message, times two; plus one: its own order
 * rests now. */
struct sb_bench_script {
    uint32_t *steps; /* [message] */
    uint64_t *ended; /* ids, in the order in which they end by trades; not the messages' own */
    uint64_t n, ended_n, ended_room;
};

/* Runs an engine over the messages; m->reports are known. False: out of memory; then there is nothing to free. */
bool sb_bench_script_make(struct sb_bench_script *script, const struct sb_bench_message *messages,
                          uint64_t n, const struct sb_bench_sizes *sizes);
void sb_bench_script_free(struct sb_bench_script *script);

struct sb_bench_ids {
    struct sb_places places;
    const struct sb_bench_script *script;
    uint64_t at;    /* the next message */
    uint64_t ended; /* so many of the script's have */
    uint32_t free, fresh, used;
    size_t bytes;
    uint64_t ids[]; /* [slot]: of one that is free, the next free one; then the places */
};

/* A table for at most so many ids at once, at the script's beginning. The script stays the caller's. NULL: out of memory. */
struct sb_bench_ids *sb_bench_ids_open(const struct sb_bench_script *script, uint32_t ids_max);
void sb_bench_ids_close(struct sb_bench_ids *t);

/* At an empty place, to which the search for it led. */
static inline void sb_bench_ids_put(struct sb_bench_ids *t, uint32_t place, uint64_t id)
{
    uint32_t slot = t->free;
    if (slot != 0)
        t->free = (uint32_t)t->ids[slot];
    else
        slot = t->fresh++;
    t->ids[slot] = id;
    t->places.place[place] = (struct sb_place){.tag = sb_places_tag(id), .slot = slot};
    t->used++;
}

static inline void sb_bench_ids_clear(struct sb_bench_ids *t, uint32_t place)
{
    const uint32_t slot = t->places.place[place].slot;
    t->ids[slot] = t->free;
    t->free = slot;
    sb_places_clear(&t->places, place);
    t->used--;
}

/* The script's next message: as many reports as the engine's, of what is known without a book, are in the ring, and published. An id
 * that the script says is there, or is not, is so (asserted). Inline, as the null engine: nothing but what is needed. */
static inline void sb_bench_ids_apply(struct sb_bench_ids *t, const struct sb_bench_message *m,
                                      struct sb_report_ring *ring)
{
    const uint32_t step = t->script->steps[t->at++];
    const bool rests = step % 2 != 0;
    for (; t->ended < step / 2; t->ended++) {
        const uint32_t place = sb_places_search(&t->places, 1, t->script->ended[t->ended]);
        SB_ASSERT(t->places.place[place].slot != 0);
        sb_bench_ids_clear(t, place);
    }
    const uint32_t place = sb_places_search(&t->places, 1, m->id);
    if (t->places.place[place].slot == 0) {
        SB_ASSERT(!rests || m->kind == SB_CMD_ORDER);
        if (rests)
            sb_bench_ids_put(t, place, m->id);
    } else if (!rests) {
        sb_bench_ids_clear(t, place);
    }
    sb_bench_null_apply(m, ring);
}

#endif
