#include "perf/inspect_orders.h"

#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

enum { PLACES_FIRST = 1024 };

static size_t home(const struct sb_inspect_orders *t, uint32_t session, uint32_t key)
{
    const uint64_t id = (uint64_t)session << 32 | key;
    return (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (t->places_n - 1);
}

/* The order's place, or the free one where it would be. */
static struct sb_inspect_order *place_of(const struct sb_inspect_orders *t, uint32_t session,
                                         uint32_t key)
{
    size_t at = home(t, session, key);
    while (t->places[at].session != 0 &&
           (t->places[at].session != session || t->places[at].key != key))
        at = (at + 1) & (t->places_n - 1);
    return &t->places[at];
}

struct sb_inspect_order *sb_inspect_orders_find(const struct sb_inspect_orders *t, uint32_t session,
                                                uint32_t key)
{
    if (t->places_n == 0)
        return NULL;
    struct sb_inspect_order *o = place_of(t, session, key);
    return o->session != 0 ? o : NULL;
}

static bool grow(struct sb_inspect_orders *t)
{
    struct sb_inspect_orders larger = {
        .places_n = t->places_n == 0 ? PLACES_FIRST : 2 * t->places_n, .used = t->used};
    larger.places = calloc(larger.places_n, sizeof *larger.places);
    if (larger.places == NULL)
        return false;
    for (size_t i = 0; i < t->places_n; i++)
        if (t->places[i].session != 0)
            *place_of(&larger, t->places[i].session, t->places[i].key) = t->places[i];
    free(t->places);
    *t = larger;
    return true;
}

bool sb_inspect_orders_add(struct sb_inspect_orders *t, const struct sb_inspect_order *o)
{
    SB_ASSERT(o->session != 0);
    if (2 * (t->used + 1) > t->places_n && !grow(t))
        return false;
    struct sb_inspect_order *to = place_of(t, o->session, o->key);
    SB_ASSERT_EQ(to->session, 0);
    *to = *o;
    t->used++;
    return true;
}

/* Moves back what stands behind the hole and could have stood in it, so that no search ends too early. */
void sb_inspect_orders_remove(struct sb_inspect_orders *t, struct sb_inspect_order *o)
{
    const size_t mask = t->places_n - 1;
    size_t hole = (size_t)(o - t->places);
    for (size_t at = (hole + 1) & mask; t->places[at].session != 0; at = (at + 1) & mask) {
        const size_t wanted = home(t, t->places[at].session, t->places[at].key);
        if (((at - wanted) & mask) >= ((at - hole) & mask)) {
            t->places[hole] = t->places[at];
            hole = at;
        }
    }
    memset(&t->places[hole], 0, sizeof t->places[hole]);
    t->used--;
}

void sb_inspect_orders_free(struct sb_inspect_orders *t)
{
    free(t->places);
    memset(t, 0, sizeof *t);
}
