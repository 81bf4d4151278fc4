#include "perf/bench_ids.h"

#include <stdlib.h>
#include <string.h>

#include "perf/id_map.h"
#include "perf/pages.h"
#include "shadowbook/assert.h"

/* ---- the script ---- */

/* What is open of each order that was ever acknowledged. */
struct open_orders {
    struct sb_id_map index; /* of an id in `open` */
    uint32_t *open;
    uint32_t n;
};

static uint32_t *open_of(const struct open_orders *o, uint64_t id)
{
    return &o->open[sb_id_map_find(&o->index, id)]; /* 0: nobody's, and nothing */
}

static bool acknowledged(struct open_orders *o, const struct sb_report *r)
{
    if (sb_id_map_find(&o->index, r->id) == 0 && !sb_id_map_add(&o->index, r->id, ++o->n))
        return false;
    *open_of(o, r->id) = r->quantity;
    return true;
}

/* Doubles its room. False: out of memory. */
static bool more_room(struct sb_bench_script *s)
{
    const uint64_t room = s->ended_room == 0 ? 1024 : 2 * s->ended_room;
    uint64_t *ended = realloc(s->ended, room * sizeof *ended);
    if (ended == NULL)
        return false;
    s->ended = ended;
    s->ended_room = room;
    return true;
}

/* False: out of memory. */
static bool take_report(struct sb_bench_script *s, struct open_orders *o, const struct sb_report *r)
{
    if (r->kind == SB_REPORT_ORDER_ACK || r->kind == SB_REPORT_MODIFY_ACK)
        return acknowledged(o, r);
    if (r->kind == SB_REPORT_CANCEL_ACK)
        *open_of(o, r->id) -= r->quantity;
    if (r->kind != SB_REPORT_TRADE)
        return true;
    *open_of(o, r->taker) -= r->quantity;
    *open_of(o, r->id) -= r->quantity;
    if (*open_of(o, r->id) != 0)
        return true;
    if (s->ended_n == s->ended_room && !more_room(s))
        return false;
    s->ended[s->ended_n++] = r->id;
    return true;
}

static bool write_script(struct sb_bench_script *s, struct open_orders *o,
                         const struct sb_bench_message *messages, struct sb_bench_adapter *a,
                         struct sb_report_ring *ring)
{
    bool good = true;
    memset(ring, 0, sizeof *ring);
    for (uint64_t i = 0; good && i < s->n; i++) {
        sb_bench_adapter_apply(a, &messages[i], ring);
        const uint64_t n = sb_report_ring_ready(ring);
        SB_ASSERT_EQ(n, messages[i].reports);
        for (uint64_t k = 0; good && k < n; k++)
            good = take_report(s, o, sb_report_ring_at(ring, k));
        sb_report_ring_taken(ring, n);
        s->steps[i] = (uint32_t)s->ended_n << 1 | (*open_of(o, messages[i].id) != 0);
    }
    return good;
}

bool sb_bench_script_make(struct sb_bench_script *script, const struct sb_bench_message *messages,
                          uint64_t n, const struct sb_bench_sizes *sizes)
{
    struct open_orders o = {.open = calloc(n + 1, sizeof *o.open)};
    struct sb_report_ring *ring = aligned_alloc(128, sizeof *ring);
    struct sb_bench_adapter a;
    *script =
        (struct sb_bench_script){.steps = calloc(n + (n == 0), sizeof *script->steps), .n = n};
    bool good = o.open != NULL && ring != NULL && script->steps != NULL &&
                sb_bench_adapter_open(&a, sizes, SB_BENCH_DIRECT);
    if (good) {
        good = write_script(script, &o, messages, &a, ring);
        sb_bench_adapter_close(&a);
    }
    if (!good)
        sb_bench_script_free(script);
    sb_id_map_free(&o.index);
    free(o.open);
    free(ring);
    return good;
}

void sb_bench_script_free(struct sb_bench_script *script)
{
    free(script->steps);
    free(script->ended);
    memset(script, 0, sizeof *script);
}

/* ---- the table ---- */

struct sb_bench_ids *sb_bench_ids_open(const struct sb_bench_script *script, uint32_t ids_max)
{
    const uint32_t places = sb_places_for(ids_max);
    const size_t ids = ((size_t)ids_max + 1) * sizeof(uint64_t);
    const size_t bytes = sizeof(struct sb_bench_ids) + ids + places * sizeof(struct sb_place);
    struct sb_bench_ids *t = sb_pages_map(bytes);
    if (t == NULL)
        return NULL;
    sb_pages_touch(t, bytes);
    t->places = (struct sb_places){.place = (struct sb_place *)(void *)(t->ids + ids_max + 1),
                                   .ids = t->ids,
                                   .mask = places - 1};
    t->script = script;
    t->fresh = 1;
    t->bytes = bytes;
    return t;
}

void sb_bench_ids_close(struct sb_bench_ids *t)
{
    if (t != NULL)
        munmap(t, t->bytes);
}
