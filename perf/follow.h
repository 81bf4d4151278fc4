/* follow.h: one MoldUDP64 stream as its receiver sees it, whoever sends it.
 *
 * Takes packets in any order, with holes and repeats, and delivers every message once, in order. A hole is
 * re-requested until it is filled. Two engines may both send the stream: what comes again is compared with
 * what came first (a 64-bit hash of each message is kept), and a difference is counted as `conflicting`: it must never happen.
 * The first packet fixes the stream's name; packets of another name are counted and dropped.
 *
 * Sans-I/O: time is given, requests are handed out as bytes. Memory is the given sizes, taken at init (pages
 * that are never touched are never used). One thread.
 */
#ifndef SHADOWBOOK_PERF_FOLLOW_H
#define SHADOWBOOK_PERF_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "nic/wire/mold.h"

enum {
    SB_FOLLOW_NAMES_MAX = 8,
    SB_FOLLOW_MESSAGE_MAX = 254, /* longer messages are counted as malformed */
};
/* When the next request may go: shortly after a hole opened (reordering heals by itself), then ever later. */
enum {
    SB_FOLLOW_GRACE_NS = 100 * 1000,
    SB_FOLLOW_RETRY_FIRST_NS = 2 * 1000 * 1000,
    SB_FOLLOW_RETRY_LAST_NS = 50 * 1000 * 1000
};

struct sb_follow_counters {
    uint64_t packets, messages; /* delivered */
    uint64_t duplicates;        /* messages that came again with the same bytes */
    uint64_t conflicting;       /* ... with other bytes */
    uint64_t malformed;         /* packets that could not be read, or not of this stream */
    uint64_t foreign;           /* packets of another name */
    uint64_t far;               /* messages too far ahead for the buffer: asked for again later */
    uint64_t over; /* messages beyond the capacity: the stream is longer than it can be */
    uint64_t gaps, gaps_repaired, requests;
};

struct sb_follow {
    void (*deliver)(void *arg, uint64_t seq, const uint8_t *message, uint32_t len);
    void *arg;
    uint32_t stream; /* expected index in the name */
    char name[SB_MOLD_NAME_BYTES];
    char names[SB_FOLLOW_NAMES_MAX][SB_MOLD_NAME_BYTES]; /* all that were heard; [0] = name */
    uint32_t names_n;
    uint64_t next; /* number of the next message to deliver, from 1 */
    uint64_t end;  /* messages below this number are known to exist */
    uint64_t
        level_ns; /* last time that a packet was heard and nothing it told of was missing; 0 = never */
    bool gap_open;
    uint64_t request_at_ns, retry_ns;
    uint64_t *hashes; /* [seq - 1]; 0 = not heard yet */
    uint64_t capacity;
    uint8_t *slots; /* messages ahead of `next`: u16 length and bytes each */
    uint32_t slots_mask;
    struct sb_follow_counters counters;
};

/* capacity: most messages the stream can have; slots_n: how far ahead of a hole messages are kept, a power of two.
 * False without memory. */
bool sb_follow_init(struct sb_follow *f, uint32_t stream, uint64_t capacity, uint32_t slots_n,
                    void (*deliver)(void *, uint64_t, const uint8_t *, uint32_t), void *arg);
void sb_follow_free(struct sb_follow *f);

/* A MoldUDP64 packet has arrived. Delivers what is in order now. */
void sb_follow_packet(struct sb_follow *f, uint64_t now_ns, const uint8_t *packet, uint32_t bytes);

/* True if a request is due: writes its 20 bytes. */
bool sb_follow_request(struct sb_follow *f, uint64_t now_ns, uint8_t request[SB_MOLD_HEAD_BYTES]);

/* Is something known to be missing? */
static inline bool sb_follow_missing(const struct sb_follow *f)
{
    return f->next < f->end;
}

/* The hash that is kept of a message; never 0. */
uint64_t sb_follow_hash(const uint8_t *message, uint32_t len);

/* Zeroed memory that costs only what is touched; NULL without address space. Freed by sb_lazy_free(). */
void *sb_lazy_alloc(uint64_t bytes);
void sb_lazy_free(void *p, uint64_t bytes);

#endif
