#include "replica/journal_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replica/snapshot.h"
#include "replica/thread.h"
#include "shadowbook/counters.h"

enum { CLOSE_AT_MOST_S = 10, PAUSE_NS = 50000 };

/* What stands before a packet (with its lines) or a record in the ring. */
struct entry {
    uint64_t epoch;
    uint32_t kind; /* enum sb_journal_kind */
    uint32_t zero;
};

static enum sb_journal_fault fault_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return SB_JOURNAL_FULL;
    case EROFS:
        return SB_JOURNAL_READ_ONLY;
    default:
        return SB_JOURNAL_WRITE;
    }
}

/* --- blocks: the journal's thread, and open -------------------------------------------------------- */

/* at: where in the memory that the disk knows. */
static struct sb_journal_block *block_begin(const struct sb_journal_writer *w, uint8_t *at,
                                            uint8_t kind, uint64_t epoch)
{
    struct sb_journal_block *b = (struct sb_journal_block *)(void *)at;
    *b = (struct sb_journal_block){.head = {.type = kind,
                                            .shard = w->setup.shard,
                                            .epoch = epoch,
                                            .inc = w->setup.inc,
                                            .sender = w->setup.sender},
                                   .n_first = w->next_n,
                                   .length = sizeof *b};
    return b;
}

static void block_append(struct sb_journal_block *b, const void *bytes, uint32_t n)
{
    memcpy((uint8_t *)b + b->length, bytes, n);
    b->length += n;
}

static int block_write(struct sb_journal_writer *w, struct sb_journal_block *b)
{
    b->number = w->number;
    b->previous = w->previous;
    const uint32_t bytes = sb_journal_seal(b);
    const int error = w->disk.write(w->disk.self, b, bytes, w->offset);
    if (error != 0)
        return error;
    w->number++;
    w->previous = b->hash;
    w->offset += bytes;
    w->next_n += b->count;
    atomic_fetch_add_explicit(&w->writes, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->bytes_written, bytes, memory_order_relaxed);
    return 0;
}

/* The head of a segment of this life. */
static struct sb_journal_segment head_of(const struct sb_journal_writer *w, uint64_t segment)
{
    return (struct sb_journal_segment){.segment = segment,
                                       .trading_day = w->setup.trading_day,
                                       .generation = w->setup.generation,
                                       .limits = sb_limits_keep(&w->setup.limits),
                                       .owner_kind = w->owner.kind,
                                       .owner_epoch = w->owner.epoch};
}

/* The next segment: its file, its head. */
static int segment_begin(struct sb_journal_writer *w, uint64_t epoch)
{
    char path[SB_JOURNAL_FILE_BYTES];
    const struct sb_journal_setup *s = &w->setup;
    int error = w->disk.create(w->disk.self, sb_journal_file(path, w->folder, w->segment + 1),
                               s->segment_bytes);
    if (error != 0)
        return error;
    w->segment++;
    w->offset = 0;
    const struct sb_journal_segment head = head_of(w, w->segment);
    struct sb_journal_block *b = block_begin(w, w->buffer, SB_JOURNAL_SEGMENT, epoch);
    block_append(b, &head, sizeof head);
    error = block_write(w, b);
    atomic_store_explicit(&w->segments, w->segment, memory_order_relaxed);
    return error;
}

/* The newest snapshot that has the name of one of this journal; 0: none. */
static uint64_t newest_snapshot(const struct sb_journal_writer *w, FILE *err)
{
    uint64_t *snapshots, newest = 0;
    size_t n;
    if (!sb_journal_list(w->folder, SB_SNAPSHOT_SUFFIX, &snapshots, &n, err))
        return 0;
    while (n != 0 && snapshots[n - 1] >= w->next_n)
        n--;
    if (n != 0)
        newest = snapshots[n - 1];
    free(snapshots);
    return newest;
}

/* Of the closed segments that keep_segments does not keep, removes those of which a snapshot holds everything: oldest first, so
 * that no hole is ever left. 0 or an errno. */
static int remove_old(struct sb_journal_writer *w, FILE *err)
{
    char path[SB_JOURNAL_FILE_BYTES];
    struct sb_journal_segment_head next;
    uint64_t *segments;
    size_t n, due = 0, gone = 0;
    if (w->setup.keep_segments == 0)
        return 0;
    if (!sb_journal_list(w->folder, SB_JOURNAL_SUFFIX, &segments, &n, err))
        return EIO;
    while (due < n && segments[due] + w->setup.keep_segments < w->segment)
        due++;
    const uint64_t snapshot_n = due != 0 ? newest_snapshot(w, err) : 0;
    int error = 0;
    while (error == 0 && gone < due && sb_journal_head(w->folder, segments[gone + 1], &next) &&
           next.n_first <= snapshot_n + 1) {
        error = w->disk.remove(w->disk.self, sb_journal_file(path, w->folder, segments[gone]));
        gone++;
    }
    free(segments);
    atomic_store_explicit(&w->kept, due - gone, memory_order_relaxed);
    return error;
}

/* Closes the full segment, begins the next, removes what is not kept. */
static int segment_roll(struct sb_journal_writer *w, uint64_t epoch)
{
    int error = w->disk.close(w->disk.self, w->offset);
    if (error == 0)
        error = segment_begin(w, epoch);
    return error != 0 ? error : remove_old(w, stderr);
}

/* Most bytes of a block, so that one fits a segment behind its head. */
static uint32_t block_max(const struct sb_journal_writer *w)
{
    const uint64_t room = w->setup.segment_bytes - SB_JOURNAL_ALIGN;
    return room < SB_JOURNAL_BLOCK_MAX ? (uint32_t)room : SB_JOURNAL_BLOCK_MAX;
}

struct sb_journal_block *sb_journal_writer_gather(struct sb_journal_writer *w)
{
    struct sb_journal_block *b = NULL;
    const uint32_t max = block_max(w);
    uint32_t bytes;
    const uint8_t *at;
    while ((at = sb_byte_ring_peek(&w->ring, &bytes)) != NULL) {
        struct entry e;
        memcpy(&e, at, sizeof e);
        const uint32_t payload = bytes - (uint32_t)sizeof e;
        if (b == NULL)
            b = block_begin(w, w->buffer + SB_JOURNAL_ALIGN, (uint8_t)e.kind, e.epoch);
        else if (e.kind != b->head.type || e.epoch != b->head.epoch || b->length + payload > max)
            return b;
        block_append(b, at + sizeof e, payload);
        sb_byte_ring_release(&w->ring);
        if (e.kind == SB_JOURNAL_RECORD)
            return b;
        struct sb_journal_packet p;
        memcpy(&p, (uint8_t *)b + b->length - payload, sizeof p);
        b->count += p.count;
        b->lines += p.lines;
        b->packets++;
    }
    return b;
}

static int write_out(struct sb_journal_writer *w, struct sb_journal_block *b)
{
    int error = 0;
    if (w->offset + sb_journal_padded(b->length) > w->setup.segment_bytes)
        error = segment_roll(w, b->head.epoch);
    if (error == 0)
        error = block_write(w, b);
    if (error != 0)
        return error;
    atomic_store_explicit(&w->durable_n, w->next_n - 1, memory_order_release);
    if (b->head.type == SB_JOURNAL_RECORD) {
        struct sb_journal_record r;
        memcpy(&r, b + 1, sizeof r);
        sb_journal_own(&w->owner, &r);
        atomic_fetch_add_explicit(&w->records_durable, 1, memory_order_release);
    }
    return 0;
}

static bool ended_well(struct sb_journal_writer *w, int error)
{
    if (error == 0)
        return true;
    atomic_store_explicit(&w->thread_errno, error, memory_order_relaxed);
    atomic_store_explicit(&w->thread_fault, (int)fault_of(error), memory_order_release);
    return false;
}

bool sb_journal_writer_write(struct sb_journal_writer *w, struct sb_journal_block *block)
{
    return ended_well(w, write_out(w, block));
}

static void *thread_main(void *arg)
{
    struct sb_journal_writer *w = arg;
    bool good = true;
    while (good) {
        /* Read before the ring is: what was put in before the word to stop is seen. */
        const bool stop = atomic_load_explicit(&w->stop, memory_order_acquire);
        struct sb_journal_block *b = sb_journal_writer_gather(w);
        if (b != NULL) {
            good = sb_journal_writer_write(w, b);
        } else if (stop) {
            ended_well(w, w->disk.close(w->disk.self, w->offset));
            break;
        } else if (w->setup.spin) {
            __builtin_ia32_pause();
        } else {
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        }
    }
    return NULL;
}

/* --- start ---------------------------------------------------------------------------------------- */

static bool open_failed(const char *step, const char *file, int error, FILE *err)
{
    const char *advice = error == ENOENT    ? "make the folder of [journal] dir first"
                         : error == EROFS   ? "mount it writable, or give another [journal] dir"
                         : error == EACCES  ? "give this user the right to write there"
                         : error == ENOSPC  ? "free some space, or make segment_mib smaller"
                         : error == EEXIST  ? "a journal is never written over: move it away"
                         : error == ENOTDIR ? "[journal] dir must be a folder"
                                            : "see whether the disk is sound";
    fprintf(err, "journal: cannot %s %s: %s; %s\n", step, file, strerror(error), advice);
    return false;
}

/* NULL, or why readers would not take this life for one that goes on. */
static const char *cannot_go_on(const struct sb_journal_writer *w,
                                const struct sb_journal_end *after)
{
    const struct sb_journal_segment head = head_of(w, after->segment);
    if (w->setup.inc <= after->inc)
        return "its incarnation is not below this one";
    if (w->setup.shard != after->shard || w->setup.sender != after->sender)
        return "it is another node's";
    return sb_journal_same_log(&head, &after->head)
               ? NULL
               : "it is of another day or generation, or of other limits of [engine]";
}

/* Cuts off what is torn, and stands behind what is good. A file in which nothing is good has no place in the row. */
static bool open_after(struct sb_journal_writer *w, const struct sb_journal_end *after, FILE *err)
{
    char path[SB_JOURNAL_FILE_BYTES];
    sb_journal_file(path, w->folder, after->segment);
    const char *wrong = cannot_go_on(w, after);
    if (wrong != NULL) {
        fprintf(err, "journal: cannot go on with %s: %s\n", w->folder, wrong);
        return false;
    }
    const int error = after->offset != 0 ? w->disk.cut(w->disk.self, path, after->offset)
                                         : w->disk.remove(w->disk.self, path);
    if (error != 0)
        return open_failed("cut", path, error, err);
    w->segment = after->offset != 0 ? after->segment : after->segment - 1;
    w->number = after->number;
    w->previous = after->previous;
    w->owner = after->owner;
    return true;
}

static bool open_files(struct sb_journal_writer *w, const struct sb_journal_end *after, FILE *err)
{
    char path[SB_JOURNAL_FILE_BYTES];
    /* The folder above belongs to this node, and holds the journals of its earlier starts. */
    snprintf(path, sizeof path, "%s", w->folder);
    char *slash = strrchr(path, '/');
    SB_ASSERT(slash != NULL);
    *slash = '\0';
    int error = w->disk.make_folder(w->disk.self, path);
    if (error != 0 && error != EEXIST)
        return open_failed("make the folder", path, error, err);
    error = w->disk.make_folder(w->disk.self, w->folder);
    const bool may_be_there =
        after != NULL || w->setup.base_n != 0; /* a snapshot is put in first */
    if (error != 0 && !(error == EEXIST && may_be_there))
        return open_failed("make the folder", w->folder, error, err);
    if (after != NULL && !open_after(w, after, err))
        return false;
    const uint64_t epoch =
        after != NULL && after->epoch > w->setup.epoch ? after->epoch : w->setup.epoch;
    error = segment_begin(w, epoch);
    if (error != 0)
        return open_failed("begin the segment", sb_journal_file(path, w->folder, w->segment + 1),
                           error, err);
    if (after == NULL)
        return true;
    error = remove_old(w, err); /* what earlier lives kept and this one does not */
    return error == 0 || open_failed("remove old segments of", w->folder, error, err);
}

bool sb_journal_writer_begin(struct sb_journal_writer *w, const struct sb_journal_setup *setup,
                             const struct sb_journal_disk *disk, void *buffer, FILE *err)
{
    SB_ASSERT(setup->segment_bytes % SB_JOURNAL_ALIGN == 0 &&
              setup->segment_bytes / SB_JOURNAL_ALIGN >= 4);
    memset(w, 0, sizeof *w);
    w->setup = *setup;
    w->disk = *disk;
    w->setup.after = NULL; /* the caller's */
    w->buffer = buffer;
    w->next_n = setup->after != NULL ? setup->after->next_n : setup->base_n + 1;
    w->queued_n = w->mark_n = w->next_n - 1;
    atomic_store_explicit(&w->durable_n, w->queued_n, memory_order_relaxed);
    if (strlen(setup->folder) >= sizeof w->folder) {
        fprintf(err, "journal: path too long: %s\n", setup->folder);
        return false;
    }
    memcpy(w->folder, setup->folder, strlen(setup->folder) + 1);
    w->setup.folder = w->folder;
    w->ring_memory = aligned_alloc(64, setup->ring_bytes);
    if (w->ring_memory == NULL) {
        fprintf(err, "journal: no memory for a ring of %" PRIu64 " bytes; make ring_mib smaller\n",
                setup->ring_bytes);
        return false;
    }
    memset(w->ring_memory, 0, setup->ring_bytes); /* no page fault in the loop */
    sb_byte_ring_init(&w->ring, w->ring_memory, setup->ring_bytes);
    if (!open_files(w, setup->after, err)) {
        sb_journal_writer_end(w);
        return false;
    }
    w->state = SB_JOURNAL_WRITING;
    return true;
}

void sb_journal_writer_end(struct sb_journal_writer *w)
{
    w->state = SB_JOURNAL_OFF;
    free(w->ring_memory);
    w->ring_memory = NULL;
}

bool sb_journal_writer_open(struct sb_journal_writer *w, const struct sb_journal_setup *setup,
                            const struct sb_journal_disk *disk, void *buffer, FILE *err)
{
    if (!sb_journal_writer_begin(w, setup, disk, buffer, err))
        return false;
    const int error = sb_thread_start(&w->thread, setup->cores, thread_main, w);
    w->setup.cores = NULL; /* the caller's */
    if (error == 0)
        return true;
    fprintf(err, "journal: cannot start its thread: %s; is journal_lcore a core of this machine?\n",
            strerror(error));
    sb_journal_writer_end(w);
    return false;
}

/* --- the loop's side --------------------------------------------------------------------------------- */

static bool fail(struct sb_journal_writer *w, enum sb_journal_fault fault)
{
    w->fault = fault;
    w->state = w->setup.on_fault == SB_JOURNAL_DEGRADE ? SB_JOURNAL_DEGRADED : SB_JOURNAL_STOPPING;
    return true;
}

static uint8_t *entry_begin(struct sb_journal_writer *w, uint32_t kind, uint64_t epoch,
                            uint32_t payload)
{
    const struct entry e = {.epoch = epoch, .kind = kind};
    uint8_t *at = sb_byte_ring_reserve(&w->ring, (uint32_t)sizeof e + payload);
    if (at == NULL)
        return NULL;
    memcpy(at, &e, sizeof e);
    return at + sizeof e;
}

static bool offer(struct sb_journal_writer *w, const struct sb_log *log, const struct sb_packet *p,
                  uint64_t epoch)
{
    const uint32_t lines = (uint32_t)p->lines * SB_LINE_BYTES;
    const struct sb_journal_packet head = {
        .n_first = p->n_first, .digest = p->digest, .count = p->count, .lines = p->lines};
    uint8_t *at = entry_begin(w, SB_JOURNAL_DATA, epoch, (uint32_t)sizeof head + lines);
    if (at == NULL)
        return false;
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, sb_log_lines(log, p), lines);
    sb_byte_ring_commit(&w->ring);
    w->queued_n = sb_packet_last(p);
    return true;
}

static bool is_slow(struct sb_journal_writer *w, uint64_t now_ns)
{
    const uint64_t turn_ns = w->last_turn_ns != 0 ? now_ns - w->last_turn_ns : 0;
    w->last_turn_ns = now_ns;
    if (sb_journal_writer_durable(w) >= w->mark_n) {
        w->mark_n = w->queued_n;
        w->waited_ns = 0;
        return false;
    }
    w->waited_ns += turn_ns < SB_JOURNAL_TURN_MAX_NS ? turn_ns : SB_JOURNAL_TURN_MAX_NS;
    if (w->waited_ns > w->lag_max_seen_ns)
        w->lag_max_seen_ns = w->waited_ns;
    return w->waited_ns > w->setup.lag_max_ns;
}

bool sb_journal_writer_turn(struct sb_journal_writer *w, const struct sb_log *log, uint64_t applied,
                            uint64_t epoch, uint64_t now_ns)
{
    if (w->state != SB_JOURNAL_WRITING)
        return false;
    const int fault = atomic_load_explicit(&w->thread_fault, memory_order_acquire);
    if (fault != SB_JOURNAL_GOOD)
        return fail(w, (enum sb_journal_fault)fault);
    if (w->next_packet < log->packet_first)
        w->next_packet = log->packet_first;
    for (; w->next_packet < log->packet_end; w->next_packet++) {
        const struct sb_packet *p = sb_log_packet(log, w->next_packet);
        if (sb_packet_last(p) > applied)
            break;
        if (sb_packet_last(p) <= w->queued_n)
            continue; /* an earlier life's */
        SB_ASSERT_EQ(p->n_first,
                     w->queued_n + 1); /* the log has dropped nothing that is not here */
        if (!offer(w, log, p, epoch))
            return fail(w, SB_JOURNAL_RING);
    }
    return is_slow(w, now_ns) ? fail(w, SB_JOURNAL_SLOW) : false;
}

bool sb_journal_writer_record(struct sb_journal_writer *w, const struct sb_journal_record *record,
                              uint64_t epoch)
{
    SB_ASSERT_EQ(record->n, w->queued_n);
    uint8_t *at = w->state == SB_JOURNAL_WRITING
                      ? entry_begin(w, SB_JOURNAL_RECORD, epoch, sizeof *record)
                      : NULL;
    if (at == NULL)
        return false;
    memcpy(at, record, sizeof *record);
    sb_byte_ring_commit(&w->ring);
    w->records_queued++;
    return true;
}

void sb_journal_writer_show(const struct sb_journal_writer *w, uint64_t *counters)
{
    counters[SB_CTR_JOURNAL_STATE] = w->state;
    counters[SB_CTR_JOURNAL_FAULT] = w->fault;
    counters[SB_CTR_JOURNAL_BUFFERED] = w->buffered;
    counters[SB_CTR_JOURNAL_QUEUED] = w->queued_n;
    counters[SB_CTR_JOURNAL_DURABLE] = sb_journal_writer_durable(w);
    counters[SB_CTR_JOURNAL_WRITES] = atomic_load_explicit(&w->writes, memory_order_relaxed);
    counters[SB_CTR_JOURNAL_BYTES] = atomic_load_explicit(&w->bytes_written, memory_order_relaxed);
    counters[SB_CTR_JOURNAL_SEGMENT] = atomic_load_explicit(&w->segments, memory_order_relaxed);
    counters[SB_CTR_JOURNAL_LAG_MAX_NS] = w->lag_max_seen_ns;
    counters[SB_CTR_JOURNAL_KEPT] = atomic_load_explicit(&w->kept, memory_order_relaxed);
}

void sb_journal_writer_warn(struct sb_journal_writer *w, FILE *to)
{
    const uint64_t kept = atomic_load_explicit(&w->kept, memory_order_relaxed);
    if (kept == 0 || w->kept_said)
        return;
    w->kept_said = true;
    fprintf(to,
            "journal %s: WARNING: more segments than keep_segments are there: no snapshot holds "
            "what is in "
            "the oldest; make one (shadowbook snapshot), or move them away\n",
            w->folder);
}

void sb_journal_writer_say(const struct sb_journal_writer *w, FILE *to)
{
    static const char *const names[] = {
        "good",
        "the disk is full",
        "the file system is read-only",
        "a write failed",
        "the disk is slow: inputs waited for longer than lag_max_ms",
        "the ring is full: the disk does not keep up",
    };
    const int error = atomic_load_explicit(&w->thread_errno, memory_order_relaxed);
    fprintf(to, "journal %s: WARNING: %s%s%s; durable up to input %" PRIu64 " of %" PRIu64 "; %s\n",
            w->folder, names[w->fault], error != 0 ? ": " : "", error != 0 ? strerror(error) : "",
            sb_journal_writer_durable(w), w->queued_n,
            w->state == SB_JOURNAL_DEGRADED ? "going on WITHOUT a journal (error = degrade)"
                                            : "the node hands over and stops (error = stop)");
}

/* --- end ------------------------------------------------------------------------------------------ */

bool sb_journal_writer_close(struct sb_journal_writer *w, FILE *err)
{
    if (w->state == SB_JOURNAL_OFF)
        return true;
    atomic_store_explicit(&w->stop, true, memory_order_release);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_AT_MOST_S;
    if (pthread_timedjoin_np(w->thread, NULL, &until) != 0) {
        /* Its memory stays: the disk may still be at it. */
        fprintf(err, "journal %s: the disk does not answer; not waited for any longer\n",
                w->folder);
        return false;
    }
    const bool faulty =
        w->fault != SB_JOURNAL_GOOD ||
        atomic_load_explicit(&w->thread_fault, memory_order_acquire) != SB_JOURNAL_GOOD;
    if (faulty || sb_journal_writer_durable(w) != w->queued_n)
        fprintf(err, "journal %s: ended with a fault; durable up to input %" PRIu64 "\n", w->folder,
                sb_journal_writer_durable(w));
    sb_journal_writer_end(w);
    return !faulty;
}

bool sb_journal_open(struct sb_journal *j, const struct sb_journal_setup *setup, FILE *err)
{
    memset(j, 0, sizeof *j);
    j->buffer = aligned_alloc(SB_JOURNAL_ALIGN, SB_JOURNAL_BUFFER_BYTES);
    if (j->buffer == NULL) {
        fprintf(err, "journal: out of memory\n");
        return false;
    }
    memset(j->buffer, 0, SB_JOURNAL_BUFFER_BYTES);
    bool good = sb_journal_uring_open(&j->uring, j->buffer, SB_JOURNAL_BUFFER_BYTES, err);
    if (good) {
        const struct sb_journal_disk disk = sb_journal_uring_disk(&j->uring);
        good = sb_journal_writer_open(&j->writer, setup, &disk, j->buffer, err);
        if (!good)
            sb_journal_uring_close(&j->uring);
    }
    if (good)
        j->writer.buffered = !j->uring.direct; /* of the first segment: the others lie beside it */
    if (good && j->writer.buffered)
        fprintf(err,
                "journal %s: WARNING: this file system refuses O_DIRECT: written through its "
                "cache, durable all the same\n",
                setup->folder);
    if (!good) {
        free(j->buffer);
        j->buffer = NULL;
    }
    return good;
}

bool sb_journal_close(struct sb_journal *j, FILE *err)
{
    if (j->buffer == NULL)
        return true;
    const bool good = sb_journal_writer_close(&j->writer, err);
    if (j->writer.state != SB_JOURNAL_OFF)
        return false; /* the disk may still be at its memory */
    sb_journal_uring_close(&j->uring);
    free(j->buffer);
    j->buffer = NULL;
    return good;
}
