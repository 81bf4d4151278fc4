#include "perf/bench_node.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "nic/wire/entry.h"
#include "nic/wire/udp.h"
#include "shadowbook/assert.h"

enum { PEER_INC = 2, WITNESS_INC = 3, HUGE_BYTES = 2 << 20, ALL_ROLES = (1 << SB_PORT_ROLES) - 1 };

/* A frame of the replication group as the next thing that arrives. */
static void say(struct sb_bench_node *b, uint8_t type, uint64_t epoch, uint64_t inc, uint8_t sender,
                uint8_t flags, const void *body, uint32_t bytes)
{
    uint8_t *p = b->frame + SB_UDP_HEADERS_BYTES;
    memcpy(sb_head_put(p, type, b->config->shard, epoch, inc, sender, flags, (uint16_t)bytes), body,
           bytes);
    const struct sb_addr *to = &b->config->replication;
    struct sb_udp_route route = {.src_mac = {2, 0, 0, 0, 0, 9},
                                 .src_ipv4 = b->config->nodes[1].ipv4,
                                 .dst_ipv4 = to->ipv4,
                                 .src_port = to->port,
                                 .dst_port = to->port};
    sb_multicast_mac(to->ipv4, route.dst_mac);
    b->frame_len = sb_udp_finish(b->frame, &route, (uint32_t)sizeof(struct sb_head) + bytes);
}

static void ack(struct sb_bench_node *b, const struct sb_stream *s)
{
    const struct sb_ack a = {
        .to_inc = b->inc, .held = s->len, .applied = s->applied, .digest = s->digest};
    say(b, SB_FT_ACK, sb_node_epoch(b->node), PEER_INC, SB_NODE_B, 0, &a, sizeof a);
}

void sb_bench_node_turn(struct sb_bench_node *b, const uint8_t *frame, uint32_t len)
{
    struct sb_node_frame in[2];
    struct sb_node_out out = {0};
    uint32_t n = 0;
    if (b->frame_len != 0)
        in[n++] = (struct sb_node_frame){b->frame, b->frame_len, ALL_ROLES};
    if (len != 0)
        in[n++] = (struct sb_node_frame){frame, len, ALL_ROLES};
    const uint64_t clock_ns = sb_clock_now(b->clock);
    b->now_ns = clock_ns > b->now_ns ? clock_ns : b->now_ns;
    sb_node_poll(b->node, b->now_ns, in, n, &out);
    b->frame_len = 0;
    for (uint32_t i = out.n; i-- > 0 && b->frame_len == 0;) { /* the newest says it all */
        struct sb_datagram d;
        struct sb_head h;
        if (out.frames[i].role != SB_PORT_PEER ||
            sb_udp_parse(out.frames[i].data, out.frames[i].len, &d) != SB_UDP_OK ||
            !sb_head_read(d.payload, d.bytes, &h) || h.type != SB_FT_STREAM)
            continue;
        struct sb_stream s;
        memcpy(&s, d.payload + sizeof h, sizeof s);
        ack(b, &s);
    }
}

bool sb_bench_node_open(struct sb_bench_node *b, const struct sb_config *config,
                        const struct sb_clock *clock)
{
    memset(b, 0, sizeof *b);
    b->config = config;
    b->clock = clock;
    const size_t bytes = (sb_node_footprint(config) + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
    b->memory = aligned_alloc(HUGE_BYTES, bytes);
    if (b->memory == NULL)
        return false;
    madvise(b->memory, bytes, MADV_HUGEPAGE);
    memset(b->memory, 0, bytes);
    b->now_ns = b->inc = sb_clock_now(clock);
    struct sb_node_setup setup = {.config = config,
                                  .self = SB_NODE_A,
                                  .new_day = true,
                                  .inc = b->inc,
                                  .midnight_ns = b->inc - b->inc % UINT64_C(86400000000000),
                                  .trading_day = 20000101,
                                  .counters = b->counters};
    for (uint32_t r = 0; r < SB_PORT_ROLES; r++)
        memcpy(setup.mac[r], (uint8_t[6]){2, 0, 0, 0, 0, 1}, 6);
    b->node = sb_node_new(b->memory, bytes, &setup);

    struct sb_control c = {.to = SB_NODE_CLIENT};
    say(b, SB_FT_BOOT, 0, PEER_INC, SB_NODE_B, SB_FF_NEW_DAY, &c, sizeof c);
    sb_bench_node_turn(b, NULL, 0);
    c = (struct sb_control){
        .to = SB_NODE_A, .to_inc = b->inc, .winc = WITNESS_INC, .peer_inc = PEER_INC};
    say(b, SB_FT_PAIROK, 1u << 2 | SB_EPOCH_D, WITNESS_INC, SB_NODE_W, 0, &c, sizeof c);
    /* Then the day's first inputs: the day, its sessions, its instruments. */
    const uint64_t first = 1u + config->sessions_n + config->instruments_n;
    while (sb_node_released(b->node) < first)
        sb_bench_node_turn(b, NULL, 0);
    SB_ASSERT_EQ(sb_node_role(b->node), SB_ROLE_PRIM);
    return true;
}

void sb_bench_node_close(struct sb_bench_node *b)
{
    free(b->memory);
    b->memory = NULL;
}
