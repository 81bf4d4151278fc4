/* disk.h: a simulated node's disk, and on it the node's journal as the product writes it and as the product reads it.
 *
 * The writer is the production writer (journal_writer.h) without its thread: what its thread does happens here at drawn
 * moments of virtual time. So a block is gathered when the one before it is durable (group commit), and a crash finds it
 * anywhere between that and durable. Bytes and scanner are the product's, too.
 *
 * What may go wrong with it, and what the checkers make of that:
 *     torn       a crash in the middle of a write leaves any part of its sectors. Promised to do no harm
 *     slow, full, error, read-only
 *                the writer ends with a fault; the node stops or goes on without, as configured. Promised to do no harm
 *     lost, misdirected, corrupt
 *                what was durable is not there: the disk has lied. What it held may be gone, or its journal be refused; but
 *                what is read of it is a part of what was written, from the beginning on
 * Not simulated: a crash between a folder's making and its first block, retention, io_uring.
 */
#ifndef SHADOWBOOK_SIM_DISK_H
#define SHADOWBOOK_SIM_DISK_H

#include "replica/journal_writer.h"
#include "replica/snapshot.h"

enum { SIM_DISK_WRITTEN = 4, SIM_DISK_RING_BYTES = 1 << 18, SIM_DISK_SEGMENT_BYTES = 1 << 16 };

/* A segment, or (segment 0) the snapshot that its folder begins with. */
struct sim_file {
    uint64_t folder, segment;
    uint8_t *bytes;
    uint64_t size, used; /* used: nothing was ever written at or behind it */
};

struct sim_written {
    uint32_t file, bytes;
    uint64_t offset;
};

struct sim_disk {
    uint64_t rng, now_ns, latency_ns;
    struct sim_file *files; /* in order of making */
    uint32_t files_n, files_cap;
    uint32_t open;
    uint64_t folder, newest; /* the writer's; the one that sorts last; 0: none */
    bool writing;
    struct sb_journal_writer writer;
    uint8_t *buffer;
    struct sb_journal_block *block; /* under way; durable at done_ns */
    uint64_t done_ns;

    /* Faults. */
    bool may_tear; /* a crash may leave parts of a write */
    uint64_t slow_until_ns, slow_ns, error_until_ns;
    int error;
    bool misdirect, lose; /* the next write; the last ones, at the next crash */
    bool lied;
    bool crashing;
    uint32_t steps_left; /* crashing: what is still done */
    struct sim_written last[SIM_DISK_WRITTEN];
    uint32_t last_n;
    uint64_t torn, lost, misdirected; /* counted */
    FILE *said;                       /* where the writer's words go */
};

/* Empty and sound. Keeps memory of an earlier run. */
void sim_disk_init(struct sim_disk *d, uint64_t seed);
void sim_disk_free(struct sim_disk *d); /* the files; buffers are kept */

/* Begins a folder (after NULL), or goes on with one. False: the disk has a fault. */
bool sim_disk_open(struct sim_disk *d, uint64_t folder, const struct sb_journal_setup *setup);
/* Lets time pass. */
void sim_disk_turn(struct sim_disk *d, uint64_t now_ns);
/* Waits for all that was handed over, and ends. False: not all is durable. */
bool sim_disk_close(struct sim_disk *d);
/* The process, or its host, is no more. */
void sim_disk_crash(struct sim_disk *d);

void sim_disk_put_snapshot(struct sim_disk *d, uint64_t folder, const void *bytes, size_t n);

/* A bit of the newest folder flips. False: nothing is there. */
bool sim_disk_flip(struct sim_disk *d);

/* What of the log is durable in the open journal, and the last record that is. */
static inline uint64_t sim_disk_durable(const struct sim_disk *d)
{
    return d->writing ? sb_journal_writer_durable(&d->writer) : 0;
}
static inline struct sb_journal_owner sim_disk_record(const struct sim_disk *d)
{
    return d->writing ? d->writer.owner : (struct sb_journal_owner){0};
}

/* --- reading ------------------------------------------------------------------------------------------ */

/* From a folder's beginning, its snapshot first. live: it is being written, and its end is only where it has come to. */
struct sim_reader {
    const struct sim_disk *disk;
    uint64_t folder;
    bool live, over;
    uint32_t file; /* that is read; UINT32_MAX: none yet */
    uint32_t packet_at;
    struct sb_journal_scan scan;
    enum sb_journal_found found; /* as the scan said last; not live: how it ends */
};

void sim_reader_begin(struct sim_reader *r, const struct sim_disk *d, uint64_t folder, bool live);
/* The snapshot that the folder begins with. False: none. */
bool sim_reader_snapshot(const struct sim_reader *r, struct sb_snapshot *s);
/* The next packet, valid until the next call. False: there is none (live: not now, unless over). */
bool sim_reader_packet(struct sim_reader *r, const struct sb_journal_packet **packet,
                       const struct sb_command **lines);
/* Not live, at the end. */
struct sb_journal_end sim_reader_end(const struct sim_reader *r);

#endif
