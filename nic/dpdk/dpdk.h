/* dpdk.h: DPDK behind port.h. The only folder with rte_*.
 *
 * Start-up is one EAL per process (no PCI scan unless a pci: port asks for it, --in-memory, huge pages or --no-huge), then
 * one sb_port per device. Nothing here allocates or makes a system call after sb_dpdk_open(), but for the system calls of
 * virtual devices themselves.
 *
 * Port specs, as in the configuration file:
 *     af_xdp:iface=NAME[,queue=N]        AF_XDP socket on a network interface (all frames of the queue)
 *     af_packet:iface=NAME               PACKET_MMAP socket (no huge pages, no XDP needed)
 *     memif:socket=PATH,role=server|client[,id=N]   shared memory between two processes of one host
 *     pci:ADDRESS                        a NIC bound to vfio-pci
 *
 * A memif client may start before its server: link_up() connects it (so does sb_dpdk_wait_links()). A connection that is
 * lost later is not made again. A process that was killed leaves nothing that hinders its next start.
 */
#ifndef SHADOWBOOK_DPDK_H
#define SHADOWBOOK_DPDK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shadowbook/port.h"

enum { SB_DPDK_PORTS_MAX = 8 }; /* in one process */

struct sb_dpdk; /* the process's EAL and its ports */

struct sb_dpdk_options {
    const char *name;    /* of the process: file prefix, mempool names */
    int lcore;           /* pin the calling thread; -1 = do not */
    bool hugepages;      /* false, or none to be had: --no-huge (said on log) */
    uint32_t memory_mib; /* asked for the EAL */
    bool verbose;        /* let DPDK log */
    FILE *log;           /* notes and errors of ours */
};

/* Parses a spec without opening it. NULL if good, else what is wrong and what is accepted. */
const char *sb_dpdk_spec_error(const char *spec);

/* Starts the EAL and opens the ports of `specs` (n of them). On failure prints which step, which device, why and what
 * to do, undoes everything, returns NULL. Call once per process. */
struct sb_dpdk *sb_dpdk_open(const struct sb_dpdk_options *options, const char *const *specs,
                             uint32_t n);
struct sb_port *sb_dpdk_port(struct sb_dpdk *d, uint32_t i);
/* Waits up to timeout_ms for all links to be up; false if not. */
bool sb_dpdk_wait_links(struct sb_dpdk *d, uint32_t timeout_ms);
/* Closes the ports too, where their close() was not called before. Not for a signal handler. */
void sb_dpdk_close(struct sb_dpdk *d);

/* True while the port's thread is inside rx or tx: the device's rings and the frame pool are then in motion. For a crash
 * handler on that thread, which may call tx for one last frame only if this is false. Async-signal-safe. */
bool sb_dpdk_in_tx(const struct sb_port *port);

#endif
