#include "replica/log_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t head_hash(struct sb_log_file_head head)
{
    head.hash = 0;
    return XXH3_64bits(&head, sizeof head);
}

static uint64_t packet_hash(struct sb_log_packet head, const struct sb_command *lines)
{
    head.hash = 0;
    const uint64_t h = XXH3_64bits(&head, sizeof head);
    return XXH3_64bits_withSeed(lines, (size_t)head.lines * SB_LINE_BYTES, h);
}

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

static bool put(FILE *f, struct sb_log_packet head, const struct sb_command *lines)
{
    head.hash = packet_hash(head, lines);
    return fwrite(&head, sizeof head, 1, f) == 1 &&
           (head.lines == 0 || fwrite(lines, SB_LINE_BYTES, head.lines, f) == head.lines);
}

bool sb_log_file_write(const char *path, const struct sb_log_file_head *head,
                       const struct sb_log *log, uint64_t applied, uint64_t state_digest, FILE *err)
{
    char temporary[1024];
    const int n = snprintf(temporary, sizeof temporary, "%s.part", path);
    if (n < 0 || (size_t)n >= sizeof temporary) {
        fprintf(err, "log file: path too long: %s\n", path);
        return false;
    }
    FILE *f = fopen(temporary, "wb");
    if (f == NULL) {
        fprintf(err, "log file: cannot create %s: %s\n", temporary, strerror(errno));
        return false;
    }
    struct sb_log_file_head sealed = *head;
    sealed.hash = head_hash(sealed);
    bool good = fwrite(&sealed, sizeof sealed, 1, f) == 1;
    for (uint64_t i = log->packet_first; good && i < log->packet_end; i++) {
        const struct sb_packet *p = sb_log_packet(log, i);
        if (sb_packet_last(p) > applied)
            break;
        good = put(
            f,
            (struct sb_log_packet){
                .n_first = p->n_first, .digest = p->digest, .count = p->count, .lines = p->lines},
            sb_log_lines(log, p));
    }
    good = good &&
           put(f, (struct sb_log_packet){.n_first = applied, .digest = state_digest}, log->lines);
    good = fflush(f) == 0 && good;
    good = fsync(fileno(f)) == 0 && good;
    good = fclose(f) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good) {
        fprintf(err, "log file: cannot write %s: %s\n", path, strerror(errno));
        unlink(temporary);
    }
    return good;
}

static const char *limits_error(const struct sb_kept_limits *kept)
{
    const struct sb_engine_limits limits = sb_limits_of(kept);
    return sb_engine_limits_error(&limits);
}

bool sb_log_reader_open(struct sb_log_reader *r, const char *path, FILE *err)
{
    memset(r, 0, sizeof *r);
    r->path = path;
    r->file = fopen(path, "rb");
    if (r->file == NULL) {
        fprintf(err, "%s: cannot open: %s\n", path, strerror(errno));
        return false;
    }
    const char *fault = NULL;
    if (fread(&r->head, sizeof r->head, 1, r->file) != 1 || r->head.magic != SB_LOG_FILE_MAGIC)
        fault = "not an input log of this program";
    else if (r->head.version != SB_LOG_FILE_VERSION)
        fault = "an input log of another version";
    else if (r->head.hash != head_hash(r->head))
        fault = "damaged in its head: checksum";
    else if (r->head.n_first != 1)
        fault = "begins in the middle: older inputs were no longer in memory when it was written";
    else if (!all_zero(r->head.zero, sizeof r->head.zero))
        fault = "not written by this version: reserved bytes in its head are not zero";
    else
        fault = limits_error(&r->head.limits);
    if (fault != NULL) {
        fprintf(err, "%s: %s\n", path, fault);
        sb_log_reader_close(r);
        return false;
    }
    r->next_n = 1;
    return true;
}

static int damaged(const struct sb_log_reader *r, FILE *err, const char *why)
{
    fprintf(err, "%s: damaged at input %llu: %s\n", r->path, (unsigned long long)r->next_n, why);
    return -1;
}

int sb_log_reader_next(struct sb_log_reader *r, FILE *err)
{
    if (fread(&r->packet, sizeof r->packet, 1, r->file) != 1)
        return damaged(r, err, "cut short, the end mark is missing");
    if (r->packet.lines > SB_STREAM_LINES_MAX)
        return damaged(r, err, "impossible packet");
    if (r->packet.lines != 0 &&
        fread(r->lines, SB_LINE_BYTES, r->packet.lines, r->file) != r->packet.lines)
        return damaged(r, err, "cut short inside a packet");
    if (packet_hash(r->packet, r->lines) != r->packet.hash)
        return damaged(r, err, "checksum");
    if (!all_zero(r->packet.zero, sizeof r->packet.zero))
        return damaged(r, err, "reserved bytes are not zero");
    if (r->packet.count == 0) {
        if (r->packet.lines != 0 || r->packet.n_first != r->next_n - 1 || fgetc(r->file) != EOF)
            return damaged(r, err, "end mark in the wrong place");
        r->state_digest = r->packet.digest;
        return 0;
    }
    if (r->packet.n_first != r->next_n ||
        !sb_lines_good(r->lines, r->packet.lines, r->packet.count, r->next_n))
        return damaged(r, err, "inputs that do not follow each other or are not well formed");
    r->next_n += r->packet.count;
    return 1;
}

void sb_log_reader_close(struct sb_log_reader *r)
{
    if (r->file != NULL)
        fclose(r->file);
    r->file = NULL;
}
