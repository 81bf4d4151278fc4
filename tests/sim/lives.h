/* lives.h: what a simulated node has beside its turns: its disk, its earlier lives, the owner's log when it joins. What
 * storage.h and the main of the product do with files, threads and TCP is done here with a simulated disk, and by the same
 * rules; the bulk copy comes from the owner's durable journal, at a drawn pace, and may stall or begin again.
 *
 * The operator (operator.c) does what REPLICATION.md leaves to one: where nobody owns the shard any more he proves both
 * engines off, and forces the one with the longest log of the highest record (R24, R25).
 */
#ifndef SHADOWBOOK_SIM_LIVES_H
#define SHADOWBOOK_SIM_LIVES_H

#include "replica/node.h"
#include "tests/sim/disk.h"

enum { SIM_INPUTS_MAX = 1 << 14 };

/* The bulk copy of a joiner. */
struct sim_copy {
    bool on;
    bool snapshot_first;
    struct sim_reader reader;
    uint64_t from_inc; /* the owner that is read */
    uint64_t next_ns, pace_ns;
    bool held; /* these did not find room */
    const struct sb_journal_packet *packet;
    const struct sb_command *lines;
};

struct sim_life {
    struct sb_node_setup setup;
    struct sim_disk disk;
    struct sim_copy copy;
    struct sb_journal_end end; /* of an earlier life's folder */
    bool recovered;            /* ... that can be gone on with */
    bool copied, lost;         /* as in storage.h */
    bool forced;
    uint64_t kept_n; /* inputs that were durable when it died: a restart must find them */
    uint64_t *wrote; /* [n_first] hash of each packet that was handed to the journal */
    uint64_t stopping_since_ns;
};

enum sim_start { SIM_NEW_DAY, SIM_RESTART, SIM_FORCE };

enum sim_operator_state { SIM_OP_WATCHES, SIM_OP_STOPS, SIM_OP_FORCED };
struct sim_operator {
    enum sim_operator_state state;
    uint64_t since_ns; /* nobody owns, or this state */
    uint32_t chosen, acts;
};

struct sim_world;

void sim_life_start(struct sim_world *w, uint32_t i, enum sim_start start);
/* Around a poll, as storage.h has it. */
void sim_life_before(struct sim_world *w, uint32_t i);
void sim_life_after(struct sim_world *w, uint32_t i, uint64_t node_now_ns, bool done);
/* The host is dead; in order: it has ended by itself, and written out what it had. */
void sim_life_over(struct sim_world *w, uint32_t i, bool in_order);

/* A node that serves, or a pair. */
bool sim_served(const struct sim_world *w);
/* What the operator sees of a stopped node: its record, and how much of its log is good. */
struct sim_seen {
    struct sb_journal_owner record;
    uint64_t n;
};
struct sim_seen sim_life_look(const struct sim_world *w, uint32_t i);

void sim_operator_turn(struct sim_world *w);

#endif
