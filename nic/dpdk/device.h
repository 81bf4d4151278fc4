/* device.h: one DPDK device behind struct sb_port. */
#ifndef SHADOWBOOK_DPDK_DEVICE_H
#define SHADOWBOOK_DPDK_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "nic/dpdk/spec.h"
#include "shadowbook/port.h"

struct rte_mbuf;
struct rte_mempool;

struct sb_dpdk_port {
    struct sb_port port; /* what the caller sees; impl points back here */
    struct rte_mempool *pool;
    uint16_t device; /* DPDK's port number */
    bool made;       /* the device exists: detach it at the end */
    bool started;
    bool start_later; /* a memif client whose server is not there yet: link_up looks again */
    bool server;      /* memif: owns the socket file */
    char socket[SB_DPDK_SOCKET_BYTES]; /* memif */
    bool closed;
    volatile bool busy; /* inside rx or tx: the rings and the pool's cache are in motion */
    char device_name[32];
    uint32_t held_n;
    struct rte_mbuf *held[SB_PORT_BURST]; /* behind the frames of the last rx */
    struct sb_port_counters counters;
};

enum {
    SB_DPDK_MBUFS =
        8191, /* per port: rings of 2 x 2048, and what is in hand; 2^n - 1 fits a ring best */
    /* Of memory that a port asks of the EAL: mbufs of 2.4 KiB, rings, some air. */
    SB_DPDK_PORT_MIB = 26,
    SB_DPDK_EAL_MIB = 8
};

/* Opens the device, starts it. `index` makes names unique in the process. On failure says which step and why
 * on log, leaves nothing behind. */
bool sb_dpdk_port_open(struct sb_dpdk_port *p, const struct sb_dpdk_spec *spec, uint32_t index,
                       FILE *log);
/* Starts the device of a client whose server listens by now. */
void sb_dpdk_port_try_start(struct sb_dpdk_port *p);
void sb_dpdk_port_close(struct sb_dpdk_port *p);

#endif
