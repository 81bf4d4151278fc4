/* host.h: what a process of a shard is made of: configuration, counters, clock, ports, memory.
 *
 * Start-up is a table of named steps; each can fail with a reason, and what was opened is closed again. The mains of
 * node and witness compose it with their state machine.
 */
#ifndef SHADOWBOOK_HOST_H
#define SHADOWBOOK_HOST_H

#include <stdbool.h>

#include "nic/dpdk/dpdk.h"
#include "replica/clock.h"
#include "replica/counters.h"
#include "replica/node.h"

struct sb_host_arguments { /* node and witness take the same ones */
    const char *verb, *config, *name, *log;
    bool new_day, force_solo, check_config, verbose;
};

struct sb_host {
    struct sb_host_arguments arguments;
    struct sb_config *config;
    const struct sb_host_config *self;
    uint8_t id; /* enum sb_node_id */
    struct sb_counters_file counters;
    struct sb_clock clock;
    struct sb_dpdk *dpdk;
    struct sb_port *ports[SB_PORT_ROLES];
    uint32_t ports_n;
    uint32_t roles_of_port[SB_PORT_ROLES]; /* bit i: role i leaves and arrives here */
    uint32_t port_of_role[SB_PORT_ROLES];
    void *memory; /* the state machine's block */
    size_t memory_bytes;
    void *discipline; /* the thread that keeps the clock on UTC */
};

/* Reads the command line. Prints usage or what is wrong; returns -1 to go on, else the exit code. */
int sb_host_arguments(struct sb_host_arguments *a, const char *verb, int argc, char **argv);

/* All steps up to running ports; memory_bytes(config) says how much zeroed, pre-faulted memory the state
 * machine needs (NULL: none). False: said on stderr which step, why, and what to do; everything closed. */
bool sb_host_open(struct sb_host *h, const struct sb_host_arguments *a,
                  size_t (*memory_bytes)(const struct sb_config *config));
void sb_host_close(struct sb_host *h);

/* One burst from every port into frames, at most SB_NODE_IN_MAX. */
uint32_t sb_host_receive(struct sb_host *h, struct sb_node_frame *frames);
/* Sends out's frames from `first` on, in order, each by its role's port; counts what a port does not take. */
void sb_host_send(struct sb_host *h, const struct sb_node_out *out, uint32_t first);
/* Nothing to do: spin or yield, as configured. */
void sb_host_idle(const struct sb_host *h);

/* SIGTERM and SIGINT set *stop. */
void sb_host_on_stop(volatile int *stop);

#endif
