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
#include "tests/sim/reach.h"

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
    bool disk_stops_it;      /* it cannot write, and ends for that */
    bool other_rules;        /* so has the program that runs, or starts next: other_rules.c */
    bool other_day;          /* ... since before the day began */
    bool other_disk;         /* ... and looks for its journal where none is */
    uint64_t other_until_ns; /* then it is stopped, if it has not ended */
    uint64_t refusals;       /* SB_CTR_OTHER_RULES when it was chosen */
    enum sim_refused refused;
};

enum sim_start { SIM_NEW_DAY, SIM_OTHER_DAY, SIM_RESTART, SIM_FORCE }; /* OTHER: of other rules */

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

/* The host's node dies, and starts at restart_ns as a program with other rules. What it does is judged; when it has ended, or its
 * time is over, the right program starts. other_disk: it looks for its journal where none is. */
void sim_rules_strike(struct sim_world *w, uint32_t i, uint64_t restart_ns, bool other_disk);
/* Instead of a new day's start: this host has such a program until then. */
void sim_rules_begin_day(struct sim_world *w, uint32_t i, uint64_t until_ns);
/* After a poll of such a node; done: it has ended. */
void sim_rules_check(struct sim_world *w, uint32_t i, bool done);
/* It is no more: the right one. */
void sim_rules_put_right(struct sim_world *w, uint32_t i);
/* Whose time is over? */
void sim_rules_turn(struct sim_world *w);

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
