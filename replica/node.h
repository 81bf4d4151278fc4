/* node.h: one engine of the pair, as a state machine without I/O.
 *
 *     poll(node, now, frames in) -> frames out
 *
 * A node never reads a clock and touches no device: time and frames are arguments. The same code runs over DPDK and over
 * the simulated network of the tests. Rules R1..R25 and states are those of the replication protocol; the
 * code names them where it obeys them.
 *
 *                    ARM->W          ARMOK(k)            T2
 *           SHADOW --------> arming ----------> armed -------> SOLO (g,S)
 *            ^  ^                                               |   ^  (g,P) <- SOLOOK <- PRIM -> RESIGNED
 *   PAIROK   |  '-- PAIROK of (1,D) -- BOOT -- RESUMEOK, FORCE ---> '-.                    ^
 *   or STREAM|                          |      SOLO (g+1,R)     |     |                    |
 *            '-- CATCH <- later owner --+--- from all but SOLO  '-> PAIRING -- PAIROK -----'
 *
 * What one order goes through, and where: entry frame -> sequencer.c -> log.c -> stream.c (STREAM to the
 * shadow) -> apply.c (engine, encode) -> hold.c (held back) -> release.c (let go). The shadow goes the same way from
 * log.c on. role.c decides who may do what; it is the only file that changes the role; role_turn.c is what each role does
 * by itself.
 *
 * The disk is not here, as little as the network: the host tells what is durable (sb_node_durable) and writes what is to be
 * (the log up to what is applied, and sb_node_record()). A restarted node is loaded from its journal before its first
 * poll, and owns nothing until the witness or the operator says so. A node that hears of a later owner asks its host to
 * begin anew (sb_node_wants_join): with a new incarnation and an empty log, into which the owner's is copied.
 *
 * Cost: no allocation, lock or system call in any function below but sb_node_new(). One thread.
 */
#ifndef SHADOWBOOK_NODE_H
#define SHADOWBOOK_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replica/journal.h"
#include "replica/snapshot.h"
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
    SB_ROLE_HALTED =
        9, /* was SOLO and heard of a later owner (R24): two nodes served, an operator must look */
};
enum sb_arm { SB_ARM_NONE = 0, SB_ARM_ARMING = 1, SB_ARM_ARMED = 2 };

/* Versions of the frames between engines and witness that a program reads. */
struct sb_versions {
    uint8_t min, max;
};

struct sb_node_setup {
    const struct sb_config *config; /* kept; must outlive the node */
    uint8_t self;                   /* SB_NODE_A or SB_NODE_B */
    bool new_day;                   /* the operator's word that there is no earlier log */
    bool
        force_solo; /* the operator's word that this node's log is the one to go on with, and that the
                                       other engine is off (R24) */
    bool witness_apart; /* it is reached by another port than the peer */
    bool journal;       /* the host writes a journal, and says what is durable in it */
    /* Joins out of BOOT: that life said DISCLAIM, and the witness may not have heard it: it is said again, as that life's. 0:
     * nothing is. See sb_node_carry_disclaim(). */
    uint64_t disclaim_inc, disclaim_epoch;
    uint8_t disclaim_record;
    uint64_t join_epoch, join_inc; /* not 0: begins in CATCH, copies the log of this solo owner */
    struct sb_versions versions;   /* max 0: this program's own */
    uint16_t
        rules; /* of the engine; 0: this program's (SB_ENGINE_RULES), which is the only one that serves */
    uint64_t inc;                  /* incarnation: rises with every start, never reused */
    uint64_t midnight_ns;          /* of the trading day; used by the first owner only */
    uint32_t trading_day;          /* yyyymmdd; same */
    uint64_t hash_seed;            /* sb_engine_seed_hash(): each process its own */
    uint8_t mac[SB_PORT_ROLES][6]; /* source MAC of each role's port */
    uint64_t *counters;            /* SB_CTR_COUNT values, written by the node */
};

struct sb_node; /* opaque; node_state.h for the files of this room */

/* What a node owned from some number on: as it stands in its journal. */
struct sb_node_record {
    uint64_t epoch, n; /* n: last input before it */
    uint8_t kind;      /* enum sb_journal_record_kind */
};

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

/* --- the log of an earlier life, or of the owner -------------------------------------------------
 * Before the first poll of a node that begins in BOOT, and between polls of one in CATCH. */

/* Tells how far the log that comes reaches. Outputs are encoded, for re-requests, only for the last log_lines inputs of it. */
void sb_node_expect(struct sb_node *node, uint64_t last_n);

/* An engine's state, into a node whose log is empty; what comes next is number head.n + 1. NULL, or what is wrong with it:
 * then the node must be formatted anew. */
const char *sb_node_load_snapshot(struct sb_node *node, const struct sb_snapshot *snapshot);

enum sb_node_load {
    SB_LOAD_TAKEN,
    SB_LOAD_KNOWN,     /* its number is in the log already */
    SB_LOAD_GAP,       /* numbers before it are missing */
    SB_LOAD_FULL,      /* CATCH: no room until the node is polled */
    SB_LOAD_DIFFERENT, /* this engine makes other outputs of it than the one that wrote it */
    SB_LOAD_REFUSED, /* the log was made under other rules: sb_node_differs() is 1, nothing was taken */
};
/* The next packet of a log; its lines are good (sb_lines_good()). Applied before it returns. */
enum sb_node_load sb_node_load(struct sb_node *node, const struct sb_journal_packet *packet,
                               const struct sb_command *lines);

/* BOOT: the journal, begun by incarnation `lineage`, is read to its end, and this is its last ownership record (kind NONE: it
 * has none). Without this call a
 * node neither resumes nor disclaims: it does not know what its earlier lives did. */
void sb_node_loaded(struct sb_node *node, const struct sb_node_record *record, uint64_t lineage);

/* The first input of the log that defines a session or an instrument otherwise than this node's configuration, or is not what
 * defines one there; behind the last one that it defines: the log defines more. 1: the log (DAY) was made under other rules of the
 * engine, and nothing of it was taken, or begins with other orders of an earlier day. 0: none. Such a node stops by itself; in BOOT the host need not begin. */
uint64_t sb_node_differs(const struct sb_node *node);
/* Where that is 1: the log's rules; this node's own: it is the orders. */
uint16_t sb_node_log_rules(const struct sb_node *node);
/* The peer's, as its last BOOT said; this node's own before the first. While they are others, a new day does not begin. */
uint16_t sb_node_peer_rules(const struct sb_node *node);
/* Does the peer, as its last BOOT said, begin the new day with other orders of an earlier one than this node (carry.h)? Then it
 * does not begin. */
bool sb_node_peer_carries_others(const struct sb_node *node);

/* --- the disk -------------------------------------------------------------------------------------- */

/* Before a poll: inputs up to n are durable in this node's journal, and so are the first `records` records taken. */
void sb_node_durable(struct sb_node *node, uint64_t n, uint64_t records);

/* The journal ended with a fault and the node goes on without: nothing more becomes durable. What is promised to be
 * durable before it leaves does not leave any more. */
void sb_node_journal_lost(struct sb_node *node);

/* After a poll, once the log up to what is applied was handed to the journal: true if a record is to be written behind
 * it. Each is given once. */
bool sb_node_record(struct sb_node *node, struct sb_node_record *record);

/* A later owner exists, and this node is to copy its log (R14): the host closes the journal, begins another, and formats
 * the node anew with these two and a new incarnation. */
bool sb_node_wants_join(const struct sb_node *node, uint64_t *epoch, uint64_t *inc);

/* For the setup of the life that joins: what the present one leaves to be said to the witness (R23). */
void sb_node_carry_disclaim(const struct sb_node *node, struct sb_node_setup *next);

/* Asks a primary to hand over to its shadow (R12) and go on as the next shadow: takes no more input, and resigns once all
 * that it took is answered. Given up if the shadow does not follow within a second. Nothing in any other role. */
void sb_node_hand_over(struct sb_node *node);

/* Asks for an orderly stop: a primary hands over first (RESIGN); `done` says when the loop may end. */
void sb_node_stop(struct sb_node *node);

/* For a crash handler of a process that can never run again (R12): writes the RESIGN frame of a primary into buf
 * (SB_FRAME_BYTES_MAX), returns its length, 0 if the node is not PRIM. It asks for no repair: the shadow goes live at
 * once. Only reads the node. */
uint32_t sb_node_crash_frame(const struct sb_node *node, uint8_t *buf);

/* For the host, the log file written at a clean stop, and tests. */
const struct sb_log *sb_node_log(const struct sb_node *node);
const struct sb_engine *sb_node_engine(const struct sb_node *node);
enum sb_role sb_node_role(const struct sb_node *node);
uint64_t sb_node_epoch(const struct sb_node *node);
uint64_t sb_node_incarnation(const struct sb_node *node);
uint64_t sb_node_released(const struct sb_node *node);

#endif
