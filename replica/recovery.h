/* recovery.h: what a journal's folder gives back: a snapshot to begin with, the packets behind it, and how it ends.
 *
 *     struct sb_recovery r;
 *     if (sb_recovery_open(&r, path, false, stderr) == SB_RECOVERY_READY) {
 *         engine with r.limits; r.snapshot.bytes != NULL: sb_snapshot_load(&r.snapshot, engine)
 *         while (sb_recovery_packet(&r, &packet, &lines, stderr) == 1)
 *             apply the packet's commands, seal, compare with packet->digest
 *         r.found, r.end, sb_recovery_say_end(&r, stderr)
 *     }
 *     sb_recovery_close(&r);
 *
 * The newest snapshot is taken that is undamaged and that the journal goes on from without a hole. A damaged one is said and
 * the next older one tried; without any, the journal must begin at input 1. Segments wholly before the snapshot are not
 * read: what they say of ownership stands in the heads of later ones (journal.h).
 *
 * An end DAMAGED is not to be continued (and the folder not to be resumed from): something durable is lost. That is also
 * found where a snapshot holds inputs that the journal does not: it was made from them. OPEN, TORN and CLOSED can be continued
 * with r.end. The journal of a running node may be read; only what is found at its end is not the end then.
 *
 * Costs: open reads the head of every segment and of every block of the last one; then every byte from the snapshot's
 * segment on is read once. One segment and one snapshot are in memory. One thread. Off the order path.
 */
#ifndef SHADOWBOOK_RECOVERY_H
#define SHADOWBOOK_RECOVERY_H

#include "replica/journal_reader.h"
#include "replica/snapshot.h"

enum sb_recovery_opened {
    SB_RECOVERY_READY,
    SB_RECOVERY_NOTHING, /* no journal is here, or one whose first block never became durable: there is nothing to go
                            on with, and no word about it */
    SB_RECOVERY_BAD, /* cannot be read, or begins too late (said on err) */
};

struct sb_recovery {
    struct sb_journal_reader reader;
    struct sb_snapshot snapshot; /* bytes NULL: none, the packets begin at input 1 */
    struct sb_engine_limits limits;
    uint16_t shard;
    uint64_t
        n_estimate;  /* last number, as far as the heads of blocks tell; the truth may be less */
    uint64_t next_n; /* number of the next packet's first command */
    /* At the end, as sb_recovery_packet() returned 0: */
    enum sb_journal_found found;
    struct sb_journal_end end; /* to go on behind; its owner: the last ownership record */
    const char *why;           /* TORN, DAMAGED: what is wrong */
    bool ahead;                /* a snapshot knows more than the journal */
};

/* Opens the journal in the folder at path, or, where that holds no segment but folders that do, in the newest. whole: from input 1
 * on, whatever snapshots there are. Close it whatever was returned. */
enum sb_recovery_opened sb_recovery_open(struct sb_recovery *r, const char *path, bool whole,
                                         FILE *err);
/* The same with no snapshot that is newer than input n_max: 0 takes none, UINT64_MAX any. */
enum sb_recovery_opened sb_recovery_open_at(struct sb_recovery *r, const char *path, uint64_t n_max,
                                            FILE *err);
/* As many inputs as an engine can be run over: from input 1, if that is there, else from the oldest snapshot that the journal
 * goes on from. */
enum sb_recovery_opened sb_recovery_open_longest(struct sb_recovery *r, const char *path,
                                                 FILE *err);
/* Every input that is there, from whichever on, and no snapshot: for who compares inputs and runs no engine. r.next_n is then the
 * first one's number. */
enum sb_recovery_opened sb_recovery_open_inputs(struct sb_recovery *r, const char *path, FILE *err);
void sb_recovery_close(struct sb_recovery *r);

/* 1: the next packet behind the snapshot, good as journal.h has it, valid until the next call; 0: the end; -1: a file
 * cannot be read, or does not fit the snapshot (said on err). */
int sb_recovery_packet(struct sb_recovery *r, const struct sb_journal_packet **packet,
                       const struct sb_command **lines, FILE *err);

/* The END record at a CLOSED end (running and full-state digest), else NULL. */
const struct sb_journal_record *sb_recovery_closed(const struct sb_recovery *r);

/* One line: how the journal ends, where (segment, offset, number) and why. */
void sb_recovery_say_end(const struct sb_recovery *r, FILE *to);

#endif
