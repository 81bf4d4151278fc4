/* port.c: receive, send, link, counters of one device. The order path: no allocation but from the port's pool, no
 * system call but the device's own. */
#include "nic/dpdk/port.h"

#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include "nic/dpdk/device.h"
#include "nic/dpdk/dpdk.h"
#include "shadowbook/assert.h"

/* A full ring empties within microseconds or not at all (peer gone): more patience would only stall the loop. */
enum { TX_TRIES = 64 };

static void release_held(struct sb_dpdk_port *p)
{
    if (p->held_n != 0)
        rte_pktmbuf_free_bulk(p->held, p->held_n);
    p->held_n = 0;
}

static uint32_t port_rx(struct sb_port *port, struct sb_frame *frames, uint32_t max)
{
    struct sb_dpdk_port *p = port->impl;
    struct rte_mbuf *burst[SB_PORT_BURST];
    uint32_t taken = 0;
    uint64_t bytes = 0;

    if (__builtin_expect(!p->started, 0))
        return 0;
    p->busy = true;
    release_held(p);
    if (max > SB_PORT_BURST)
        max = SB_PORT_BURST;
    const uint32_t n = rte_eth_rx_burst(p->device, 0, burst, (uint16_t)max);
    for (uint32_t i = 0; i < n; i++) {
        struct rte_mbuf *m = burst[i];
        if (m->nb_segs != 1 || m->pkt_len > SB_FRAME_BYTES_MAX) {
            p->counters.rx_bad++;
            rte_pktmbuf_free(m);
            continue;
        }
        frames[taken].data = rte_pktmbuf_mtod(m, const uint8_t *);
        frames[taken].len = m->data_len;
        bytes += m->data_len;
        p->held[taken++] = m;
    }
    p->held_n = taken;
    p->counters.rx_frames += taken;
    p->counters.rx_bytes += bytes;
    p->busy = false;
    return taken;
}

/* Copies at most a burst of frames into mbufs and hands them over; returns how many the device took. */
static uint32_t tx_burst(struct sb_dpdk_port *p, const struct sb_frame *frames, uint32_t n)
{
    struct rte_mbuf *burst[SB_PORT_BURST];
    uint32_t sent = 0;

    if (rte_pktmbuf_alloc_bulk(p->pool, burst, n) != 0)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        SB_ASSERT_LE(frames[i].len, (uint32_t)SB_FRAME_BYTES_MAX);
        /* Fits: the data room is larger than the largest frame. */
        char *to = rte_pktmbuf_append(burst[i], (uint16_t)frames[i].len);
        memcpy(to, frames[i].data, frames[i].len);
    }
    for (uint32_t tries = 0; tries < TX_TRIES; tries++) {
        sent += rte_eth_tx_burst(p->device, 0, burst + sent, (uint16_t)(n - sent));
        if (sent == n)
            return n;
        rte_pause();
    }
    rte_pktmbuf_free_bulk(burst + sent, n - sent);
    return sent;
}

static uint32_t port_tx(struct sb_port *port, const struct sb_frame *frames, uint32_t n)
{
    struct sb_dpdk_port *p = port->impl;
    uint32_t sent = 0;

    if (__builtin_expect(!p->started, 0)) {
        p->counters.tx_dropped += n;
        return 0;
    }
    p->busy = true;
    while (sent < n) {
        const uint32_t want = n - sent < SB_PORT_BURST ? n - sent : SB_PORT_BURST;
        const uint32_t took = tx_burst(p, frames + sent, want);
        sent += took;
        if (took != want)
            break;
    }
    for (uint32_t i = 0; i < sent; i++)
        p->counters.tx_bytes += frames[i].len;
    p->counters.tx_frames += sent;
    p->counters.tx_dropped += n - sent;
    p->busy = false;
    return sent;
}

bool sb_dpdk_in_tx(const struct sb_port *port)
{
    return ((const struct sb_dpdk_port *)port->impl)->busy;
}

static bool port_link_up(struct sb_port *port)
{
    struct rte_eth_link link;
    memset(&link, 0, sizeof link);
    struct sb_dpdk_port *p = port->impl;
    if (p->start_later)
        sb_dpdk_port_try_start(p);
    if (!p->started)
        return false;
    return rte_eth_link_get_nowait(p->device, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static void port_counters(struct sb_port *port, struct sb_port_counters *out)
{
    const struct sb_dpdk_port *p = port->impl;
    struct rte_eth_stats stats;
    *out = p->counters;
    memset(&stats, 0, sizeof stats);
    if (rte_eth_stats_get(p->device, &stats) == 0)
        out->rx_missed = stats.imissed + stats.rx_nombuf;
}

static void port_close(struct sb_port *port)
{
    sb_dpdk_port_close(port->impl);
}

void sb_dpdk_port_bind(struct sb_dpdk_port *p)
{
    p->port.rx = port_rx;
    p->port.tx = port_tx;
    p->port.link_up = port_link_up;
    p->port.counters = port_counters;
    p->port.close = port_close;
    p->port.impl = p;
}

void sb_dpdk_port_drain(struct sb_dpdk_port *p)
{
    release_held(p);
}
