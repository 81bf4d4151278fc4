#include "tests/model/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xxhash.h>

#include "shadowbook/assert.h"
#include "tests/model/invariants.h"

uint64_t state_fingerprint(const struct state *s)
{
    const uint64_t f = XXH3_64bits(s, state_bytes(s));
    return f != 0 ? f : 1; /* 0 marks a free place, and the parent of the first state */
}

/* --- states in a row ---------------------------------------------------------------------------- */

void states_push(struct states *v, const struct state *s)
{
    const size_t bytes = state_bytes(s);
    if (v->used + bytes > v->cap) {
        v->cap = v->cap < 1u << 20 ? 1u << 20 : v->cap + v->cap / 2;
        v->bytes = realloc(v->bytes, v->cap);
        SB_ASSERT(v->bytes != NULL);
    }
    memcpy(v->bytes + v->used, s, bytes);
    v->used += bytes;
}

size_t states_read(const struct states *v, size_t at, struct state *s)
{
    memcpy(s, v->bytes + at, offsetof(struct state, msg));
    const size_t bytes = state_bytes(s);
    memcpy(s->msg, v->bytes + at + offsetof(struct state, msg),
           bytes - offsetof(struct state, msg));
    return at + bytes;
}

/* --- fingerprints ------------------------------------------------------------------------------- */

struct entry {
    uint64_t fingerprint, parent;
};

struct table {
    struct entry *entries;
    uint64_t mask, used;
};

static struct entry *table_find(const struct table *t, uint64_t fingerprint)
{
    uint64_t at = fingerprint & t->mask;
    while (t->entries[at].fingerprint != 0 && t->entries[at].fingerprint != fingerprint)
        at = (at + 1) & t->mask;
    return &t->entries[at];
}

/* Zeroed. Places are taken at random: with huge pages a run takes a quarter less time. False: no memory. */
static bool table_open(struct table *t, uint8_t bits)
{
    t->mask = (UINT64_C(1) << bits) - 1;
    const size_t bytes = (t->mask + 1) * sizeof *t->entries;
    t->entries = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t->entries == MAP_FAILED)
        return false;
    (void)madvise(t->entries, bytes, MADV_HUGEPAGE); /* a wish */
    return true;
}

static void table_close(struct table *t)
{
    munmap(t->entries, (t->mask + 1) * sizeof *t->entries);
}

/* True: it is new. */
static bool table_add(struct table *t, uint64_t fingerprint, uint64_t parent)
{
    struct entry *e = table_find(t, fingerprint);
    if (e->fingerprint != 0)
        return false;
    *e = (struct entry){fingerprint, parent};
    t->used++;
    return true;
}

/* --- the way to a state --------------------------------------------------------------------------- */

void step_print(const struct step *how)
{
    printf("%c %s", how->actor == SB_NODE_W ? 'W' : 'A' + how->actor, how->what);
    if (how->n != 0)
        printf(" n %u", how->n);
    if (how->msg != NULL) {
        printf(": ");
        msg_print(how->msg);
    }
    printf("\n");
}

struct retrace {
    const struct model *m;
    uint64_t wanted;
    struct state found;
    bool done;
    uint32_t number;
};

static void retrace_take(void *context, struct state *to, const struct step *how)
{
    struct retrace *r = context;
    state_canon(r->m, to);
    if (r->done || state_fingerprint(to) != r->wanted)
        return;
    r->done = true;
    memcpy(&r->found, to, state_bytes(to));
    printf("  %3u  ", r->number);
    step_print(how);
}

static void print_trace(const struct model *m, const struct table *t, uint64_t last, uint32_t depth)
{
    uint64_t *way = calloc(depth + 1u, sizeof *way);
    SB_ASSERT(way != NULL);
    for (uint32_t i = depth + 1; i-- > 0; last = table_find(t, last)->parent)
        way[i] = last;
    struct retrace r = {.m = m};
    struct expansion x = {.m = m, .take = retrace_take, .context = &r};
    struct state at;
    state_first(m, &at);
    state_canon(m, &at);
    for (r.number = 1; r.number <= depth; r.number++) {
        r.wanted = way[r.number];
        r.done = false;
        expand(&x, &at);
        SB_ASSERT(r.done);
        memcpy(&at, &r.found, state_bytes(&r.found));
    }
    state_print(&at);
    free(way);
}

/* --- breadth first ------------------------------------------------------------------------------ */

struct frontier {
    const struct model *m;
    struct table table;
    struct states next;
    uint64_t parent, transitions, broken_at;
    const char *broken;
};

static void search_take(void *context, struct state *to, const struct step *how)
{
    struct frontier *f = context;
    (void)how;
    if (f->broken != NULL)
        return;
    state_canon(f->m, to);
    f->transitions++;
    const uint64_t fingerprint = state_fingerprint(to);
    if (!table_add(&f->table, fingerprint, f->parent))
        return;
    f->broken = invariant_broken(f->m, to);
    if (f->broken != NULL)
        f->broken_at = fingerprint;
    else
        states_push(&f->next, to);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool limit_reached(const struct search_limits *limits, const struct table *t, double since)
{
    return (double)t->used > (double)t->mask * 0.85 ||
           (limits->states_max != 0 && t->used >= limits->states_max) ||
           (limits->seconds_max > 0 && now_s() - since > limits->seconds_max);
}

/* One level: every state of *level. False: a violation, or a limit. */
static bool search_level(struct frontier *f, const struct search_limits *limits,
                         const struct states *level, double since)
{
    struct expansion x = {.m = f->m, .take = search_take, .context = f};
    struct state from;
    for (size_t at = 0; at < level->used;) {
        at = states_read(level, at, &from);
        f->parent = state_fingerprint(&from);
        expand(&x, &from);
        if (f->broken != NULL || limit_reached(limits, &f->table, since))
            return false;
    }
    return true;
}

bool search(const struct model *m, const struct search_limits *limits, bool trace,
            struct search_result *result)
{
    const double since = now_s();
    struct frontier f = {.m = m};
    if (!table_open(&f.table, limits->bits))
        return false;
    struct state first;
    state_first(m, &first);
    state_canon(m, &first);
    table_add(&f.table, state_fingerprint(&first), 0);
    states_push(&f.next, &first);
    struct states level = {0};
    *result = (struct search_result){0};
    bool going = true;
    while (going && f.next.used != 0) {
        const struct states done = level;
        level = f.next;
        f.next = done;
        f.next.used = 0;
        going = search_level(&f, limits, &level, since);
        result->depth++;
    }
    result->broken = f.broken;
    result->exhaustive = going;
    result->states = f.table.used;
    result->transitions = f.transitions;
    if (trace && f.broken != NULL)
        print_trace(m, &f.table, f.broken_at, result->depth);
    result->seconds = now_s() - since;
    free(level.bytes);
    free(f.next.bytes);
    table_close(&f.table);
    return true;
}
