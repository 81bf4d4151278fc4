/* disk.h: a disk for each node of a bench: what storage.c does, in memory and without a thread.
 *
 * A step: what is durable is told, the hosts run (bench_step), then each node's journal takes inputs and records, and a node
 * that wants to join is formatted anew. What is durable follows at once, or stands still while `stuck`. What one write held
 * is not modelled: durable is a number of entries. */
#ifndef SHADOWBOOK_TESTS_REPLICA_DISK_H
#define SHADOWBOOK_TESTS_REPLICA_DISK_H

#include "tests/replica/bench.h"

enum { DISK_ENTRIES_MAX = 1 << 14 };

struct disk_entry {
    struct sb_journal_packet packet; /* count 0: a record */
    struct sb_node_record record;
    struct sb_command lines[SB_STREAM_LINES_MAX];
};

struct disk {
    struct disk_entry *entries; /* of the present journal */
    uint32_t n, durable;
    uint64_t next_packet, queued_n;
    uint64_t lineage; /* 0: there is no journal */
    bool stuck;       /* nothing more becomes durable */
    bool no_copy;     /* the other node cannot copy from it */
};

struct disks {
    struct bench *b;
    struct disk of[2];
};

/* Behind a bench_pair() whose configuration has a journal. */
void disks_open(struct disks *d, struct bench *b);
void disks_close(struct disks *d);

void disks_step(struct disks *d);
void disks_run(struct disks *d, uint64_t ns);
/* Until the node has this role, for at most 50 ms. */
void disks_until(struct disks *d, uint8_t node, enum sb_role role);
/* Until A and B are a pair again with this one as the primary. */
void disks_until_pair(struct disks *d, uint8_t primary);

/* Dies: what is not durable is gone. */
void disks_kill(struct disks *d, uint8_t node);
/* Starts again from its journal; with_journal false: its disk was replaced. */
void disks_restart(struct disks *d, uint8_t node, bool with_journal, bool force);

/* The last durable record. */
struct sb_node_record disks_record(const struct disks *d, uint8_t node);
uint64_t disks_durable_n(const struct disks *d, uint8_t node);

#endif
