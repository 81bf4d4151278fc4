/* The frames that one poll sends. */
#include <string.h>

#include "nic/wire/entry.h"
#include "replica/node_state.h"

uint8_t *sb_out_scratch(struct sb_node *node)
{
    if (node->scratch_n == SB_SCRATCH || node->out_n == SB_NODE_OUT_MAX)
        return NULL;
    return node->scratch[node->scratch_n] + SB_UDP_HEADERS_BYTES;
}

void sb_out_send(struct sb_node *node, const struct sb_udp_route *route, uint32_t payload_bytes,
                 uint32_t role)
{
    uint8_t *frame = node->scratch[node->scratch_n++];
    const uint32_t len = sb_udp_finish(frame, route, payload_bytes);
    const bool taken = sb_out_frame(node, frame, len, role);
    SB_ASSERT(taken);
}

bool sb_out_frame(struct sb_node *node, const uint8_t *frame, uint32_t len, uint32_t role)
{
    if (node->out_n == SB_NODE_OUT_MAX)
        return false;
    node->out[node->out_n++] = (struct sb_node_out_frame){.data = frame, .len = len, .role = role};
    return true;
}

uint32_t sb_out_left(const struct sb_node *node)
{
    const uint32_t out = SB_NODE_OUT_MAX - node->out_n, scratch = SB_SCRATCH - node->scratch_n;
    return out < scratch ? out : scratch;
}

struct sb_udp_route sb_out_route_to(const struct sb_node *node, uint32_t role, uint32_t ipv4,
                                    uint16_t port, const uint8_t mac[6])
{
    struct sb_udp_route r = {
        .src_ipv4 = node->config->nodes[node->setup.self].ipv4,
        .dst_ipv4 = ipv4,
        .src_port = node->config->client_port,
        .dst_port = port,
    };
    memcpy(r.src_mac, node->setup.mac[role], 6);
    memcpy(r.dst_mac, mac, 6);
    return r;
}

struct sb_udp_route sb_out_replication_route(const struct sb_node *node, uint32_t role)
{
    const struct sb_addr *to = &node->config->replication;
    uint8_t mac[6];
    sb_multicast_mac(to->ipv4, mac);
    struct sb_udp_route r = sb_out_route_to(node, role, to->ipv4, to->port, mac);
    r.src_port = to->port;
    return r;
}

uint8_t *sb_out_head_of(const struct sb_node *node, uint8_t *p, uint8_t type, uint64_t epoch,
                        uint8_t flags, uint16_t bytes)
{
    uint8_t *body =
        sb_head_put(p, type, node->config->shard, epoch, node->inc, node->setup.self, flags, bytes);
    const uint8_t version = sb_role_version(node);
    if (type < SB_FT_ENTRY && version != 0)
        p[offsetof(struct sb_head, version)] = version;
    return body;
}

uint8_t *sb_out_head(const struct sb_node *node, uint8_t *p, uint8_t type, uint8_t flags,
                     uint16_t bytes)
{
    return sb_out_head_of(node, p, type, node->epoch, flags, bytes);
}
