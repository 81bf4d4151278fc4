#include "tests/model/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

enum { CLASSES_MAX = 256, CLASS_TEXT = 120 };

struct edge {
    uint32_t from, to;
};

/* The graph: states by number, in the order in which breadth-first finds them. */
struct graph {
    const struct model *m;
    struct states states;
    size_t *at;            /* [n] position in states */
    uint32_t *parent;      /* [n] of the first way there */
    uint64_t *fingerprint; /* [n] */
    uint32_t n, cap, now;
    uint32_t *place; /* hash table of numbers + 1 */
    uint32_t places;
    struct edge *edges;
    uint8_t *fault; /* of each edge */
    size_t edges_n, edges_cap;
};

static void *grown(void *p, size_t count, size_t size)
{
    void *q = realloc(p, count * size);
    SB_ASSERT(q != NULL);
    return q;
}

static void get(const struct graph *g, uint32_t i, struct state *s)
{
    states_read(&g->states, g->at[i], s);
}

static uint32_t *place_of(const struct graph *g, uint64_t fingerprint)
{
    uint64_t at = fingerprint & (g->places - 1);
    while (g->place[at] != 0 && g->fingerprint[g->place[at] - 1] != fingerprint)
        at = (at + 1) & (g->places - 1);
    return &g->place[at];
}

/* The number of a state, a new one if it is new. */
static uint32_t number_of(struct graph *g, const struct state *s)
{
    const uint64_t fingerprint = state_fingerprint(s);
    uint32_t *place = place_of(g, fingerprint);
    if (*place != 0)
        return *place - 1;
    if (g->n == g->cap) {
        g->cap = g->cap == 0 ? 1u << 16 : g->cap * 2;
        g->at = grown(g->at, g->cap, sizeof *g->at);
        g->parent = grown(g->parent, g->cap, sizeof *g->parent);
        g->fingerprint = grown(g->fingerprint, g->cap, sizeof *g->fingerprint);
    }
    g->at[g->n] = g->states.used;
    g->parent[g->n] = g->now;
    g->fingerprint[g->n] = fingerprint;
    states_push(&g->states, s);
    *place = ++g->n;
    return g->n - 1;
}

static void graph_take(void *context, struct state *to, const struct step *how)
{
    struct graph *g = context;
    state_canon(g->m, to);
    const uint32_t number = number_of(g, to);
    if (g->edges_n == g->edges_cap) {
        g->edges_cap = g->edges_cap == 0 ? 1u << 18 : g->edges_cap + g->edges_cap / 2;
        g->edges = grown(g->edges, g->edges_cap, sizeof *g->edges);
        g->fault = grown(g->fault, g->edges_cap, sizeof *g->fault);
    }
    g->edges[g->edges_n] = (struct edge){g->now, number};
    g->fault[g->edges_n++] = how->fault;
}

/* False: more than states_max. */
static bool build(struct graph *g, uint32_t states_max)
{
    struct expansion x = {.m = g->m, .take = graph_take, .context = g};
    struct state s;
    state_first(g->m, &s);
    state_canon(g->m, &s);
    number_of(g, &s);
    for (g->now = 0; g->now < g->n; g->now++) {
        get(g, g->now, &s);
        expand(&x, &s);
        if (g->n > states_max)
            return false;
    }
    return true;
}

/* --- questions ---------------------------------------------------------------------------------- */

const char *reach_question(enum reach_question q)
{
    static const char *const names[] = {"owner, no restart", "owner, restarts", "DUAL, restarts"};
    return names[q];
}

static bool pair_at_work(const struct node *p, const struct node *q)
{
    return p->role == SB_ROLE_PRIM && q->role == SB_ROLE_SHADOW && q->epoch == p->epoch &&
           p->peer_inc == q->inc && !p->diverged && !q->diverged;
}

/* Some node can release new inputs, after acks or a flush. */
static bool has_owner(const struct state *s)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct node *x = &s->node[i];
        if ((x->role == SB_ROLE_SOLO && s->w.state == SB_W_SOLO && s->w.owner == i &&
             s->w.owner_inc == x->inc) ||
            pair_at_work(x, &s->node[1 - i]))
            return true;
    }
    return false;
}

static bool is_dual(const struct state *s)
{
    for (unsigned i = 0; i < 2; i++)
        if (pair_at_work(&s->node[i], &s->node[1 - i]) && s->w.state == SB_W_DUAL &&
            s->w.epoch == s->node[i].epoch)
            return true;
    return false;
}

/* Edges by the state that they lead to. */
struct backward {
    size_t *head;    /* [n + 1] */
    uint32_t *edges; /* [edges_n] */
};

static struct backward turn_round(const struct graph *g)
{
    struct backward b = {.head = calloc(g->n + 2u, sizeof *b.head),
                         .edges = calloc(g->edges_n + 1, sizeof *b.edges)};
    SB_ASSERT(b.head != NULL && b.edges != NULL);
    SB_ASSERT_LT(g->edges_n, UINT32_MAX);
    for (size_t e = 0; e < g->edges_n; e++)
        b.head[g->edges[e].to + 2]++;
    for (size_t i = 2; i < g->n + 2u; i++)
        b.head[i] += b.head[i - 1];
    for (size_t e = 0; e < g->edges_n; e++) /* head[i + 1] ends where head[i + 2] began */
        b.edges[b.head[g->edges[e].to + 1]++] = (uint32_t)e;
    return b;
}

/* reached[i]: a good state can be reached from i over edges without the excluded faults. */
static void mark_reached(const struct graph *g, const struct backward *b,
                         bool (*good)(const struct state *), uint8_t excluded, uint8_t *reached)
{
    uint32_t *stack = calloc(g->n, sizeof *stack), depth = 0;
    SB_ASSERT(stack != NULL);
    memset(reached, 0, g->n);
    struct state s;
    for (uint32_t i = 0; i < g->n; i++) {
        get(g, i, &s);
        if (good(&s)) {
            reached[i] = 1;
            stack[depth++] = i;
        }
    }
    while (depth > 0) {
        const uint32_t to = stack[--depth];
        for (size_t p = b->head[to]; p < b->head[to + 1]; p++) {
            const uint32_t e = b->edges[p], from = g->edges[e].from;
            if ((g->fault[e] & excluded) != 0 || reached[from])
                continue;
            reached[from] = 1;
            stack[depth++] = from;
        }
    }
    free(stack);
}

/* Not so near a bound that the bound itself may block it. */
static bool inside_margin(const struct model *m, const struct state *s)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct node *x = &s->node[i];
        if (x->k >= m->arms || x->inc >= m->incarnations ||
            generation(x->epoch) + 2 > m->generations)
            return false;
    }
    return generation(s->w.epoch) + 2 <= m->generations;
}

/* --- report ------------------------------------------------------------------------------------- */

struct class_of_states {
    char text[CLASS_TEXT];
    uint32_t count, first;
};

static void class_text(const struct state *s, char *text)
{
    static const char *const arms[] = {"", "+arming", "+armed"};
    const char *arm[2];
    for (unsigned i = 0; i < 2; i++)
        arm[i] = s->node[i].role == SB_ROLE_SHADOW ? arms[s->node[i].arm] : "";
    snprintf(text, CLASS_TEXT, "%u crashes, %u witness restarts, A %s%s, B %s%s, W %s%s",
             s->crashes, s->witness_restarts, role_name(s->node[0].role), arm[0],
             role_name(s->node[1].role), arm[1], witness_state_name(s->w.state),
             s->w.state == SB_W_UNSET ? ""
             : s->w.owner == 0        ? " of A"
                                      : " of B");
}

struct path {
    struct graph *g;
    uint32_t wanted;
    bool done;
};

static void path_take(void *context, struct state *to, const struct step *how)
{
    struct path *p = context;
    state_canon(p->g->m, to);
    if (p->done || state_fingerprint(to) != p->g->fingerprint[p->wanted])
        return;
    p->done = true;
    printf("           ");
    step_print(how);
}

static void print_path(struct graph *g, uint32_t last)
{
    uint32_t length = 0;
    for (uint32_t i = last; i != 0; i = g->parent[i])
        length++;
    struct path p = {.g = g};
    struct expansion x = {.m = g->m, .take = path_take, .context = &p};
    struct state s;
    for (uint32_t step = 0; step < length; step++) {
        p.wanted = last;
        for (uint32_t back = step + 1; back < length; back++)
            p.wanted = g->parent[p.wanted];
        p.done = false;
        get(g, g->parent[p.wanted], &s);
        expand(&x, &s);
    }
    get(g, last, &s);
    state_print(&s);
}

static int class_order(const void *a, const void *b)
{
    const struct class_of_states *x = a, *y = b;
    return strcmp(x->text, y->text);
}

static void report(struct graph *g, enum reach_question q, const uint8_t *reached, bool print,
                   struct reach_result *result)
{
    struct class_of_states *classes = calloc(CLASSES_MAX, sizeof *classes);
    SB_ASSERT(classes != NULL);
    uint32_t n = 0;
    result->checked = result->blocked[q] = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        struct state s;
        get(g, i, &s);
        if (!inside_margin(g->m, &s))
            continue;
        result->checked++;
        if (reached[i])
            continue;
        result->blocked[q]++;
        char text[CLASS_TEXT];
        class_text(&s, text);
        uint32_t c = 0;
        while (c < n && strcmp(classes[c].text, text) != 0)
            c++;
        if (c == n) {
            SB_ASSERT_LT(n, CLASSES_MAX);
            n++;
            memcpy(classes[c].text, text, sizeof text);
            classes[c].count = 0;
            classes[c].first = i;
        }
        classes[c].count++;
    }
    result->classes[q] = n;
    qsort(classes, n, sizeof classes[0], class_order);
    if (print)
        printf("%s: blocked in %u of %u states\n", reach_question(q), result->blocked[q],
               result->checked);
    for (uint32_t c = 0; print && c < n; c++) {
        printf("  %8u  %s\n", classes[c].count, classes[c].text);
        print_path(g, classes[c].first);
    }
    free(classes);
}

bool reach(const struct model *m, uint32_t states_max, bool print, struct reach_result *result)
{
    *result = (struct reach_result){0};
    struct graph g = {.m = m, .places = 1u << 25};
    g.place = calloc(g.places, sizeof *g.place);
    if (g.place == NULL)
        return false;
    result->complete = build(&g, states_max);
    result->states = g.n;
    result->transitions = g.edges_n;
    if (result->complete) {
        const struct backward b = turn_round(&g);
        uint8_t *reached = calloc(g.n, 1);
        SB_ASSERT(reached != NULL);
        const uint8_t without_restart = FAULT_CRASH | FAULT_WITNESS | FAULT_RESTART,
                      with_restart = FAULT_CRASH | FAULT_WITNESS;
        mark_reached(&g, &b, has_owner, without_restart, reached);
        report(&g, REACH_OWNER_ALONE, reached, print, result);
        mark_reached(&g, &b, has_owner, with_restart, reached);
        report(&g, REACH_OWNER_RESTART, reached, print, result);
        mark_reached(&g, &b, is_dual, with_restart, reached);
        report(&g, REACH_DUAL_RESTART, reached, print, result);
        free(reached);
        free(b.head);
        free(b.edges);
    }
    free(g.at);
    free(g.parent);
    free(g.fingerprint);
    free(g.states.bytes);
    free(g.place);
    free(g.edges);
    free(g.fault);
    return true;
}
