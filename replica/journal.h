/* journal.h: a node's input log on disk: the format, and what a reader may believe of it. Pure, no I/O.
 *
 * A journal is one log of one node: a folder of segment files, 00000001.journal and so on. A segment is a row of
 * blocks; a block is what one write put there, durable before the next was begun. A node that was restarted and goes on
 * with the log goes on with its journal: with a segment of its own, under its higher incarnation, behind all that the
 * lives before it left there. All integers little-endian, reserved bytes zero. A block is padded with zeros to a multiple
 * of 4096 bytes and begins with this head of 96 bytes:
 *
 *      0  struct sb_head, as every frame of ours has it (frame.h): magic SB_JOURNAL_MAGIC, version, type = kind of the block,
 *         shard, epoch, inc, sender; flags, bytes and tag are zero
 *     40  number   of the block in the journal, from 0, over all segments
 *     48  previous hash of the block before it; 0 in the first. So every block names all that stands before it
 *     56  n_first  number of the next command: of the block's first, if it has any
 *     64  count    commands in it          68  lines  64-byte lines of them
 *     72  packets  stream packets          76  length bytes used, this head included
 *     80  zero                             88  hash   XXH3-64 of the head with hash = 0, then of all bytes behind it, padding
 *                                                     included, with that as seed
 *
 *     kind     what follows
 *     SEGMENT  struct sb_journal_segment: first block of every file. Its `previous` is what ties two files together. It names
 *              the last ownership record before it, so that one is known though its segment is gone or not read. Day,
 *              generation and limits are those of the whole journal
 *     DATA     `packets` times: struct sb_journal_packet, its lines. Packets as in log.h: never cut differently, each with
 *              the running digest after its last command. All of one epoch
 *     RECORD   struct sb_journal_record: what the node owned from here on (REPLICATION.md section 1), or END: an orderly
 *              stop, with nothing of this life behind it. In log order: a good record vouches for every input before it
 *
 * A closed segment is cut to its length and never written again; the last one may have zeros behind its end (it is
 * allocated before it is used), and a life that goes on cuts off what is torn there before its own segment begins.
 * Segments from the front may be missing: moved away, removed by the retention, or never written, where the journal
 * was begun from a snapshot (snapshot.h).
 *
 * What a reader finds at the end:
 *     CLOSED   END record, nothing behind it
 *     OPEN     good blocks, then nothing or zeros: the writer ended without a word between two writes
 *     TORN     then a block that is not good, and no good one behind it: the last write was cut short. Damage to the very
 *              last block cannot be told from it; nothing reported durable but that block is missing
 *     DAMAGED  a block that is not good, and a later one that is: something durable is lost. Readers stop there
 * Nothing at or behind a bad block is ever handed out: numbers rise without a hole, and every command is
 * sb_command_valid().
 *
 * Not covered: forgery. XXH3 is no signature; the tag is kept for one.
 */
#ifndef SHADOWBOOK_JOURNAL_H
#define SHADOWBOOK_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "replica/limits.h"
#include "replica/log.h"
#include "shadowbook/engine.h"
#include "shadowbook/frame.h"

#define SB_JOURNAL_MAGIC UINT32_C(0x314A4253) /* "SBJ1" */
enum {
    SB_JOURNAL_VERSION = 2,         /* 1: orders without terms */
    SB_JOURNAL_ALIGN = 4096,        /* what O_DIRECT asks for on any disk we know */
    SB_JOURNAL_BLOCK_MAX = 1 << 20, /* bytes of a block, padding included */
};

enum sb_journal_kind { SB_JOURNAL_SEGMENT = 1, SB_JOURNAL_DATA = 2, SB_JOURNAL_RECORD = 3 };

struct sb_journal_block {
    struct sb_head head;
    uint64_t number, previous, n_first;
    uint32_t count, lines, packets, length;
    uint64_t zero;
    uint64_t hash;
};
_Static_assert(sizeof(struct sb_journal_block) == 96, "disk layout");

struct sb_journal_segment {
    uint64_t segment; /* from 1; the file's name */
    uint32_t trading_day;
    uint16_t generation;
    uint8_t owner_kind; /* of the last ownership record before this segment, */
    uint8_t zero;
    struct sb_kept_limits limits;
    uint32_t zero2;
    uint64_t owner_epoch; /* and its epoch */
    uint32_t reserved[4];
};
_Static_assert(sizeof(struct sb_journal_segment) == 64, "disk layout");

struct sb_journal_packet {
    uint64_t n_first, digest;
    uint16_t count, lines;
    uint32_t zero;
};
_Static_assert(sizeof(struct sb_journal_packet) == 24, "disk layout");

enum sb_journal_record_kind {
    SB_RECORD_NONE = 0,
    SB_RECORD_JOIN = 1,
    SB_RECORD_SOLO = 2,
    SB_RECORD_PAIR = 3,
    SB_RECORD_END = 4,
    SB_RECORD_CLOCK = 5, /* no record of ownership: the clock of the inputs behind it */
};

struct sb_journal_record {
    uint64_t epoch;
    uint64_t n;                    /* last number in the log when it was written: all before it */
    uint64_t digest, state_digest; /* END: running and full-state digest at n; else zero */
    uint64_t
        clock_bound_ns; /* CLOCK: most that the clock of this node, which gives the inputs behind n their times, is
                                away from UTC; UINT64_MAX: not known, or another node gives them. Else zero */
    uint8_t kind; /* enum sb_journal_record_kind */
    uint8_t zero[23];
};
_Static_assert(sizeof(struct sb_journal_record) == 64, "disk layout");

/* What the last record of ownership says: JOIN, SOLO or PAIR; NONE before the first. END is none. */
struct sb_journal_owner {
    uint64_t epoch;
    uint8_t kind; /* enum sb_journal_record_kind */
};

/* Takes a record into account. */
static inline void sb_journal_own(struct sb_journal_owner *o, const struct sb_journal_record *r)
{
    if (r->kind == SB_RECORD_JOIN || r->kind == SB_RECORD_SOLO || r->kind == SB_RECORD_PAIR)
        *o = (struct sb_journal_owner){.epoch = r->epoch, .kind = r->kind};
}

/* Where the good part of a journal ends, and all that a later life needs to go on behind it. */
struct sb_journal_end {
    uint64_t segment;  /* number of the last file */
    uint64_t offset;   /* in it; 0: nothing in the file is good, not even its head */
    uint64_t number;   /* of the next block */
    uint64_t previous; /* hash of the last one */
    uint64_t next_n;
    uint64_t epoch, inc; /* of the last block: they do not fall */
    struct sb_journal_owner owner;
    /* What does not change within a journal. */
    uint16_t shard;
    uint8_t sender;
    struct sb_journal_segment head; /* of the last segment: day, generation, limits */
};

/* Can these be segments of one journal: the same day, generation and limits? */
static inline bool sb_journal_same_log(const struct sb_journal_segment *a,
                                       const struct sb_journal_segment *b)
{
    return a->trading_day == b->trading_day && a->generation == b->generation &&
           memcmp(&a->limits, &b->limits, sizeof a->limits) == 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Bytes on disk of a block with this many used. */
static inline uint32_t sb_journal_padded(uint32_t length)
{
    return (length + SB_JOURNAL_ALIGN - 1) & ~(uint32_t)(SB_JOURNAL_ALIGN - 1);
}

/* Finishes a block whose payload stands behind its head: fills in magic and version, zeroes the padding, puts the hash
 * in. head.type, shard, epoch, inc, sender, number, previous, n_first, count, lines, packets and length are the
 * caller's; everything else in the head must be zero. Returns its bytes on disk. */
uint32_t sb_journal_seal(struct sb_journal_block *block);

/* --- reading ---------------------------------------------------------------------------------- */

enum sb_journal_found {
    SB_FOUND_BLOCK,  /* scan->block and payload are the next one */
    SB_FOUND_NEXT,   /* this segment is over: begin the next */
    SB_FOUND_CLOSED, /* the four ends */
    SB_FOUND_OPEN,
    SB_FOUND_TORN,
    SB_FOUND_DAMAGED,
};

/* One pass over a journal, segment by segment. */
struct sb_journal_scan {
    struct sb_journal_block block;     /* a copy of the last good one's head */
    struct sb_journal_segment segment; /* the one that is read */
    struct sb_journal_record record;   /* the last one read; kind NONE before the first */
    struct sb_journal_owner owner;     /* also of a record before the first segment that is there */
    uint64_t
        clock_bound_ns; /* of the last CLOCK in this life and epoch; UINT64_MAX: none, or not known */
    const uint8_t *payload; /* behind the head of the last good block; in the caller's bytes */
    uint64_t next_n;        /* number of the next command */
    uint64_t first_n;     /* of the first in the journal as it is: 1 unless segments are missing */
    uint64_t blocks;      /* good ones so far */
    const uint8_t *bytes; /* of this segment */
    uint64_t size, at;    /* at: where the next block begins; at an end, where it ends */
    bool last;            /* no later segment exists */
    bool ended;      /* the last block was an END record; false again when another life goes on */
    const char *why; /* TORN and DAMAGED: what is wrong at `at` */
};

void sb_journal_scan_begin(struct sb_journal_scan *scan);

/* The next segment's bytes, whole, kept by the caller until the next call; last: there is no file behind it. 8-byte
 * aligned. */
void sb_journal_scan_segment(struct sb_journal_scan *scan, const uint8_t *bytes, uint64_t size,
                             bool last);

/* The next good block, or why there is none. An end is final. Total over any bytes. */
enum sb_journal_found sb_journal_scan_next(struct sb_journal_scan *scan);

/* Where a scan that came to an end stands; segment: the number of the file that was read last. Behind DAMAGED nothing is
 * ever to be continued. */
struct sb_journal_end sb_journal_scan_end(const struct sb_journal_scan *scan, uint64_t segment);

/* One block alone, for who gets them one at a time (a live journal, a wire): as the one behind what the scan has seen, at the
 * place scan->at of its segment, which the caller may set before (0: a segment begins). BLOCK: scan has moved on behind it;
 * TORN: no whole block is there (yet); DAMAGED: one is, and it does not belong there. scan->why says what is wrong; the scan
 * is then as it was. bytes: 8-byte aligned. */
enum sb_journal_found sb_journal_scan_block(struct sb_journal_scan *scan, const uint8_t *bytes,
                                            uint64_t size);

/* Does a good block of this journal, later than what the scan has seen, begin at a multiple of SB_JOURNAL_ALIGN in these
 * bytes, and end there? */
bool sb_journal_later(const struct sb_journal_scan *scan, const uint8_t *bytes, uint64_t size);

/* The packets of a DATA block: *at from 0 on. NULL behind the last. Only for a block that the scan found good. */
const struct sb_journal_packet *sb_journal_packet_next(const struct sb_journal_scan *scan,
                                                       uint32_t *at,
                                                       const struct sb_command **lines);

/* "SOLO", "PAIR", ... */
const char *sb_journal_record_name(uint8_t kind);

#endif
