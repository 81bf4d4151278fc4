/* journal_writer.h: writes a node's input log to disk, beside the loop.
 *
 *     loop's thread                                   journal's thread, on a core of its own
 *     turn: packets applied since the last ──ring──▶  everything in the ring into one block, one write,
 *     one; never waits                                durable; then the next
 *           ◀──────── durable number, fault ────────
 *
 * The loop calls turn after the frames of its own turn have left; a packet goes in when it is applied, so that its
 * digest stands with it. What one write holds grows with the time that the write before it took (group commit). A
 * closed segment is never written again: it may be moved away. keep_segments removes it once a snapshot in the folder (by
 * its name: it is not read) holds everything in it, as nothing could be recovered without; until then it is kept,
 * counted, and warned of.
 *
 * Faults. Each ends the journal for the rest of the run: it has a hole then. The loop goes on without one or hands over,
 * as on_fault says; state and fault are counters, and say() prints one warning.
 *     FULL       no room for a segment, or for a block where the file system cannot reserve it
 *     READ_ONLY  the file system became read-only
 *     WRITE      any other error of the disk
 *     SLOW       something waits for longer than lag_max to become durable. (Time is counted from turn to turn, at most
 *                SB_JOURNAL_TURN_MAX_NS each: a pause of the loop is not the disk's.)
 *     RING       the ring is full: the disk does not keep up with the input
 *
 * A life that goes on with an earlier one's log gives `after`, as recovery.h found it: what is torn behind it is cut off,
 * durable, and the next segment begins. Packets of a log that the journal holds already are passed over.
 *
 * Not covered: waiting for durability before an output leaves.
 */
#ifndef SHADOWBOOK_JOURNAL_WRITER_H
#define SHADOWBOOK_JOURNAL_WRITER_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "replica/byte_ring.h"
#include "replica/journal_disk.h"
#include "replica/journal_reader.h"
#include "shadowbook/config.h"

enum { SB_JOURNAL_BUFFER_BYTES = SB_JOURNAL_ALIGN + SB_JOURNAL_BLOCK_MAX };
#define SB_JOURNAL_TURN_MAX_NS UINT64_C(10000000)

enum sb_journal_fault {
    SB_JOURNAL_GOOD = 0,
    SB_JOURNAL_FULL = 1,
    SB_JOURNAL_READ_ONLY = 2,
    SB_JOURNAL_WRITE = 3,
    SB_JOURNAL_SLOW = 4,
    SB_JOURNAL_RING = 5,
};

/* As shown by the JOURNAL_STATE counter. */
enum sb_journal_state {
    SB_JOURNAL_OFF = 0,
    SB_JOURNAL_WRITING = 1,
    SB_JOURNAL_DEGRADED = 2, /* a fault, and the node goes on without a journal */
    SB_JOURNAL_STOPPING = 3, /* a fault, and the node is to hand over */
};

struct sb_journal_setup {
    /* A new journal: its folder is made if it is not there (the one above it, too), and has no segment yet. To go on with
     * one: as it was left. */
    const char *folder;
    const struct sb_journal_end *after; /* where to go on; NULL: new. The caller's */
    uint64_t base_n; /* new: last number before it, that of the snapshot in its folder; 0: none */
    uint16_t shard, generation;
    uint8_t sender; /* enum sb_node_id */
    uint64_t inc, epoch;
    uint32_t trading_day;
    struct sb_engine_limits limits;
    uint64_t segment_bytes; /* a multiple of SB_JOURNAL_ALIGN, at least 4 of them */
    uint64_t keep_segments; /* closed ones, where a snapshot stands for those before; 0: all */
    uint64_t ring_bytes;    /* a power of two */
    uint64_t lag_max_ns;
    enum sb_journal_on_fault on_fault;
    bool spin;              /* the thread polls without pause: it has a core of its own */
    const cpu_set_t *cores; /* where the thread may run; NULL: where the caller may */
};

struct sb_journal_writer {
    struct sb_journal_setup setup;
    char folder[SB_JOURNAL_PATH_BYTES];
    struct sb_journal_disk disk;
    struct sb_byte_ring ring;
    void *ring_memory;

    /* The loop's. */
    enum sb_journal_state state;
    enum sb_journal_fault fault;
    bool buffered; /* O_DIRECT was refused */
    bool kept_said;
    uint64_t next_packet;       /* index in the log */
    uint64_t queued_n;          /* last number put into the ring, or before this life */
    uint64_t records_queued;    /* put into the ring in this life */
    uint64_t mark_n, waited_ns; /* mark_n has not been durable for so long */
    uint64_t last_turn_ns, lag_max_seen_ns;

    /* From the journal's thread to the loop's. */
    _Alignas(64) atomic_uint_least64_t durable_n, records_durable;
    atomic_uint_least64_t writes, bytes_written, segments;
    atomic_uint_least64_t kept; /* closed segments that only the want of a snapshot keeps */
    atomic_int thread_fault, thread_errno;
    atomic_bool stop;

    /* The thread's. */
    _Alignas(64) pthread_t thread;
    uint8_t *buffer; /* a segment's head, then the block that is filled */
    uint64_t offset, number, previous, next_n, segment;
    struct sb_journal_owner owner;
};

/* Makes the folder and the first segment, or goes on behind `after`; starts the thread. buffer: SB_JOURNAL_BUFFER_BYTES,
 * page aligned: the memory that the disk was opened with; both are the caller's until close. False: said on err which step,
 * which file, why, and what to do; nothing is left behind but perhaps an empty folder. Refused, too, where this life could
 * not be told from the ones before it: not the same node, day, generation and limits under a higher incarnation. */
bool sb_journal_writer_open(struct sb_journal_writer *w, const struct sb_journal_setup *setup,
                            const struct sb_journal_disk *disk, void *buffer, FILE *err);

/* After the frames of a turn have left: hands over the packets up to `applied`, and looks after faults. True: this turn
 * found one: say() it. Never waits; no system call. Loop's thread. */
bool sb_journal_writer_turn(struct sb_journal_writer *w, const struct sb_log *log, uint64_t applied,
                            uint64_t epoch, uint64_t now_ns);

/* Puts a record behind what was handed over; it is number w->records_queued of this life then. False: the ring is full, or
 * the journal has ended. Loop's thread. */
bool sb_journal_writer_record(struct sb_journal_writer *w, const struct sb_journal_record *record,
                              uint64_t epoch);

/* Last number that is durable on this disk. Any thread. */
static inline uint64_t sb_journal_writer_durable(const struct sb_journal_writer *w)
{
    return atomic_load_explicit(&w->durable_n, memory_order_acquire);
}

/* How many of this life's records are durable, and with each all inputs before it. Any thread. */
static inline uint64_t sb_journal_writer_records_durable(const struct sb_journal_writer *w)
{
    return atomic_load_explicit(&w->records_durable, memory_order_acquire);
}

/* The JOURNAL_* counters. */
void sb_journal_writer_show(const struct sb_journal_writer *w, uint64_t *counters);

/* Says once, in one line, that segments are kept for want of a snapshot. Cheap where there is nothing to say. */
void sb_journal_writer_warn(struct sb_journal_writer *w, FILE *to);

/* One line: the fault, and what follows from it. */
void sb_journal_writer_say(const struct sb_journal_writer *w, FILE *to);

/* Waits until all that was handed over is durable, at most some seconds, and ends. False: something is not (said on err). */
bool sb_journal_writer_close(struct sb_journal_writer *w, FILE *err);

/* --- the writer without its thread ------------------------------------------------------------------------
 * For who has another thread for it, or simulates the disk's time: what the writer's own thread does, step by step. */

/* As open, but starts no thread. */
bool sb_journal_writer_begin(struct sb_journal_writer *w, const struct sb_journal_setup *setup,
                             const struct sb_journal_disk *disk, void *buffer, FILE *err);
/* Moves the oldest entry, and all behind it that may stand in the same block, from the ring into a block in the buffer.
 * NULL: the ring is empty. */
struct sb_journal_block *sb_journal_writer_gather(struct sb_journal_writer *w);
/* Writes that block, in the next segment if this one is full: durable. False: the disk's fault, which ends the journal; turn
 * finds it. */
bool sb_journal_writer_write(struct sb_journal_writer *w, struct sb_journal_block *block);
/* Gives up what begin took; writes nothing. */
void sb_journal_writer_end(struct sb_journal_writer *w);

/* --- the writer with a real disk under it ------------------------------------------------------------- */

struct sb_journal {
    struct sb_journal_uring uring;
    struct sb_journal_writer writer;
    void *buffer; /* NULL: not open */
};

/* Opens both. Says on err, too, where the file system refuses O_DIRECT. False: said on err why. */
bool sb_journal_open(struct sb_journal *j, const struct sb_journal_setup *setup, FILE *err);
/* As sb_journal_writer_close(). True, too, if j is not open. */
bool sb_journal_close(struct sb_journal *j, FILE *err);

#endif
