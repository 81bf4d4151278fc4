/* journal_disk.h: the few things that a journal's writer asks of a disk, and the disk that does them with io_uring.
 *
 * The writer takes them as a table of functions, so that a test can stand between it and the disk: slow, full, broken,
 * read-only. All return 0 or an errno. One thread at a time.
 */
#ifndef SHADOWBOOK_JOURNAL_DISK_H
#define SHADOWBOOK_JOURNAL_DISK_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sb_journal_disk {
    void *self;
    int (*make_folder)(void *self, const char *path); /* EEXIST if it is there. Durable */
    /* A new file with room for so many bytes; it becomes the open one. EEXIST if it is there. Its name is durable. */
    int (*create)(void *self, const char *path, uint64_t bytes);
    /* Writes to the open file; durable on return. block: in the memory the disk was opened with; bytes, offset: multiples of
     * SB_JOURNAL_ALIGN. */
    int (*write)(void *self, const void *block, uint32_t bytes, uint64_t offset);
    /* Cuts the open file to its length and closes it for ever; durable on return. */
    int (*close)(void *self, uint64_t bytes);
    int (*remove)(void *self, const char *path); /* not being there is no error */
    /* Cuts a file that is not open; durable on return. */
    int (*cut)(void *self, const char *path, uint64_t bytes);
};

/* O_DIRECT where the file system takes it, else ordinary writes; both with RWF_DSYNC from a registered buffer. */
struct sb_journal_uring {
    struct io_uring ring;
    int fd; /* the open file, or -1 */
    void *buffer;
    size_t buffer_bytes;
    bool direct;       /* of the open file */
    bool preallocated; /* the file system could reserve the room */
};

/* A folder, durable. 0 or an errno: EEXIST if it is there. */
int sb_journal_make_folder(const char *path);

/* buffer: what blocks are written from, page aligned, the caller's. False: said on err why and what to do. */
bool sb_journal_uring_open(struct sb_journal_uring *u, void *buffer, size_t bytes, FILE *err);
void sb_journal_uring_close(struct sb_journal_uring *u);
struct sb_journal_disk sb_journal_uring_disk(struct sb_journal_uring *u);

#endif
