/* The operator of a simulated pair: waits until all that heals has healed, and acts only where nothing else would help. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/sim/world.h"

enum {
    PATIENCE_NS = 80000000,
    STOP_WAIT_NS = 1500000000,
    FORCE_WAIT_MS = 4000,
    ACTS_MAX = 12, /* of one run: more of them is a failure of the pair */
};

static void say(const struct sim_world *w, const char *words, uint32_t i)
{
    if (w->o.trace)
        printf("%12.6f ms  operator: %s %c\n", (double)w->now_ns / 1e6, words, 'A' + (int)i);
}

bool sim_served(const struct sim_world *w)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct sb_node *n = w->node[i];
        if (w->host[i].alive &&
            (n->role == SB_ROLE_SOLO ||
             (n->role == SB_ROLE_PRIM && n->now_ns - n->acked_ns < n->config->solo_after_ns)))
            return true;
    }
    return false;
}

/* Nothing that it does by itself gets this node on. */
static bool needs_restart(const struct sim_world *w, uint32_t i)
{
    const struct sb_node *n = w->node[i];
    if (!w->host[i].alive)
        return false;
    return n->role == SB_ROLE_HALTED ||
           (w->life[i].lost && (n->role == SB_ROLE_SOLO || n->role == SB_ROLE_PAIRING));
}

static void stop(struct sim_world *w, uint32_t i)
{
    if (w->life[i].stopping_since_ns != 0 || !w->host[i].alive)
        return;
    say(w, "stops", i);
    w->life[i].stopping_since_ns = w->now_ns;
    sb_node_stop(w->node[i]);
}

static void act(struct sim_world *w)
{
    w->healed_ns = w->now_ns;
    if (++w->operator_.acts > ACTS_MAX)
        sim_fail(w, SIM_CHECK_RESTORED, "the operator has no end of it");
}

static void watch(struct sim_world *w)
{
    struct sim_operator *o = &w->operator_;
    if (w->now_ns < w->healed_ns + PATIENCE_NS)
        return;
    for (uint32_t i = 0; i < 2; i++)
        if (needs_restart(w, i) && w->life[i].stopping_since_ns == 0) {
            stop(w, i);
            act(w);
            return;
        }
    if (sim_served(w)) {
        o->since_ns = 0;
        return;
    }
    if (o->since_ns == 0)
        o->since_ns = w->now_ns;
    if (w->now_ns < o->since_ns + PATIENCE_NS)
        return;
    sim_check_operator(w);
    for (uint32_t i = 0; i < 2; i++)
        stop(w, i);
    o->state = SIM_OP_STOPS;
    o->since_ns = w->now_ns;
}

/* R24, R25: of the highest record the longest log. A JOIN whose owner's own record is missing (policy memory) ranks no
 * higher than the owner: both logs are parts of one, and the longer is right. */
static uint32_t choose(const struct sim_world *w)
{
    const struct sim_seen s[2] = {sim_life_look(w, 0), sim_life_look(w, 1)};
    const uint32_t longer = s[0].n >= s[1].n ? 0 : 1;
    if (s[0].record.epoch == s[1].record.epoch)
        return longer;
    const uint32_t higher = s[0].record.epoch > s[1].record.epoch ? 0 : 1;
    return s[higher].record.kind == SB_RECORD_JOIN ? longer : higher;
}

/* Both are off before one is forced. */
static void force(struct sim_world *w)
{
    struct sim_operator *o = &w->operator_;
    for (uint32_t i = 0; i < 2; i++)
        if (w->host[i].alive && w->now_ns > o->since_ns + STOP_WAIT_NS)
            sim_kill_host(w, i);
    if (w->host[0].alive || w->host[1].alive)
        return;
    o->chosen = choose(w);
    say(w, "forces", o->chosen);
    w->host[0].restart_ns = w->host[1].restart_ns = 0;
    sim_life_start(w, o->chosen, SIM_FORCE);
    w->forced = true;
    o->state = SIM_OP_FORCED;
    o->since_ns = w->now_ns;
    act(w);
}

static void see_it_serve(struct sim_world *w)
{
    struct sim_operator *o = &w->operator_;
    if (w->host[o->chosen].alive && w->node[o->chosen]->role == SB_ROLE_SOLO) {
        sim_life_start(w, 1 - o->chosen, SIM_RESTART);
    } else if (w->host[o->chosen].alive && w->host[SIM_W].alive &&
               w->now_ns > o->since_ns + FORCE_WAIT_MS * UINT64_C(1000000)) {
        sim_fail(w, SIM_CHECK_RESTORED, "node %c was forced, and does not serve", 'A' + o->chosen);
    } else if (w->host[o->chosen].alive) {
        return;
    }
    o->state = SIM_OP_WATCHES;
    o->since_ns = 0;
    act(w);
}

void sim_operator_turn(struct sim_world *w)
{
    if (!w->restores || w->config.journal_dir[0] == '\0' || w->checks.flipped)
        return;
    switch (w->operator_.state) {
    case SIM_OP_WATCHES:
        watch(w);
        break;
    case SIM_OP_STOPS:
        force(w);
        break;
    case SIM_OP_FORCED:
        see_it_serve(w);
        break;
    }
}
