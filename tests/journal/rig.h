/* rig.h: a log that grows, a journal of it on a real file system, and a disk that can be made to fail. */
#ifndef SHADOWBOOK_TESTS_JOURNAL_RIG_H
#define SHADOWBOOK_TESTS_JOURNAL_RIG_H

#include "replica/journal_writer.h"

/* Stands between the writer and the disk under it. Countdowns: the operation that finds 1 fails with `error`; 0: never. */
struct faulty_disk {
    struct sb_journal_disk under;
    int create_fails, write_fails, error;
    atomic_bool hangs; /* writes wait until it is false again */
};

struct rig {
    char dir[128], folder[192]; /* what open made, and the journal in it */
    uint8_t *log_memory;
    struct sb_log log;
    struct sb_journal_setup setup;
    struct sb_journal_uring uring;
    void *buffer;
    struct faulty_disk disk;
    struct sb_journal_writer writer;
    uint64_t now_ns;
    char said[1024];
};

/* A folder of its own under `under`, a log, a setup with small segments (16 KiB) and a small ring. Nothing is started. */
void rig_open(struct rig *r, const char *under);
/* Starts the writer. False: r->said has the words. */
bool rig_start(struct rig *r);
/* Ends the writer, without removing files; an END record first if `end`. Returns what close does. */
bool rig_stop(struct rig *r, bool end);
/* Removes the folder and all memory. */
void rig_close(struct rig *r);

/* Appends a packet of `count` commands to the log; the contents follow from their numbers. */
void rig_add(struct rig *r, uint16_t count);
/* How the journal ends now, as the next life finds it; asserts that it is so. */
struct sb_journal_end rig_end(const struct rig *r, enum sb_journal_found expected);
/* What a write that was cut short leaves behind the end; or a segment that was made and never begun. */
void rig_tear(const struct rig *r, const struct sb_journal_end *end, bool new_segment);
/* A file with the name of a snapshot of input n, and nothing in it. */
void rig_name_snapshot(const struct rig *r, uint64_t n);
/* What is added under a number. */
struct sb_command rig_command(uint64_t n);
/* A turn of the loop, `ns` after the last one. */
bool rig_turn(struct rig *r, uint64_t ns);
/* Turns until `n` is durable; asserts after some seconds, or a fault. */
void rig_until_durable(struct rig *r, uint64_t n);

/* Reads the journal back; asserts that its commands are the ones that were added, without a hole, from number `from` on.
 * Returns the end; *n: last number. */
enum sb_journal_found rig_read(const struct rig *r, uint64_t from, uint64_t *n);

#endif
