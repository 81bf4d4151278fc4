/* network.h: the wires of a simulated cluster: who hears what, when, and how much of it.
 *
 * Hosts are A, B, the witness and the clients. A frame goes to those whom its destination address names; each copy has
 * its own fate. Virtual time; deterministic from the seed. Not modelled: bandwidth, a switch's queues.
 */
#ifndef SHADOWBOOK_SIM_NETWORK_H
#define SHADOWBOOK_SIM_NETWORK_H

#include "shadowbook/config.h"
#include "tests/sim/faults.h"

enum { SIM_FRAME_BYTES = 1600, SIM_FLIGHTS_MAX = 1 << 14, SIM_OLD_MAX = 128 };

struct sim_frame {
    uint32_t len;
    uint8_t data[SIM_FRAME_BYTES];
};

struct sim_flight {
    uint64_t at_ns, order;
    uint32_t frame; /* index */
    uint8_t to;
};

struct sim_network {
    const struct sb_config *config;
    uint64_t rng, order, now_ns;
    uint32_t conditions;
    uint32_t loss_ppm;
    uint64_t latency_ns;
    uint64_t cut_until_ns[SIM_HOSTS][SIM_HOSTS]; /* [from][to] */
    uint64_t stall_until_ns[SIM_HOSTS]
                           [SIM_HOSTS]; /* likewise: half of the frames come after that */
    struct sim_flight *flights;         /* binary heap */
    uint32_t flights_n;
    struct sim_frame *frames;
    uint32_t *free, free_n;
    struct sim_frame old[SIM_OLD_MAX]; /* replication frames of the past */
    uint32_t old_n;
    uint64_t lost, duplicated, reordered, delayed, flipped, cut; /* frames, counted */
};

void sim_network_init(struct sim_network *n, const struct sb_config *config, uint64_t seed,
                      uint32_t conditions);
void sim_network_reset(struct sim_network *n); /* nothing is in the air any more */

/* A host sends a frame. */
void sim_network_send(struct sim_network *n, uint8_t from, const uint8_t *data, uint32_t len);
/* Some recorded replication frames arrive again at both engines and the witness; how many. */
uint32_t sim_network_replay_old(struct sim_network *n, uint32_t count);
/* The next frame that has arrived by now, or NULL; `to` says where. Give it back with sim_network_done(). */
const struct sim_frame *sim_network_next(struct sim_network *n, uint8_t *to, uint32_t *index);
void sim_network_done(struct sim_network *n, uint32_t index);
/* Drops what is under way to a host. */
void sim_network_forget(struct sim_network *n, uint8_t to);

#endif
