#include "replica/transfer_cursor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SNAPSHOT_SUFFIX ".snapshot"
enum { SNAPSHOT_DIGITS = 20 };

__attribute__((format(printf, 2, 3))) static bool failed(struct sb_transfer_cursor *c,
                                                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    return false;
}

bool sb_transfer_cursor_init(struct sb_transfer_cursor *c)
{
    memset(c, 0, sizeof *c);
    c->fd = -1;
    c->window = aligned_alloc(SB_JOURNAL_ALIGN, SB_TRANSFER_WINDOW_BYTES);
    return c->window != NULL;
}

void sb_transfer_cursor_leave(struct sb_transfer_cursor *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

void sb_transfer_cursor_free(struct sb_transfer_cursor *c)
{
    sb_transfer_cursor_leave(c);
    free(c->window);
    c->window = NULL;
}

/* Opens a reader, of which only the list of segments is wanted. False: why. */
static bool list(struct sb_transfer_cursor *c, struct sb_journal_reader *r, const char *folder)
{
    char said[SB_TRANSFER_WHY_BYTES] = "";
    FILE *err = fmemopen(said, sizeof said, "w");
    if (err == NULL)
        return failed(c, "out of memory");
    const bool listed = sb_journal_reader_open(r, folder, err);
    fclose(err);
    said[strcspn(said, "\n")] = '\0';
    return listed || failed(c, "there is no journal: %.150s", said);
}

/* --- the window --------------------------------------------------------------------------------- */

/* Reads so many bytes of the segment into the window, from where the next block begins; fewer at its end. False: why. */
static bool fill(struct sb_transfer_cursor *c, uint64_t bytes)
{
    c->window_at = c->scan.at;
    c->window_n = 0;
    while (c->window_n < bytes) {
        const ssize_t n = pread(c->fd, c->window + c->window_n, bytes - c->window_n,
                                (off_t)(c->window_at + c->window_n));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(c, "segment %08" PRIu64 " cannot be read: %s", c->segment,
                          strerror(errno));
        if (n == 0)
            break;
        c->window_n += (uint64_t)n;
    }
    return true;
}

static enum sb_journal_found scan_window(struct sb_transfer_cursor *c)
{
    c->at = c->scan.at;
    const uint64_t skip = c->at - c->window_at;
    if (skip > c->window_n)
        return SB_FOUND_TORN;
    const enum sb_journal_found found =
        sb_journal_scan_block(&c->scan, c->window + skip, c->window_n - skip);
    c->block = c->window + skip;
    c->bytes = found == SB_FOUND_BLOCK ? (uint32_t)(c->scan.at - c->at) : 0;
    return found;
}

/* The next block by a new look at the file: a little of it first, since most looks at the tail find nothing. */
static enum sb_journal_found look(struct sb_transfer_cursor *c, bool *readable)
{
    *readable = fill(c, SB_JOURNAL_ALIGN);
    uint32_t magic = 0;
    if (*readable && c->window_n == SB_JOURNAL_ALIGN)
        memcpy(&magic, c->window, sizeof magic);
    if (magic == SB_JOURNAL_MAGIC)
        *readable = fill(c, SB_TRANSFER_WINDOW_BYTES);
    return *readable ? scan_window(c) : SB_FOUND_TORN;
}

/* --- segments ------------------------------------------------------------------------------------- */

static int open_segment(const struct sb_transfer_cursor *c, uint64_t segment)
{
    char path[SB_JOURNAL_FILE_BYTES];
    return open(sb_journal_file(path, c->folder, segment), O_RDONLY | O_CLOEXEC);
}

static void enter(struct sb_transfer_cursor *c, int fd, uint64_t segment)
{
    sb_transfer_cursor_leave(c);
    c->fd = fd;
    c->segment = segment;
    c->scan.at = 0;
    c->window_at = c->window_n = 0;
}

/* Is there nothing but zeros from where the next block would begin to the end of the segment? */
static bool only_zeros(struct sb_transfer_cursor *c, bool *readable)
{
    static const uint8_t zeros[SB_JOURNAL_ALIGN];
    struct sb_transfer_cursor rest = *c; /* of its window nothing is needed any longer */
    for (;; rest.scan.at += rest.window_n) {
        *readable = fill(&rest, SB_TRANSFER_WINDOW_BYTES);
        if (!*readable || rest.window_n == 0)
            return *readable;
        for (uint64_t i = 0; i < rest.window_n; i += SB_JOURNAL_ALIGN) {
            const uint64_t left = rest.window_n - i;
            if (memcmp(rest.window + i, zeros, left < SB_JOURNAL_ALIGN ? left : SB_JOURNAL_ALIGN) !=
                0)
                return false;
        }
    }
}

static enum sb_transfer_look_found damaged(struct sb_transfer_cursor *c)
{
    failed(c, "the journal is damaged: segment %08" PRIu64 ", offset %" PRIu64 ": %s", c->segment,
           c->scan.at, c->scan.why != NULL ? c->scan.why : "cut short");
    return SB_TRANSFER_LOOK_END;
}

/* No whole block is where the next one would begin. Is this segment over, and the next one there? */
static enum sb_transfer_look_found roll(struct sb_transfer_cursor *c)
{
    const int fd = open_segment(c, c->segment + 1);
    if (fd < 0 && errno == ENOENT)
        return SB_TRANSFER_LOOK_TAIL;
    if (fd < 0) {
        failed(c, "segment %08" PRIu64 " cannot be opened: %s", c->segment + 1, strerror(errno));
        return SB_TRANSFER_LOOK_END;
    }
    /* Now it is closed: what was written between the last look and that is there. */
    bool readable;
    const enum sb_journal_found found = look(c, &readable);
    if (readable && found == SB_FOUND_TORN && c->scan.at != 0 && only_zeros(c, &readable)) {
        enter(c, fd, c->segment + 1);
        return sb_transfer_cursor_next(c);
    }
    close(fd);
    if (!readable)
        return SB_TRANSFER_LOOK_END;
    return found == SB_FOUND_BLOCK ? SB_TRANSFER_LOOK_BLOCK : damaged(c);
}

enum sb_transfer_look_found sb_transfer_cursor_next(struct sb_transfer_cursor *c)
{
    bool readable = true;
    enum sb_journal_found found = scan_window(c);
    if (found == SB_FOUND_TORN)
        found = look(c, &readable);
    if (!readable)
        return SB_TRANSFER_LOOK_END;
    if (found == SB_FOUND_BLOCK)
        return SB_TRANSFER_LOOK_BLOCK;
    return found == SB_FOUND_TORN ? roll(c) : damaged(c);
}

bool sb_transfer_cursor_probe(struct sb_transfer_cursor *c)
{
    /* Blocks stand together: the next good one, if the one here is bad, begins within the window. */
    const uint64_t window = SB_TRANSFER_WINDOW_BYTES;
    struct sb_journal_scan scan = c->scan;
    if (!fill(c, window))
        return false;
    if (c->window_n > SB_JOURNAL_ALIGN &&
        sb_journal_scan_block(&scan, c->window, c->window_n) == SB_FOUND_TORN &&
        sb_journal_later(&c->scan, c->window + SB_JOURNAL_ALIGN, c->window_n - SB_JOURNAL_ALIGN)) {
        /* It may have been written while the window was read: before the later one, which is whole. */
        scan = c->scan;
        if (!fill(c, window))
            return false;
        if (sb_journal_scan_block(&scan, c->window, c->window_n) == SB_FOUND_TORN) {
            c->scan.why = scan.why;
            damaged(c);
            return false;
        }
    }
    struct sb_journal_reader r;
    if (!list(c, &r, c->folder))
        return false;
    const uint64_t newest = r.segments[r.segments_n - 1];
    bool next_is_there = newest <= c->segment;
    for (size_t i = 0; i < r.segments_n && !next_is_there; i++)
        next_is_there = r.segments[i] == c->segment + 1;
    sb_journal_reader_close(&r);
    return next_is_there ||
           failed(c, "segment %08" PRIu64 " was removed before it was sent", c->segment + 1);
}

/* --- where to begin ------------------------------------------------------------------------------ */

/* Number of the first command that a segment can hold; 0: no good head is there (yet). Leaves the cursor there. */
static uint64_t head_of(struct sb_transfer_cursor *c, uint64_t segment)
{
    const int fd = open_segment(c, segment);
    if (fd < 0)
        return 0;
    sb_journal_scan_begin(&c->scan);
    enter(c, fd, segment);
    if (!fill(c, SB_JOURNAL_ALIGN) || scan_window(c) != SB_FOUND_BLOCK)
        return 0;
    const uint64_t n = c->scan.first_n;
    sb_journal_scan_begin(&c->scan); /* the head is read again, as the first block */
    return n;
}

bool sb_transfer_cursor_find(struct sb_transfer_cursor *c, const char *folder, uint64_t n,
                             uint64_t *first_n)
{
    struct sb_journal_reader r;
    *first_n = 0;
    if (!list(c, &r, folder))
        return false;
    memcpy(c->folder, r.folder, sizeof c->folder);
    for (size_t i = 0; i < r.segments_n && *first_n == 0; i++)
        *first_n = head_of(c, r.segments[i]);
    bool good = *first_n != 0 && *first_n <= n;
    if (good) {
        uint64_t head = 0;
        for (size_t i = r.segments_n; i-- > 0 && (head == 0 || head > n);)
            head = head_of(c, r.segments[i]);
        good = head != 0 || failed(c, "the journal's segments cannot be read any longer");
    } else if (*first_n == 0) {
        failed(c, "there is no journal: no segment has a good head");
    } else {
        failed(c, "the journal does not reach back so far: it begins at input %" PRIu64, *first_n);
    }
    sb_journal_reader_close(&r);
    if (!good)
        sb_transfer_cursor_leave(c);
    return good;
}

/* --- snapshots ------------------------------------------------------------------------------------- */

/* The number in a snapshot's name; 0: not one. */
static uint64_t snapshot_number(const char *name)
{
    if (strspn(name, "0123456789") != SNAPSHOT_DIGITS ||
        strcmp(name + SNAPSHOT_DIGITS, SNAPSHOT_SUFFIX) != 0)
        return 0;
    errno = 0;
    const unsigned long long n = strtoull(name, NULL, 10);
    return errno == 0 && n < UINT64_MAX ? n : 0;
}

uint64_t sb_transfer_snapshot_find(const char *folder, uint64_t n)
{
    DIR *d = opendir(folder);
    if (d == NULL)
        return 0;
    uint64_t newest = 0;
    const struct dirent *entry;
    while ((entry = readdir(d)) != NULL) {
        const uint64_t number = snapshot_number(entry->d_name);
        if (number >= n && number > newest)
            newest = number;
    }
    closedir(d);
    return newest;
}

const char *sb_transfer_snapshot_file(char path[SB_JOURNAL_FILE_BYTES], const char *folder,
                                      uint64_t n)
{
    snprintf(path, SB_JOURNAL_FILE_BYTES, "%s/%020" PRIu64 SNAPSHOT_SUFFIX, folder, n);
    return path;
}
