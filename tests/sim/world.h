/* world.h: two engines, the witness and clients in one process and one thread, in virtual time.
 *
 * The engines, the witness and the client are the production code; only the wires are not (network.h). One run is a
 * function of its options: the same seed gives the same run, on every machine.
 * Each run draws how inputs are held, the policy of an owner that is alone, whether there is a journal, and whether what dies
 * starts again: then there is an operator, too, and in the end the pair must be whole (lives.h).
 * Not simulated: threads, the host's own start-up, TCP; disks only as disk.h has them.
 */
#ifndef SHADOWBOOK_SIM_WORLD_H
#define SHADOWBOOK_SIM_WORLD_H

#include "perf/client.h"
#include "replica/witness.h"
#include "tests/sim/check.h"
#include "tests/sim/lives.h"
#include "tests/sim/member.h"
#include "tests/sim/reach.h"

#define SIM_START_NS UINT64_C(1700000000000000000)

enum { SIM_WITNESS_LINES = 2048 };
/* The real client's sessions are the first; then each member has one, in the order of enum sim_member_kind. */
enum { SIM_SESSIONS = 3, SIM_INSTRUMENTS = 2, SIM_CARRY_MAX = 96 };
/* After a single fault some node serves within: */
#define SIM_MUST_SERVE_NS UINT64_C(400000000)
/* After the last fault healed, everything must be answered within: */
#define SIM_DEADLINE_NS UINT64_C(2000000000)

struct sim_options {
    uint64_t seed;
    uint32_t events;  /* messages that the clients send */
    uint64_t allowed; /* bit of each enum sim_fault_kind */
    uint32_t keep;    /* see sim_schedule_draw() */
    bool trace;
};

struct sim_host {
    bool alive;
    uint64_t asleep_until_ns, slow_until_ns, next_ns, restart_ns;
    int64_t ppm, offset_ns;
    uint64_t clock_ns; /* last reading */
    const struct sim_frame *in[SB_NODE_IN_MAX];
    uint32_t in_index[SB_NODE_IN_MAX];
    uint32_t in_n;
};

/* Stands between a stream and a client that came back: what it had is compared, what is new goes on to it. */
struct sim_again {
    struct sim_world *world;
    uint32_t stream;
    uint64_t had; /* messages below this number were delivered before */
    void (*deliver)(void *arg, uint64_t seq, const uint8_t *message, uint32_t len);
    void *arg;
};

struct sim_world {
    struct sim_options o;
    struct sb_config config;
    struct sb_instrument_config instruments[SIM_INSTRUMENTS + 1];
    struct sb_command2 carry[SIM_CARRY_MAX]; /* orders of an earlier day */
    uint64_t rng, now_ns, inc;
    struct sim_network net;
    struct sim_host host[SIM_HOSTS];
    void *memory[2];
    size_t memory_bytes;
    struct sb_node *node[2]; /* a dead one stays readable */
    struct sim_life life[2];
    struct sim_operator operator_;
    bool restores;      /* what dies starts again */
    bool forced;        /* by the operator */
    uint32_t snapshots; /* that a joiner began with */
    struct sb_witness witness;
    void *witness_log; /* of SIM_WITNESS_LINES */
    uint64_t counters[3][SB_CTR_COUNT];
    struct sb_plan plan;
    struct sb_client client;
    struct sim_again again[SIM_STREAMS];
    struct sim_member member[SIM_MEMBERS];
    struct sim_schedule schedule;
    struct sim_checks checks;
    struct sim_reach *reach; /* what runs contain is added to it; NULL: it is not counted */
    uint64_t old_until_ns, old_at_ns; /* recorded frames are replayed until, next at */
    uint64_t blink_at_ns,
        blink_span_ns;  /* a blink comes twice: the second suspicion has a new nonce */
    uint64_t healed_ns; /* when the last fault is over */
    uint64_t struck[SIM_FAULT_KINDS];
    uint32_t hard, struck_n; /* events that struck; those that do not heal */
    uint64_t pair_ns;        /* there is a pair since; 0: there is none */
    uint64_t must_serve_ns;  /* by then somebody serves; 0 = nothing is asked */
    uint64_t stopped_inc;    /* of a primary at rest that was stopped in order */
    bool quiet_hard;         /* ... struck a pair at rest */
    bool woke;               /* clients finished */
};

struct sim_result {
    bool failed;
    enum sim_check check;
    char text[200];
    uint64_t struck[SIM_FAULT_KINDS]; /* frames for conditions, times for events */
    uint64_t takeovers, solos, released, end_ns;
    uint64_t joined, resumed, forced, lost; /* times */
    bool complete;                          /* everything was answered */
    uint32_t events_n;
};

/* A number for an incarnation: higher than every one before. */
uint64_t sim_inc(struct sim_world *w);
/* Owner and shadow, confirmed, registered with a witness that is there. */
bool sim_is_pair(const struct sim_world *w);
uint64_t sim_packet_hash(const void *lines, uint32_t n); /* never 0 */

/* For strike.c: hosts come and go; the moments and events of a turn. */
void sim_start_witness(struct sim_world *w);
void sim_kill_host(struct sim_world *w, uint32_t i);
void sim_restart_at(struct sim_world *w, uint32_t i, uint64_t ns);
void sim_crash_client(struct sim_world *w, uint64_t until_ns);
static inline bool sim_condition(const struct sim_world *w, enum sim_fault_kind k)
{
    return (w->schedule.conditions >> k & 1) != 0;
}
/* Is there this member in this run? The desk and the supervisor come together. */
static inline bool sim_takes_part(const struct sim_world *w, enum sim_member_kind kind)
{
    return sim_condition(w, kind == SIM_MEMBER_WILD ? SIM_WILD : SIM_DESK);
}
/* Are there others beside the real client? */
static inline bool sim_others(const struct sim_world *w)
{
    return sim_condition(w, SIM_WILD) || sim_condition(w, SIM_DESK);
}
bool sim_others_done(const struct sim_world *w);
/* Strikes what is due; true when no event is left. */
bool sim_faults_turn(struct sim_world *w);

/* One run. World is reused (its memory is kept); start from {0}. */
void sim_run(struct sim_world *w, const struct sim_options *o, struct sim_result *r);

#endif
