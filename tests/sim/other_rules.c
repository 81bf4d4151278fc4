/* A host on which a program with other rules of matching is started by mistake, and then the right one. */
#include <inttypes.h>

#include "tests/sim/world.h"

enum { PATIENCE_NS = 40000000, AGAIN_NS = 5000000, BEFORE_DAY_NS = 10000000 };

static uint64_t refusals(const struct sim_world *w, uint32_t i)
{
    return w->counters[i][SB_CTR_OTHER_RULES];
}

static void heal_at(struct sim_world *w, uint64_t ns)
{
    if (ns > w->healed_ns)
        w->healed_ns = ns;
}

void sim_rules_strike(struct sim_world *w, uint32_t i, uint64_t restart_ns, bool other_disk)
{
    struct sim_life *l = &w->life[i];
    sim_kill_host(w, i);
    l->other_rules = true;
    l->other_disk = other_disk;
    l->other_until_ns = restart_ns + PATIENCE_NS;
    l->refused = SIM_NOT_REFUSED;
    l->refusals = refusals(w, i);
    heal_at(w, l->other_until_ns);
    sim_restart_at(w, i, restart_ns);
}

void sim_rules_begin_day(struct sim_world *w, uint32_t i, uint64_t until_ns)
{
    struct sim_life *l = &w->life[i];
    sim_life_start(w, i, SIM_OTHER_DAY);
    l->other_day = true;
    l->other_until_ns = BEFORE_DAY_NS + until_ns;
    heal_at(w, l->other_until_ns);
}

void sim_rules_check(struct sim_world *w, uint32_t i, bool done)
{
    const struct sim_life *l = &w->life[i];
    const struct sb_node *n = w->node[i];
    if ((n->role != SB_ROLE_BOOT && n->role != SB_ROLE_CATCH) || n->log.len != 0 ||
        sb_engine_applied(n->engine) != 0)
        sim_fail(w, SIM_CHECK_RULES,
                 "node %c has other rules, and is in role %d with %" PRIu64 " inputs", 'A' + i,
                 (int)n->role, n->log.len);
    if (!done || l->stopping_since_ns != 0 || l->disk_stops_it)
        return;
    if (sb_node_differs(n) != 1 || sb_node_log_rules(n) != SB_ENGINE_RULES ||
        refusals(w, i) == l->refusals)
        sim_fail(w, SIM_CHECK_RULES, "node %c has other rules, and ends without a word or a count",
                 'A' + i);
    if (w->reach != NULL)
        w->reach->refused[l->refused != SIM_NOT_REFUSED ? l->refused
                          : n->role == SB_ROLE_CATCH    ? SIM_REFUSED_STREAM
                                                        : SIM_REFUSED_WITNESS]++;
}

void sim_rules_put_right(struct sim_world *w, uint32_t i)
{
    w->life[i].other_rules = false;
    sim_restart_at(w, i, w->now_ns + sim_random(&w->rng) % AGAIN_NS);
}

/* Neither began it, and each counted the other. */
static void begin_again(struct sim_world *w, uint32_t i)
{
    const struct sb_node *other = w->node[1 - i];
    if (other->role != SB_ROLE_BOOT || other->log.len != 0 || refusals(w, i) == 0 ||
        refusals(w, 1 - i) == 0 || w->witness.state != SB_W_UNSET)
        sim_fail(w, SIM_CHECK_RULES,
                 "node %c has other rules: the other one is in role %d with %" PRIu64
                 " inputs, the witness in state %d; they counted %" PRIu64 " and %" PRIu64,
                 'A' + i, (int)other->role, other->log.len, (int)w->witness.state, refusals(w, 0),
                 refusals(w, 1));
    if (w->reach != NULL)
        w->reach->refused[SIM_REFUSED_PEER]++;
    sim_kill_host(w, i);
    sim_life_start(w, i, SIM_NEW_DAY);
}

void sim_rules_turn(struct sim_world *w)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_life *l = &w->life[i];
        if (!l->other_rules || w->now_ns < l->other_until_ns)
            continue;
        if (l->other_day) {
            begin_again(w, i);
        } else if (w->host[i].alive) { /* nobody gave it anything */
            sim_kill_host(w, i);
            sim_rules_put_right(w, i);
        } else {
            l->other_rules = false; /* another fault ended it */
        }
    }
}
