#include "replica/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- heads, without the rest --------------------------------------------------------------------------- */

/* The head of the block at an offset; not more is known of it than that it looks like one. */
static bool head_at(int fd, uint64_t at, struct sb_journal_block *b)
{
    return pread(fd, b, sizeof *b, (off_t)at) == (ssize_t)sizeof *b &&
           b->head.magic == SB_JOURNAL_MAGIC && b->head.version == SB_JOURNAL_VERSION &&
           b->length >= sizeof *b && b->length <= SB_JOURNAL_BLOCK_MAX;
}

/* The head of the last segment that begins at or before n_first and has a good one. Returns its index, or SIZE_MAX. */
static size_t last_segment(const struct sb_recovery *r, uint64_t n_first,
                           struct sb_journal_segment_head *h)
{
    for (size_t i = r->reader.segments_n; i-- > 0;)
        if (sb_journal_head(r->reader.folder, r->reader.segments[i], h) && h->n_first <= n_first)
            return i;
    return SIZE_MAX;
}

/* From head to head through segment i. */
static uint64_t estimate(const struct sb_recovery *r, size_t i)
{
    char path[SB_JOURNAL_FILE_BYTES];
    const int fd =
        open(sb_journal_file(path, r->reader.folder, r->reader.segments[i]), O_RDONLY | O_CLOEXEC);
    struct sb_journal_block b;
    uint64_t n = 0;
    for (uint64_t at = 0; fd >= 0 && head_at(fd, at, &b); at += sb_journal_padded(b.length))
        n = b.n_first + b.count - 1;
    if (fd >= 0)
        close(fd);
    return n;
}

/* --- open ------------------------------------------------------------------------------------------------ */

static bool same_log(const struct sb_snapshot_head *s, const struct sb_journal_segment_head *h)
{
    const struct sb_engine_limits limits = sb_snapshot_limits(s),
                                  own = sb_limits_of(&h->segment.limits);
    return s->shard == h->shard && s->generation == h->segment.generation &&
           s->trading_day == h->segment.trading_day && sb_engine_limits_equal(&limits, &own);
}

/* Takes the snapshot of input n, if it is good and the journal goes on from it. False: said on err why not. */
static bool take_snapshot(struct sb_recovery *r, uint64_t n, FILE *err)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    sb_snapshot_file(path, r->reader.folder, n);
    if (!sb_snapshot_read(&r->snapshot, path, err))
        return false;
    struct sb_journal_segment_head h = {.n_first = 0};
    const size_t from = last_segment(r, n + 1, &h);
    const char *wrong = NULL;
    if (r->snapshot.head.n != n)
        wrong = "it is of another input than its name says";
    else if (n > r->n_estimate)
        wrong = "the journal ends before it: something durable was lost";
    else if (from == SIZE_MAX)
        wrong = "the journal begins later";
    else if (!same_log(&r->snapshot.head, &h))
        wrong = "it is of another log";
    r->ahead = r->ahead || (r->snapshot.head.n == n && n > r->n_estimate);
    if (wrong != NULL) {
        fprintf(err, "%s: not used: %s\n", path, wrong);
        sb_snapshot_free(&r->snapshot);
        return false;
    }
    r->reader.next = from;
    r->limits = sb_limits_of(&h.segment.limits);
    r->shard = r->snapshot.head.shard; /* as the segment has it */
    r->next_n = n + 1;
    return true;
}

/* From the first input that is there. */
static enum sb_recovery_opened from_the_front(struct sb_recovery *r, FILE *err)
{
    struct sb_journal_reader *reader = &r->reader;
    const int more = sb_journal_reader_block(reader, err);
    if (more == 0 && reader->segments_n == 1 && reader->found != SB_FOUND_DAMAGED)
        return SB_RECOVERY_NOTHING;
    if (more == 0)
        sb_journal_reader_say_end(reader, err);
    if (more != 1)
        return SB_RECOVERY_BAD;
    r->limits = sb_limits_of(&reader->scan.segment.limits);
    r->shard = reader->scan.block.head.shard;
    r->next_n = reader->scan.first_n;
    return SB_RECOVERY_READY;
}

/* From input 1 on. */
static enum sb_recovery_opened from_the_beginning(struct sb_recovery *r, FILE *err)
{
    const enum sb_recovery_opened opened = from_the_front(r, err);
    if (opened != SB_RECOVERY_READY || r->next_n == 1)
        return opened;
    fprintf(err,
            "%s: begins at input %" PRIu64
            ", and no good snapshot is there from which it goes on\n",
            r->reader.folder, r->next_n);
    return SB_RECOVERY_BAD;
}

/* The snapshots are listed before the segments are looked at: of a journal that is being written, none is then newer. */
static int find(struct sb_recovery *r, const char *path, uint64_t **snapshots, size_t *n, FILE *err)
{
    struct stat status;
    if (stat(path, &status) != 0 && errno == ENOENT)
        return 0;
    int found = sb_journal_reader_find(&r->reader, path, err);
    if (found != 1)
        return found;
    char folder[SB_JOURNAL_PATH_BYTES];
    memcpy(folder, r->reader.folder, sizeof folder);
    sb_journal_reader_close(&r->reader);
    if (!sb_journal_list(folder, SB_SNAPSHOT_SUFFIX, snapshots, n, err))
        return -1;
    return sb_journal_reader_find(&r->reader, folder, err);
}

enum sb_recovery_opened sb_recovery_open(struct sb_recovery *r, const char *path, bool whole,
                                         FILE *err)
{
    return sb_recovery_open_at(r, path, whole ? 0 : UINT64_MAX, err);
}

static void reset(struct sb_recovery *r)
{
    memset(r, 0, sizeof *r);
    r->found = SB_FOUND_NEXT;
    r->next_n = 1;
}

enum sb_recovery_opened sb_recovery_open_inputs(struct sb_recovery *r, const char *path, FILE *err)
{
    reset(r);
    const int found = sb_journal_reader_find(&r->reader, path, err);
    return found == 1 ? from_the_front(r, err) : found == 0 ? SB_RECOVERY_NOTHING : SB_RECOVERY_BAD;
}

/* Takes the newest of the n snapshots that fits, if any does; or the oldest. */
static bool take_one(struct sb_recovery *r, const uint64_t *snapshots, size_t n, bool oldest,
                     FILE *err)
{
    for (size_t i = 0; i < n; i++)
        if (take_snapshot(r, snapshots[oldest ? i : n - 1 - i], err))
            return true;
    return false;
}

/* Of the snapshots, those that may be taken: not newer than n_max; for the longest run, none if input 1 is there, and none from
 * before the first input that is. */
static void narrow(const struct sb_recovery *r, const uint64_t **snapshots, size_t *n,
                   uint64_t n_max, bool longest)
{
    struct sb_journal_segment_head first;
    const bool known = longest && sb_journal_head(r->reader.folder, r->reader.segments[0], &first);
    while (*n != 0 && (*snapshots)[*n - 1] > n_max)
        --*n;
    for (; *n != 0 && known && (first.n_first == 1 || **snapshots + 1 < first.n_first); --*n)
        ++*snapshots;
}

static enum sb_recovery_opened open_between(struct sb_recovery *r, const char *path, uint64_t n_max,
                                            bool longest, FILE *err)
{
    reset(r);
    uint64_t *snapshots = NULL;
    size_t n = 0;
    const int found = find(r, path, &snapshots, &n, err);
    enum sb_recovery_opened opened = found == 0 ? SB_RECOVERY_NOTHING : SB_RECOVERY_BAD;
    if (found == 1) {
        struct sb_journal_segment_head h;
        const size_t last = last_segment(r, UINT64_MAX, &h);
        r->n_estimate = last != SIZE_MAX ? estimate(r, last) : 0;
        const uint64_t *from = snapshots;
        narrow(r, &from, &n, n_max, longest);
        /* Where not even one segment has a head there is no journal that a snapshot could belong to. */
        const bool taken = last != SIZE_MAX && take_one(r, from, n, longest, err);
        opened = taken ? SB_RECOVERY_READY : from_the_beginning(r, err);
    }
    free(snapshots);
    return opened;
}

enum sb_recovery_opened sb_recovery_open_at(struct sb_recovery *r, const char *path, uint64_t n_max,
                                            FILE *err)
{
    return open_between(r, path, n_max, false, err);
}

enum sb_recovery_opened sb_recovery_open_longest(struct sb_recovery *r, const char *path, FILE *err)
{
    return open_between(r, path, UINT64_MAX, true, err);
}

void sb_recovery_close(struct sb_recovery *r)
{
    sb_journal_reader_close(&r->reader);
    sb_snapshot_free(&r->snapshot);
}

/* --- packets -------------------------------------------------------------------------------------------- */

static int end_found(struct sb_recovery *r)
{
    const struct sb_journal_reader *reader = &r->reader;
    r->found = reader->found;
    r->why = reader->scan.why;
    r->end = sb_journal_scan_end(&reader->scan, reader->segments[reader->next - 1]);
    if (reader->scan.next_n < r->next_n)
        r->ahead = true;
    if (r->ahead && r->found != SB_FOUND_DAMAGED) {
        r->found = SB_FOUND_DAMAGED;
        r->why = "a snapshot holds inputs that are not here";
    }
    return 0;
}

/* A packet that the snapshot's input ends must have led to the snapshot's digest. */
static bool fits_snapshot(const struct sb_recovery *r, const struct sb_journal_packet *p, FILE *err)
{
    const uint64_t last = p->n_first + p->count - 1;
    if (last < r->next_n - 1 || (last == r->next_n - 1 && p->digest == r->snapshot.head.digest))
        return true;
    fprintf(err,
            "%s: the snapshot behind input %" PRIu64
            " does not belong to this journal: its packet ends with input %" PRIu64
            ", digest %016" PRIx64 " instead of %016" PRIx64 "\n",
            r->reader.folder, r->next_n - 1, last, p->digest, r->snapshot.head.digest);
    return false;
}

int sb_recovery_packet(struct sb_recovery *r, const struct sb_journal_packet **packet,
                       const struct sb_command **lines, FILE *err)
{
    for (;;) {
        const int more = sb_journal_reader_packet(&r->reader, packet, lines, err);
        if (more != 1)
            return more == 0 ? end_found(r) : -1;
        const struct sb_journal_packet *p = *packet;
        if (p->n_first < r->next_n) { /* only before the first packet behind a snapshot */
            if (!fits_snapshot(r, p, err))
                return -1;
            continue;
        }
        r->next_n = p->n_first + p->count;
        return 1;
    }
}

const struct sb_journal_record *sb_recovery_closed(const struct sb_recovery *r)
{
    return r->found == SB_FOUND_CLOSED ? &r->reader.scan.record : NULL;
}

void sb_recovery_say_end(const struct sb_recovery *r, FILE *to)
{
    if (r->ahead)
        fprintf(to,
                "%s: ends after input %" PRIu64
                ": DAMAGED: a snapshot holds inputs that are not here\n",
                r->reader.folder, r->end.next_n - 1);
    else
        sb_journal_reader_say_end(&r->reader, to);
}
