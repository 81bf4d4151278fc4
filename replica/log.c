#include "replica/log.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "shadowbook/assert.h"

static uint32_t sum_of(const struct sb_log *log, const struct sb_packet *p)
{
    return (uint32_t)XXH3_64bits(sb_log_lines(log, p), (size_t)p->lines * SB_LINE_BYTES);
}

void sb_log_init(struct sb_log *log, struct sb_arena *arena, uint32_t lines_cap)
{
    SB_ASSERT(lines_cap >= 64 && (lines_cap & (lines_cap - 1)) == 0);
    log->lines_cap = lines_cap;
    log->packets_cap = lines_cap; /* in the worst case every packet is one line */
    log->lines = sb_arena_take(arena, (size_t)lines_cap * sizeof *log->lines);
    log->packets = sb_arena_take(arena, (size_t)lines_cap * sizeof *log->packets);
    log->packet_first = log->packet_end = log->line_end = log->len = 0;
}

struct sb_command *sb_log_begin(struct sb_log *log)
{
    /* A packet's lines stand together: skip what is left at the end of the ring. */
    const uint64_t at = log->line_end & (log->lines_cap - 1);
    if (at + SB_STREAM_LINES_MAX > log->lines_cap)
        log->line_end += log->lines_cap - at;
    while (log->packet_first < log->packet_end &&
           (sb_log_packet(log, log->packet_first)->pos + log->lines_cap <
                log->line_end + SB_STREAM_LINES_MAX ||
            log->packet_end - log->packet_first == log->packets_cap))
        log->packet_first++;
    return &log->lines[log->line_end & (log->lines_cap - 1)];
}

struct sb_packet *sb_log_commit(struct sb_log *log, uint16_t count, uint16_t lines)
{
    SB_ASSERT(count >= 1 && lines >= count && lines <= SB_STREAM_LINES_MAX);
    struct sb_packet *p = sb_log_packet(log, log->packet_end);
    *p = (struct sb_packet){
        .n_first = log->len + 1, .pos = log->line_end, .count = count, .lines = lines};
    p->sum = sum_of(log, p);
    log->packet_end++;
    log->line_end += lines;
    log->len += count;
    return p;
}

bool sb_log_is_whole(const struct sb_log *log, const struct sb_packet *p)
{
    return p->sum == sum_of(log, p);
}

bool sb_lines_good(const void *lines, uint32_t lines_n, uint32_t count, uint64_t n_first)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sb_command2 c;
        if (at >= lines_n)
            return false;
        const uint32_t left = lines_n - at < 2u ? 1u : 2u;
        memcpy(&c, (const uint8_t *)lines + (size_t)at * SB_LINE_BYTES,
               (size_t)left * SB_LINE_BYTES);
        if (!sb_command_valid(&c.c, left) || c.c.seq != n_first + i)
            return false;
        at += sb_command_lines(&c.c);
    }
    return at == lines_n;
}

bool sb_stream_good(const struct sb_head *h, const struct sb_stream *s, const void *lines)
{
    const bool shape = (s->n_first == 0) == (s->count == 0) && s->lines >= s->count &&
                       s->lines <= SB_STREAM_LINES_MAX && s->zero == 0 &&
                       h->bytes == sizeof *s + (size_t)s->lines * SB_LINE_BYTES &&
                       (s->n_first == 0 || s->n_first + s->count - 1 <= s->len);
    return shape && (s->count == 0 || sb_lines_good(lines, s->lines, s->count, s->n_first));
}

uint64_t sb_log_find(const struct sb_log *log, uint64_t n)
{
    uint64_t lo = log->packet_first, hi = log->packet_end;
    if (lo == hi || n > log->len || n < sb_log_packet(log, lo)->n_first)
        return UINT64_MAX;
    if (n >= sb_log_packet(log, hi - 1)->n_first)
        return hi - 1;
    while (hi - lo > 1) {
        const uint64_t mid = lo + (hi - lo) / 2;
        if (sb_log_packet(log, mid)->n_first <= n)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}
