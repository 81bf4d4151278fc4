#include "replica/journal_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *sb_journal_file(char path[SB_JOURNAL_FILE_BYTES], const char *folder, uint64_t segment)
{
    snprintf(path, SB_JOURNAL_FILE_BYTES, "%s/%08" PRIu64 SB_JOURNAL_SUFFIX, folder, segment);
    return path;
}

bool sb_journal_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* --- which files ------------------------------------------------------------------------------- */

/* The number in a file's name; 0: not one. */
static uint64_t number_of(const char *name, const char *suffix)
{
    uint64_t n = 0;
    const size_t digits = strspn(name, "0123456789");
    if (digits < 8 || digits > 20 || strcmp(name + digits, suffix) != 0)
        return 0;
    for (size_t i = 0; i < digits; i++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(name[i] - '0'), &n))
            return 0;
    return n;
}

static int by_number(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

bool sb_journal_list(const char *folder, const char *suffix, uint64_t **numbers, size_t *n,
                     FILE *err)
{
    *numbers = NULL;
    *n = 0;
    DIR *d = opendir(folder);
    if (d == NULL) {
        fprintf(err, "%s: cannot open: %s\n", folder, strerror(errno));
        return false;
    }
    const struct dirent *entry;
    size_t cap = 0;
    bool good = true;
    while (good && (entry = readdir(d)) != NULL) {
        const uint64_t number = number_of(entry->d_name, suffix);
        if (number == 0)
            continue;
        if (*n == cap) {
            cap = cap == 0 ? 64 : 2 * cap;
            uint64_t *grown = realloc(*numbers, cap * sizeof *grown);
            good = grown != NULL;
            if (!good) {
                fprintf(err, "%s: out of memory\n", folder);
                break;
            }
            *numbers = grown;
        }
        (*numbers)[(*n)++] = number;
    }
    closedir(d);
    if (good && *n != 0)
        qsort(*numbers, *n, sizeof **numbers, by_number);
    if (!good) {
        free(*numbers);
        *numbers = NULL;
    }
    return good;
}

bool sb_journal_head(const char *folder, uint64_t segment, struct sb_journal_segment_head *h)
{
    _Alignas(64) uint8_t page[SB_JOURNAL_ALIGN];
    char path[SB_JOURNAL_FILE_BYTES];
    struct sb_journal_scan scan;
    *h = (struct sb_journal_segment_head){.n_first = 0};
    const int fd = open(sb_journal_file(path, folder, segment), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool whole = pread(fd, page, sizeof page, 0) == (ssize_t)sizeof page;
    close(fd);
    sb_journal_scan_begin(&scan);
    sb_journal_scan_segment(&scan, page, sizeof page, true);
    if (!whole || sb_journal_scan_next(&scan) != SB_FOUND_BLOCK)
        return false;
    h->n_first = scan.first_n;
    h->shard = scan.block.head.shard;
    h->segment = scan.segment;
    return true;
}

static bool list(struct sb_journal_reader *r, FILE *err)
{
    return sb_journal_list(r->folder, SB_JOURNAL_SUFFIX, &r->segments, &r->segments_n, err);
}

/* Goes into the folder in r->folder whose name sorts last. */
static bool descend(struct sb_journal_reader *r)
{
    DIR *d = opendir(r->folder);
    if (d == NULL)
        return false;
    char newest[256] = "";
    const struct dirent *entry;
    while ((entry = readdir(d)) != NULL) {
        char path[SB_JOURNAL_PATH_BYTES + 260];
        snprintf(path, sizeof path, "%s/%s", r->folder, entry->d_name);
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, newest) > 0 &&
            sb_journal_is_folder(path))
            snprintf(newest, sizeof newest, "%s", entry->d_name);
    }
    closedir(d);
    const size_t length = strlen(r->folder);
    if (newest[0] == '\0' || length + 1 + strlen(newest) >= sizeof r->folder)
        return false;
    snprintf(r->folder + length, sizeof r->folder - length, "/%s", newest);
    return true;
}

int sb_journal_reader_find(struct sb_journal_reader *r, const char *path, FILE *err)
{
    memset(r, 0, sizeof *r);
    sb_journal_scan_begin(&r->scan);
    r->found = SB_FOUND_NEXT;
    if (strlen(path) >= sizeof r->folder) {
        fprintf(err, "%s: path too long\n", path);
        return -1;
    }
    memcpy(r->folder, path, strlen(path) + 1);
    bool good = list(r, err);
    if (good && r->segments_n == 0 && descend(r)) {
        free(r->segments);
        good = list(r, err);
    }
    if (good && r->segments_n != 0)
        return 1;
    sb_journal_reader_close(r);
    return good ? 0 : -1;
}

bool sb_journal_reader_open(struct sb_journal_reader *r, const char *path, FILE *err)
{
    const int found = sb_journal_reader_find(r, path, err);
    if (found == 0)
        fprintf(err,
                "%s: no segment (00000001" SB_JOURNAL_SUFFIX
                " ...) is there: a journal's folder is accepted\n",
                path);
    return found == 1;
}

void sb_journal_reader_close(struct sb_journal_reader *r)
{
    free(r->segments);
    free(r->bytes);
    r->segments = NULL;
    r->bytes = NULL;
    r->segments_n = r->bytes_cap = 0;
}

/* --- what is in them ------------------------------------------------------------------------------ */

static bool room_for(struct sb_journal_reader *r, size_t size)
{
    if (size <= r->bytes_cap)
        return true;
    uint8_t *grown = realloc(r->bytes, size);
    if (grown == NULL)
        return false;
    r->bytes = grown;
    r->bytes_cap = size;
    return true;
}

/* Reads the file from its end to its beginning, `step` bytes at a time. The last segment may be written at this moment, page
 * behind page: whoever has seen a block then finds all those before it, and takes none of them for lost. *size: where
 * the file ends now, as it may be cut to its length meanwhile. */
static bool read_backwards(int fd, uint8_t *bytes, size_t *size, size_t step)
{
    for (size_t end = *size; end != 0;) {
        const size_t at = (end - 1) / step * step;
        size_t have = at;
        while (have < end) {
            const ssize_t got = pread(fd, bytes + have, end - have, (off_t)have);
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return false;
            if (got == 0)
                *size = end = have;
            have += (size_t)got;
        }
        end = at;
    }
    return true;
}

static bool load(struct sb_journal_reader *r, FILE *err)
{
    char path[SB_JOURNAL_FILE_BYTES];
    sb_journal_file(path, r->folder, r->segments[r->next]);
    const bool last = r->next + 1 == r->segments_n;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    const bool opened = fd >= 0 && fstat(fd, &status) == 0;
    size_t size = opened ? (size_t)status.st_size : 0;
    /* In one piece first: a disk is quick that way, and what comes then is in the page cache. */
    const bool good = opened && room_for(r, size) && read_backwards(fd, r->bytes, &size, size) &&
                      (!last || read_backwards(fd, r->bytes, &size, SB_JOURNAL_ALIGN));
    if (!good)
        fprintf(err, "%s: cannot read: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    sb_journal_scan_segment(&r->scan, r->bytes, size, last);
    r->next++;
    return good;
}

/* A segment's file that was given another one's name is damage, where it begins. */
static enum sb_journal_found judge_name(struct sb_journal_reader *r)
{
    struct sb_journal_scan *s = &r->scan;
    if (s->block.head.type != SB_JOURNAL_SEGMENT || s->segment.segment == r->segments[r->next - 1])
        return SB_FOUND_BLOCK;
    s->why = "the segment of another name";
    s->at = 0;
    return SB_FOUND_DAMAGED;
}

int sb_journal_reader_block(struct sb_journal_reader *r, FILE *err)
{
    if (r->found > SB_FOUND_NEXT)
        return 0;
    r->packet_at = 0;
    do {
        if (r->found == SB_FOUND_NEXT && !load(r, err))
            return -1;
        r->found = sb_journal_scan_next(&r->scan);
        if (r->found == SB_FOUND_BLOCK)
            r->found = judge_name(r);
    } while (r->found == SB_FOUND_NEXT);
    return r->found == SB_FOUND_BLOCK;
}

int sb_journal_reader_packet(struct sb_journal_reader *r, const struct sb_journal_packet **packet,
                             const struct sb_command **lines, FILE *err)
{
    while (r->found != SB_FOUND_BLOCK ||
           (*packet = sb_journal_packet_next(&r->scan, &r->packet_at, lines)) == NULL) {
        const int more = sb_journal_reader_block(r, err);
        if (more != 1)
            return more;
    }
    return 1;
}

void sb_journal_reader_say_end(const struct sb_journal_reader *r, FILE *to)
{
    const struct sb_journal_scan *s = &r->scan;
    const uint64_t segment = r->next != 0 ? r->segments[r->next - 1] : 0;
    fprintf(to, "%s: ends in segment %08" PRIu64 " at offset %" PRIu64, r->folder, segment, s->at);
    if (s->next_n > 1)
        fprintf(to, ", after input %" PRIu64, s->next_n - 1);
    else
        fprintf(to, ", without an input");
    switch (r->found) {
    case SB_FOUND_CLOSED:
        fprintf(to, ": closed, by an orderly stop\n");
        break;
    case SB_FOUND_OPEN:
        fprintf(to, ": open, the writer ended between two writes\n");
        break;
    case SB_FOUND_TORN:
        fprintf(to, ": torn tail (%s, and nothing good behind it)\n", s->why);
        break;
    case SB_FOUND_DAMAGED:
        fprintf(to, ": DAMAGED in the middle (%s, and there is more behind it)\n", s->why);
        break;
    case SB_FOUND_BLOCK:
    case SB_FOUND_NEXT:
        fprintf(to, ": not read to its end\n");
        break;
    }
}
