/* device.c: opens and closes one device: a table of steps that can each fail with a reason. */
#include "nic/dpdk/device.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "nic/dpdk/port.h"

/* A memif device listens as soon as it is made but hangs on a client that comes before it is started. So its
 * socket is opened under this name and renamed when all is ready. */
#define OPENING ".new"
_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) ==
                   SB_DPDK_SOCKET_BYTES + sizeof OPENING - 1,
               "socket path");
_Static_assert(IF_NAMESIZE == SB_DPDK_IFACE_BYTES, "interface name");

enum { RING = 2048, POOL_CACHE = 256 };

static const char *kind_name(enum sb_dpdk_kind kind)
{
    static const char *const names[] = {"af_xdp", "af_packet", "memif", "pci"};
    return names[kind];
}

/* What a spec names, for messages. */
static const char *subject(const struct sb_dpdk_spec *s)
{
    if (s->kind == SB_DPDK_MEMIF)
        return s->socket;
    return s->kind == SB_DPDK_PCI ? s->pci : s->iface;
}

static bool failed(const struct sb_dpdk_spec *s, FILE *log, const char *step, int error,
                   const char *advice)
{
    fprintf(log, "port %s %s: %s: %s. %s\n", kind_name(s->kind), subject(s), step,
            rte_strerror(error < 0 ? -error : error), advice);
    return false;
}

/* Errors that DPDK would report as "failed to create": found before it tries. */
static bool check_system(const struct sb_dpdk_spec *s, FILE *log)
{
    if (s->kind == SB_DPDK_MEMIF) {
        if (!s->server)
            return true;
        /* A server killed without notice leaves its socket files behind, and bind() would refuse them. A
         * living server is not disturbed: its client holds a connection, not the name. */
        char opening[SB_DPDK_SOCKET_BYTES + sizeof OPENING];
        snprintf(opening, sizeof opening, "%s" OPENING, s->socket);
        if ((unlink(opening) == 0 || errno == ENOENT) &&
            (unlink(s->socket) == 0 || errno == ENOENT))
            return true;
        return failed(s, log, "removing the old socket", errno, "Is the path right?");
    }
    if (s->kind == SB_DPDK_PCI)
        return true;
    if (if_nametoindex(s->iface) == 0)
        return failed(s, log, "interface", errno,
                      "It must exist in this process's network namespace (ip link)");
    if (geteuid() != 0)
        return failed(s, log, "rights", EPERM,
                      "Needs root, or CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF");
    return true;
}

static int make_virtual(struct sb_dpdk_port *p, const struct sb_dpdk_spec *s, uint32_t index)
{
    char args[256];
    snprintf(p->device_name, sizeof p->device_name, "net_%s%u", kind_name(s->kind), index);
    switch (s->kind) {
    case SB_DPDK_AF_XDP:
        snprintf(args, sizeof args, "iface=%s,start_queue=%u,queue_count=1,busy_budget=0", s->iface,
                 s->queue);
        break;
    case SB_DPDK_AF_PACKET:
        snprintf(args, sizeof args,
                 "iface=%s,blocksz=65536,framesz=2048,framecnt=%d,qpairs=1,qdisc_bypass=1",
                 s->iface, RING);
        break;
    case SB_DPDK_MEMIF:
    case SB_DPDK_PCI:
        snprintf(args, sizeof args,
                 "role=%s,id=%u,socket=%s%s,socket-abstract=no,bsize=2048,rsize=11",
                 s->server ? "server" : "client", s->id, s->socket, s->server ? OPENING : "");
        break;
    }
    return rte_vdev_init(p->device_name, args);
}

static bool make_device(struct sb_dpdk_port *p, const struct sb_dpdk_spec *s, uint32_t index,
                        FILE *log)
{
    if (s->kind == SB_DPDK_PCI) {
        snprintf(p->device_name, sizeof p->device_name, "%s", s->pci);
    } else {
        const int error = make_virtual(p, s, index);
        if (error != 0)
            return failed(s, log, "making the device", error, "DPDK's words follow, if it has any");
    }
    const int error = rte_eth_dev_get_port_by_name(p->device_name, &p->device);
    if (error != 0) {
        if (s->kind != SB_DPDK_PCI)
            (void)rte_vdev_uninit(p->device_name);
        return failed(s, log, "finding the device", error,
                      "A pci: device must be bound to vfio-pci (dpdk-devbind.py --status)");
    }
    p->made = true;
    return true;
}

static bool make_pool(struct sb_dpdk_port *p, const struct sb_dpdk_spec *s, uint32_t index,
                      FILE *log)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "port%u", index);
    p->pool = rte_pktmbuf_pool_create(name, SB_DPDK_MBUFS, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                      (int)rte_socket_id());
    if (p->pool == NULL)
        return failed(s, log, "frame pool", rte_errno, "Ask for more memory");
    return true;
}

/* Starting a memif client without a server is an error, and later starts of the same device did not help: so it is
 * started only when a server answers. The server drops this empty connection. */
static bool server_listens(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const bool listens = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return listens;
}

void sb_dpdk_port_try_start(struct sb_dpdk_port *p)
{
    if (!p->start_later || !server_listens(p->socket))
        return;
    p->started = rte_eth_dev_start(p->device) == 0;
    p->start_later = !p->started;
}

static bool offer(struct sb_dpdk_port *p, const struct sb_dpdk_spec *s, FILE *log)
{
    char opening[SB_DPDK_SOCKET_BYTES + sizeof OPENING];
    snprintf(opening, sizeof opening, "%s" OPENING, s->socket);
    if (rename(opening, s->socket) != 0)
        return failed(s, log, "naming the socket", errno, "Is somebody else using it?");
    p->server = true;
    return true;
}

static bool set_up(struct sb_dpdk_port *p, const struct sb_dpdk_spec *s, FILE *log)
{
    struct rte_eth_conf conf;
    struct rte_ether_addr mac;
    uint16_t rx_ring = RING, tx_ring = RING;
    int error;
    memset(&conf, 0, sizeof conf);
    if ((error = rte_eth_dev_configure(p->device, 1, 1, &conf)) != 0)
        return failed(s, log, "configuration", error, "One queue each way is needed");
    if ((error = rte_eth_dev_adjust_nb_rx_tx_desc(p->device, &rx_ring, &tx_ring)) != 0)
        return failed(s, log, "ring sizes", error, "See DPDK's words");
    if ((error = rte_eth_rx_queue_setup(p->device, 0, rx_ring, rte_socket_id(), NULL, p->pool)) !=
        0)
        return failed(s, log, "receive queue", error,
                      s->kind == SB_DPDK_AF_XDP
                          ? "Needs AF_XDP in the kernel, root, an existing queue with no other "
                            "socket on it, and memory that may be locked (ulimit -l)"
                          : "See DPDK's words");
    if ((error = rte_eth_tx_queue_setup(p->device, 0, tx_ring, rte_socket_id(), NULL)) != 0)
        return failed(s, log, "send queue", error, "See DPDK's words");
    if (s->kind == SB_DPDK_MEMIF)
        memcpy(p->socket, s->socket, sizeof p->socket);
    p->start_later = s->kind == SB_DPDK_MEMIF && !s->server;
    sb_dpdk_port_try_start(p);
    if (!p->start_later && !p->started) {
        if ((error = rte_eth_dev_start(p->device)) != 0)
            return failed(s, log, "start", error, "See DPDK's words");
        p->started = true;
    }
    if (s->kind == SB_DPDK_MEMIF && s->server && !offer(p, s, log))
        return false;
    /* The group addresses are ours to hear whatever the filter; a device without these modes hears all. */
    if ((error = rte_eth_promiscuous_enable(p->device)) != 0 && error != -ENOTSUP)
        return failed(s, log, "promiscuous mode", error, "See DPDK's words");
    if ((error = rte_eth_allmulticast_enable(p->device)) != 0 && error != -ENOTSUP)
        return failed(s, log, "multicast", error, "See DPDK's words");
    if ((error = rte_eth_macaddr_get(p->device, &mac)) != 0)
        return failed(s, log, "address", error, "See DPDK's words");
    memcpy(p->port.mac, mac.addr_bytes, sizeof p->port.mac);
    return true;
}

bool sb_dpdk_port_open(struct sb_dpdk_port *p, const struct sb_dpdk_spec *s, uint32_t index,
                       FILE *log)
{
    memset(p, 0, sizeof *p);
    sb_dpdk_port_bind(p);
    if (check_system(s, log) && make_device(p, s, index, log) && make_pool(p, s, index, log) &&
        set_up(p, s, log))
        return true;
    sb_dpdk_port_close(p);
    return false;
}

void sb_dpdk_port_close(struct sb_dpdk_port *p)
{
    if (p->closed)
        return;
    p->closed = true;
    sb_dpdk_port_drain(p);
    if (p->started)
        (void)rte_eth_dev_stop(p->device);
    if (p->made)
        (void)rte_eth_dev_close(p->device);
    if (p->server)
        (void)unlink(p->socket);
    rte_mempool_free(p->pool);
}
