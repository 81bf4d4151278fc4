/* node.h: one engine of the pair, as a state machine without I/O.
 *
 *     poll(node, now, frames in) -> frames out
 *
 * A node never reads a clock and touches no device: time and frames are arguments. The same code runs over DPDK and over
 * the simulated network of the tests. Rules R1..R25 and states are those of the replication protocol; the
 * code names them where it obeys them.
 *
 *            ARM->W          ARMOK(k)            T2
 *   SHADOW --------> arming ----------> armed -------> SOLO (g,S)
 *      ^                                                 ^  (g,P) <- SOLOOK <- PRIM -> RESIGNED
 *      +---- PAIROK of (1,D) ---- BOOT                   |
 *      a later owner is seen: CATCH (owns nothing, releases nothing)
 *
 * What one order goes through, and where: entry frame -> sequencer.c -> log.c -> stream.c (STREAM to the
 * shadow) -> apply.c (engine, encode) -> hold.c (held back) -> release.c (let go). The shadow goes the same way from
 * log.c on. role.c decides who may do what; it is the only file that changes the role.
 *
 * Not here yet: restart from a journal (journal_writer.h writes one beside the loop), and rejoin. A node that loses the
 * ownership goes to CATCH and stays there; a restarted node stays in BOOT. SOLO releases under policy MEMORY: its outputs
 * rest on this node's memory alone.
 *
 * Cost: no allocation, lock or system call in any function below but sb_node_new(). One thread.
 */
#ifndef SHADOWBOOK_NODE_H
#define SHADOWBOOK_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shadowbook/config.h"
#include "shadowbook/counters.h"
#include "shadowbook/port.h"

/* States of the replication protocol (REPLICATION.md section 2), as shown by the ROLE counter. */
enum sb_role {
    SB_ROLE_DOWN = 0,
    SB_ROLE_BOOT = 1,
    SB_ROLE_CATCH = 2,
    SB_ROLE_SHADOW = 3,
    SB_ROLE_PRIM = 4,
    SB_ROLE_PAIRING = 5,
    SB_ROLE_SOLO = 6,
    SB_ROLE_RESIGNED = 7,
    SB_ROLE_DIVERGED = 8,
};
enum sb_arm { SB_ARM_NONE = 0, SB_ARM_ARMING = 1, SB_ARM_ARMED = 2 };

struct sb_node_setup {
    const struct sb_config *config; /* kept; must outlive the node */
    uint8_t self;                   /* SB_NODE_A or SB_NODE_B */
    bool new_day;                   /* the operator's word that there is no earlier log */
    uint64_t inc;                   /* incarnation: rises with every start, never reused */
    uint64_t midnight_ns;           /* of the trading day; used by the first owner only */
    uint32_t trading_day;           /* yyyymmdd; same */
    uint8_t mac[SB_PORT_ROLES][6];  /* source MAC of each role's port */
    uint64_t *counters;             /* SB_CTR_COUNT values, written by the node */
};

struct sb_node; /* opaque; node_state.h for the files of this room */

/* A frame that came in, and by which roles' port (bit i = enum sb_port_role i). */
struct sb_node_frame {
    const uint8_t *data;
    uint32_t len;
    uint32_t roles;
};

/* A frame that is to leave by the port of `role`. Stays readable until the next poll. */
struct sb_node_out_frame {
    const uint8_t *data;
    uint32_t len;
    uint32_t role;
};

enum { SB_NODE_IN_MAX = 96, SB_NODE_OUT_MAX = 768 };

struct sb_node_out {
    const struct sb_node_out_frame *frames; /* in the order in which they should leave */
    uint32_t n;
    bool went_live; /* this poll decided a takeover: frames[0] is the first that was held back */
    bool busy;      /* there is more to do at once: call again without waiting */
    bool done;      /* an orderly stop is complete */
};

size_t sb_node_footprint(const struct sb_config *config);

/* Formats a node into mem (zeroed, 64-byte aligned, `bytes` long, the caller's, kept). */
struct sb_node *sb_node_new(void *mem, size_t bytes, const struct sb_node_setup *setup);

/* One turn of the loop. n <= SB_NODE_IN_MAX. now_ns: UTC, never less than in the turn before. Deterministic. */
void sb_node_poll(struct sb_node *node, uint64_t now_ns, const struct sb_node_frame *in, uint32_t n,
                  struct sb_node_out *out);

/* Asks for an orderly stop: a primary hands over first (RESIGN); `done` says when the loop may end. */
void sb_node_stop(struct sb_node *node);

/* For a crash handler of a process that can never run again (R12): writes the RESIGN frame of a primary into buf
 * (SB_FRAME_BYTES_MAX), returns its length, 0 if the node is not PRIM. It asks for no repair: the shadow goes live at
 * once. Only reads the node. */
uint32_t sb_node_crash_frame(const struct sb_node *node, uint8_t *buf);

/* For the log file written at a clean stop, and for tests. */
struct sb_log;
struct sb_engine;
const struct sb_log *sb_node_log(const struct sb_node *node);
const struct sb_engine *sb_node_engine(const struct sb_node *node);
enum sb_role sb_node_role(const struct sb_node *node);
uint64_t sb_node_epoch(const struct sb_node *node);
uint64_t sb_node_released(const struct sb_node *node);

#endif
