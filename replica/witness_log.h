/* witness_log.h: what a log-holding witness keeps of a solo owner's log (policy WITNESS; W1 to W9 of tests/model/README.md).
 *
 *     base + 1 .. log.len   inputs that are not known to be durable at the owner, in stream packets
 *     need                  all up to here may have been released: the log is whole once it reaches so far
 *
 * Bounded: what is durable at the owner makes room; without room nothing is taken, and the owner waits. Kept over a RESUME,
 * dropped when a pair holds the log again, and lost with the witness. No allocation after init.
 */
#ifndef SHADOWBOOK_WITNESS_LOG_H
#define SHADOWBOOK_WITNESS_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "replica/log.h"

enum sb_witness_log_state {
    SB_WITNESS_LOG_NONE, /* nothing is known of the owner's log */
    SB_WITNESS_LOG_KEPT, /* over a RESUME: handed out, and gone on with */
    SB_WITNESS_LOG_OPEN, /* the owner has said LIVE: its stream is taken */
};

struct sb_witness_log {
    struct sb_log log; /* lines_cap 0: none is configured */
    enum sb_witness_log_state state;
    uint64_t lineage; /* of the owner's journal */
    uint64_t base, need;
};

size_t sb_witness_log_bytes(uint32_t lines);
/* memory: of that size, zeroed, 64-byte aligned, the caller's, kept. */
void sb_witness_log_init(struct sb_witness_log *l, void *memory, uint32_t lines);

void sb_witness_log_drop(struct sb_witness_log *l);

/* LIVE of the register's owner: its journal holds 1..durable, its log 1..need. */
void sb_witness_log_open(struct sb_witness_log *l, uint64_t lineage, uint64_t durable,
                         uint64_t need);
/* A good STREAM frame of that owner. */
void sb_witness_log_take(struct sb_witness_log *l, const struct sb_stream *s, const void *lines);

/* May be acked: with the owner's journal it covers all that may have been released. */
static inline bool sb_witness_log_whole(const struct sb_witness_log *l)
{
    return l->state == SB_WITNESS_LOG_OPEN && l->log.len >= l->need;
}

/* RESUME: do this journal, which holds 1..durable, and the log cover all that may have been released? */
bool sb_witness_log_covers(const struct sb_witness_log *l, uint64_t lineage, uint64_t durable);
/* It is granted: the log is sealed, and kept for the owner that goes on. */
void sb_witness_log_seal(struct sb_witness_log *l, uint64_t lineage, uint64_t durable);

#endif
