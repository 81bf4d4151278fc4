/* journal_reader.h: reads a journal's folder, for tools: its segments in order, block by block or packet by packet.
 *
 * What is good, torn or damaged is journal.h's to say; this adds files and words. A segment is read into memory whole.
 * Off the order path. Reading the journal of a running node is allowed: what is found then ends somewhere at or
 * before what was written last, as OPEN or TORN.
 */
#ifndef SHADOWBOOK_JOURNAL_READER_H
#define SHADOWBOOK_JOURNAL_READER_H

#include <stdio.h>

#include "replica/journal.h"

enum { SB_JOURNAL_PATH_BYTES = 512, SB_JOURNAL_FILE_BYTES = SB_JOURNAL_PATH_BYTES + 32 };

struct sb_journal_reader {
    char folder[SB_JOURNAL_PATH_BYTES];
    uint64_t *segments; /* numbers of the files, rising */
    size_t segments_n, next;
    uint8_t *bytes; /* of the segment that is read */
    size_t bytes_cap;
    struct sb_journal_scan scan;
    uint32_t packet_at;
    enum sb_journal_found found; /* of the last step; an end stays */
};

#define SB_JOURNAL_SUFFIX ".journal"

/* The file of a segment. Returns path. */
const char *sb_journal_file(char path[SB_JOURNAL_FILE_BYTES], const char *folder, uint64_t segment);

/* Is this a folder? (Tools take a journal wherever they take a log file.) */
bool sb_journal_is_folder(const char *path);

/* The numbers of a folder's files whose names are a number and this suffix, rising; the caller frees them. False: said on
 * err why. */
bool sb_journal_list(const char *folder, const char *suffix, uint64_t **numbers, size_t *n,
                     FILE *err);

/* What the head of a segment's file says, judged as the scan would. */
struct sb_journal_segment_head {
    uint64_t n_first; /* number of the first input in it, or of the next, if it has none */
    uint16_t shard;
    struct sb_journal_segment segment;
};

/* Reads a page. False: there is no such file, or no good head. */
bool sb_journal_head(const char *folder, uint64_t segment, struct sb_journal_segment_head *h);

/* As open, which is built on it. 1: open; 0: there is no segment (nothing said); -1: cannot be read (said on err). */
int sb_journal_reader_find(struct sb_journal_reader *r, const char *path, FILE *err);

/* Opens the journal in the folder at path, or, where that holds no segment but folders that do, in the one whose name
 * sorts last: a node's newest. False: said on err why. */
bool sb_journal_reader_open(struct sb_journal_reader *r, const char *path, FILE *err);
void sb_journal_reader_close(struct sb_journal_reader *r);

/* 1: r->scan holds the next good block; 0: the end, r->found says which; -1: a file cannot be read (said on err). */
int sb_journal_reader_block(struct sb_journal_reader *r, FILE *err);

/* The same, packet by packet, over all blocks between. *lines: valid until the next call. */
int sb_journal_reader_packet(struct sb_journal_reader *r, const struct sb_journal_packet **packet,
                             const struct sb_command **lines, FILE *err);

/* One line: how the journal ends, where (segment, offset, number) and why. */
void sb_journal_reader_say_end(const struct sb_journal_reader *r, FILE *to);

#endif
