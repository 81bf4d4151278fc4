/* log.h: the input log in memory: a ring of 64-byte command lines, cut into stream packets.
 *
 * A packet is what one STREAM frame carries: 1..SB_STREAM_LINES_MAX lines that stand together. Once
 * committed it is never cut differently: repairs, acks, digests and release marks fall on its
 * boundaries. The ring keeps the newest packets; older ones are dropped as new ones need the room. The
 * caller sees to it that nothing it still needs is dropped (back-pressure). No allocation.
 */
#ifndef SHADOWBOOK_LOG_H
#define SHADOWBOOK_LOG_H

#include "replica/arena.h"
#include "shadowbook/command.h"
#include "shadowbook/frame.h"

struct sb_packet {
    uint64_t n_first; /* number of its first command */
    uint64_t pos;     /* line position of its first line; rises for ever */
    uint64_t digest;  /* running digest after its last command; valid once applied */
    uint16_t count;   /* commands */
    uint16_t lines;
    uint32_t sum; /* of its lines, taken when they were committed */
};

struct sb_log {
    struct sb_command *lines;
    struct sb_packet *packets;
    uint64_t lines_cap, packets_cap; /* powers of two */
    uint64_t packet_first;           /* oldest retained packet; packets are counted from 0 */
    uint64_t packet_end;             /* one behind the newest */
    uint64_t line_end;               /* position of the next line */
    uint64_t len;                    /* number of the last command */
};

/* Takes `lines_cap` lines (a power of two, at least 64) from the arena. */
void sb_log_init(struct sb_log *log, struct sb_arena *arena, uint32_t lines_cap);

/* Where the next packet is to be written: room for SB_STREAM_LINES_MAX lines. Drops the oldest packets that stand
 * there. Amortised O(1). */
struct sb_command *sb_log_begin(struct sb_log *log);

/* Makes what was written at sb_log_begin() the next packet. */
struct sb_packet *sb_log_commit(struct sb_log *log, uint16_t count, uint16_t lines);

/* Are a retained packet's lines still those that were committed? Memory rots, and a repair must not make damage true
 * on both nodes, where no digest would tell. ~5 ns and 3 ns for each line. */
bool sb_log_is_whole(const struct sb_log *log, const struct sb_packet *p);

static inline struct sb_packet *sb_log_packet(const struct sb_log *log, uint64_t index)
{
    return &log->packets[index & (log->packets_cap - 1)];
}
static inline struct sb_command *sb_log_lines(const struct sb_log *log, const struct sb_packet *p)
{
    return &log->lines[p->pos & (log->lines_cap - 1)];
}
static inline uint64_t sb_packet_last(const struct sb_packet *p)
{
    return p->n_first + p->count - 1;
}

/* Are these `count` commands in `lines` lines well formed and numbered from n_first on without a hole? Total over any
 * bytes, of any alignment. */
bool sb_lines_good(const void *lines, uint32_t lines_n, uint32_t count, uint64_t n_first);

/* Is a STREAM frame what its head says: a heartbeat, or good lines that fill it? Total over any bytes. */
bool sb_stream_good(const struct sb_head *h, const struct sb_stream *s, const void *lines);

/* Index of the retained packet that holds number n, or UINT64_MAX. Binary search; the newest is tried first. */
uint64_t sb_log_find(const struct sb_log *log, uint64_t n);

#endif
