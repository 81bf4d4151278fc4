/* transfer_cursor.h: reads a journal that is being written: block by block, over its segments, up to its present end.
 *
 * Segments may be begun, closed and removed by the journal's writer meanwhile. What is not whole at the end of the last segment is not
 * there yet; anywhere else it is damage. Ordinary reads, so that a write with O_DIRECT is seen once it is done. One thread;
 * blocks on the disk.
 */
#ifndef SHADOWBOOK_TRANSFER_CURSOR_H
#define SHADOWBOOK_TRANSFER_CURSOR_H

#include "replica/journal_reader.h"
#include "replica/transfer.h"

enum { SB_TRANSFER_WINDOW_BYTES = 2 * SB_JOURNAL_BLOCK_MAX };

enum sb_transfer_look_found {
    SB_TRANSFER_LOOK_BLOCK,
    SB_TRANSFER_LOOK_TAIL, /* nothing more yet */
    SB_TRANSFER_LOOK_END,  /* nothing more can be read: why */
};

struct sb_transfer_cursor {
    char folder[SB_JOURNAL_PATH_BYTES];
    int fd; /* of the segment, or -1: not open */
    uint64_t segment;
    struct sb_journal_scan scan; /* of the last block */
    const uint8_t *block;        /* itself, in the window; valid until the next call */
    uint32_t bytes;
    uint64_t at; /* its offset */
    uint8_t *window;
    uint64_t window_at, window_n; /* offset in the segment, bytes */
    char why[SB_TRANSFER_WHY_BYTES];
};

/* Allocates the window. False: no memory. */
bool sb_transfer_cursor_init(struct sb_transfer_cursor *c);
void sb_transfer_cursor_free(struct sb_transfer_cursor *c);

/* Goes to the head of the newest segment that begins at or before number n. *first_n: the first number of the journal. False:
 * there is no journal, or it does not reach back so far (then *first_n is not 0); why. */
bool sb_transfer_cursor_find(struct sb_transfer_cursor *c, const char *folder, uint64_t n,
                             uint64_t *first_n);
/* Closes its file. */
void sb_transfer_cursor_leave(struct sb_transfer_cursor *c);

enum sb_transfer_look_found sb_transfer_cursor_next(struct sb_transfer_cursor *c);

/* At the tail, when nothing has come for a while: can anything ever come? False: damage, or the next segment was removed; why. */
bool sb_transfer_cursor_probe(struct sb_transfer_cursor *c);

/* The newest snapshot in the folder with a number of at least n: 20 digits and ".snapshot". 0: there is none. */
uint64_t sb_transfer_snapshot_find(const char *folder, uint64_t n);
/* Its file. Returns path. */
const char *sb_transfer_snapshot_file(char path[SB_JOURNAL_FILE_BYTES], const char *folder,
                                      uint64_t n);

#endif
