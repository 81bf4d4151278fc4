/* log_file.h: a node's input log as a file, written at a clean stop and read by tools.
 *
 * Little-endian, reserved bytes zero. Head (128 bytes), then packets one after the other:
 *     struct sb_log_packet (40 bytes), `lines` 64-byte command lines
 * The head ends with the XXH3-64 of itself with hash = 0. A packet's hash = XXH3-64 of its head with
 * hash = 0, then of its lines with that as seed. The last packet is followed by a trailer: a packet head with count = lines = 0, n_first = the last number, digest = full-state digest.
 * A file without a good trailer was cut short: readers say so.
 */
#ifndef SHADOWBOOK_LOG_FILE_H
#define SHADOWBOOK_LOG_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "replica/limits.h"
#include "replica/log.h"
#include "shadowbook/engine.h"

#define SB_LOG_FILE_MAGIC UINT64_C(0x31676F6C42534B31)
enum { SB_LOG_FILE_VERSION = 3 };

struct sb_log_file_head {
    uint64_t magic;
    uint32_t version, shard;
    uint64_t epoch, inc;
    uint64_t n_first; /* number of the first command in the file */
    struct sb_kept_limits limits;
    uint8_t sender;
    uint8_t zero[59];
    uint64_t hash; /* filled in by the writer */
};
_Static_assert(sizeof(struct sb_log_file_head) == 128, "file layout");

struct sb_log_packet {
    uint64_t n_first, digest, hash;
    uint16_t count, lines;
    uint8_t zero[12];
};
_Static_assert(sizeof(struct sb_log_packet) == 40, "file layout");

/* Writes all retained packets up to the last applied one. Prints to err and returns false on any error; the file is written under
 * a temporary name and renamed when it is whole. */
bool sb_log_file_write(const char *path, const struct sb_log_file_head *head,
                       const struct sb_log *log, uint64_t applied, uint64_t state_digest,
                       FILE *err);

struct sb_log_reader {
    FILE *file;
    const char *path;
    struct sb_log_file_head head;
    struct sb_log_packet packet; /* the last one read */
    struct sb_command lines[SB_STREAM_LINES_MAX];
    uint64_t next_n;
    uint64_t state_digest; /* of the trailer */
};

/* Opens and checks the head. Clear errors, also for a log that does not begin at number 1. */
bool sb_log_reader_open(struct sb_log_reader *r, const char *path, FILE *err);
/* 1: packet and lines hold the next packet; 0: the good end; -1: damaged or cut short (said on err). Commands are checked:
 * numbered without a hole, sb_command_valid(). */
int sb_log_reader_next(struct sb_log_reader *r, FILE *err);
void sb_log_reader_close(struct sb_log_reader *r);

#endif
