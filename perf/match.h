/* match.h: the engine alone over a flow: right, and how fast.
 *
 * Every run is a new engine over the same commands, sealed every SB_MATCH_SEAL_EVERY commands, so that all runs must end in
 * the same digest (asserted). Nothing here does I/O while it measures.
 */
#ifndef SHADOWBOOK_PERF_MATCH_H
#define SHADOWBOOK_PERF_MATCH_H

#include <stdio.h>

#include "perf/flow_commands.h"
#include "perf/histogram.h"
#include "shadowbook/engine.h"
#include "shadowbook/frame.h"

enum { SB_MATCH_SEAL_EVERY = 16, SB_MATCH_PACKET_MAX = SB_STREAM_LINES_MAX };

/* One engine, and its outbox with room for what SB_MATCH_PACKET_MAX commands make. Memory in huge pages where the kernel
 * gives them. */
struct sb_match_engine {
    struct sb_engine *engine;
    struct sb_outbox box;
    void *memory;
    size_t memory_bytes, box_bytes;
};

bool sb_match_engine_open(struct sb_match_engine *m, const struct sb_engine_limits *limits);
void sb_match_engine_close(struct sb_match_engine *m);

/* Are these the rules of this program's engine (engine.h)? False: said on err, of the log at path. */
bool sb_match_rules(const char *path, uint16_t rules, FILE *err);

/* Applies the `count` commands of a log's packet, and seals. NULL, or what is wrong with them. *outputs: how many they
 * made. What the digest is afterwards is for the caller to compare. */
const char *sb_match_packet(struct sb_match_engine *m, const struct sb_command *lines,
                            uint32_t count, uint32_t *outputs);

/* What came out of a flow. */
struct sb_match_result {
    uint64_t outputs, trades, acknowledged, rejected, superfluous, phases_refused;
    uint32_t open_orders_peak;
    uint64_t digest, state_digest;
};

/* Runs the flow; calls trade (if not NULL) for each trade in order. When it returns false it is not called again. */
void sb_match_check(struct sb_match_engine *m, const struct sb_flow_commands *fc,
                    struct sb_match_result *result,
                    bool (*trade)(void *arg, const struct sb_flow_trade *t), void *arg);

/* The whole flow, packet by packet, without a look at the clock in between: apply each command, then seal; with prefetch,
 * first ask for the lines of the whole packet. Nanoseconds. The digest afterwards. */
uint64_t sb_match_time_whole(struct sb_match_engine *m, const struct sb_flow_commands *fc,
                             bool prefetch, uint64_t *digest);

/* Each event by itself with the TSC around apply. */
void sb_match_time_events(struct sb_match_engine *m, const struct sb_flow_commands *fc,
                          struct sb_histogram *ns, uint64_t *digest);

/* The same loops with nothing applied: the floor under the two. Nanoseconds of the whole. */
uint64_t sb_match_floor(const struct sb_flow_commands *fc, struct sb_histogram *ns);

#endif
