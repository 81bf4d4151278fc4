/* port.h: the only door to a network.
 *
 * A port receives and sends whole Ethernet frames (without FCS) in bursts. Implementations: nic/dpdk (any DPDK
 * ethdev) and the simulated port of the tests. A port belongs to one thread. No call blocks; none
 * allocates after the port is open.
 *
 * Ownership: received frames belong to the port and stay readable until the next rx call on that
 * port. Frames to send stay the caller's; they are copied or sent before tx returns.
 */
#ifndef SHADOWBOOK_PORT_H
#define SHADOWBOOK_PORT_H

#include <stdbool.h>
#include <stdint.h>

enum { SB_PORT_BURST = 32, SB_FRAME_BYTES_MAX = 1514, SB_FRAME_BYTES_MIN = 60 };

struct sb_frame {
    const uint8_t *data; /* from the destination MAC on */
    uint32_t len;        /* bytes, without FCS */
};

struct sb_port_counters {
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint64_t rx_missed;  /* the device had no room: dropped before we saw them */
    uint64_t rx_bad;     /* truncated or in pieces */
    uint64_t tx_dropped; /* the device took no more after the retries */
};

struct sb_port {
    /* Fills up to max frames, returns how many. */
    uint32_t (*rx)(struct sb_port *port, struct sb_frame *frames, uint32_t max);
    /* Sends n frames in order; returns how many were taken (the rest was not sent). */
    uint32_t (*tx)(struct sb_port *port, const struct sb_frame *frames, uint32_t n);
    bool (*link_up)(struct sb_port *port);
    void (*counters)(struct sb_port *port, struct sb_port_counters *out);
    void (*close)(struct sb_port *port);
    uint8_t mac[6];
    void *impl;
};

#endif
