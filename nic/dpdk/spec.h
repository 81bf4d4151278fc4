/* spec.h: a port specification taken apart. Pure: text in, structure or reason out. */
#ifndef SHADOWBOOK_DPDK_SPEC_H
#define SHADOWBOOK_DPDK_SPEC_H

#include <stdbool.h>
#include <stdint.h>

enum sb_dpdk_kind { SB_DPDK_AF_XDP, SB_DPDK_AF_PACKET, SB_DPDK_MEMIF, SB_DPDK_PCI };

enum {
    SB_DPDK_IFACE_BYTES = 16,   /* IFNAMSIZ, with its zero */
    SB_DPDK_SOCKET_BYTES = 104, /* sun_path, with its zero, less what a server opens it as */
    SB_DPDK_PCI_BYTES = 16      /* 0000:01:00.0, with its zero */
};

struct sb_dpdk_spec {
    enum sb_dpdk_kind kind;
    char iface[SB_DPDK_IFACE_BYTES];   /* af_xdp, af_packet */
    uint32_t queue;                    /* af_xdp */
    char socket[SB_DPDK_SOCKET_BYTES]; /* memif */
    bool server;                       /* memif */
    uint32_t id;                       /* memif */
    char pci[SB_DPDK_PCI_BYTES];       /* pci, with the domain */
};

/* Fills *out from text. NULL if good, else a static string saying what is wrong and what is accepted. */
const char *sb_dpdk_spec_parse(const char *text, struct sb_dpdk_spec *out);

#endif
