/* memory.h: a small journal in memory, made block by block, and the read of it. */
#ifndef SHADOWBOOK_TESTS_JOURNAL_MEMORY_H
#define SHADOWBOOK_TESTS_JOURNAL_MEMORY_H

#include "replica/journal.h"

enum {
    MEMORY_SEGMENTS = 4,
    MEMORY_BYTES = 16 * SB_JOURNAL_ALIGN,
    MEMORY_COMMANDS = 256,
    MEMORY_BLOCKS = 64
};

struct memory {
    _Alignas(64) uint8_t bytes[MEMORY_SEGMENTS][MEMORY_BYTES];
    uint64_t size[MEMORY_SEGMENTS];
    uint32_t segments;
    struct sb_journal_block *block; /* that is being made */
    uint64_t number, previous, next_n, epoch, inc;
    struct sb_journal_owner owner;
    uint16_t shard, generation;
    uint32_t trading_day;
    struct sb_engine_limits limits;
    struct sb_command written[MEMORY_COMMANDS + 1]; /* by number; one line each */
    uint64_t block_at[MEMORY_BLOCKS];               /* segment << 32 | offset of each block */
    uint64_t inputs_before[MEMORY_BLOCKS];          /* each block */
};

/* Shard 3, day 20261124, generation 2, default limits, epoch 4, incarnation 99: to be changed before the first segment. */
void memory_begin(struct memory *m);
void memory_segment(struct memory *m);
/* A block of `packets` packets of 1, 2, ... commands. */
void memory_data(struct memory *m, uint32_t packets);
/* A block of one packet that another made: its lines, and the digest behind it. Not for memory_read(). */
void memory_packet(struct memory *m, const struct sb_command *lines, uint16_t count,
                   uint16_t lines_n, uint64_t digest);
void memory_record(struct memory *m, uint8_t kind);
/* A CLOCK record. */
void memory_clock(struct memory *m, uint64_t bound_ns);
/* An END record with these digests. */
void memory_end(struct memory *m, uint64_t digest, uint64_t state_digest);

/* Writes the segments into a folder, which is made if it is not there; others that are there go. */
void memory_store(const struct memory *m, const char *folder);

/* Another life goes on where a read of it ended; what was behind is gone. */
void memory_go_on(struct memory *m, const struct sb_journal_end *end);

/* Reads all of it. Asserts that what comes out is what was written, from number 1 on without a hole. Returns the end;
 * *n: last number read. */
enum sb_journal_found memory_read(const struct memory *m, struct sb_journal_scan *scan,
                                  uint64_t *n);

#endif
