/* flow_commands.h: rows of a flow as commands of one session, ready for sb_engine_apply().
 *
 * Session 1 (operator right) sends everything; an order's key is its place among the new orders, from 1. DAY, SESSION and
 * the INSTRUMENTs come first. C becomes REDUCE; a C of an order that the flow never made becomes a REDUCE
 * of key 0, which the engine ignores as superfluous. Held in memory: 64 bytes a command and some 24 an order.
 */
#ifndef SHADOWBOOK_PERF_FLOW_COMMANDS_H
#define SHADOWBOOK_PERF_FLOW_COMMANDS_H

#include "perf/flow.h"
#include "perf/id_map.h"

enum { SB_FLOW_SESSION = 1 };
#define SB_FLOW_MIDNIGHT_NS UINT64_C(946684800000000000) /* 2000-01-01, the day of every flow */

struct sb_flow_commands { /* start from {0}; read only for users */
    struct sb_command *lines;
    size_t lines_n, lines_cap;
    size_t setup_lines; /* of them: DAY, SESSION, INSTRUMENTs */
    uint64_t commands, events;
    uint64_t unknown_cancels; /* C of an order that is not in the flow */
    uint32_t instruments, keys;
    uint64_t *order_ids; /* of key 1..keys */
    uint32_t order_ids_cap;
    uint64_t last_time_ns;
    struct sb_id_map keys_by_id, instruments_by_symbol;
};

/* Reads a whole file: first which instruments it has (tick 100, or 1 if a price is no multiple of 100; CLOSED if the
 * first row is a P, else CONTINUOUS), then its rows. False: error says "file:line: what". */
bool sb_flow_commands_load(struct sb_flow_commands *fc, const char *path,
                           char error[SB_LINES_ERROR_BYTES]);

/* The same by hand: begin, each instrument, then rows. NULL, or what is wrong. */
const char *sb_flow_commands_begin(struct sb_flow_commands *fc);
const char *sb_flow_commands_instrument(struct sb_flow_commands *fc, const char symbol[8],
                                        int64_t tick, uint8_t phase);
const char *sb_flow_commands_row(struct sb_flow_commands *fc, const struct sb_flow_row *row);

void sb_flow_commands_free(struct sb_flow_commands *fc);

#endif
