/* bench_node.h: one node in this process, as primary, with a peer that is only simulated: every stream packet is acked in the
 * next turn, with the primary's own digest. No network, no second engine: what is left is the node's own work.
 */
#ifndef SHADOWBOOK_PERF_BENCH_NODE_H
#define SHADOWBOOK_PERF_BENCH_NODE_H

#include "replica/clock.h"
#include "replica/node.h"

struct sb_bench_node {
    const struct sb_config *config;
    const struct sb_clock *clock;
    struct sb_node *node;
    void *memory;
    uint64_t now_ns, inc;
    uint64_t counters[SB_CTR_COUNT];
    uint8_t frame[SB_FRAME_BYTES_MAX]; /* of the peer, for the next turn */
    uint32_t frame_len;
};

/* Makes the node and pairs it. False: out of memory. */
bool sb_bench_node_open(struct sb_bench_node *b, const struct sb_config *config,
                        const struct sb_clock *clock);
void sb_bench_node_close(struct sb_bench_node *b);

/* One turn with the peer's ack and this client's frame (len 0: none). */
void sb_bench_node_turn(struct sb_bench_node *b, const uint8_t *frame, uint32_t len);

#endif
